//! Events leave here: which level, which words, which line.
//!
//! Reading order: [`mod@line`] (the JSON form), [`level`] (levels and constant messages), [`phrase`] (words for a
//! person), [`rendered`] (all of it together), [`lane`] and [`daemon`] (events that are not about a job), [`log`] (out
//! through `tracing`).

pub mod daemon;
pub mod lane;
pub mod level;
pub mod line;
pub mod log;
pub mod phrase;
pub mod rendered;
#[cfg(test)]
pub(crate) mod samples;

pub use daemon::{DaemonEvent, DaemonFact};
pub use lane::{LaneChange, LaneEvent};
pub use line::EventLine;
pub use log::{EVENT_TARGET, LogSink};
pub use rendered::RenderedEvent;
