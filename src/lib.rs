//! Daemon.

pub mod text;
