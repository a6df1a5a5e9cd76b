//! The alert rules, the dashboard and docs/metrics.md ask for metrics that a scrape has, and docs/metrics.md for all of
//! them.

use std::collections::BTreeSet;

use cognito_import_watch::http::metrics::FAMILIES;
use serde_json::Value;

use crate::harness::{POOL, Stage, jobs};

use super::{Daemon, watched};

const RULES: &str = include_str!("../../../deploy/prometheus/alerts.yml");
const RULES_TEST: &str = include_str!("../../../deploy/prometheus/alerts_test.yml");
const DASHBOARD: &str = include_str!("../../../deploy/grafana/dashboard.json");
const DOCS: &str = include_str!("../../../docs/metrics.md");

/// The names of metrics in a text: those of this program and of its process.
fn metrics(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("cognito_import_watch_") || word.starts_with("process_")).collect()
}

/// Every string of a JSON document.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Jobs and faults that give every metric a series.
fn everything() -> (String, String) {
    let running = "{status = \"InProgress\", imported = 1}";
    let scenario = jobs([("a", running), ("b", "{status = \"Succeeded\"}"), ("c", running)]);
    let faults = "[[fault]]\njob = \"import-c\"\nanswer = { kind = \"error\", code = \"AccessDeniedException\" }\n";
    let tables = format!(
        "[state]\npath = \"state.db\"\n[policy]\ndeadline = \"6h\"\n{}expected_users = 7\n[[pool]]\nid = \"{POOL}2\"\n",
        watched(&["c", "b", "a"])
    );
    (format!("{scenario}{faults}"), tables)
}

#[test]
fn every_metric_of_the_rules_the_dashboard_and_the_docs_is_in_a_scrape() {
    let (scenario, tables) = everything();
    let stage = Stage::new(&scenario);
    let daemon = Daemon::start(&stage, &tables);
    let scrape = daemon.scrape_with(|scrape| {
        let all = |part: &str| !scrape.with(&[part]).is_empty();
        ["_pool_failing{", "_job_failing{", "_job_completed_timestamp", "_job_deadline"].into_iter().all(all)
    });
    let known = scrape.names();
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut words = Vec::new();
    texts(&dashboard, &mut words);
    let dashboard = words.join("\n");
    for (place, text) in [("alerts.yml", RULES), ("alerts_test.yml", RULES_TEST), ("dashboard.json", &*dashboard)] {
        let asked = metrics(text);
        assert!(asked.len() > 5, "{place} names {asked:?}");
        let unknown: Vec<_> = asked.difference(&known).collect();
        assert!(unknown.is_empty(), "{place} asks for {unknown:?}");
    }
    // The docs name a histogram without its endings.
    let written: BTreeSet<&str> = scrape.types().keys().map(String::as_str).collect();
    let told: BTreeSet<&str> = metrics(DOCS);
    assert_eq!(told.difference(&written).collect::<Vec<_>>(), Vec::<&&str>::new(), "docs/metrics.md tells of more");
    // Each was seen with a sample.
    let families: BTreeSet<&str> = FAMILIES.iter().map(|family| family.name).collect();
    assert_eq!(families, written);
    let silent = |name: &&&str| !known.iter().any(|series| series.starts_with(**name));
    assert_eq!(families.iter().filter(silent).collect::<Vec<_>>(), Vec::<&&str>::new(), "without a sample");
    // For the gate's promtool.
    if let Some(file) = std::env::var_os("KEEP_SCRAPE") {
        std::fs::write(file, &scrape.text).unwrap();
    }
    daemon.stop();
}

#[test]
fn the_table_of_the_docs_is_that_of_the_program() {
    let rows = DOCS.lines().filter(|line| line.starts_with("| `"));
    let cells = |row: &str| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    let written: BTreeSet<Vec<String>> = rows.map(cells).collect();
    let labels = |labels: &[&str]| labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
    let known: BTreeSet<Vec<String>> = FAMILIES
        .iter()
        .map(|family| {
            let name = format!("`{}`", family.name);
            vec![name, family.kind.as_str().to_owned(), labels(family.labels), family.help.to_owned()]
        })
        .collect();
    assert_eq!(written, known);
}

#[test]
fn every_panel_of_the_dashboard_asks_the_data_source_that_is_chosen_and_stands_alone() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 10);
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each has an id of its own");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
            assert!(target["expr"].as_str().unwrap().contains("instance=~\"$instance\""), "{}", panel["title"]);
        }
        let grid = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(grid("x") + grid("w") <= 24, "{}", panel["title"]);
    }
}
