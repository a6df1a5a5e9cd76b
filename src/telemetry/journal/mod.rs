//! The journal of systemd, by its own protocol: each field of an event can be asked for by its name.
//!
//! Reading order: [`entry`] (a record as the fields of an entry), [`message_id`] (the fixed id of each kind of event),
//! [`wire`] (an entry as bytes), [`socket`] (where they go). Chosen by `run` under systemd, and by `log.format`.

pub mod entry;
pub mod message_id;
pub mod socket;
pub mod wire;

pub use socket::{Journal, is_journal};
