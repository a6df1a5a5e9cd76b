//! The service manager: what it is told of this daemon, and when.
//!
//! Reading order: [`manager`] (the socket that systemd gives, if any), [`service`] (what is owed to it and when),
//! [`words`] (the line that `systemctl status` shows). Used by `run` alone; without NOTIFY_SOCKET nothing is sent.

pub mod manager;
pub mod service;
pub mod words;

pub use manager::{Manager, Notify};
pub use service::{Keeper, Service};
pub use words::Census;
