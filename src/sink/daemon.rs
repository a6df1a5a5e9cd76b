//! What is told about the daemon itself.
//!
//! Made by `run` at its start and end, on a reload, and when its state cannot be written; logged only.

use cognito_import_watch_core::domain::Timestamp;

/// What happened to the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DaemonFact {
    /// It watches from now on.
    Started {
        /// The version of the program.
        version: &'static str,
        /// The path of the state file; `None` is told as `none`.
        state: Option<String>,
    },
    /// A new configuration is in force.
    Reloaded,
    /// A new configuration is wrong, and the one in force stays.
    ReloadRejected {
        /// What is wrong with it.
        error: String,
    },
    /// The state file cannot be written.
    StateUnwritable {
        /// The path of the state file.
        state: String,
        /// Why.
        error: String,
    },
    /// It was told to stop, or has nothing left to watch, and ends what is under way.
    Stopping {
        /// Why, in a word or two: a signal's name, or `complete`.
        reason: &'static str,
    },
    /// It ends.
    Stopped,
}

impl DaemonFact {
    /// The event's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "daemon.started",
            Self::Reloaded => "daemon.reloaded",
            Self::ReloadRejected { .. } => "daemon.reload_rejected",
            Self::StateUnwritable { .. } => "daemon.state_unwritable",
            Self::Stopping { .. } => "daemon.stopping",
            Self::Stopped => "daemon.stopped",
        }
    }
}

/// A fact about the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonEvent {
    /// When it happened.
    pub at: Timestamp,
    /// When the daemon started.
    pub started_at: Timestamp,
    /// How many events of this name the daemon told before, since its start.
    pub count: u64,
    /// Jobs it watches.
    pub jobs: usize,
    /// Pools it watches.
    pub pools: usize,
    /// What happened.
    pub fact: DaemonFact,
}
