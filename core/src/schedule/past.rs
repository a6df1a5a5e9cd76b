//! What of a job is needed only when it is asked about or shown, packed while it waits: a daemon may watch a hundred
//! thousand jobs, and nearly all of them wait.
//!
//! Called by [`super::job`], which keeps beside it what decides whose turn it is.

use serde::{Deserialize, Serialize};

use super::BackoffPolicy;
use super::job::is_fresh;
use crate::domain::{JobPolicy, JobTrack, Tick, Timestamp, Verdict};

/// Times take more bytes the longer the process runs, and most of that comes soon; counters grow too.
const ROOM_TO_GROW: usize = 8;

/// Allocators give memory out by so many bytes.
const BLOCK: usize = 16;

/// What is known of a job, and since when.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Past {
    pub(super) track: JobTrack,
    sight: Sight,
    /// When it was created: by the service's clock once it has answered, until then by ours.
    created: Option<Tick>,
}

/// When it was seen last.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sight {
    /// Never, since it was added then.
    Never(Tick),
    /// At the last good answer.
    At(Tick),
}

impl Default for Sight {
    fn default() -> Self {
        Self::Never(Tick::ZERO)
    }
}

/// A past as it is packed: mostly two of its times follow from others.
#[derive(Serialize, Deserialize)]
struct Written<Track> {
    track: Track,
    sight: WrittenSight,
    created: WrittenCreation,
}

#[derive(Serialize, Deserialize)]
enum WrittenSight {
    Never(Tick),
    At(Tick),
    /// When the newest answer came.
    Newest,
}

#[derive(Serialize, Deserialize)]
enum WrittenCreation {
    At(Option<Tick>),
    /// As long before it was seen last as that answer says.
    ByService,
}

/// A past in as few bytes as it takes; none where nothing was heard of the job yet.
#[derive(Debug, Default)]
pub(super) struct Packed(Box<[u8]>);

impl Past {
    pub(super) fn begin(now: Tick) -> Self {
        Self { sight: Sight::Never(now), ..Self::default() }
    }

    /// Takes up what is known of the job from before, at a time on both clocks.
    pub(super) fn remember(&mut self, track: JobTrack, tick: Tick, wall: Timestamp) {
        let created = track.known().and_then(|known| known.created_at);
        self.created = created.map(|created| tick.minus(wall.since(created)));
        self.track = track;
    }

    /// Notes a good answer. Age is kept on the monotonic clock and set anew by each answer, for nobody's clock but the
    /// service's counts: ours may be wrong or be set, and the monotonic one stands still while the machine sleeps.
    pub(super) fn seen(&mut self, now: Tick, created: Option<Timestamp>, service_now: Timestamp) {
        self.sight = Sight::At(now);
        if let Some(created) = created {
            self.created = Some(now.minus(service_now.since(created)));
        }
    }

    pub(super) fn deadline(&self, policy: &JobPolicy) -> Option<Tick> {
        let (limit, created) = policy.deadline.zip(self.created)?;
        Some(created.plus(limit))
    }

    /// What the last good answer says of when the job was created.
    fn created_by_service(track: &JobTrack, sight: Sight) -> Option<Tick> {
        let Sight::At(seen) = sight else { return None };
        let then = track.date().or(track.last_good())?;
        Some(seen.minus(then.since(track.known()?.created_at?)))
    }

    fn written(&self) -> Written<&JobTrack> {
        let by_service = Self::created_by_service(&self.track, self.sight);
        Written {
            track: &self.track,
            sight: match self.sight {
                Sight::Never(at) => WrittenSight::Never(at),
                Sight::At(at) if self.track.newest() == Some(at) => WrittenSight::Newest,
                Sight::At(at) => WrittenSight::At(at),
            },
            created: match self.created {
                Some(_) if self.created == by_service => WrittenCreation::ByService,
                created => WrittenCreation::At(created),
            },
        }
    }

    fn read(Written { track, sight, created }: Written<JobTrack>) -> Self {
        let sight = match sight {
            WrittenSight::Never(at) => Sight::Never(at),
            WrittenSight::At(at) => Sight::At(at),
            WrittenSight::Newest => Sight::At(track.newest().unwrap_or_default()),
        };
        let created = match created {
            WrittenCreation::At(created) => created,
            WrittenCreation::ByService => Self::created_by_service(&track, sight),
        };
        Self { track, sight, created }
    }

    /// Since when nothing was seen of it.
    pub(super) fn unseen_since(&self) -> Tick {
        match self.sight {
            Sight::Never(at) | Sight::At(at) => at,
        }
    }

    /// The verdict on a job that was not over when the time was up and whose last poll failed, or never came.
    pub(super) fn unseen_at_the_end(&self, now: Tick, backoff: &BackoffPolicy) -> Verdict {
        match (self.track.failing(), self.sight) {
            (None, Sight::At(_)) => Verdict::DeadlineExceeded,
            (_, Sight::At(good)) if is_fresh(good, now, backoff) => Verdict::DeadlineExceeded,
            (_, _) => Verdict::Unobservable,
        }
    }
}

impl Packed {
    /// Packs a past in place of what was packed. What is read again and again stays where it is in memory.
    pub(super) fn pack(&mut self, past: &Past) {
        let written = past.written();
        if postcard::to_slice(&written, &mut self.0).is_err() {
            // It fails for want of room alone: every type has a known length.
            let bytes = postcard::to_allocvec(&written).unwrap_or_default();
            let mut room = vec![0; bytes.len().next_multiple_of(BLOCK) + ROOM_TO_GROW].into_boxed_slice();
            for (to, from) in room.iter_mut().zip(bytes) {
                *to = from;
            }
            self.0 = room;
        }
    }

    /// The past of a job that was added at a time, unless it was packed since.
    pub(super) fn unpack(&self, added: Tick) -> Past {
        // What was packed can be unpacked.
        postcard::from_bytes(&self.0).map_or_else(|_| Past::begin(added), Past::read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        Counts, ErrorKind, JobSnapshot, JobStatus, Limit, Observation, Outcome, PollError, Terms, WatchedJob,
        track::AskedBy,
    };

    fn outcome() -> impl Strategy<Value = Outcome> {
        let time = || proptest::option::of(any::<i64>().prop_map(Timestamp::from_millis));
        let words = [JobStatus::KNOWN.map(|status| status.to_string()).as_slice(), &["Paused".to_owned()]].concat();
        let text = || proptest::option::of(".{0,40}".prop_map(|text| text.into_boxed_str()));
        let account = proptest::option::of("[0-9]{12}".prop_map(|digits| digits.parse().unwrap()));
        let seen =
            (proptest::sample::select(words), any::<[u64; 3]>(), [time(), time(), time()], [text(), text()], account);
        let seen = seen.prop_map(
            |(word, [imported, skipped, failed], [created_at, started_at, completed_at], texts, account)| {
                let [job_name, completion_message] = texts;
                let counts = Counts { imported, skipped, failed };
                let status = JobStatus::from_wire(&word);
                let snapshot = JobSnapshot {
                    job_name,
                    status,
                    counts,
                    created_at,
                    started_at,
                    completed_at,
                    completion_message,
                    account,
                };
                Outcome::Seen { snapshot, date: None, by: AskedBy::Describe }
            },
        );
        let kind = proptest::sample::select(ErrorKind::ALL.to_vec());
        prop_oneof![seen, (kind, ".{0,40}").prop_map(|(kind, text)| Outcome::Failed(PollError::new(kind, text)))]
    }

    proptest! {
        #[test]
        fn whatever_was_packed_is_unpacked_as_it_was(outcomes in proptest::collection::vec(outcome(), 0..6), at in any::<u64>(), service_now in any::<i64>()) {
            let policy = JobPolicy { max_failed_users: Limit::Any, ..JobPolicy::default() };
            let terms = Terms {
                name: None, account: None, policy: policy.into(), progress_interval: std::time::Duration::ZERO,
            };
            let job = WatchedJob { target: "us-west-2_EXAMPLE/import-a".parse().unwrap(), terms: terms.into() };
            let mut tick = Tick::from_start(std::time::Duration::from_nanos(at / 2));
            let (mut past, mut packed) = (Past::begin(tick), Packed::default());
            prop_assert_eq!(packed.unpack(tick), past.clone());
            for outcome in outcomes {
                tick = tick.plus(std::time::Duration::from_secs(1));
                if let Outcome::Seen { snapshot, .. } = &outcome {
                    past.seen(tick, snapshot.created_at, Timestamp::from_millis(service_now));
                }
                let observation = Observation { sent: tick, arrived: tick, at: Timestamp::from_millis(service_now), outcome };
                past.track = past.track.step(&job, observation).next;
                packed.pack(&past);
                prop_assert_eq!(packed.unpack(Tick::ZERO), past.clone());
            }
        }
    }
}
