//! When to poll what: backoff of one job, the rate of a lane, and the scheduler over both.
//!
//! [`Scheduler::handle`] is told everything that happens and answers with what to do; it awaits nothing.

mod agenda;
pub mod backoff;
pub mod forecast;
pub mod job;
pub mod lane;
pub mod message;
mod past;
mod place;
pub mod pool;
mod rate;
mod reader;
pub mod rules;
pub mod scheduler;
pub mod settings;
mod turn;

pub use backoff::{BackoffPolicy, InvalidBackoff};
pub use forecast::{Finding, Forecast, PoolLoad, Tightest, Way, forecast};
pub use job::JobView;
pub use lane::RateChange;
pub use message::{
    Action, Input, LaneIndex, NewJob, NewPool, Now, PollResult, Question, Replacement, Request, Settings,
};
pub use pool::{News, PoolPage};
pub use rules::PoolFilter;
pub use scheduler::{LaneView, PoolView, Scheduler};
pub use settings::{Batch, Ceilings, Ending, InvalidCeiling};
