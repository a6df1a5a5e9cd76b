//! Where credentials are looked for, and what is told when none are found.

use super::{home, pending, profile};
use crate::source::testing::{
    Reply, Server, ask_ambient, child, http, is_child, is_hasty_child, settings, target, this_test,
};
use crate::source::{Credentials, Environment, Sources};

#[test]
fn without_credentials_the_sources_tried_are_told_and_the_usual_cures() {
    if is_child(ask_ambient(Credentials::Default, Some("http://127.0.0.1:1".into()))) {
        return;
    }
    let home = home(&[]);
    let told = child(this_test!(), &[("HOME", home.path().to_str().unwrap()), ("AWS_EC2_METADATA_DISABLED", "true")]);
    assert!(
        told.starts_with("denied: us-west-2_EXAMPLE/import-mAgUtd8PMm in us-west-2: no AWS credentials found"),
        "{told}"
    );
    assert!(told.contains("tried Environment, Profile, WebIdentityToken, EcsContainer, Ec2InstanceMetadata"), "{told}");
    assert!(told.contains("AWS_ACCESS_KEY_ID") && told.contains("--profile"), "{told}");
}

#[test]
fn without_an_instance_the_search_for_credentials_ends_with_none_found() {
    if is_hasty_child(ask_ambient(Credentials::Default, Some("http://127.0.0.1:1".into()))) {
        return;
    }
    let home = home(&[]);
    // A host that never answers, as on a laptop.
    let nobody = Server::start([Reply::Hang]);
    let told = child(
        this_test!(),
        &[("HOME", home.path().to_str().unwrap()), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &nobody.url())],
    );
    assert!(told.contains("denied: ") && told.contains("no AWS credentials found"), "{told}");
}

const SSO: &str = "[profile prod]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = reader\n\
                   [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n";

/// `sso_session = corp`: the SHA-1 of the session's name.
const SSO_CACHE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

#[test]
fn an_sso_session_that_is_over_or_never_began_names_the_command() {
    if is_child(ask_ambient(profile(), Some("http://127.0.0.1:1".into()))) {
        return;
    }
    let over = r#"{"accessToken":"marked","expiresAt":"2020-01-01T00:00:00Z","region":"eu-west-1","startUrl":"https://corp.example/start"}"#;
    // The service ends a session before its time.
    let good = over.replace("2020", "2099");
    let sso = Server::start([http(
        401,
        &[("x-amzn-errortype", "UnauthorizedException")],
        r#"{"message":"Session token not found or invalid"}"#,
    )]);
    for files in [
        &[(".aws/config", SSO)][..],
        &[(".aws/config", SSO), (SSO_CACHE, over)][..],
        &[(".aws/config", SSO), (SSO_CACHE, &good)][..],
        // The older form, without a session.
        &[(
            ".aws/config",
            "[profile prod]\nsso_account_id = 1\nsso_role_name = r\nsso_region = eu-west-1\nsso_start_url = https://c\n",
        )][..],
    ] {
        let home = home(files);
        let told =
            child(this_test!(), &[("HOME", home.path().to_str().unwrap()), ("AWS_ENDPOINT_URL_SSO", &sso.url())]);
        assert!(told.starts_with("denied: "), "{told}");
        assert!(told.ends_with("the SSO token has expired or is missing; run aws sso login --profile prod"), "{told}");
    }
    assert_eq!(sso.requests().len(), 1);
}

#[test]
fn the_profile_of_the_environment_is_named_as_well() {
    if is_child(ask_ambient(Credentials::Default, Some("http://127.0.0.1:1".into()))) {
        return;
    }
    let home = home(&[(".aws/config", SSO)]);
    let told = child(this_test!(), &[("HOME", home.path().to_str().unwrap()), ("AWS_PROFILE", "prod")]);
    assert!(told.ends_with("run aws sso login --profile prod"), "{told}");
}

#[test]
fn a_profile_that_cannot_work_says_why_each_time_it_is_asked() {
    async fn ask() -> String {
        let mut sources = Sources::new(Environment::Ambient).unwrap();
        let source = sources.open(&settings(profile(), Some("http://127.0.0.1:1".into()))).await.unwrap();
        let first = source.describe(&target()).await.unwrap_err();
        let second = source.describe(&target()).await.unwrap_err();
        assert_eq!(first, second);
        format!("{}: {first}", first.kind)
    }
    if is_child(ask()) {
        return;
    }
    for (config, part) in [
        ("[profile other]\nregion = x\n", "there is no profile prod in the AWS files"),
        ("", "the AWS files have no profile prod, or nothing in it"),
        ("[profile prod]\nregion = x\n", "the AWS files have no profile prod, or nothing in it"),
        ("[profile prod]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = gone\n", "`gone`"),
        ("[profile prod]\ncredential_process = echo oops >&2; exit 3\n", "oops"),
        ("[profile prod]\ncredential_process = echo hello\n", "could not parse response"),
    ] {
        let home = home(&[(".aws/config", config)]);
        let told = child(this_test!(), &[("HOME", home.path().to_str().unwrap()), ("PATH", "/usr/bin:/bin")]);
        assert!(told.starts_with("denied: ") && told.contains(part), "{part}: {told}");
        assert!(!told.contains("()"), "{told}");
    }
}

#[test]
fn a_source_of_credentials_that_hangs_is_given_up() {
    if is_hasty_child(ask_ambient(Credentials::Default, Some("http://127.0.0.1:1".into()))) {
        return;
    }
    let (home, hung) = (home(&[]), Server::start([Reply::Hang]));
    let told = child(
        this_test!(),
        &[("HOME", home.path().to_str().unwrap()), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &hung.url())],
    );
    assert!(told.starts_with("transient: ") && told.contains("the source of the AWS credentials gave none"), "{told}");
}

#[test]
fn the_credentials_of_a_container_and_of_an_instance_are_used_and_their_faults_told_apart() {
    if is_child(ask_ambient(Credentials::Default, Some("http://127.0.0.1:1".into()))) {
        return;
    }
    let home = home(&[]);
    let home = home.path().to_str().unwrap();
    for (status, kind) in [(500, "transient: "), (403, "denied: ")] {
        let container = Server::start([http(status, &[], "{\"secret\":\"marked\"}")]);
        let told = child(this_test!(), &[("HOME", home), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container.url())]);
        assert!(told.starts_with(kind) && !told.contains("marked"), "{status}: {told}");
    }
    // The SDK's text for this one holds the raw answer.
    let token = http(200, &[("x-aws-ec2-metadata-token-ttl-seconds", "21600")], "token");
    let instance = Server::start([token, http(403, &[], "{\"secret\":\"marked\"}")]);
    let told = child(this_test!(), &[("HOME", home), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &instance.url())]);
    assert!(told.starts_with("denied: ") && told.contains("instance metadata answered HTTP 403"), "{told}");
    assert!(!told.contains("marked"), "{told}");
    let container = Server::start([http(
        200,
        &[],
        r#"{"AccessKeyId":"ASIAOFTHECONTAINEROF","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}"#,
    )]);
    let told = child(this_test!(), &[("HOME", home), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container.url())]);
    assert!(told.starts_with("transient: ") && told.contains("127.0.0.1:1"), "{told}");
}

#[test]
fn the_account_is_known_from_the_credentials() {
    if is_child(ask_ambient(Credentials::Default, None)) {
        return;
    }
    let server = Server::start([pending()]);
    let told = child(
        this_test!(),
        &[
            ("AWS_ENDPOINT_URL", &server.url()),
            ("AWS_ACCESS_KEY_ID", "AKIAX"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_ACCOUNT_ID", "210987654321"),
        ],
    );
    assert_eq!(told, r#"Pending account None then Some("210987654321")"#);
}

#[test]
fn a_named_profile_comes_before_keys_in_the_environment() {
    if is_child(ask_ambient(profile(), None)) {
        return;
    }
    let home =
        home(&[(".aws/credentials", "[prod]\naws_access_key_id = AKIAOFTHEPROFILE\naws_secret_access_key = s\n")]);
    let server = Server::start([pending()]);
    child(
        this_test!(),
        &[
            ("HOME", home.path().to_str().unwrap()),
            ("AWS_ENDPOINT_URL", &server.url()),
            ("AWS_ACCESS_KEY_ID", "AKIAOFTHEENVIRONMENT"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
        ],
    );
    assert!(server.requests()[0].contains("AKIAOFTHEPROFILE/"), "{}", server.requests()[0]);
}
