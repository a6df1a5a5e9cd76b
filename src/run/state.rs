//! Where the state is kept, and what is remembered from before.
//!
//! Used by `run`, and by `history` and `status --recorded` to find the file.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cognito_import_watch_core::domain::Target;

use super::console::Console;
use super::engine::Known;
use super::load;
use crate::cli::{ConfigArgs, Shared};
use crate::config::{self, Plan, StatePath, StatePlan, resolve};
use crate::exit::{CommandError, Exit};
use crate::ledger::{FileLedger, FileSettings, LedgerError, Limits, OnCorrupt, Opened, RecordedJob};

/// The file in a state directory.
const FILE: &str = "state.db";

/// The file that a plan means; `None` where it means none.
pub(super) fn path(plan: &StatePlan, state_directory: Option<OsString>) -> Option<PathBuf> {
    match &plan.path {
        StatePath::None => None,
        StatePath::File(path) => Some(path.clone()),
        // systemd lists several with colons between them.
        StatePath::Auto => std::env::split_paths(&state_directory?)
            .next()
            .filter(|directory| !directory.as_os_str().is_empty())
            .map(|directory| directory.join(FILE)),
    }
}

/// The variable of the service manager.
pub(super) fn state_directory() -> Option<OsString> {
    std::env::var_os("STATE_DIRECTORY")
}

/// Opens the ledger of a plan; `None` where it keeps no state.
///
/// # Errors
/// Code 74 when the file cannot be used.
pub(super) async fn open(plan: &StatePlan) -> Result<Option<Opened>, CommandError> {
    let Some(path) = path(plan, state_directory()) else { return Ok(None) };
    let settings = FileSettings {
        path,
        on_corrupt: match plan.on_corrupt {
            config::OnCorrupt::Stop => OnCorrupt::Stop,
            config::OnCorrupt::SetAside => OnCorrupt::SetAside,
        },
        limits: Limits {
            keep_events: plan.keep_events,
            max_events: plan.max_events,
            outbox_age: plan.outbox_age,
            outbox_events: usize::try_from(plan.outbox_events).unwrap_or(usize::MAX),
        },
    };
    let opened = tokio::task::spawn_blocking(move || FileLedger::open(&settings)).await;
    match opened {
        Ok(opened) => opened.map(Some).map_err(|error| not_writable(&error)),
        Err(_) => Err(CommandError::new(Exit::Internal, "opening the state file broke off inside this program")),
    }
}

/// The file to read: the one named, else the config's, else the one in the state directory.
///
/// # Errors
/// Code 2 when no file is meant, 78 when the config is wrong.
pub(super) fn to_read(
    named: Option<&Path>,
    config: &ConfigArgs,
    shared: &Shared,
    console: &Console,
) -> Result<PathBuf, CommandError> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let sources = load::sources(config)?;
    let plan = resolve(&sources, &load::overrides(shared)).map_err(|problems| load::refused(&problems, console))?;
    let usage = |message| CommandError::new(Exit::Usage, message);
    match (path(&plan.state, state_directory()), &plan.state.path) {
        (Some(path), _) => Ok(path),
        (None, StatePath::None) => Err(usage("the config keeps no state: state.path is \"none\"")),
        (None, StatePath::Auto | StatePath::File(_)) => {
            Err(usage("no state file is named: give --state FILE, or --config FILE where state.path names one"))
        }
    }
}

/// A state file that cannot be opened to be written, as the error of a command.
fn not_writable(error: &LedgerError) -> CommandError {
    if error.is_refusal() {
        let todo = "this user must be able to write to it and to its directory, on a disk with room; or choose another \
                    state.path (\"none\" keeps no state)";
        return CommandError::new(Exit::File, format!("{error}; {todo}"));
    }
    unusable(error)
}

/// A state file that cannot be used, as the error of a command.
pub(super) fn unusable(error: &LedgerError) -> CommandError {
    CommandError::new(Exit::File, error.to_string())
}

/// What is known of each job.
pub(super) fn known(jobs: Vec<RecordedJob>) -> Known {
    jobs.into_iter().map(|job| (job.target, job.track)).collect()
}

/// Which of the jobs that the ledger knows a plan watches. It says so of all of them: what the file says of a job may be
/// overtaken by a change that is still to be written.
pub(super) struct Moved {
    /// They are not watched, or no longer.
    pub(super) retired: Vec<Target>,
    /// They are watched, or again. Those that are over are not asked about, so that no answer tells.
    pub(super) readmitted: Vec<Target>,
}

/// Which of these jobs a plan watches.
pub(super) fn moved(plan: &Plan, jobs: &[RecordedJob]) -> Moved {
    let named: HashSet<&Target> = plan.jobs.iter().map(|job| &job.target).collect();
    let pools: HashMap<_, _> = plan.pools.iter().map(|pool| (&pool.id, pool.filter())).collect();
    let by_pool = |job: &RecordedJob| {
        let filter = pools.get(&job.target.pool);
        filter.is_some_and(|filter| job.track.known.as_ref().is_none_or(|known| filter.wants_name(known)))
    };
    let is_watched = |job: &&RecordedJob| named.contains(&job.target) || by_pool(job);
    let (watched, others): (Vec<_>, Vec<_>) = jobs.iter().partition(is_watched);
    let targets = |jobs: Vec<&RecordedJob>| jobs.into_iter().map(|job| job.target.clone()).collect();
    Moved { retired: targets(others), readmitted: targets(watched) }
}

#[cfg(test)]
mod tests {
    use cognito_import_watch_core::domain::{Counts, JobSnapshot, JobStatus, JobTrack, StoredTrack, Tick, Timestamp};

    use super::*;

    #[test]
    fn the_file_is_the_one_named_or_in_the_first_state_directory() {
        let plan = |path| StatePlan { path, ..StatePlan::default() };
        let of = |path, directory: Option<&str>| super::path(&plan(path), directory.map(Into::into));
        assert_eq!(of(StatePath::Auto, Some("/var/lib/a:/var/lib/b")), Some("/var/lib/a/state.db".into()));
        assert_eq!(of(StatePath::Auto, Some("")), None);
        assert_eq!(of(StatePath::Auto, None), None);
        assert_eq!(of(StatePath::None, Some("/var/lib/a")), None);
        assert_eq!(of(StatePath::File("x.db".into()), Some("/var/lib/a")), Some("x.db".into()));
    }

    #[test]
    fn a_job_whose_name_its_pools_filter_does_not_want_is_not_watched() {
        let text = "[[pool]]\nid = \"us-west-2_Aa\"\njob_name = \"nightly-*\"\n";
        let plan = resolve(&[config::Source::new("watch.toml", text)], &config::Overrides::default()).unwrap();
        let job = |id: &str, name: &str| RecordedJob {
            target: format!("us-west-2_Aa/{id}").parse().unwrap(),
            name: None,
            account: None,
            track: StoredTrack {
                known: Some(JobSnapshot {
                    job_name: Some(name.into()),
                    status: JobStatus::Created,
                    counts: Counts::default(),
                    created_at: None,
                    started_at: None,
                    completed_at: None,
                    completion_message: None,
                    account: None,
                }),
                ..JobTrack::default().stored(Tick::ZERO, Timestamp::from_millis(0))
            },
            verdict: None,
            first_seen: None,
            retired: None,
        };
        let known = [job("import-0", "nightly-1"), job("import-1", "weekly-1")];
        let moved = moved(&plan, &known);
        assert_eq!(moved.readmitted, [known[0].target.clone()]);
        assert_eq!(moved.retired, [known[1].target.clone()]);
    }

    #[test]
    fn all_that_is_known_is_either_watched_or_not_whatever_the_file_says_of_it() {
        let source = config::Source::new("watch.toml", "[[job]]\ntarget = \"us-west-2_Aa/import-0\"\n");
        let plan = resolve(&[source], &config::Overrides::default()).unwrap();
        let job = |target: &str, retired| RecordedJob {
            target: target.parse().unwrap(),
            name: None,
            account: None,
            track: JobTrack::default().stored(Tick::ZERO, Timestamp::from_millis(0)),
            verdict: None,
            first_seen: None,
            retired,
        };
        for retired in [None, Some(Timestamp::from_millis(0))] {
            let known = ["us-west-2_Aa/import-0", "us-west-2_Bb/import-0"].map(|target| job(target, retired));
            let moved = moved(&plan, &known);
            assert_eq!(moved.readmitted, [known[0].target.clone()]);
            assert_eq!(moved.retired, [known[1].target.clone()]);
        }
    }
}
