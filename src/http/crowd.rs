//! Who is connected, and who has to go when there are too many: a probe must be let in however many others came.
//!
//! Kept by [`super::server`]; a caller's own entry says what it does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// How many callers there are at the most.
pub(super) const MOST: usize = 64;

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Caller {
    does: AtomicU8,
    cut: Notify,
}

/// What a caller does. The less it does the sooner it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Does {
    /// Has not sent a request, or not the next one.
    Nothing,
    /// Is being answered.
    Asks,
    /// Follows events, of which there are few.
    Follows,
}

impl Caller {
    /// Notes what it does.
    pub(super) fn does(&self, does: Does) {
        self.does.store(does as u8, Ordering::Relaxed);
    }

    fn rank(&self) -> u8 {
        self.does.load(Ordering::Relaxed)
    }

    /// Ends its connection, whatever it does.
    pub(super) fn cut(&self) {
        self.cut.notify_one();
    }

    /// Comes when it was cut.
    pub(super) async fn is_cut(&self) {
        self.cut.notified().await;
    }
}

/// Everyone who is connected.
#[derive(Debug, Default)]
pub(super) struct Crowd(Mutex<Callers>);

#[derive(Debug, Default)]
struct Callers {
    /// By the order in which they came.
    by_number: BTreeMap<u64, Arc<Caller>>,
    next: u64,
}

impl Crowd {
    /// Lets a caller in. Where it is one too many, the one goes that does least, and of these the one that came first.
    pub(super) fn enter(self: &Arc<Self>) -> Entry {
        let mut callers = self.lock();
        if callers.by_number.len() >= MOST {
            callers.cut_one();
        }
        let number = callers.next;
        callers.next += 1;
        let caller = Arc::new(Caller::default());
        callers.by_number.insert(number, Arc::clone(&caller));
        Entry { number, caller, crowd: Arc::clone(self) }
    }

    /// Has one go, so that there is a file descriptor again.
    pub(super) fn make_room(&self) {
        self.lock().cut_one();
    }

    fn lock(&self) -> MutexGuard<'_, Callers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Callers {
    fn cut_one(&mut self) {
        let least = self.by_number.iter().min_by_key(|(number, caller)| (caller.rank(), **number));
        if let Some(number) = least.map(|(number, _)| *number)
            && let Some(caller) = self.by_number.remove(&number)
        {
            caller.cut();
        }
    }
}

/// A caller's place among the others, until it is dropped.
#[derive(Debug)]
pub(super) struct Entry {
    number: u64,
    pub(super) caller: Arc<Caller>,
    crowd: Arc<Crowd>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.crowd.lock().by_number.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_cut(entry: &Entry) -> bool {
        let cut = entry.caller.is_cut();
        let mut cut = std::pin::pin!(cut);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        cut.as_mut().poll(&mut context).is_ready()
    }

    #[test]
    fn one_too_many_has_the_idlest_go_and_of_these_the_first() {
        let crowd = Arc::new(Crowd::default());
        let entries: Vec<Entry> = (0..MOST).map(|_| crowd.enter()).collect();
        assert!(!entries.iter().any(is_cut));
        for entry in &entries {
            entry.caller.does(Does::Follows);
        }
        entries[9].caller.does(Does::Nothing);
        entries[7].caller.does(Does::Asks);
        entries[8].caller.does(Does::Asks);
        let _more: Vec<Entry> = (0..3)
            .map(|_| {
                let entry = crowd.enter();
                entry.caller.does(Does::Follows);
                entry
            })
            .collect();
        let cut: Vec<usize> = (0..MOST).filter(|index| is_cut(&entries[*index])).collect();
        assert_eq!(cut, [7, 8, 9]);
    }

    #[test]
    fn whoever_leaves_makes_room() {
        let crowd = Arc::new(Crowd::default());
        let first = crowd.enter();
        for _ in 0..10 * MOST {
            drop(crowd.enter());
        }
        assert!(!is_cut(&first));
    }
}
