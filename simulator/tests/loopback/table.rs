//! Walks the table of behaviours in `docs/simulator.md`: every row has a check that is run, and every unknown names a
//! scenario key that is read.

use std::collections::{BTreeMap, BTreeSet};

use cognito_import_simulator::Scenario;

use crate::{checks, jobs, rows, sts};

struct Row {
    id: String,
    standing: String,
    source: String,
}

fn table() -> Vec<Row> {
    let text = include_str!("../../../docs/simulator.md");
    let (_, table) = text.split_once("## What is known").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect();
        assert_eq!(cells.len(), 4, "{line}");
        let [id, standing, source] = [cells[0].trim_matches('`'), cells[2], cells[3]].map(str::to_owned);
        Row { id, standing, source }
    })
    .collect()
}

/// The scenario keys of a cell, as one text.
fn keys(cell: &str) -> String {
    cell.split('`').skip(1).step_by(2).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_row_of_the_table_is_checked_and_every_unknown_has_its_key() {
    let mut checks: BTreeMap<&str, checks::Check> =
        checks::all().into_iter().chain(jobs::all()).chain(rows::all()).chain(sts::all()).collect();
    let (rows, mut ids) = (table(), BTreeSet::new());
    assert!(rows.len() > 50, "the table is not where it was");
    for row in rows {
        assert!(ids.insert(row.id.clone()), "{} is there twice", row.id);
        match row.standing.as_str() {
            "known" | "inferred" => assert!(!row.source.is_empty(), "{} has no source", row.id),
            "unknown" => {
                assert!(row.source.contains('`'), "{} names no key", row.id);
                Scenario::parse(&keys(&row.source)).unwrap();
            }
            other => panic!("{}: {other} is no standing", row.id),
        }
        let check = checks.remove(row.id.as_str()).unwrap_or_else(|| panic!("{} has no check", row.id));
        let keys = if row.standing == "unknown" { keys(&row.source) } else { String::new() };
        // A failure names its row.
        let done = tokio::spawn(check(keys)).await;
        assert!(done.is_ok(), "the check of {} failed", row.id);
    }
    assert!(checks.is_empty(), "not in the table: {:?}", checks.keys());
}
