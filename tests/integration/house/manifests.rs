//! What the manifests and the lock file may hold.

use std::collections::BTreeSet;

use super::root;

fn table(path: &str) -> toml::Table {
    std::fs::read_to_string(root().join(path)).unwrap().parse().unwrap()
}

fn dependencies(manifest: &str) -> BTreeSet<String> {
    table(manifest)["dependencies"].as_table().unwrap().keys().cloned().collect()
}

#[test]
fn the_manifests_keep_core_and_the_simulator_apart_from_the_rest() {
    let core = dependencies("core/Cargo.toml");
    let known =
        ["backoff", "fastrand", "jiff", "postcard", "serde", "serde_json", "smol_str", "uuid"].map(str::to_owned);
    assert!(core.is_subset(&known.into()), "core takes data and gives data; what is new here? {core:?}");
    let simulator = dependencies("simulator/Cargo.toml");
    let foreign = |name: &&String| name.starts_with("aws") || name.starts_with("cognito-import-watch");
    assert_eq!(simulator.iter().find(foreign), None);
    assert!(!dependencies("Cargo.toml").contains("backoff"));
}

#[test]
fn the_lock_file_holds_one_http_stack_and_one_tls() {
    let lock = table("Cargo.lock");
    let versions = |name: &str| -> Vec<String> {
        let packages = lock["package"].as_array().unwrap().iter();
        let named = packages.filter(|package| package["name"].as_str() == Some(name));
        named.map(|package| package["version"].as_str().unwrap().to_owned()).collect()
    };
    for once in ["hyper", "rustls", "tokio", "http", "h2", "ring"] {
        assert!(versions(once).len() <= 1, "{once}: {:?}", versions(once));
    }
    assert!(versions("hyper")[0].starts_with("1."), "hyper 0.14 has known vulnerabilities");
    assert!(versions("rustls")[0].starts_with("0.23."), "rustls 0.21 has known vulnerabilities");
    for never in ["aws-lc-sys", "aws-lc-rs", "openssl", "openssl-sys", "native-tls", "reqwest"] {
        assert_eq!(versions(never), Vec::<String>::new(), "{never}");
    }
}
