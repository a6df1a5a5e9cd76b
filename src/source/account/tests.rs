//! Where credentials come from, and what is told when none do. Each test that reads an environment or AWS files
//! does so in a process of its own.

use std::time::Duration;

use tempfile::TempDir;

use crate::source::testing::{
    Reply, SECRET_KEY, SESSION_TOKEN, Server, ask_ambient, child, error, http, is_child, is_hasty_child, job, settings,
    target, this_test,
};
use crate::source::{Credentials, Environment, Sources};

const ROLE: &str = "arn:aws:iam::123456789012:role/import-watch";

fn role() -> Credentials {
    Credentials::Role {
        arn: ROLE.into(),
        external_id: Some("an id, external".into()),
        session_name: None,
        base_profile: None,
    }
}

fn profile() -> Credentials {
    Credentials::Profile("prod".into())
}

/// A home with these files.
fn home(files: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = home.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    home
}

fn pending() -> Reply {
    job(r#""Status":"Pending""#)
}

/// STS's answer to AssumeRole.
fn assumed() -> Reply {
    http(
        200,
        &[("content-type", "text/xml")],
        &format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
             <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/import-watch/x</Arn>\
             <AssumedRoleId>A:x</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>ASIAOFTHEROLEOFTHERO\
             </AccessKeyId><SecretAccessKey>{SECRET_KEY}</SecretAccessKey><SessionToken>{SESSION_TOKEN}</SessionToken>\
             <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        ),
    )
}

fn sts_error(status: u16, code: &str, message: &str) -> Reply {
    http(
        status,
        &[("content-type", "text/xml")],
        &format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>1</RequestId></ErrorResponse>"
        ),
    )
}

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

/// Asks as the role: Cognito at `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`, STS at `AWS_ENDPOINT_URL_STS`.
fn ask_as_role(test: &str, cognito: &Server, sts: &Server) -> String {
    child(
        test,
        &[
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &cognito.url()),
            ("AWS_ENDPOINT_URL_STS", &sts.url()),
            ("AWS_ACCESS_KEY_ID", "AKIAOFTHEBASEOFTHEBA"),
            ("AWS_SECRET_ACCESS_KEY", "secret of the base"),
            ("AWS_REGION", "eu-central-1"),
        ],
    )
}

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

fn access_key(number: u8) -> String {
    format!("AKIANUMBER{number:010}")
}

fn write_key(number: u8) {
    let home = std::env::var("HOME").unwrap();
    let text = format!("[prod]\naws_access_key_id = {}\naws_secret_access_key = s\n", access_key(number));
    std::fs::write(format!("{home}/.aws/credentials"), text).unwrap();
}

#[test]
fn after_a_denial_the_files_are_read_again_at_most_once_a_minute() {
    async fn ask() -> String {
        let mut sources = Sources::new(Environment::Ambient).unwrap();
        write_key(1);
        let source = sources.open(&settings(profile(), None)).await.unwrap();
        let first = source.describe(&target()).await.unwrap_err();
        for number in [2, 3] {
            write_key(number);
            source.describe(&target()).await.unwrap_err();
        }
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(61)).await;
        tokio::time::resume();
        source.describe(&target()).await.unwrap_err();
        source.describe(&target()).await.unwrap();
        // What works is not read again.
        write_key(4);
        source.describe(&target()).await.unwrap();
        first.to_string()
    }
    if is_child(ask()) {
        return;
    }
    let home = home(&[(".aws/credentials", "")]);
    let denied = error("ExpiredTokenException", "");
    let server = Server::start([denied.clone(), denied.clone(), denied.clone(), denied, pending()]);
    let told = child(
        this_test!(),
        &[("HOME", home.path().to_str().unwrap()), ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &server.url())],
    );
    assert!(told.ends_with("renew the credentials of profile prod; they are read again by themselves"), "{told}");
    let requests = server.requests();
    let used: Vec<_> =
        requests.iter().map(|request| (1..=4).find(|number| request.contains(&access_key(*number))).unwrap()).collect();
    assert_eq!(used, [1, 2, 2, 2, 3, 3]);
}

#[test]
fn keys_that_cannot_change_while_the_process_runs_ask_for_a_restart() {
    if is_child(ask_ambient(Credentials::Default, None)) {
        return;
    }
    let home = home(&[("aws", "[default]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n")]);
    let directory = home.path().to_str().unwrap();
    let file = format!("{directory}/aws");
    let server = Server::start([error("ExpiredTokenException", "")]);
    let url = server.url();
    let told = child(
        this_test!(),
        &[("AWS_ENDPOINT_URL", &url), ("AWS_ACCESS_KEY_ID", "AKIAX"), ("AWS_SECRET_ACCESS_KEY", "s")],
    );
    assert!(told.ends_with("the keys came from the environment: set new ones and restart"), "{told}");
    let told = child(
        this_test!(),
        &[("AWS_ENDPOINT_URL", &url), ("AWS_SHARED_CREDENTIALS_FILE", &file), ("CREDENTIALS_DIRECTORY", directory)],
    );
    assert!(told.ends_with("the keys came from a systemd credential: change it and restart the unit"), "{told}");
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
