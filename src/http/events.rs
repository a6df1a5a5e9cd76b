//! `/api/events`: the kept events as server-sent events, first those that are there and then each as it is kept.
//!
//! Called by `answer`. A stream holds no queue: it reads on in the state file when the ledger says that there
//! is more, so that a slow reader costs nothing but its place.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::body::AnswerBody;
use super::chunks::{Chunks, Gone};
use super::crowd::Caller;
use super::server::stopped;
use crate::ledger::{LedgerError, Reader};

/// How many streams there are at the most.
pub(super) const MOST: usize = 8;

/// How often a stream on which nothing happens says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How many events are read at once.
const AT_ONCE: usize = 64;

/// Where events are kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The state file.
    pub path: PathBuf,
    /// The observer whose file it is.
    pub instance: Uuid,
    /// The number of the last event that is kept.
    pub last: watch::Receiver<i64>,
}

impl Kept {
    /// The number after which a caller goes on that saw this id last; of one that is not of this file, or none, all
    /// that is kept.
    fn after(&self, last_event_id: Option<&str>) -> i64 {
        let seen = last_event_id.and_then(|id| id.trim().split_once(':')).and_then(|(instance, number)| {
            let ours = instance.parse::<Uuid>().is_ok_and(|instance| instance == self.instance);
            number.parse::<i64>().ok().filter(|_| ours)
        });
        // A number that was never given is of a file of which this one is an older copy.
        seen.filter(|number| (0..=*self.last.borrow()).contains(number)).unwrap_or(0)
    }
}

/// The answer: a stream that ends when the daemon does.
pub(super) fn answer(
    kept: Kept,
    last_event_id: Option<&str>,
    stop: watch::Receiver<bool>,
    caller: &Arc<Caller>,
    place: OwnedSemaphorePermit,
) -> AnswerBody {
    let (chunks, parts) = Chunks::to(caller);
    let after = kept.after(last_event_id);
    tokio::spawn(async move {
        let _place = place;
        if follow(kept, after, stop, &chunks).await.is_ok() {
            chunks.end().await;
        }
    });
    AnswerBody::parts(parts, caller)
}

async fn follow(mut kept: Kept, mut after: i64, mut stop: watch::Receiver<bool>, chunks: &Chunks) -> Result<(), Gone> {
    // Browsers come back after this many milliseconds; it is a first sign of life too.
    chunks.send("retry: 2000\n\n").await?;
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat.reset();
    loop {
        kept.last.mark_unchanged();
        loop {
            let (path, instance) = (kept.path.clone(), kept.instance);
            let read = tokio::task::spawn_blocking(move || read(&path, instance, after)).await;
            let page = match read {
                Ok(Ok(page)) => page,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "event stream broken off");
                    return Err(Gone);
                }
                Err(_) => return Err(Gone),
            };
            if page.count > 0 {
                chunks.send(page.text).await?;
            }
            after = page.last;
            if page.count < AT_ONCE || *stop.borrow() {
                break;
            }
        }
        loop {
            tokio::select! {
                more = kept.last.changed() => match more {
                    Ok(()) => break,
                    // The ledger is closed: nothing more comes.
                    Err(_) => return Ok(()),
                },
                () = stopped(&mut stop) => return Ok(()),
                () = chunks.closed() => return Err(Gone),
                _ = heartbeat.tick() => chunks.send(":\n\n").await?,
            }
        }
        heartbeat.reset();
    }
}

/// Some of the events that are kept.
struct Page {
    text: String,
    count: usize,
    /// The number of the last of them.
    last: i64,
}

fn read(path: &std::path::Path, instance: Uuid, after: i64) -> Result<Page, LedgerError> {
    let mut page = Page { text: String::new(), count: 0, last: after };
    for (number, event) in Reader::open(path)?.events_after(after, AT_ONCE)? {
        page.text.push_str(&format!("id: {instance}:{number}\nevent: {}\ndata: {}\n\n", event.event, event.line));
        page.count += 1;
        page.last = number;
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::super::body::Part;
    use super::*;
    use crate::ledger::{FileLedger, FileSettings, Ledger as _, Limits, OnCorrupt};

    #[tokio::test(start_paused = true)]
    async fn a_stream_on_which_nothing_happens_shows_that_it_is_open_and_ends_with_the_daemon() {
        let directory = tempfile::tempdir().unwrap();
        let limits = Limits { keep_events: HEARTBEAT, max_events: 9, outbox_age: HEARTBEAT, outbox_events: 9 };
        let path = directory.path().join("state.db");
        let settings = FileSettings { path: path.clone(), on_corrupt: OnCorrupt::Stop, limits };
        let ledger = FileLedger::open(&settings).unwrap().ledger;
        let kept = Kept { path, instance: ledger.instance(), last: ledger.kept() };
        let (chunks, mut parts) = Chunks::to(&Arc::default());
        let (stop, stopped) = watch::channel(false);
        let stream = tokio::spawn(async move { follow(kept, 0, stopped, &chunks).await });
        let start = Instant::now();
        for (text, beats) in [("retry: 2000\n\n", 0), (":\n\n", 1), (":\n\n", 2), (":\n\n", 3)] {
            let Some(Part::Text(part)) = parts.recv().await else { panic!("the stream ends") };
            assert_eq!((&*part, start.elapsed().as_secs()), (text.as_bytes(), beats * HEARTBEAT.as_secs()));
        }
        stop.send_replace(true);
        assert_eq!(stream.await.unwrap(), Ok(()));
    }

    #[test]
    fn a_caller_goes_on_where_it_was_and_gets_everything_where_that_is_not_known() {
        let instance = Uuid::from_u128(7);
        let (_sender, last) = watch::channel(9);
        let kept = Kept { path: PathBuf::new(), instance, last };
        assert_eq!(kept.after(Some(&format!("{instance}:4"))), 4);
        assert_eq!(kept.after(Some(&format!(" {instance}:9 "))), 9);
        let others = ["", ":", "4", "x:4", &format!("{}:4", Uuid::nil())].map(str::to_owned);
        let ours = ["", "-1", "10", "99999999999999999999", "4:4"].map(|number| format!("{instance}:{number}"));
        for id in others.iter().chain(&ours) {
            assert_eq!(kept.after(Some(id)), 0, "{id}");
        }
        assert_eq!(kept.after(None), 0);
    }
}
