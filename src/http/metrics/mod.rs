//! What Prometheus is told: how the daemon is doing, and how each job stands.
//!
//! Reading order: [`family`] (every metric there is), [`text`] (its format), [`meters`] and [`lane`] (what is counted
//! while the daemon runs), `process` (what the system says), `fixed` (all of that as text), `jobs` (what grows with the
//! jobs), `scrape` (the whole, a piece at a time).

pub mod family;
mod fixed;
mod jobs;
pub mod lane;
pub mod meters;
mod process;
mod scrape;
pub mod text;

pub use family::{FAMILIES, Family, Kind};
pub use fixed::Metrics;
pub use lane::LaneMeters;
pub use meters::{Meters, ReloadOutcome};
