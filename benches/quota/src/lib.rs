//! The real scheduler on simulated time against a model of Cognito's quotas, beside other ways to poll.
//!
//! [`cognito`] is the service: who is throttled when, and what a job shows. [`ours`] runs the scheduler against it,
//! [`peer`] runs what people use instead, [`oracle`] says what the quota allows at best. [`record`] measures all of
//! them alike. [`population`] holds the questions that are asked with it, each a table; the binary prints them and
//! `tests/` holds their bounds.
//!
//! Time is data: nanoseconds since the start of the watch. Nothing sleeps, and a run repeats from its seed.

pub mod cognito;
pub mod oracle;
pub mod ours;
pub mod peer;
pub mod population;
pub mod record;
pub mod scale;
pub mod table;
pub mod time;
