//! What may happen to a daemon and around it, and the configs it may be given.

use std::time::Duration;

use cognito_import_watch_core::schedule::Batch;
use proptest::prelude::*;

/// The pools. Each begins with four jobs.
pub(super) const POOLS: [&str; 2] = ["us-west-2_Aa", "us-west-2_Bb"];

/// The jobs that a config may name: so many of the first pool that a list of it may be better than to ask about each;
/// the last of each pool is in none at first.
pub(super) const NAMED: [&str; 8] = [
    "us-west-2_Aa/import-0",
    "us-west-2_Aa/import-1",
    "us-west-2_Aa/import-2",
    "us-west-2_Aa/import-3",
    "us-west-2_Aa/import-4",
    "us-west-2_Bb/import-0",
    "us-west-2_Bb/import-1",
    "us-west-2_Bb/import-4",
];

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Time passes, and the daemon works.
    Pass(Duration),
    /// Time passes until so many answers have come, so that something else can happen right behind one.
    Hear { answers: usize },
    /// Some jobs are made in a pool.
    Create { pool: usize, birth: Birth, count: usize },
    /// A job shows another status. One that is over never does.
    Move { job: prop::sample::Index, status: &'static str },
    /// A job's counters rise.
    Count { job: prop::sample::Index, imported: u64, skipped: u64, failed: u64 },
    /// The next answers about a job are failures.
    FailJob { job: prop::sample::Index, fault: Fault, times: usize },
    /// The next answers about a pool's list are failures.
    FailList { pool: usize, fault: Fault, times: usize },
    /// Lists show from now on what was so long ago.
    Lag(Duration),
    /// Answers take so long from now on.
    Latency(Duration),
    /// A sink behaves otherwise.
    Sink { sink: usize, mood: Mood },
    /// The disk behaves otherwise.
    Disk(Disk),
    /// The process dies, and another one starts after a while.
    Crash { down: Duration },
    /// The process is asked to stop, and another one starts after a while.
    Stop { down: Duration },
    /// The process dies, and the state file is gone when another one starts.
    Lose,
    /// The state file is removed while the process runs, on a disk that is good by then.
    Remove,
    /// The config is read again.
    Reload(Config),
}

/// How a job comes into the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Birth {
    /// Created now.
    New,
    /// Over since a minute.
    OverNow,
    /// Over since two days.
    OverLongAgo,
}

/// How a poll fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Throttled,
    Transient,
    NotFound,
    Denied,
    Invalid,
}

/// What a sink does with events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// It takes them.
    Takes,
    /// It is stuck: it neither takes nor refuses them.
    Stalls,
    /// Its reader is gone.
    Refuses,
}

/// What the disk does with writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disk {
    /// It takes them.
    Good,
    /// It refuses them.
    Refuses,
    /// It is stuck.
    Still,
}

/// A config, as far as these tests vary it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Config {
    /// Which of [`NAMED`].
    pub(super) named: [bool; NAMED.len()],
    /// Which of [`POOLS`].
    pub(super) pools: [bool; 2],
    /// `poll.batch`.
    pub(super) batch: Batch,
    /// `policy.deadline`, in seconds.
    pub(super) deadline: Option<u64>,
    /// `policy.max_failed_users`.
    pub(super) max_failed_users: Option<u64>,
}

/// After how long of nothing new a job that moves is asked about again.
pub(super) const MAX_INTERVAL: Duration = Duration::from_secs(10 * 60);

impl Config {
    /// The config file.
    pub(super) fn text(&self) -> String {
        let deadline = self.deadline.map_or_else(|| "none".to_owned(), |seconds| format!("{seconds}s"));
        let failed = self.max_failed_users.map_or_else(|| "\"any\"".to_owned(), |most| most.to_string());
        let mut text = format!(
            "[poll]\ninitial_interval = \"10s\"\nmax_interval = \"10m\"\nmultiplier = 3\nbatch = \"{}\"\n\
             [policy]\ndeadline = \"{deadline}\"\nmax_failed_users = {failed}\n",
            match self.batch {
                Batch::Auto => "auto",
                Batch::Never => "never",
            }
        );
        for target in NAMED.into_iter().zip(self.named).filter_map(|(target, named)| named.then_some(target)) {
            text += &format!("[[job]]\ntarget = \"{target}\"\n");
        }
        for pool in POOLS.into_iter().zip(self.pools).filter_map(|(pool, watched)| watched.then_some(pool)) {
            text += &format!("[[pool]]\nid = \"{pool}\"\n");
        }
        text
    }

    /// Whether a job is named.
    pub(super) fn names(&self, target: &str) -> bool {
        NAMED.into_iter().zip(self.named).any(|(name, named)| named && name == target)
    }

    /// Whether a job is watched, by name or with its pool.
    pub(super) fn watches(&self, target: &str) -> bool {
        self.names(target) || target.split('/').next().is_some_and(|pool| self.watches_all_of(pool))
    }

    /// Whether a pool is watched as a whole.
    pub(super) fn watches_all_of(&self, pool: &str) -> bool {
        POOLS.into_iter().zip(self.pools).any(|(name, watched)| watched && name == pool)
    }
}

/// How a case begins.
#[derive(Clone, Debug)]
pub(super) struct Beginning {
    /// The config.
    pub(super) config: Config,
    /// Where the daemon remembers.
    pub(super) keeps: Keeps,
    /// `state.outbox_events`.
    pub(super) outbox: usize,
    /// So many jobs are on a page of a list.
    pub(super) page: usize,
}

impl Beginning {
    /// Whether events are given up before long when a sink does not take them.
    pub(super) fn has_small_outbox(&self) -> bool {
        self.outbox < 100
    }
}

/// Where the daemon remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeps {
    /// In a file.
    File,
    /// Nowhere.
    Nothing,
}

pub(super) fn beginning() -> impl Strategy<Value = Beginning> {
    let keeps = prop_oneof![9 => Just(Keeps::File), 1 => Just(Keeps::Nothing)];
    let outbox = prop_oneof![3 => Just(10_000_usize), 1 => Just(6)];
    let page = prop_oneof![Just(2_usize), Just(3), Just(60)];
    (config(), keeps, outbox, page).prop_map(|(config, keeps, outbox, page)| Beginning { config, keeps, outbox, page })
}

fn config() -> impl Strategy<Value = Config> {
    let deadline = prop_oneof![2 => Just(None), 1 => Just(Some(1_800)), 1 => Just(Some(7_200))];
    let failed = prop_oneof![Just(None), Just(Some(0)), Just(Some(5))];
    let batch = prop_oneof![3 => Just(Batch::Auto), 1 => Just(Batch::Never)];
    (any::<[bool; NAMED.len()]>(), any::<[bool; 2]>(), batch, deadline, failed)
        .prop_map(|(named, pools, batch, deadline, max_failed_users)| Config {
            named,
            pools,
            batch,
            deadline,
            max_failed_users,
        })
        .prop_filter("a config names something", |config| config.named.contains(&true) || config.pools.contains(&true))
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    let job = any::<prop::sample::Index>;
    prop_oneof![
        8 => pause().prop_map(Operation::Pass),
        6 => (1_usize..5).prop_map(|answers| Operation::Hear { answers }),
        2 => (0..POOLS.len(), birth(), 1_usize..4)
            .prop_map(|(pool, birth, count)| Operation::Create { pool, birth, count }),
        6 => (job(), status()).prop_map(|(job, status)| Operation::Move { job, status }),
        4 => (job(), 0_u64..4, 0_u64..2, 0_u64..3)
            .prop_map(|(job, imported, skipped, failed)| Operation::Count { job, imported, skipped, failed }),
        2 => (job(), fault(), 1_usize..6).prop_map(|(job, fault, times)| Operation::FailJob { job, fault, times }),
        1 => (0..POOLS.len(), fault(), 1_usize..4)
            .prop_map(|(pool, fault, times)| Operation::FailList { pool, fault, times }),
        2 => prop_oneof![3 => Just(0_u64), 1 => Just(3), 1 => Just(20), 1 => Just(90)]
            .prop_map(|seconds| Operation::Lag(Duration::from_secs(seconds))),
        1 => prop_oneof![Just(30_u64), Just(900), Just(4_000)]
            .prop_map(|millis| Operation::Latency(Duration::from_millis(millis))),
        3 => (0_usize..2, mood()).prop_map(|(sink, mood)| Operation::Sink { sink, mood }),
        3 => disk().prop_map(Operation::Disk),
        2 => down().prop_map(|down| Operation::Crash { down }),
        1 => down().prop_map(|down| Operation::Stop { down }),
        1 => Just(Operation::Lose),
        2 => Just(Operation::Remove),
        3 => config().prop_map(Operation::Reload),
    ]
}

fn pause() -> impl Strategy<Value = Duration> {
    let seconds = |seconds| Just(Duration::from_secs(seconds));
    prop_oneof![
        2 => (1_u64..3_000).prop_map(Duration::from_millis),
        2 => seconds(15),
        2 => seconds(40),
        3 => seconds(400),
        2 => seconds(2_000),
        1 => seconds(3 * 3_600),
        1 => seconds(12 * 3_600),
    ]
}

fn down() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(1_u64), Just(60), Just(2_400)].prop_map(Duration::from_secs)
}

fn birth() -> impl Strategy<Value = Birth> {
    prop_oneof![2 => Just(Birth::New), 1 => Just(Birth::OverNow), 1 => Just(Birth::OverLongAgo)]
}

fn status() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        3 => prop::sample::select(&["Created", "Pending", "InProgress", "Stopping"][..]),
        1 => prop::sample::select(&["Stopped", "Succeeded", "Failed", "Expired"][..]),
        1 => prop::sample::select(&["Paused", "Odd"][..]),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop::sample::select(&[Fault::Throttled, Fault::Transient, Fault::NotFound, Fault::Denied, Fault::Invalid][..])
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![2 => Just(Mood::Takes), 1 => Just(Mood::Stalls), 1 => Just(Mood::Refuses)]
}

fn disk() -> impl Strategy<Value = Disk> {
    prop_oneof![2 => Just(Disk::Good), 1 => Just(Disk::Refuses), 2 => Just(Disk::Still)]
}
