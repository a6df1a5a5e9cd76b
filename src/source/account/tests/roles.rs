//! Roles: how they are assumed, and what a refusal is told as.

use super::{ask_as_role, assumed, home, pending, role, sts_error};
use crate::source::testing::{Server, ask_ambient, child, http, is_child, settings, target, this_test};
use crate::source::{Credentials, Environment, Sources};

#[test]
fn a_role_is_assumed_with_its_external_id_and_the_pools_are_asked_as_the_role() {
    if is_child(ask_ambient(role(), None)) {
        return;
    }
    let (cognito, sts) = (Server::start([pending()]), Server::start([assumed()]));
    let told = ask_as_role(this_test!(), &cognito, &sts);
    assert_eq!(told, r#"Pending account Some("123456789012") then Some("123456789012")"#);
    let (asked, signed) = (sts.requests().remove(0), cognito.requests().remove(0));
    assert!(asked.contains("AKIAOFTHEBASEOFTHEBA/") && asked.contains("/eu-central-1/sts/aws4_request"), "{asked}");
    assert!(asked.contains("ExternalId=an%20id%2C%20external"), "{asked}");
    assert!(asked.contains("RoleSessionName=cognito-import-watch"), "{asked}");
    assert!(signed.contains("ASIAOFTHEROLEOFTHERO/") && signed.contains("/us-west-2/cognito-idp/"), "{signed}");
}

#[test]
fn what_sts_refuses_is_denied_and_what_sts_fails_at_passes() {
    if is_child(ask_ambient(role(), None)) {
        return;
    }
    let url = "https://x.example/?X-Amz-Signature=marked";
    for (reply, kind, part) in [
        (
            sts_error(403, "AccessDenied", "User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole"),
            "denied",
            "User: arn:aws:iam::1:user/x is not authorized",
        ),
        (sts_error(403, "AccessDenied", url), "denied", "trust policy (external id?)"),
        (sts_error(403, "InvalidClientTokenId", ""), "denied", "set new ones and restart"),
        (sts_error(403, "ExpiredToken", ""), "denied", "ExpiredToken"),
        (sts_error(400, "Throttling", ""), "transient", "throttled"),
        (sts_error(500, "InternalFailure", ""), "transient", "HTTP 500"),
        (sts_error(503, "Strange", ""), "transient", "HTTP 503"),
        (http(502, &[], "<html>"), "transient", "gave none"),
        (http(200, &[], &format!("<AssumeRoleResponse>{url}")), "", ""),
    ] {
        let (cognito, sts) = (Server::start([pending()]), Server::start([reply]));
        let told = ask_as_role(this_test!(), &cognito, &sts);
        assert!(told.starts_with(kind) && told.contains(part), "{kind} {part}: {told}");
        assert!(!told.contains("marked") && cognito.requests().is_empty(), "{told}");
    }
}

#[test]
fn one_fetch_of_credentials_serves_all_who_wait_for_it_and_so_does_its_failure() {
    async fn ask() -> String {
        let mut sources = Sources::new(Environment::Ambient).unwrap();
        let source = sources.open(&settings(role(), None)).await.unwrap();
        // The same account in another region shares the credentials.
        let mut elsewhere = settings(role(), None);
        elsewhere.region = "eu-west-1".into();
        let other = sources.open(&elsewhere).await.unwrap();
        let mut polls = tokio::task::JoinSet::new();
        for number in 0..20 {
            let source = if number % 2 == 0 { source.clone() } else { other.clone() };
            polls.spawn(async move { source.describe(&target()).await.is_ok() });
        }
        let good = polls.join_all().await.into_iter().filter(|good| *good).count();
        format!("{good} good")
    }
    if is_child(ask()) {
        return;
    }
    for (reply, expected) in [(assumed(), "20 good"), (sts_error(403, "AccessDenied", ""), "0 good")] {
        let (cognito, sts) = (Server::start([pending()]), Server::start([reply]));
        assert_eq!(ask_as_role(this_test!(), &cognito, &sts), expected);
        assert_eq!(sts.requests().len(), 1);
    }
}

#[test]
fn a_profile_assumes_the_role_under_the_name_of_the_session() {
    fn named() -> Credentials {
        let Credentials::Role { arn, external_id, .. } = role() else { panic!("a role") };
        let (session_name, base_profile) = (Some("nightly".into()), Some("prod".into()));
        Credentials::Role { arn, external_id, session_name, base_profile }
    }
    if is_child(ask_ambient(named(), None)) {
        return;
    }
    let text = "[prod]\naws_access_key_id = AKIAOFTHEPROFILEOFTH\naws_secret_access_key = s\nregion = eu-west-3\n";
    let home = home(&[(".aws/credentials", text)]);
    let (cognito, sts) = (Server::start([pending()]), Server::start([assumed()]));
    let told = child(
        this_test!(),
        &[
            ("HOME", home.path().to_str().unwrap()),
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &cognito.url()),
            ("AWS_ENDPOINT_URL_STS", &sts.url()),
            // Not these: the profile was named.
            ("AWS_ACCESS_KEY_ID", "AKIAOFTHEENVIRONMENT"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
        ],
    );
    assert!(told.starts_with("Pending"), "{told}");
    let asked = sts.requests().remove(0);
    assert!(asked.contains("AKIAOFTHEPROFILEOFTH/") && asked.contains("/eu-west-3/sts/"), "{asked}");
    assert!(asked.contains("RoleSessionName=nightly"), "{asked}");
}
