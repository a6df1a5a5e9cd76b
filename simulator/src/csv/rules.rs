//! The rules for a row: is it imported, skipped or failed?

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::lines::{Encoding, Line, Survey, split_row};
use crate::scenario::{Contact, CsvSection, Fate, Mfa};

const USERNAME: &str = "cognito:username";
const MFA: &str = "cognito:mfa_enabled";
const PASSWORD_HASH: &str = "password_hash";
/// The attributes that every pool has, in the order of AWS's sample.
const STANDARD: [&str; 19] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "email_verified",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_number_verified",
    "address",
    "updated_at",
];

/// Whether every pool has this attribute.
pub(crate) fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name)
}

/// The settings of a pool that an import looks at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schema {
    pub(crate) auto_verified: Vec<Contact>,
    pub(crate) mfa: Mfa,
    pub(crate) required: Vec<String>,
    /// Without `custom:`.
    pub(crate) custom: Vec<String>,
}

impl Schema {
    /// The columns of the pool's CSV, as `GetCSVHeader` gives them.
    pub(crate) fn header(&self) -> Vec<String> {
        let custom = self.custom.iter().map(|name| format!("custom:{name}"));
        let own = [MFA, USERNAME].map(str::to_owned);
        STANDARD.iter().map(|name| (*name).to_owned()).chain(custom).chain(own).collect()
    }
}

/// A user as the import sees one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) status: &'static str,
}

/// What becomes of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RowVerdict {
    /// Fit to be imported, unless the user exists.
    Fit(User),
    Failed(&'static str),
}

/// The file's columns by position.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Columns(Vec<String>);

impl Columns {
    /// Whether the file can be imported at all.
    ///
    /// # Errors
    /// Why the job fails.
    pub(crate) fn check(
        file: &Survey,
        schema: &Schema,
        rules: &CsvSection,
        hashing: Option<&str>,
    ) -> Result<Self, &'static str> {
        let header = file.header.clone().ok_or("the file is empty")?;
        let known = schema.header();
        let has = |name: &str| header.iter().any(|column| column == name);
        let unknown = header.iter().any(|column| !known.contains(column) && column != PASSWORD_HASH);
        let repeated = (1..header.len()).any(|at| header[..at].contains(&header[at]));
        let missing = rules.missing_header == Fate::FailJob && known.iter().any(|name| !has(name));
        let reasons = [
            (file.bytes > rules.max_bytes, "the file is too large"),
            (file.rows > rules.max_rows, "the file has too many rows"),
            (file.unreadable_lines > 0, "the file is not UTF-8"),
            (unknown || repeated, "the header has columns that the pool does not have"),
            (missing || !has(USERNAME), "the header lacks columns"),
            (hashing.is_some() && !has(PASSWORD_HASH), "the header lacks password_hash"),
            (rules.long_row == Fate::FailJob && file.longest_row > rules.max_row_length, "a row is too long"),
            (rules.wrong_columns == Fate::FailJob && file.ragged_rows > 0, "a row has the wrong number of columns"),
        ];
        match reasons.iter().find(|(broken, _)| *broken) {
            Some((_, reason)) => Err(reason),
            None => Ok(Self(header)),
        }
    }

    /// Judges one row by itself.
    pub(crate) fn judge(&self, line: &Line, schema: &Schema, rules: &CsvSection) -> RowVerdict {
        let fields = split_row(&line.text);
        let too_long = rules.long_row != Fate::Allow && line.length > rules.max_row_length;
        let wrong_columns = rules.wrong_columns != Fate::Allow && fields.len() != self.0.len();
        if too_long || wrong_columns || line.encoding == Encoding::Other {
            return RowVerdict::Failed("the row cannot be read");
        }
        let mut values: BTreeMap<&str, &str> =
            self.0.iter().map(String::as_str).zip(fields.iter().map(String::as_str)).collect();
        values.retain(|_, value| !value.is_empty());
        if let Some(reason) = first_fault(&values, schema, rules) {
            return RowVerdict::Failed(reason);
        }
        let status = if values.contains_key(PASSWORD_HASH) { "CONFIRMED" } else { "RESET_REQUIRED" };
        let name = values.remove(USERNAME).unwrap_or_default().to_owned();
        values.retain(|column, _| *column != MFA && *column != PASSWORD_HASH);
        let attributes = values.iter().map(|(column, value)| (str::to_owned(column), str::to_owned(value))).collect();
        RowVerdict::Fit(User { name, attributes, status })
    }
}

fn first_fault(values: &BTreeMap<&str, &str>, schema: &Schema, rules: &CsvSection) -> Option<&'static str> {
    let value = |column: &str| values.get(column).copied();
    let flag = |column: &str| value(column).map_or(Some(false), read_flag);
    let username = value(USERNAME).unwrap_or_default();
    let verified = |contact: Contact| flag(&format!("{}_verified", contact.name()));
    let contacts = [Contact::Email, Contact::PhoneNumber];
    let mfa = value(MFA).map(read_flag);
    let mfa_fits = match (mfa, schema.mfa) {
        (None, _) => rules.blank_mfa == Fate::Allow,
        (Some(None), _) | (Some(Some(true)), Mfa::Off) | (Some(Some(false)), Mfa::On) => false,
        (Some(Some(_)), Mfa::Off | Mfa::Optional | Mfa::On) => true,
    };
    let faults = [
        (username.is_empty() || username.chars().count() > 128, "the username is empty or too long"),
        (username.chars().any(char::is_whitespace), "the username holds white space"),
        (contacts.iter().any(|contact| verified(*contact).is_none()), "a verified column is neither true nor false"),
        (
            !schema.auto_verified.iter().any(|contact| verified(*contact) == Some(true)),
            "no auto-verified attribute is true",
        ),
        (
            contacts.iter().any(|contact| verified(*contact) == Some(true) && value(contact.name()).is_none()),
            "a verified attribute is empty",
        ),
        (!mfa_fits, "cognito:mfa_enabled does not fit the pool"),
        (schema.required.iter().any(|name| value(name).is_none()), "a required attribute is empty"),
        (value("email").is_some_and(|email| !is_email(email)), "the email is malformed"),
        (value("phone_number").is_some_and(|number| !is_phone(number)), "the phone number is malformed"),
        (value("birthdate").is_some_and(|date| !is_birthdate(date)), "the birthdate is not mm/dd/yyyy"),
        (value("updated_at").is_some_and(|at| at.parse::<u64>().is_err()), "updated_at is not epoch seconds"),
        (values.values().any(|value| value.len() > 2_048), "an attribute is longer than 2,048 bytes"),
    ];
    faults.iter().find(|(broken, _)| *broken).map(|(_, reason)| *reason)
}

fn read_flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(char::is_whitespace)
    })
}

fn is_phone(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|number| (1..=15).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_birthdate(text: &str) -> bool {
    text.len() == 10 && Date::strptime("%m/%d/%Y", text).is_ok()
}
