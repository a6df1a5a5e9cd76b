//! Reads the text format as strictly as promtool does, and one scrape's series one by one.

use std::collections::{BTreeMap, BTreeSet};

/// A scrape.
#[derive(Debug)]
pub(super) struct Scrape {
    pub(super) text: String,
    /// Values by series, which is the metric with its labels as they are written.
    series: BTreeMap<String, f64>,
    /// Types by metric.
    types: BTreeMap<String, String>,
}

impl Scrape {
    /// Every line must be in its place.
    #[track_caller]
    pub(super) fn parse(text: &str) -> Self {
        let (mut series, mut types) = (BTreeMap::new(), BTreeMap::new());
        let mut current = "";
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                current = help.split_once(' ').unwrap().0;
                continue;
            }
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(name, current, "a type follows the help of its metric");
                assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} is there twice");
                continue;
            }
            let (written, value) = line.rsplit_once(' ').unwrap();
            let name = written.split('{').next().unwrap();
            let stem = name.strip_prefix(current).unwrap_or_else(|| panic!("{line} among those of {current}"));
            let suffixes: &[&str] = if types[current] == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.contains(&stem), "{line} among those of {current}");
            let value: f64 = value.parse().unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(series.insert(written.to_owned(), value).is_none(), "{written} is there twice");
        }
        assert!(text.ends_with('\n'));
        Self { text: text.to_owned(), series, types }
    }

    /// The names of all metrics that have samples, a histogram's in all their forms.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        self.series.keys().map(|series| series.split('{').next().unwrap()).collect()
    }

    /// The types by metric, whether there are samples or not.
    pub(super) fn types(&self) -> &BTreeMap<String, String> {
        &self.types
    }

    /// The value of a series, as it is written.
    #[track_caller]
    pub(super) fn value(&self, series: &str) -> f64 {
        self.find(series).unwrap_or_else(|| panic!("no {series} in\n{}", self.text))
    }

    pub(super) fn find(&self, series: &str) -> Option<f64> {
        self.series.get(series).copied()
    }

    /// The series whose text has all of these parts.
    pub(super) fn with(&self, parts: &[&str]) -> Vec<(&str, f64)> {
        let has_all = |series: &&String| parts.iter().all(|part| series.contains(part));
        self.series.keys().filter(has_all).map(|series| (series.as_str(), self.series[series])).collect()
    }

    /// The sum of the series whose text has all of these parts.
    pub(super) fn sum(&self, parts: &[&str]) -> f64 {
        self.with(parts).iter().map(|(_, value)| value).sum()
    }
}
