//! What a source takes from around the process, and what it refuses before any call.

use std::sync::Arc;

use crate::source::testing::{
    KEY_ID, Server, ask_ambient, child, error, is_child, job, keys, settings, target, this_test,
};
use crate::source::{Credentials, Environment, Sources};

#[test]
fn an_isolated_process_takes_nothing_from_around_it() {
    async fn ask() -> String {
        let url = std::env::var("TEST_URL").unwrap();
        let source = Sources::new(Environment::Isolated).unwrap().open(&settings(keys(), Some(url))).await.unwrap();
        format!("{:?}", source.describe(&target()).await.map(|answer| answer.value.status))
    }
    if is_child(ask()) {
        return;
    }
    let (server, other) = (Server::start([job(r#""Status":"Pending""#)]), Server::start([error("Throttling", "")]));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[default\nbroken = = \n").unwrap();
    let file = file.path().to_str().unwrap();
    let told = child(
        this_test!(),
        &[
            ("TEST_URL", &server.url()),
            ("HTTP_PROXY", &other.url()),
            ("ALL_PROXY", &other.url()),
            ("AWS_PROFILE", "missing"),
            ("AWS_ENDPOINT_URL", &other.url()),
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "nonsense"),
            ("AWS_CONFIG_FILE", file),
            ("AWS_SHARED_CREDENTIALS_FILE", file),
            ("AWS_CA_BUNDLE", "/nowhere"),
            ("AWS_ACCESS_KEY_ID", "AKIAOFTHEENVIRONMENT"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_MAX_ATTEMPTS", "0"),
            ("AWS_USE_FIPS_ENDPOINT", "true"),
            ("AWS_SDK_UA_APP_ID", "somebody-else"),
            ("AWS_REGION", "eu-central-1"),
        ],
    );
    assert_eq!(told, "Ok(Pending)");
    assert!(other.requests().is_empty());
    let requests = server.requests();
    assert!(
        requests.len() == 1 && requests[0].contains(KEY_ID) && !requests[0].contains("somebody-else"),
        "{requests:?}"
    );
}

#[tokio::test]
async fn an_isolated_process_refuses_credentials_that_it_would_have_to_look_for() {
    let mut sources = Sources::new(Environment::Isolated).unwrap();
    let role = Credentials::Role {
        arn: "arn:aws:iam::123456789012:role/x".into(),
        external_id: None,
        session_name: None,
        base_profile: None,
    };
    for credentials in [Credentials::Default, Credentials::Profile("prod".into()), role] {
        assert!(sources.open(&settings(credentials, Some("http://127.0.0.1:1".into()))).await.is_err());
    }
}

#[tokio::test]
async fn a_region_that_nobody_knows_and_an_endpoint_that_is_no_url_are_refused() {
    let mut sources = Sources::new(Environment::Isolated).unwrap();
    let mut unknown = settings(keys(), None);
    unknown.region = "mars-north-1".into();
    let error = sources.open(&unknown).await.unwrap_err();
    assert!(error.to_string().starts_with("mars-north-1 is not a region"), "{error}");
    unknown.endpoint_url = Some("http://127.0.0.1:1".into());
    assert!(sources.open(&unknown).await.is_ok());
    for url in ["", "127.0.0.1:4566", "ftp://x", "http://", "https://user:marked@"] {
        let error = sources.open(&settings(keys(), Some(url.into()))).await.unwrap_err();
        assert!(
            error.to_string().contains("write http://host:port") && !error.to_string().contains("marked"),
            "{error}"
        );
    }
}

#[test]
fn the_endpoint_is_the_settings_else_the_services_own_else_the_general_one_else_the_profiles() {
    async fn ask() -> String {
        let mut settings = settings(Credentials::Default, std::env::var("TEST_URL").ok());
        // No partition knows it: without an endpoint it would be refused.
        settings.region = "mars-north-1".into();
        let source = match Sources::new(Environment::Ambient).unwrap().open(&settings).await {
            Ok(source) => source,
            Err(error) => return error.to_string(),
        };
        source.describe(&target()).await.unwrap_err().message
    }
    if is_child(ask()) {
        return;
    }
    let server = Server::start([error("Throttling", "")]);
    let url = &*server.url();
    let config = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(config.path(), format!("[default]\nendpoint_url = {url}\n")).unwrap();
    let config = config.path().to_str().unwrap();
    let (service, general) = ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "AWS_ENDPOINT_URL");
    let nowhere = "http://127.0.0.1:1";
    let keys = [("AWS_ACCESS_KEY_ID", "AKIAX"), ("AWS_SECRET_ACCESS_KEY", "s")];
    for (number, variables) in [
        &[("TEST_URL", url), (service, nowhere), (general, nowhere)][..],
        &[(service, url), (general, nowhere)][..],
        &[(general, url)][..],
        &[("AWS_CONFIG_FILE", config)][..],
    ]
    .into_iter()
    .enumerate()
    {
        let told = child(this_test!(), &[&keys[..], variables].concat());
        assert!(told.contains("throttled"), "{variables:?}: {told}");
        assert_eq!(server.requests().len(), number + 1, "{variables:?}");
    }
    let told = child(this_test!(), &keys);
    assert!(told.starts_with("mars-north-1 is not a region"), "{told}");
    // FIPS and an endpoint of one's own exclude each other: no time will heal that.
    let told = child(this_test!(), &[&keys[..], &[(general, url), ("AWS_USE_FIPS_ENDPOINT", "true")]].concat());
    assert!(told.contains("FIPS"), "{told}");
}

#[tokio::test]
async fn the_same_settings_share_one_account() {
    let mut sources = Sources::new(Environment::Isolated).unwrap();
    let settings = settings(keys(), Some("http://127.0.0.1:1".into()));
    let (one, two) = (sources.open(&settings).await.unwrap(), sources.open(&settings).await.unwrap());
    assert!(!Arc::ptr_eq(&one, &two));
    assert_eq!(sources.accounts.len(), 1);
}

#[test]
fn a_wrong_file_of_aws_is_told_and_does_not_end_the_process() {
    if is_child(ask_ambient(Credentials::Default, Some("http://127.0.0.1:1".into()))) {
        return;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[default\nbroken = = \n").unwrap();
    let told = child(
        this_test!(),
        &[("AWS_CONFIG_FILE", file.path().to_str().unwrap()), ("AWS_EC2_METADATA_DISABLED", "true")],
    );
    assert!(told.starts_with("denied: ") && told.contains("profile"), "{told}");
}

#[tokio::test]
async fn what_a_poll_holds_beside_the_call_is_small() {
    let settings = settings(keys(), Some("http://127.0.0.1:1".to_owned()));
    let source = Sources::new(Environment::Isolated).unwrap().open(&settings).await.unwrap();
    let target = target();
    // Allocated and moved for every poll. The SDK's call would make it 5 kB or thrice that, the chain of credentials more.
    let bytes = size_of_val(&*source.describe(&target));
    assert!(bytes < 2_048, "{bytes}");
}
