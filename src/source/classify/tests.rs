//! What depends on who asks and where; what the wire says is tested with `cognito`.

use std::time::Duration;

use cognito_import_watch_core::domain::{ErrorKind, PollError, Target};

use super::{Question, Renewal, classify, is_passing};
use crate::source::answer::Seen;
use crate::source::failure::{CredentialsFault, Failure, NetworkFault, Refusal};

fn target() -> Target {
    "cn-north-1_X/import-a".parse().unwrap()
}

fn question(target: &Target) -> Question<'_> {
    Question {
        operation: "DescribeUserImportJob",
        pool: &target.pool,
        job: Some(&target.job),
        region: "cn-north-1",
        account: "123456789012".parse().ok(),
        account_name: None,
        role: None,
        profile: None,
        renewal: Renewal::Possible,
        secrets: Vec::new(),
        patience: Duration::from_secs(10),
    }
}

fn refusal(code: &str) -> Failure {
    Failure::Refused(Refusal { status: 400, code: code.into(), ..Refusal::default() })
}

fn told(failure: &Failure, question: &Question<'_>, seen: &Seen) -> PollError {
    classify(failure, question, seen)
}

#[test]
fn a_denial_names_the_resource_in_its_partition_and_account() {
    let target = target();
    let error = told(&refusal("AccessDeniedException"), &question(&target), &Seen::default());
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(
        error.message.ends_with("on arn:aws-cn:cognito-idp:cn-north-1:123456789012:userpool/cn-north-1_X"),
        "{error}"
    );
}

#[test]
fn an_error_type_that_repeats_a_key_is_not_quoted() {
    let target = target();
    let asked = Question { secrets: vec!["marked-session-token".to_owned()], ..question(&target) };
    let error = told(&refusal("Oddmarked-session-tokenException"), &asked, &Seen::default());
    assert!(error.message.contains("answered [removed] (HTTP 400)"), "{error}");
    let of_credentials = |code: &str| {
        Failure::Credentials(CredentialsFault::Refused(Refusal {
            status: 400,
            code: code.into(),
            ..Refusal::default()
        }))
    };
    let error = told(&of_credentials("marked-session-token"), &asked, &Seen::default());
    assert!(error.message.contains("refused ([removed])"), "{error}");
}

#[test]
fn a_refused_signature_blames_the_clock_only_when_it_is_off() {
    let target = target();
    for (minutes, part) in [(0, "a wrong secret access key"), (3, "a wrong secret access key"), (20, "20 minutes off")]
    {
        let seen = Seen { skew: Some(Duration::from_secs(minutes * 60)), ..Seen::default() };
        let error = told(&refusal("InvalidSignatureException"), &question(&target), &seen);
        assert!(error.message.contains(part), "{minutes}: {error}");
    }
}

#[test]
fn an_operation_that_nobody_there_knows_blames_the_endpoint() {
    let target = target();
    let seen = Seen { host: Some("dynamodb.example".into()), ..Seen::default() };
    for code in ["UnknownOperationException", "InvalidAction"] {
        let error = told(&refusal(code), &question(&target), &seen);
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.contains("dynamodb.example does not know DescribeUserImportJob"), "{error}");
        assert!(error.message.contains("check the endpoint") && !error.message.contains("check the ids"), "{error}");
    }
}

#[test]
fn the_cure_for_old_keys_is_where_they_came_from() {
    let target = target();
    for (renewal, profile, part) in [
        (Renewal::Possible, None, "renew the AWS credentials"),
        (Renewal::Possible, Some("prod"), "renew the credentials of profile prod"),
        (Renewal::EnvironmentIsFixed, Some("prod"), "came from the environment"),
        (Renewal::SystemdCredentialIsFixed, None, "restart the unit"),
    ] {
        let question = Question { renewal, profile, ..question(&target) };
        for failure in [refusal("ExpiredTokenException"), refusal("UnrecognizedClientException")] {
            let error = told(&failure, &question, &Seen::default());
            assert!(error.message.contains(part), "{error}");
        }
    }
}

#[test]
fn a_fault_of_the_credentials_source_is_denied_or_passes() {
    let target = target();
    for (fault, kind) in [
        (CredentialsFault::NotFound("tried Environment".into()), ErrorKind::Denied),
        (CredentialsFault::NoProfile, ErrorKind::Denied),
        (CredentialsFault::EmptyProfile, ErrorKind::Denied),
        (CredentialsFault::Misconfigured("no such profile".into()), ErrorKind::Denied),
        (CredentialsFault::SsoExpired, ErrorKind::Denied),
        (CredentialsFault::Broken("exit status 3".into()), ErrorKind::Denied),
        (CredentialsFault::Unreachable("no answer in time".into()), ErrorKind::Transient),
    ] {
        let error = told(&Failure::Credentials(fault), &question(&target), &Seen::default());
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[test]
fn text_of_others_is_one_short_line_in_every_message() {
    let target = target();
    let hostile = format!("a\n\u{202e}::error::{}", "x ".repeat(1_000));
    let refusal = |code: &str| {
        Failure::Refused(Refusal {
            status: 400,
            code: code.into(),
            message: Some(hostile.clone()),
            reason: Some(hostile.clone()),
        })
    };
    for failure in [
        refusal("AccessDeniedException"),
        refusal("ResourceNotFoundException"),
        refusal("InvalidParameterException"),
        refusal(&hostile),
        Failure::Unsent(hostile.clone()),
        Failure::Credentials(CredentialsFault::NotFound(hostile.clone())),
        Failure::Credentials(CredentialsFault::Broken(hostile.clone())),
        Failure::Credentials(CredentialsFault::Misconfigured(hostile.clone())),
        Failure::Credentials(CredentialsFault::Unreachable(hostile.clone())),
    ] {
        let error = told(&failure, &question(&target), &Seen::default());
        let odd = error.message.chars().any(|c| c.is_control() || c == '\u{202e}');
        assert!(!odd && error.message.chars().count() < 600, "{error}");
    }
}

#[test]
fn every_fault_of_the_network_passes() {
    let target = target();
    for fault in [
        NetworkFault::UnknownHost,
        NetworkFault::Certificate("it has expired"),
        NetworkFault::Tls,
        NetworkFault::Proxy,
        NetworkFault::Connection("connection reset".into()),
    ] {
        let seen = Seen { host: Some("h.example".into()), ..Seen::default() };
        let error = told(&Failure::Network(fault), &question(&target), &seen);
        assert_eq!(error.kind, ErrorKind::Transient);
        assert!(error.message.contains("h.example"), "{error}");
    }
}

#[test]
fn a_denial_names_the_account_of_the_config_and_where_its_credentials_come_from() {
    let target = target();
    let told = |name, role, profile| {
        let asked = Question { account_name: name, role, profile, ..question(&target) };
        told(&refusal("UnrecognizedClientException"), &asked, &Seen::default()).message
    };
    for (name, role, profile, expected) in [
        (None, None, None, "in cn-north-1: "),
        (Some("prod"), None, None, "in cn-north-1, account prod: "),
        (Some("prod"), None, Some("ops"), "in cn-north-1, account prod (profile ops): "),
        (Some("prod"), Some("arn:r"), None, "in cn-north-1, account prod (arn:r): "),
        (Some("prod"), Some("arn:r"), Some("ops"), "in cn-north-1, account prod (arn:r by profile ops): "),
        (None, None, Some("ops"), "in cn-north-1 (profile ops): "),
    ] {
        let message = told(name, role, profile);
        assert!(message.contains(expected), "{expected}: {message}");
    }
    // A network that is down is nobody's account.
    let asked = Question { account_name: Some("prod"), ..question(&target) };
    let down = classify(&Failure::Network(NetworkFault::UnknownHost), &asked, &Seen::default());
    assert!(!down.message.contains("prod"), "{down}");
}

#[test]
fn a_source_of_credentials_that_gives_none_is_named_with_a_cure() {
    let target = target();
    let failure = Failure::Credentials(CredentialsFault::Unreachable("no connection".into()));
    let asked = question(&target);
    let told =
        |role, profile| classify(&failure, &Question { role, profile, ..asked.clone() }, &Seen::default()).message;
    let role = Some("arn:aws:iam::123456789012:role/watch");
    assert!(told(role, Some("ops")).contains("can this host reach STS, or where profile ops has its keys from?"));
    assert!(told(None, Some("ops")).contains("where profile ops has its keys from (STS, SSO, a process)?"));
    assert!(told(None, None).contains("container or instance metadata)? check the network"));
}

#[test]
fn what_passes_by_itself_is_transient_and_nothing_else_is() {
    let target = target();
    let refused =
        |status, code: &str| CredentialsFault::Refused(Refusal { status, code: code.into(), ..Refusal::default() });
    for fault in [
        refused(400, "Throttling"),
        refused(500, "InternalFailure"),
        refused(503, "Strange"),
        refused(403, "Strange"),
        refused(403, "AccessDenied"),
        refused(403, "ExpiredToken"),
        CredentialsFault::Unreachable("no connection".into()),
        CredentialsFault::NotFound(String::new()),
        CredentialsFault::NoProfile,
        CredentialsFault::EmptyProfile,
        CredentialsFault::Misconfigured(String::new()),
        CredentialsFault::SsoExpired,
        CredentialsFault::Broken(String::new()),
    ] {
        let passes = is_passing(&fault);
        let kind = classify(&Failure::Credentials(fault.clone()), &question(&target), &Seen::default()).kind;
        assert_eq!(passes, kind == ErrorKind::Transient, "{fault:?}");
    }
}
