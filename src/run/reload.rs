//! The config is read again while the daemon runs: resolved whole, compared, swapped, or refused.
//!
//! Used by `run` when SIGHUP comes.

use std::path::PathBuf;
use std::sync::Arc;

use cognito_import_watch_core::schedule::Input;

use super::engine::{Engine, Known};
use super::state::Moved;
use super::{load, state};
use crate::cli::ConfigArgs;
use crate::config::{Overrides, Plan, Style, needs_restart};
use crate::ledger::{Reader, RecordedJob};

/// Where the config comes from.
#[derive(Clone, Debug)]
pub(super) struct Reload {
    /// The file, or the text.
    pub(super) config: ConfigArgs,
    /// What was typed on top of it.
    pub(super) overrides: Overrides,
}

/// A new plan, ready to be put in force.
pub(super) struct Reloaded {
    /// The plan.
    pub(super) plan: Arc<Plan>,
    /// What makes the scheduler watch it.
    pub(super) input: Input,
    /// The jobs that are no longer watched, or are again.
    pub(super) moved: Moved,
    /// The settings that changed and are in force after a restart only.
    pub(super) needs_restart: Vec<&'static str>,
}

impl Reload {
    /// Reads the config again; the engine is ready for the new plan then. What is wrong with it is said as `check`
    /// says it, and nothing has changed. `started` has the settings that the
    /// process began with.
    pub(super) async fn perform(
        &self,
        started: &Plan,
        engine: &mut Engine,
        state: Option<PathBuf>,
    ) -> Result<Reloaded, String> {
        let reload = self.clone();
        let read = tokio::task::spawn_blocking(move || (reload.plan(), remembered(state))).await;
        let (plan, jobs) = read.map_err(|_| "reading the config broke off inside this program".to_owned())?;
        let (plan, jobs) = (plan?, jobs?);
        let moved = state::moved(&plan, &jobs);
        let known: Known = state::known(jobs);
        let plan = Arc::new(plan);
        let input = engine.replace(Arc::clone(&plan), &known).await.map_err(|error| error.message)?;
        let needs_restart = needs_restart(started, &plan);
        Ok(Reloaded { plan, input, moved, needs_restart })
    }

    fn plan(&self) -> Result<Plan, String> {
        let sources = load::sources(&self.config).map_err(|error| error.message)?;
        load::resolve_to_watch(&sources, &self.overrides).map_err(|problems| problems.render(Style::Plain))
    }
}

/// What the state file knows by now.
///
/// # Errors
/// When it cannot be read.
pub(super) fn remembered(state: Option<PathBuf>) -> Result<Vec<RecordedJob>, String> {
    let Some(path) = state else { return Ok(Vec::new()) };
    match Reader::open(&path).and_then(|reader| reader.jobs()) {
        // Whoever removed it wanted it forgotten: it costs repeats, not the new config.
        Err(error) if error.is_missing() => Ok(Vec::new()),
        jobs => jobs.map_err(|error| error.to_string()),
    }
}
