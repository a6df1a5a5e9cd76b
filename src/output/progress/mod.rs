//! What `wait` shows until its result: a live display on a terminal, lines elsewhere.
//!
//! Reading order: [`mode`] (which of the two), [`model`] (what is known, and which lines it gives), `silence` (the
//! line after a minute without one), [`frame`] (the live display as lines), [`show`] (the whole, as `wait` calls it),
//! [`screen`] (the terminal).

pub mod frame;
pub mod mode;
pub mod model;
pub mod screen;
pub mod show;
mod silence;

pub use mode::{ProgressChoice, ProgressMode, Volume};
pub use model::{JobProgress, Moment, ProgressModel};
pub use screen::TerminalScreen;
pub use show::Progress;
