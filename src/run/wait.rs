//! `wait`: one shot. Blocks until every job is over, prints one result, exits with a code.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cognito_import_watch_core::domain::policy::AllSkipped;
use cognito_import_watch_core::domain::{JobEvent, Memory, PollError, Tick, UserPoolId, Verdict};
use cognito_import_watch_core::schedule::{Ending, JobView, LaneIndex, News, Now, RateChange, Scheduler};
use uuid::Uuid;

use super::console::{Console, Log, filter};
use super::daemon::signals;
use super::engine::{self, Engine, Keys, Known};
use super::report_files::ReportFiles;
use super::{load, pool_log, record};
use crate::cli::{Output, Shared, WaitArgs};
use crate::clock::Clock;
use crate::config::{self, LogLevel, Overrides, Selection};
use crate::driver::{Ended, Observer, OnHangup};
use crate::exit::{CommandError, Exit};
use crate::ledger::{Ledger, MemoryLedger};
use crate::output::WaitResult;
use crate::output::progress::{JobProgress, Moment, Progress, ProgressMode, ProgressModel, TerminalScreen, Volume};
use crate::signal::Signal;
use crate::sink::LogSink;
use crate::telemetry::{LogFormat, PlainScreen, Reader};

/// Waits for jobs.
///
/// # Errors
/// When the config or the command line is wrong, or AWS's own settings cannot be used.
pub(super) async fn wait(args: WaitArgs, shared: Shared, console: &Console) -> Result<Exit, CommandError> {
    let overrides = overrides(&args, &shared)?;
    let plan = load::plan_to_watch(&args.config, &overrides, console)?;
    let unobserved = Some(args.unobserved_timeout).filter(|timeout| !timeout.is_zero());
    let files = ReportFiles::of(&args);
    let unwritable = files.try_out();
    unwritable.iter().for_each(|error| console.error(error));
    // Nobody is to wait an hour for a report that is lost: one look, and its result is printed all the same.
    let timeout = if unwritable.is_empty() { args.timeout } else { Some(Duration::ZERO) };
    let ending = Ending::WhenOver { timeout, unobserved };
    let mut signals = signals()?;
    let plan = Arc::new(plan);
    let mut engine = engine::build(Arc::clone(&plan), ending, &Keys::Planned, &Known::new()).await?;
    let display = Display::choose(&args, &shared, &plan.log, console);
    let log = display.start_log()?;
    let mut teller = Teller::new(&display, &log, engine.clock);
    for job in &plan.jobs {
        teller.progress.add(&job.target, job.name.as_deref());
    }
    let inputs = std::mem::take(&mut engine.inputs);
    let ended = engine.run(inputs, &mut signals, OnHangup::Stop, &mut teller).await;
    teller.progress.finish();
    log.close();
    let (mut result, mut exit) = result(ended, &engine);
    let mut weigh = |error: Option<&CommandError>, result: &mut WaitResult| {
        if let Some(error) = error.filter(|error| error.exit.outweighs(exit)) {
            exit = error.exit;
            result.exit_code = exit.code();
        }
    };
    weigh(unwritable.first(), &mut result);
    let junit = files.write_junit(&result, engine.clock.now().wall).err();
    weigh(junit.as_ref(), &mut result);
    // The summary comes last, for it tells the code.
    let summary = files.write_summary(&result).err();
    weigh(summary.as_ref(), &mut result);
    let is_new = |error: &&CommandError| !unwritable.contains(error);
    junit.iter().chain(&summary).filter(is_new).for_each(|error| console.error(error));
    let text = match shared.output {
        Output::Json => result.json() + "\n",
        Output::Text => result.text(console.style(&io::stdout()).columns),
    };
    Ok(console.conclude(&text, exit))
}

/// What is shown on stderr until the result is there.
struct Display {
    mode: ProgressMode,
    level: LogLevel,
    format: LogFormat,
}

impl Display {
    /// Progress as asked for; of the log warnings and errors, unless more or less is asked for.
    fn choose(args: &WaitArgs, shared: &Shared, log: &config::LogPlan, console: &Console) -> Self {
        let (volume, level) = match (shared.quiet, shared.log_level) {
            (true, _) => (Volume::Quiet, LogLevel::Error),
            (false, Some(level)) => (Volume::Usual, level),
            (false, None) => (Volume::Usual, LogLevel::Warn),
        };
        let format = match log.format {
            config::LogFormat::Auto | config::LogFormat::Text => LogFormat::Text(console.style(&io::stderr())),
            config::LogFormat::Json => LogFormat::Json,
            config::LogFormat::Journald => LogFormat::Journal,
        };
        let term = std::env::var_os("TERM");
        // The journal has no place for a live display: to it nobody looks at a terminal.
        let reader = if format == LogFormat::Journal { Reader::Other } else { Reader::of(&io::stderr()) };
        let mode = args.progress.resolve(volume, reader, term.as_deref());
        Self { mode, level, format }
    }

    fn start_log(&self) -> Result<Log, CommandError> {
        match (self.format, self.mode) {
            (LogFormat::Journal, _) => Log::to_journal(self.level),
            (LogFormat::Text(_) | LogFormat::Json, ProgressMode::Live { .. }) => {
                Log::start(self.level, self.format, TerminalScreen::stderr())
            }
            (LogFormat::Text(_) | LogFormat::Json, ProgressMode::Lines | ProgressMode::Nothing) => {
                Log::start(self.level, self.format, PlainScreen(io::stderr()))
            }
        }
    }
}

fn overrides(args: &WaitArgs, shared: &Shared) -> Result<Overrides, CommandError> {
    let counted = args.csv.as_deref().map(count_rows).transpose()?;
    Ok(Overrides {
        targets: args.targets.clone(),
        selection: Selection::Only,
        initial_interval: args.initial_interval,
        max_interval: args.max_interval,
        max_failed_users: args.max_failed_users,
        max_skipped_users: args.max_skipped_users,
        all_skipped: args.allow_all_skipped.then_some(AllSkipped::Meets),
        expected_users: args.expected_users.or(counted),
        ..load::overrides(shared)
    })
}

/// The users of a CSV: its lines without the header and without empty ones. Cognito's CSV has no quotation marks, so
/// that no value holds the end of a line.
fn count_rows(path: &Path) -> Result<u64, CommandError> {
    let cannot =
        |error: io::Error| CommandError::new(Exit::Usage, format!("cannot read the CSV {}: {error}", path.display()));
    let mut file = io::BufReader::new(std::fs::File::open(path).map_err(cannot)?);
    let mut rows: u64 = 0;
    let mut blank = true;
    loop {
        let bytes = io::BufRead::fill_buf(&mut file).map_err(cannot)?;
        if bytes.is_empty() {
            break;
        }
        for byte in bytes {
            match byte {
                b'\n' => blank = true,
                byte if blank && !byte.is_ascii_whitespace() => {
                    blank = false;
                    rows += 1;
                }
                _ => {}
            }
        }
        let read = bytes.len();
        io::BufRead::consume(&mut file, read);
    }
    match rows {
        0 | 1 => Err(CommandError::new(Exit::Usage, format!("the CSV {} holds no user", path.display()))),
        rows => Ok(rows - 1),
    }
}

/// The result as it stands, and the code it means.
fn result(ended: Ended, engine: &Engine) -> (WaitResult, Exit) {
    let (verdict, exit) = match ended {
        Ended::Signalled(signal) => (Verdict::Interrupted, signal.exit()),
        Ended::Over => Exit::decide(engine.verdicts()).unwrap_or((Verdict::Succeeded, Exit::Success)),
    };
    let result = WaitResult {
        verdict,
        exit_code: exit.code(),
        elapsed: engine.clock.now().tick.as_duration(),
        polls: engine.driver.scheduler().requests(),
        jobs: engine.reports(),
        lost_pools: engine.lost_pools(),
    };
    (result, exit)
}

/// Tells the log and the display what happens.
struct Teller {
    ledger: Box<dyn Ledger>,
    progress: Progress,
}

impl Teller {
    fn new(display: &Display, log: &Log, clock: Clock) -> Self {
        let instance = Uuid::new_v4();
        let now = clock.now();
        let sink = LogSink::new(instance);
        let model = ProgressModel::new(display.mode, filter(display.level), instance, moment(now));
        Self {
            ledger: Box::new(MemoryLedger::new(instance, move |event| sink.rendered(event))),
            progress: Progress::new(model, display.format, log.printer()),
        }
    }
}

impl Observer for Teller {
    fn observed(&mut self, job: &JobView, events: &[JobEvent], memory: Memory, now: Now) {
        self.ledger.record(record::of(job, events, memory, self.ledger.instance(), now));
        for event in events {
            self.progress.event(event, moment(now));
        }
        let identity = job.track.identity(&job.watched);
        let known = job.track.known();
        let progress = JobProgress {
            name: identity.display_name().map(Into::into),
            status: known.map(|known| known.status.clone()),
            counts: known.map(|known| known.counts),
            percent: job.percent,
            eta: job.eta,
            last_good_poll: job.track.last_good(),
        };
        let next_poll = match job.verdict {
            None => Some(job.next_poll.unwrap_or_default()),
            Some(_) => None,
        };
        self.progress.observe(&job.watched.target, progress, next_poll, moment(now));
        if let Some(error) = job.track.failing() {
            tracing::debug!(target_job = %job.watched.target, error_kind = %error.kind, %error, "poll failed");
        }
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

    fn rate_changed(&mut self, _: LaneIndex, _: RateChange) {}

    fn signalled(&mut self, _: Signal, _: &Scheduler, _: Now) {}

    fn wakes_at(&self) -> Option<Tick> {
        self.progress.wakes_at()
    }

    fn wake(&mut self, _: &Scheduler, now: Now) {
        if let Reader::Terminal { columns } = Reader::of(&io::stderr()) {
            self.progress.resize(columns);
        }
        self.progress.tick(moment(now));
    }
}

fn moment(now: Now) -> Moment {
    Moment { tick: now.tick, time: now.wall }
}
