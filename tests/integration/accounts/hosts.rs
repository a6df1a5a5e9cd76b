//! Which host is asked: by region, partition, FIPS and dual-stack, of Cognito and of STS; through a proxy that leads
//! every tunnel to the simulator, which has a certificate for all of these names.

use serde_json::Value;

use super::way::{Authority, Proxy};
use crate::harness::{Program, Stage};

const HOSTS: [&str; 8] = [
    "cognito-idp.us-west-2.amazonaws.com",
    "cognito-idp-fips.us-west-2.amazonaws.com",
    "cognito-idp.cn-north-1.amazonaws.com.cn",
    "cognito-idp.cn-north-1.api.amazonwebservices.com.cn",
    "cognito-idp-fips.cn-north-1.api.amazonwebservices.com.cn",
    "sts.us-west-2.amazonaws.com",
    "sts-fips.us-west-2.amazonaws.com",
    "sts.eu-west-1.amazonaws.com",
];

const ROLE: &str = "[[account]]\nname = \"prod\"\nrole_arn = \"arn:aws:iam::123456789012:role/watch\"\n";

/// A simulator behind a proxy, and the authority of its certificate.
struct World {
    stage: Stage,
    proxy: Proxy,
    authority: Authority,
}

impl World {
    fn new() -> Self {
        let job = "[[pool.job]]\nid = \"import-a\"\nscript = [{status = \"InProgress\"}]\n";
        let scenario = format!(
            "[[role]]\narn = \"arn:aws:iam::123456789012:role/watch\"\n\
             [[pool]]\nid = \"us-west-2_EXAMPLE\"\n{job}[[pool]]\nid = \"cn-north-1_EXAMPLE\"\n{job}"
        );
        let authority = Authority::new("ours");
        let stage = Stage::with_tls(&scenario, authority.certificate(&HOSTS));
        let proxy = Proxy::to(stage.url().strip_prefix("https://").unwrap());
        Self { stage, proxy, authority }
    }

    /// Looks at the job of a pool once, with these arguments and variables, and tells which hosts were asked.
    #[track_caller]
    fn asked(&self, pool: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
        let before = self.proxy.hosts().len();
        let looked: Value = self.look(pool, arguments, variables).end().with_code(0).json();
        assert_eq!(looked["jobs"][0]["status"], "InProgress", "{looked}");
        self.proxy.hosts().split_off(before)
    }

    fn look(&self, pool: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Program {
        let target = format!("{pool}/import-a");
        let program = self.stage.keyed(["status", &target, "--output", "json"]).args(arguments);
        let program = program.env("AWS_CA_BUNDLE", self.authority.bundle());
        let is_set =
            variables.iter().any(|(name, _)| name.to_ascii_uppercase().ends_with("_PROXY") && *name != "NO_PROXY");
        let program = if is_set { program } else { program.env("HTTPS_PROXY", self.proxy.url()) };
        variables.iter().fold(program, |program, (name, value)| program.env(name, value))
    }
}

#[test]
fn the_host_is_that_of_the_region_the_partition_and_the_kind_of_endpoint() {
    const FIPS: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "true");
    const DUAL_STACK: (&str, &str) = ("AWS_USE_DUALSTACK_ENDPOINT", "true");
    let world = World::new();
    for (pool, variables, host) in [
        ("us-west-2_EXAMPLE", &[][..], "cognito-idp.us-west-2.amazonaws.com"),
        // Another region for STS and SSO changes nothing.
        ("us-west-2_EXAMPLE", &[("AWS_REGION", "eu-west-1")][..], "cognito-idp.us-west-2.amazonaws.com"),
        ("us-west-2_EXAMPLE", &[FIPS][..], "cognito-idp-fips.us-west-2.amazonaws.com"),
        ("cn-north-1_EXAMPLE", &[][..], "cognito-idp.cn-north-1.amazonaws.com.cn"),
        // In the commercial regions Cognito's usual name has both kinds of addresses.
        ("us-west-2_EXAMPLE", &[DUAL_STACK][..], "cognito-idp.us-west-2.amazonaws.com"),
        ("us-west-2_EXAMPLE", &[FIPS, DUAL_STACK][..], "cognito-idp-fips.us-west-2.amazonaws.com"),
        ("cn-north-1_EXAMPLE", &[DUAL_STACK][..], "cognito-idp.cn-north-1.api.amazonwebservices.com.cn"),
        ("cn-north-1_EXAMPLE", &[FIPS, DUAL_STACK][..], "cognito-idp-fips.cn-north-1.api.amazonwebservices.com.cn"),
    ] {
        assert_eq!(world.asked(pool, &[], variables), [host], "{pool} {variables:?}");
    }
}

#[test]
fn a_profile_may_ask_for_fips_and_dual_stack_for_its_account_alone() {
    let world = World::new();
    let profile = |name: &str, key: &str| {
        format!(
            "[profile {name}]\n{key} = true\naws_access_key_id = AKIASIMU123456789012\n\
             aws_secret_access_key = simulator-secret-access-key-123456789012\n"
        )
    };
    let text = profile("safe", "use_fips_endpoint") + &profile("both", "use_dualstack_endpoint");
    let file = world.stage.file("aws-config", &text);
    let file = ("AWS_CONFIG_FILE", file.to_str().unwrap());
    for (name, pool, host) in [
        ("safe", "us-west-2_EXAMPLE", "cognito-idp-fips.us-west-2.amazonaws.com"),
        ("both", "cn-north-1_EXAMPLE", "cognito-idp.cn-north-1.api.amazonwebservices.com.cn"),
    ] {
        let config = format!(
            "[[account]]\nname = \"prod\"\nprofile = \"{name}\"\n\
             [[job]]\ntarget = \"{pool}/import-a\"\naccount = \"prod\"\n"
        );
        let config = world.stage.config(&config);
        let arguments = ["--config", config.to_str().unwrap()];
        assert_eq!(world.asked(pool, &arguments, &[file]), [host]);
    }
    assert_eq!(world.asked("us-west-2_EXAMPLE", &[], &[file]), ["cognito-idp.us-west-2.amazonaws.com"]);
}

#[test]
fn sts_is_asked_in_the_accounts_region_else_in_that_of_aws_else_in_the_pools() {
    const COGNITO: &str = "cognito-idp.us-west-2.amazonaws.com";
    let world = World::new();
    let job = "[[job]]\ntarget = \"us-west-2_EXAMPLE/import-a\"\naccount = \"prod\"\n";
    let asked = |account: &str, variables: &[(&str, &str)]| {
        let config = world.stage.config(&format!("{account}{job}"));
        world.asked("us-west-2_EXAMPLE", &["--config", config.to_str().unwrap()], variables)
    };
    let elsewhere = ("AWS_REGION", "eu-west-1");
    assert_eq!(asked(ROLE, &[]), ["sts.us-west-2.amazonaws.com", COGNITO]);
    assert_eq!(asked(ROLE, &[elsewhere]), ["sts.eu-west-1.amazonaws.com", COGNITO]);
    let here = format!("{ROLE}region = \"us-west-2\"\n");
    assert_eq!(asked(&here, &[elsewhere]), ["sts.us-west-2.amazonaws.com", COGNITO]);
    let fips = [("AWS_USE_FIPS_ENDPOINT", "true")];
    assert_eq!(asked(ROLE, &fips), ["sts-fips.us-west-2.amazonaws.com", "cognito-idp-fips.us-west-2.amazonaws.com"]);
}

#[test]
fn every_connection_out_goes_through_the_proxy_but_those_it_is_not_for() {
    let world = World::new();
    let far = "us-west-2_EXAMPLE";
    for variable in ["https_proxy", "ALL_PROXY"] {
        assert_eq!(
            world.asked(far, &[], &[(variable, &world.proxy.url())]),
            ["cognito-idp.us-west-2.amazonaws.com"],
            "{variable}"
        );
    }
    // Seven requests, one tunnel: the connection is kept.
    let before = world.stage.record().len();
    let run = ["run", "us-west-2_EXAMPLE/import-a", "--config"];
    let fast = world.stage.config(crate::harness::FAST);
    let running = world.stage.keyed(run).arg(fast).env("HTTPS_PROXY", world.proxy.url());
    let running = running.env("AWS_CA_BUNDLE", world.authority.bundle()).start();
    let tunnels = world.proxy.hosts().len();
    world.stage.asked(before + 7);
    running.signal("TERM");
    running.end().with_code(0);
    assert_eq!(world.proxy.hosts().len() - tunnels, 1);

    // A name that nobody resolves.
    let count = world.proxy.asked().len();
    let nowhere = format!("https://{}.example", "a".repeat(64));
    world.look(far, &["--endpoint-url", &nowhere], &[("NO_PROXY", "example")]).end().with_code(75);
    // This machine is never asked for through a proxy.
    let near = world.stage.url().replace("127.0.0.1", "localhost");
    let direct = world.look(far, &["--endpoint-url", &near], &[]).end().with_code(75);
    assert!(direct.output().contains("it is for another host"), "{direct}");
    assert_eq!(world.proxy.asked().len(), count);
}
