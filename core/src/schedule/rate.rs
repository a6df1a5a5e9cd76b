//! The rate of one bucket: evenly spaced permits, cut by throttles, brought back by answers. Used by [`lane`](super::lane).
//!
//! A throttle halves the rate, and it grows again from the first request that is let through. How fast depends on
//! whose fault the throttle was. One that slowing down ends was ours: the rate grows slowly, so that another caller of
//! the quota is not pushed aside each time we try. One that goes on however little we send was not: when it ends,
//! the rate before is taken up within seconds.

use std::time::Duration;

use crate::domain::Tick;

/// What a throttle leaves of a rate. Of another caller's requests, 15/s of the 20, so many are throttled beside us at
/// the full ceilings; and the rate of 20/s is back so long after an outage:
///
/// | left | its throttled %, evenly | by chance | our rate beside it | back after s |
/// | --- | --- | --- | --- | --- |
/// | 0.3 | 0.38 | 0.29 | 2.9 | 7 |
/// | 0.5 | 0.66 | 0.59 | 3.4 | 6 |
/// | 0.7 | 0.60 | 1.31 | 4.4 | 5 |
const CUT: f64 = 0.5;

/// How long a rate takes to double that throttles took which were not ours. An outage's end is felt so long:
///
/// | s | 5/s are back after s | 20/s (10 are promised) |
/// | --- | --- | --- |
/// | 0.5 | 3 | 4 |
/// | 1 | 4 | 6 |
/// | 2 | 7 | 11 |
const QUICK: Duration = Duration::from_secs(1);

/// How long another one takes to double. As for [`CUT`]:
///
/// | s | its throttled %, evenly | by chance | our rate beside it |
/// | --- | --- | --- | --- |
/// | 30 | 1.34 | 1.20 | 4.1 |
/// | 60 | 0.66 | 0.59 | 3.4 |
/// | 120 | 0.74 | 0.41 | 3.2 |
const SLOW: Duration = Duration::from_secs(60);

/// So many throttles in a row with nothing let through between them are not of our making.
const NOT_OURS: u32 = 3;

/// The lowest rate of a bucket, in requests per second, where its ceiling is not lower still: enough to notice
/// the end of a throttle, too little to be a part of its cause.
///
/// | floor | during an outage (at most 1 is promised) | 5/s are back after s | 20/s |
/// | --- | --- | --- | --- |
/// | 0.25 | 0.33 | 8 | 10 |
/// | 0.5 | 0.55 | 4 | 6 |
/// | 1 | 0.98 | 3 | 4 |
pub(super) const FLOOR: f64 = 0.5;

/// By which part of it two requests are spaced further than the rate asks for: timers are not exact.
const SLACK: f64 = 0.01;

/// And by how much more, but for no more than [`MOST_SLACK`] of it: of two requests the first may be longer on its way
/// than the second, and its answer all the quicker.
const WAY_SLACK: Duration = Duration::from_millis(2);

/// The most of [`WAY_SLACK`], as a part of the spacing.
const MOST_SLACK: f64 = 0.03;

/// The most that the next request waits for one that is late. What takes longer is taken for a slow service, not for
/// a slow way there.
const MOST_LATE: Duration = Duration::from_millis(100);

/// What waiting for late requests may cost of the rate: each request earns so much of its spacing. So a way whose
/// trips vary all the time costs no more than this. At 20 requests/s over such a way, with 1,000 jobs:
///
/// | cost | latency in 99 of 100, of the best (1.05) | last first status, of the bound (1.15) |
/// | --- | --- | --- |
/// | 0 | 1.040 | 1.11 |
/// | 0.005 | 1.046 | 1.12 |
/// | 0.01 | 1.051 | 1.13 |
/// | 0.02 | 1.063 | 1.15 |
const LATE_COST: f64 = 0.005;

/// How much of that is saved up, and there from the start: a way that holds requests up now and then, or a machine
/// that is busy for a while, keeps the ceiling where they arrive. With 1 s a busy machine of two cores passed it in every
/// other run of the tests in `tests/integration/ceilings.rs`; with 2 s the last first status is at 1.15 of the bound.
const SAVED: Duration = Duration::from_millis(1_500);

/// Evenly spaced permits.
#[derive(Debug)]
pub(super) struct Bucket {
    ceiling: f64,
    cut: Option<Cut>,
    next: Tick,
    /// When the newest request was sent, while it is not answered.
    open: Option<Tick>,
    /// How much of the time is left that may be spent on waiting for late requests.
    patience: Duration,
}

/// What throttles did to a rate.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// The newest one.
    at: Tick,
    /// What it left.
    rate: f64,
    /// The rate before the first one of the row.
    before: f64,
    /// What is taken up quickly.
    goal: f64,
    /// How many came in a row.
    throttles: u32,
    /// When a request was let through again: the rate grows since.
    resumed: Option<Tick>,
}

impl Cut {
    /// How long the rate takes from its return to its goal.
    fn quick(&self) -> Duration {
        QUICK.mul_f64((self.goal / self.rate).log2())
    }

    fn rate(&self, now: Tick) -> f64 {
        let Some(resumed) = self.resumed else { return self.rate };
        let (grown, quick) = (now.since(resumed), self.quick());
        if grown < quick {
            self.rate * (grown.as_secs_f64() / QUICK.as_secs_f64()).exp2()
        } else {
            self.goal * ((grown - quick).as_secs_f64() / SLOW.as_secs_f64()).exp2()
        }
    }

    /// When the rate comes to `ceiling`; `None` while nothing is let through.
    fn comes_to(&self, ceiling: f64) -> Option<Tick> {
        let resumed = self.resumed?;
        let slow = SLOW.mul_f64((ceiling / self.goal).log2().max(0.0));
        Some(resumed.plus(self.quick() + slow + Duration::from_millis(1)))
    }
}

impl Bucket {
    pub(super) fn new(ceiling: f64) -> Self {
        Self { ceiling, cut: None, next: Tick::ZERO, open: None, patience: SAVED }
    }

    pub(super) fn ceiling(&self) -> f64 {
        self.ceiling
    }

    /// Changes the ceiling; a rate that was cut stays cut.
    pub(super) fn set_ceiling(&mut self, ceiling: f64) {
        self.ceiling = ceiling;
    }

    /// Requests per second.
    pub(super) fn rate(&self, now: Tick) -> f64 {
        self.cut.map_or(self.ceiling, |cut| cut.rate(now).min(self.ceiling))
    }

    /// Sends a request. `usual` is how long an answer usually takes.
    pub(super) fn take(&mut self, now: Tick, usual: Duration) {
        let waited = now.since(self.next).min(self.waits(usual));
        let interval = self.interval(now);
        self.patience = (self.patience - waited + interval.mul_f64(LATE_COST)).min(SAVED);
        self.next = now.plus(interval);
        self.open = Some(now);
    }

    /// The time between two requests.
    pub(super) fn interval(&self, now: Tick) -> Duration {
        spacing(self.rate(now))
    }

    /// How long the next request waits for the newest to be answered, which may just be arriving. Where answers
    /// usually take longer than an interval, no answer tells nothing.
    fn waits(&self, usual: Duration) -> Duration {
        match self.open {
            Some(sent) if usual < self.interval(sent) => self.patience.min(MOST_LATE),
            Some(_) | None => Duration::ZERO,
        }
    }

    /// When the next request is due, whether or not the newest is late: the earlier, the longer ago it was used.
    pub(super) fn next(&self) -> Tick {
        self.next
    }

    /// Whether a request is on its way that no later one was sent after.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// When the next request may be sent.
    pub(super) fn ready_at(&self, usual: Duration) -> Tick {
        self.next.plus(self.waits(usual))
    }

    /// The request sent at `sent` was answered, `late` later than usual: that much later it may have arrived.
    pub(super) fn answered(&mut self, sent: Tick, late: Duration) {
        if self.open == Some(sent) {
            self.open = None;
            let late = late.min(self.patience).min(MOST_LATE);
            self.patience -= late;
            self.next = self.next.plus(late);
        }
    }

    /// A silence ended now: what was sent into it arrived now at the latest, and the next one is spaced from here.
    pub(super) fn heard(&mut self, now: Tick) {
        self.next = self.next.max(now.plus(self.interval(now)));
    }

    /// A request sent at `sent` was let through: if it was sent after the last cut, the rate may grow.
    pub(super) fn let_through(&mut self, now: Tick, sent: Tick) {
        if let Some(cut) = &mut self.cut
            && cut.at <= sent
        {
            cut.resumed.get_or_insert(now);
        }
    }

    /// Halves the rate, unless the request was sent before the last cut: it is part of the same burst.
    pub(super) fn cut(&mut self, now: Tick, sent: Tick) {
        if self.cut.is_some_and(|cut| sent < cut.at) {
            return;
        }
        let was = self.rate(now);
        let rate = (was * CUT).max(FLOOR.min(self.ceiling));
        let cut = match self.cut.filter(|cut| cut.resumed.is_none()) {
            None => Cut { at: now, rate, before: was, goal: rate, throttles: 1, resumed: None },
            Some(row) => {
                let throttles = row.throttles.saturating_add(1);
                let goal = if throttles >= NOT_OURS { row.before } else { rate };
                Cut { at: now, rate, goal, throttles, ..row }
            }
        };
        self.cut = Some(cut);
        self.next = self.next.max(now.plus(spacing(rate)));
    }

    /// Sends nothing before this time.
    pub(super) fn stay_away(&mut self, until: Tick) {
        self.next = self.next.max(until);
    }

    /// When the rate is at its ceiling, at the earliest now; `None` while nothing is let through.
    pub(super) fn whole_at(&self, now: Tick) -> Option<Tick> {
        match self.cut {
            Some(cut) if cut.rate(now) < self.ceiling => cut.comes_to(self.ceiling).map(|at| at.max(now)),
            Some(_) | None => Some(now),
        }
    }
}

/// The rate that is reached where this is the ceiling, in requests per second, however the way is.
pub(super) fn reached(ceiling: f64) -> f64 {
    1.0 / (spacing(ceiling).as_secs_f64() * (1.0 + LATE_COST))
}

/// The time between two requests at this rate.
pub(super) fn spacing(rate: f64) -> Duration {
    let even = Duration::from_secs_f64(1.0 / rate);
    even + even.mul_f64(SLACK) + WAY_SLACK.min(even.mul_f64(MOST_SLACK))
}

#[cfg(test)]
mod tests;
