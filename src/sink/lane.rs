//! What is told about a lane: the requests to one region with one account's credentials share a rate.
//!
//! Made by the driver when the scheduler cuts or restores a rate; logged only.

use cognito_import_watch_core::domain::{AccountId, Timestamp};

/// What happened to a lane's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaneChange {
    /// The service throttled us, and the rate was cut.
    Throttled,
    /// The rate is back at its ceiling.
    Recovered,
}

impl LaneChange {
    /// The event's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Throttled => "lane.throttled",
            Self::Recovered => "lane.recovered",
        }
    }
}

/// A fact about a lane.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneEvent {
    /// When it happened.
    pub at: Timestamp,
    /// The account, where it is known.
    pub account: Option<AccountId>,
    /// The region.
    pub region: Box<str>,
    /// The rate from now on.
    pub requests_per_second: f64,
    /// The first throttle of the episode.
    pub since: Timestamp,
    /// What happened.
    pub change: LaneChange,
}
