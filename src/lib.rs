//! Daemon.

pub mod source;
pub mod text;
