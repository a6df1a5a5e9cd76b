//! The scenario: what exists when the simulator starts, how jobs run, and what goes wrong.
//!
//! A TOML file; its reference is `docs/simulator.md`. Whatever AWS does not tell has a key here that chooses it.

mod parse;
mod rules;
mod sections;
mod values;

pub use parse::{Scenario, ScenarioError};
pub(crate) use rules::{AccountRule, AnswerKind, FaultRule, JobRule, PoolRule, RoleRule, StepRule};
pub(crate) use sections::{
    ClockSection, Contact, Counters, CsvSection, DateSpelling, Failure, Fate, FaultClock, Mfa, QuotaSection,
    ShownDates, TooLarge, TypeSpelling,
};
pub(crate) use values::{AccountId, JobId, Period, PoolId, Share, is_job_id, is_pool_id};
