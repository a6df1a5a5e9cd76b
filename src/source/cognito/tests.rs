//! Given bytes on the wire, and what they are told as.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cognito_import_watch_core::domain::{ErrorKind, JobStatus, Timestamp};
use tracing::level_filters::LevelFilter;

use crate::source::testing::{
    KEY_ID, Reply, SECRET_KEY, SESSION_TOKEN, Server, ask_ambient, child, describe, error, http, is_child, job, keys,
    settings, source, target, this_test,
};
use crate::source::{Credentials, Environment, PageToken, Sources};

const DATE: (&str, &str) = ("date", "Sun, 22 Nov 2026 12:00:00 GMT");

/// The error that one reply is told as.
async fn told(reply: Reply) -> (ErrorKind, String) {
    let server = Server::start([reply]);
    let error = describe(&server).await.unwrap_err();
    assert_eq!(server.requests().len(), 1, "{error}");
    assert!(error.message.starts_with("us-west-2_EXAMPLE/import-mAgUtd8PMm in us-west-2: "), "{error}");
    assert!(!error.message.contains('\n'), "{error}");
    (error.kind, error.message)
}

#[tokio::test]
async fn a_request_is_what_cognito_expects_and_says_who_asks() {
    let server = Server::start([job(r#""Status":"Pending""#)]);
    describe(&server).await.unwrap();
    let request = server.requests().remove(0).to_ascii_lowercase();
    for part in [
        "post / http/1.1",
        "x-amz-target: awscognitoidentityproviderservice.describeuserimportjob",
        "content-type: application/x-amz-json-1.1",
        "/us-west-2/cognito-idp/aws4_request",
        "app/cognito-import-watch",
        concat!("lib/cognito-import-watch/", env!("CARGO_PKG_VERSION")),
        r#""userpoolid":"us-west-2_example""#,
        r#""jobid":"import-magutd8pmm""#,
    ] {
        assert!(request.contains(part), "{part} is not in {request}");
    }
}

#[tokio::test]
async fn the_sample_answer_of_the_api_page_is_read() {
    let server = Server::start([http(
        200,
        &[DATE],
        r#"{"UserImportJob":{"CloudWatchLogsRoleArn":"arn:aws:iam::123456789012:role/service-role/logs",
            "CreationDate":1.667864578676E9,"FailedUsers":1,"ImportedUsers":99,"JobId":"import-mAgUtd8PMm",
            "JobName":"import-example1","PasswordHashingAlgorithm":"QUANTUM",
            "PreSignedUrl":"https://bucket.s3.example/upload?X-Amz-Security-Token=x","SkippedUsers":0,"Status":"Succeeded",
            "UserPoolId":"us-west-2_EXAMPLE"}}"#,
    )]);
    let answer = describe(&server).await.unwrap();
    assert_eq!(answer.date, Some(Timestamp::from_millis(1_795_348_800_000)));
    assert_eq!(answer.value.status, JobStatus::Succeeded);
    assert_eq!((answer.value.counts.imported, answer.value.counts.failed), (99, 1));
    assert_eq!(answer.value.created_at, Some(Timestamp::from_millis(1_667_864_578_676)));
    assert_eq!((answer.value.started_at, answer.value.completed_at), (None, None));
    assert_eq!(answer.value.account.unwrap().as_str(), "123456789012");
}

#[tokio::test]
async fn every_spelling_of_a_refusal_is_of_its_class() {
    use ErrorKind::{Denied, Invalid, NotFound, Throttled, Transient};
    let namespaced =
        r#"{"__type":"com.amazonaws.cognitoidentityprovider#TooManyRequestsException","message":"Rate exceeded"}"#;
    for (reply, kind, part) in [
        // Three spellings of the type: in the header with what follows a colon, in the body, with a namespace.
        (http(400, &[("x-amzn-errortype", "TooManyRequestsException:")], ""), Throttled, "throttled"),
        (
            http(400, &[("x-amzn-errortype", "TooManyRequestsException:http://internal.amazon.com/")], "{}"),
            Throttled,
            "throttled",
        ),
        (http(400, &[], r#"{"__type":"TooManyRequestsException","message":"Rate exceeded"}"#), Throttled, "throttled"),
        (http(400, &[], namespaced), Throttled, "throttled"),
        (error("ThrottlingException", ""), Throttled, "throttled"),
        (error("Throttling", ""), Throttled, "throttled"),
        (error("RequestLimitExceeded", ""), Throttled, "throttled"),
        (error("RequestThrottled", ""), Throttled, "throttled"),
        (error("SlowDown", ""), Throttled, "throttled"),
        // By the status alone.
        (http(429, &[], ""), Throttled, "HTTP 429"),
        (http(503, &[], ""), Throttled, "HTTP 503"),
        (http(429, &[], "<html>slow down</html>"), Throttled, "HTTP 429"),
        // Rights.
        (
            http(
                400,
                &[],
                r#"{"__type":"AccessDeniedException","Message":"User: arn:aws:iam::1:user/x is not authorized"}"#,
            ),
            Denied,
            "User: arn:aws:iam::1:user/x is not authorized); allow cognito-idp:DescribeUserImportJob on \
             arn:aws:cognito-idp:us-west-2:*:userpool/us-west-2_EXAMPLE",
        ),
        (http(403, &[("x-amzn-errortype", "AccessDeniedException")], r#"{"Message":"no"}"#), Denied, "access denied"),
        (error("NotAuthorizedException", "Access denied"), Denied, "cognito-idp:DescribeUserImportJob"),
        (
            error("ExpiredTokenException", "The security token included in the request is expired"),
            Denied,
            "has expired",
        ),
        (http(403, &[("x-amzn-errortype", "ExpiredTokenException")], "{}"), Denied, "has expired"),
        (error("UnrecognizedClientException", ""), Denied, "access key is not valid"),
        (error("InvalidClientTokenId", ""), Denied, "access key is not valid"),
        (error("InvalidSignatureException", ""), Denied, "wrong secret access key"),
        (error("SignatureDoesNotMatch", ""), Denied, "wrong secret access key"),
        (error("RequestExpired", ""), Denied, "clock"),
        (error("RequestTimeTooSkewed", ""), Denied, "clock"),
        (error("IncompleteSignature", ""), Denied, "does a proxy change the headers?"),
        (error("MissingAuthenticationToken", ""), Denied, "does a proxy change the headers?"),
        (error("OptInRequired", ""), Denied, "is the region enabled?"),
        // What is not there, and what is wrong.
        (
            error("ResourceNotFoundException", "User pool us-west-2_EXAMPLE does not exist."),
            NotFound,
            "User pool us-west-2_EXAMPLE does not exist.",
        ),
        (
            http(
                400,
                &[],
                r#"{"__type":"InvalidParameterException","message":"1 validation error detected","reasonCode":"Odd"}"#,
            ),
            Invalid,
            "1 validation error detected, reason Odd",
        ),
        (error("OperationNotEnabledException", "replica"), Invalid, "the region it was created in"),
        // Faults.
        (http(500, &[("x-amzn-errortype", "InternalErrorException")], r#"{"message":"x"}"#), Transient, "HTTP 500"),
        (http(503, &[("x-amzn-errortype", "InternalErrorException")], r#"{"message":"x"}"#), Transient, "HTTP 503"),
        (http(500, &[], ""), Transient, "HTTP 500"),
        (http(502, &[], "<html><body>Bad gateway</body></html>"), Transient, "a proxy on the way"),
        (http(504, &[], ""), Transient, "HTTP 504"),
        (http(403, &[], "<html>blocked</html>"), Transient, "from a proxy"),
        (http(404, &[], "not here"), Transient, "a wrong endpoint?"),
        (http(407, &[], ""), Transient, "proxy wants a login"),
        (http(200, &[], "<html>hotspot login</html>"), Transient, "not Cognito's"),
        (http(200, &[], ""), Transient, ""),
        (http(200, &[], "{}"), Transient, "answered without a job"),
        (job(""), Transient, "answered without a job"),
        (http(200, &[], r#"{"UserImportJob":{"Status":"Pen"#), Transient, "cut off"),
        (
            http(200, &[], r#"{"UserImportJob":{"Status":"Pending","ImportedUsers":"many"}}"#),
            Transient,
            "not Cognito's",
        ),
        // A type that nobody knows.
        (
            error("BrandNewException", "hello"),
            Transient,
            "BrandNewException (HTTP 400), which this program does not know",
        ),
        (http(403, &[("x-amzn-errortype", "BrandNewException")], "{}"), Denied, "does not know"),
        (http(429, &[("x-amzn-errortype", "BrandNewException")], "{}"), Throttled, "does not know"),
    ] {
        let shown = match &reply {
            Reply::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Reply::Cut(_) | Reply::Hang | Reply::Reset => String::new(),
        };
        let (actual, message) = told(reply).await;
        assert_eq!(actual, kind, "{message}\n{shown}");
        assert!(message.contains(part), "{part} is not in {message}\n{shown}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_too_soon_is_a_passing_fault() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"UserImportJob\":{\"Status\":\"Pend".to_vec();
    for reply in [
        Reply::Cut(half),
        Reply::Cut(Vec::new()),
        Reply::Cut(b"HTTP/1.1 2".to_vec()),
        Reply::Cut(b"hello\r\n\r\n".to_vec()),
    ] {
        let (kind, message) = told(reply).await;
        assert_eq!(kind, ErrorKind::Transient, "{message}");
    }
    let (kind, message) = told(Reply::Reset).await;
    assert_eq!(kind, ErrorKind::Transient, "{message}");
    assert!(message.contains("no answer from 127.0.0.1:"), "{message}");
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_a_passing_fault() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let source = Sources::new(Environment::Isolated).unwrap().open(&settings(keys(), Some(url))).await.unwrap();
    let error = source.describe(&target()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Transient);
    assert!(error.message.contains("connection refused"), "{error}");
}

#[tokio::test]
async fn a_host_that_is_not_found_is_told_by_name() {
    // A label of more than 63 characters: the resolver refuses it without asking anybody.
    let url = format!("http://{}.example", "a".repeat(64));
    let source = Sources::new(Environment::Isolated).unwrap().open(&settings(keys(), Some(url))).await.unwrap();
    let error = source.describe(&target()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Transient);
    assert!(error.message.contains("aaa.example was not found; check DNS"), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_within_the_request_timeout() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"UserImportJob\":".to_vec();
    for reply in [Reply::Hang, Reply::Bytes(head)] {
        let server = Server::start([reply]);
        let mut settings = settings(keys(), Some(server.url()));
        settings.request_timeout = Duration::from_millis(150);
        let source = Sources::new(Environment::Isolated).unwrap().open(&settings).await.unwrap();
        let asked = tokio::time::Instant::now();
        let error = source.describe(&target()).await.unwrap_err();
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        assert_eq!(error.kind, ErrorKind::Transient);
        assert!(error.message.contains("within 150ms"), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_retry_hint_comes_with_the_error_whatever_its_spelling() {
    for (headers, expected) in [
        (&[("x-amz-retry-after", "1500")][..], Some(1_500)),
        (&[("retry-after", "3")][..], Some(3_000)),
        (&[DATE, ("retry-after", "Sun, 22 Nov 2026 12:00:07 GMT")][..], Some(7_000)),
        (&[("retry-after", "soon")][..], None),
    ] {
        for status in [400, 503] {
            let server = Server::start([http(status, headers, r#"{"__type":"TooManyRequestsException"}"#)]);
            let error = describe(&server).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Throttled);
            assert_eq!(error.retry_after, expected.map(Duration::from_millis), "{headers:?}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_and_the_next_request_is_signed_with_the_right_time() {
    // The service's clock stands at a known time, years from this host's.
    let refusal = r#"{"__type":"InvalidSignatureException","message":"Signature expired"}"#;
    for code in ["InvalidSignatureException", "RequestTimeTooSkewed"] {
        let server = Server::start([
            http(400, &[("date", "Tue, 22 Nov 2033 12:30:00 GMT"), ("x-amzn-errortype", code)], refusal),
            job(r#""Status":"Pending""#),
        ]);
        let source = source(&server).await;
        let error = source.describe(&target()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
        assert!(error.message.contains("minutes off the service's"), "{error}");
        source.describe(&target()).await.unwrap();
        let requests = server.requests();
        assert!(!requests[0].contains("x-amz-date: 20331122T12"), "{}", requests[0]);
        assert!(requests[1].contains("x-amz-date: 20331122T12"), "{}", requests[1]);
    }
}

#[tokio::test]
async fn a_list_goes_by_the_token_and_not_by_the_count() {
    let page = |token: &str, jobs: &str| http(200, &[DATE], &format!(r#"{{{token}"UserImportJobs":[{jobs}]}}"#));
    let server = Server::start([
        page(r#""PaginationToken":"us-west-2_EXAMPLE#import-b#1","#, ""),
        page(
            r#""PaginationToken":"t2","#,
            r#"{"JobId":"import-b","Status":"Pending"},{"JobId":"odd","Status":"Pending"},{"JobId":"import-c"}"#,
        ),
        page(r#""PaginationToken":"","#, r#"{"JobId":"import-d","Status":"Succeeded"}"#),
        http(200, &[], "{}"),
    ]);
    let source = source(&server).await;
    let pool = target().pool;
    let first = source.list(&pool, 200, None).await.unwrap();
    assert_eq!(first.value.jobs.len(), 0);
    let token = first.value.next.unwrap();
    let second = source.list(&pool, 0, Some(&token)).await.unwrap().value;
    assert_eq!(second.jobs.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["import-b"]);
    assert_eq!(second.next, Some(PageToken::from("t2")));
    let third = source.list(&pool, 60, second.next.as_ref()).await.unwrap().value;
    assert_eq!((third.jobs.len(), third.next), (1, None));
    let error = source.list(&pool, 60, None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Transient);
    let requests = server.requests();
    assert!(requests[0].contains(r#""MaxResults":60"#) && !requests[0].contains("PaginationToken"), "{}", requests[0]);
    assert!(requests[1].contains(r#""MaxResults":1"#), "{}", requests[1]);
    assert!(requests[1].contains(r#""PaginationToken":"us-west-2_EXAMPLE#import-b#1""#), "{}", requests[1]);
}

/// A place in memory to write a log to. A clone is the same place.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn jobs_of_a_list_that_cannot_be_read_are_told_once_for_each_pool() {
    let page = |jobs: &str| http(200, &[], &format!(r#"{{"UserImportJobs":[{jobs}]}}"#));
    let server = Server::start([
        page(r#"{"JobId":"import-a","Status":"Pending"}"#),
        page(r#"{"JobId":"import-a","Status":"Pending"},{"JobId":"odd","Status":"Pending"},{"JobId":"import-c"}"#),
    ]);
    let paper = Paper::default();
    let pen = paper.clone();
    let told = tracing_subscriber::fmt().without_time().with_max_level(LevelFilter::WARN);
    let told = told.with_writer(move || pen.clone());
    tracing::subscriber::with_default(told.finish(), || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let source = source(&server).await;
            for pool in ["us-west-2_A", "us-west-2_A", "us-west-2_A", "us-west-2_B"] {
                source.list(&pool.parse().unwrap(), 60, None).await.unwrap();
            }
        });
    });
    let log = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    for (line, pool) in lines.iter().zip(["us-west-2_A", "us-west-2_B"]) {
        assert!(line.contains("cannot be read") && line.contains("count=2") && line.contains(pool), "{line}");
    }
}

#[tokio::test]
async fn a_denied_list_names_its_own_action_and_the_account_once_it_is_known() {
    let server = Server::start([error("AccessDeniedException", "no")]);
    let error = source(&server).await.list(&target().pool, 60, None).await.unwrap_err();
    assert!(error.message.starts_with("us-west-2_EXAMPLE in us-west-2: access denied"), "{error}");
    assert!(error.message.contains("allow cognito-idp:ListUserImportJobs on"), "{error}");
}

#[test]
fn one_poll_is_one_request_whatever_the_environment_says() {
    if is_child(ask_ambient(Credentials::Default, None)) {
        return;
    }
    for (name, value) in [
        ("AWS_MAX_ATTEMPTS", "5"),
        ("AWS_MAX_ATTEMPTS", "0"),
        ("AWS_MAX_ATTEMPTS", "many"),
        ("AWS_RETRY_MODE", "adaptive"),
        ("AWS_RETRY_MODE", "garbage"),
    ] {
        for reply in [error("TooManyRequestsException", ""), http(500, &[], "")] {
            let server = Server::start([reply]);
            let url = server.url();
            let told = child(
                this_test!(),
                &[
                    ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &url),
                    ("AWS_ACCESS_KEY_ID", KEY_ID),
                    ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
                    ("AWS_REGION", "eu-central-1"),
                    (name, value),
                ],
            );
            assert!(told.starts_with("throttled: ") || told.starts_with("transient: "), "{name}={value}: {told}");
            let requests = server.requests();
            assert_eq!(requests.len(), 1, "{name}={value}: {told}");
            // The pool's region signs, not AWS_REGION.
            assert!(requests[0].contains("/us-west-2/cognito-idp/aws4_request"), "{}", requests[0]);
            assert!(requests[0].contains("app/cognito-import-watch"), "{}", requests[0]);
        }
    }
}

#[tokio::test]
async fn no_secret_comes_out_of_any_answer() {
    let url = "https://bucket.s3.example/upload?X-Amz-Signature=markedsignature&X-Amz-Security-Token=markedtoken";
    let encoded = "https%3A%2F%2Fbucket.s3.example%2Fupload%3FX-Amz-Signature%3Dmarkedsignature";
    let echo = format!(
        "The Canonical String was 'POST / x-amz-security-token:{SESSION_TOKEN}' {SECRET_KEY} {KEY_ID} {url} {encoded}"
    );
    let mut replies = vec![
        job(&format!(r#""Status":"Created","PreSignedUrl":"{url}""#)),
        // Decode errors hold the whole answer.
        job(&format!(r#""PreSignedUrl":"{url}","Status":7"#)),
        http(200, &[], &format!(r#"{{"UserImportJob":{{"PreSignedUrl":"{url}","Status":"Crea"#)),
        http(200, &[], &format!("<html>{url}</html>")),
        http(502, &[], &format!("<html>{url}</html>")),
        http(400, &[("x-amzn-errortype", url)], "{}"),
        http(400, &[], &format!(r#"{{"__type":"{url}","message":"{url}"}}"#)),
        Reply::Cut(format!("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{{\"PreSignedUrl\":\"{url}\"").into_bytes()),
    ];
    for code in [
        "AccessDeniedException",
        "NotAuthorizedException",
        "ResourceNotFoundException",
        "InvalidParameterException",
        "OperationNotEnabledException",
        "InvalidSignatureException",
        "TooManyRequestsException",
        "ExpiredTokenException",
        "InternalErrorException",
        "BrandNewException",
    ] {
        replies.push(error(code, &echo));
    }
    let count = replies.len();
    let server = Server::start(replies);
    let settings = settings(keys(), Some(server.url()));
    let mut sources = Sources::new(Environment::Isolated).unwrap();
    let source = sources.open(&settings).await.unwrap();
    let mut shown = format!("{settings:?} {sources:?} {source:?}");
    for _ in 0..count {
        match source.describe(&target()).await {
            Ok(answer) => shown += &format!("{answer:?}\n"),
            Err(error) => shown += &format!("{error:?} {error} {error:#?}\n"),
        }
    }
    let list = Server::start([http(
        200,
        &[],
        &format!(r#"{{"UserImportJobs":[{{"JobId":"import-a","Status":"Created","PreSignedUrl":"{url}"}}]}}"#),
    )]);
    shown += &format!("{:?}", crate::source::testing::source(&list).await.list(&target().pool, 60, None).await);
    shown += &format!("{sources:?} {source:?}");
    for mark in ["markedsignature", "markedtoken", "bucket.s3", SESSION_TOKEN, SECRET_KEY, KEY_ID] {
        assert!(!shown.contains(mark), "{mark} came out:\n{shown}");
    }
    assert_eq!(server.requests().len(), count);
}
