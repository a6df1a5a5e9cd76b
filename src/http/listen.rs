//! Where callers come from: an address of the config, or a socket that the service manager handed over.
//!
//! Made by `run` before anything else starts; [`super::server`] accepts from it.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use listenfd::ListenFd;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// At an address.
    Tcp(TcpListener),
    /// At a path.
    Unix(UnixListener),
}

/// A caller's end.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why there is nothing to listen at.
#[derive(Debug)]
pub enum ListenError {
    /// The address cannot be used.
    Bind(SocketAddr, io::Error),
    /// More than one socket was handed over.
    Several(usize),
    /// What was handed over is no stream socket that listens.
    Unusable(io::Error),
}

impl Listener {
    /// Listens at an address; port 0 is any that is free.
    ///
    /// # Errors
    /// When the address is in use, not of this machine, or may not be used.
    pub async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        TcpListener::bind(address).await.map(Self::Tcp).map_err(|error| ListenError::Bind(address, error))
    }

    /// The socket that the service manager handed over, by systemd's protocol; `None` where it handed over none. Called
    /// once, on the runtime, before other threads are started.
    ///
    /// # Errors
    /// When there are several, or it is not one for TCP or a path.
    pub fn inherited() -> Result<Option<Self>, ListenError> {
        let mut sockets = ListenFd::from_env();
        match sockets.len() {
            0 => return Ok(None),
            1 => {}
            several => return Err(ListenError::Several(several)),
        }
        // The protocol says nothing of how a socket waits; the runtime's may not.
        if let Ok(Some(tcp)) = sockets.take_tcp_listener(0) {
            let tcp = tcp.set_nonblocking(true).and_then(|()| TcpListener::from_std(tcp));
            return tcp.map(|tcp| Some(Self::Tcp(tcp))).map_err(ListenError::Unusable);
        }
        let unix = sockets.take_unix_listener(0).map_err(ListenError::Unusable)?;
        let Some(unix) = unix else { return Ok(None) };
        let unix = unix.set_nonblocking(true).and_then(|()| UnixListener::from_std(unix));
        unix.map(|unix| Some(Self::Unix(unix))).map_err(ListenError::Unusable)
    }

    /// The address, with its port; of a path, the path.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Tcp(tcp) => tcp.local_addr().map_or_else(|_| "unknown".to_owned(), |address| address.to_string()),
            Self::Unix(unix) => {
                let address = unix.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                path.map_or_else(|| "unix".to_owned(), |path| format!("unix:{}", path.display()))
            }
        }
    }

    /// The next caller. Cancel-safe.
    pub(super) async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Tcp(tcp) => {
                let (stream, _) = tcp.accept().await?;
                // Small answers must not wait for the acknowledgement of the ones before.
                drop(stream.set_nodelay(true));
                Ok(Box::new(stream))
            }
            Self::Unix(unix) => unix.accept().await.map(|(stream, _)| -> Box<dyn Stream> { Box::new(stream) }),
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(address, error) => write!(
                f,
                "cannot listen at {address}: {error}; set http.listen to a free address of this machine, or leave it out"
            ),
            Self::Several(count) => write!(
                f,
                "the service manager handed over {count} sockets, and one is served: name one ListenStream= in the socket unit"
            ),
            Self::Unusable(error) => write!(
                f,
                "cannot listen at the socket that the service manager handed over: {error}; it takes one ListenStream="
            ),
        }
    }
}

impl std::error::Error for ListenError {}
