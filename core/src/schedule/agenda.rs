//! What waits for its time, soonest first.
//!
//! Called by the scheduler. It does not know whether an appointment still holds: one whose job was asked about earlier
//! stays until it comes up, or until too many of its kind have come together.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::domain::Tick;

/// So many appointments that no longer hold are not worth looking for.
const FEW: usize = 64;

/// What waits for its time, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appointment {
    /// A job is to be asked about.
    Job(usize),
    /// A pool's list is to be read.
    Pool(usize),
}

/// Appointments, soonest first, and of one time in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Agenda(BinaryHeap<Reverse<(Tick, Entry)>>);

/// An appointment in four bytes: one bit says what it is with, the others hold its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(u32);

impl Entry {
    const POOL: u32 = 1 << 31;

    fn new(appointment: Appointment) -> Self {
        // No machine holds more.
        let index = |index: usize| u32::try_from(index).unwrap_or(u32::MAX) & !Self::POOL;
        match appointment {
            Appointment::Job(job) => Self(index(job)),
            Appointment::Pool(pool) => Self(index(pool) | Self::POOL),
        }
    }

    fn appointment(self) -> Appointment {
        let index = (self.0 & !Self::POOL) as usize;
        if self.0 & Self::POOL == 0 { Appointment::Job(index) } else { Appointment::Pool(index) }
    }
}

impl Agenda {
    pub(super) fn push(&mut self, at: Tick, appointment: Appointment) {
        self.0.push(Reverse((at, Entry::new(appointment))));
    }

    /// The soonest.
    pub(super) fn first(&self) -> Option<(Tick, Appointment)> {
        self.0.peek().map(|Reverse((at, entry))| (*at, entry.appointment()))
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    /// How many appointments there are, with those that no longer hold.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether most of it can no longer hold where so many jobs and pools are watched.
    pub(super) fn is_crowded(&self, watched: usize) -> bool {
        self.0.len() > watched + watched / 4 + FEW
    }

    /// Drops what does not hold.
    pub(super) fn retain(&mut self, holds: impl Fn(Tick, Appointment) -> bool) {
        self.0.retain(|Reverse((at, entry))| holds(*at, entry.appointment()));
    }

    /// Takes over new numbers, and drops what has none.
    pub(super) fn renumber(&mut self, new: impl Fn(Appointment) -> Option<Appointment>) {
        let kept =
            |Reverse((at, entry)): Reverse<(Tick, Entry)>| Some(Reverse((at, Entry::new(new(entry.appointment())?))));
        self.0 = std::mem::take(&mut self.0).into_iter().filter_map(kept).collect();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn drained(mut agenda: Agenda) -> Vec<(u64, Appointment)> {
        let next = || {
            let (at, appointment) = agenda.first()?;
            agenda.pop();
            Some((at.as_duration().as_secs(), appointment))
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn the_soonest_comes_first_and_jobs_before_pools() {
        let mut agenda = Agenda::default();
        for (second, appointment) in [
            (3, Appointment::Job(0)),
            (1, Appointment::Pool(0)),
            (1, Appointment::Job(70_000)),
            (2, Appointment::Pool(9)),
        ] {
            agenda.push(Tick::from_start(Duration::from_secs(second)), appointment);
        }
        agenda.retain(|_, appointment| appointment != Appointment::Pool(9));
        agenda.renumber(|appointment| match appointment {
            Appointment::Job(0) => None,
            Appointment::Job(job) => Some(Appointment::Job(job - 1)),
            Appointment::Pool(pool) => Some(Appointment::Pool(pool + 2)),
        });
        assert_eq!(drained(agenda), [(1, Appointment::Job(69_999)), (1, Appointment::Pool(2))]);
    }

    #[test]
    fn it_is_crowded_where_a_fifth_of_it_can_no_longer_hold() {
        let mut agenda = Agenda::default();
        for _ in 0..FEW + 12 {
            agenda.push(Tick::ZERO, Appointment::Job(1));
        }
        assert!(!agenda.is_crowded(10));
        agenda.push(Tick::ZERO, Appointment::Job(1));
        assert!(agenda.is_crowded(10));
    }
}
