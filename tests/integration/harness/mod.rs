//! What the tests stand on: a simulator with a record, the built binary in an environment of its own, and its log.

mod log;
mod program;
mod scenario;
mod stage;

pub(crate) use log::{events, events_of, lines, names, shown};
pub(crate) use program::{DEADLINE, Ended, Program, Running};
pub(crate) use scenario::{ACCOUNT, FAST, POOL, fast, jobs, target};
pub(crate) use stage::Stage;
