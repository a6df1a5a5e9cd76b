//! The questions asked with the simulation: who is watched, what happens, and which figures answer it.

pub mod intervals;
pub mod neighbour;
pub mod outage;
mod poller;
pub mod start;
pub mod stress;
pub mod usual;

pub use poller::{DEFAULT, FULL, Poller, Rates, merged};

use cognito_import_watch_core::domain::TargetError;

use crate::table::Table;

/// How much is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Runs of each row; their figures are taken together.
    pub seeds: u64,
    /// Jobs, where the population does not say how many; `None` for its own numbers.
    pub jobs: Option<usize>,
}

/// A question, by the name it has on the command line.
pub type Question = (&'static str, fn(Size) -> Result<Table, TargetError>);

/// Every question.
pub const ALL: [Question; 6] = [
    ("usual", usual::table),
    ("start", start::table),
    ("stress", stress::table),
    ("outage", outage::table),
    ("neighbour", neighbour::table),
    ("intervals", intervals::table),
];
