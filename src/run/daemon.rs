//! `run`: the daemon. Its log is its output.

use std::io;
use std::time::Duration;

use cognito_import_watch_core::domain::{JobEvent, PollError, Timestamp, UserPoolId};
use cognito_import_watch_core::schedule::{Ending, JobView, LaneIndex, News, Now, RateChange, Scheduler};
use uuid::Uuid;

use super::console::{Console, Log};
use super::engine::{self, Engine, Keys, LaneName};
use super::{load, pool_log};
use crate::cli::{RunArgs, Shared};
use crate::clock::wall_time;
use crate::config::{self, LogLevel, Plan};
use crate::driver::{Ended, Observer, OnHangup};
use crate::exit::{CommandError, Exit};
use crate::output::JobReport;
use crate::signal::{Signal, Signals};
use crate::sink::{DaemonEvent, DaemonFact, LaneChange, LaneEvent, LogSink};
use crate::telemetry::{LogFormat, PlainScreen, Reader};

/// Runs the daemon until it is stopped, or until all is over where that is asked for.
///
/// # Errors
/// When the config or the command line is wrong, or AWS's own settings cannot be used.
pub(super) async fn run(args: RunArgs, shared: Shared, console: &Console) -> Result<Exit, CommandError> {
    let (targets, pools) = load::named(args.watched);
    let overrides = config::Overrides { targets, pools, ..load::overrides(&shared) };
    let plan = load::plan_to_watch(&args.config, &overrides, console)?;
    let ending = if args.exit_when_complete {
        Ending::WhenOver { timeout: None, unobserved: None }
    } else {
        Ending::WhenStopped
    };
    let level = if shared.quiet { LogLevel::Error } else { plan.log.level };
    let log = Log::start(level, format(&plan, console), PlainScreen(io::stdout()))?;
    let done = watch(&plan, ending, &Keys::Planned, &mut signals()?).await;
    log.close();
    done.map(|watched| watched.exit)
}

/// How a watch ended.
pub(super) struct Watched {
    /// What ended it.
    pub(super) ended: Ended,
    /// The code it means.
    pub(super) exit: Exit,
    /// Every job, as it stood then.
    pub(super) reports: Vec<JobReport>,
}

/// Watches a plan, telling everything to the log, until it is over or a signal comes.
///
/// # Errors
/// When AWS's own settings cannot be used.
pub(super) async fn watch(
    plan: &Plan,
    ending: Ending,
    keys: &Keys,
    signals: &mut Signals,
) -> Result<Watched, CommandError> {
    let mut engine = engine::build(plan, ending, keys).await?;
    let mut daemon = Daemon {
        log: LogSink::new(Uuid::new_v4()),
        lanes: engine.lanes.clone(),
        started_at: wall_time(),
        jobs: plan.jobs.len(),
        pools: plan.pools.len(),
    };
    daemon.tell(DaemonFact::Started { version: env!("CARGO_PKG_VERSION"), state: None });
    let inputs = std::mem::take(&mut engine.inputs);
    let ended = engine.driver.run(inputs, signals, OnHangup::Ignore, &mut daemon).await;
    daemon.count(engine.driver.scheduler());
    if ended == Ended::Over {
        daemon.tell(DaemonFact::Stopping { reason: "complete" });
    }
    daemon.tell(DaemonFact::Stopped);
    Ok(Watched { ended, exit: exit(ended, ending, &engine), reports: engine.reports() })
}

fn exit(ended: Ended, ending: Ending, engine: &Engine) -> Exit {
    match (ended, ending) {
        (Ended::Over, _) => Exit::decide(engine.verdicts()).map_or(Exit::Success, |(_, exit)| exit),
        (Ended::Signalled(_), Ending::WhenStopped) => Exit::Success,
        (Ended::Signalled(signal), Ending::WhenOver { .. }) => signal.exit(),
    }
}

/// The signals of this process.
pub(super) fn signals() -> Result<Signals, CommandError> {
    Signals::listen().map_err(|error| CommandError::new(Exit::Internal, format!("cannot listen to signals: {error}")))
}

/// Text on a terminal, JSON otherwise, unless the plan says which.
fn format(plan: &Plan, console: &Console) -> LogFormat {
    let style = console.style(&io::stdout());
    match (plan.log.format, Reader::of(&io::stdout())) {
        (config::LogFormat::Text, _) | (config::LogFormat::Auto, Reader::Terminal { .. }) => LogFormat::Text(style),
        (config::LogFormat::Json, _) | (config::LogFormat::Auto, Reader::Other) => LogFormat::Json,
    }
}

/// Tells the log what happens.
struct Daemon {
    log: LogSink,
    lanes: Vec<LaneName>,
    started_at: Timestamp,
    jobs: usize,
    pools: usize,
}

impl Daemon {
    fn tell(&self, fact: DaemonFact) {
        let (jobs, pools) = (self.jobs, self.pools);
        // Each of these facts is told once in a daemon's life.
        let count = 0;
        self.log.daemon(&DaemonEvent { at: wall_time(), started_at: self.started_at, count, jobs, pools, fact });
    }

    fn count(&mut self, scheduler: &Scheduler) {
        self.jobs = scheduler.job_count();
        self.pools = scheduler.pool_count();
    }
}

impl Observer for Daemon {
    fn observed(&mut self, job: &JobView<'_>, events: &[JobEvent], _: Now) {
        for event in events {
            self.log.job(event);
        }
        if let Some(lane) = self.lanes.get_mut(job.lane.0) {
            lane.learn(job.track.known().and_then(|known| known.account.as_ref()));
        }
        if let Some(error) = job.track.failing() {
            tracing::debug!(target_job = %job.watched.target, error_kind = %error.kind, %error, "poll failed");
        }
    }

    fn pool_failed(&mut self, pool: &UserPoolId, error: &PollError, next_poll: Option<Duration>, news: News) {
        pool_log::failed(pool, error, next_poll, news);
    }

    fn pool_recovered(&mut self, pool: &UserPoolId) {
        pool_log::recovered(pool);
    }

    fn rate_changed(&mut self, lane: LaneIndex, change: RateChange) {
        let Some(lane) = self.lanes.get(lane.0) else { return };
        let (change, requests_per_second, since) = match change {
            RateChange::Throttled { requests_per_second, since } => (LaneChange::Throttled, requests_per_second, since),
            RateChange::Recovered { requests_per_second, since } => (LaneChange::Recovered, requests_per_second, since),
        };
        self.log.lane(&LaneEvent {
            at: wall_time(),
            account: lane.account(),
            region: lane.region.as_str().into(),
            requests_per_second,
            since,
            change,
        });
    }

    fn signalled(&mut self, signal: Signal, scheduler: &Scheduler, _: Now) {
        self.count(scheduler);
        match signal {
            Signal::Hangup => {
                tracing::warn!("this version does not read its config again; restart it to apply a change");
            }
            Signal::Interrupt | Signal::Terminate => self.tell(DaemonFact::Stopping { reason: signal.name() }),
        }
    }
}
