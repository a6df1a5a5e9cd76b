//! All of it together: performs operations, and has what must hold checked at every step.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Duration;

use cognito_import_watch_core::domain::{JobEvent, Memory as Kept, StoredTrack, Target};
use cognito_import_watch_core::schedule::{Action, Input, PollResult, Question, Request};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::lists::{Answer, Lists};
use super::memory::Memory;
use super::operations::{Beginning, Config, Disk, Keeps, MAX_INTERVAL, Mood, Operation, POOLS};
use super::process::{Counts, Flight, Process, path};
use super::recorder::Recorder;
use super::service::Service;
use super::story::Watch;
use crate::driver::Observer as _;
use crate::ledger::Ticket;
use crate::ledger::testing::Still;
use crate::run::engine::Lanes;
use crate::run::record;

/// 2026-11-18T11:06:40Z.
const BEGIN: i64 = 1_795_000_000_000;

/// The daemon, the service, the disk, whoever reads, and the reference.
pub(super) struct World {
    pub(super) runtime: Runtime,
    pub(super) lanes: Lanes,
    pub(super) home: TempDir,
    pub(super) life: u32,
    pub(super) beginning: Beginning,
    pub(super) config: Config,
    /// All that this life was given.
    pub(super) configs: Vec<Config>,
    pub(super) now: i64,
    pub(super) service: Service,
    pub(super) memory: Memory,
    pub(super) sinks: [Recorder; 2],
    pub(super) disk: Disk,
    pub(super) still: Option<Still>,
    pub(super) process: Option<Process>,
    /// The number of each line in the order in which they were made.
    pub(super) made: HashMap<String, usize>,
    /// The last line of this life, and the last that may be told.
    pub(super) last_line: Option<String>,
    pub(super) tellable: Option<String>,
    pub(super) newest: Option<Ticket>,
    pub(super) newest_state: Option<(Target, StoredTrack)>,
    /// What the answer that is being handled shows, and of which jobs nothing came of it yet.
    pub(super) answer: Option<Answer>,
    /// When the newest answer about each job arrived in this life.
    pub(super) heard: HashMap<String, i64>,
    /// Since when a job is watched that was not always in this life.
    pub(super) watched_since: HashMap<String, i64>,
    /// The jobs that a list left in doubt, and since when.
    pub(super) doubts: BTreeMap<String, i64>,
    /// What lists did.
    pub(super) lists: Lists,
    /// Since when nothing holds up or troubles a poll.
    pub(super) fair_since: i64,
    /// How many events were given up, by sink.
    pub(super) dropped: BTreeMap<&'static str, u64>,
    /// How often the ledger said that it cannot write.
    pub(super) alarms: u32,
    /// How often it had said so when the disk was good again.
    pub(super) calm_since: u32,
    pub(super) unwritable: bool,
    /// How often the file was removed under the daemon.
    pub(super) removed: u32,
}

impl World {
    pub(super) fn new(beginning: Beginning, lanes: Lanes) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut world = Self {
            runtime,
            lanes,
            home: home(),
            life: 0,
            config: beginning.config.clone(),
            configs: Vec::new(),
            now: BEGIN,
            service: Service::new(beginning.page, BEGIN),
            beginning,
            memory: Memory::default(),
            sinks: [Recorder::new("log"), Recorder::new("webhook")],
            disk: Disk::Good,
            still: None,
            process: None,
            made: HashMap::new(),
            last_line: None,
            tellable: None,
            newest: None,
            newest_state: None,
            answer: None,
            heard: HashMap::new(),
            watched_since: HashMap::new(),
            doubts: BTreeMap::new(),
            lists: Lists::default(),
            fair_since: BEGIN,
            dropped: BTreeMap::new(),
            alarms: 0,
            calm_since: 0,
            unwritable: false,
            removed: 0,
        };
        world.make_room();
        world.start(false);
        world
    }

    /// Has an operation happen, and what follows from it by itself.
    pub(super) fn perform(&mut self, operation: Operation) {
        let jobs = self.service.jobs.len();
        match operation {
            Operation::Pass(duration) => self.pass(duration),
            Operation::Hear { answers } => self.run(self.now + millis(MAX_INTERVAL), answers),
            Operation::Create { pool, birth, count } => {
                (0..count).for_each(|_| self.service.create(POOLS[pool], birth, self.now));
            }
            Operation::Move { job, status } => self.service.advance(job.index(jobs), status, self.now),
            Operation::Count { job, imported, skipped, failed } => {
                self.service.count(job.index(jobs), [imported, skipped, failed], self.now);
            }
            Operation::FailJob { job, fault, times } => {
                let target = self.service.jobs[job.index(jobs)].target.clone();
                self.service.fail(&target, fault, times);
            }
            Operation::FailList { pool, fault, times } => self.service.fail(POOLS[pool], fault, times),
            Operation::Lag(lag) => self.service.lag = lag,
            Operation::Latency(latency) => {
                self.service.latency = latency;
                self.fair_since = self.now;
            }
            Operation::Sink { sink, mood } => self.sinks[sink].set_mood(mood),
            Operation::Disk(disk) => self.set_disk(disk),
            Operation::Crash { down } => {
                self.die();
                self.now += millis(down);
                self.start(false);
            }
            Operation::Stop { down } => {
                let in_order = self.stop();
                self.now += millis(down);
                self.start(in_order);
            }
            Operation::Lose => {
                self.die();
                self.lose();
                self.now += 1;
                self.start(false);
            }
            Operation::Remove => self.remove(),
            Operation::Reload(config) => self.reload(config),
        }
        self.quiet();
    }

    /// Everything heals, the daemon sees all there is to see, and stops. Gives what lists did.
    pub(super) fn finish(mut self) -> Lists {
        self.service.heal();
        self.sinks.iter().for_each(|sink| sink.set_mood(Mood::Takes));
        self.set_disk(Disk::Good);
        self.quiet();
        self.pass(Duration::from_secs(3_600));
        self.quiet();
        self.check_all_is_known();
        assert!(self.stop(), "nothing keeps the daemon from stopping in order");
        // What a disk in trouble hid from a reload is seen at the next start, and nothing is told for it.
        self.now += 1;
        self.start(true);
        assert!(self.stop(), "nothing keeps the daemon from stopping in order");
        self.check_all_is_told();
        self.lists
    }

    pub(super) fn file(&self) -> PathBuf {
        path(self.home.path(), self.life)
    }

    /// Makes the directory of the file.
    pub(super) fn make_room(&self) {
        std::fs::create_dir(self.file().parent().expect("it is in a directory")).unwrap();
    }

    pub(super) fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the daemon runs")
    }

    pub(super) fn keeps_a_file(&self) -> bool {
        self.beginning.keeps == Keeps::File
    }

    pub(super) fn pass(&mut self, duration: Duration) {
        let until = self.now + millis(duration);
        self.run(until, usize::MAX);
        self.now = until;
        self.check_doubts();
        self.check_nobody_starves(duration);
    }

    /// Runs until a moment, or until so many answers have come.
    fn run(&mut self, until: i64, answers: usize) {
        let next = |world: &Self| world.process.as_ref()?.next(world.now).filter(|next| *next <= until);
        let (mut heard, mut steps_at_once) = (0, 0);
        while let Some(next) = next(self).filter(|_| heard < answers) {
            steps_at_once = if next > self.now { 0 } else { steps_at_once + 1 };
            assert!(steps_at_once < 1_000, "the daemon spins");
            self.now = self.now.max(next);
            match self.process().arrived(next) {
                Some(id) => {
                    heard += 1;
                    self.answer(id);
                }
                None => self.feed(Input::Wake),
            }
        }
    }

    fn answer(&mut self, id: u64) {
        let flight = self.process().flights.remove(&id).expect("it is on its way");
        let result = self.service.answer(&flight.question, self.now);
        if let PollResult::Failed(_) = &result {
            self.fair_since = self.now;
        }
        let answer = (flight.answer == Counts::Yes).then(|| self.what_it_shows(&flight, &result));
        self.answer = answer;
        self.feed(Input::Answered { id, result });
        if let Some(answer) = self.answer.take() {
            self.check_all_was_observed(&answer);
        }
    }

    pub(super) fn watch(&mut self, target: &str) -> Watch {
        let instance = self.process().daemon.ledger.instance().to_string();
        let (pool, job) = target.split_once('/').expect("a target has two parts");
        Watch {
            instance,
            target: [pool, job].map(str::to_owned),
            deadline: self.config.deadline,
            max_failed_users: self.config.max_failed_users,
        }
    }

    pub(super) fn feed(&mut self, input: Input) {
        let now = self.now;
        let process = self.process();
        let actions = process.scheduler.handle(process.at(now), input);
        for action in actions {
            match action {
                Action::Send(request) => self.send(request),
                Action::Observed { job, events, memory } => self.observed(job, &events, memory),
                Action::PoolFailed { pool, error, next_poll, news } => {
                    self.process().daemon.pool_failed(&pool, &error, next_poll, news);
                }
                Action::ListFailed { pool, error } => self.process().daemon.list_failed(&pool, &error),
                Action::PoolRecovered { pool } => self.process().daemon.pool_recovered(&pool),
                Action::RateChanged(lane, change) => self.process().daemon.rate_changed(lane, change),
            }
        }
    }

    fn observed(&mut self, job: usize, events: &[JobEvent], kept: Kept) {
        let Some(process) = &mut self.process else { return };
        let now = process.at(self.now);
        let view = process.scheduler.view(job, now).expect("it is watched");
        let record = record::of(&view, events, kept, process.daemon.ledger.instance(), now);
        process.daemon.observed(&view, events, kept, now);
        self.newest = process.daemon.newest.or(self.newest);
        let expected = self.hear(&record.target.to_string());
        Self::check_what_is_told(&expected, &record, kept);
        let lines: Vec<String> = record.events.iter().map(|event| event.line.to_string()).collect();
        for line in &lines {
            let number = self.made.len();
            assert_eq!(self.made.insert(line.clone(), number), None, "made twice");
        }
        self.last_line = lines.last().cloned().or(self.last_line.take());
        if self.disk != Disk::Still {
            self.tellable.clone_from(&self.last_line);
        }
        if kept == Kept::OutOfDate {
            self.newest_state = Some((record.target.clone(), record.track));
            self.memory.noted(&record.target.to_string(), lines);
        } else {
            self.memory.seen(&record.target.to_string(), record.track);
        }
    }

    fn send(&mut self, request: Request) {
        let Request { id, question, .. } = request;
        self.check_question(&question);
        let wait = self.process().daemon.before(&question);
        let behind = self.behind(&question);
        if let Question::Describe(target) = &question {
            self.doubts.remove(&target.to_string());
        }
        let flight = Flight { question, asked: self.now, behind, wait, arrives: None, answer: Counts::Yes };
        self.process().flights.insert(id, flight);
        self.release(id);
    }

    /// Sends a request, if what it waits for has come.
    pub(super) fn release(&mut self, id: u64) {
        let sure = self.will_settle();
        let process = self.process.as_mut().expect("the daemon runs");
        if process.flights.get(&id).is_none_or(|flight| flight.arrives.is_some()) {
            return;
        }
        if !process.is_free(&self.runtime, id, sure) {
            self.fair_since = self.now;
            return;
        }
        let arrives = self.now + millis(self.service.latency);
        if let Some(flight) = process.flights.get_mut(&id) {
            flight.arrives = Some(arrives);
            if flight.asked < self.now {
                // It was held up all the time since.
                self.fair_since = self.now;
            }
            let behind = std::mem::take(&mut flight.behind);
            self.check_nothing_is_lost_by(&behind);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // After a failure too the threads end.
        self.sinks.iter().for_each(Recorder::hang_up);
        drop(self.still.take());
        if let Some(process) = self.process.take() {
            drop(process.end(Duration::ZERO));
        }
    }
}

/// A directory in memory where there is one: nothing here turns on what a disk does with its cache.
fn home() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap()
}
