//! Durable memory: what is known of each job, and the events on their way out, in one SQLite file.
//!
//! Reading order: [`record`] (what is kept), [`api`] (what a ledger does), [`memory`] (the one that keeps nothing),
//! [`file`](mod@file) (the one that keeps a file), `state` and `outlet` (what its threads share), `writer` and `outbox`
//! (the threads), [`figures`] (how they are doing), `open` (locks, wrong and corrupt files), `store` (the statements), `schema` (the tables), `row` (a
//! job's state as text), [`reader`] (beside a running daemon).

pub mod api;
pub mod error;
pub mod figures;
pub mod file;
pub mod memory;
mod open;
pub mod outbox;
mod outlet;
pub mod reader;
pub mod record;
#[doc(hidden)]
pub mod row;
mod schema;
mod state;
mod store;
mod writer;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use api::{Ledger, Ticket};
pub use error::LedgerError;
pub use figures::{Figures, FiguresOf};
pub use file::{FileLedger, FileSettings, Limits, Notice, OnCorrupt, Opened, Pauses};
pub use memory::MemoryLedger;
pub use outbox::{Delivery, Sink};
pub use reader::{Filter, Reader};
pub use record::{Record, RecordedJob, Urgency};
pub use state::Health;
