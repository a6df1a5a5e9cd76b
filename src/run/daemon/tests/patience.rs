//! What a request waits for: the last answer about its job must be kept, whatever the config says meanwhile.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cognito_import_watch_core::domain::{Target, Tick, Timestamp};
use cognito_import_watch_core::schedule::{Action, Ending, Input, Now, Request, Scheduler, Settings};
use uuid::Uuid;

use super::super::{Daemon, DaemonLog};
use super::operations::POOLS;
use super::process::plan;
use super::properties::lanes;
use super::service::Service;
use crate::driver::Observer as _;
use crate::ledger::{Ledger, MemoryLedger, Record, Ticket};
use crate::run::engine::{self, Known};
use crate::run::state::Moved;
use crate::sink::{LogSink, RenderedEvent};

/// A ledger whose disk never answers.
struct Stuck<T>(MemoryLedger<T>);

impl<T: FnMut(&RenderedEvent) + Send> Ledger for Stuck<T> {
    fn instance(&self) -> Uuid {
        self.0.instance()
    }

    fn record(&mut self, record: Record) -> Ticket {
        self.0.record(record)
    }

    fn is_settled(&self, _: Ticket) -> bool {
        false
    }

    fn settled(&self, _: Ticket) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }

    fn retire(&mut self, _: Vec<Target>, _: Timestamp) {}

    fn readmit(&mut self, _: Vec<Target>) {}

    fn close(self: Box<Self>, _: Duration) {}
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_the_last_answer_across_reloads_that_a_stuck_disk_holds_up() {
    let plan = plan(&format!("[[job]]\ntarget = \"{}/import-0\"\n", POOLS[0]));
    let now = Now { tick: Tick::ZERO, wall: Timestamp::from_millis(0) };
    let mut lanes = lanes();
    let watched = engine::watched(&plan, &mut lanes, &Known::new(), now).await.unwrap();
    let settings = Settings {
        backoff: watched.backoff,
        ceilings: watched.ceilings,
        batch: watched.batch,
        ending: Ending::WhenStopped,
        seed: 1,
    };
    let mut scheduler = Scheduler::new(settings, now.tick);
    let ledger = Box::new(Stuck(MemoryLedger::new(Uuid::nil(), |_: &RenderedEvent| {})));
    let log = Arc::new(DaemonLog::new(LogSink::new(Uuid::nil()), None, (1, 0)));
    let mut daemon =
        Daemon { ledger, log, lanes: lanes.names(), tickets: HashMap::new(), newest: None, readiness: Arc::default() };

    let sent = scheduler.handle(now, Input::Job(watched.jobs[0].clone()));
    let [Action::Send(Request { id, question, .. })] = &sent[..] else { panic!("{sent:?}") };
    assert!(daemon.before(question).is_none(), "nothing is to be kept yet");
    let result = Service::new(60, 0).answer(question, 0);
    let answered = scheduler.handle(now, Input::Answered { id: *id, result });
    let [Action::Observed { job, events, memory }] = &answered[..] else { panic!("{answered:?}") };
    daemon.observed(&scheduler.view(*job, now).unwrap(), events, *memory, now);

    // The request that waited may be one of a job that was taken out meanwhile, and put back.
    for _ in 0..2 {
        assert!(daemon.before(question).is_some());
        daemon.settle().await;
        daemon.note(Moved { retired: Vec::new(), readmitted: Vec::new() }, now.wall);
    }
}
