//! Lets callers in, speaks HTTP with each, and sees them off: too many, too slow, or at the end.
//!
//! Started by `run`, on its runtime: what it does between two polls takes microseconds.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::answer::{Desk, Served};
use super::crowd::{Crowd, Entry};
use super::listen::{Listener, Stream};
use super::patient::Patient;

/// How long a caller may take to send its headers, and how long it may stay without asking for anything more.
const HEADERS: Duration = Duration::from_secs(5);

/// How many bytes of headers are read, and of an answer held until they are taken.
const BUFFER: usize = 16 * 1_024;

/// How long after a caller could not be let in the next one is.
const PAUSE: Duration = Duration::from_millis(50);

/// How long answers under way may take once the daemon ends.
const DRAIN: Duration = Duration::from_millis(500);

/// The HTTP side of a daemon, at work.
#[derive(Debug)]
pub struct Server {
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Serves whoever calls. Must be called on the runtime.
    #[must_use]
    pub fn start(listener: Listener, served: Served) -> Self {
        let (stop, stopped) = watch::channel(false);
        let desk = Arc::new(Desk::new(served, stopped.clone()));
        Self { stop, serving: tokio::spawn(serve(listener, desk, stopped)) }
    }

    /// Ends: streams are completed, other answers have half a second.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // It ends by itself; one that panicked has nothing left to end.
        drop(self.serving.await);
    }
}

async fn serve(listener: Listener, desk: Arc<Desk>, mut stop: watch::Receiver<bool>) {
    let crowd = Arc::new(Crowd::default());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(stream) => drop(connections.spawn(exchange(stream, crowd.enter(), Arc::clone(&desk), stop.clone()))),
            Err(error) => {
                // Out of file descriptors, say: polls need them too.
                tracing::debug!(%error, "caller not let in");
                crowd.make_room();
                tokio::time::sleep(PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
        // Whoever was let in is heard before the next one may push it out.
        tokio::task::yield_now().await;
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    // What still hangs is dropped with the set.
    drop(tokio::time::timeout(DRAIN, drained).await);
}

/// Speaks HTTP with one caller until it goes, is cut, or the daemon ends.
async fn exchange(stream: Box<dyn Stream>, entry: Entry, desk: Arc<Desk>, mut stop: watch::Receiver<bool>) {
    let caller = Arc::clone(&entry.caller);
    let service = service_fn(move |request| {
        let (desk, caller) = (Arc::clone(&desk), Arc::clone(&caller));
        async move { desk.answer(request, &caller).await }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(BUFFER).half_close(true);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(Patient::new(stream)), service));
    // However it ends, there is nobody to tell: callers break off, time out and talk nonsense as they please.
    tokio::select! {
        _ = &mut connection => {}
        () = entry.caller.is_cut() => {}
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
}

/// Comes when the daemon ends.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Where the sender is gone the daemon has ended too.
    drop(stop.wait_for(|stop| *stop).await);
}
