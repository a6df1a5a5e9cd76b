//! The rules for a row: is it fit to be imported?

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::lines::{Line, Survey, split_row};
use crate::scenario::{Contact, CsvSection, Fate, Mfa};

const USERNAME: &str = "cognito:username";
const MFA: &str = "cognito:mfa_enabled";
const PASSWORD_HASH: &str = "password_hash";
/// The attributes that every pool has, in the order of AWS's sample.
const STANDARD: &str = "name given_name family_name middle_name nickname preferred_username profile picture website email \
                        email_verified gender birthdate zoneinfo locale phone_number phone_number_verified address \
                        updated_at";

/// Whether every pool has this attribute.
pub(crate) fn is_standard(name: &str) -> bool {
    STANDARD.split_whitespace().any(|standard| standard == name)
}

/// The settings of a pool that an import looks at; custom attributes without `custom:`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schema {
    pub(crate) auto_verified: Vec<Contact>,
    pub(crate) mfa: Mfa,
    pub(crate) required: Vec<String>,
    pub(crate) custom: Vec<String>,
}

impl Schema {
    /// The columns of the pool's CSV, as `GetCSVHeader` gives them.
    pub(crate) fn header(&self) -> Vec<String> {
        let custom = self.custom.iter().map(|name| format!("custom:{name}"));
        STANDARD.split_whitespace().map(str::to_owned).chain(custom).chain([MFA, USERNAME].map(str::to_owned)).collect()
    }
}

/// A user as the import sees one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct User {
    pub(crate) name: String,
    /// Names and values.
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) status: &'static str,
}

impl User {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// The file's columns by position.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Columns(Vec<String>);

impl Columns {
    /// None where the file cannot be imported at all.
    pub(crate) fn check(file: &Survey, schema: &Schema, rules: &CsvSection, hashing: Option<&str>) -> Option<Self> {
        let (header, known) = (&file.header, schema.header());
        let has = |name: &str| header.iter().any(|column| column == name);
        let unfit = [
            file.bytes > rules.max_bytes || file.rows > rules.max_rows || file.unreadable_lines > 0,
            header.iter().any(|column| !known.contains(column) && column != PASSWORD_HASH),
            (1..header.len()).any(|at| header[..at].contains(&header[at])),
            rules.missing_header == Fate::FailJob && !known.iter().all(|name| has(name)),
            !has(USERNAME) || (hashing.is_some() && !has(PASSWORD_HASH)),
            rules.long_row == Fate::FailJob && file.longest_row > rules.max_row_length,
            rules.wrong_columns == Fate::FailJob && file.ragged_rows > 0,
        ];
        (!unfit.contains(&true)).then(|| Self(header.clone()))
    }

    /// Judges one row by itself: the user, or why there is none.
    pub(crate) fn judge(&self, line: &Line, schema: &Schema, rules: &CsvSection) -> Result<User, &'static str> {
        let fields = split_row(line.text.as_deref().ok_or("the row is not UTF-8")?);
        if rules.long_row != Fate::Allow && line.length > rules.max_row_length {
            return Err("the row is too long");
        }
        if rules.wrong_columns != Fate::Allow && fields.len() != self.0.len() {
            return Err("the row has the wrong number of columns");
        }
        let values = self.0.iter().cloned().zip(fields).filter(|(_, value)| !value.is_empty());
        let mut attributes: BTreeMap<String, String> = values.collect();
        let faults = faults(&attributes, schema, rules);
        if let Some((_, reason)) = faults.into_iter().find(|(broken, _)| *broken) {
            return Err(reason);
        }
        let name = attributes.remove(USERNAME).unwrap_or_default();
        attributes.remove(MFA);
        let status = if attributes.remove(PASSWORD_HASH).is_some() { "CONFIRMED" } else { "RESET_REQUIRED" };
        Ok(User { name, attributes: attributes.into_iter().collect(), status })
    }
}

fn faults(values: &BTreeMap<String, String>, schema: &Schema, rules: &CsvSection) -> [(bool, &'static str); 12] {
    let value = |column: &str| values.get(column).map(String::as_str);
    let broken = |column: &str, fits: fn(&str) -> bool| value(column).is_some_and(|value| !fits(value));
    let verified = |contact: &Contact| value(&format!("{}_verified", contact.name())).map_or(Some(false), read_flag);
    let contacts = [Contact::Email, Contact::PhoneNumber];
    let username = value(USERNAME).unwrap_or_default();
    let mfa_fits = match (value(MFA).map(read_flag), schema.mfa) {
        (None, _) => rules.blank_mfa == Fate::Allow,
        (Some(None), _) | (Some(Some(true)), Mfa::Off) | (Some(Some(false)), Mfa::On) => false,
        (Some(Some(_)), Mfa::Off | Mfa::Optional | Mfa::On) => true,
    };
    let lacks = |contact: &Contact| verified(contact) == Some(true) && value(contact.name()).is_none();
    [
        (username.is_empty() || username.chars().count() > 128, "the username is empty or too long"),
        (username.contains(char::is_whitespace), "the username holds white space"),
        (contacts.iter().any(|contact| verified(contact).is_none()), "a verified column is neither true nor false"),
        (!schema.auto_verified.iter().any(|contact| verified(contact) == Some(true)), "no attribute is verified"),
        (contacts.iter().any(lacks), "a verified attribute is empty"),
        (!mfa_fits, "cognito:mfa_enabled does not fit the pool"),
        (schema.required.iter().any(|name| value(name).is_none()), "a required attribute is empty"),
        (broken("email", is_email), "the email is malformed"),
        (broken("phone_number", is_phone), "the phone number is malformed"),
        (broken("birthdate", is_birthdate), "the birthdate is not mm/dd/yyyy"),
        (broken("updated_at", |at| at.parse::<u64>().is_ok()), "updated_at is not epoch seconds"),
        (values.values().any(|value| value.len() > 2_048), "an attribute is longer than 2,048 bytes"),
    ]
}

fn read_flag(text: &str) -> Option<bool> {
    text.to_ascii_lowercase().parse().ok()
}

fn is_email(text: &str) -> bool {
    let parts: Vec<&str> = text.split('@').collect();
    parts.len() == 2 && !parts.contains(&"") && !text.contains(char::is_whitespace)
}

fn is_phone(text: &str) -> bool {
    let number = text.strip_prefix('+').unwrap_or_default();
    (1..=15).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_birthdate(text: &str) -> bool {
    text.len() == 10 && Date::strptime("%m/%d/%Y", text).is_ok()
}
