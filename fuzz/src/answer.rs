//! Any answer of HTTP, through the real SDK client, to what is shown of it.
//!
//! The first line is `describe` or `list` and the status; then headers, an empty line, and the body. In headers and body
//! the byte 1 stands for the id of the access key in use, 2 for its secret, 3 for the session token, and 4 for a
//! pre-signed URL; such a URL stands in every job too, as it does in the service's own answers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use cognito_import_watch::output::{JobReport, status};
use cognito_import_watch::sink::RenderedEvent;
use cognito_import_watch::source::{Credentials, JobSource, SourceSettings, Sources};
use cognito_import_watch_core::domain::{
    AskedBy, JobIdentity, JobSnapshot, JobTrack, Observation, Outcome, PollError, Target, Tick, Timestamp, WatchedJob,
};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use crate::printable::assert_one_line;

const KEY_ID: &str = "AKIAMARKEDMARKEDMARK";
const SECRET_KEY: &str = "marked+secret/access+key";
const SESSION_TOKEN: &str = "marked-session-token//==";
/// In every pre-signed URL.
const MARK: &str = "MARKEDTOKENOFTHEURL";
const URL: &str = "https://aws-cognito-idp-user-import-pdx.s3.us-west-2.amazonaws.com/123456789012/us-west-2_EXAMPLE/\
                   import-mAgUtd8PMm?X-Amz-Security-Token=MARKEDTOKENOFTHEURL&X-Amz-Algorithm=AWS4-HMAC-SHA256\
                   &X-Amz-Expires=899&X-Amz-Signature=MARKEDTOKENOFTHEURL";

/// 2026-11-22T17:03:22.123Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_367_002_123);

/// The answer that comes next, to whatever is asked.
#[derive(Clone, Debug, Default)]
struct Replay(Arc<Mutex<Option<http::Response<Vec<u8>>>>>);

impl HttpClient for Replay {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Replay {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        // As the SDK's own client makes it of hyper's.
        let answer = HttpResponse::try_from(answer.map(SdkBody::from));
        HttpConnectorFuture::ready(answer.map_err(|error| ConnectorError::other(error.into(), None)))
    }
}

/// What asks, made once: nothing of one answer is kept for the next but that a pool was warned of.
struct Asker {
    runtime: Runtime,
    replay: Replay,
    source: Arc<dyn JobSource>,
    job: WatchedJob,
}

impl Asker {
    fn new() -> Option<Self> {
        let runtime = Builder::new_current_thread().enable_time().build().ok()?;
        let replay = Replay::default();
        let settings = SourceSettings {
            account_name: None,
            sts_region: None,
            credentials: Credentials::Static {
                access_key_id: KEY_ID.to_owned(),
                secret_access_key: SECRET_KEY.to_owned(),
                session_token: Some(SESSION_TOKEN.to_owned()),
            },
            region: "us-west-2".to_owned(),
            endpoint_url: None,
            request_timeout: Duration::from_secs(10),
        };
        let mut sources = Sources::over(SharedHttpClient::new(replay.clone()));
        let source = runtime.block_on(sources.open(&settings)).ok()?;
        let job = WatchedJob { target: "us-west-2_EXAMPLE/import-mAgUtd8PMm".parse().ok()?, terms: Arc::default() };
        Some(Self { runtime, replay, source, job })
    }
}

thread_local! {
    static ASKER: Asker = match Asker::new() {
        Some(asker) => asker,
        None => panic!("no source"),
    };
}

/// An answer is a job, a page of jobs or an error of one line; and nothing that is shown of it holds a key in use or any
/// part of a pre-signed URL.
pub fn fuzz(data: &[u8]) {
    // libFuzzer learns the mark from the comparisons below; a part of a URL where it cannot be known for one may be shown.
    if data.windows(MARK.len()).any(|part| part == MARK.as_bytes()) {
        return;
    }
    let Some((asks, answer)) = read(data) else { return };
    ASKER.with(|asker| {
        *asker.replay.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        match asks {
            Asks::Describe => {
                let answer = asker.runtime.block_on(asker.source.describe(&asker.job.target));
                let (outcome, date) = match answer {
                    Ok(answer) => (Ok(answer.value), answer.date),
                    Err(error) => (Err(error), None),
                };
                shown(asker, &asker.job.target, outcome, date);
            }
            Asks::List => {
                let answer = asker.runtime.block_on(asker.source.list(&asker.job.target.pool, 60, None));
                match answer {
                    Ok(answer) => {
                        for (job, snapshot) in answer.value.jobs {
                            let target = Target { pool: asker.job.target.pool.clone(), job };
                            shown(asker, &target, Ok(snapshot), answer.date);
                        }
                    }
                    Err(error) => shown(asker, &asker.job.target, Err(error), None),
                }
            }
        }
    });
}

/// Which question is answered.
enum Asks {
    Describe,
    List,
}

fn read(data: &[u8]) -> Option<(Asks, http::Response<Vec<u8>>)> {
    let data = planted(data);
    let (first, mut rest) = line(&data);
    let asks = if first.starts_with(b"l") { Asks::List } else { Asks::Describe };
    let digits = first.iter().filter(|byte| byte.is_ascii_digit()).take(3);
    let status = digits.fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
    let mut response = http::Response::builder().status(http::StatusCode::from_u16(status).ok()?);
    loop {
        let (header, tail) = line(rest);
        rest = tail;
        let Some(colon) = header.iter().position(|byte| *byte == b':') else { break };
        let (name, value) = header.split_at(colon);
        let name = http::HeaderName::from_bytes(name);
        let value = http::HeaderValue::from_bytes(value.get(1..).unwrap_or_default().trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            response = response.header(name, value);
        }
    }
    Some((asks, response.body(rest.to_vec()).ok()?))
}

/// A line, and what follows it.
fn line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            let (line, rest) = data.split_at(end);
            (line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..).unwrap_or_default())
        }
        None => (data, &[]),
    }
}

/// The bytes with secrets in them.
fn planted(data: &[u8]) -> Vec<u8> {
    const JOBS: [&[u8]; 2] = [b"\"UserImportJob\":{", b"\"UserImportJobs\":[{"];
    let mut planted = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((byte, tail)) = rest.split_first() {
        if let Some(job) = JOBS.iter().find(|job| rest.starts_with(job)) {
            planted.extend_from_slice(job);
            planted.extend_from_slice(format!("\"PreSignedUrl\":\"{URL}\",").as_bytes());
            rest = rest.get(job.len()..).unwrap_or_default();
            continue;
        }
        match byte {
            1 => planted.extend_from_slice(KEY_ID.as_bytes()),
            2 => planted.extend_from_slice(SECRET_KEY.as_bytes()),
            3 => planted.extend_from_slice(SESSION_TOKEN.as_bytes()),
            4 => planted.extend_from_slice(URL.as_bytes()),
            other => planted.push(*other),
        }
        rest = tail;
    }
    planted
}

/// Looks at everything that is made of an answer.
fn shown(asker: &Asker, target: &Target, seen: Result<JobSnapshot, PollError>, date: Option<Timestamp>) {
    is_clean(&format!("{seen:?}"), target);
    if let Err(error) = &seen {
        assert_one_line(&error.message);
        assert_one_line(&error.to_string());
        // 128 characters are quoted of each of two texts, beside words of ours.
        assert!(error.message.chars().count() <= 1_000, "{} characters", error.message.chars().count());
    }
    let report = JobReport {
        job: JobIdentity { target: target.clone(), job_name: None, name: None, account: None },
        snapshot: seen.clone().ok(),
        observed_at: date,
        verdict: None,
        error: seen.clone().err(),
    };
    let reports = [report];
    is_clean(&status::json(&reports, &[]), target);
    let outcome = match seen {
        Ok(snapshot) => Outcome::Seen { snapshot, date, by: AskedBy::Describe },
        Err(error) => Outcome::Failed(error),
    };
    let job = WatchedJob { target: target.clone(), ..asker.job.clone() };
    let mut track = JobTrack::default();
    // Twice: a failure is told when it repeats.
    for seconds in 0..2 {
        let tick = Tick::from_start(Duration::from_secs(seconds));
        let step = track.step(&job, Observation { sent: tick, arrived: tick, at: NOW, outcome: outcome.clone() });
        for event in &step.events {
            let event = RenderedEvent::of(event, Uuid::nil());
            [&event.line, &event.subject, &event.phrase].into_iter().for_each(|text| is_clean(text, target));
        }
        track = step.next;
    }
}

/// A job's own id is passed over: it is letters and digits and may hold the id of a key, which is no secret by itself.
fn is_clean(text: &str, target: &Target) {
    let text = text.replace(target.job.as_str(), "");
    for secret in [KEY_ID, SECRET_KEY, SESSION_TOKEN, MARK] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}
