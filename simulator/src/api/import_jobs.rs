//! Create, Start, Stop, Describe and List of user import jobs.

use std::sync::Arc;

use serde_json::{Value, json};

use super::input::{Input, NAME, is_name};
use super::{Request, own_pool};
use crate::clock::{Moment, millis, wall_time};
use crate::csv::Schema;
use crate::import::{Import, Status};
use crate::scenario::Failure;
use crate::sigv4::presign;
use crate::world::{Course, Job, Pool, World, region_of};

/// The upload URL lives this long, in seconds.
const URL_SECONDS: i64 = 899;
const HASHES: [&str; 4] = ["BCRYPT", "SCRYPT", "ARGON2ID", "PBKDF2_SHA256"];
const ARN: &str = r"arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?";

pub(crate) fn create(world: &mut World, request: Request<'_>, now: Moment) -> Result<Value, Failure> {
    let mut input = Input::new(request.input);
    let name = input.required("JobName", 128, NAME, is_name);
    let pool_id = input.pool_id();
    let role = input.required("CloudWatchLogsRoleArn", 2_048, ARN, is_arn);
    let hashing = input.one_of("PasswordHashingAlgorithm", &HASHES).map(str::to_owned);
    input.finish()?;
    let (scenario, id) = (Arc::clone(&world.scenario), world.new_job_id());
    let pool = own_pool(world, request, pool_id)?;
    if pool.jobs.len() >= scenario.jobs.per_pool {
        return Err(scenario.errors.job_limit.about(pool_id, ""));
    }
    let course = Course::Real(Import { hashing, ..Import::default() });
    let (name, role) = (name.to_owned(), role.to_owned());
    pool.jobs.push(Job { id: id.clone(), name, role, created: now, signed: wall_time(), course });
    show_one(world, request, pool_id, &id, now)
}

/// Six to eight parts, not empty but for the region; the account is a number.
fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let fits = |part: &str| part.chars().all(|letter| letter.is_ascii_alphanumeric() || "_+=/,.@-".contains(letter));
    let filled = parts.iter().enumerate().all(|(at, part)| fits(part) && (at == 3 || !part.is_empty()));
    let account = parts.get(4).is_some_and(|account| account.bytes().all(|byte| byte.is_ascii_digit()));
    parts[0] == "arn" && (6..=8).contains(&parts.len()) && filled && account
}

pub(crate) fn start(world: &mut World, request: Request<'_>, now: Moment) -> Result<Value, Failure> {
    let (pool_id, job_id) = pool_and_job(request)?;
    let scenario = Arc::clone(&world.scenario);
    let own = world.pools.values().filter(|pool| pool.info.account == request.account);
    let active: usize = own.map(|pool| pool.active_jobs(now, &scenario)).sum();
    let (schema, job) = own_job(world, request, pool_id, job_id, now)?;
    let fail = |failure: &Failure| Err(failure.about(pool_id, job_id));
    let status = job.snapshot(now, &scenario).map(|snapshot| snapshot.status);
    if let Course::Real(import) = &mut job.course {
        if status != Some(Status::Created) {
            return fail(&scenario.errors.start_wrong_state);
        }
        if schema.auto_verified.is_empty() {
            return fail(&scenario.errors.no_auto_verified);
        }
        if import.upload.is_none() {
            let message = format!("No csv file was uploaded for {job_id}");
            return Err(Failure::new("PreconditionNotMetException", message));
        }
        if active >= scenario.jobs.active_per_account {
            return fail(&scenario.errors.active_job);
        }
        import.start(now, &schema, &scenario);
    }
    show_one(world, request, pool_id, job_id, now)
}

pub(crate) fn stop(world: &mut World, request: Request<'_>, now: Moment) -> Result<Value, Failure> {
    let (pool_id, job_id) = pool_and_job(request)?;
    let scenario = Arc::clone(&world.scenario);
    let (_, job) = own_job(world, request, pool_id, job_id, now)?;
    let active = job.snapshot(now, &scenario).is_some_and(|snapshot| snapshot.status.is_active());
    match &mut job.course {
        Course::Real(import) if active => import.stop(now),
        Course::Real(_) => return Err(scenario.errors.stop_wrong_state.about(pool_id, job_id)),
        Course::Scripted(_) => {}
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
    let rules = world.scenario.list.clone();
    let at = now.saturating_sub(millis(rules.lag.0));
    let jobs = &own_pool(world, request, pool_id)?.jobs;
    // Newest first; the token names the last job of the page before.
    let mut left: Vec<(String, Moment)> =
        jobs.iter().rev().filter(|job| job.created <= at).map(|job| (job.id.clone(), job.created)).collect();
    if let Some(token) = token {
        let last = left.iter().position(|(id, _)| Some(id.as_str()) == token.split('#').nth(1));
        let last = last.ok_or_else(|| Failure::invalid_parameter("Invalid pagination token."))?;
        left.drain(..=last);
    }
    let page = wanted.min(rules.cap);
    let more = left.len() > page || (rules.trailing_token && left.len() == page);
    left.truncate(page);
    let shown = left.iter().map(|(id, _)| show(world, request, pool_id, id, at)).collect::<Result<Vec<_>, _>>()?;
    let mut answer = json!({ "UserImportJobs": shown });
    if let Some((id, created)) = left.last().filter(|_| more) {
        let date = (world.clock.date_of(*created) * 1_000.0) as i64;
        answer["PaginationToken"] = json!(format!("{pool_id}#{id}#{date}"));
    }
    Ok(answer)
}

fn pool_and_job(request: Request<'_>) -> Result<(&str, &str), Failure> {
    let mut input = Input::new(request.input);
    let found = (input.pool_id(), input.job_id());
    input.finish().map(|()| found)
}

/// The job, with its pool's settings, if it is to be found yet.
fn own_job<'a>(
    world: &'a mut World,
    request: Request<'_>,
    pool_id: &str,
    job_id: &str,
    now: Moment,
) -> Result<(Schema, &'a mut Job), Failure> {
    let scenario = Arc::clone(&world.scenario);
    let seen = now.saturating_sub(millis(scenario.jobs.visible_after.0));
    let Pool { schema, jobs, .. } = own_pool(world, request, pool_id)?;
    let job = jobs.iter_mut().find(|job| job.id == job_id && job.created <= seen);
    Ok((schema.clone(), job.ok_or_else(|| scenario.errors.job_missing.about(pool_id, job_id))?))
}

fn show_one(world: &mut World, request: Request<'_>, pool_id: &str, id: &str, at: Moment) -> Result<Value, Failure> {
    Ok(json!({ "UserImportJob": show(world, request, pool_id, id, at)? }))
}

/// A job as `UserImportJobType`. A scripted one counts the answer.
fn show(world: &mut World, request: Request<'_>, pool_id: &str, id: &str, at: Moment) -> Result<Value, Failure> {
    let (scenario, clock, keys) = (Arc::clone(&world.scenario), world.clock.clone(), world.upload_keys.clone());
    let Some(job) = own_pool(world, request, pool_id)?.jobs.iter_mut().find(|job| job.id == id) else {
        return Ok(Value::Null);
    };
    let path = format!("/{}/{pool_id}/{id}", request.account);
    let snapshot = job.snapshot(at, &scenario);
    let mut shown = json!({
        "JobName": job.name,
        "JobId": job.id,
        "UserPoolId": pool_id,
        "PreSignedUrl": presign(request.base, &path, &keys, region_of(pool_id), job.signed, URL_SECONDS),
        "CreationDate": clock.date_of(job.created),
        "CloudWatchLogsRoleArn": job.role,
    });
    let Some(members) = shown.as_object_mut() else { return Ok(shown) };
    let mut put = |key: &str, value: Option<Value>| members.extend(value.map(|value| (key.to_owned(), value)));
    let date = |moment: Option<Moment>| moment.map(|moment| json!(clock.date_of(moment)));
    match (&mut job.course, snapshot) {
        (Course::Real(import), Some(snapshot)) => {
            put("Status", Some(json!(format!("{:?}", snapshot.status))));
            put("ImportedUsers", Some(json!(snapshot.counts.imported)));
            put("SkippedUsers", Some(json!(snapshot.counts.skipped)));
            put("FailedUsers", Some(json!(snapshot.counts.failed)));
            put("StartDate", date(snapshot.started));
            put("CompletionDate", date(snapshot.completed));
            put("CompletionMessage", snapshot.message.map(Value::from));
            put("PasswordHashingAlgorithm", import.hashing.clone().map(Value::from));
        }
        (Course::Scripted(script), _) => {
            let step = script.look(at);
            let messages = &scenario.messages;
            let message = match step.status.as_deref() {
                Some("Succeeded") => Some(json!(messages.succeeded)),
                Some("Failed") => Some(json!(messages.too_many)),
                Some("Stopped") => Some(json!(messages.stopped)),
                Some("Expired") => Some(json!(messages.expired)),
                Some(_) | None => None,
            };
            put("StartDate", date(script.started));
            put("CompletionDate", date(script.completed));
            put("CompletionMessage", message);
            step.apply(members);
        }
        (Course::Real(_), None) => {}
    }
    Ok(shown)
}
