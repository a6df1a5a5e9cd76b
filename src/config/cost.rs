//! What a plan asks of the service, before anything is asked: calls per minute, and how late a change may be seen.
//! Called by `check`, which lays it out.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use cognito_import_watch_core::domain::UserPoolId;

use super::duration::format_duration;
use super::plan::{AccountRef, Plan};

/// Cognito's quota per account and region, requests per second: category `UserPoolResourceRead`, shared by all callers.
const QUOTA_PER_LANE: f64 = 20.0;

/// Cognito's quota per pool and operation, requests per second.
const QUOTA_PER_POOL: f64 = 5.0;

/// What a plan asks of the service.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanCost {
    /// Each account and region, in the order of the accounts, then of the regions' names.
    pub lanes: Vec<LaneCost>,
    /// The longest interval between two polls of a job that the plan promises.
    pub max_interval: Duration,
    /// What its owner may not have meant.
    pub warnings: Vec<CostWarning>,
}

/// What a plan asks of one account and region. Each job counts as one `DescribeUserImportJob` per poll and each pool
/// as one `ListUserImportJobs`; lists that stand for many jobs make it less, a list of more than 60 jobs makes it more.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneCost {
    /// The account's name in the file; none for the default credential chain.
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// Jobs named one by one.
    pub jobs: usize,
    /// Pools watched as a whole.
    pub pools: usize,
    /// Calls per minute while nothing changes: every job at the longest interval, shortened by the mean jitter, as far as
    /// the ceilings allow.
    pub calls_per_minute: f64,
    /// Calls per minute with every job at the initial interval, as far as the ceilings allow.
    pub calls_per_minute_after_changes: f64,
    /// Calls per minute that the ceilings allow: that of the lane, or those of its pools together where that is less.
    pub ceiling_per_minute: f64,
    /// Which ceiling makes a round take longest.
    pub tightest: CeilingKey,
    /// The longest time that a change can go unseen while the service answers: the longest interval, or one round at
    /// the ceiling of the lane or of its fullest pool where that takes longer.
    pub longest_unseen: Duration,
}

/// A ceiling, as the file calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CeilingKey {
    /// `throttle.requests_per_second`, of an account and region.
    Lane,
    /// `throttle.requests_per_second_per_pool`.
    Pool,
}

impl CeilingKey {
    fn as_str(self) -> &'static str {
        match self {
            Self::Lane => "requests_per_second",
            Self::Pool => "requests_per_second_per_pool",
        }
    }
}

/// Something about a plan's cost that its owner should know.
#[derive(Clone, Debug, PartialEq)]
pub enum CostWarning {
    /// The ceilings do not let every job be polled in the longest interval.
    IntervalNotKept {
        /// The account's name in the file; none for the default credential chain.
        account: Option<String>,
        /// The region.
        region: String,
        /// How long one round takes.
        longest_unseen: Duration,
        /// The interval that is not kept.
        max_interval: Duration,
        /// The ceiling that stands in the way.
        tightest: CeilingKey,
    },
    /// `throttle.requests_per_second` is above Cognito's quota.
    LaneAboveQuota {
        /// Requests per second.
        ceiling: f64,
    },
    /// `throttle.requests_per_second_per_pool` is above Cognito's quota.
    PoolAboveQuota {
        /// Requests per second.
        ceiling: f64,
    },
}

impl Plan {
    /// What this plan asks of the service at the most.
    #[must_use]
    pub fn cost(&self) -> PlanCost {
        let mut lanes: BTreeMap<(AccountRef, &str), Lane<'_>> = BTreeMap::new();
        for job in &self.jobs {
            let lane = lanes.entry((job.account, job.target.pool.region())).or_default();
            lane.jobs += 1;
            *lane.calls.entry(&job.target.pool).or_default() += 1;
        }
        for pool in &self.pools {
            let lane = lanes.entry((pool.account, pool.id.region())).or_default();
            lane.pools += 1;
            *lane.calls.entry(&pool.id).or_default() += 1;
        }
        let lanes: Vec<LaneCost> =
            lanes.into_iter().map(|((account, region), lane)| self.lane_cost(account, region, &lane)).collect();
        let max_interval = self.poll.backoff.max();
        let mut warnings = Vec::new();
        if self.ceilings.per_lane() > QUOTA_PER_LANE {
            warnings.push(CostWarning::LaneAboveQuota { ceiling: self.ceilings.per_lane() });
        }
        if self.ceilings.per_pool() > QUOTA_PER_POOL {
            warnings.push(CostWarning::PoolAboveQuota { ceiling: self.ceilings.per_pool() });
        }
        warnings.extend(lanes.iter().filter(|lane| lane.longest_unseen > max_interval).map(|lane| {
            CostWarning::IntervalNotKept {
                account: lane.account.clone(),
                region: lane.region.clone(),
                longest_unseen: lane.longest_unseen,
                max_interval,
                tightest: lane.tightest,
            }
        }));
        PlanCost { lanes, max_interval, warnings }
    }

    fn lane_cost(&self, account: AccountRef, region: &str, lane: &Lane<'_>) -> LaneCost {
        let backoff = &self.poll.backoff;
        let (per_lane, per_pool) = (self.ceilings.per_lane(), self.ceilings.per_pool());
        let calls = as_f64(lane.jobs + lane.pools);
        let fullest_pool = as_f64(lane.calls.values().copied().max().unwrap_or(0));
        let mean = 1.0 - backoff.jitter() / 2.0;
        let per_minute = |interval: Duration| {
            let rate = |calls: usize| (as_f64(calls) / (interval.as_secs_f64() * mean)).min(per_pool);
            60.0 * lane.calls.values().copied().map(rate).sum::<f64>().min(per_lane)
        };
        let (of_lane, of_pool) = (calls / per_lane, fullest_pool / per_pool);
        let (round, tightest) =
            if of_pool > of_lane { (of_pool, CeilingKey::Pool) } else { (of_lane, CeilingKey::Lane) };
        LaneCost {
            account: self.account(account).and_then(|account| account.name.clone()),
            region: region.to_owned(),
            jobs: lane.jobs,
            pools: lane.pools,
            calls_per_minute: per_minute(backoff.max()),
            calls_per_minute_after_changes: per_minute(backoff.initial()),
            ceiling_per_minute: 60.0 * per_lane.min(as_f64(lane.calls.len()) * per_pool),
            tightest,
            longest_unseen: backoff.max().max(Duration::try_from_secs_f64(round).unwrap_or(Duration::MAX)),
        }
    }
}

/// The calls of one round.
#[derive(Default)]
struct Lane<'a> {
    jobs: usize,
    pools: usize,
    calls: BTreeMap<&'a UserPoolId, usize>,
}

#[expect(clippy::cast_precision_loss, reason = "numbers of jobs end far below the first integer that is lost")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

/// `1 job`, `2 jobs`
fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `account "prod", us-west-2`
fn lane_name(account: Option<&str>, region: &str) -> String {
    match account {
        Some(name) => format!("account \"{}\", {region}", name.escape_debug()),
        None => format!("the default credentials, {region}"),
    }
}

impl fmt::Display for LaneCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} and {}; {:.0} calls a minute while nothing changes, {:.0} after changes, at most {:.0}; \
             a change is seen within {}",
            lane_name(self.account.as_deref(), &self.region),
            counted(self.jobs, "job"),
            counted(self.pools, "pool"),
            self.calls_per_minute,
            self.calls_per_minute_after_changes,
            self.ceiling_per_minute,
            format_duration(self.longest_unseen),
        )
    }
}

impl fmt::Display for CostWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IntervalNotKept { account, region, longest_unseen, max_interval, tightest } => write!(
                f,
                "{}: one round at the ceiling takes {}, longer than poll.max_interval, {}: raise [throttle] \
                 {}, or max_interval",
                lane_name(account.as_deref(), region),
                format_duration(*longest_unseen),
                format_duration(*max_interval),
                tightest.as_str(),
            ),
            Self::LaneAboveQuota { ceiling } => write!(
                f,
                "throttle.requests_per_second is {ceiling}; Cognito's own quota is {QUOTA_PER_LANE} per account and \
                 region, shared by all callers"
            ),
            Self::PoolAboveQuota { ceiling } => write!(
                f,
                "throttle.requests_per_second_per_pool is {ceiling}; Cognito's own quota is {QUOTA_PER_POOL} per pool \
                 and operation"
            ),
        }
    }
}
