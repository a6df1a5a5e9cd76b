//! The list of one pool as a way to observe its jobs: when a list costs fewer calls than to ask about each, and how far
//! it is read. Newest jobs come first, and a page holds up to 60.
//!
//! Called by the scheduler for each pool that has jobs or is watched as a whole.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use super::job::JobSlot;
use super::turn::{Class, Turn};
use crate::domain::{ErrorKind, Tick};

/// The most jobs on a page, by the service's API.
pub(super) const PAGE: u32 = 60;

/// How many calls a list must save. A page of sixty jobs is 45 kB and takes as much work as three questions about single
/// jobs (172 against 52 µs measured): for two or three jobs it is no gain.
///
/// In the table `usual` a value of 1 changes little; 6 makes it 287 calls a minute in place of 130 where 300 jobs sleep over
/// 50 pools.
pub(super) const SAVES: usize = 3;

/// How long a list that failed is left alone, while its jobs are asked about one by one.
const REST: Duration = Duration::from_secs(60);

/// The same for one that was refused. The rights for it may be missing on purpose.
const LONG_REST: Duration = Duration::from_secs(60 * 60);

/// So many throttles in a row and a list is left alone.
const GIVEN_UP_AFTER: u32 = 3;

/// Where in its pool's list a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    /// Not on so many first pages.
    Behind(u32),
    /// So many newer ones were before it when it was shown last.
    At(u32),
    /// The list was read to its end without it.
    Missing,
}

/// How a pool's list is being read.
#[derive(Debug)]
pub(super) struct Reader {
    state: Reading,
    /// The most jobs ever on a page: the service may hold fewer than it was asked for.
    page: u32,
    rests_until: Tick,
    /// Throttles in a row.
    throttles: u32,
}

#[derive(Debug)]
enum Reading {
    Idle,
    Begun {
        /// That of the job, or the pool, which it began with.
        turn: Turn,
        /// Where the next page begins; `None` for the newest job.
        token: Option<String>,
        /// Pages read so far, and the jobs on them.
        pages: u32,
        jobs: u32,
        /// Pages that the jobs are worth.
        depth: u32,
        finds: Finds,
    },
}

/// Whether a reading still looks for jobs that nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finds {
    /// The pool is watched as a whole, and this reading has not met what is known.
    Jobs,
    /// No more, or never.
    Nothing,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { state: Reading::Idle, page: PAGE, rests_until: Tick::ZERO, throttles: 0 }
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, Reading::Idle)
    }

    /// Whether the list may be asked for at all.
    pub(super) fn rests(&self, now: Tick) -> bool {
        now < self.rests_until
    }

    pub(super) fn begin(&mut self, turn: Turn, depth: u32, finds: Finds) {
        self.state = Reading::Begun { turn, token: None, pages: 0, jobs: 0, depth, finds };
    }

    pub(super) fn token(&self) -> Option<&str> {
        match &self.state {
            Reading::Idle => None,
            Reading::Begun { token, .. } => token.as_deref(),
        }
    }

    /// What decides when the next page has its turn; `None` while nothing is read.
    pub(super) fn turn(&self) -> Option<Turn> {
        match &self.state {
            Reading::Idle => None,
            Reading::Begun { turn, .. } => Some(*turn),
        }
    }

    /// The class of what is read for; `None` while nothing is.
    pub(super) fn class(&self) -> Option<Class> {
        self.turn().map(|turn| turn.class)
    }

    pub(super) fn finds(&self) -> Finds {
        match &self.state {
            Reading::Idle => Finds::Nothing,
            Reading::Begun { finds, .. } => *finds,
        }
    }

    /// From here on this reading finds nothing new.
    pub(super) fn found_all(&mut self) {
        if let Reading::Begun { finds, .. } = &mut self.state {
            *finds = Finds::Nothing;
        }
    }

    /// Which page, counted from 0, a job is taken to be on; `None` for one that lists do not show.
    pub(super) fn page_of(&self, seat: Seat) -> Option<u32> {
        match seat {
            Seat::Behind(pages) => Some(pages),
            Seat::At(index) => Some(index / self.page),
            Seat::Missing => None,
        }
    }

    /// Takes in a page of so many jobs. Gives the index of its first job.
    pub(super) fn page(&mut self, shown: usize, next: Option<String>) -> u32 {
        self.throttles = 0;
        let shown = u32::try_from(shown).unwrap_or(u32::MAX);
        let Reading::Begun { token, pages, jobs, .. } = &mut self.state else { return 0 };
        let first = *jobs;
        *token = next;
        *pages = pages.saturating_add(1);
        *jobs = jobs.saturating_add(shown);
        // A page that is followed by another is a full one.
        if token.is_some() && shown > 0 {
            self.page = shown.min(PAGE);
        }
        first
    }

    /// Whether there is more to read, and a reason to: jobs that may be found, or so many that are still to be shown,
    /// and that are not as deep as was thought or worth a longer list by themselves.
    pub(super) fn reads_on(&self, expected: usize) -> bool {
        match &self.state {
            Reading::Idle => false,
            Reading::Begun { token: None, .. } => false,
            Reading::Begun { finds: Finds::Jobs, .. } => true,
            Reading::Begun { pages, depth, .. } => {
                expected > 0 && (pages < depth || expected > *pages as usize + SAVES)
            }
        }
    }

    /// Ends the reading. Gives the seat of a job that was expected and not shown.
    pub(super) fn end(&mut self) -> Seat {
        match std::mem::replace(&mut self.state, Reading::Idle) {
            Reading::Begun { token: Some(_), pages, .. } => Seat::Behind(pages),
            Reading::Begun { token: None, .. } | Reading::Idle => Seat::Missing,
        }
    }

    /// Ends the reading with a failure.
    pub(super) fn failed(&mut self, kind: ErrorKind, now: Tick) {
        self.state = Reading::Idle;
        match kind {
            // The first one is waited for: all that it should show, one by one, would be far more.
            ErrorKind::Throttled => {
                self.throttles += 1;
                if self.throttles >= GIVEN_UP_AFTER {
                    self.rests_until = now.plus(REST);
                }
            }
            ErrorKind::Transient => self.rests_until = now.plus(REST),
            ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Invalid => self.rests_until = now.plus(LONG_REST),
        }
    }

    /// How far to read where that saves enough calls over asking about each job alone, and `head` is among
    /// those that are shown; `None` where it does not. `jobs` are those of the place that lists may show; `finding`
    /// counts as one more on the first page.
    pub(super) fn worth<'a>(
        &self,
        head: &JobSlot,
        jobs: impl Iterator<Item = &'a JobSlot>,
        finding: Finds,
        now: Tick,
    ) -> Option<Depth> {
        let least = self.page_of(head.seat)?;
        // One that moves does not wait for pages that others are on.
        let is_meant = |job: &&JobSlot| match (head.counted, job.counted) {
            (Some(Class::Moving), Some(Class::Sleeping | Class::New) | None) => {
                least == 0 && self.page_of(job.seat) == Some(0)
            }
            (Some(Class::Moving), Some(Class::Moving)) | (Some(Class::Sleeping | Class::New) | None, _) => true,
        };
        let jobs: Vec<(u32, f64)> =
            jobs.filter(is_meant).filter_map(|job| Some((self.page_of(job.seat)?, job.waited(now)?))).collect();
        let pages: BTreeSet<u32> = jobs.iter().map(|(page, _)| *page).collect();
        let finds = match finding {
            Finds::Jobs => 1,
            Finds::Nothing => 0,
        };
        let best = |least: u32, enough: f64| {
            let depths = pages.iter().filter(|page| **page >= least).map(|page| page + 1);
            let saved = depths.map(|depth| {
                let shown = jobs.iter().filter(|(page, waited)| *page < depth && *waited >= enough).count();
                ((shown + finds).saturating_sub(depth as usize), Reverse(depth))
            });
            saved.max().filter(|(saved, _)| *saved >= SAVES).map(|(_, Reverse(depth))| depth)
        };
        let enough = enough(best(0, 0.0)?);
        Some(Depth { pages: best(least, enough)?, enough })
    }
}

/// How far a list is read for the sake of jobs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Depth {
    pub(super) pages: u32,
    /// The part of its interval that a job must have waited to be shown by it.
    pub(super) enough: f64,
}

impl Depth {
    /// No further than for another reason; of that, what is as good as due.
    pub(super) fn of(pages: u32) -> Self {
        Self { pages, enough: enough(1) }
    }
}

/// The part of its interval that a job must have waited to be shown by a list that is read for another one, in a pool
/// where all jobs are on so many pages. The first page costs no more than to ask about that one; for the others it has
/// to be late enough that not many more lists are read.
pub(super) fn enough(pages: u32) -> f64 {
    (1.0 - 1.0 / f64::from(pages.max(1))).max(0.5)
}
