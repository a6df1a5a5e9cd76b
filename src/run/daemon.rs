//! `run`: the daemon. Its log is its output.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use cognito_import_watch_core::domain::{JobEvent, Memory, PollError, Tick, Timestamp, UserPoolId};
use cognito_import_watch_core::schedule::{
    Ending, Input, JobView, LaneIndex, News, Now, Question, RateChange, Scheduler,
};
use uuid::Uuid;

use super::console::{Console, Log};
use super::daemon_log::DaemonLog;
use super::engine::{self, Engine, Keys, LaneName};
use super::outlet::LogOutlet;
use super::reload::{Reload, Reloaded};
use super::serve::Door;
use super::state::Moved;
use super::{load, pool_log, record, serve, state};
use crate::cli::{RunArgs, Shared};
use crate::clock::wall_time;
use crate::config::{self, LogLevel, Plan};
use crate::driver::{Ended, Observer, OnHangup, Poll};
use crate::exit::{CommandError, Exit};
use crate::http::metrics::Metrics;
use crate::http::{Kept, Readiness};
use crate::ledger::{FileLedger, Ledger, MemoryLedger, Opened, Sink, Ticket};
use crate::output::JobReport;
use crate::signal::{Signal, Signals};
use crate::sink::{DaemonFact, LaneChange, LaneEvent, LogSink};
use crate::source::BoxFuture;
use crate::systemd::{Census, Manager, Service};
use crate::telemetry::{LogFormat, PlainScreen, Printer, Reader, is_journal};

/// How long what is still to be kept and told is waited for at the end.
const LAST_EVENTS: Duration = Duration::from_secs(3);

/// How long a disk may hold up a reload.
const SETTLE: Duration = Duration::from_secs(1);

/// Runs the daemon until it is stopped, or until all is over where that is asked for.
///
/// # Errors
/// When the config or the command line is wrong, AWS's own settings cannot be used, or the state file cannot be.
pub(super) async fn run(args: RunArgs, shared: Shared, console: &Console) -> Result<Exit, CommandError> {
    let (targets, pools) = load::named(args.watched);
    let overrides = config::Overrides { targets, pools, ..load::overrides(&shared) };
    let plan = load::plan_to_watch(&args.config, &overrides, console)?;
    let ending = if args.exit_when_complete {
        Ending::WhenOver { timeout: None, unobserved: None }
    } else {
        Ending::WhenStopped
    };
    let inherited = Door::inherited(&plan.http)?;
    let level = if shared.quiet { LogLevel::Error } else { plan.log.level };
    let opened = state::open(&plan.state).await?;
    let door = if inherited.is_some() { inherited } else { Door::bind(&plan.http).await? };
    let log = start_log(level, format(&plan, console))?;
    let memory = Remembered { opened, printer: log.printer() };
    let reload = Reload { config: args.config, overrides };
    let done = watch(plan, ending, &Keys::Planned, memory, Some(reload), door, &mut signals()?).await;
    log.close();
    done.map(|watched| watched.exit)
}

/// What is remembered, and where events are written.
pub(super) struct Remembered {
    /// The state file; `None` where nothing is kept.
    pub(super) opened: Option<Opened>,
    /// The writer of the log.
    pub(super) printer: Printer,
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
/// When AWS's own settings or the state file cannot be used.
pub(super) async fn watch(
    plan: Plan,
    ending: Ending,
    keys: &Keys,
    memory: Remembered,
    reload: Option<Reload>,
    door: Option<Door>,
    signals: &mut Signals,
) -> Result<Watched, CommandError> {
    let Remembered { opened, printer } = memory;
    let (file, jobs, set_aside) = match opened {
        Some(Opened { ledger, jobs, set_aside }) => (Some(ledger), jobs, set_aside),
        None => (None, Vec::new(), None),
    };
    let moved = state::moved(&plan, &jobs);
    let known = state::known(jobs);
    // What a reload is compared with: the jobs are not, and there may be many.
    let started = Plan { log: plan.log.clone(), state: plan.state.clone(), http: plan.http.clone(), ..Plan::default() };
    let counts = (plan.jobs.len(), plan.pools.len());
    let mut engine = engine::build(Arc::new(plan), ending, keys, &known).await?;
    drop(known);
    let instance = file.as_ref().map_or_else(Uuid::new_v4, Ledger::instance);
    let path = file.as_ref().map(|file| file.path().to_owned());
    let log = Arc::new(DaemonLog::new(LogSink::new(instance), path.clone(), counts));
    log.tell(DaemonFact::Started { version: env!("CARGO_PKG_VERSION"), state: log.state() });
    if let Some(aside) = set_aside {
        tracing::error!(set_aside = %aside.display(), "damaged state file set aside; facts are told again under the same ids");
    }
    let readiness = Arc::new(Readiness::default());
    let events = file.as_ref().map(|file| Kept { path: file.path().to_owned(), instance, last: file.kept() });
    // Only `run` reads its config again, and only it may be a service.
    let manager = if reload.is_some() { Manager::of_environment() } else { Manager::absent() };
    let metrics = Metrics {
        meters: Arc::clone(log.meters()),
        ledger: file.as_ref().map(FileLedger::figures),
        printer: printer.clone(),
    };
    let mut daemon = Daemon {
        ledger: ledger(file, instance, printer, &log, &readiness).await?,
        log,
        lanes: engine.lanes.names(),
        tickets: HashMap::new(),
        newest: None,
        readiness,
        service: Service::new(manager, engine.driver.pulse()),
    };
    daemon.lanes_changed(&engine.lanes.in_use());
    let server = door.map(|door| door.serve(&mut engine, &daemon.readiness, events, metrics));
    daemon.note(moved, wall_time());
    let mut inputs = std::mem::take(&mut engine.inputs);
    let ended = loop {
        match (engine.run(inputs, signals, OnHangup::HandBack, &mut daemon).await, &reload) {
            (Ended::Signalled(Signal::Hangup), Some(reload)) => {
                let keeper = daemon.service.reloading();
                let again = async {
                    daemon.settle().await;
                    reload.perform(&started, &mut engine, path.clone()).await
                };
                let outcome = keeper.during(again).await;
                inputs = daemon.reloaded(outcome, &engine);
            }
            (Ended::Signalled(Signal::Hangup), None) => inputs = Vec::new(),
            (ended, _) => break ended,
        }
    };
    daemon.readiness.stops();
    daemon.service.stopping("complete");
    let Daemon { ledger, log, .. } = daemon;
    // Closing waits for the disk, and for whoever reads the log.
    drop(tokio::task::spawn_blocking(move || ledger.close(LAST_EVENTS)).await);
    if let Some(server) = server {
        server.stop().await;
    }
    log.count(engine.driver.scheduler());
    if ended == Ended::Over {
        log.tell(DaemonFact::Stopping { reason: "complete" });
    }
    log.tell(DaemonFact::Stopped);
    Ok(Watched { ended, exit: exit(ended, ending, &engine), reports: engine.reports() })
}

/// The ledger, at work: what was kept and not told is told now.
async fn ledger(
    file: Option<FileLedger>,
    instance: Uuid,
    printer: Printer,
    log: &Arc<DaemonLog>,
    readiness: &Arc<Readiness>,
) -> Result<Box<dyn Ledger>, CommandError> {
    let sink = LogSink::new(instance);
    let Some(mut file) = file else {
        return Ok(Box::new(MemoryLedger::new(instance, move |event| sink.rendered(event))));
    };
    let (log, readiness) = (Arc::clone(log), Arc::clone(readiness));
    let notify = move |notice| {
        serve::noticed(&readiness, &notice);
        log.notice(notice);
    };
    let start = move || {
        let sinks: Vec<Box<dyn Sink>> = vec![Box::new(LogOutlet::new(sink, printer))];
        file.start(sinks, notify).map(|()| file)
    };
    match tokio::task::spawn_blocking(start).await {
        Ok(started) => {
            started.map(|file| -> Box<dyn Ledger> { Box::new(file) }).map_err(|error| state::unusable(&error))
        }
        Err(_) => Err(CommandError::new(Exit::Internal, "reading the state file broke off inside this program")),
    }
}

fn exit(ended: Ended, ending: Ending, engine: &Engine) -> Exit {
    match (ended, ending) {
        (Ended::Over, _) => Exit::decide(engine.verdicts()).map_or(Exit::Success, |(_, exit)| exit),
        (Ended::Signalled(_), Ending::WhenStopped) => Exit::Success,
        (Ended::Signalled(signal), Ending::WhenOver { .. }) => signal.exit(),
    }
}

/// The log on stdout, or in the journal.
fn start_log(level: LogLevel, format: LogFormat) -> Result<Log, CommandError> {
    match format {
        LogFormat::Journal => Log::to_journal(level),
        LogFormat::Text(_) | LogFormat::Json => Log::start(level, format, PlainScreen(io::stdout())),
    }
}

/// The signals of this process.
pub(super) fn signals() -> Result<Signals, CommandError> {
    Signals::listen().map_err(|error| CommandError::new(Exit::Internal, format!("cannot listen to signals: {error}")))
}

/// The journal's own under systemd, text on a terminal, JSON otherwise, unless the plan says which.
fn format(plan: &Plan, console: &Console) -> LogFormat {
    let style = console.style(&io::stdout());
    let stream = std::env::var("JOURNAL_STREAM").ok();
    match (plan.log.format, Reader::of(&io::stdout())) {
        (config::LogFormat::Journald, _) => LogFormat::Journal,
        (config::LogFormat::Auto, _) if is_journal(&io::stdout(), stream.as_deref()) => LogFormat::Journal,
        (config::LogFormat::Text, _) | (config::LogFormat::Auto, Reader::Terminal { .. }) => LogFormat::Text(style),
        (config::LogFormat::Json, _) | (config::LogFormat::Auto, Reader::Other) => LogFormat::Json,
    }
}

/// Everything watched, for the status line.
fn census(scheduler: &Scheduler, now: Now) -> Census {
    let mut census = Census::of_pools(scheduler.pool_count());
    for job in scheduler.views(now) {
        let seen = job.track.known().map(|known| (&known.status, known.counts));
        census.count(&job.track.identity(&job.watched), seen, job.verdict, job.track.failing());
    }
    census
}

/// Has the ledger keep and tell what happens.
struct Daemon {
    ledger: Box<dyn Ledger>,
    log: Arc<DaemonLog>,
    lanes: Vec<LaneName>,
    /// The newest record of a job of each pool, as far as it is not known to be kept: no request about the pool is sent
    /// before it is.
    tickets: HashMap<UserPoolId, Ticket>,
    newest: Option<Ticket>,
    readiness: Arc<Readiness>,
    service: Service,
}

impl Daemon {
    /// Waits until all that was recorded is kept, or the disk takes too long: what is not kept by then of a job that
    /// is put back into the config is told again, and the job is asked about only then.
    async fn settle(&mut self) {
        let Some(newest) = self.newest else { return };
        if tokio::time::timeout(SETTLE, self.ledger.settled(newest)).await.is_ok() {
            self.newest = None;
            self.tickets.clear();
        }
    }

    /// Tells how reading the config again went, and gives what follows from it.
    fn reloaded(&mut self, outcome: Result<Reloaded, String>, engine: &Engine) -> Vec<Input> {
        let Reloaded { plan, input, moved, needs_restart } = match outcome {
            Ok(reloaded) => reloaded,
            Err(error) => {
                self.readiness.rejected(&error);
                self.service.reloaded(Some(error.clone()));
                self.log.tell(DaemonFact::ReloadRejected { error });
                return Vec::new();
            }
        };
        self.service.reloaded(None);
        self.note(moved, wall_time());
        self.lanes = engine.lanes.names();
        self.readiness.accepted();
        self.lanes_changed(&engine.lanes.in_use());
        self.log.planned(plan.jobs.len(), plan.pools.len());
        self.log.tell(DaemonFact::Reloaded);
        for key in needs_restart {
            tracing::warn!(key, "this setting changed; it is in force after a restart");
        }
        vec![input]
    }

    /// Has the ledger note which jobs are no longer watched, or are again.
    fn note(&mut self, moved: Moved, at: Timestamp) {
        self.ledger.retire(moved.retired, at);
        self.ledger.readmit(moved.readmitted);
    }
}

impl Observer for Daemon {
    fn observed(&mut self, job: &JobView, events: &[JobEvent], memory: Memory, now: Now) {
        let ticket = self.ledger.record(record::of(job, events, memory, self.ledger.instance(), now));
        if memory == Memory::OutOfDate || !events.is_empty() {
            self.service.changed(now.tick);
        }
        if memory == Memory::OutOfDate {
            self.tickets.insert(job.watched.target.pool.clone(), ticket);
            self.newest = Some(ticket);
        }
        for event in events {
            self.log.meters().told_of_job(&event.fact);
        }
        if let Some(lane) = self.lanes.get_mut(job.lane.0) {
            lane.learn(job.track.known().and_then(|known| known.account.as_ref()));
        }
        if let Some(error) = job.track.failing() {
            tracing::debug!(target_job = %job.watched.target, error_kind = %error.kind, %error, "poll failed");
        }
    }

    fn answered(&mut self, Poll { lane, by, took, error }: Poll<'_>) {
        serve::answered(&self.readiness, lane, error);
        if let Some(lane) = self.lanes.get(lane.0) {
            lane.meters.answered(by, error.map(|error| error.kind), took);
        }
    }

    fn lanes_changed(&mut self, lanes: &[LaneIndex]) {
        serve::watches(&self.readiness, lanes, &self.lanes);
        self.log.meters().set_lanes(self.lanes.iter().map(|lane| Arc::clone(&lane.meters)).collect());
    }

    fn waits(&self, scheduler: &Scheduler) {
        self.readiness.asks_only(|lane| scheduler.has_questions(LaneIndex(lane)));
    }

    fn before(&mut self, question: &Question) -> Option<BoxFuture<'static, ()>> {
        let pool = match question {
            Question::Describe(target) => &target.pool,
            Question::List { pool, .. } => pool,
        };
        let ticket = *self.tickets.get(pool)?;
        if self.ledger.is_settled(ticket) {
            self.tickets.remove(pool);
            return None;
        }
        // Still noted: another request about the pool waits for the same.
        Some(self.ledger.settled(ticket))
    }

    fn list_failed(&mut self, pool: &UserPoolId, error: &PollError) {
        pool_log::list_failed(pool, error);
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
        self.log.meters().told(change.name());
        self.log.sink().lane(&LaneEvent {
            at: wall_time(),
            account: lane.account(),
            region: lane.region.as_str().into(),
            requests_per_second,
            since,
            change,
        });
    }

    fn signalled(&mut self, signal: Signal, scheduler: &Scheduler, _: Now) {
        self.log.count(scheduler);
        match signal {
            Signal::Hangup => {}
            Signal::Interrupt | Signal::Terminate => {
                self.readiness.stops();
                self.service.stopping(signal.name());
                self.log.tell(DaemonFact::Stopping { reason: signal.name() });
            }
        }
    }

    fn wakes_at(&self) -> Option<Tick> {
        self.service.wakes_at()
    }

    fn wake(&mut self, scheduler: &Scheduler, now: Now) {
        self.service.wake(now.tick, || census(scheduler, now).line());
    }
}

#[cfg(test)]
mod tests;
