//! What a ledger does for the loop. Nothing here waits for a disk.

use std::pin::Pin;
use std::time::Duration;

use cognito_import_watch_core::domain::{Target, Timestamp};
use uuid::Uuid;

use super::record::Record;

/// Names a record whose fate can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub(super) u64);

/// A ledger: keeps records, and hands their events to the sinks once they are kept.
pub trait Ledger: Send {
    /// The observer's id: part of the ids of facts about its own polls.
    fn instance(&self) -> Uuid;

    /// Keeps a record and tells its events.
    fn record(&mut self, record: Record) -> Ticket;

    /// Whether the record is kept, or its events were told without.
    fn is_settled(&self, ticket: Ticket) -> bool;

    /// Ends when the record is kept, or its events were told without.
    fn settled(&self, ticket: Ticket) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Notes that these jobs are not in the config. What is known of them stays, and since when they are not.
    fn retire(&mut self, jobs: Vec<Target>, at: Timestamp);

    /// Notes that these jobs are in the config, or again.
    fn readmit(&mut self, jobs: Vec<Target>);

    /// Keeps and tells what is still under way, for no longer than `patience`. This waits: call it from a thread
    /// that may.
    fn close(self: Box<Self>, patience: Duration);
}
