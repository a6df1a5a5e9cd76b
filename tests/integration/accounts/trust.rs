//! TLS with an authority that the system does not know, as behind a company's proxy.

use cognito_import_simulator::TlsFiles;
use serde_json::Value;

use super::way::Authority;
use crate::harness::{ACCOUNT, Program, Stage, jobs, target};

fn stage(authority: &Authority) -> Stage {
    let scenario = jobs([("a", "{status = \"InProgress\"}")]);
    let role = format!("[[role]]\narn = \"arn:aws:iam::{ACCOUNT}:role/watch\"\n");
    Stage::with_tls(&format!("{scenario}{role}"), authority.certificate(&["localhost", "127.0.0.1"]))
}

fn look(stage: &Stage) -> Program {
    stage.program(["status", &target("a"), "--output", "json"])
}

#[test]
fn without_the_bundle_the_certificate_is_refused_with_the_variable_to_set_and_with_it_accepted() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("a stranger"));
    let stage = stage(&authority);
    for program in [look(&stage), look(&stage).env("AWS_CA_BUNDLE", stranger.bundle())] {
        let refused = program.end().with_code(75);
        let host = stage.url().strip_prefix("https://").unwrap();
        let said = format!("the certificate of {host} is not trusted: its issuer is unknown");
        assert!(refused.output().contains(&said) && refused.output().contains("AWS_CA_BUNDLE"), "{refused}");
    }
    assert!(stage.record().is_empty(), "no request went where nobody is trusted");
    let seen = look(&stage).env("AWS_CA_BUNDLE", authority.bundle()).end().with_code(0).json();
    assert_eq!(seen["jobs"][0]["status"], "InProgress");
    assert_eq!(stage.close().len(), 1);
}

#[test]
fn a_bundle_that_cannot_be_read_is_wrong_usage_before_any_call() {
    let authority = Authority::new("ours");
    let stage = stage(&authority);
    let refused = look(&stage).env("AWS_CA_BUNDLE", "/nowhere/bundle.pem").end().with_code(2);
    assert!(refused.stderr.contains("AWS_CA_BUNDLE: /nowhere/bundle.pem"), "{refused}");
    assert!(stage.record().is_empty());
}

#[test]
fn sts_is_trusted_by_the_same_bundle() {
    let authority = Authority::new("ours");
    let stage = stage(&authority);
    let config = format!(
        "[[account]]\nname = \"prod\"\nrole_arn = \"arn:aws:iam::{ACCOUNT}:role/watch\"\n\
         [[job]]\ntarget = \"{}\"\naccount = \"prod\"\n",
        target("a")
    );
    let look = || {
        let program = stage.keyed(["status", "--output", "json"]).arg("--config").arg(stage.config(&config));
        program.env("AWS_ENDPOINT_URL", stage.url())
    };
    let refused = look().end().with_code(75);
    assert!(refused.output().contains("account prod") && refused.output().contains("AWS_CA_BUNDLE"), "{refused}");
    look().env("AWS_CA_BUNDLE", authority.bundle()).end().with_code(0);
    let operations: Vec<_> = stage.close().iter().map(|entry| entry["operation"].clone()).collect();
    assert_eq!(operations, ["AssumeRole", "DescribeUserImportJob"]);
}

#[test]
fn the_simulator_speaks_tls_as_a_command_too() {
    let authority = Authority::new("ours");
    let TlsFiles { certificate, key } = authority.certificate(&["127.0.0.1"]);
    let directory = tempfile::tempdir().unwrap();
    let simulate = ["simulate", "--listen", "127.0.0.1:0", "--output", "json", "--tls-cert"];
    let one_alone = Program::new(directory.path(), simulate).arg(&certificate).end().with_code(2);
    assert!(one_alone.stderr.contains("--tls-key"), "{one_alone}");
    let swapped =
        Program::new(directory.path(), simulate).arg(&key).arg("--tls-key").arg(&certificate).end().with_code(74);
    assert!(swapped.stderr.contains("server.key for TLS"), "{swapped}");

    let simulator = Program::new(directory.path(), simulate).arg(&certificate).arg("--tls-key").arg(&key).start();
    let hello: Value = serde_json::from_str(&simulator.line(|_| true)).unwrap();
    let (url, account) = (hello["endpoint_url"].as_str().unwrap(), &hello["accounts"][0]);
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let list = Program::new(directory.path(), ["list", hello["pools"][0]["id"].as_str().unwrap()])
        .args(["--endpoint-url", url])
        .env("AWS_ACCESS_KEY_ID", account["access_key_id"].as_str().unwrap())
        .env("AWS_SECRET_ACCESS_KEY", account["secret_access_key"].as_str().unwrap())
        .env("AWS_CA_BUNDLE", authority.bundle());
    list.end().with_code(0);
    simulator.signal("TERM");
    simulator.end().with_code(0);
}
