use std::collections::VecDeque;
use std::sync::Mutex;

use cognito_import_watch_core::domain::{
    AccountId, Counts, JobEvent, JobSnapshot, JobStatus, Memory, Target, UserPoolId, Verdict, WatchedJob,
};
use cognito_import_watch_core::schedule::{
    BackoffPolicy, Batch, Ceilings, Ending, JobView, NewJob, News, Now, RateChange, Settings,
};
use tokio::sync::mpsc;

use super::*;
use crate::pulse::Stuck;
use crate::source::{Answer, BoxFuture, JobPage};

/// A service in memory: what successive polls show; the last one goes on.
#[derive(Debug)]
struct Scripted(Mutex<VecDeque<Shown>>);

#[derive(Clone, Copy, Debug)]
enum Shown {
    Status(&'static str),
    Fails,
    Hangs,
    Panics,
}

impl JobSource for Scripted {
    fn describe<'a>(&'a self, _: &'a Target) -> BoxFuture<'a, Result<Answer<JobSnapshot>, PollError>> {
        let shown = {
            let mut script = self.0.lock().unwrap();
            if script.len() > 1 { script.pop_front() } else { script.front().copied() }
        };
        Box::pin(async move {
            match shown.unwrap() {
                Shown::Status(status) => Ok(Answer { value: snapshot(status), date: None }),
                Shown::Fails => Err(PollError::new(ErrorKind::Transient, "no")),
                Shown::Hangs => std::future::pending().await,
                Shown::Panics => panic!("a fault of ours"),
            }
        })
    }

    fn list<'a>(
        &'a self,
        _: &'a UserPoolId,
        _: u8,
        _: Option<&'a PageToken>,
    ) -> BoxFuture<'a, Result<Answer<JobPage>, PollError>> {
        Box::pin(async { Err(PollError::new(ErrorKind::Transient, "no list")) })
    }

    fn account(&self) -> Option<AccountId> {
        None
    }
}

fn snapshot(status: &str) -> JobSnapshot {
    JobSnapshot {
        job_name: None,
        status: JobStatus::from_wire(status),
        counts: Counts::default(),
        created_at: None,
        started_at: None,
        completed_at: None,
        completion_message: None,
        account: None,
    }
}

#[derive(Default)]
struct Told(Vec<&'static str>);

impl Observer for Told {
    fn observed(&mut self, _: &JobView, events: &[JobEvent], _: Memory, _: Now) {
        self.0.extend(events.iter().map(|event| event.fact.name()));
    }
    fn list_failed(&mut self, _: &UserPoolId, _: &PollError) {}

    fn pool_failed(&mut self, _: &UserPoolId, _: &PollError, _: Option<Duration>, _: News) {}
    fn pool_recovered(&mut self, _: &UserPoolId) {}
    fn rate_changed(&mut self, _: LaneIndex, _: RateChange) {}
    fn signalled(&mut self, signal: Signal, _: &Scheduler, _: Now) {
        self.0.push(signal.name());
    }
}

struct Run {
    ended: Ended,
    told: Vec<&'static str>,
    verdict: Option<Verdict>,
    took: Duration,
}

fn settings() -> Settings {
    Settings {
        backoff: BackoffPolicy::default(),
        ceilings: Ceilings::default(),
        batch: Batch::Auto,
        ending: Ending::WhenOver { timeout: Some(Duration::from_secs(3_600)), unobserved: None },
        seed: 1,
    }
}

fn driver_of(script: &[Shown], clock: Clock) -> Driver {
    let source = Scripted(Mutex::new(script.iter().copied().collect()));
    Driver::new(Scheduler::new(settings(), clock.now().tick), vec![Arc::new(source)], clock)
}

fn one_job() -> Input {
    let job = WatchedJob { target: "us-west-2_A/import-a".parse().unwrap(), terms: Arc::default() };
    Input::Job(NewJob { lane: LaneIndex(0), job, known: None })
}

/// Watches one job; `signals` are sent at these seconds.
async fn watch(script: &[Shown], signals: &[(u64, Signal)], hangup: OnHangup) -> Run {
    let clock = Clock::start();
    let mut driver = driver_of(script, clock);
    let (sender, receiver) = mpsc::channel(4);
    let signals = signals.to_vec();
    tokio::spawn(async move {
        let start = Instant::now();
        for (at, signal) in signals {
            tokio::time::sleep_until(start + Duration::from_secs(at)).await;
            sender.send(signal).await.unwrap();
        }
        std::future::pending::<()>().await;
    });
    let mut told = Told::default();
    let inputs = vec![one_job()];
    let ended = driver.run(inputs, &mut Signals::Channel(receiver), hangup, &mut told).await.unwrap();
    let verdict = driver.scheduler().view(0, clock.now()).and_then(|view| view.verdict);
    Run { ended, told: told.0, verdict, took: clock.now().tick.as_duration() }
}

#[tokio::test(start_paused = true)]
async fn a_job_is_polled_until_it_is_over() {
    let script = [Shown::Status("Created"), Shown::Fails, Shown::Status("Pending"), Shown::Status("Succeeded")];
    let run = watch(&script, &[], OnHangup::Stop).await;
    assert_eq!(run.ended, Ended::Over);
    assert_eq!(run.told, ["job.first_seen", "job.status_changed", "job.status_changed", "job.completed"]);
    assert_eq!(run.verdict, Some(Verdict::Succeeded));
}

#[tokio::test(start_paused = true)]
async fn a_signal_stops_it_and_the_answer_on_its_way_is_awaited_for_the_drains_time() {
    let run = watch(&[Shown::Status("Created"), Shown::Hangs], &[(60, Signal::Terminate)], OnHangup::Stop).await;
    assert_eq!(run.ended, Ended::Signalled(Signal::Terminate));
    assert_eq!(run.told, ["job.first_seen", "SIGTERM"]);
    assert_eq!(run.verdict, Some(Verdict::Interrupted));
    assert_eq!(run.took.as_secs(), 60 + DRAIN.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_ends_it_at_once() {
    let signals = [(60, Signal::Terminate), (61, Signal::Interrupt)];
    let run = watch(&[Shown::Hangs], &signals, OnHangup::Stop).await;
    assert_eq!(run.ended, Ended::Signalled(Signal::Terminate));
    assert_eq!(run.took.as_secs(), 61);
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_ends_it_at_once_if_it_is_a_hangup_that_stops() {
    for (hangup, seconds) in [(OnHangup::Stop, 61), (OnHangup::HandBack, 60 + DRAIN.as_secs())] {
        let run = watch(&[Shown::Hangs], &[(60, Signal::Terminate), (61, Signal::Hangup)], hangup).await;
        assert_eq!(run.ended, Ended::Signalled(Signal::Terminate));
        assert_eq!(run.took.as_secs(), seconds, "{hangup:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hangup_hands_the_loop_back_as_it_is_or_ends_it() {
    let script = [Shown::Status("Created"), Shown::Status("Created"), Shown::Status("Succeeded")];
    for (hangup, verdict) in [(OnHangup::HandBack, None), (OnHangup::Stop, Some(Verdict::Interrupted))] {
        let run = watch(&script, &[(1, Signal::Hangup)], hangup).await;
        assert_eq!((run.ended, run.verdict), (Ended::Signalled(Signal::Hangup), verdict));
        assert_eq!(run.told, ["job.first_seen", "SIGHUP"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_panics_is_one_failed_poll() {
    let run = watch(&[Shown::Panics, Shown::Panics, Shown::Status("Succeeded")], &[], OnHangup::Stop).await;
    assert_eq!(run.told, ["job.poll_failed", "job.first_seen", "job.completed", "job.poll_recovered"]);
    assert_eq!(run.verdict, Some(Verdict::Succeeded));
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_works_has_a_pulse_at_every_turn() {
    let script = [Shown::Status("Created"), Shown::Fails, Shown::Hangs];
    let clock = Clock::start();
    let mut driver = driver_of(&script, clock);
    let pulse = driver.pulse();
    let (_sender, receiver) = mpsc::channel(1);
    let mut signals = Signals::Channel(receiver);
    let mut told = Told::default();
    let run = driver.run(vec![one_job()], &mut signals, OnHangup::Stop, &mut told);
    let watch = async {
        for _ in 0..600 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert_eq!(pulse.check(Instant::now()), Ok(()));
        }
    };
    tokio::select! {
        ended = run => unreachable!("{ended:?}"),
        () = watch => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_is_held_up_has_none() {
    let clock = Clock::start();
    let mut driver = driver_of(&[Shown::Status("Created")], clock);
    let pulse = driver.pulse();
    let (_sender, receiver) = mpsc::channel(1);
    let mut signals = Signals::Channel(receiver);
    let mut told = Told::default();
    let run = driver.run(vec![one_job()], &mut signals, OnHangup::Stop, &mut told);
    drop(tokio::time::timeout(Duration::from_secs(5), run).await);
    assert_eq!(pulse.check(Instant::now()), Ok(()));
    // Nobody lets it turn.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(matches!(pulse.check(Instant::now()), Err(Stuck::Late(_))), "{:?}", pulse.check(Instant::now()));
}

#[tokio::test(start_paused = true)]
async fn due_work_that_is_never_sent_is_noticed() {
    let clock = Clock::start();
    let mut driver = driver_of(&[Shown::Status("Created")], clock);
    let now = |seconds| Tick::from_start(Duration::from_secs(seconds));
    assert_eq!(driver.work(None, now(0)), Work::Flows);
    assert_eq!(driver.work(Some(now(6)), now(5)), Work::Flows);
    assert_eq!(driver.work(Some(now(5)), now(5)), Work::Held);
    let _actions = driver.scheduler.handle(clock.now(), one_job());
    assert_eq!(driver.work(Some(now(5)), now(5)), Work::Flows, "a request was sent");
    assert_eq!(driver.work(None, now(5)), Work::Flows, "it is on its way");
    driver.scheduler = Scheduler::new(settings(), now(0));
    assert_eq!([(); 2].map(|()| driver.work(None, now(5))), [Work::Flows; 2], "nothing is watched");
    // A job that was never asked about, and nothing planned.
    for input in [Input::Stop, one_job()] {
        let _nothing = driver.scheduler.handle(clock.now(), input);
    }
    assert_eq!(driver.work(None, now(5)), Work::Held);
}
