//! The HTTP side of `run`: where it listens, what it is given to tell, and what the daemon notes for it.
//!
//! Used by `daemon`.

use std::net::SocketAddr;
use std::sync::Arc;

use cognito_import_watch_core::domain::{ErrorKind, PollError};
use cognito_import_watch_core::schedule::LaneIndex;

use super::engine::{Engine, LaneName};
use crate::ask;
use crate::config::HttpPlan;
use crate::exit::{CommandError, Exit};
use crate::http::metrics::Metrics;
use crate::http::{Answer, Kept, ListenError, Listener, Readiness, Scrape, Served, Server};
use crate::ledger::Notice;

/// Where callers come in.
#[derive(Debug)]
pub(super) struct Door {
    listener: Listener,
    /// The address of the config, where a socket that was handed over is served in its place.
    unused: Option<SocketAddr>,
}

impl Door {
    /// The socket that the service manager handed over; `None` where it handed over none. To be called before other
    /// threads are started.
    ///
    /// # Errors
    /// Code 74 when what was handed over cannot be listened at.
    pub(super) fn inherited(plan: &HttpPlan) -> Result<Option<Self>, CommandError> {
        let listener = Listener::inherited().map_err(|error| failed(&error))?;
        Ok(listener.map(|listener| Self { listener, unused: plan.listen }))
    }

    /// One at the address of the plan; `None` where it has none. It listens from here on: whoever calls waits until the
    /// daemon serves. To be called when the state is open: of two daemons on one file, the second one is told whose
    /// that is, and not that the address is taken.
    ///
    /// # Errors
    /// Code 74 when the address cannot be listened at.
    pub(super) async fn bind(plan: &HttpPlan) -> Result<Option<Self>, CommandError> {
        let Some(address) = plan.listen else { return Ok(None) };
        let listener = Listener::bind(address).await.map_err(|error| failed(&error))?;
        Ok(Some(Self { listener, unused: None }))
    }

    /// Serves what this engine does.
    pub(super) fn serve(
        self,
        engine: &mut Engine,
        readiness: &Arc<Readiness>,
        events: Option<Kept>,
        metrics: Metrics,
    ) -> Server {
        let (asker, asks) = ask::channel();
        engine.driver.set_asks(asks);
        if let Some(unused) = self.unused {
            tracing::warn!(http_listen = %unused, "http.listen is not used; the service manager handed over a socket");
        }
        tracing::info!(address = self.listener.address(), "listening for http");
        let pulse = engine.driver.pulse();
        let metrics: Option<Arc<dyn Scrape>> = Some(Arc::new(metrics));
        Server::start(self.listener, Served { asker, pulse, readiness: Arc::clone(readiness), events, metrics })
    }
}

fn failed(error: &ListenError) -> CommandError {
    CommandError::new(Exit::File, error.to_string())
}

/// Notes what an answer means: one that refuses is an answer too, and is told in the log.
pub(super) fn answered(readiness: &Readiness, lane: LaneIndex, error: Option<&PollError>) {
    match error.map(|error| error.kind) {
        None => readiness.answered(lane.0, Answer::Good),
        Some(ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Invalid) => {
            readiness.answered(lane.0, Answer::Refused);
        }
        Some(ErrorKind::Throttled | ErrorKind::Transient) => {}
    }
}

/// Notes what the ledger noticed.
pub(super) fn noticed(readiness: &Readiness, notice: &Notice) {
    match notice {
        Notice::Unwritable { error } => readiness.unwritable(error.clone()),
        Notice::Writable { .. } => readiness.writable(),
        Notice::BegunAnew | Notice::Dropped { .. } => {}
    }
}

/// Notes which accounts and regions are asked.
pub(super) fn watches(readiness: &Readiness, lanes: &[LaneIndex], names: &[LaneName]) {
    let name = |lane: &LaneIndex| {
        let name = names.get(lane.0)?;
        let words = match name.account() {
            Some(account) => format!("account {} in {}", account.as_str(), name.region),
            None => name.region.clone(),
        };
        Some((lane.0, words))
    };
    readiness.watches(lanes.iter().filter_map(name));
}
