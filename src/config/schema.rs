//! The JSON Schema of the config file, for editors and for `schema`.
//! Made of the tables of `file` and of what each kind of value looks like, as far as a schema can say it.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value as Json;

use super::account_value::{EndpointUrl, ExternalId, RoleArn, SessionName};
use super::file::{BatchWord, ConfigFile, LogFormatWord};
use super::listen_value::ListenAddress;
use super::plan::{LogLevel, OnCorrupt};
use super::problem::{Written, listed};
use super::value::{MaybePeriod, Name, Pattern, Period, PoolId, PositivePeriod, TargetText, Text, UserLimit, Word};

/// A duration: units from the longest to the shortest, or `0`.
const PERIOD: &str = r"^(0|([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$";

/// The JSON Schema (draft 2020-12) of one config file.
///
/// It knows keys, kinds and ranges. What only the whole shows (a name used twice, an interval longer than another)
/// `check` alone knows.
#[must_use]
pub fn schema() -> Json {
    let mut settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(tidy));
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<ConfigFile>().to_value();
    for table in ["job", "pool"] {
        policy_without_defaults(&mut schema, table);
    }
    schema
}

/// TOML has no null: a key is written or left out. What the generator says for Rust's sake goes too.
fn tidy(schema: &mut Schema) {
    let is_null = |value: &Json| value.is_null() || value == "null" || value.get("type").is_some_and(|t| t == "null");
    for key in ["type", "anyOf", "enum"] {
        let Some(Json::Array(choices)) = schema.get_mut(key) else { continue };
        choices.retain(|choice| !is_null(choice));
        if key == "enum" || choices.len() != 1 {
            continue;
        }
        match choices.remove(0) {
            Json::Object(only) => {
                schema.remove(key);
                for (key, value) in only {
                    schema.insert(key, value);
                }
            }
            only => {
                schema.insert(key.to_owned(), only);
            }
        }
    }
    schema.remove("format");
    if let Some(Json::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}

/// On a job or a pool the default of a policy is what `[policy]` says.
fn policy_without_defaults(schema: &mut Json, table: &str) {
    let Some(policy) = schema.pointer("/properties/policy/properties").and_then(Json::as_object).cloned() else {
        return;
    };
    let path = format!("/properties/{table}/items/properties");
    let Some(properties) = schema.pointer_mut(&path).and_then(Json::as_object_mut) else { return };
    for key in policy.keys() {
        if let Some(property) = properties.get_mut(key).and_then(Json::as_object_mut) {
            property.remove("default");
        }
    }
}

impl<T: JsonSchema> JsonSchema for Written<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// The schema of each kind of value.
macro_rules! looks_like {
    ($($kind:ty => $schema:expr;)+) => {$(
        impl JsonSchema for $kind {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($kind).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

looks_like! {
    Period => json_schema!({ "title": "duration", "type": "string", "pattern": PERIOD, "minLength": 1 });
    PositivePeriod => json_schema!({
        "title": "duration above 0", "type": "string", "pattern": PERIOD, "minLength": 1, "not": { "const": "0" },
    });
    MaybePeriod => json_schema!({
        "title": "duration above 0, or \"none\"",
        "anyOf": [
            { "const": "none" },
            { "type": "string", "pattern": PERIOD, "minLength": 1, "not": { "const": "0" } },
        ],
    });
    UserLimit => json_schema!({
        "title": "whole number, or \"any\"",
        "anyOf": [{ "const": "any" }, { "type": "integer", "minimum": 0 }],
    });
    Name => json_schema!({ "title": "text", "type": "string", "minLength": 1, "maxLength": 128 });
    Pattern => json_schema!({
        "title": "pattern", "type": "string", "minLength": 1, "maxLength": 128,
        "pattern": r##"^[^!"#$%&'()/:;<>\[\\\]^`{|}~]+$"##,
    });
    Text => json_schema!({ "title": "text", "type": "string", "minLength": 1 });
    TargetText => json_schema!({
        "title": "target", "type": "string", "pattern": r"^\s*[\w-]+_[0-9a-zA-Z]+\s*/\s*import-[0-9a-zA-Z-]+\s*$",
    });
    PoolId => json_schema!({
        "title": "user pool id", "type": "string", "pattern": r"^\s*[\w-]+_[0-9a-zA-Z]+\s*$",
    });
    RoleArn => json_schema!({
        "title": "ARN of a role",
        "type": "string",
        "pattern": r"^\s*arn:aws(-[a-z-]+)?:iam::[0-9]{12}:role/[\w+=,.@/-]+\s*$",
    });
    ExternalId => json_schema!({
        "title": "external id", "type": "string", "minLength": 2, "maxLength": 1224, "pattern": r"^[\w+=,.@:/-]*$",
    });
    SessionName => json_schema!({
        "title": "session name", "type": "string", "minLength": 2, "maxLength": 64, "pattern": r"^[\w+=,.@-]*$",
    });
    EndpointUrl => json_schema!({
        "title": "http or https address", "type": "string", "pattern": "^https?://[^/@?#]+(/[^?#]*)?$",
    });
    ListenAddress => json_schema!({
        "title": "IP address and port", "type": "string", "pattern": r"^\s*([0-9.]+|\[[0-9A-Fa-f:.%]+\]):[0-9]+\s*$",
    });
    BatchWord => words::<Self>();
    OnCorrupt => words::<Self>();
    LogLevel => words::<Self>();
    LogFormatWord => words::<Self>();
}

fn words<T: Word>() -> Schema {
    let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
    json_schema!({ "title": listed(words.iter().copied()), "enum": words })
}
