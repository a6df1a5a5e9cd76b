//! The HTTP server: accepts, keeps connections, and hands each request to the API or the upload.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::record::{Entry, Exchange, Recorder, lock};
use crate::wire::{AnswerBody, Failure};
use crate::world::World;
use crate::{rpc, upload};

/// A client that is slower than this to send its headers, or idle for longer, is let go.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long answers under way may take once the simulator is to stop.
const DRAIN: Duration = Duration::from_millis(500);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) world: Mutex<World>,
    pub(crate) recorder: Option<Arc<Recorder>>,
}

/// The scenario wants the connection reset.
#[derive(Debug)]
pub(crate) struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("reset by the scenario")
    }
}

impl std::error::Error for Reset {}

/// Serves until told to stop, or until the sender is gone.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    let mut stopped = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // Changed or closed, it is the end.
            _ = stopped.changed() => break,
        };
        match accepted {
            Ok((stream, peer)) => drop(connections.spawn(connection(stream, peer, Arc::clone(&shared), stop.clone()))),
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

async fn connection(stream: TcpStream, _peer: SocketAddr, shared: Arc<Shared>, mut stop: watch::Receiver<()>) {
    // Small answers must not wait for the acknowledgement of the ones before.
    drop(stream.set_nodelay(true));
    let exchange = Arc::new(Exchange::new(shared.recorder.clone()));
    let ended = EndOfExchange(Arc::clone(&exchange));
    let service = service_fn({
        let exchange = Arc::clone(&exchange);
        move |request| handle(request, Arc::clone(&shared), Arc::clone(&exchange))
    });
    let stream = Watched { stream, exchange: Arc::clone(&exchange) };
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let finished = tokio::select! {
        _ = Pin::new(&mut connection) => true,
        _ = stop.changed() => false,
    };
    if !finished {
        Pin::new(&mut connection).graceful_shutdown();
        drop(Pin::new(&mut connection).await);
    }
    if exchange.reset_demanded() {
        drop(connection.into_parts().io.inner().stream.set_zero_linger());
    }
    drop(ended);
}

/// Closes the record of an exchange however the connection's task ends.
struct EndOfExchange(Arc<Exchange>);

impl Drop for EndOfExchange {
    fn drop(&mut self) {
        self.0.ended();
    }
}

async fn handle(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    exchange: Arc<Exchange>,
) -> Result<Response<AnswerBody>, Reset> {
    let request_id = {
        let mut world = lock(&shared.world);
        let request_id = world.random.uuid().to_string();
        let agent = request.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
        exchange.open(Entry {
            at: world.clock.elapsed().as_secs_f64(),
            time: world.clock.wall().to_string(),
            request_id: Some(request_id.clone()),
            user_agent: agent.map(str::to_owned),
            ..Entry::default()
        });
        request_id
    };
    let mut reply = match (request.method(), request.uri().path()) {
        (&Method::POST, "/") => match rpc::answer(request, &shared, &exchange).await {
            Ok(reply) => reply,
            Err(reset) => {
                exchange.demand_reset();
                return Err(reset);
            }
        },
        (&Method::PUT, _) => upload::answer(request, &shared, &exchange).await,
        (_, _) => Failure::bare(404, "UnknownOperationException").into_reply(),
    };
    reply.header("x-amzn-requestid", &request_id);
    exchange.note(|entry| {
        entry.http_status = Some(reply.status);
        entry.error = reply.error.take();
    });
    Ok(reply.into_response(exchange))
}

/// A connection that tells its exchange when bytes have left.
#[derive(Debug)]
struct Watched {
    stream: TcpStream,
    exchange: Arc<Exchange>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    /// hyper flushes the stream once its own buffer is empty.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.exchange.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
