//! What is written about the config agrees with it: schema, default file, examples, documentation.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::*;

/// One table of the language.
pub(super) struct Table {
    pub(super) name: String,
    /// `[poll]` or `[[job]]`.
    pub(super) header: String,
    properties: serde_json::Map<String, Json>,
    required: Vec<String>,
}

impl Table {
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.properties.keys().map(String::as_str)
    }
}

/// Every table that the schema knows.
pub(super) fn tables() -> Vec<Table> {
    let schema = schema();
    let of = |name: &str| {
        let table = &schema["properties"][name];
        let (header, table) = match table.get("items") {
            Some(items) => (format!("[[{name}]]"), items),
            None => (format!("[{name}]"), table),
        };
        Table {
            name: name.to_owned(),
            header,
            properties: table["properties"].as_object().unwrap().clone(),
            required: table["required"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|key| key.as_str().unwrap().into())
                .collect(),
        }
    };
    ["poll", "throttle", "policy", "log", "state", "http", "account", "job", "pool"].map(of).into()
}

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap_or_default()
}

/// Compares a file with what it has to be; with `UPDATE_EXPECTED=1` it is written instead.
fn is_kept(path: &str, expected: &str) {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(file(path), expected).unwrap();
    }
    assert!(text(path) == expected, "{path} is out of date; it should be\n\n{expected}");
}

#[test]
fn the_schema_in_config_is_the_one_of_the_code() {
    let expected = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    is_kept("config/cognito-import-watch.schema.json", &expected);
}

#[test]
fn every_file_in_config_is_accepted_and_points_to_the_schema() {
    let mut paths = vec![file("config/cognito-import-watch.toml")];
    for entry in std::fs::read_dir(file("config/examples")).unwrap() {
        paths.push(entry.unwrap().path());
    }
    assert_eq!(paths.len(), 5);
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let plan = plan(&text);
        assert_eq!(plan.is_empty(), path.ends_with("cognito-import-watch.toml"), "{}", path.display());
        let schema = text.lines().next().unwrap().strip_prefix("#:schema ").unwrap();
        assert!(path.parent().unwrap().join(schema).exists(), "{}", path.display());
        let faults = faults(&toml::from_str(&text).unwrap(), &super::schema());
        assert!(faults.is_empty(), "{}: {faults:?}", path.display());
    }
}

#[test]
fn the_annotated_default_says_what_the_defaults_are() {
    assert_eq!(plan(&text("config/cognito-import-watch.toml")), Plan::default());
}

#[test]
fn the_annotated_default_shows_every_key_and_its_examples_are_right() {
    let text = text("config/cognito-import-watch.toml");
    // The examples are comments that begin like TOML. HTTP is the one that this version has not.
    let shown: String = text
        .lines()
        .filter(|line| !line.starts_with("# listen ="))
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with("[[") || rest.split(' ').nth(1) == Some("=") => format!("{rest}\n"),
            Some(_) | None => format!("{line}\n"),
        })
        .collect();
    let plan = plan(&shown);
    assert_eq!((plan.jobs.len(), plan.pools.len(), plan.accounts.len()), (1, 1, 2));
    for table in tables() {
        let section = text.split(&format!("{}\n", table.header)).nth(1).unwrap_or_else(|| panic!("{}", table.header));
        let section = section.split("\n\n").next().unwrap();
        let policies: Vec<String> = tables()[2].keys().map(str::to_owned).collect();
        for key in table.keys().filter(|key| table.name == "policy" || !policies.contains(&(*key).to_owned())) {
            let written = [format!("\n{key} ="), format!("\n# {key} ="), format!("or {key} =")];
            let section = format!("\n{section}");
            assert!(written.iter().any(|key| section.contains(key)), "{key} is not under {}", table.header);
        }
    }
}

#[test]
fn the_defaults_of_the_schema_are_those_of_the_plan() {
    let mut written = String::new();
    for table in tables().iter().filter(|table| !table.header.starts_with("[[")) {
        written.push_str(&format!("{}\n", table.header));
        for (key, property) in &table.properties {
            match property.get("default") {
                Some(default) => written.push_str(&format!("{key} = {default}\n")),
                None => assert_eq!(key, "listen"),
            }
        }
    }
    assert_eq!(plan(&written), Plan::default());
    let pool = schema()["properties"]["pool"]["items"]["properties"]["ignore_completed_before"]["default"].clone();
    assert_eq!(parse_duration(pool.as_str().unwrap()), Ok(Plan::IGNORE_COMPLETED_BEFORE));
}

#[test]
fn the_reader_and_the_schema_know_the_same_keys() {
    let known = schema()["properties"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let named: BTreeSet<_> = tables().into_iter().map(|table| table.name).collect();
    assert_eq!(known, named);
    for table in tables() {
        // A key unlike any other makes the reader list those it knows.
        let said = resolve(&[source(&format!("{}\nqqqqqq = 1\n", table.header))], &Overrides::default()).unwrap_err();
        let help =
            said.iter().find_map(|problem| problem.help.clone().filter(|help| help.contains("the keys here are")));
        let listed = help.unwrap_or_else(|| panic!("{said}")).split(" are ").nth(1).unwrap().to_owned();
        let read: BTreeSet<&str> = listed.split(", ").collect();
        assert_eq!(read, table.keys().collect::<BTreeSet<_>>(), "{}", table.header);
        for key in &table.required {
            assert!(said.to_string().contains(&format!("{}.{key}: the key `{key}` is missing", table.name)), "{said}");
        }
    }
}

/// Kinds, words and ranges; what a pattern would tell is left to the reader.
#[test]
fn the_reader_and_the_schema_accept_the_same_kinds_and_ranges() {
    let samples = [
        "true",
        "[]",
        "[1]",
        "{}",
        "2020-01-01",
        "-1",
        "0",
        "1",
        "9",
        "10",
        "11",
        "10000",
        "10001",
        "0.05",
        "0.1",
        "0.9",
        "0.95",
        "1.5",
        "'any'",
        "'none'",
        "'auto'",
        "'never'",
        "'text'",
        "'json'",
        "'info'",
        "'trace'",
        "'loud'",
        "''",
    ];
    for table in tables() {
        for (key, property) in &table.properties {
            for sample in samples {
                let path = format!("{}.{key}", table.name);
                let written = format!("{}\n{key} = {sample}\n", table.header);
                let value: toml::Table = toml::from_str(&format!("x = {sample}")).unwrap();
                let json = serde_json::to_value(&value["x"]).unwrap();
                if property.get("pattern").is_some() && json.is_string() {
                    continue;
                }
                // None of these words is a duration.
                let duration = property["title"].as_str().unwrap_or_default().contains("duration");
                let by_schema = if duration {
                    json == "none" && property.get("anyOf").is_some()
                } else {
                    faults(&json, property).is_empty()
                };
                let said = resolve(&[source(&written)], &Overrides::default()).err();
                let by_reader = !said.iter().flat_map(Diagnostics::iter).any(|problem| {
                    let at_the_value = matches!(&problem.origin, Origin::File(excerpt) if excerpt.line == 2);
                    at_the_value
                        && !problem.message.starts_with("no [[account]] is called")
                        && !problem.message.contains("goes with a role")
                });
                assert_eq!(by_reader, by_schema, "{path} = {sample}: {said:?}");
            }
        }
    }
}

/// What a schema has against a value: as much of JSON Schema as ours uses, without patterns.
fn faults(value: &Json, schema: &Json) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: &str| faults.push(format!("{value}: {what}"));
    let of_type = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("a type that this test does not know: {other}"),
    };
    if schema.get("type").is_some_and(|kind| !of_type(kind.as_str().unwrap())) {
        fault("type");
    }
    if schema.get("const").is_some_and(|only| only != value)
        || schema.get("enum").is_some_and(|words| !words.as_array().unwrap().contains(value))
    {
        fault("word");
    }
    if schema.get("not").is_some_and(|not| self::faults(value, not).is_empty()) {
        fault("not");
    }
    if schema
        .get("anyOf")
        .is_some_and(|any| any.as_array().unwrap().iter().all(|one| !self::faults(value, one).is_empty()))
    {
        fault("none of any");
    }
    if let Some(number) = value.as_f64() {
        let above = schema.get("minimum").and_then(Json::as_f64).is_none_or(|least| number >= least);
        let below = schema.get("maximum").and_then(Json::as_f64).is_none_or(|most| number <= most);
        if !above || !below {
            fault("range");
        }
    }
    if let Some(length) = value.as_str().map(|text| text.chars().count() as u64) {
        let long = schema.get("minLength").and_then(Json::as_u64).is_none_or(|least| length >= least);
        let short = schema.get("maxLength").and_then(Json::as_u64).is_none_or(|most| length <= most);
        if !long || !short {
            fault("length");
        }
    }
    if let Some(table) = value.as_object().filter(|_| schema.get("properties").is_some()) {
        for required in schema.get("required").and_then(Json::as_array).into_iter().flatten() {
            if !table.contains_key(required.as_str().unwrap()) {
                fault("a key is missing");
            }
        }
        for (key, value) in table {
            match schema["properties"].get(key) {
                Some(property) => faults.extend(self::faults(value, property)),
                None => faults.push(format!("{key}: unknown")),
            }
        }
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        faults.extend(items.iter().flat_map(|item| self::faults(item, schema)));
    }
    faults
}

/// The rows of a table in the documentation, made of the schema.
fn rows(table: &Table, left_out: &[String]) -> String {
    let mut rows = String::from("| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
    for (key, property) in table.properties.iter().filter(|(key, _)| !left_out.contains(key)) {
        let number = |name: &str| property.get(name).map(ToString::to_string);
        let mut kind = match (property.get("title"), property.get("type").and_then(Json::as_str)) {
            (Some(title), _) => title.as_str().unwrap().to_owned(),
            (None, Some("integer")) => "whole number".to_owned(),
            (None, Some(kind)) => kind.to_owned(),
            (None, None) => panic!("{key} has no type"),
        };
        kind += &match (number("minimum"), number("maximum")) {
            (Some(least), Some(most)) => format!(", {least} to {most}"),
            (Some(least), None) => format!(", at least {least}"),
            (None, _) => String::new(),
        };
        let default = match property.get("default") {
            Some(default) => format!("`{default}`"),
            None if table.required.contains(key) => "must be set".to_owned(),
            None => "none".to_owned(),
        };
        let meaning = property["description"].as_str().unwrap().replace('|', "\\|");
        rows.push_str(&format!("| `{key}` | {kind} | {default} | {meaning} |\n"));
    }
    rows
}

#[test]
fn the_documentation_lists_every_key_with_its_type_range_and_default() {
    let path = "docs/config.md";
    let policies: Vec<String> = tables()[2].keys().map(str::to_owned).collect();
    let mut expected = text(path);
    for table in tables() {
        let heading = format!("\n### `{}`\n", table.header);
        let start = expected.find(&heading).unwrap_or_else(|| panic!("no heading {}", table.header)) + heading.len();
        let from =
            start + expected[start..].find("| key |").unwrap_or_else(|| panic!("no table under {}", table.header));
        let to = expected[from..].find("\n\n").map_or(expected.len(), |length| from + length + 1);
        let left_out = if table.name == "policy" { &[][..] } else { &policies };
        expected.replace_range(from..to, &rows(&table, left_out));
    }
    is_kept(path, &expected);
}

#[test]
fn the_documentation_s_examples_are_accepted() {
    let documentation = text("docs/config.md");
    let examples: Vec<&str> =
        documentation.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        plan(example);
    }
}
