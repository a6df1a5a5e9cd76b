//! A pool in its lane: its jobs, what of it is due, and how its list is read.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::LaneIndex;
use super::job::JobSlot;
use super::lane::{Lane, Permit, PoolBucket};
use super::reader::Reader;
use super::turn::{Class, Crowd, Turn};
use crate::domain::{Tick, UserPoolId};

/// What is due, or asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// A job alone.
    Job(usize),
    /// The next page of a place's list.
    Page(usize),
}

/// A request on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// What was asked about, unless nobody watches it any more.
    pub(super) item: Option<Item>,
    /// Whose account it is on.
    pub(super) place: usize,
    pub(super) permit: Permit,
}

/// Room for so many jobs that are due is not given back.
const FEW: usize = 16;

/// A pool in its lane.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) lane: LaneIndex,
    pub(super) pool: UserPoolId,
    pub(super) bucket: PoolBucket,
    /// The jobs that are due, of each class the longest unasked first. Those that are no longer are dropped when they
    /// come up.
    moving: Queue,
    sleeping: Queue,
    new: Queue,
    /// The next page of its list, while it waits for the lane.
    pub(super) page: Option<Turn>,
    /// What waits for a list that is better than one more question about a job alone.
    pub(super) held: Held,
    /// The pool that is watched as a whole.
    pub(super) watched: Option<usize>,
    /// Its jobs, with some that are over or gone.
    pub(super) jobs: Vec<usize>,
    /// Its jobs that are over, with some that are gone.
    pub(super) over: Vec<usize>,
    pub(super) crowd: Crowd,
    pub(super) reader: Reader,
}

impl Place {
    /// Whether something is watched there.
    pub(super) fn is_used(&self) -> bool {
        self.watched.is_some() || !self.jobs.is_empty() || !self.over.is_empty()
    }

    pub(super) fn new(lane: LaneIndex, pool: UserPoolId, bucket: PoolBucket) -> Self {
        Self {
            lane,
            pool,
            bucket,
            moving: Queue::new(),
            sleeping: Queue::new(),
            new: Queue::new(),
            page: None,
            held: Held::default(),
            watched: None,
            jobs: Vec::new(),
            over: Vec::new(),
            crowd: Crowd::default(),
            reader: Reader::new(),
        }
    }
}

/// Jobs by when they were asked about last.
type Queue = BinaryHeap<Reverse<(Tick, usize)>>;

impl Place {
    /// Has a job of this class wait that was asked about last at `asked`.
    pub(super) fn queue(&mut self, class: Class, asked: Tick, job: usize) {
        self.queue_of(class).push(Reverse((asked, job)));
    }

    fn queue_of(&mut self, class: Class) -> &mut Queue {
        match class {
            Class::Moving => &mut self.moving,
            Class::Sleeping => &mut self.sleeping,
            Class::New => &mut self.new,
        }
    }

    /// Takes over the new numbers of its jobs, and forgets those that have none.
    pub(super) fn renumber(&mut self, job: impl Fn(usize) -> Option<usize>) {
        for jobs in [&mut self.jobs, &mut self.over] {
            *jobs = jobs.iter().copied().filter_map(&job).collect();
        }
        for class in Class::ALL {
            let queue = self.queue_of(class);
            let kept = |Reverse((asked, index))| Some(Reverse((asked, job(index)?)));
            *queue = std::mem::take(queue).into_iter().filter_map(kept).collect();
        }
    }

    /// Sets those of its jobs apart that are over.
    pub(super) fn part(&mut self, jobs: &[JobSlot]) {
        let is_open = |index: &mut usize| jobs.get(*index).is_some_and(|job| job.state.is_open());
        self.over.extend(self.jobs.extract_if(.., |index| !is_open(index)));
    }

    /// How many jobs wait, with those that no longer do.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.jobs.len() + self.moving.len() + self.sleeping.len() + self.new.len()
    }

    /// The first job of this class.
    pub(super) fn first(&self, class: Class) -> Option<usize> {
        let queue = match class {
            Class::Moving => &self.moving,
            Class::Sleeping => &self.sleeping,
            Class::New => &self.new,
        };
        queue.peek().map(|Reverse((_, job))| *job)
    }

    /// Drops the jobs before the first of each class that waits here, at the place `index`. Whether anything does.
    pub(super) fn drop_overtaken(&mut self, index: usize, jobs: &[JobSlot]) -> bool {
        for class in Class::ALL {
            let queue = self.queue_of(class);
            while let Some(Reverse((asked, job))) = queue.peek() {
                let waits = |job: &JobSlot| {
                    job.is_ready() && job.place() == index && job.asked == *asked && job.counted == Some(class)
                };
                if jobs.get(*job).is_some_and(waits) {
                    break;
                }
                queue.pop();
            }
            if queue.is_empty() {
                queue.shrink_to(FEW);
            }
        }
        self.page.is_some() || Class::ALL.into_iter().any(|class| self.first(class).is_some())
    }
}

/// The classes of jobs that wait for a list, and until when.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held([Option<HeldUntil>; 3]);

/// When jobs that wait for a list are looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeldUntil {
    /// A list may be sent then.
    At(Tick),
    /// The reading that is under way ends.
    TheEnd,
}

impl Held {
    pub(super) fn hold(&mut self, class: Class, until: HeldUntil) {
        self.0[class as usize] = Some(until);
    }

    /// When the class may be asked about; `None` while a reading is under way.
    pub(super) fn ready_at(&self, class: Class, now: Tick) -> Option<Tick> {
        match self.0[class as usize] {
            None => Some(now),
            Some(HeldUntil::At(at)) => Some(at),
            Some(HeldUntil::TheEnd) => None,
        }
    }
}

/// A lane and its places.
#[derive(Debug)]
pub(super) struct LaneSlot {
    pub(super) lane: Lane,
    /// The places where something is due.
    pub(super) busy: BTreeSet<usize>,
    pub(super) crowd: Crowd,
    /// The jobs that move and are not due yet, by when they are.
    pub(super) coming: BTreeSet<(Tick, usize)>,
    /// When it is to be looked at again without anything happening.
    pub(super) wake: Option<Tick>,
}

impl LaneSlot {
    pub(super) fn new(lane: Lane) -> Self {
        Self { lane, busy: BTreeSet::new(), crowd: Crowd::default(), coming: BTreeSet::new(), wake: None }
    }
}
