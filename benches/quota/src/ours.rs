//! The scheduler of the product against the model, on simulated time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use cognito_import_watch_core::domain::{ErrorKind, PollError, Terms, WatchedJob};
use cognito_import_watch_core::schedule::{
    Action, BackoffPolicy, Batch, Ceilings, Ending, Input, LaneIndex, NewJob, PollResult, Question, Request, Scheduler,
    Settings,
};

use crate::cognito::life::stage_of;
use crate::cognito::{Cognito, JobIndex, Neighbour, Operation, Way};
use crate::record::{Record, Window};
use crate::time::{NEVER, Nanos, as_seconds, clocks, nanos, wall};

/// So often the scheduler may be woken at one moment without doing anything.
const WAKES_IN_VAIN: u32 = 1_000;

/// What a run is about, whoever polls.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The service and its jobs.
    pub cognito: Cognito,
    /// The way to it.
    pub way: Way,
    /// Who else asks, in the first account.
    pub neighbour: Neighbour,
    /// What is measured, and how long the run is.
    pub window: Window,
    /// The seed of all that is left to chance.
    pub seed: u64,
}

/// Whether pools may be listed to see several jobs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// A Describe for each job, always.
    PerJob,
    /// Lists where the scheduler finds them cheaper.
    Lists,
}

/// How the scheduler is set.
#[derive(Clone, Debug)]
pub struct Ours {
    /// The interval of a job.
    pub backoff: BackoffPolicy,
    /// The rates that are never passed.
    pub ceilings: Ceilings,
    /// Whether pools may be listed.
    pub asking: Asking,
}

impl Default for Ours {
    fn default() -> Self {
        Self { backoff: BackoffPolicy::default(), ceilings: Ceilings::default(), asking: Asking::Lists }
    }
}

impl Ours {
    /// The scheduler's own settings: the one place where they are made.
    fn settings(&self, seed: u64) -> Settings {
        Settings {
            backoff: self.backoff.clone(),
            ceilings: self.ceilings.clone(),
            batch: match self.asking {
                Asking::PerJob => Batch::Never,
                Asking::Lists => Batch::Auto,
            },
            ending: Ending::WhenStopped,
            seed,
        }
    }

    /// Runs the scheduler through a scene.
    #[must_use]
    pub fn run(&self, scene: Scene) -> Record {
        let mut world = World::new(self, scene);
        world.watch_all();
        world.run();
        world.record.close(&world.cognito);
        world.record
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    /// A request comes to the service.
    Arrives(u64),
    /// Its answer comes back.
    Answered(u64),
}

struct Flight {
    question: Question,
    account: usize,
    sent: Nanos,
    takes: Nanos,
    result: Option<PollResult>,
}

struct World {
    scheduler: Scheduler,
    cognito: Cognito,
    way: Way,
    neighbour: Neighbour,
    other_asks: Nanos,
    random: fastrand::Rng,
    now: Nanos,
    end: Nanos,
    happenings: BinaryHeap<Reverse<(Nanos, Happening)>>,
    flights: HashMap<u64, Flight>,
    /// When each job is to be asked about next, as the scheduler said at its last good look.
    due: Vec<Nanos>,
    record: Record,
}

impl World {
    fn new(ours: &Ours, scene: Scene) -> Self {
        let Scene { cognito, way, neighbour, window, seed } = scene;
        let ceilings = Some((ours.ceilings.per_lane(), ours.ceilings.per_pool()));
        let mut random = fastrand::Rng::with_seed(seed);
        Self {
            scheduler: Scheduler::new(ours.settings(random.u64(..)), clocks(0).tick),
            record: Record::new(&cognito, window, ceilings),
            due: vec![NEVER; cognito.job_count()],
            other_asks: neighbour.next(0, &mut random),
            cognito,
            way,
            neighbour,
            random,
            now: 0,
            end: window.until,
            happenings: BinaryHeap::new(),
            flights: HashMap::new(),
        }
    }

    /// Watches every job from the start on.
    fn watch_all(&mut self) {
        let terms = Arc::new(Terms::default());
        for job in 0..self.cognito.job_count() {
            let Some((_, account)) = self.cognito.place(job) else { continue };
            let Some(target) = self.cognito.target(job).cloned() else { continue };
            let job = WatchedJob { target, terms: Arc::clone(&terms) };
            self.feed(Input::Job(NewJob { lane: LaneIndex(account), job, known: None }));
        }
    }

    fn run(&mut self) {
        let mut in_vain = 0;
        let mut wake = self.wake();
        loop {
            let happens = self.happenings.peek().map_or(NEVER, |Reverse((at, _))| *at);
            let next = wake.min(happens).min(self.other_asks).max(self.now);
            if next > self.end {
                return;
            }
            in_vain = if next > self.now { 0 } else { in_vain };
            self.now = next;
            if self.other_asks <= next {
                self.record.other(next, self.cognito.admit_other(next, 0));
                self.other_asks = self.neighbour.next(next, &mut self.random);
                continue;
            }
            if happens > next {
                let before = self.flights.len();
                self.feed(Input::Wake);
                wake = self.wake();
                in_vain += u32::from(self.flights.len() == before);
                assert!(in_vain < WAKES_IN_VAIN, "the scheduler is woken without end at {} s", as_seconds(next));
                continue;
            }
            match self.happenings.pop() {
                Some(Reverse((_, Happening::Arrives(id)))) => self.arrives(id),
                Some(Reverse((_, Happening::Answered(id)))) => {
                    self.answered(id);
                    wake = self.wake();
                }
                None => {}
            }
        }
    }

    fn wake(&self) -> Nanos {
        self.scheduler.next_wake(clocks(self.now).tick).map_or(NEVER, |tick| nanos(tick.as_duration()))
    }

    /// Tells the scheduler something and sends what it says. What it observed is read from its own state.
    fn feed(&mut self, input: Input) {
        for action in self.scheduler.handle(clocks(self.now), input) {
            if let Action::Send(request) = action {
                self.send(request);
            }
        }
    }

    fn send(&mut self, Request { id, lane, question }: Request) {
        let (pool, operation) = match &question {
            Question::Describe(target) => (self.cognito.pool_of(&target.pool), Operation::Describe),
            Question::List { pool, .. } => (self.cognito.pool_of(pool), Operation::List),
        };
        self.record.sent(self.now, lane.0, pool.unwrap_or(usize::MAX), operation);
        let takes = self.way.draw(&mut self.random);
        self.happenings.push(Reverse((self.now + takes / 2, Happening::Arrives(id))));
        self.flights.insert(id, Flight { question, account: lane.0, sent: self.now, takes, result: None });
    }

    /// The service decides, and shows what is so at this moment.
    fn arrives(&mut self, id: u64) {
        let Some(flight) = self.flights.get_mut(&id) else { return };
        let (pool, operation) = match &flight.question {
            Question::Describe(target) => (self.cognito.pool_of(&target.pool), Operation::Describe),
            Question::List { pool, .. } => (self.cognito.pool_of(pool), Operation::List),
        };
        let admitted = pool.is_some_and(|pool| self.cognito.admit(self.now, pool, operation));
        let shown = match (&flight.question, pool) {
            (Question::Describe(target), _) => self
                .cognito
                .job_of(&target.job)
                .and_then(|job| self.cognito.describe(self.now, job))
                .map(|snapshot| PollResult::Job(snapshot, Some(wall(self.now)))),
            (Question::List { token, .. }, Some(pool)) => {
                self.cognito.list(self.now, pool, token.as_deref()).map(PollResult::Page)
            }
            (Question::List { .. }, None) => None,
        };
        flight.result = match (admitted, shown) {
            (true, Some(shown)) => Some(shown),
            (true, None) => Some(failed(ErrorKind::NotFound, "User pool does not exist.")),
            (false, _) => {
                self.record.throttled(self.now, flight.account);
                Some(failed(ErrorKind::Throttled, "Rate exceeded"))
            }
        };
        self.happenings.push(Reverse((flight.sent + flight.takes, Happening::Answered(id))));
    }

    fn answered(&mut self, id: u64) {
        let Some(Flight { question, takes, result: Some(result), .. }) = self.flights.remove(&id) else { return };
        let shown: Vec<JobIndex> = match (&question, &result) {
            (Question::Describe(target), _) => self.cognito.job_of(&target.job).into_iter().collect(),
            (Question::List { .. }, PollResult::Page(page)) => {
                page.jobs.iter().filter_map(|(job, _)| self.cognito.job_of(job)).collect()
            }
            (Question::List { .. }, PollResult::Job(..) | PollResult::Failed(_)) => Vec::new(),
        };
        self.feed(Input::Answered { id, result });
        for job in shown {
            self.looked(job, takes);
        }
    }

    /// The scheduler has taken in an answer that was about this job among others, good or not.
    fn looked(&mut self, job: JobIndex, takes: Nanos) {
        let now = clocks(self.now);
        let Some(view) = self.scheduler.view(job, now) else { return };
        let good = view.track.last_good() == Some(now.wall);
        let Some(stage) = view.track.known().filter(|_| good).and_then(|known| stage_of(&known.status)) else { return };
        let next = view.next_poll.map_or(NEVER, nanos);
        let due = self.due.get(job).copied().unwrap_or(NEVER);
        let wanted = (due != NEVER).then(|| due + takes);
        self.record.looked(self.now, &self.cognito, job, stage, wanted);
        if let Some(due) = self.due.get_mut(job) {
            *due = next;
        }
    }
}

fn failed(kind: ErrorKind, message: &str) -> PollResult {
    PollResult::Failed(PollError::new(kind, message))
}
