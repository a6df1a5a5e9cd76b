//! How a ledger that keeps a file is doing, as figures.
//!
//! Read by whoever watches the watcher, from any thread.

use std::sync::Arc;

use super::file::Shared;
use super::state::Health;

/// Where the figures of a ledger are read. A clone reads the same ones.
#[derive(Clone, Debug)]
pub struct FiguresOf(pub(super) Arc<Shared>);

/// How a ledger is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Whether the file takes writes.
    pub health: Health,
    /// Transactions written since the file was opened.
    pub commits: u64,
    /// Changes that are not written yet.
    pub changes_waiting: usize,
    /// How many events each sink has not taken yet.
    pub events_waiting: Vec<(&'static str, usize)>,
}

impl FiguresOf {
    /// The figures of this moment.
    #[must_use]
    pub fn read(&self) -> Figures {
        self.0.lock().figures()
    }
}
