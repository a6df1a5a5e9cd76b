//! When to poll what: backoff of one job, the rate of a lane, and the scheduler over both.

pub mod backoff;
pub mod settings;

pub use backoff::{BackoffPolicy, InvalidBackoff};
pub use settings::{Ceilings, InvalidCeiling};
