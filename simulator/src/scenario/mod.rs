//! The scenario: what exists when the simulator starts, how jobs run, and what goes wrong.
//!
//! A TOML file, read by [`Scenario::parse`]; the reference is `docs/simulator.md`. Whatever AWS does not tell has a key
//! here that chooses it.

mod faults;
mod parse;
mod pools;
mod sections;
mod values;

pub(crate) use faults::{AnswerKind, FaultClock, FaultRule, MessageKey, TypeSpelling};
pub use parse::{Scenario, ScenarioError};
pub(crate) use pools::{Contact, JobRule, Mfa, PoolRule, ShownChange, StepRule};
pub(crate) use sections::{
    ClockSection, Counters, CsvSection, DateSpelling, ErrorText, Fate, QuotaSection, ShownDates, TooLarge,
};
pub(crate) use values::{Period, is_job_id, is_pool_id};
