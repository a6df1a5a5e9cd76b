//! One call of the API over HTTP: reads it, draws its fault, checks its signature and quotas, and has it answered.

use std::io;

use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::api;
use crate::clock::wall_time;
use crate::fault::{self, Asked, Fault};
use crate::operation::Operation;
use crate::record::{Entry, lock};
use crate::scenario::{AnswerKind, Failure};
use crate::server::Shared;
use crate::sigv4::{Claim, Refusal};
use crate::sts;
use crate::wire::{Delivery, Protocol, Reply};
use crate::world::World;

/// No request of this API comes near it.
const LARGEST: usize = 1024 * 1024;

/// A call as far as it can be read before anything is checked.
#[derive(Debug)]
struct Call {
    parts: Parts,
    body: Bytes,
    protocol: Protocol,
    /// Empty where no target is given.
    operation: String,
    /// None where the body cannot be read.
    input: Option<Value>,
    claim: Result<Claim, Refusal>,
    account: Option<String>,
}

/// Answers one call; an error resets the connection.
pub(crate) async fn answer(request: Request<Incoming>, shared: &Shared, entry: &mut Entry) -> io::Result<Reply> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST).collect().await else {
        return Ok(Failure::bare(413, "RequestEntityTooLargeException").into_reply(Protocol::Json));
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
    entry.note("role", call.member("RoleArn"));
    entry.note("fault", fault.as_ref().map(|fault| fault.name.as_str()));
    match fault.as_ref().map(|fault| &fault.rule.answer) {
        Some(AnswerKind::Hang {}) => std::future::pending().await,
        Some(AnswerKind::Delay { lasts }) => tokio::time::sleep(lasts.0).await,
        Some(AnswerKind::Reset {}) => return Err(io::ErrorKind::ConnectionReset.into()),
        other => {
            if let Some(reply) = other.and_then(|kind| instead(kind, call.protocol)) {
                return Ok(reply);
            }
        }
    }
    let mut world = lock(&shared.world);
    let spelling = world.scenario.clock.spelling;
    let mut reply = match (call.answer(&mut world, shared.scheme()), call.protocol) {
        (Ok(mut value), Protocol::Json) => {
            fault.iter().for_each(|fault| fault.alter(&mut value));
            entry.note_shown(&value);
            Reply::json(&value, spelling)
        }
        (Ok(value), Protocol::Query) => {
            let result = json!({format!("{}Result", call.operation): value});
            Reply::xml(200, &format!("{}Response", call.operation), &result)
        }
        (Err(failure), protocol) => failure.into_reply(protocol),
    };
    if fault.is_some_and(|fault| fault.rule.answer == AnswerKind::Cut {}) {
        reply.delivery = Delivery::Half;
    }
    Ok(reply)
}

impl Call {
    fn read(parts: Parts, body: Bytes, world: &World) -> Self {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_form = header("content-type").starts_with("application/x-www-form-urlencoded");
        let protocol = if is_form { Protocol::Query } else { Protocol::Json };
        let input = match protocol {
            Protocol::Json if body.is_empty() => Some(json!({})),
            Protocol::Json => serde_json::from_slice(&body).ok(),
            Protocol::Query => Some(form(&body)),
        };
        let operation = match protocol {
            Protocol::Json => {
                header("x-amz-target").strip_prefix("AWSCognitoIdentityProviderService.").unwrap_or_default()
            }
            Protocol::Query => input.as_ref().and_then(|input| input["Action"].as_str()).unwrap_or_default(),
        };
        let operation = operation.to_owned();
        let claim = Claim::of(&parts.headers);
        let keys = claim.as_ref().ok().and_then(|claim| world.keys(&claim.key_id));
        let account = keys.map(|(keys, _)| keys.id.clone());
        Self { parts, body, protocol, operation, input, claim, account }
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

    fn answer(&self, world: &mut World, scheme: &str) -> Result<Value, Failure> {
        let refused = |refusal: &Refusal| Failure::refused(refusal.clone(), &world.scenario.errors.unsigned);
        let claim = self.claim.as_ref().map_err(refused)?;
        let account = self.account.as_deref().ok_or_else(|| refused(&Refusal::UnknownKey))?;
        let (keys, ends) = world.keys(&claim.key_id).ok_or_else(|| refused(&Refusal::UnknownKey))?;
        let skew = SignedDuration::try_from(world.scenario.signature.skew.0).unwrap_or(SignedDuration::MAX);
        let service = match self.protocol {
            Protocol::Json => "cognito-idp",
            Protocol::Query => "sts",
        };
        let now = wall_time();
        let verified = claim.verify(&self.parts, &self.body, keys, service, now, skew);
        verified.map_err(|refusal| refused(&refusal))?;
        if ends.is_some_and(|ends| ends <= now) {
            return Err(refused(&Refusal::Expired));
        }
        if self.protocol == Protocol::Query {
            return match (self.operation.as_str(), &self.input) {
                ("AssumeRole", Some(input)) => sts::assume_role(world, account, input),
                (_, _) => Err(Failure::bare(400, "UnknownOperationException")),
            };
        }
        let operation =
            Operation::named(&self.operation).ok_or_else(|| Failure::bare(400, "UnknownOperationException"))?;
        let (rates, caller) = (&world.scenario.quota, format!("{account} {}", claim.region));
        let (pool, elapsed) = (self.member("UserPoolId"), world.clock.elapsed());
        if !world.quotas.draw(rates, operation, &caller, pool, elapsed) {
            return Err(Failure::new("TooManyRequestsException", rates.message.as_str()));
        }
        let input = self.input.as_ref().ok_or_else(|| Failure::bare(400, "SerializationException"))?;
        let host = self.parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let base = format!("{scheme}://{host}");
        let now = world.clock.now();
        world.advance(now);
        (operation.2)(world, api::Request { account, region: &claim.region, base: &base, input }, now)
    }
}

/// The fields of a form as an object of texts.
fn form(body: &[u8]) -> Value {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let text = String::from_utf8_lossy(body);
    let field = |field: &str| field.split_once('=').map(|(name, value)| (decoded(name), Value::from(decoded(value))));
    Value::Object(text.split('&').filter_map(field).collect())
}

/// What a fault answers in place of the right answer; None where that is still needed.
fn instead(fault: &AnswerKind, protocol: Protocol) -> Option<Reply> {
    const JSON: &str = "application/x-amz-json-1.1";
    let page = |title: &str| format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n");
    Some(match fault {
        AnswerKind::Throttle { message, retry_after } => {
            let failure = Failure::new("TooManyRequestsException", message.as_deref().unwrap_or("Rate exceeded"));
            Failure { retry_after: retry_after.clone(), ..failure }.into_reply(protocol)
        }
        AnswerKind::Error(failure) => failure.clone().into_reply(protocol),
        AnswerKind::Internal {} => {
            Failure { status: 500, ..Failure::new("InternalErrorException", "Something went wrong") }
                .into_reply(protocol)
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
