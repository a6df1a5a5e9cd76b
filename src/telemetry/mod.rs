//! The log: what `tracing` is told becomes lines, and a thread of its own writes them.
//!
//! Reading order: [`setup`] (what is let through), [`layer`] and [`record`] (what a record holds), [`json`],
//! [`console`] and [`journal`] (its forms), [`style`] (colour and columns), [`printer`] (the thread that writes).

#[cfg(test)]
pub(crate) mod capture;
pub mod console;
#[cfg(test)]
mod forms;
pub mod journal;
pub mod json;
pub mod layer;
pub mod printer;
pub mod record;
pub mod setup;
pub mod style;

pub use journal::{Journal, is_journal};
pub use printer::{Flushed, Keep, Mark, PlainScreen, Printer, Screen, Written};
pub use setup::{LogFormat, LogSettings, WallClock, start};
pub use style::{Color, ColorChoice, Reader, TextStyle};
