//! When to poll what: backoff of one job, the rate of a lane, and the scheduler over both.
//!
//! [`Scheduler::handle`] is told everything that happens and answers with what to do; it awaits nothing.

pub mod backoff;
pub mod job;
pub mod lane;
pub mod pool;
pub mod scheduler;
pub mod settings;

pub use backoff::{BackoffPolicy, InvalidBackoff};
pub use job::JobView;
pub use lane::RateChange;
pub use pool::{News, PoolPage};
pub use scheduler::{
    Action, Input, LaneIndex, NewJob, NewPool, Now, PollResult, Question, Replacement, Request, Scheduler, Settings,
};
pub use settings::{Ceilings, Ending, InvalidCeiling};
