//! What is asked, how often, and what comes out of an answer.

use cognito_import_watch_core::domain::{ErrorKind, JobStatus, Timestamp};

use super::DATE;
use crate::source::testing::{
    KEY_ID, Reply, SECRET_KEY, SESSION_TOKEN, Server, ask_ambient, child, describe, error, http, is_child, job, keys,
    settings, source, target, this_test,
};
use crate::source::{Credentials, Environment, Sources};

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
