//! Daemon.

pub mod cli;
pub mod clock;
pub mod config;
pub mod driver;
pub mod exit;
mod json;
pub mod output;
pub mod run;
pub mod signal;
pub mod sink;
pub mod source;
pub mod telemetry;
pub mod text;
