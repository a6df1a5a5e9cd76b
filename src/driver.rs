//! The loop that performs: due time, answer or signal in, `Scheduler::handle`, then what it says.
//!
//! It decides nothing. Polls run beside each other as tasks; everything else is this one loop.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cognito_import_watch_core::domain::track::AskedBy;
use cognito_import_watch_core::domain::{AccountId, ErrorKind, PollError, Tick};
use cognito_import_watch_core::schedule::{
    Action, Input, LaneIndex, PollResult, PoolPage, Question, Request, Scheduler,
};
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use crate::ask::{Ask, Asks};
use crate::clock::Clock;
use crate::pulse::{Pulse, Work};
use crate::signal::{Signal, Signals};
use crate::source::{BoxFuture, JobSource, MAX_PAGE_SIZE, PageToken};

mod asked;
mod observer;

pub use observer::{Observer, Poll};

/// How long answers that are on their way may take once we are to stop.
pub const DRAIN: Duration = Duration::from_secs(5);

/// What SIGHUP does to this command; the other signals stop every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnHangup {
    /// It ends the command, as the other signals do.
    Stop,
    /// The loop returns as it is, to be run on with another plan; answers that come meanwhile wait.
    HandBack,
}

impl OnHangup {
    fn stops(self, signal: Signal) -> bool {
        match (signal, self) {
            (Signal::Hangup, Self::HandBack) => false,
            (Signal::Hangup, Self::Stop) | (Signal::Interrupt | Signal::Terminate, _) => true,
        }
    }
}

/// How the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything watched is over.
    Over,
    /// A signal came.
    Signalled(Signal),
}

/// Runs a scheduler against the service.
#[derive(Debug)]
pub struct Driver {
    scheduler: Scheduler,
    sources: Vec<Arc<dyn JobSource>>,
    clock: Clock,
    polls: JoinSet<Answer>,
    ids: HashMap<Id, u64>,
    /// What answers showed of the lanes' accounts.
    accounts: Vec<Option<AccountId>>,
    has_learnt: bool,
    /// Where questions come from; `None` where nobody may ask.
    asks: Option<Asks>,
    /// How often what is watched was replaced: the jobs are numbered anew then.
    edition: u64,
    pulse: Pulse,
    /// The requests sent by the last turn.
    sent: u64,
}

impl Driver {
    /// A driver over a scheduler whose lanes are numbered as `sources` are.
    #[must_use]
    pub fn new(scheduler: Scheduler, sources: Vec<Arc<dyn JobSource>>, clock: Clock) -> Self {
        Self {
            scheduler,
            sources,
            clock,
            polls: JoinSet::new(),
            ids: HashMap::new(),
            accounts: Vec::new(),
            has_learnt: false,
            asks: None,
            edition: 0,
            pulse: Pulse::start(),
            sent: 0,
        }
    }

    /// Answers these questions about the jobs from now on, between its turns.
    pub fn set_asks(&mut self, asks: Asks) {
        self.asks = Some(asks);
    }

    /// Whether the loop is alive, for whoever has to know.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Asks these from now on; requests that are on their way are not called back.
    pub fn set_sources(&mut self, sources: Vec<Arc<dyn JobSource>>) {
        self.sources = sources;
    }

    /// The accounts of the lanes, as far as answers showed them.
    #[must_use]
    pub fn accounts(&self) -> &[Option<AccountId>] {
        &self.accounts
    }

    /// Everything as it stands.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Runs until everything is over, or a signal asks to stop: then what is on its way is awaited for [`DRAIN`] at
    /// the most, and a second signal that asks the same ends it at once. `None` when the account of one of several
    /// lanes became known: it is to be run on, for which it may get other lanes.
    pub async fn run(
        &mut self,
        inputs: Vec<Input>,
        signals: &mut Signals,
        hangup: OnHangup,
        observer: &mut dyn Observer,
    ) -> Option<Ended> {
        for input in inputs {
            self.handle(input, observer);
        }
        while !self.scheduler.is_over() {
            match self.next(signals, None, observer).await {
                Happened::Answer(answer) => {
                    self.answered(answer, observer);
                    if std::mem::take(&mut self.has_learnt) {
                        return None;
                    }
                }
                Happened::Due => self.wake(observer),
                Happened::Asked(ask) => self.answer(ask),
                Happened::Signal(signal) => {
                    observer.signalled(signal, &self.scheduler, self.clock.now());
                    if signal == Signal::Hangup && hangup == OnHangup::HandBack {
                        return Some(Ended::Signalled(signal));
                    }
                    if hangup.stops(signal) {
                        self.drain(signals, hangup, observer).await;
                        return Some(Ended::Signalled(signal));
                    }
                }
            }
        }
        Some(Ended::Over)
    }

    async fn drain(&mut self, signals: &mut Signals, hangup: OnHangup, observer: &mut dyn Observer) {
        self.handle(Input::Stop, observer);
        let end = Instant::now() + DRAIN;
        while self.scheduler.is_waiting() && Instant::now() < end {
            match self.next(signals, Some(end), observer).await {
                Happened::Answer(answer) => self.answered(answer, observer),
                Happened::Due => self.wake(observer),
                Happened::Asked(ask) => self.answer(ask),
                Happened::Signal(signal) if hangup.stops(signal) => break,
                Happened::Signal(_) => {}
            }
        }
        self.polls.abort_all();
        self.scheduler.interrupt();
    }

    /// Waits for the next thing to happen. All arms are cancel-safe and await nothing inside.
    async fn next(&mut self, signals: &mut Signals, end: Option<Instant>, observer: &dyn Observer) -> Happened {
        observer.waits(&self.scheduler);
        let now = self.clock.now().tick;
        let scheduled = self.scheduler.next_wake(now);
        let wake = scheduled.into_iter().chain(observer.wakes_at()).min();
        let wake = wake.map(|tick| self.clock.instant(tick)).into_iter().chain(end).min();
        let work = self.work(scheduled, now);
        self.pulse.turned(Instant::now(), wake, work);
        let sleep = async {
            match wake {
                Some(wake) => tokio::time::sleep_until(wake).await,
                None => std::future::pending().await,
            }
        };
        let happened = tokio::select! {
            biased;
            signal = signals.next() => Happened::Signal(signal),
            Some(answer) = self.polls.join_next_with_id() => self.taken(answer),
            () = sleep => Happened::Due,
            // Last, so that however many ask, polls come first.
            Some(ask) = asked::next(&mut self.asks) => Happened::Asked(ask),
        };
        self.pulse.turns(Instant::now());
        happened
    }

    fn answer(&self, ask: Ask) {
        asked::answer(ask, &self.scheduler, self.edition, self.clock.now());
    }

    /// What became of the work that was due since the last turn; the next is wanted at `scheduled`.
    fn work(&mut self, scheduled: Option<Tick>, now: Tick) -> Work {
        let sent = std::mem::replace(&mut self.sent, self.scheduler.requests());
        let lies = match scheduled {
            Some(at) => at <= now,
            None => !self.scheduler.is_waiting() && self.scheduler.open_jobs() > 0,
        };
        if lies && sent == self.sent { Work::Held } else { Work::Flows }
    }

    fn taken(&mut self, answer: Result<(Id, Answer), tokio::task::JoinError>) -> Happened {
        Happened::Answer(match answer {
            Ok((task, answer)) => {
                self.ids.remove(&task);
                answer
            }
            Err(error) => {
                let id = self.ids.remove(&error.id()).unwrap_or(u64::MAX);
                let error = PollError::new(ErrorKind::Transient, "the poll broke off inside this program");
                Answer { id, sent: None, result: PollResult::Failed(error) }
            }
        })
    }

    fn answered(&mut self, Answer { id, sent, result }: Answer, observer: &mut dyn Observer) {
        let error = match &result {
            PollResult::Job(..) | PollResult::Page(_) => None,
            PollResult::Failed(error) => Some(error),
        };
        if let Some(Sent { lane, by, took }) = sent {
            observer.answered(Poll { lane, by, took, error });
        }
        self.handle(Input::Answered { id, result }, observer);
    }

    fn wake(&mut self, observer: &mut dyn Observer) {
        let now = self.clock.now();
        if observer.wakes_at().is_some_and(|at| at <= now.tick) {
            observer.wake(&self.scheduler, now);
        }
        self.handle(Input::Wake, observer);
    }

    fn handle(&mut self, input: Input, observer: &mut dyn Observer) {
        let now = self.clock.now();
        self.edition += u64::from(matches!(input, Input::Replace(_)));
        for action in self.scheduler.handle(now, input) {
            match action {
                Action::Send(request) => {
                    let first = observer.before(&request.question);
                    self.send(request, first);
                }
                Action::Observed { job, events, memory } => {
                    if let Some(view) = self.scheduler.view(job, now) {
                        observer.observed(&view, &events, memory, now);
                        let account = view.track.known().and_then(|known| known.account.clone());
                        let lane = view.lane;
                        self.learn(lane, account);
                    }
                }
                Action::PoolFailed { pool, error, next_poll, news } => {
                    observer.pool_failed(&pool, &error, next_poll, news);
                }
                Action::PoolRecovered { pool } => observer.pool_recovered(&pool),
                Action::ListFailed { pool, error } => observer.list_failed(&pool, &error),
                Action::RateChanged(lane, change) => observer.rate_changed(lane, change),
            }
        }
    }

    /// Notes the account of a lane the first time that it is known: of the credentials, else of what a job showed. A
    /// lane that is alone is the same as no other.
    fn learn(&mut self, lane: LaneIndex, shown: Option<AccountId>) {
        if self.sources.len() < 2 || self.accounts.get(lane.0).is_some_and(Option::is_some) {
            return;
        }
        let Some(account) = self.sources.get(lane.0).and_then(|source| source.account()).or(shown) else { return };
        if self.accounts.len() <= lane.0 {
            self.accounts.resize(lane.0 + 1, None);
        }
        if let Some(known) = self.accounts.get_mut(lane.0) {
            *known = Some(account);
            self.has_learnt = true;
        }
    }

    fn send(&mut self, request: Request, first: Option<BoxFuture<'static, ()>>) {
        let Request { id, lane, question } = request;
        let by = match &question {
            Question::Describe(_) => AskedBy::Describe,
            Question::List { .. } => AskedBy::List,
        };
        let source = self.sources.get(lane.0).map(Arc::clone);
        let task = self.polls.spawn(async move {
            if let Some(first) = first {
                first.await;
            }
            let begun = Instant::now();
            let result = match source {
                Some(source) => ask(&*source, question).await,
                None => PollResult::Failed(PollError::new(ErrorKind::Transient, "the lane has no source")),
            };
            Answer { id, sent: Some(Sent { lane, by, took: begun.elapsed() }), result }
        });
        self.ids.insert(task.id(), id);
    }
}

/// What a request brought.
#[derive(Debug)]
struct Answer {
    id: u64,
    /// `None` where the poll broke off.
    sent: Option<Sent>,
    result: PollResult,
}

/// What was sent, and how long it took.
#[derive(Debug)]
struct Sent {
    lane: LaneIndex,
    by: AskedBy,
    took: Duration,
}

enum Happened {
    Answer(Answer),
    Due,
    Signal(Signal),
    Asked(Ask),
}

async fn ask(source: &dyn JobSource, question: Question) -> PollResult {
    match question {
        Question::Describe(target) => match source.describe(&target).await {
            Ok(answer) => PollResult::Job(answer.value, answer.date),
            Err(error) => PollResult::Failed(error),
        },
        Question::List { pool, token } => {
            let token = token.as_deref().map(PageToken::from);
            match source.list(&pool, MAX_PAGE_SIZE, token.as_ref()).await {
                Ok(answer) => PollResult::Page(PoolPage {
                    jobs: answer.value.jobs,
                    next: answer.value.next.map(|token| token.as_str().to_owned()),
                    date: answer.date,
                }),
                Err(error) => PollResult::Failed(error),
            }
        }
    }
}

#[cfg(test)]
mod tests;
