//! One call of the API over HTTP: reads it, draws its fault, checks its signature and quotas, and has it answered.

use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use jiff::SignedDuration;
use serde_json::Value;

use crate::api;
use crate::fault::{Asked, Drawn};
use crate::operation::Operation;
use crate::quota::{Caller, Verdict};
use crate::record::{Exchange, lock};
use crate::scenario::{AnswerKind, Period};
use crate::server::{Reset, Shared};
use crate::sigv4::{Claim, Refusal};
use crate::wire::{Delivery, Failure, Reply};
use crate::world::World;

const TARGET: &str = "AWSCognitoIdentityProviderService.";
/// No request of this API comes near it.
const LARGEST: usize = 1024 * 1024;

/// A call as far as it can be read before anything is checked.
#[derive(Debug)]
struct Call {
    parts: Parts,
    body: Bytes,
    /// Empty where no target is given.
    operation: String,
    /// None where the body is not JSON.
    input: Option<Value>,
    claim: Result<Claim, Refusal>,
    account: Option<String>,
}

/// What a fault does before the call is answered.
enum Course {
    Answer(Reply),
    Hang,
    Wait(Duration),
    Reset,
    GoOn,
}

/// Answers one call.
///
/// # Errors
/// The scenario wants the connection reset.
pub(crate) async fn answer(request: Request<Incoming>, shared: &Shared, exchange: &Exchange) -> Result<Reply, Reset> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, LARGEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(Failure::bare(413, "RequestEntityTooLargeException").into_reply()),
    };
    let call = Call::read(parts, body, &lock(&shared.world));
    exchange.note(|entry| {
        entry.operation = Some(call.operation.clone()).filter(|name| !name.is_empty());
        entry.account.clone_from(&call.account);
        entry.region = call.claim.as_ref().ok().map(|claim| claim.scope.region.clone());
        entry.user_pool_id = call.member("UserPoolId").map(str::to_owned);
        entry.job_id = call.member("JobId").map(str::to_owned);
    });
    let drawn = call.draw(&mut lock(&shared.world));
    if let Some(drawn) = &drawn {
        exchange.note(|entry| entry.fault = Some(drawn.name.clone()));
    }
    match drawn.as_ref().map_or(Course::GoOn, |drawn| course(&drawn.answer)) {
        Course::Answer(reply) => return Ok(reply),
        Course::Hang => std::future::pending().await,
        Course::Wait(lasts) => tokio::time::sleep(lasts).await,
        Course::Reset => return Err(Reset),
        Course::GoOn => {}
    }
    let mut world = lock(&shared.world);
    let answered = call.answer(&mut world).map(|mut value| {
        alter(&mut value, drawn.as_ref());
        exchange.note(|entry| entry.showed(&value));
        Reply::json(&value, world.scenario.clock.spelling)
    });
    let mut reply = answered.unwrap_or_else(Failure::into_reply);
    if drawn.is_some_and(|drawn| drawn.answer == AnswerKind::Cut {}) {
        reply.delivery = Delivery::Half;
    }
    Ok(reply)
}

impl Call {
    fn read(parts: Parts, body: Bytes, world: &World) -> Self {
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let operation = target.strip_prefix(TARGET).unwrap_or_default().to_owned();
        let claim = Claim::of(&parts.headers);
        let account = claim.as_ref().ok().and_then(|claim| world.account_of(&claim.key_id));
        let account = account.map(|(account, _)| account.to_owned());
        let input = serde_json::from_slice(&body).ok();
        Self { parts, body, operation, input, claim, account }
    }

    /// A text of the input.
    fn member(&self, name: &str) -> Option<&str> {
        self.input.as_ref()?.get(name)?.as_str()
    }

    fn draw(&self, world: &mut World) -> Option<Drawn> {
        let (elapsed, now) = (world.clock.elapsed(), world.clock.now());
        let World { faults, pools, .. } = world;
        let (pool, job) = (self.member("UserPoolId"), self.member("JobId"));
        let known = pool.and_then(|pool| pools.get(pool)).map(|pool| pool.jobs.as_slice()).unwrap_or_default();
        let known = known.iter().find(|known| Some(known.id.as_str()) == job);
        faults.draw(&Asked {
            operation: &self.operation,
            account: self.account.as_deref(),
            region: self.claim.as_ref().ok().map(|claim| claim.scope.region.as_str()),
            pool,
            job,
            job_name: known.map(|job| job.name.as_str()),
            elapsed,
            now,
        })
    }

    fn answer(&self, world: &mut World) -> Result<Value, Failure> {
        let operation = Operation::named(&self.operation);
        let (account, claim) = self.check_signature(world)?;
        let operation = operation.ok_or_else(|| Failure::bare(400, "UnknownOperationException"))?;
        let caller = Caller { account, region: &claim.scope.region, pool: self.member("UserPoolId") };
        let elapsed = world.clock.elapsed();
        if world.quotas.draw(&world.scenario.quota, operation, caller, elapsed) == Verdict::Exceeded {
            return Err(Failure::new("TooManyRequestsException", world.scenario.quota.message.clone()));
        }
        let input = self.input.as_ref().ok_or_else(|| Failure::bare(400, "SerializationException"))?;
        let host = self.parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        api::answer(world, api::Request { operation, account, region: &claim.scope.region, host, input })
    }

    fn check_signature(&self, world: &World) -> Result<(&str, &Claim), Failure> {
        let refused = |refusal| Failure::refused(refusal, &world.scenario.errors.unsigned);
        let claim = self.claim.as_ref().map_err(|refusal| refused(refusal.clone()))?;
        let account = self.account.as_deref().ok_or_else(|| refused(Refusal::UnknownKey))?;
        let skew = SignedDuration::try_from(world.scenario.signature.skew.0).unwrap_or(SignedDuration::MAX);
        let keys = world.accounts.get(account);
        claim.verify(&self.parts, &self.body, keys, world.clock.wall(), skew).map_err(refused)?;
        Ok((account, claim))
    }
}

fn course(fault: &AnswerKind) -> Course {
    let retry = |period: &Option<Period>| period.map(|period| period.0.as_millis());
    let reply = match fault {
        AnswerKind::Throttle { message, retry_after } => {
            let message = message.as_deref().unwrap_or("Rate exceeded");
            let failure = Failure::new("TooManyRequestsException", message);
            Failure { retry_after: retry(retry_after), ..failure }.into_reply()
        }
        AnswerKind::Error { code, message, status, spelling, message_key, retry_after } => Failure {
            status: status.unwrap_or(400),
            code: code.clone(),
            message: message.clone(),
            spelling: *spelling,
            message_key: *message_key,
            retry_after: retry(retry_after),
        }
        .into_reply(),
        AnswerKind::Internal {} => {
            let failure = Failure::new("InternalErrorException", "Something went wrong");
            Failure { status: 500, ..failure }.into_reply()
        }
        AnswerKind::Gateway { status } => Reply::new(*status, "text/html", html(&status.to_string())),
        AnswerKind::Empty { status } => Reply::new(*status, "", ""),
        AnswerKind::Html {} => Reply::new(200, "text/html", html("Welcome")),
        AnswerKind::NoJob {} => Reply::new(200, "application/x-amz-json-1.1", "{}"),
        AnswerKind::Raw { body, status, content_type } => {
            let content_type = content_type.as_deref().unwrap_or("application/x-amz-json-1.1");
            Reply::new(status.unwrap_or(200), content_type, body.clone())
        }
        AnswerKind::Hang {} => return Course::Hang,
        AnswerKind::Delay { lasts } => return Course::Wait(lasts.0),
        AnswerKind::Reset {} => return Course::Reset,
        AnswerKind::Cut {} | AnswerKind::Show { .. } => return Course::GoOn,
    };
    Course::Answer(reply)
}

fn html(title: &str) -> String {
    format!("<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center></body></html>\n")
}

/// Changes what the answer shows of the jobs that a `show` fault is for.
fn alter(answer: &mut Value, drawn: Option<&Drawn>) {
    let Some((drawn, change)) = drawn.and_then(|drawn| Some((drawn, drawn.answer.change()?))) else { return };
    let fits = |wanted: &Option<String>, job: &Value, key: &str| {
        wanted.as_deref().is_none_or(|wanted| job[key].as_str() == Some(wanted))
    };
    let listed = answer["UserImportJobs"].as_array_mut().map(std::mem::take);
    let mut jobs = listed.unwrap_or_default();
    for job in jobs.iter_mut().chain(answer.get_mut("UserImportJob")) {
        if fits(&drawn.job, job, "JobId")
            && fits(&drawn.job_name, job, "JobName")
            && let Some(members) = job.as_object_mut()
        {
            change.apply(members);
        }
    }
    if !jobs.is_empty() {
        answer["UserImportJobs"] = Value::Array(jobs);
    }
}
