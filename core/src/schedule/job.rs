//! One watched job in the scheduler: when it is asked about next, and when its watch is over.

use std::time::Duration;

use super::reader::Seat;
use super::settings::Ending;
use super::turn::{Class, Turn};
use super::{BackoffPolicy, LaneIndex, Now};
use crate::domain::track::{ASK_AGAIN, Pace, WatchedJob};
use crate::domain::{ErrorKind, JobSnapshot, JobTrack, Tick, Timestamp, Verdict};

/// How often a refused job is asked about by a watch that goes on: it may be repaired.
pub const SLOW: Duration = Duration::from_secs(5 * 60);

/// At a deadline a failed poll is no loss when the last good one is not older than this many longest intervals.
const STALE_INTERVALS: u32 = 2;

/// Whether an answer that came at `good` still tells how things are when the time is up.
pub(super) fn is_fresh(good: Tick, now: Tick, backoff: &BackoffPolicy) -> bool {
    now.since(good) <= backoff.max() * STALE_INTERVALS
}

/// A job as the scheduler holds it.
#[derive(Debug)]
pub(super) struct JobSlot {
    pub(super) watched: WatchedJob,
    pub(super) track: JobTrack,
    pub(super) place: usize,
    pub(super) lane: LaneIndex,
    pub(super) state: State,
    pub(super) polls: u64,
    /// When it was asked about last, alone or with others; at first, when it was added.
    pub(super) asked: Tick,
    /// The how manieth new one of its pool it was, counted from 0, until it is asked about.
    pub(super) rank: Option<u32>,
    pub(super) seat: Seat,
    pub(super) lists: Lists,
    /// As what it is counted among those that share its ceilings; `None` where it is not asked about any more.
    pub(super) counted: Option<Class>,
    confirm: Confirm,
    interval: Option<Duration>,
    last_good: Option<Tick>,
    added: Tick,
    /// When it was created: by the service's clock once it has answered, until then by ours.
    created: Option<Tick>,
    look: Look,
}

/// Where in the cycle of polls a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Asked about at this time.
    Waiting(Tick),
    /// Due since this time, until its lane lets it.
    Ready(Tick),
    /// The answer is on its way.
    InFlight,
    /// Due since this time, and a list that is being read should show it.
    Expected(Tick),
    /// Not asked about any more.
    Over(Verdict),
    /// No longer watched.
    Gone,
}

impl State {
    /// Whether it is asked about again.
    pub(super) fn is_open(self) -> bool {
        match self {
            Self::Waiting(_) | Self::Ready(_) | Self::InFlight | Self::Expected(_) => true,
            Self::Over(_) | Self::Gone => false,
        }
    }
}

/// Whether lists are believed about a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lists {
    /// They are.
    Trusted,
    /// The last one that showed it was behind what is known: it is asked about alone until one agrees.
    Behind,
}

/// Whether the next answer is to confirm the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Confirm {
    Nothing,
    LastAnswer,
}

/// Whether an answer about a job came when it was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timing {
    /// It did.
    Due,
    /// A list showed it that was read for others: no reason to ask less often.
    Early,
}

/// How much time the watch has left, for a job and for a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// As much as it takes.
    Usual,
    /// The watch's time is up: the next answer is the last. A throttle is no answer: it is asked again.
    Last,
    /// The time for that is up too: whatever comes next is the last.
    Final,
}

/// What the scheduler is to do with a job after an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Next {
    /// Ask at this time.
    At(Tick),
    /// It was throttled: ask as soon as the lane lets us. It is due since this time.
    WhenAllowed(Tick),
    /// Ask no more.
    Over(Verdict),
}

impl JobSlot {
    pub(super) fn new(watched: WatchedJob, lane: LaneIndex, place: usize, now: Tick) -> Self {
        Self {
            watched,
            track: JobTrack::default(),
            place,
            lane,
            state: State::Waiting(now),
            polls: 0,
            asked: now,
            rank: Some(0),
            seat: Seat::Behind(0),
            lists: Lists::Trusted,
            counted: None,
            confirm: Confirm::Nothing,
            interval: None,
            last_good: None,
            added: now,
            created: None,
            look: Look::Usual,
        }
    }

    /// From here on the next answer is the last.
    pub(super) fn look_last(&mut self) {
        self.look = Look::Last;
    }

    /// From here on nothing is asked again.
    pub(super) fn look_no_more(&mut self) {
        self.look = Look::Final;
    }

    /// Whether it waits for its lane.
    pub(super) fn is_ready(&self) -> bool {
        match self.state {
            State::Ready(_) => true,
            State::Waiting(_) | State::InFlight | State::Expected(_) | State::Over(_) | State::Gone => false,
        }
    }

    /// What decides when it has its turn; `None` where it waits for none.
    pub(super) fn turn(&self) -> Option<Turn> {
        let due = match self.state {
            State::Ready(due) | State::Expected(due) => due,
            State::Waiting(_) | State::InFlight | State::Over(_) | State::Gone => return None,
        };
        let class = self.counted?;
        Some(Turn {
            class,
            asked: self.asked,
            due,
            interval: self.interval.unwrap_or_default(),
            rank: self.rank,
            lets_go: u32::from(class == Class::Sleeping),
        })
    }

    /// The part of its interval that it has waited, up to 1; `None` where it is not to be asked about, or is being.
    pub(super) fn waited(&self, now: Tick) -> Option<f64> {
        match self.state {
            State::Ready(_) => Some(1.0),
            State::Waiting(at) => {
                let interval = at.since(self.asked).as_secs_f64();
                Some(if interval > 0.0 { (now.since(self.asked).as_secs_f64() / interval).min(1.0) } else { 1.0 })
            }
            State::InFlight | State::Expected(_) | State::Over(_) | State::Gone => None,
        }
    }

    /// Whether the last answer is to be confirmed by one about this job alone.
    pub(super) fn is_doubted(&self) -> bool {
        self.confirm == Confirm::LastAnswer
    }

    /// Whether nothing was asked about it yet.
    pub(super) fn is_new(&self) -> bool {
        self.rank.is_some()
    }

    /// Whether it is refused, or was not found.
    pub(super) fn is_refused(&self) -> bool {
        match self.track.failing().map(|error| error.kind) {
            None | Some(ErrorKind::Throttled | ErrorKind::Transient) => false,
            Some(ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Invalid) => true,
        }
    }

    /// Whether a list may stand for a question about it.
    pub(super) fn is_listable(&self) -> bool {
        !self.is_doubted() && !self.is_refused() && self.lists == Lists::Trusted
    }

    /// Takes up what is known of the job from before; one that was over stays so.
    pub(super) fn remember(&mut self, track: JobTrack, now: Now) {
        let created = track.known().and_then(|known| known.created_at);
        self.created = created.map(|created| now.tick.minus(now.wall.since(created)));
        self.track = track;
        self.judge_anew();
    }

    /// Judges what is known by the policy as it is now.
    pub(super) fn judge_anew(&mut self) {
        let Some(known) = self.track.known() else { return };
        if let Some(verdict) = self.watched.policy.judge(&known.status, known.counts) {
            self.state = State::Over(verdict);
        }
    }

    /// Notes a good answer. Age is kept on the monotonic clock and set anew by each answer, for nobody's clock but the
    /// service's counts: ours may be wrong or be set, and the monotonic one stands still while the machine sleeps.
    pub(super) fn seen(&mut self, now: Tick, snapshot: &JobSnapshot, service_now: Timestamp) {
        self.last_good = Some(now);
        if let Some(created) = snapshot.created_at {
            self.created = Some(now.minus(service_now.since(created)));
        }
    }

    fn deadline(&self) -> Option<Tick> {
        let (limit, created) = self.watched.policy.deadline.zip(self.created)?;
        Some(created.plus(limit))
    }

    /// When to ask next, from the pace of the job's step. `sent` is when the poll was sent: intervals are counted
    /// from there. `random` is within 0 and 1.
    #[expect(clippy::too_many_arguments, reason = "what an answer brings, and the settings")]
    pub(super) fn next(
        &mut self,
        pace: Pace,
        timing: Timing,
        sent: Tick,
        now: Tick,
        backoff: &BackoffPolicy,
        ending: Ending,
        random: f64,
    ) -> Next {
        self.asked = self.asked.max(sent);
        self.rank = None;
        self.confirm = if matches!(pace, Pace::AskAgain(_)) { Confirm::LastAnswer } else { Confirm::Nothing };
        match (pace, ending) {
            (Pace::Over(verdict), Ending::WhenStopped | Ending::WhenOver { .. })
            | (Pace::Refused(verdict), Ending::WhenOver { .. }) => return Next::Over(verdict),
            (
                Pace::Restart
                | Pace::Grow
                | Pace::AskAgain(_)
                | Pace::WhenAllowed(_)
                | Pace::Refused(_)
                | Pace::Unchanged,
                Ending::WhenStopped | Ending::WhenOver { .. },
            ) => {}
        }
        if let Ending::WhenOver { unobserved, .. } = ending
            && let Some(verdict) = self.time_is_up(sent, now, backoff, unobserved)
        {
            return Next::Over(verdict);
        }
        let at = match pace {
            Pace::Restart => {
                self.interval = Some(backoff.after(None));
                self.from(sent, backoff, random)
            }
            Pace::Grow | Pace::Unchanged => {
                match timing {
                    Timing::Due => self.interval = Some(backoff.after(self.interval)),
                    Timing::Early => {}
                }
                self.from(sent, backoff, random)
            }
            Pace::AskAgain(after) => now.plus(after),
            Pace::Refused(_) | Pace::Over(_) => now.plus(SLOW),
            Pace::WhenAllowed(_) => return Next::WhenAllowed(sent),
        };
        let ends = self.ends(sent, now, ending);
        Next::At(ends.fold(at, Tick::min).max(now))
    }

    /// What ends at a time is looked at when it comes, not an interval later; what has come while a poll that failed was
    /// on its way is looked at now.
    fn ends(&self, sent: Tick, now: Tick, ending: Ending) -> impl Iterator<Item = Tick> {
        let unobserved = match ending {
            Ending::WhenOver { unobserved: Some(limit), .. } => {
                let end = self.last_good.unwrap_or(self.added).plus(limit);
                Some(if end > now { end } else { now.plus(ASK_AGAIN) })
            }
            Ending::WhenOver { unobserved: None, .. } | Ending::WhenStopped => None,
        };
        let looked_at = if self.track.failing().is_some() { sent } else { now };
        self.deadline().filter(|end| *end > looked_at).into_iter().chain(unobserved)
    }

    fn from(&self, sent: Tick, backoff: &BackoffPolicy, random: f64) -> Tick {
        sent.plus(backoff.jittered(self.interval.unwrap_or(backoff.initial()), random))
    }

    /// Whether the watch of this job ends with the answer that just came, although the job is not over.
    fn time_is_up(
        &self,
        sent: Tick,
        now: Tick,
        backoff: &BackoffPolicy,
        unobserved: Option<Duration>,
    ) -> Option<Verdict> {
        let failing = self.track.failing().map(|error| error.kind);
        let last = match self.look {
            Look::Last | Look::Final => true,
            // A poll that was on its way is no look at the deadline unless it shows something: this process may have
            // been stopped for hours meanwhile.
            Look::Usual => {
                let by = if failing.is_some() { sent } else { now };
                self.deadline().is_some_and(|deadline| deadline <= by)
            }
        };
        if last {
            return match failing {
                Some(ErrorKind::Throttled) if self.look == Look::Last => None,
                // What is to be confirmed is asked once more, too.
                None if self.is_doubted() && self.look != Look::Final => None,
                None => Some(Verdict::DeadlineExceeded),
                Some(ErrorKind::NotFound) => Some(Verdict::NotFound),
                // Asked once more before it counts, even at the last look. The second one ended the watch already.
                Some(ErrorKind::Denied | ErrorKind::Invalid) => None,
                Some(ErrorKind::Throttled | ErrorKind::Transient) => Some(self.unseen_at_the_end(now, backoff)),
            };
        }
        // Nor is a single failure after a long silence a proof that nothing could be seen.
        let unseen = now.since(self.last_good.unwrap_or(self.added));
        (self.track.failed_again() && unobserved.is_some_and(|limit| unseen >= limit)).then_some(Verdict::Unobservable)
    }

    /// The verdict on a job that was not over when the time was up and whose last poll failed, or never came.
    pub(super) fn unseen_at_the_end(&self, now: Tick, backoff: &BackoffPolicy) -> Verdict {
        match (self.track.failing(), self.last_good) {
            (None, Some(_)) => Verdict::DeadlineExceeded,
            (_, Some(good)) if is_fresh(good, now, backoff) => Verdict::DeadlineExceeded,
            (_, _) => Verdict::Unobservable,
        }
    }

    pub(super) fn view(&self, now: Now) -> JobView<'_> {
        let (percent, eta) = self.track.progress(now.tick, &self.watched.policy);
        JobView {
            watched: &self.watched,
            track: &self.track,
            lane: self.lane,
            percent,
            eta,
            polls: self.polls,
            next_poll: match self.state {
                State::Waiting(at) => Some(at.since(now.tick)),
                State::Ready(_) => Some(Duration::ZERO),
                State::InFlight | State::Expected(_) | State::Over(_) | State::Gone => None,
            },
            verdict: match self.state {
                State::Over(verdict) => Some(verdict),
                State::Waiting(_) | State::Ready(_) | State::InFlight | State::Expected(_) | State::Gone => None,
            },
        }
    }
}

/// A job as others may see it.
#[derive(Clone, Debug)]
pub struct JobView<'a> {
    /// Which job, and what its owner says of it.
    pub watched: &'a WatchedJob,
    /// All that is known of it.
    pub track: &'a JobTrack,
    /// Whose quota it uses.
    pub lane: LaneIndex,
    /// Percent done, where the total is known.
    pub percent: Option<f64>,
    /// Time left, where the total is known.
    pub eta: Option<Duration>,
    /// Requests made about this job alone.
    pub polls: u64,
    /// The time until the next poll; `None` while one is on its way and when the job is over.
    pub next_poll: Option<Duration>,
    /// How the watch of it ended; `None` while it goes on.
    pub verdict: Option<Verdict>,
}
