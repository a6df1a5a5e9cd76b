//! Pools and users, in the part that an import can see.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::input::Input;
use super::{Request, own_pool};
use crate::clock::Moment;
use crate::csv::{Schema, User};
use crate::scenario::{Contact, Mfa};
use crate::wire::Failure;
use crate::world::{Pool, World};

pub(crate) fn csv_header(world: &mut World, request: Request<'_>) -> Result<Value, Failure> {
    let mut input = Input::new(request.input);
    let pool_id = input.pool_id();
    input.finish()?;
    let pool = own_pool(world, request, pool_id)?;
    Ok(json!({ "UserPoolId": pool_id, "CSVHeader": pool.schema.header() }))
}

pub(crate) fn create(world: &mut World, request: Request<'_>, now: Moment) -> Result<Value, Failure> {
    let mut input = Input::new(request.input);
    let name = input.required("PoolName", 128, r"[\w\s+=,.@-]+", |text| {
        text.chars().all(|letter| letter.is_ascii_alphanumeric() || " _+=,.@-\t".contains(letter))
    });
    let mfa = match input.one_of("MfaConfiguration", &["OFF", "ON", "OPTIONAL"]) {
        Some("ON") => Mfa::On,
        Some("OPTIONAL") => Mfa::Optional,
        Some(_) | None => Mfa::Off,
    };
    input.finish()?;
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let verified = texts(&request.input["AutoVerifiedAttributes"]);
    let contacts = [Contact::Email, Contact::PhoneNumber];
    let (mut required, mut custom) = (Vec::new(), Vec::new());
    for attribute in request.input["Schema"].as_array().into_iter().flatten() {
        let Some(name) = attribute["Name"].as_str() else { continue };
        let standard = crate::csv::is_standard(name);
        if !standard {
            custom.push(name.to_owned());
        }
        if standard && attribute["Required"] == json!(true) {
            required.push(name.to_owned());
        }
    }
    let pool = Pool {
        id: world.new_pool_id(request.region),
        account: request.account.to_owned(),
        name: name.to_owned(),
        schema: Schema {
            auto_verified: contacts
                .into_iter()
                .filter(|contact| verified.iter().any(|v| v == contact.name()))
                .collect(),
            mfa,
            required,
            custom,
        },
        users: BTreeMap::new(),
        jobs: Vec::new(),
    };
    let date = world.clock.date_of(now) as f64 / 1_000.0;
    let answer = json!({ "UserPool": {
        "Id": pool.id,
        "Name": pool.name,
        "Arn": format!("arn:aws:cognito-idp:{}:{}:userpool/{}", request.region, request.account, pool.id),
        "AutoVerifiedAttributes": pool.schema.auto_verified.iter().map(|contact| contact.name()).collect::<Vec<_>>(),
        "MfaConfiguration": mfa.name(),
        "CreationDate": date,
        "LastModifiedDate": date,
        "EstimatedNumberOfUsers": 0,
    }});
    world.pools.insert(pool.id.clone(), pool);
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
    let date = world.clock.date_of(now) as f64 / 1_000.0;
    let pool = own_pool(world, request, pool_id)?;
    if pool.users.contains_key(name) {
        return Err(Failure::new("UsernameExistsException", "User account already exists"));
    }
    let attribute = |attribute: &Value| {
        Some((attribute["Name"].as_str()?.to_owned(), attribute["Value"].as_str().unwrap_or_default().to_owned()))
    };
    let attributes = request.input["UserAttributes"].as_array().into_iter().flatten().filter_map(attribute).collect();
    let user = User { name: name.to_owned(), attributes, status: "FORCE_CHANGE_PASSWORD" };
    let mut shown = show(&user);
    shown["UserCreateDate"] = json!(date);
    shown["UserLastModifiedDate"] = json!(date);
    pool.users.insert(user.name.clone(), user);
    Ok(json!({ "User": shown }))
}

pub(crate) fn list_users(world: &mut World, request: Request<'_>) -> Result<Value, Failure> {
    let mut input = Input::new(request.input);
    let pool_id = input.pool_id();
    let limit = input.number("Limit", 0, 60).filter(|limit| *limit > 0).unwrap_or(60);
    let token = input.optional("PaginationToken", 131_072, r"[\S]+", |_| true);
    let filter = input.optional("Filter", 256, "", |_| true).map(Filter::read);
    input.finish()?;
    let filter = filter.transpose()?;
    let pool = own_pool(world, request, pool_id)?;
    // The token is the last name of the page before; names are in order.
    let after = pool.users.values().filter(|user| token.is_none_or(|token| user.name.as_str() > token));
    let mut wanted = after.filter(|user| filter.as_ref().is_none_or(|filter| filter.takes(user)));
    let page: Vec<&User> = wanted.by_ref().take(limit).collect();
    let shown: Vec<Value> = page.iter().map(|user| show(user)).collect();
    let mut answer = json!({ "Users": shown });
    if let (Some(last), Some(_)) = (page.last(), wanted.next()) {
        answer["PaginationToken"] = json!(last.name);
    }
    Ok(answer)
}

fn show(user: &User) -> Value {
    let attributes: Vec<Value> =
        user.attributes.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    json!({ "Username": user.name, "Attributes": attributes, "Enabled": true, "UserStatus": user.status })
}

/// `name = "value"` or `name ^= "prefix"`.
struct Filter {
    attribute: String,
    value: String,
    how: Comparison,
}

enum Comparison {
    Equal,
    Prefix,
}

impl Filter {
    fn read(text: &str) -> Result<Self, Failure> {
        let wrong = || Failure::invalid_parameter(format!("Error while parsing filter: {text}"));
        let (left, value) = text.split_once('=').ok_or_else(wrong)?;
        let (attribute, how) = match left.strip_suffix('^') {
            Some(attribute) => (attribute, Comparison::Prefix),
            None => (left, Comparison::Equal),
        };
        let value = value.trim().strip_prefix('"').and_then(|value| value.strip_suffix('"')).ok_or_else(wrong)?;
        let attribute = attribute.trim().trim_matches('"').to_owned();
        Ok(Self { attribute, value: value.replace("\\\"", "\""), how })
    }

    fn takes(&self, user: &User) -> bool {
        let own = match self.attribute.as_str() {
            "username" => Some(user.name.as_str()),
            "cognito:user_status" => Some(user.status),
            name => user.attributes.get(name).map(String::as_str),
        };
        own.is_some_and(|own| match self.how {
            Comparison::Equal => own == self.value,
            Comparison::Prefix => own.starts_with(&self.value),
        })
    }
}
