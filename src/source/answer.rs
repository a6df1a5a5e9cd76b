//! What is read off a request and its raw answer beside the value: the host asked, the `Date`, the retry hint.
//!
//! Every SDK client has an [`Observer`], and [`super::cognito`] makes each call by [`observed`], which gives what was seen.
//! An interceptor for each call would be simpler; the SDK then puts its configuration together anew for each, which
//! costs more than all that this program does for a poll.

use std::cell::Cell;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use aws_sdk_cognitoidentityprovider::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_cognitoidentityprovider::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cognitoidentityprovider::error::BoxError;
use aws_sdk_cognitoidentityprovider::primitives::{DateTime, DateTimeFormat};
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
    /// What the call that this task is making showed so far. The SDK calls its interceptors from the same task.
    static SEEN: Cell<Seen>;
}

/// Makes a call of a client that has an [`Observer`]; gives what it showed beside its result. The call comes boxed: the
/// SDK's is of 5 kB, and would be moved, and held, more than once.
pub(super) async fn observed<T>(call: Pin<Box<impl Future<Output = T>>>) -> (T, Seen) {
    let noting = async {
        let result = call.await;
        (result, SEEN.try_with(Cell::take).unwrap_or_default())
    };
    SEEN.scope(Cell::default(), noting).await
}

/// Notes what each call shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observer;

fn note(note: impl FnOnce(&mut Seen)) {
    // A call that nobody observes has nowhere to note it.
    SEEN.try_with(|cell| {
        let mut seen = cell.take();
        note(&mut seen);
        cell.set(seen);
    })
    .unwrap_or_default();
}

impl Intercept for Observer {
    fn name(&self) -> &'static str {
        "Observer"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let host = host_of(context.request().uri());
        note(|seen| seen.host = host);
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response().headers();
        let date = headers.get("date").and_then(http_date);
        let now = components.time_source().and_then(|source| millis(source.now()));
        note(|seen| {
            seen.date = date;
            seen.skew = date.zip(now).map(|(there, here)| there.since(here).max(here.since(there)));
            seen.retry_after = retry_after(headers.get("x-amz-retry-after"), headers.get("retry-after"), date);
        });
        Ok(())
    }
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
