//! One call of the API over HTTP: reads it, draws its fault, checks its signature and quotas, and has it answered.

use std::io;

use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use jiff::SignedDuration;
use serde_json::Value;

use crate::api;
use crate::clock::wall_time;
use crate::fault::{self, Asked, Fault};
use crate::operation::Operation;
use crate::record::{Entry, lock};
use crate::scenario::{AnswerKind, Failure};
use crate::server::Shared;
use crate::sigv4::{Claim, Refusal};
use crate::wire::{Delivery, Reply};
use crate::world::World;

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

/// Answers one call; an error resets the connection.
pub(crate) async fn answer(request: Request<Incoming>, shared: &Shared, entry: &mut Entry) -> io::Result<Reply> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST).collect().await else {
        return Ok(Failure::bare(413, "RequestEntityTooLargeException").into_reply());
    };
    let (call, fault) = {
        let mut world = lock(&shared.world);
        let call = Call::read(parts, body.to_bytes(), &world);
        let fault = call.draw(&mut world);
        (call, fault)
    };
    entry.note("operation", Some(call.operation.as_str()).filter(|name| !name.is_empty()));
    entry.note("account", call.account.clone());
    entry.note("region", call.region());
    entry.note("user_pool_id", call.member("UserPoolId"));
    entry.note("job_id", call.member("JobId"));
    entry.note("fault", fault.as_ref().map(|fault| fault.name.as_str()));
    match fault.as_ref().map(|fault| &fault.rule.answer) {
        Some(AnswerKind::Hang {}) => std::future::pending().await,
        Some(AnswerKind::Delay { lasts }) => tokio::time::sleep(lasts.0).await,
        Some(AnswerKind::Reset {}) => return Err(io::ErrorKind::ConnectionReset.into()),
        other => {
            if let Some(reply) = other.and_then(instead) {
                return Ok(reply);
            }
        }
    }
    let mut world = lock(&shared.world);
    let spelling = world.scenario.clock.spelling;
    let mut reply = match call.answer(&mut world) {
        Ok(mut value) => {
            fault.iter().for_each(|fault| fault.alter(&mut value));
            entry.note_shown(&value);
            Reply::json(&value, spelling)
        }
        Err(failure) => failure.into_reply(),
    };
    if fault.is_some_and(|fault| fault.rule.answer == AnswerKind::Cut {}) {
        reply.delivery = Delivery::Half;
    }
    Ok(reply)
}

impl Call {
    fn read(parts: Parts, body: Bytes, world: &World) -> Self {
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let operation = target.strip_prefix("AWSCognitoIdentityProviderService.").unwrap_or_default().to_owned();
        let claim = Claim::of(&parts.headers);
        let own = |key_id: &str| world.accounts.values().find(|account| account.access_key_id == key_id);
        let account = claim.as_ref().ok().and_then(|claim| own(&claim.key_id)).map(|account| account.id.clone());
        let input =
            if body.is_empty() { Some(Value::Object(Default::default())) } else { serde_json::from_slice(&body).ok() };
        Self { parts, body, operation, input, claim, account }
    }

    /// A text of the input.
    fn member(&self, name: &str) -> Option<&str> {
        self.input.as_ref()?.get(name)?.as_str()
    }

    fn region(&self) -> Option<&str> {
        self.claim.as_ref().ok().map(|claim| claim.region.as_str())
    }

    fn draw(&self, world: &mut World) -> Option<Fault> {
        let (pool, job) = (self.member("UserPoolId"), self.member("JobId"));
        let known = pool.and_then(|pool| world.pools.get(pool)).into_iter().flat_map(|pool| &pool.jobs);
        let asked = Asked {
            operation: &self.operation,
            account: self.account.as_deref(),
            region: self.region(),
            pool,
            job,
            job_name: known.filter(|known| Some(known.id.as_str()) == job).map(|job| job.name.as_str()).next(),
            elapsed: world.clock.elapsed(),
            now: world.clock.now(),
        };
        fault::draw(&mut world.faults, &asked)
    }

    fn answer(&self, world: &mut World) -> Result<Value, Failure> {
        let refused = |refusal: &Refusal| Failure::refused(refusal.clone(), &world.scenario.errors.unsigned);
        let claim = self.claim.as_ref().map_err(refused)?;
        let account = self.account.as_deref().ok_or_else(|| refused(&Refusal::UnknownKey))?;
        let keys = world.accounts.get(account).ok_or_else(|| refused(&Refusal::UnknownKey))?;
        let skew = SignedDuration::try_from(world.scenario.signature.skew.0).unwrap_or(SignedDuration::MAX);
        claim.verify(&self.parts, &self.body, keys, wall_time(), skew).map_err(|refusal| refused(&refusal))?;
        let operation =
            Operation::named(&self.operation).ok_or_else(|| Failure::bare(400, "UnknownOperationException"))?;
        let (rates, caller) = (&world.scenario.quota, format!("{account} {}", claim.region));
        let (pool, elapsed) = (self.member("UserPoolId"), world.clock.elapsed());
        if !world.quotas.draw(rates, operation, &caller, pool, elapsed) {
            return Err(Failure::new("TooManyRequestsException", rates.message.as_str()));
        }
        let input = self.input.as_ref().ok_or_else(|| Failure::bare(400, "SerializationException"))?;
        let host = self.parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let now = world.clock.now();
        world.advance(now);
        (operation.2)(world, api::Request { account, region: &claim.region, host, input }, now)
    }
}

/// What a fault answers in place of the right answer; None where that is still needed.
fn instead(fault: &AnswerKind) -> Option<Reply> {
    const JSON: &str = "application/x-amz-json-1.1";
    let page = |title: &str| format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n");
    Some(match fault {
        AnswerKind::Throttle { message, retry_after } => {
            let failure = Failure::new("TooManyRequestsException", message.as_deref().unwrap_or("Rate exceeded"));
            Failure { retry_after: retry_after.clone(), ..failure }.into_reply()
        }
        AnswerKind::Error(failure) => failure.clone().into_reply(),
        AnswerKind::Internal {} => {
            Failure { status: 500, ..Failure::new("InternalErrorException", "Something went wrong") }.into_reply()
        }
        AnswerKind::Gateway { status } => Reply::new(*status, "text/html", page(&status.to_string())),
        AnswerKind::Empty { status } => Reply::new(*status, "", ""),
        AnswerKind::Html {} => Reply::new(200, "text/html", page("Welcome")),
        AnswerKind::NoJob {} => Reply::new(200, JSON, "{}"),
        AnswerKind::Raw { body, status, content_type } => {
            Reply::new(status.unwrap_or(200), content_type.as_deref().unwrap_or(JSON), body.clone())
        }
        AnswerKind::Hang {} | AnswerKind::Delay { .. } | AnswerKind::Reset {} => return None,
        AnswerKind::Cut {} | AnswerKind::Show(_) => return None,
    })
}
