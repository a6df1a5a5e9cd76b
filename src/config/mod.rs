//! The config file: read, checked and turned into a [`Plan`].
//!
//! Reading order: [`plan`] (what will run), `file` (what can be written), [`resolve`] (from one to the other),
//! [`diagnostic`] (what is said when it cannot be), [`cost`] (what a plan asks of the service), [`iam`] (what it has to be allowed). Everything here takes
//! text and returns data; files are read by [`read`] alone.

pub mod cost;
pub mod diagnostic;
pub mod diff;
pub mod duration;
pub mod iam;
pub mod overrides;
pub mod plan;
pub mod read;
pub mod source;

mod account_value;
mod accounts;
mod file;
mod lines;
mod listen_value;
mod not_yet;
mod problem;
mod reader;
mod resolve;
mod schema;
mod syntax;
mod targets;
mod value;

#[cfg(test)]
mod tests;

pub use cost::{Calls, CeilingKey, CostWarning, LaneCost, PlanCost};
pub use diagnostic::{Diagnostic, Diagnostics, Excerpt, Fault, Origin, Style};
pub use diff::needs_restart;
pub use duration::{InvalidDuration, MAX_DURATION, format_duration, parse_duration};
pub use iam::{IdentityPolicies, MAX_POLICY_LENGTH};
pub use overrides::{AwsEndpoint, Overrides, Selection};
pub use plan::{
    AccountPlan, AccountRef, CredentialsPlan, HttpPlan, LogFormat, LogLevel, LogPlan, OnCorrupt, Plan, PlannedJob,
    PlannedPool, PollPlan, StatePath, StatePlan,
};
pub use read::{ReadError, read_sources};
pub use resolve::resolve;
pub use schema::schema;
pub use source::{MAX_SOURCE_BYTES, Source};
