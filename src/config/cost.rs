//! What a plan asks of the service, before anything is asked: calls per minute, and how late a change may be seen.
//! Called by `check`, which lays it out. The numbers are those of [`forecast`](fn@forecast).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use cognito_import_watch_core::domain::UserPoolId;
use cognito_import_watch_core::schedule::{Batch, Finding, PoolLoad, Tightest, Way, forecast};

use super::duration::format_duration;
use super::plan::{AccountPlan, AccountRef, Plan};

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

/// What a plan asks of one account and region. A pool that is watched as a whole counts as its list, and after changes as
/// one job more; how many jobs it holds is not known without asking.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneCost {
    /// The accounts' names in the file, in its order; none for the default credential chain. Several where their roles
    /// are of one AWS account, which has one quota.
    pub accounts: Vec<Option<String>>,
    /// The region.
    pub region: String,
    /// Jobs named one by one.
    pub jobs: usize,
    /// Pools watched as a whole.
    pub pools: usize,
    /// As it is likely to be: lists stand for many jobs, unless `poll.batch` says never.
    pub likely: Calls,
    /// With each job asked about alone: lists are not allowed, or show the jobs far down. Only finding a pool's jobs
    /// takes its list.
    pub without_lists: Calls,
    /// Calls per minute that the ceilings allow: that of the lane, or those of its pools together where that is less.
    pub ceiling_per_minute: f64,
}

/// How often a lane is asked, and what that shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calls {
    /// Calls per minute while nothing changes: every job at the longest interval, as far as the ceilings allow.
    pub per_minute: f64,
    /// Calls per minute with every job at the initial interval, as far as the ceilings allow.
    pub per_minute_after_changes: f64,
    /// The longest time that a change can go unseen while the service answers.
    pub longest_unseen: Duration,
    /// How long one round of all jobs takes at the ceilings, for the one who waits longest.
    pub round: Duration,
    /// Which ceiling makes it take so long.
    pub tightest: CeilingKey,
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
        /// The names of the accounts, as in [`LaneCost::accounts`].
        accounts: Vec<Option<String>>,
        /// The region.
        region: String,
        /// How long one round takes.
        round: Duration,
        /// The interval that is not kept.
        max_interval: Duration,
        /// The ceiling that stands in the way.
        tightest: CeilingKey,
    },
    /// Without lists the ceilings would not let every job be polled in the longest interval.
    KeptByListsAlone {
        /// The names of the accounts, as in [`LaneCost::accounts`].
        accounts: Vec<Option<String>>,
        /// The region.
        region: String,
        /// How long one round takes without lists.
        round: Duration,
        /// The interval that is kept by lists.
        max_interval: Duration,
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
    /// What this plan asks of the service.
    #[must_use]
    pub fn cost(&self) -> PlanCost {
        let mut lanes: BTreeMap<(AccountRef, &str), LanePlan<'_>> = BTreeMap::new();
        for job in &self.jobs {
            let pool = &job.target.pool;
            let lane = lanes.entry((self.first_of_same(job.account), pool.region())).or_default();
            lane.accounts.insert(job.account);
            lane.pools.entry(pool).or_insert(NOTHING).jobs += 1;
        }
        for pool in &self.pools {
            let lane = lanes.entry((self.first_of_same(pool.account), pool.id.region())).or_default();
            lane.accounts.insert(pool.account);
            lane.pools.entry(&pool.id).or_insert(NOTHING).finding = Finding::AllJobs;
        }
        let lanes: Vec<LaneCost> = lanes.into_iter().map(|((_, region), lane)| self.lane_cost(region, lane)).collect();
        let max_interval = self.poll.backoff.max();
        let mut warnings = Vec::new();
        if self.ceilings.per_lane() > QUOTA_PER_LANE {
            warnings.push(CostWarning::LaneAboveQuota { ceiling: self.ceilings.per_lane() });
        }
        if self.ceilings.per_pool() > QUOTA_PER_POOL {
            warnings.push(CostWarning::PoolAboveQuota { ceiling: self.ceilings.per_pool() });
        }
        warnings.extend(lanes.iter().filter_map(|lane| lane.warning(max_interval)));
        PlanCost { lanes, max_interval, warnings }
    }

    /// The first account of the plan that is known to be the same AWS account, without a call.
    fn first_of_same(&self, account: AccountRef) -> AccountRef {
        let Some(id) = self.account(account).and_then(AccountPlan::id) else { return account };
        self.accounts.iter().position(|other| other.id().as_ref() == Some(&id)).map_or(account, AccountRef)
    }

    fn lane_cost(&self, region: &str, lane: LanePlan<'_>) -> LaneCost {
        let LanePlan { accounts, pools } = lane;
        let pools: Vec<PoolLoad> = pools.into_values().collect();
        let whole = |pool: &PoolLoad| pool.finding == Finding::AllJobs;
        let moving: Vec<PoolLoad> =
            pools.iter().map(|pool| PoolLoad { jobs: pool.jobs + usize::from(whole(pool)), ..*pool }).collect();
        let calls = |way: Way| {
            let forecast = |pools: &[PoolLoad]| forecast(pools, way, &self.poll.backoff, &self.ceilings);
            let still = forecast(&pools);
            Calls {
                per_minute: 60.0 * still.calm,
                per_minute_after_changes: 60.0 * forecast(&moving).busy,
                longest_unseen: still.longest_unseen,
                round: still.round,
                tightest: match still.tightest {
                    Tightest::Lane => CeilingKey::Lane,
                    Tightest::Pool => CeilingKey::Pool,
                },
            }
        };
        let likely = match self.poll.batch {
            Batch::Auto => Way::Lists,
            Batch::Never => Way::Alone,
        };
        LaneCost {
            accounts: accounts
                .into_iter()
                .map(|account| self.account(account).and_then(|account| account.name.clone()))
                .collect(),
            region: region.to_owned(),
            jobs: pools.iter().map(|pool| pool.jobs).sum(),
            pools: pools.iter().filter(|pool| whole(pool)).count(),
            likely: calls(likely),
            without_lists: calls(Way::Alone),
            ceiling_per_minute: 60.0 * self.ceilings.per_lane().min(as_f64(pools.len()) * self.ceilings.per_pool()),
        }
    }
}

/// What is asked of an AWS account in a region, and by whom.
#[derive(Default)]
struct LanePlan<'a> {
    accounts: BTreeSet<AccountRef>,
    pools: BTreeMap<&'a UserPoolId, PoolLoad>,
}

/// A pool before its jobs are counted.
const NOTHING: PoolLoad = PoolLoad { jobs: 0, finding: Finding::NamedOnly };

impl LaneCost {
    fn warning(&self, max_interval: Duration) -> Option<CostWarning> {
        let (accounts, region) = (self.accounts.clone(), self.region.clone());
        if self.likely.round > max_interval {
            let Calls { round, tightest, .. } = self.likely;
            Some(CostWarning::IntervalNotKept { accounts, region, round, max_interval, tightest })
        } else if self.without_lists.round > max_interval {
            let round = self.without_lists.round;
            Some(CostWarning::KeptByListsAlone { accounts, region, round, max_interval })
        } else {
            None
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of jobs end far below the first integer that is lost")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

/// `1 job`, `2 jobs`
fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `account "prod", us-west-2`; `accounts "prod" and "ops" (one AWS account), us-west-2`
fn lane_name(accounts: &[Option<String>], region: &str) -> String {
    let named = |account: &Option<String>| match account {
        Some(name) => format!("\"{}\"", name.escape_debug()),
        None => "the default credentials".to_owned(),
    };
    match accounts {
        [account @ Some(_)] => format!("account {}, {region}", named(account)),
        [] | [None] => format!("the default credentials, {region}"),
        several => {
            let names: Vec<String> = several.iter().map(named).collect();
            format!("accounts {} (one AWS account), {region}", names.join(" and "))
        }
    }
}

/// In whole seconds, where that is exact enough: never less than it is.
fn at_most(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let whole = match duration.subsec_nanos() {
        0 => duration,
        _ if seconds == 0 => duration,
        _ => Duration::from_secs(seconds.saturating_add(1)),
    };
    format_duration(whole)
}

impl fmt::Display for LaneCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = |calls: &Calls| {
            format!(
                "{:.0} calls a minute while nothing changes, {:.0} after changes",
                calls.per_minute, calls.per_minute_after_changes
            )
        };
        let seen = |calls: &Calls| at_most(calls.longest_unseen);
        write!(
            f,
            "{}: {} and {}; {}, at most {:.0}; a change is seen within {}",
            lane_name(&self.accounts, &self.region),
            counted(self.jobs, "job"),
            counted(self.pools, "pool"),
            calls(&self.likely),
            self.ceiling_per_minute,
            seen(&self.likely),
        )?;
        let Calls { per_minute, per_minute_after_changes, .. } = self.without_lists;
        let shown = |calls: &Calls| format!("{:.0}, {}", calls.per_minute, seen(calls));
        if shown(&self.likely) == shown(&self.without_lists) {
            return Ok(());
        }
        write!(
            f,
            " (without lists {per_minute:.0} and {per_minute_after_changes:.0} calls, and within {})",
            seen(&self.without_lists)
        )
    }
}

impl fmt::Display for CostWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IntervalNotKept { accounts, region, round, max_interval, tightest } => write!(
                f,
                "{}: one round at the ceiling takes {}, longer than poll.max_interval, {}: raise [throttle] \
                 {}, or max_interval",
                lane_name(accounts, region),
                at_most(*round),
                format_duration(*max_interval),
                tightest.as_str(),
            ),
            Self::KeptByListsAlone { accounts, region, round, max_interval } => write!(
                f,
                "{}: only lists keep poll.max_interval, {}: one round takes {} where they are not allowed \
                 (cognito-idp:ListUserImportJobs), or show the jobs far down",
                lane_name(accounts, region),
                format_duration(*max_interval),
                at_most(*round),
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
