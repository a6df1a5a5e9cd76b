//! The ledger that keeps nothing: events are told at once, and a restart begins anew.
//!
//! Used by `wait`, and by `run` where no state file is wanted.

use std::pin::Pin;
use std::time::Duration;

use cognito_import_watch_core::domain::{Target, Timestamp};
use uuid::Uuid;

use super::api::{Ledger, Ticket};
use super::record::Record;
use crate::sink::RenderedEvent;

/// The ledger that keeps nothing.
pub struct MemoryLedger<T> {
    instance: Uuid,
    tell: T,
}

impl<T: FnMut(&RenderedEvent) + Send> MemoryLedger<T> {
    /// The ledger of an observer that nobody knew before. Its events are told by `tell`.
    pub fn new(instance: Uuid, tell: T) -> Self {
        Self { instance, tell }
    }
}

impl<T: FnMut(&RenderedEvent) + Send> Ledger for MemoryLedger<T> {
    fn instance(&self) -> Uuid {
        self.instance
    }

    fn record(&mut self, record: Record) -> Ticket {
        record.events.iter().for_each(|event| (self.tell)(event));
        Ticket(0)
    }

    fn is_settled(&self, _: Ticket) -> bool {
        true
    }

    fn settled(&self, _: Ticket) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }

    fn retire(&mut self, _: Vec<Target>, _: Timestamp) {}

    fn readmit(&mut self, _: Vec<Target>) {}

    fn close(self: Box<Self>, _: Duration) {}
}
