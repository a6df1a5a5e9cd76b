//! `run` over HTTP: probes, jobs, events, and callers who mean it ill.

mod activation;
mod client;
mod events;
mod hostile;
mod jobs;
mod probes;

use std::net::SocketAddr;

use serde_json::Value;

use crate::harness::{FAST, Running, target};

/// A config that listens at a free port; `tables` go before its jobs.
fn config(tables: &str, names: &[&str]) -> String {
    let jobs: String = names.iter().map(|name| format!("[[job]]\ntarget = \"{}\"\n", target(name))).collect();
    format!("{FAST}[http]\nlisten = \"127.0.0.1:0\"\n{tables}{jobs}")
}

/// Where a daemon listens, by its log.
#[track_caller]
fn address(running: &Running) -> SocketAddr {
    let line = running.line(|line| line.contains("listening for http"));
    let line: Value = serde_json::from_str(&line).unwrap();
    line["address"].as_str().unwrap().parse().unwrap()
}
