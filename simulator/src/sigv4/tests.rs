//! Against AWS's own example, and each way to be refused.

use hyper::Request;
use hyper::http::request::Parts;
use jiff::{SignedDuration, Timestamp};

use super::{Claim, Refusal, authorize, canonical_request, format_date, parse_date, presign, sign, verify_presigned};
use crate::AccountInfo;

const STAMP: &str = "20150830T123600Z";
const SKEW: SignedDuration = SignedDuration::from_secs(300);

fn keys() -> AccountInfo {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    AccountInfo {
        id: String::new(),
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: secret.into(),
        session_token: None,
    }
}

fn at(stamp: &str) -> Timestamp {
    parse_date(stamp).unwrap()
}

fn call(body: &str) -> Parts {
    let request = Request::post("/").header("host", "localhost:1").header("x-amz-date", STAMP);
    let (mut parts, ()) = request.header("x-amz-target", "  two   words ").body(()).unwrap().into_parts();
    let authorization = authorize(&parts, body.as_bytes(), &keys(), ("us-east-1", "cognito-idp"), STAMP);
    parts.headers.insert("authorization", authorization.parse().unwrap());
    parts
}

fn verify(parts: &Parts, body: &str, keys: &AccountInfo, now: &str) -> Result<(), Refusal> {
    Claim::of(&parts.headers)?.verify(parts, body.as_bytes(), keys, "cognito-idp", at(now), SKEW)
}

#[test]
fn the_example_of_aws_gets_its_signature() {
    let request = Request::get("/?Param2=value2&Param1=value1").header("host", "example.amazonaws.com");
    let (parts, ()) = request.header("x-amz-date", STAMP).body(()).unwrap().into_parts();
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let canonical = canonical_request(&parts, &["host".into(), "x-amz-date".into()], empty).unwrap();
    let signature = sign(&keys().secret_access_key, "20150830/us-east-1/service/aws4_request", STAMP, &canonical);
    assert_eq!(signature, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
    assert_eq!(format_date(at(STAMP)), STAMP);
}

#[test]
fn what_we_sign_we_accept_and_nothing_else() {
    assert_eq!(verify(&call("{}"), "{}", &keys(), STAMP), Ok(()));
    assert_eq!(verify(&call("{}"), "{ }", &keys(), STAMP), Err(Refusal::Mismatch));
    let other = AccountInfo { secret_access_key: "other".into(), ..keys() };
    assert_eq!(verify(&call("{}"), "{}", &other, STAMP), Err(Refusal::Mismatch));
    let mut changed = call("{}");
    changed.headers.insert("x-amz-target", "three".parse().unwrap());
    assert_eq!(verify(&changed, "{}", &keys(), STAMP), Err(Refusal::Mismatch));
    changed.headers.remove("x-amz-target");
    assert_eq!(verify(&changed, "{}", &keys(), STAMP), Err(Refusal::Mismatch));
    let guarded = AccountInfo { session_token: Some("t".into()), ..keys() };
    assert_eq!(verify(&call("{}"), "{}", &guarded, STAMP), Err(Refusal::UnknownKey));
}

#[test]
fn a_date_too_far_off_is_told_in_the_services_words() {
    assert_eq!(verify(&call(""), "", &keys(), "20150830T124100Z"), Ok(()));
    let expired =
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)";
    assert_eq!(verify(&call(""), "", &keys(), "20150830T124101Z"), Err(Refusal::Invalid(expired.into())));
    let early =
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)";
    assert_eq!(verify(&call(""), "", &keys(), "20150830T123059Z"), Err(Refusal::Invalid(early.into())));
}

#[test]
fn a_malformed_claim_says_what_it_lacks() {
    let with = |authorization: &str| {
        let mut parts = call("");
        parts.headers.insert("authorization", authorization.parse().unwrap());
        verify(&parts, "", &keys(), STAMP)
    };
    let malformed = |result| matches!(result, Err(Refusal::Malformed(_)));
    assert!(malformed(with("Basic abc")) && malformed(with("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request")));
    assert!(malformed(with("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x")));
    let s3 = "AWS4-HMAC-SHA256 Credential=a/20150830/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x";
    assert!(matches!(with(s3), Err(Refusal::Invalid(_))));
    let mut parts = call("");
    parts.headers.remove("authorization");
    assert_eq!(verify(&parts, "", &keys(), STAMP), Err(Refusal::Unsigned));
}

#[test]
fn an_upload_url_lives_its_seconds_for_its_host_and_headers() {
    let keys = AccountInfo { session_token: Some("a/b+c=".into()), ..keys() };
    let url = presign("http://localhost:1", "/1/p/j", &keys, "us-east-1", at(STAMP), 899);
    let verify = |url: &str, host: &str, encryption: &str, now: &str| {
        let request = Request::put(url).header("host", host).header("x-amz-server-side-encryption", encryption);
        verify_presigned(&request.body(()).unwrap().into_parts().0, &keys, at(now))
    };
    assert_eq!(verify(&url, "localhost:1", "aws:kms", "20150830T125059Z"), Ok(()));
    assert_eq!(verify(&url, "localhost:1", "aws:kms", "20150830T125100Z"), Err(Refusal::Lapsed));
    assert_eq!(verify(&url, "localhost:2", "aws:kms", STAMP), Err(Refusal::Mismatch));
    assert_eq!(verify(&url, "localhost:1", "AES256", STAMP), Err(Refusal::Mismatch));
    let longer = url.replace("Expires=899", "Expires=9999");
    assert_eq!(verify(&longer, "localhost:1", "aws:kms", STAMP), Err(Refusal::Mismatch));
    let endless = url.replace("Expires=899", "Expires=9223372036854775807");
    assert_eq!(verify(&endless, "localhost:1", "aws:kms", STAMP), Err(Refusal::Mismatch));
    let stranger = url.replace("AKIDEXAMPLE", "AKIDNOBODY");
    assert_eq!(verify(&stranger, "localhost:1", "aws:kms", STAMP), Err(Refusal::UnknownKey));
}
