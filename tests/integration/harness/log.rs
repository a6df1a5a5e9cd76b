//! Reads a JSON log, and what the record says that the service showed.

use serde_json::Value;

/// Every line of a log, which must all be JSON objects.
#[track_caller]
pub(crate) fn lines(log: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    log.lines().map(parse).inspect(|line: &Value| assert!(line.is_object(), "{line}")).collect()
}

/// The events among the lines.
#[track_caller]
pub(crate) fn events(log: &str) -> Vec<Value> {
    lines(log).into_iter().filter(|line| line.get("event").is_some()).collect()
}

/// The events of one job of [`super::jobs`].
#[track_caller]
pub(crate) fn events_of(log: &str, name: &str) -> Vec<Value> {
    let id = format!("import-{name}");
    events(log).into_iter().filter(|event| event["job_id"] == id.as_str()).collect()
}

/// The names of events; a warning with its kind.
pub(crate) fn names(events: &[Value]) -> Vec<String> {
    let name = |event: &Value| match event["kind"].as_str() {
        Some(kind) => format!("{} {kind}", event["event"].as_str().unwrap()),
        None => event["event"].as_str().unwrap().to_owned(),
    };
    events.iter().map(name).collect()
}

/// What the answers of a record showed, each with the answer: of one job after a Describe, of many on a page of a list.
pub(crate) fn shown(record: &[Value]) -> impl Iterator<Item = (&Value, &Value)> {
    record.iter().flat_map(|answer| {
        let listed = answer["jobs"].as_array().into_iter().flatten();
        let described = (answer["operation"] == "DescribeUserImportJob").then_some(answer);
        described.into_iter().chain(listed).filter(|job| job["status"].is_string()).map(move |job| (answer, job))
    })
}
