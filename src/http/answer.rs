//! Answers a request: what is asked for, from whoever knows it.
//!
//! Called by [`super::server`] for each request.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use hyper::body::Body;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use super::body::AnswerBody;
use super::chunks::Chunks;
use super::crowd::{Caller, Does};
use super::events::{self, Kept};
use super::jobs;
use super::readiness::{Readiness, Ready};
use super::route::{JobsWanted, Refusal, Route, route};
use super::scrape::Scrape;
use crate::ask::Asker;
use crate::json::Object;
use crate::pulse::Pulse;

/// What is served.
pub struct Served {
    /// Whom to ask about the jobs.
    pub asker: Asker,
    /// Whether the loop is alive.
    pub pulse: Pulse,
    /// Whether the daemon does what it is there for.
    pub readiness: Arc<Readiness>,
    /// Where events are kept; `None` where they are not.
    pub events: Option<Kept>,
    /// The metrics; `None` where there are none.
    pub metrics: Option<Arc<dyn Scrape>>,
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}

/// What is served, to how many at once, and until when.
#[derive(Debug)]
pub(super) struct Desk {
    served: Served,
    stop: watch::Receiver<bool>,
    /// Places for answers that are made as they are read; of each kind, so that none keeps out the others.
    long: Arc<Semaphore>,
    scrapes: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

/// How many scrapes are answered at once.
const SCRAPES: usize = 4;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const EVENTS: &str = "text/event-stream";

const INDEX: &str = "\
cognito-import-watch

/livez       200 while the scheduler moves, else 503
/readyz      200 while it watches what it is to watch, else 503 and why
/metrics     for Prometheus
/api/jobs    every job as it stands; ?pool= and ?status= choose
/api/events  what was told of the jobs, as server-sent events; Last-Event-ID resumes
";

const NO_STATE: &str = "events are not kept: set state.path in the config";

type Answer = Response<AnswerBody>;

impl Desk {
    pub(super) fn new(served: Served, stop: watch::Receiver<bool>) -> Self {
        let [long, scrapes, streams] = [jobs::MOST, SCRAPES, events::MOST].map(|most| Arc::new(Semaphore::new(most)));
        Self { served, stop, long, scrapes, streams }
    }

    /// The answer to a request of this caller.
    pub(super) async fn answer(&self, request: Request<impl Body>, caller: &Arc<Caller>) -> Result<Answer, Infallible> {
        caller.does(Does::Asks);
        let is_head = request.method() == Method::HEAD;
        let has_body = !request.body().is_end_stream();
        let mut answer = match route(request.method(), request.uri()) {
            Ok(_) if has_body => {
                let reason = "a request with a body is not answered";
                told(StatusCode::PAYLOAD_TOO_LARGE, "error", Some(reason), caller)
            }
            Ok(Route::Index) => answer(StatusCode::OK, TEXT, AnswerBody::whole(INDEX, caller)),
            Ok(Route::Live) => self.live(caller),
            Ok(Route::Ready) => self.ready(caller),
            Ok(Route::Metrics) => self.metrics(is_head, caller),
            Ok(Route::Jobs(wanted)) => self.jobs(wanted, is_head, caller).await,
            Ok(Route::Events(typed)) => {
                let sent = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
                self.events(sent.or(typed.as_deref()), is_head, caller)
            }
            Err(Refusal { status, reason }) => {
                let mut refused = told(status, "error", Some(reason), caller);
                if status == StatusCode::METHOD_NOT_ALLOWED {
                    refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
                }
                refused
            }
        };
        if has_body {
            // What it is was not read, so that nothing behind it can be.
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(answer)
    }

    fn live(&self, caller: &Arc<Caller>) -> Answer {
        match self.served.pulse.check(Instant::now()) {
            Ok(()) => told(StatusCode::OK, "ok", None, caller),
            Err(stuck) => unavailable(&stuck.to_string(), caller),
        }
    }

    fn ready(&self, caller: &Arc<Caller>) -> Answer {
        match self.served.readiness.check() {
            Ready::Yes(said) => told(StatusCode::OK, "ok", said.as_deref(), caller),
            Ready::No(reason) => unavailable(&reason, caller),
        }
    }

    async fn jobs(&self, wanted: JobsWanted, is_head: bool, caller: &Arc<Caller>) -> Answer {
        if is_head {
            return answer(StatusCode::OK, JSON, AnswerBody::whole("", caller));
        }
        let Ok(place) = Arc::clone(&self.long).try_acquire_owned() else { return busy(caller) };
        match jobs::answer(&self.served.asker, wanted, caller, place).await {
            Ok(body) => answer(StatusCode::OK, JSON, body),
            Err(_) => unavailable("the scheduler does not answer", caller),
        }
    }

    fn events(&self, last_event_id: Option<&str>, is_head: bool, caller: &Arc<Caller>) -> Answer {
        let Some(kept) = &self.served.events else {
            return told(StatusCode::NOT_FOUND, "error", Some(NO_STATE), caller);
        };
        if is_head {
            return answer(StatusCode::OK, EVENTS, AnswerBody::whole("", caller));
        }
        let Ok(place) = Arc::clone(&self.streams).try_acquire_owned() else { return busy(caller) };
        caller.does(Does::Follows);
        let body = events::answer(kept.clone(), last_event_id, self.stop.clone(), caller, place);
        answer(StatusCode::OK, EVENTS, body)
    }

    fn metrics(&self, is_head: bool, caller: &Arc<Caller>) -> Answer {
        let Some(metrics) = &self.served.metrics else {
            return told(StatusCode::NOT_FOUND, "error", Some("this daemon has no metrics"), caller);
        };
        if is_head {
            return answer(StatusCode::OK, METRICS, AnswerBody::whole("", caller));
        }
        let Ok(place) = Arc::clone(&self.scrapes).try_acquire_owned() else { return busy(caller) };
        let (metrics, asker) = (Arc::clone(metrics), self.served.asker.clone());
        let (chunks, parts) = Chunks::to(caller);
        tokio::spawn(async move {
            let _place = place;
            if chunks.in_time(metrics.write(&asker, &chunks)).await.is_ok() {
                chunks.end().await;
            }
        });
        answer(StatusCode::OK, METRICS, AnswerBody::parts(parts, caller))
    }
}

fn answer(status: StatusCode, content_type: &'static str, body: AnswerBody) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers: &mut HeaderMap = answer.headers_mut();
    let fixed: [(HeaderName, &'static str); 3] = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// One line of JSON with a word for how it is, and why.
fn told(status: StatusCode, word: &str, reason: Option<&str>, caller: &Arc<Caller>) -> Answer {
    let line = Object::new().with("status", word).with("reason", reason).finish() + "\n";
    answer(status, JSON, AnswerBody::whole(line, caller))
}

fn unavailable(reason: &str, caller: &Arc<Caller>) -> Answer {
    told(StatusCode::SERVICE_UNAVAILABLE, "unavailable", Some(reason), caller)
}

fn busy(caller: &Arc<Caller>) -> Answer {
    let mut busy = unavailable("as many are answered already as can be at once; come back", caller);
    busy.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    busy
}

#[cfg(test)]
mod tests;
