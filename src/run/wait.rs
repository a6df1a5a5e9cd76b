//! `wait`: one shot. Blocks until every job is over, prints one result, exits with a code.

use std::io;
use std::path::Path;
use std::time::Duration;

use cognito_import_watch_core::domain::policy::AllSkipped;
use cognito_import_watch_core::domain::{JobEvent, PollError, UserPoolId, Verdict};
use cognito_import_watch_core::schedule::{Ending, JobView, LaneIndex, Now, RateChange, Scheduler};
use uuid::Uuid;

use super::console::{Console, Log};
use super::daemon::signals;
use super::engine::{self, Engine, Keys};
use super::load;
use crate::cli::{Output, Shared, WaitArgs};
use crate::config::{self, LogLevel, Overrides, Selection};
use crate::driver::{Ended, Observer, OnHangup};
use crate::exit::{CommandError, Exit};
use crate::output::WaitResult;
use crate::signal::Signal;
use crate::sink::LogSink;
use crate::telemetry::{LogFormat, PlainScreen};

/// Waits for jobs.
///
/// # Errors
/// When the config or the command line is wrong, AWS's own settings cannot be used, or the result cannot be printed.
pub(super) async fn wait(args: WaitArgs, shared: Shared, console: &Console) -> Result<Exit, CommandError> {
    let overrides = overrides(&args, &shared)?;
    let plan = load::plan_to_watch(&args.config, &overrides, console)?;
    let unobserved = Some(args.unobserved_timeout).filter(|timeout| !timeout.is_zero());
    let ending = Ending::WhenOver { timeout: args.timeout, unobserved };
    let mut signals = signals()?;
    let log = start_log(&shared, &plan.log, console)?;
    let mut engine = engine::build(&plan, ending, &Keys::Planned).await?;
    let mut teller = Teller { log: LogSink::new(Uuid::new_v4()) };
    let inputs = std::mem::take(&mut engine.inputs);
    let ended = engine.driver.run(inputs, &mut signals, OnHangup::Stop, &mut teller).await;
    log.close();
    let (result, exit) = result(ended, &engine);
    console.result(&match shared.output {
        Output::Json => result.json() + "\n",
        Output::Text => result.text(console.style(&io::stdout()).columns),
    })?;
    Ok(exit)
}

/// The log of a one-shot command: on stderr, warnings and errors unless more is asked for.
///
/// # Errors
/// When the log cannot be started.
pub(super) fn start_log(shared: &Shared, plan: &config::LogPlan, console: &Console) -> Result<Log, CommandError> {
    let level = match (shared.quiet, shared.log_level) {
        (true, _) => LogLevel::Error,
        (false, Some(level)) => level,
        (false, None) => LogLevel::Warn,
    };
    let format = match plan.format {
        config::LogFormat::Auto | config::LogFormat::Text => LogFormat::Text(console.style(&io::stderr())),
        config::LogFormat::Json => LogFormat::Json,
    };
    Log::start(level, format, PlainScreen(io::stderr()))
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
    };
    (result, exit)
}

/// Tells the log what happens.
struct Teller {
    log: LogSink,
}

impl Observer for Teller {
    fn observed(&mut self, _: &JobView<'_>, events: &[JobEvent], _: Now) {
        for event in events {
            self.log.job(event);
        }
    }

    fn pool_failed(&mut self, pool: &UserPoolId, error: &PollError, _: Option<Duration>) {
        tracing::warn!(user_pool_id = %pool, error_kind = %error.kind, %error, "pool list failed");
    }

    fn rate_changed(&mut self, _: LaneIndex, _: RateChange) {}

    fn signalled(&mut self, _: Signal, _: &Scheduler, _: Now) {}
}
