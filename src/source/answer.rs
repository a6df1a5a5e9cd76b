//! What is read off a request and its raw answer beside the value: the host asked, the `Date`, the retry hint.
//!
//! [`super::Sources`] puts [`observing`] around the HTTP client, and [`super::cognito`] makes each call by [`observed`],
//! which gives what was seen. An interceptor would be the SDK's own way; it is asked at each of the eighteen steps of
//! a call, and one for each call has the SDK put its configuration together anew.

use std::cell::Cell;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use aws_sdk_cognitoidentityprovider::primitives::{DateTime, DateTimeFormat};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Headers;
use cognito_import_watch_core::domain::Timestamp;

/// What one call showed beside its value. All of it is missing where no answer came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The host and port that were asked.
    pub(super) host: Option<String>,
    /// The `Date` header.
    pub(super) date: Option<Timestamp>,
    /// How far this host's clock is from the service's, either way.
    pub(super) skew: Option<Duration>,
    /// How long the service asked to be left alone.
    pub(super) retry_after: Option<Duration>,
}

tokio::task_local! {
    /// What the call that this task is making showed so far. The SDK calls its HTTP client from the same task.
    static SEEN: Cell<Seen>;
}

/// Makes a call of a client over [`observing`]; gives what it showed beside its result. The call comes boxed: the
/// SDK's is of 5 kB, and would be moved, and held, more than once.
pub(super) async fn observed<T>(call: Pin<Box<impl Future<Output = T>>>) -> (T, Seen) {
    let noting = async {
        let result = call.await;
        (result, SEEN.try_with(Cell::take).unwrap_or_default())
    };
    SEEN.scope(Cell::default(), noting).await
}

fn note(note: impl FnOnce(&mut Seen)) {
    // A call that nobody observes has nowhere to note it.
    SEEN.try_with(|cell| {
        let mut seen = cell.take();
        note(&mut seen);
        cell.set(seen);
    })
    .unwrap_or_default();
}

/// The client, noting what each call shows.
pub(super) fn observing(http: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Observer(http))
}

#[derive(Debug)]
struct Observer<H>(H);

impl HttpClient for Observer<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let connector = self.0.http_connector(settings, components);
        SharedHttpConnector::new(Observer((connector, components.time_source())))
    }
}

impl HttpConnector for Observer<(SharedHttpConnector, Option<SharedTimeSource>)> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (connector, clock) = &self.0;
        let (host, clock) = (host_of(request.uri()), clock.clone());
        note(|seen| seen.host = host);
        let answer = connector.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            note_answer(answer.headers(), clock.and_then(|clock| millis(clock.now())));
            Ok(answer)
        })
    }
}

fn note_answer(headers: &Headers, now: Option<Timestamp>) {
    let date = headers.get("date").and_then(http_date);
    note(|seen| {
        seen.date = date;
        seen.skew = date.zip(now).map(|(there, here)| there.since(here).max(here.since(there)));
        seen.retry_after = retry_after(headers.get("x-amz-retry-after"), headers.get("retry-after"), date);
    });
}

/// The hint of an answer: `x-amz-retry-after` in milliseconds, else `Retry-After` in seconds or as a date, which
/// counts from the answer's own `Date`. What cannot be read is no hint. It is the service's word, however long:
/// the schedule decides how much of it to obey.
fn retry_after(amz: Option<&str>, standard: Option<&str>, date: Option<Timestamp>) -> Option<Duration> {
    if let Some(millis) = amz.and_then(|text| text.trim().parse().ok()) {
        return Some(Duration::from_millis(millis));
    }
    let text = standard?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(http_date(text)?.since(date?)),
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    timestamp(&DateTime::from_str(text, DateTimeFormat::HttpDate).ok()?)
}

/// The SDK's time as ours; `None` outside the range of milliseconds in 64 bits.
pub(super) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    time.to_millis().ok().map(Timestamp::from_millis)
}

fn millis(time: SystemTime) -> Option<Timestamp> {
    timestamp(&DateTime::from(time))
}

/// Host and port of a URL, and nothing else of it: no user, no path, no query.
pub(super) fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    (!host.is_empty()).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_hint_is_read_in_its_three_spellings() {
        let noon = http_date("Sun, 22 Nov 2026 12:00:00 GMT");
        for (amz, standard, expected) in [
            (Some("1500"), Some("30"), Some(Duration::from_millis(1_500))),
            (None, Some("30"), Some(Duration::from_secs(30))),
            (None, Some(" 7 "), Some(Duration::from_secs(7))),
            (None, Some("Sun, 22 Nov 2026 12:00:09 GMT"), Some(Duration::from_secs(9))),
            (None, Some("Sun, 22 Nov 2026 11:00:00 GMT"), Some(Duration::ZERO)),
            (Some("soon"), Some("2"), Some(Duration::from_secs(2))),
            (Some("-5"), None, None),
            (None, Some("-5"), None),
            (None, Some("99999999999999999999999"), None),
            (None, Some(""), None),
            (None, None, None),
        ] {
            assert_eq!(retry_after(amz, standard, noon), expected, "{amz:?} {standard:?}");
        }
        assert_eq!(retry_after(None, Some("Sun, 22 Nov 2026 12:00:09 GMT"), None), None);
    }

    #[test]
    fn only_host_and_port_of_a_url_are_kept() {
        assert_eq!(host_of("https://user:secret@a.example:8443/p?q=1").as_deref(), Some("a.example:8443"));
        assert_eq!(host_of("http://[::1]:80").as_deref(), Some("[::1]:80"));
        assert_eq!(host_of("a.example"), None);
        assert_eq!(host_of("http:///x"), None);
    }

    #[test]
    fn a_time_out_of_range_is_no_time() {
        assert_eq!(timestamp(&DateTime::from_secs(i64::MAX)), None);
        assert_eq!(
            timestamp(&DateTime::from_secs_f64(1_735_241_621.022)),
            Some(Timestamp::from_millis(1_735_241_621_022))
        );
        assert_eq!(http_date("yesterday"), None);
    }
}
