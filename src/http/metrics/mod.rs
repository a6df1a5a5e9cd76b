//! What Prometheus is told: how the daemon is doing, and how each job stands.
//!
//! Reading order: [`family`] (every metric there is), [`text`] (its format), [`meters`] and [`lane`] (what is counted
//! while the daemon runs), `process` (what the system says), `fixed` (all of that as text).

pub mod family;
pub mod lane;
pub mod meters;
mod process;
pub mod text;

pub use family::{FAMILIES, Family, Kind};
pub use lane::LaneMeters;
pub use meters::{Meters, ReloadOutcome};
pub use text::CONTENT_TYPE;
