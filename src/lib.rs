//! Daemon.

pub mod config;
