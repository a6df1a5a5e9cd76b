//! Which way a request goes, and whom it trusts.

use super::is_near;
use crate::source::Credentials;
use crate::source::testing::{Reply, SECRET_KEY, Server, ask_ambient, child, describe, http, is_child, job, this_test};

#[test]
fn this_machine_and_its_link_are_near_and_all_else_is_far() {
    for near in [
        "http://127.0.0.1:4566/",
        "http://127.9.9.9",
        "http://localhost:1",
        "https://LOCALHOST/",
        "http://cognito.localhost:80/x",
        "http://[::1]:8080/",
        "http://[::1]",
        "http://[::ffff:127.0.0.1]:1",
        "http://169.254.169.254/latest",
        "http://169.254.170.2/v2",
        "http://[fd00:ec2::254]/latest",
        "http://[fe80::1]/",
    ] {
        assert!(is_near(near), "{near}");
    }
    for far in [
        "https://cognito-idp.us-west-2.amazonaws.com/",
        "http://10.0.0.1",
        "http://localhost.example",
        "http://notlocalhost",
        "http://127.0.0.1.example",
        "http://[2001:db8::1]:80",
        "http://user@127.0.0.1@example",
        "nonsense",
    ] {
        assert!(!is_near(far), "{far}");
    }
}

fn pending() -> Reply {
    job(r#""Status":"Pending""#)
}

const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/source/testdata/authority.pem");
const OTHER_AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/source/testdata/server.pem");

#[tokio::test]
async fn a_certificate_that_is_not_trusted_says_how_to_trust_it() {
    let server = Server::start_tls([pending()]);
    let error = describe(&server).await.unwrap_err();
    assert_eq!(error.kind.as_str(), "transient");
    let host = format!("the certificate of 127.0.0.1:{} is not trusted: its issuer is unknown", server.port());
    assert!(error.message.contains(&host) && error.message.contains("AWS_CA_BUNDLE"), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_told_so() {
    let server = Server::start([http(400, &[], "")]);
    let url = server.url().replace("http:", "https:");
    let mut sources = crate::source::Sources::new(crate::source::Environment::Isolated).unwrap();
    let settings = crate::source::testing::settings(crate::source::testing::keys(), Some(url));
    let source = sources.open(&settings).await.unwrap();
    let error = source.describe(&crate::source::testing::target()).await.unwrap_err();
    assert_eq!(error.kind.as_str(), "transient");
}

#[test]
fn the_bundle_is_trusted_in_place_of_the_system() {
    if is_child(ask_ambient(Credentials::Default, None)) {
        return;
    }
    let server = Server::start_tls([pending()]);
    let test = this_test!();
    let ask = |bundle: &str| {
        child(
            test,
            &[
                ("AWS_ENDPOINT_URL", &server.url()),
                ("AWS_ACCESS_KEY_ID", "AKIAX"),
                ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
                // Nobody there: this machine is reached without it, over TLS too.
                ("HTTPS_PROXY", "http://127.0.0.1:1"),
                // What the system trusts.
                ("SSL_CERT_FILE", AUTHORITY),
                ("AWS_CA_BUNDLE", bundle),
            ],
        )
    };
    assert!(ask(AUTHORITY).starts_with("Pending"), "{}", ask(AUTHORITY));
    assert!(ask("").starts_with("Pending"), "{}", ask(""));
    assert!(ask(OTHER_AUTHORITY).contains("is not trusted: its issuer is unknown"), "{}", ask(OTHER_AUTHORITY));
    let told = ask("/nowhere/bundle.pem");
    assert!(told.starts_with("refused: AWS_CA_BUNDLE: /nowhere/bundle.pem: "), "{told}");
}

/// Asks through these proxies with keys of the environment.
fn ask_through(test: &str, endpoint: Option<&str>, variables: &[(&str, &str)]) -> String {
    let mut all =
        vec![("AWS_ACCESS_KEY_ID", "AKIAX"), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY), ("AWS_CA_BUNDLE", AUTHORITY)];
    all.extend(endpoint.map(|url| ("AWS_ENDPOINT_URL", url)));
    all.extend(variables);
    child(test, &all)
}

#[test]
fn a_proxy_is_for_the_way_out_only() {
    if is_child(ask_ambient(Credentials::Default, None)) {
        return;
    }
    let (proxy, server) = (Server::start([pending()]), Server::start([pending()]));
    let url = proxy.url();
    let proxies: &[(&str, &str)] =
        &[("HTTP_PROXY", &url), ("http_proxy", &url), ("HTTPS_PROXY", &url), ("ALL_PROXY", &url)];
    for address in [server.url(), server.url().replace("127.0.0.1", "localhost")] {
        let told = ask_through(this_test!(), Some(&address), proxies);
        assert!(told.starts_with("Pending"), "{told}");
    }
    assert_eq!((proxy.requests().len(), server.requests().len()), (0, 2));

    let told = ask_through(this_test!(), Some("http://cognito.example"), proxies);
    assert!(told.starts_with("Pending"), "{told}");
    assert!(proxy.requests()[0].starts_with("POST http://cognito.example/ HTTP/1.1"), "{}", proxy.requests()[0]);
}

#[test]
fn https_goes_through_a_tunnel_and_no_proxy_is_obeyed() {
    if is_child(ask_ambient(Credentials::Default, None)) {
        return;
    }
    let proxy = Server::start([http(403, &[], "no")]);
    let url = proxy.url();
    let told = ask_through(this_test!(), None, &[("HTTPS_PROXY", &url)]);
    assert!(told.starts_with("transient: ") && told.contains("the proxy did not connect to"), "{told}");
    assert!(told.contains("cognito-idp.us-west-2.amazonaws.com"), "{told}");
    let told = ask_through(this_test!(), None, &[("https_proxy", &url), ("AWS_USE_FIPS_ENDPOINT", "true")]);
    assert!(told.contains("cognito-idp-fips.us-west-2.amazonaws.com"), "{told}");
    let hosts: Vec<_> = proxy.requests().iter().map(|request| request.lines().next().unwrap().to_owned()).collect();
    assert_eq!(
        hosts,
        [
            "CONNECT cognito-idp.us-west-2.amazonaws.com:443 HTTP/1.1",
            "CONNECT cognito-idp-fips.us-west-2.amazonaws.com:443 HTTP/1.1",
        ]
    );

    // A label that no resolver takes: what goes there directly fails at once.
    let far = format!("http://{}.example", "a".repeat(64));
    let told = ask_through(this_test!(), Some(&far), &[("HTTP_PROXY", &url), ("NO_PROXY", ".example")]);
    assert!(told.contains("was not found"), "{told}");
    assert_eq!(proxy.requests().len(), 2);
}
