//! Every decision of cognito-import-watch, and no input or output.
//!
//! [`domain`] holds the nouns of a user import job and its state machine: what an observation means and
//! which facts it adds. [`schedule`] decides when to poll what, with time as data.
//! Nothing here reads a clock, a file or a socket; the dependencies cannot even name tokio or the AWS SDK,
//! so the tests run in seconds and a failing case replays from its seed.

pub mod domain;
pub mod schedule;
