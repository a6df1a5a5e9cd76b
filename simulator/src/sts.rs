//! AWS STS as far as a client of Cognito needs it: AssumeRole gives temporary keys for the account of a role.
//!
//! Called by [`rpc`](crate::rpc) for requests in the query protocol, once their signature is checked.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::AccountInfo;
use crate::clock::{shift, wall_time};
use crate::scenario::{Failure, RoleRule};
use crate::world::World;

/// How long temporary keys last where neither the scenario nor the request says so, as with AWS.
const LASTS: SignedDuration = SignedDuration::from_hours(1);

/// The keys of an assumed role.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) keys: AccountInfo,
    /// In real time.
    pub(crate) ends: Timestamp,
}

/// Answers AssumeRole to `caller`, an account.
pub(crate) fn assume_role(world: &mut World, caller: &str, input: &Value) -> Result<Value, Failure> {
    let member = |name: &str| input[name].as_str().filter(|text| !text.is_empty());
    let required = |name: &str| member(name).ok_or_else(|| missing(name));
    let (arn, name) = (required("RoleArn")?, required("RoleSessionName")?);
    let scenario = std::sync::Arc::clone(&world.scenario);
    let rule = scenario.role.iter().map(toml::Spanned::get_ref).find(|rule| rule.arn.0 == arn);
    let rule = rule.filter(|rule| rule.external_id.is_none() || rule.external_id.as_deref() == member("ExternalId"));
    let rule = rule.ok_or_else(|| denied(caller, arn))?;
    let now = wall_time();
    // AWS tells the end in whole seconds.
    let ends = shift(now, lasts(rule, member("DurationSeconds")));
    let ends = Timestamp::from_second(ends.as_second()).unwrap_or(ends);
    let (account, role) = rule.arn.parts();
    let keys = AccountInfo {
        id: account.to_owned(),
        access_key_id: format!("ASIA{}", world.random.letters(16).to_ascii_uppercase()),
        secret_access_key: world.random.letters(40),
        session_token: Some(world.random.letters(200)),
    };
    let assumed =
        format!("{}:sts::{account}:assumed-role/{role}/{name}", arn.split(":iam:").next().unwrap_or("arn:aws"));
    let answer = json!({
        "AssumedRoleUser": {"AssumedRoleId": format!("AROASIMU{account}:{name}"), "Arn": assumed},
        "Credentials": {
            "AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key,
            "SessionToken": keys.session_token, "Expiration": ends.to_string(),
        },
    });
    // Whoever still uses keys that ended long ago is told that they are unknown.
    world.sessions.retain(|_, session| session.ends > shift(now, -LASTS));
    world.sessions.insert(keys.access_key_id.clone(), Session { keys, ends });
    Ok(answer)
}

fn lasts(rule: &RoleRule, asked: Option<&str>) -> SignedDuration {
    let chosen = rule.lasts.as_ref().map(|lasts| SignedDuration::try_from(lasts.0).unwrap_or(LASTS));
    let asked =
        asked.and_then(|seconds| seconds.parse::<u32>().ok()).map(|seconds| SignedDuration::from_secs(seconds.into()));
    chosen.or(asked).unwrap_or(LASTS)
}

fn missing(name: &str) -> Failure {
    let lower = name[..1].to_ascii_lowercase() + &name[1..];
    let what = format!("Value null at '{lower}' failed to satisfy constraint: Member must not be null");
    Failure::new("ValidationError", format!("1 validation error detected: {what}"))
}

/// The same for a role that does not exist, as with AWS.
fn denied(caller: &str, arn: &str) -> Failure {
    let message = format!(
        "User: arn:aws:iam::{caller}:user/simulator is not authorized to perform: sts:AssumeRole on resource: {arn}"
    );
    Failure { status: 403, ..Failure::new("AccessDenied", message) }
}
