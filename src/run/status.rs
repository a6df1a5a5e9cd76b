//! `status`: asks the service once about each job and prints where they are. A job that failed is no failure here.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use cognito_import_watch_core::domain::Verdict;
use cognito_import_watch_core::schedule::Ending;

use super::console::Console;
use super::daemon::signals;
use super::engine::{self, Keys, Known};
use super::silent::Silent;
use super::{history, load};
use crate::cli::{Output, Shared, StatusArgs};
use crate::config::{Overrides, Selection};
use crate::driver::{Ended, OnHangup};
use crate::exit::{CommandError, Exit};
use crate::output::{JobReport, status};

/// Looks once.
///
/// # Errors
/// When the config or the command line is wrong, or AWS's own settings cannot be used.
pub(super) async fn status(args: StatusArgs, shared: Shared, console: &Console) -> Result<Exit, CommandError> {
    if args.recorded {
        return history::recorded(&args, &shared, console);
    }
    let overrides = Overrides { targets: args.targets, selection: Selection::Only, ..load::overrides(&shared) };
    let plan = load::plan_to_watch(&args.config, &overrides, console)?;
    let mut signals = signals()?;
    let ending = Ending::WhenOver { timeout: Some(Duration::ZERO), unobserved: None };
    let mut engine = engine::build(Arc::new(plan), ending, &Keys::Planned, &Known::new()).await?;
    let inputs = std::mem::take(&mut engine.inputs);
    let ended = engine.run(inputs, &mut signals, OnHangup::Stop, &mut Silent).await;
    // Here a verdict says how the look went, which is not what becomes of the job.
    let jobs: Vec<JobReport> = engine
        .reports()
        .into_iter()
        .map(|job| JobReport { verdict: job.verdict.filter(|_| job.is_over()), ..job })
        .collect();
    let lost = engine.lost_pools();
    let text = match shared.output {
        Output::Json => status::json(&jobs, &lost) + "\n",
        Output::Text => status::text(&jobs, &lost, console.style(&io::stdout()).columns),
    };
    let exit = match ended {
        Ended::Signalled(signal) => signal.exit(),
        Ended::Over => exit(&engine.verdicts()),
    };
    Ok(console.conclude(&text, exit))
}

/// The code of the looks that failed; what the jobs came to does not count.
pub(super) fn exit(verdicts: &[Verdict]) -> Exit {
    let failed = verdicts.iter().copied().filter(|verdict| match verdict {
        Verdict::NotFound | Verdict::Unobservable | Verdict::AccessDenied | Verdict::Invalid => true,
        Verdict::Succeeded
        | Verdict::Failed
        | Verdict::Stopped
        | Verdict::Expired
        | Verdict::TooManyFailedUsers
        | Verdict::TooManySkippedUsers
        | Verdict::DeadlineExceeded
        | Verdict::Interrupted => false,
    });
    Exit::decide(failed).map_or(Exit::Success, |(_, exit)| exit)
}
