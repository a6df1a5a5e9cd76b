//! Credentials that were denied: when they are read again, and when only a restart helps.

use std::time::Duration;

use super::{assumed, home, pending, profile, role, sts_error};
use crate::source::testing::{Server, ask_ambient, child, error, is_child, settings, target, this_test};
use crate::source::{Credentials, Environment, JobSource, Sources};

/// Lets time pass at once. The clock runs on afterwards, for answers come by real sockets.
async fn skip(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
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
        skip(Duration::from_secs(61)).await;
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

/// What the account is told, by the first of these words in it.
async fn told(source: &dyn JobSource, words: &[&str]) -> String {
    let told = match source.describe(&target()).await {
        Ok(answer) => answer.value.status.to_string(),
        Err(error) => error.to_string(),
    };
    words.iter().find(|word| told.contains(**word)).map_or(told.clone(), |word| (*word).to_owned())
}

#[test]
fn a_role_that_is_refused_is_tried_again_after_a_second_and_then_once_a_minute_however_many_ask() {
    async fn ask() -> String {
        let mut sources = Sources::new(Environment::Ambient).unwrap();
        let source = sources.open(&settings(role(), None)).await.unwrap();
        let mut all = Vec::new();
        for millis in [0, 100, 900, 100, 50_000, 10_000, 100, 60_000] {
            skip(Duration::from_millis(millis)).await;
            all.push(told(&*source, &["first", "second", "third", "Pending"]).await);
        }
        all.join(" ")
    }
    if is_child(ask()) {
        return;
    }
    let refused = |words: &str| sts_error(403, "AccessDenied", words);
    let sts = Server::start([refused("the first"), refused("the second"), refused("the third"), assumed()]);
    let cognito = Server::start([pending()]);
    let told = super::ask_as_role(this_test!(), &cognito, &sts);
    assert_eq!(told, "first first second second second third third Pending");
    assert_eq!((sts.requests().len(), cognito.requests().len()), (4, 1));
}

#[test]
fn sts_that_is_down_is_asked_again_by_whoever_asks_next() {
    async fn ask() -> String {
        let mut sources = Sources::new(Environment::Ambient).unwrap();
        let source = sources.open(&settings(role(), None)).await.unwrap();
        let first = told(&*source, &["failed", "Pending"]).await;
        format!("{first} {}", told(&*source, &["failed", "Pending"]).await)
    }
    if is_child(ask()) {
        return;
    }
    // Three tries of the first who asks.
    let down = || sts_error(503, "ServiceUnavailable", "");
    let (sts, cognito) = (Server::start([down(), down(), down(), assumed()]), Server::start([pending()]));
    assert_eq!(super::ask_as_role(this_test!(), &cognito, &sts), "failed Pending");
}

#[test]
fn a_key_of_a_file_that_sts_refuses_is_replaced_there_and_the_role_is_assumed_with_the_new_one() {
    async fn ask() -> String {
        let Credentials::Role { arn, .. } = role() else { panic!("a role") };
        let by_profile =
            Credentials::Role { arn, external_id: None, session_name: None, base_profile: Some("prod".into()) };
        let mut sources = Sources::new(Environment::Ambient).unwrap();
        write_key(1);
        let source = sources.open(&settings(by_profile, None)).await.unwrap();
        let first = source.describe(&target()).await.unwrap_err();
        skip(Duration::from_secs(1)).await;
        source.describe(&target()).await.unwrap_err();
        write_key(2);
        skip(Duration::from_secs(60)).await;
        source.describe(&target()).await.unwrap();
        first.to_string()
    }
    if is_child(ask()) {
        return;
    }
    let home = home(&[(".aws/credentials", "")]);
    let refused = || sts_error(403, "InvalidClientTokenId", "");
    let (sts, cognito) = (Server::start([refused(), refused(), assumed()]), Server::start([pending()]));
    let told = child(
        this_test!(),
        &[
            ("HOME", home.path().to_str().unwrap()),
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &cognito.url()),
            ("AWS_ENDPOINT_URL_STS", &sts.url()),
        ],
    );
    assert!(told.contains("InvalidClientTokenId"), "{told}");
    assert!(told.ends_with("renew the credentials of profile prod; they are read again by themselves"), "{told}");
    let used: Vec<_> = sts.requests().iter().map(|request| request.contains(&access_key(2))).collect();
    assert_eq!(used, [false, false, true]);
}
