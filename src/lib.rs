//! Daemon.

pub mod clock;
pub mod driver;
pub mod exit;
pub mod signal;
pub mod source;
pub mod text;
