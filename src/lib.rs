//! Daemon.

mod json;
pub mod sink;
pub mod telemetry;
pub mod text;
