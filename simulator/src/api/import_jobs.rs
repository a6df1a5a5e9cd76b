//! Create, Start, Stop, Describe and List of user import jobs.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::input::Input;
use super::{Request, own_pool};
use crate::clock::{Clock, Moment, millis};
use crate::import::{Import, Snapshot, Status};
use crate::scenario::Scenario;
use crate::sigv4::{Keys, presign};
use crate::wire::Failure;
use crate::world::{Course, Job, Pool, World};

/// The upload URL lives this long, in seconds.
const URL_SECONDS: i64 = 899;
const HASHES: [&str; 4] = ["BCRYPT", "SCRYPT", "ARGON2ID", "PBKDF2_SHA256"];

pub(crate) fn create(world: &mut World, request: Request<'_>, now: Moment) -> Result<Value, Failure> {
    let mut input = Input::new(request.input);
    let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let name = input.required("JobName", 128, r"[\w\s+=,.@-]+", |text| {
        text.chars().all(|letter| word(letter) || letter.is_ascii_whitespace() || "+=,.@-".contains(letter))
    });
    let pool_id = input.pool_id();
    let role = input.required(
        "CloudWatchLogsRoleArn",
        2_048,
        r"arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?",
        is_arn,
    );
    let hashing = input.one_of("PasswordHashingAlgorithm", &HASHES).map(str::to_owned);
    input.finish()?;
    own_pool(world, request, pool_id)?;
    let (id, signed) = (world.new_job_id(), world.clock.wall());
    let (limit, error) = (world.scenario.jobs.per_pool, world.scenario.errors.job_limit.clone());
    let pool = own_pool(world, request, pool_id)?;
    if pool.jobs.len() >= limit {
        return Err(Failure::chosen(&error, pool_id, ""));
    }
    pool.jobs.push(Job {
        id: id.clone(),
        name: name.to_owned(),
        role: role.to_owned(),
        created: now,
        signed,
        course: Course::Real(Import::new(now, hashing)),
    });
    show_one(world, request, pool_id, &id, now)
}

/// `arn:` and five or more parts that are not empty, but for the region; an account of digits.
fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let fits = |part: &str| part.chars().all(|letter| letter.is_ascii_alphanumeric() || "_+=/,.@-".contains(letter));
    (6..=8).contains(&parts.len())
        && text.len() >= 20
        && parts[0] == "arn"
        && parts.iter().enumerate().all(|(at, part)| fits(part) && (at == 3 || !part.is_empty()))
        && parts[4].bytes().all(|byte| byte.is_ascii_digit())
}

pub(crate) fn start(world: &mut World, request: Request<'_>, now: Moment) -> Result<Value, Failure> {
    let (pool_id, job_id) = pool_and_job(request)?;
    let active = world.active_jobs(request.account, now);
    let scenario = Arc::clone(&world.scenario);
    let (schema, job) = own_job(world, request, pool_id, job_id, now)?;
    let errors = &scenario.errors;
    if let Course::Real(import) = &mut job.course {
        if import.snapshot(now, &scenario).status != Status::Created {
            return Err(Failure::chosen(&errors.start_wrong_state, pool_id, job_id));
        }
        if schema.auto_verified.is_empty() {
            return Err(Failure::chosen(&errors.no_auto_verified, pool_id, job_id));
        }
        if !import.has_upload() {
            let message = format!("No csv file was uploaded for {job_id}");
            return Err(Failure::new("PreconditionNotMetException", message));
        }
        if active >= scenario.jobs.active_per_account {
            return Err(Failure::chosen(&errors.active_job, pool_id, job_id));
        }
        import.start(now, &schema, &scenario);
    }
    show_one(world, request, pool_id, job_id, now)
}

pub(crate) fn stop(world: &mut World, request: Request<'_>, now: Moment) -> Result<Value, Failure> {
    let (pool_id, job_id) = pool_and_job(request)?;
    let scenario = Arc::clone(&world.scenario);
    let (_, job) = own_job(world, request, pool_id, job_id, now)?;
    if let Course::Real(import) = &mut job.course {
        match import.snapshot(now, &scenario).status {
            Status::Pending | Status::InProgress => import.stop(now),
            Status::Stopping => {}
            Status::Created | Status::Stopped | Status::Succeeded | Status::Failed | Status::Expired => {
                return Err(Failure::chosen(&scenario.errors.stop_wrong_state, pool_id, job_id));
            }
        }
    }
    show_one(world, request, pool_id, job_id, now)
}

pub(crate) fn describe(world: &mut World, request: Request<'_>, now: Moment) -> Result<Value, Failure> {
    let (pool_id, job_id) = pool_and_job(request)?;
    own_job(world, request, pool_id, job_id, now)?;
    show_one(world, request, pool_id, job_id, now)
}

pub(crate) fn list(world: &mut World, request: Request<'_>, now: Moment) -> Result<Value, Failure> {
    let mut input = Input::new(request.input);
    let pool_id = input.pool_id();
    let wanted = input.required_number("MaxResults", 1, 60);
    let token = input.optional("PaginationToken", 131_072, r"[\S]+", |text| !text.contains(char::is_whitespace));
    input.finish()?;
    own_pool(world, request, pool_id)?;
    let rules = world.scenario.list.clone();
    let view = View::of(world, request, now - millis(rules.lag.0));
    let Some(pool) = world.pools.get_mut(pool_id) else { return Ok(json!({})) };
    // Newest first; the token names the last job of the page before.
    let mut left: Vec<usize> = (0..pool.jobs.len()).filter(|at| pool.jobs[*at].created <= view.at).rev().collect();
    if let Some(token) = token {
        let job_id = token.split('#').nth(1).unwrap_or_default();
        let last = left.iter().position(|at| pool.jobs[*at].id == job_id);
        let last = last.ok_or_else(|| Failure::invalid_parameter("Invalid pagination token."))?;
        left.drain(..=last);
    }
    let page = wanted.min(rules.cap);
    let more = left.len() > page || (rules.trailing_token && left.len() == page);
    left.truncate(page);
    let Pool { jobs, id, account, .. } = pool;
    let mut shown = Vec::with_capacity(left.len());
    for at in &left {
        shown.push(view.show(&mut jobs[*at], id, account));
    }
    let mut answer = json!({ "UserImportJobs": shown });
    if let Some(last) = left.last().filter(|_| more) {
        let date = view.clock.date_of(jobs[*last].created);
        answer["PaginationToken"] = json!(format!("{pool_id}#{}#{date}", jobs[*last].id));
    }
    Ok(answer)
}

fn pool_and_job(request: Request<'_>) -> Result<(&str, &str), Failure> {
    let mut input = Input::new(request.input);
    let found = (input.pool_id(), input.job_id());
    input.finish()?;
    Ok(found)
}

/// The job, with its pool's settings.
fn own_job<'a>(
    world: &'a mut World,
    request: Request<'_>,
    pool_id: &str,
    job_id: &str,
    now: Moment,
) -> Result<(crate::csv::Schema, &'a mut Job), Failure> {
    let missing = Failure::chosen(&world.scenario.errors.job_missing, pool_id, job_id);
    let unseen = millis(world.scenario.jobs.visible_after.0);
    let pool = own_pool(world, request, pool_id)?;
    let schema = pool.schema.clone();
    let job = pool.jobs.iter_mut().find(|job| job.id == job_id);
    let seen = job.filter(|job| job.created.saturating_add(unseen) <= now);
    Ok((schema, seen.ok_or(missing)?))
}

fn show_one(
    world: &mut World,
    request: Request<'_>,
    pool_id: &str,
    job_id: &str,
    now: Moment,
) -> Result<Value, Failure> {
    let view = View::of(world, request, now);
    let Pool { jobs, id, account, .. } = own_pool(world, request, pool_id)?;
    let job = jobs.iter_mut().find(|job| job.id == job_id);
    Ok(json!({ "UserImportJob": job.map(|job| view.show(job, id, account)) }))
}

/// What is needed to show a job, apart from the job.
struct View {
    at: Moment,
    clock: Clock,
    scenario: Arc<Scenario>,
    keys: Keys,
    host: String,
}

impl View {
    fn of(world: &World, request: Request<'_>, at: Moment) -> Self {
        Self {
            at,
            clock: world.clock.clone(),
            scenario: Arc::clone(&world.scenario),
            keys: world.upload_keys.clone(),
            host: request.host.to_owned(),
        }
    }

    fn date(&self, moment: Moment) -> Value {
        json!(self.clock.date_of(moment) as f64 / 1_000.0)
    }

    /// A job as `UserImportJobType`. A scripted one counts the answer.
    fn show(&self, job: &mut Job, pool_id: &str, account: &str) -> Value {
        let path = format!("/{account}/{pool_id}/{}", job.id);
        let region = crate::world::region_of(pool_id);
        let mut shown = Map::new();
        let mut put = |key: &str, value: Value| drop(shown.insert(key.to_owned(), value));
        put("JobName", json!(job.name));
        put("JobId", json!(job.id));
        put("UserPoolId", json!(pool_id));
        put("PreSignedUrl", json!(presign(&self.host, &path, &self.keys, region, job.signed, URL_SECONDS)));
        put("CreationDate", self.date(job.created));
        put("CloudWatchLogsRoleArn", json!(job.role));
        match &mut job.course {
            Course::Real(import) => {
                let snapshot = import.snapshot(self.at, &self.scenario);
                if let Some(hashing) = import.hashing() {
                    put("PasswordHashingAlgorithm", json!(hashing));
                }
                self.put_snapshot(&snapshot, &mut put);
            }
            Course::Scripted(script) => {
                let Some(view) = script.look(self.at) else { return Value::Object(shown) };
                put_date(&mut put, "StartDate", view.started.map(|at| self.date(at)));
                put_date(&mut put, "CompletionDate", view.completed.map(|at| self.date(at)));
                if let Some(message) = self.usual_message(view.shown.status.as_deref()) {
                    put("CompletionMessage", json!(message));
                }
                view.shown.apply(&mut shown);
            }
        }
        Value::Object(shown)
    }

    fn put_snapshot(&self, snapshot: &Snapshot, put: &mut impl FnMut(&str, Value)) {
        put("Status", json!(snapshot.status.name()));
        put("ImportedUsers", json!(snapshot.counts.imported));
        put("SkippedUsers", json!(snapshot.counts.skipped));
        put("FailedUsers", json!(snapshot.counts.failed));
        put_date(put, "StartDate", snapshot.started.map(|at| self.date(at)));
        put_date(put, "CompletionDate", snapshot.completed.map(|at| self.date(at)));
        if let Some(message) = &snapshot.message {
            put("CompletionMessage", json!(message));
        }
    }

    /// The message that goes with an end, where a script gives none.
    fn usual_message(&self, status: Option<&str>) -> Option<&str> {
        let messages = &self.scenario.messages;
        match status {
            Some("Succeeded") => Some(&messages.succeeded),
            Some("Failed") => Some(&messages.too_many),
            Some("Stopped") => Some(&messages.stopped),
            Some("Expired") => Some(&messages.expired),
            Some(_) | None => None,
        }
    }
}

fn put_date(put: &mut impl FnMut(&str, Value), key: &str, date: Option<Value>) {
    if let Some(date) = date {
        put(key, date);
    }
}
