//! The MESSAGE_ID of each kind of event: fixed for ever, for `journalctl MESSAGE_ID=` and for catalogs.
//!
//! Called by [`super::entry`]; docs/systemd.md lists them, and a test compares.

use cognito_import_watch_core::domain::event::id_of;

/// The id of the events of this name, such as `job.completed`: a version-5 UUID over `["MESSAGE_ID", name]`, as the
/// journal writes it, in 32 digits.
#[must_use]
pub fn of(event: &str) -> String {
    id_of(&["MESSAGE_ID".to_owned(), event.to_owned()]).simple().to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sink::samples::{daemon_events, job_events, lane_events};

    #[test]
    fn the_documentation_lists_the_id_of_every_event() {
        let jobs = job_events("").into_iter().map(|event| event.fact.name());
        let lanes = lane_events().into_iter().map(|event| event.change.name());
        let names = jobs.chain(lanes).chain(daemon_events("").into_iter().map(|event| event.fact.name()));
        let ours: BTreeMap<String, String> = names.map(|name| (name.to_owned(), of(name))).collect();
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/systemd.md")).unwrap();
        let row = |line: &str| {
            let (name, id) = line.strip_prefix("| `")?.strip_suffix("` |")?.split_once("` | `")?;
            (id.len() == 32).then(|| (name.to_owned(), id.to_owned()))
        };
        let told: BTreeMap<String, String> = text.lines().filter_map(row).collect();
        let rows: String = ours.iter().map(|(name, id)| format!("| `{name}` | `{id}` |\n")).collect();
        assert!(told == ours, "docs/systemd.md should have\n{rows}");
    }
}
