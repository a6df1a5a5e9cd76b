//! Faults on the wire and on the way, and the class of each.

use std::time::Duration;

use cognito_import_watch_core::domain::ErrorKind;

use super::{DATE, told};
use crate::source::testing::{Reply, Server, describe, error, http, job, keys, settings, target};
use crate::source::{Environment, Sources};

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
