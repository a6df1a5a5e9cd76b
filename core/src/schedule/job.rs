//! One watched job in the scheduler: when it is asked about next, and when its watch is over.

mod state;

use std::sync::Arc;
use std::time::Duration;

use super::past::{Packed, Past};
use super::reader::Seat;
use super::settings::Ending;
use super::turn::{Class, Turn};
use super::{BackoffPolicy, LaneIndex, Now};
use crate::domain::track::{ASK_AGAIN, Pace};
use crate::domain::{ErrorKind, JobId, JobTrack, Target, Terms, Tick, UserPoolId, Verdict, WatchedJob};
use state::{Confirm, Standing};
pub(super) use state::{Lists, Look, Next, Rhythm, State, Timing};

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
    pub(super) id: JobId,
    pub(super) terms: Arc<Terms>,
    past: Packed,
    standing: Standing,
    place: u32,
    pub(super) state: State,
    pub(super) polls: u32,
    /// When it was asked about last, alone or with others; at first, when it was added.
    pub(super) asked: Tick,
    pub(super) rhythm: Rhythm,
    pub(super) seat: Seat,
    pub(super) lists: Lists,
    /// As what it is counted among those that share its ceilings; `None` where it is not asked about any more.
    pub(super) counted: Option<Class>,
    confirm: Confirm,
    look: Look,
}

impl JobSlot {
    pub(super) fn new(watched: WatchedJob, place: usize, now: Tick) -> Self {
        Self {
            id: watched.target.job,
            terms: watched.terms,
            past: Packed::default(),
            standing: Standing::Quiet,
            place: narrow(place),
            state: State::Waiting(now),
            polls: 0,
            asked: now,
            rhythm: Rhythm::New { rank: 0 },
            seat: Seat::Behind(0),
            lists: Lists::Trusted,
            counted: None,
            confirm: Confirm::Nothing,
            look: Look::Usual,
        }
    }

    /// The job, in full. Its pool is that of its place.
    pub(super) fn watched(&self, pool: &UserPoolId) -> WatchedJob {
        WatchedJob { target: self.target(pool), terms: Arc::clone(&self.terms) }
    }

    /// Which job it is.
    pub(super) fn target(&self, pool: &UserPoolId) -> Target {
        Target { pool: pool.clone(), job: self.id.clone() }
    }

    /// The place it is at.
    pub(super) fn place(&self) -> usize {
        self.place as usize
    }

    /// From here on it is asked about at another place.
    pub(super) fn move_to(&mut self, place: usize) {
        self.place = narrow(place);
    }

    /// What is known of it.
    pub(super) fn past(&self) -> Past {
        self.past.unpack(self.asked)
    }

    /// Keeps what is known of it until it is asked about again.
    pub(super) fn keep(&mut self, past: &Past) {
        self.standing = Standing::of(&past.track);
        self.past.pack(past);
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
            interval: self.rhythm.interval().unwrap_or_default(),
            rank: match self.rhythm {
                Rhythm::New { rank } => Some(rank),
                Rhythm::Asked(_) => None,
            },
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
        matches!(self.rhythm, Rhythm::New { .. })
    }

    /// Whether it is refused, or was not found.
    pub(super) fn is_refused(&self) -> bool {
        self.standing == Standing::Refused
    }

    /// Whether it is being imported, as far as is known.
    pub(super) fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }

    /// Whether a list may stand for a question about it.
    pub(super) fn is_listable(&self) -> bool {
        !self.is_doubted() && !self.is_refused() && self.lists == Lists::Trusted
    }

    /// Takes up what is known of the job from before; one that was over stays so.
    pub(super) fn remember(&mut self, track: JobTrack, now: Now) {
        let mut past = self.past();
        past.remember(track, now.tick, now.wall);
        self.keep(&past);
        self.judge_anew();
    }

    /// Judges what is known by the policy as it is now.
    pub(super) fn judge_anew(&mut self) {
        let past = self.past();
        let Some(known) = past.track.known() else { return };
        if let Some(verdict) = self.terms.policy.judge(&known.status, known.counts) {
            self.state = State::Over(verdict);
        }
    }

    /// When to ask next, from the pace of the job's step and what is known with it. `sent` is when the poll was sent:
    /// intervals are counted from there. `random` is within 0 and 1.
    #[expect(clippy::too_many_arguments, reason = "what an answer brings, and the settings")]
    pub(super) fn next(
        &mut self,
        past: &Past,
        pace: Pace,
        timing: Timing,
        sent: Tick,
        now: Tick,
        backoff: &BackoffPolicy,
        ending: Ending,
        random: f64,
    ) -> Next {
        self.asked = self.asked.max(sent);
        let interval = self.rhythm.interval();
        self.rhythm = Rhythm::Asked(interval);
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
            && let Some(verdict) = self.time_is_up(past, sent, now, backoff, unobserved)
        {
            return Next::Over(verdict);
        }
        let at = match pace {
            Pace::Restart => {
                self.rhythm = Rhythm::Asked(Some(backoff.after(None)));
                self.from(sent, backoff, random)
            }
            Pace::Grow | Pace::Unchanged => {
                match timing {
                    Timing::Due => self.rhythm = Rhythm::Asked(Some(backoff.after(interval))),
                    Timing::Early => {}
                }
                self.from(sent, backoff, random)
            }
            Pace::AskAgain(after) => now.plus(after),
            Pace::Refused(_) | Pace::Over(_) => now.plus(SLOW),
            Pace::WhenAllowed(_) => return Next::WhenAllowed(sent),
        };
        let ends = self.ends(past, sent, now, ending);
        Next::At(ends.fold(at, Tick::min).max(now))
    }

    /// What ends at a time is looked at when it comes, not an interval later; what has come while a poll that failed was
    /// on its way is looked at now.
    fn ends(&self, past: &Past, sent: Tick, now: Tick, ending: Ending) -> impl Iterator<Item = Tick> + use<> {
        let unobserved = match ending {
            Ending::WhenOver { unobserved: Some(limit), .. } => {
                let end = past.unseen_since().plus(limit);
                Some(if end > now { end } else { now.plus(ASK_AGAIN) })
            }
            Ending::WhenOver { unobserved: None, .. } | Ending::WhenStopped => None,
        };
        let looked_at = if past.track.failing().is_some() { sent } else { now };
        let deadline = past.deadline(&self.terms.policy).filter(|end| *end > looked_at);
        deadline.into_iter().chain(unobserved)
    }

    fn from(&self, sent: Tick, backoff: &BackoffPolicy, random: f64) -> Tick {
        sent.plus(backoff.jittered(self.rhythm.interval().unwrap_or(backoff.initial()), random))
    }

    /// Whether the watch of this job ends with the answer that just came, although the job is not over.
    fn time_is_up(
        &self,
        past: &Past,
        sent: Tick,
        now: Tick,
        backoff: &BackoffPolicy,
        unobserved: Option<Duration>,
    ) -> Option<Verdict> {
        let failing = past.track.failing().map(|error| error.kind);
        let last = match self.look {
            Look::Last | Look::Final => true,
            // A poll that was on its way is no look at the deadline unless it shows something: this process may have
            // been stopped for hours meanwhile.
            Look::Usual => {
                let by = if failing.is_some() { sent } else { now };
                past.deadline(&self.terms.policy).is_some_and(|deadline| deadline <= by)
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
                Some(ErrorKind::Throttled | ErrorKind::Transient) => Some(past.unseen_at_the_end(now, backoff)),
            };
        }
        // Nor is a single failure after a long silence a proof that nothing could be seen.
        let unseen = now.since(past.unseen_since());
        (past.track.failed_again() && unobserved.is_some_and(|limit| unseen >= limit)).then_some(Verdict::Unobservable)
    }

    pub(super) fn view(&self, pool: &UserPoolId, lane: LaneIndex, now: Now) -> JobView {
        let track = self.past().track;
        let (percent, eta) = track.progress(now.tick, &self.terms.policy);
        JobView {
            watched: self.watched(pool),
            track,
            lane,
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

/// No machine holds more places.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// A job as others may see it.
#[derive(Clone, Debug)]
pub struct JobView {
    /// Which job, and what its owner says of it.
    pub watched: WatchedJob,
    /// All that is known of it.
    pub track: JobTrack,
    /// Whose quota it uses.
    pub lane: LaneIndex,
    /// Percent done, where the total is known.
    pub percent: Option<f64>,
    /// Time left, where the total is known.
    pub eta: Option<Duration>,
    /// Requests made about this job alone.
    pub polls: u32,
    /// The time until the next poll; `None` while one is on its way and when the job is over.
    pub next_poll: Option<Duration>,
    /// How the watch of it ended; `None` while it goes on.
    pub verdict: Option<Verdict>,
}
