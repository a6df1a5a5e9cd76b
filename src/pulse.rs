//! Whether the loop is alive: it notes each of its turns and when it means to turn next, and whoever asks compares.
//!
//! Noted by [`crate::driver`], and by `run` while a reload keeps the loop waiting; asked by systemd's watchdog and by
//! `/livez`, so that both answer for the same condition.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How late a turn may be, and how long due work may lie, before the loop counts as stuck. A turn takes milliseconds,
/// with 100,000 jobs too; what takes this long is a fault, not load.
pub const MARGIN: Duration = Duration::from_secs(10);

/// The pulse of one loop. A clone is the same pulse; taking it never waits.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Beat>);

/// Times are milliseconds since `start`.
#[derive(Debug)]
struct Beat {
    start: Instant,
    /// When the loop means to turn next, or [`NEVER`] while it waits for an answer or a signal alone.
    turns_at: AtomicU64,
    /// Since when work is due of which nothing is sent, or [`NEVER`].
    held_since: AtomicU64,
}

const NEVER: u64 = u64::MAX;

/// What becomes of the work that is due, as seen at a turn of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// None is due, or some of it was sent.
    Flows,
    /// Some is due, or nothing will ever come due although jobs are open; and nothing was sent since the last turn.
    Held,
}

/// Why a loop counts as stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// It meant to turn so long ago.
    Late(Duration),
    /// It turns, but work lies for so long and is not sent.
    Idle(Duration),
}

impl std::fmt::Display for Stuck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Late(by) => write!(f, "the scheduler is {} s late", by.as_secs()),
            Self::Idle(since) => write!(f, "the scheduler has sent nothing of what is due for {} s", since.as_secs()),
        }
    }
}

impl std::error::Error for Stuck {}

impl Pulse {
    /// The pulse of a loop that has not turned yet: it counts as alive until it says when it means to.
    #[must_use]
    pub fn start() -> Self {
        Self(Arc::new(Beat {
            start: Instant::now(),
            turns_at: AtomicU64::new(NEVER),
            held_since: AtomicU64::new(NEVER),
        }))
    }

    /// Notes a turn at `now`. The next is meant to come at `next`; `None`: with an answer or a signal.
    pub fn turned(&self, now: Instant, next: Option<Instant>, work: Work) {
        self.0.turns_at.store(next.map_or(NEVER, |next| self.millis(next)), Ordering::Relaxed);
        match work {
            Work::Flows => self.0.held_since.store(NEVER, Ordering::Relaxed),
            Work::Held => {
                let at = self.millis(now);
                // Held already: since when stays.
                let _since = self.0.held_since.compare_exchange(NEVER, at, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
    }

    /// Notes that something else than a turn is under way, until `end` at the latest.
    pub fn pauses_until(&self, end: Instant) {
        self.0.turns_at.store(self.millis(end), Ordering::Relaxed);
        self.0.held_since.store(NEVER, Ordering::Relaxed);
    }

    /// Whether the loop is alive at `now`.
    ///
    /// # Errors
    /// When its next turn is late by more than [`MARGIN`], or due work lies for longer than that.
    pub fn check(&self, now: Instant) -> Result<(), Stuck> {
        let since = |at: &AtomicU64| self.millis(now).saturating_sub(at.load(Ordering::Relaxed));
        let (late, held) = (since(&self.0.turns_at), since(&self.0.held_since));
        let [late, held] = [late, held].map(Duration::from_millis);
        if late > MARGIN {
            return Err(Stuck::Late(late));
        }
        if held > MARGIN { Err(Stuck::Idle(held)) } else { Ok(()) }
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.0.start).as_millis()).unwrap_or(NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_is_stuck_when_its_turn_is_late_by_more_than_the_margin() {
        let (start, pulse) = (Instant::now(), Pulse::start());
        assert_eq!(pulse.check(after(start, 1_000)), Ok(()));
        pulse.turned(start, Some(after(start, 5)), Work::Flows);
        assert_eq!(pulse.check(after(start, 5 + MARGIN.as_secs())), Ok(()));
        assert_eq!(pulse.check(after(start, 16)), Err(Stuck::Late(Duration::from_secs(11))));
        pulse.turned(after(start, 16), None, Work::Flows);
        assert_eq!(pulse.check(after(start, 100_000)), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_turns_and_sends_nothing_of_what_is_due_is_stuck() {
        let (start, pulse) = (Instant::now(), Pulse::start());
        for second in 0..=10 {
            let now = after(start, second);
            pulse.turned(now, Some(now), Work::Held);
            assert_eq!(pulse.check(now), Ok(()), "{second}");
        }
        pulse.turned(after(start, 11), None, Work::Held);
        assert_eq!(pulse.check(after(start, 11)), Err(Stuck::Idle(Duration::from_secs(11))));
        pulse.turned(after(start, 12), None, Work::Flows);
        assert_eq!(pulse.check(after(start, 100)), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_keeps_the_loop_waiting_may_do_so_until_its_end() {
        let (start, pulse) = (Instant::now(), Pulse::start());
        pulse.pauses_until(after(start, 60));
        assert_eq!(pulse.check(after(start, 70)), Ok(()));
        let stuck = pulse.check(after(start, 71)).unwrap_err();
        assert_eq!(stuck.to_string(), "the scheduler is 11 s late");
    }
}
