//! Pools and users, in the part that an import can see.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::input::{Input, NAME, is_name};
use super::{Request, own_pool};
use crate::PoolInfo;
use crate::clock::Moment;
use crate::csv::{Schema, User, is_standard};
use crate::scenario::Failure;
use crate::world::{Pool, World};

pub(crate) fn csv_header(world: &mut World, request: Request<'_>, _now: Moment) -> Result<Value, Failure> {
    let mut input = Input::new(request.input);
    let pool_id = input.pool_id();
    input.finish()?;
    let header = own_pool(world, request, pool_id)?.schema.header();
    Ok(json!({ "UserPoolId": pool_id, "CSVHeader": header }))
}

pub(crate) fn create(world: &mut World, request: Request<'_>, now: Moment) -> Result<Value, Failure> {
    let mut input = Input::new(request.input);
    let name = input.required("PoolName", 128, NAME, is_name);
    let mfa_name = input.one_of("MfaConfiguration", &["OFF", "ON", "OPTIONAL"]).unwrap_or("OFF");
    input.finish()?;
    let list = |name: &str| request.input[name].as_array().cloned().unwrap_or_default();
    let own = |attribute: &Value| !attribute["Name"].as_str().is_some_and(is_standard);
    let (custom, standard): (Vec<Value>, Vec<Value>) = list("Schema").into_iter().partition(own);
    let names =
        |attributes: Vec<Value>| attributes.iter().filter_map(|one| one["Name"].as_str().map(str::to_owned)).collect();
    let schema = Schema {
        auto_verified: serde_json::from_value(list("AutoVerifiedAttributes").into()).unwrap_or_default(),
        mfa: serde_json::from_value(json!(mfa_name)).unwrap_or_default(),
        required: names(standard.into_iter().filter(|one| one["Required"] == true).collect()),
        custom: names(custom),
    };
    let (id, date) = (world.new_pool_id(request.region), world.clock.date_of(now));
    let answer = json!({ "UserPool": {
        "Id": id,
        "Name": name,
        "Arn": format!("arn:aws:cognito-idp:{}:{}:userpool/{id}", request.region, request.account),
        "AutoVerifiedAttributes": schema.auto_verified.iter().map(|contact| contact.name()).collect::<Vec<_>>(),
        "MfaConfiguration": mfa_name,
        "CreationDate": date,
        "LastModifiedDate": date,
        "EstimatedNumberOfUsers": 0,
    }});
    let [region, account, name] = [request.region, request.account, name].map(str::to_owned);
    let info = PoolInfo { id: id.clone(), region, account, name };
    world.pools.insert(id, Pool { info, schema, users: BTreeMap::new(), jobs: Vec::new() });
    Ok(answer)
}

pub(crate) fn delete(world: &mut World, request: Request<'_>, now: Moment) -> Result<Value, Failure> {
    let mut input = Input::new(request.input);
    let pool_id = input.pool_id();
    input.finish()?;
    let scenario = Arc::clone(&world.scenario);
    if own_pool(world, request, pool_id)?.active_jobs(now, &scenario) > 0 {
        let message = format!("User pool {pool_id} has a user import job in progress.");
        return Err(Failure::new("UserImportInProgressException", message));
    }
    world.pools.remove(pool_id);
    Ok(json!({}))
}

pub(crate) fn create_user(world: &mut World, request: Request<'_>, now: Moment) -> Result<Value, Failure> {
    let mut input = Input::new(request.input);
    let pool_id = input.pool_id();
    let name = input.required("Username", 128, r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", |text| {
        !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
    });
    input.finish()?;
    let date = json!(world.clock.date_of(now));
    let users = &mut own_pool(world, request, pool_id)?.users;
    if users.contains_key(name) {
        return Err(Failure::new("UsernameExistsException", "User account already exists"));
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let given = request.input["UserAttributes"].as_array().into_iter().flatten();
    let attributes = given.map(|attribute| (text(&attribute["Name"]), text(&attribute["Value"]))).collect();
    let user = User { name: name.to_owned(), attributes, status: "FORCE_CHANGE_PASSWORD" };
    let mut shown = show(&user);
    (shown["UserCreateDate"], shown["UserLastModifiedDate"]) = (date.clone(), date);
    users.insert(user.name.clone(), user);
    Ok(json!({ "User": shown }))
}

pub(crate) fn list_users(world: &mut World, request: Request<'_>, _now: Moment) -> Result<Value, Failure> {
    let mut input = Input::new(request.input);
    let pool_id = input.pool_id();
    let limit = input.number("Limit", 0, 60).filter(|limit| *limit > 0).unwrap_or(60);
    let token = input.optional("PaginationToken", 131_072, r"[\S]+", |_| true);
    let filter = input.optional("Filter", 256, "", |_| true);
    input.finish()?;
    let (attribute, prefix, exact) = filter.map_or(Ok(("username", "", None)), read_filter)?;
    let users = own_pool(world, request, pool_id)?.users.values();
    let fits = |user: &&User| {
        let value = if attribute == "username" { Some(user.name.as_str()) } else { user.attribute(attribute) };
        value.is_some_and(|value| exact.map_or(value.starts_with(prefix), |exact| value == exact))
    };
    // The token is the last name of the page before; names are in order.
    let mut wanted = users.filter(|user| token.is_none_or(|token| user.name.as_str() > token)).filter(fits);
    let page: Vec<&User> = wanted.by_ref().take(limit).collect();
    let mut answer = json!({ "Users": page.iter().map(|user| show(user)).collect::<Vec<_>>() });
    if let (Some(last), Some(_)) = (page.last(), wanted.next()) {
        answer["PaginationToken"] = json!(last.name);
    }
    Ok(answer)
}

/// `name = "value"` or `name ^= "prefix"`: the attribute, the prefix, the exact value.
fn read_filter(text: &str) -> Result<(&str, &str, Option<&str>), Failure> {
    let parts = text.split_once('=').and_then(|(name, value)| {
        let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
        let exact = Some(value).filter(|_| !name.ends_with('^'));
        Some((name.trim_end_matches('^').trim().trim_matches('"'), value, exact))
    });
    parts.ok_or_else(|| Failure::invalid_parameter(format!("Error while parsing filter: {text}")))
}

fn show(user: &User) -> Value {
    let attributes = user.attributes.iter().map(|(name, value)| json!({ "Name": name, "Value": value }));
    let attributes: Vec<Value> = attributes.collect();
    json!({ "Username": user.name, "Attributes": attributes, "Enabled": true, "UserStatus": user.status })
}
