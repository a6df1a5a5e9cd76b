//! How a life of the daemon begins, changes and ends.
//!
//! Called by [`World::perform`].

use std::time::Duration;

use cognito_import_watch_core::schedule::{Input, Question};

use super::operations::{Config, Disk, Mood};
use super::process::{Counts, Start, Started, plan};
use super::recorder::{Early, PATIENCE, Recorder};
use super::world::World;
use crate::ledger::testing::{hold, survives};
use crate::run::{engine, reload, state};

/// How long answers are awaited at the end, as the driver does.
const DRAIN: Duration = Duration::from_secs(5);

impl World {
    /// Begins a life. The clock of the host has moved by a moment at the least.
    pub(super) fn start(&mut self, stopped_in_order: bool) {
        let file = self.file();
        let Started { process, jobs, inputs } = Start {
            runtime: &self.runtime,
            lanes: &mut self.lanes,
            beginning: &self.beginning,
            plan: plan(&self.config.text()),
            path: &file,
            sinks: &self.sinks,
            life: self.life,
            stopped_in_order,
            now: self.now,
        }
        .start();
        self.memory.read(&jobs);
        self.memory.watch(&self.config);
        self.check_what_is_remembered(&jobs);
        (self.last_line, self.tellable, self.newest, self.unwritable) = (None, None, None, false);
        self.fair_since = self.now;
        (self.heard, self.watched_since, self.doubts) = Default::default();
        self.configs = vec![self.config.clone()];
        self.process = Some(process);
        for input in inputs {
            self.feed(input);
        }
    }

    /// Ends a life as SIGKILL does: what the disk does not hold by now is lost.
    pub(super) fn die(&mut self) {
        self.sinks.iter().for_each(Recorder::hang_up);
        let Some(process) = self.process.take() else { return };
        if self.keeps_a_file() {
            let from = self.file();
            let still = self.still.take().unwrap_or_else(|| hold(&from));
            self.life += 1;
            self.make_room();
            survives(&still, &from, &self.file());
            drop(still);
            for notice in process.end(Duration::ZERO) {
                self.notice(&notice);
            }
            self.disk = if self.disk == Disk::Refuses { Disk::Refuses } else { Disk::Good };
        } else {
            self.life += 1;
            self.make_room();
        }
        self.memory.died();
        self.check_the_file();
    }

    /// Ends a life as SIGTERM does. `true` when all was kept and told by then.
    pub(super) fn stop(&mut self) -> bool {
        self.feed(Input::Stop);
        self.pass(DRAIN);
        self.quiet();
        let takes = self.sinks.iter().all(|sink| sink.mood() == Mood::Takes);
        if !(self.keeps_a_file() && self.disk == Disk::Good && takes) {
            self.die();
            return !self.keeps_a_file();
        }
        let process = self.process.take().expect("the daemon runs");
        for notice in process.end(PATIENCE) {
            self.notice(&notice);
        }
        self.sinks.iter().for_each(Recorder::hang_up);
        self.memory.kept();
        self.memory.died();
        self.check_the_file();
        true
    }

    pub(super) fn lose(&mut self) {
        self.life += 1;
        self.make_room();
        self.disk = Disk::Good;
        self.calm_since = self.alarms;
        self.sinks.iter().for_each(|sink| sink.set_early(Early::MustNot));
        self.memory.lost();
    }

    /// As `run` does it when SIGHUP comes.
    pub(super) fn reload(&mut self, config: Config) {
        let file = self.keeps_a_file().then(|| self.file());
        let sure = self.will_settle();
        let process = self.process.as_mut().expect("the daemon runs");
        if sure {
            self.runtime.block_on(process.daemon.settle());
        }
        let plan = plan(&config.text());
        let jobs = reload::remembered(file).unwrap();
        self.memory.read(&jobs);
        let moved = state::moved(&plan, &jobs);
        let known = state::known(jobs);
        let now = process.at(self.now);
        let watched = self.runtime.block_on(engine::watched(&plan, &mut self.lanes, &known, now)).unwrap();
        process.daemon.note(moved, now.wall);
        for flight in process.flights.values_mut() {
            if let Question::Describe(target) = &flight.question
                && !config.watches(&target.to_string())
            {
                flight.answer = Counts::No;
            }
        }
        // What is watched already is not looked up, even if nothing was seen of it yet.
        for view in process.scheduler.views(now) {
            self.memory.mind.entry(view.watched.target.to_string()).or_default();
        }
        self.memory.watch(&config);
        for job in self.service.jobs.iter().filter(|job| !self.config.watches(&job.target)) {
            self.watched_since.insert(job.target.clone(), self.now);
        }
        self.configs.push(config.clone());
        self.config = config;
        self.fair_since = self.now;
        self.feed(Input::Replace(Box::new(watched)));
    }
}
