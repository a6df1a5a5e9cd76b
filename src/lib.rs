//! Daemon.

mod json;
pub mod output;
pub mod sink;
pub mod telemetry;
pub mod text;
