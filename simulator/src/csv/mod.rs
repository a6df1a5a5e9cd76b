//! The CSV of an import, by AWS's own rules, which are not RFC 4180.

mod lines;
mod rules;

pub(crate) use lines::{Lines, Survey, survey};
pub(crate) use rules::{Columns, Schema, User, is_standard};
