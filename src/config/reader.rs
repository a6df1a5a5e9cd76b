//! Tables of a config file read key by key, every problem collected: an unknown key, a wrong type, a value given in
//! two files. Knows TOML's shapes and none of our keys, which [`file`](super::file) names.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Kind, Place, Problem, Shown, Written, listed, nearest};
use super::value::{Cure, Mismatch, Value, kind};

/// A piece of a table: the same table may be written in several files.
struct Part<'a> {
    source: usize,
    table: &'a DeTable<'a>,
    /// The header, or the whole of an inline table.
    header: Place,
}

/// One table while it is read. Each key that is asked for is known; the others are told at the end.
pub(super) struct TableReader<'a> {
    /// `poll`; empty for the whole file.
    name: &'static str,
    parts: Vec<Part<'a>>,
    known: Vec<&'static str>,
    problems: &'a mut Vec<Problem>,
}

/// Reads the files as one table. They stand in the order in which their arrays are joined.
pub(super) fn read_root<'a, T>(
    tables: &'a [DeTable<'a>],
    problems: &'a mut Vec<Problem>,
    read: impl FnOnce(&mut TableReader<'_>) -> T,
) -> T {
    let parts = tables
        .iter()
        .enumerate()
        .map(|(source, table)| Part { source, table, header: Place { source, start: 0, end: 0 } })
        .collect();
    let mut reader = TableReader { name: "", parts, known: Vec::new(), problems };
    let value = read(&mut reader);
    reader.finish();
    value
}

impl<'a> TableReader<'a> {
    /// A value of its own kind.
    pub(super) fn value<T: Value>(&mut self, key: &'static str) -> Option<Written<T>> {
        self.value_with(key, T::read)
    }

    /// A value read by a function.
    pub(super) fn value_with<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, Mismatch>,
    ) -> Option<Written<T>> {
        let (place, value) = self.single(key)?;
        match read(value.get_ref()) {
            Ok(value) => Some(Written { value, place }),
            Err(mismatch) => {
                let help = mismatch.cure.map(|cure| match cure {
                    Cure::Write(value) => format!("write {key} = {value}"),
                    Cure::Advice(advice) => advice,
                });
                self.problems.push(Problem::new(place, self.path(key), mismatch.message).help(help));
                None
            }
        }
    }

    /// A value that must be there.
    pub(super) fn required<T: Value>(&mut self, key: &'static str) -> Option<Written<T>> {
        let value = self.value(key);
        if value.is_none() && !self.has(key) {
            let message = format!("the key `{key}` is missing");
            self.problems.push(Problem::new(self.header(), self.path(key), message).kind(Kind::Absence));
        }
        value
    }

    /// A table `[key]`, joined from all files; read even where none has it.
    pub(super) fn table<T>(&mut self, key: &'static str, read: impl FnOnce(&mut TableReader<'_>) -> T) -> T {
        let mut parts = Vec::new();
        for (place, value) in self.all(key) {
            match value.get_ref() {
                DeValue::Table(table) => parts.push(Part { source: place.source, table, header: place }),
                other @ (DeValue::String(_)
                | DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_)) => {
                    let message = format!("expected a table, found {}", kind(other));
                    self.problems.push(Problem::new(place, key, message).help(format!("write [{key}]")));
                }
            }
        }
        let mut reader = TableReader { name: key, parts, known: Vec::new(), problems: &mut *self.problems };
        let value = read(&mut reader);
        reader.finish();
        value
    }

    /// Tables `[[key]]`, those of all files in a row.
    pub(super) fn tables<T>(&mut self, key: &'static str, read: impl Fn(&mut TableReader<'_>) -> T) -> Vec<T> {
        let mut values = Vec::new();
        for (place, value) in self.all(key) {
            let Some(items) = value.get_ref().as_array() else {
                let message = format!("expected an array of tables, found {}", kind(value.get_ref()));
                self.problems.push(Problem::new(place, key, message).help(format!("write [[{key}]]")));
                continue;
            };
            for item in items.iter() {
                let header = place_of(place.source, item);
                let Some(table) = item.get_ref().as_table() else {
                    let message = format!("expected a table, found {}", kind(item.get_ref()));
                    self.problems.push(Problem::new(header, key, message).help(format!("write [[{key}]]")));
                    continue;
                };
                let parts = vec![Part { source: place.source, table, header }];
                let mut reader = TableReader { name: key, parts, known: Vec::new(), problems: &mut *self.problems };
                values.push(read(&mut reader));
                reader.finish();
            }
        }
        values
    }

    /// Whether the key is written, be its value right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.parts.iter().any(|part| part.table.contains_key(key))
    }

    /// Where the table begins.
    fn header(&self) -> Place {
        self.parts.first().map_or(Place { source: 0, start: 0, end: 0 }, |part| part.header)
    }

    /// The value of a key in every part that has it.
    fn all(&mut self, key: &'static str) -> Vec<(Place, &'a Spanned<DeValue<'a>>)> {
        self.known.push(key);
        let found = |part: &Part<'a>| part.table.get(key).map(|value| (place_of(part.source, value), value));
        self.parts.iter().filter_map(found).collect()
    }

    /// The value of a key; one that several files give is a problem, and the first counts.
    fn single(&mut self, key: &'static str) -> Option<(Place, &'a Spanned<DeValue<'a>>)> {
        let found = self.all(key);
        let first = found.first().copied()?;
        for (place, _) in found.iter().skip(1) {
            let problem = Problem::new(*place, self.path(key), "the value is given twice")
                .other(first.0, "first given here")
                .help(
                    "keep one of them; files in conf.d add to the main file and cannot replace its values".to_owned(),
                );
            self.problems.push(problem);
        }
        Some(first)
    }

    /// Tells the keys that nobody asked for.
    fn finish(self) {
        for part in &self.parts {
            for (key, _) in part.table {
                let name = key.get_ref().as_ref();
                if self.known.contains(&name) {
                    continue;
                }
                let place = Place { source: part.source, start: key.span().start, end: key.span().end };
                let path = if self.name.is_empty() { short(name) } else { format!("{}.{}", self.name, short(name)) };
                let message = if self.name.is_empty() {
                    format!("no table is called {}", Shown(name))
                } else {
                    "unknown key".into()
                };
                let help = match nearest(name, self.known.iter().copied()) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None if self.name.is_empty() => format!("write {}", listed(self.known.iter().copied())),
                    None => format!("the keys here are {}", self.known.join(", ")),
                };
                self.problems.push(Problem::new(place, path, message).help(help));
            }
        }
    }

    /// `poll.max_interval`
    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

/// Somebody's key, safe to print.
fn short(key: &str) -> String {
    let shown = Shown(key).to_string();
    if shown.len() == key.len() + 2 && !key.contains([' ', '.']) { key.to_owned() } else { shown }
}

fn place_of(source: usize, value: &Spanned<DeValue<'_>>) -> Place {
    Place { source, start: value.span().start, end: value.span().end }
}
