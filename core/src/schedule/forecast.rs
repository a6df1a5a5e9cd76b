//! What the scheduler will ask of an account and region, told beforehand: how many requests, and how long a change may
//! go unseen.
//!
//! Asked by those who check a plan. The tests hold it against the scheduler itself.

use std::time::Duration;

use super::rate::spacing;
use super::reader::{PAGE, SAVES, enough};
use super::{BackoffPolicy, Ceilings};

/// How many rounds of all its jobs at a ceiling a job waits at the most, where the ceiling binds.
const LONGEST_ROUND: f64 = 1.2;

/// The jobs of one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLoad {
    /// Jobs that are watched and not over.
    pub jobs: usize,
    /// Whether its list is read to find jobs.
    pub finding: Finding,
}

/// Whether a pool's list is read to find jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The pool is watched as a whole.
    AllJobs,
    /// Its jobs are named one by one.
    NamedOnly,
}

/// How jobs are observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By lists where that saves calls, and the lists show the jobs on their first pages.
    Lists,
    /// Each one alone, because lists are switched off or not allowed, or the jobs are far down in them.
    Alone,
}

/// Which ceiling makes a round of all jobs take longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tightest {
    /// That of the account and region.
    Lane,
    /// That of a pool.
    Pool,
}

/// What is asked of one account and region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Requests per second while nothing changes, with every job at its longest interval.
    pub calm: f64,
    /// Requests per second with every job at its first interval.
    pub busy: f64,
    /// The longest time from one look at a job to the next, without the time an answer takes.
    pub longest_unseen: Duration,
    /// How long one round of all jobs takes at the ceilings, for whoever waits longest.
    pub round: Duration,
    /// Which ceiling makes it so long.
    pub tightest: Tightest,
}

/// What the scheduler will ask for the pools of one account and region.
#[must_use]
pub fn forecast(pools: &[PoolLoad], way: Way, backoff: &BackoffPolicy, ceilings: &Ceilings) -> Forecast {
    let slot = |ceiling: f64| spacing(ceiling).as_secs_f64();
    let (of_lane, of_pool) = (slot(ceilings.per_lane()), slot(ceilings.per_pool()));
    let calm: Vec<Pace> = pools.iter().map(|pool| pool.calm(way, backoff, of_pool)).collect();
    let busy: Vec<Pace> = pools.iter().map(|pool| pool.busy(way, backoff, of_pool)).collect();
    let rate = |paces: &[Pace]| paces.iter().map(|pace| pace.rate.min(1.0 / of_pool)).sum::<f64>().min(1.0 / of_lane);
    let all: usize = calm.iter().map(|pace| pace.round).sum();
    let fullest = calm.iter().map(|pace| pace.round).max().unwrap_or(0);
    let (lane_round, pool_round) = (as_f64(all) * of_lane, as_f64(fullest) * of_pool);
    let (round, tightest) =
        if pool_round > lane_round { (pool_round, Tightest::Pool) } else { (lane_round, Tightest::Lane) };
    let round = seconds(LONGEST_ROUND * round);
    let gap = calm.iter().map(|pace| pace.gap).fold(backoff.max().as_secs_f64(), f64::max);
    // One that is due waits for the request before it, of its pool and of another.
    let behind = |requests: usize, slot: f64| if requests > 1 { slot } else { 0.0 };
    let turn = behind(fullest, of_pool) + behind(all, of_lane);
    Forecast { calm: rate(&calm), busy: rate(&busy), longest_unseen: seconds(gap + turn).max(round), round, tightest }
}

/// What is asked for one pool, where nothing but its own ceiling holds it up.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Requests per second.
    rate: f64,
    /// Requests that observe all of it once.
    round: usize,
    /// The longest time from one look at a job to the next, in seconds.
    gap: f64,
}

impl PoolLoad {
    fn pages(self) -> usize {
        self.jobs.div_ceil(PAGE as usize)
    }

    fn finds(self) -> usize {
        match self.finding {
            Finding::AllJobs => 1,
            Finding::NamedOnly => 0,
        }
    }

    /// While nothing changes: the jobs of a pool are due at about the same time, for a list showed them together.
    fn calm(self, way: Way, backoff: &BackoffPolicy, slot: f64) -> Pace {
        let saved = (self.jobs + self.finds()).saturating_sub(self.pages());
        self.pace(way, saved, backoff.max(), backoff, slot)
    }

    /// While all jobs change: each goes its own way, and half of them are far enough from their last look for a list
    /// to be of use.
    fn busy(self, way: Way, backoff: &BackoffPolicy, slot: f64) -> Pace {
        let saved = (self.jobs.div_ceil(2) + 1).saturating_sub(self.pages());
        self.pace(way, saved, backoff.initial(), backoff, slot)
    }

    fn pace(self, way: Way, saved: usize, interval: Duration, backoff: &BackoffPolicy, slot: f64) -> Pace {
        let (jobs, finds) = (as_f64(self.jobs), as_f64(self.finds()));
        let (interval, longest) = (interval.as_secs_f64(), backoff.max().as_secs_f64());
        let jitter = backoff.jitter();
        // The mean of an interval that jitter shortens.
        let mean = 1.0 - jitter / 2.0;
        let alone = |rate: f64| Pace { rate, round: self.jobs + self.finds(), gap: interval };
        match way {
            Way::Lists if saved >= SAVES => {
                // The shortest interval of those on a page makes it due.
                let together = as_f64((self.jobs + self.finds()).min(PAGE as usize));
                let first = interval * (1.0 - jitter * together / (together + 1.0));
                let pace = read(self.pages(), first, slot);
                // That is the mean; it may be as long as without jitter.
                Pace { gap: pace.gap + interval - first, ..pace }
            }
            Way::Lists => {
                // A list that is read to find jobs shows the known ones, too: half of them are spared a question, or all but
                // the first where all are due at the same moment.
                let spared = if jitter > 0.0 { jobs / 2.0 } else { (jobs - 1.0).max(0.0) };
                alone((jobs / interval + finds * (1.0 - spared) / longest) / mean)
            }
            Way::Alone => alone((jobs / interval + finds / longest) / mean),
        }
    }
}

/// How often a list of several pages is read of which each page is due an `interval` after it was read, in seconds.
///
/// A list is read from its beginning, as far as its pages are nearly due. A page takes a `slot` at the ceiling, so that
/// behind the first ones there are some that were read much later, and are read again later, with all before them.
fn read(pages: usize, interval: f64, slot: f64) -> Pace {
    const READINGS: usize = 64;
    let enough = interval * enough(u32::try_from(pages).unwrap_or(u32::MAX));
    let mut seen: Vec<f64> = (0..pages).map(|page| as_f64(page) * slot).collect();
    let (mut now, mut requests, mut gap) = (as_f64(pages) * slot, 0, interval);
    let begin = now;
    for _ in 0..READINGS {
        let Some((head, last)) = seen.iter().copied().enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)) else {
            break;
        };
        now = now.max(last + interval);
        let deepest = seen.iter().rposition(|seen| now - seen >= enough).unwrap_or(head);
        for seen in seen.iter_mut().take(deepest.max(head) + 1) {
            gap = gap.max(now - *seen);
            *seen = now;
            now += slot;
            requests += 1;
        }
    }
    let took = (now - begin).max(f64::MIN_POSITIVE);
    Pace { rate: as_f64(requests) / took, round: pages, gap }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of jobs end far below the first integer that is lost")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
