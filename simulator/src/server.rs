//! The HTTP server: accepts, keeps connections, and hands each request to the API or the upload.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::clock::wall_time;
use crate::record::{Entry, Recorder, lock};
use crate::scenario::Failure;
use crate::wire::{AnswerBody, Protocol};
use crate::world::World;
use crate::{rpc, upload};

/// A client that is slower than this to send its headers, or idle for longer, is let go.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long answers under way may take once the simulator is to stop.
const DRAIN: Duration = Duration::from_millis(500);

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) world: Mutex<World>,
    pub(crate) recorder: Option<Recorder>,
    /// Where TLS is spoken.
    pub(crate) acceptor: Option<TlsAcceptor>,
}

impl Shared {
    /// Of the URLs that lead here.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.acceptor.is_some() { "https" } else { "http" }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("world", &self.world).finish_non_exhaustive()
    }
}

/// Serves until told to stop, or until the sender is gone.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    let mut stopped = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        match accepted {
            Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&shared), stop.clone()))),
            // Out of file descriptors, say: others may be freed soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    // What still hangs is dropped with the set.
    drop(tokio::time::timeout(DRAIN, drained).await);
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, stop: watch::Receiver<()>) {
    // Small answers must not wait for the acknowledgement of the ones before.
    drop(stream.set_nodelay(true));
    let Some(acceptor) = shared.acceptor.clone() else {
        return exchange(stream, |stream| stream, shared, stop).await;
    };
    // A client that does not trust us, or does not speak TLS, leaves here.
    if let Ok(Ok(stream)) = tokio::time::timeout(HEADER_TIMEOUT, acceptor.accept(stream)).await {
        exchange(stream, |stream: &TlsStream<TcpStream>| stream.get_ref().0, shared, stop).await;
    }
}

/// Serves HTTP on a stream; `socket` is what lies under it.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    socket: fn(&S) -> &TcpStream,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<()>,
) {
    let service = service_fn(move |request| handle(request, Arc::clone(&shared)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let mut connection = http.serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        _ = stop.changed() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    let cause = ended.as_ref().err().and_then(|error| error.source()?.downcast_ref::<io::Error>());
    if cause.is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionReset) {
        drop(socket(connection.into_parts().io.inner()).set_zero_linger());
    }
}

/// Answers one request; an error resets the connection.
pub(crate) async fn handle(request: Request<Incoming>, shared: Arc<Shared>) -> io::Result<Response<AnswerBody>> {
    let mut entry = Entry::new(shared.recorder.clone());
    let request_id = {
        let mut world = lock(&shared.world);
        entry.note("at", world.clock.elapsed().as_secs_f64());
        world.random.uuid().to_string()
    };
    let agent = request.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
    entry.note("user_agent", agent);
    entry.note("time", wall_time().to_string());
    entry.note("request_id", request_id.as_str());
    let mut reply = match (request.method(), request.uri().path()) {
        (&Method::POST, "/") => rpc::answer(request, &shared, &mut entry).await?,
        (&Method::PUT, _) => upload::answer(request, &shared, &mut entry).await,
        (_, _) => Failure::bare(404, "UnknownOperationException").into_reply(Protocol::Json),
    };
    reply.header("x-amzn-requestid", &request_id);
    Ok(reply.into_response(entry))
}
