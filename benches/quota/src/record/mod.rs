//! What is measured of a run, alike for the scheduler and for its peers.

mod latency;
mod notes;
mod spacing;

pub use latency::{Latency, quantile};
pub use notes::{Record, Window};
pub use spacing::Spacing;
