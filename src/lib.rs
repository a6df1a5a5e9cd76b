//! Daemon.

pub mod clock;
pub mod driver;
pub mod exit;
mod json;
pub mod signal;
pub mod sink;
pub mod source;
pub mod telemetry;
pub mod text;
