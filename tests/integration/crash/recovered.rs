//! What must be there when the power is back: a sound file, everything that was told, and nothing that never was.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cognito_import_watch::ledger::{FileLedger, FileSettings, Filter, Limits, OnCorrupt, Reader};
use rusqlite::{Connection, OptionalExtension as _};

use super::disk::Image;
use super::facts::{job_lines, parsed};
use crate::harness::{Program, Stage};

/// All that was ever kept, as the file held it in the end.
pub(super) struct Truth {
    instance: String,
    /// The events by their numbers.
    events: Vec<(i64, String)>,
    /// The place of an event among them.
    places: HashMap<String, usize>,
    /// What each event says of a job's status: pool, job, status.
    statuses: Vec<Option<[String; 3]>>,
}

/// What is in a file.
struct Held {
    instance: Option<String>,
    cursor: Option<i64>,
    events: Vec<(i64, String)>,
    statuses: Vec<[String; 3]>,
}

impl Held {
    fn read(path: &Path) -> Self {
        let file = Connection::open(path).unwrap();
        let one = |sql: &str| file.query_row(sql, [], |row| row.get(0)).optional().unwrap();
        let mut statement = file.prepare("SELECT seq, line FROM events ORDER BY seq").unwrap();
        let events = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let sql = "SELECT pool, job, status FROM jobs WHERE status IS NOT NULL ORDER BY pool, job";
        let mut jobs = file.prepare(sql).unwrap();
        let statuses = jobs.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?])).unwrap();
        Self {
            instance: one("SELECT value FROM meta WHERE key = 'instance'"),
            cursor: file
                .query_row("SELECT seq FROM cursors WHERE sink = 'log'", [], |row| row.get(0))
                .optional()
                .unwrap(),
            events: events.map(Result::unwrap).collect(),
            statuses: statuses.map(Result::unwrap).collect(),
        }
    }

    /// What is to be told again.
    fn untold(&self) -> Vec<&str> {
        let cursor = self.cursor.unwrap_or(i64::MAX);
        self.events.iter().filter(|(seq, _)| *seq > cursor).map(|(_, line)| line.as_str()).collect()
    }
}

impl Truth {
    pub(super) fn read(path: &Path) -> Self {
        let Held { instance, events, .. } = Held::read(path);
        let status = |(_, line): &(i64, String)| {
            let event = parsed(line);
            let of_status = ["job.first_seen", "job.status_changed"].map(serde_json::Value::from);
            let text = |key: &str| event[key].as_str().unwrap().to_owned();
            of_status.contains(&event["event"]).then(|| ["user_pool_id", "job_id", "status"].map(text))
        };
        Self {
            instance: instance.expect("it was started"),
            places: events.iter().enumerate().map(|(place, (_, line))| (line.clone(), place)).collect(),
            statuses: events.iter().map(status).collect(),
            events,
        }
    }

    pub(super) fn events(&self) -> usize {
        self.events.len()
    }

    /// How many events are told when this line is.
    pub(super) fn told_with(&self, line: &str) -> usize {
        self.places.get(line).unwrap_or_else(|| panic!("told and not kept: {line}")) + 1
    }

    /// The state of each job behind so many events.
    fn statuses_after(&self, events: usize) -> Vec<[String; 3]> {
        let mut last: std::collections::BTreeMap<[&str; 2], &str> = Default::default();
        for [pool, job, status] in self.statuses[..events].iter().flatten() {
            last.insert([pool, job], status);
        }
        last.into_iter().map(|([pool, job], status)| [pool, job, status].map(str::to_owned)).collect()
    }

    /// Checks the file of an image by the product's own code. `told` events had been told, and whether the daemon had
    /// said that it runs.
    pub(super) fn holds(&self, image: &Image, told: usize, started: bool) -> Result<(), String> {
        let place = Place::of(image);
        let path = place.file();
        let read = Reader::open(&path).and_then(|reader| {
            let mut lines = Vec::new();
            let mut take = |event: cognito_import_watch::sink::RenderedEvent| {
                lines.push(event.line.to_string());
                true
            };
            reader.history(&Filter::default(), &mut take)?;
            reader.jobs()?;
            Ok(lines)
        });
        if started && let Err(error) = &read {
            return Err(format!("it cannot be read: {error}"));
        }
        let opened =
            FileLedger::open(&settings(path.clone())).map_err(|error| format!("it cannot be opened: {error}"))?;
        drop(opened);
        let held = Held::read(&path);
        let count = held.events.len();
        if held.events != self.events[..count.min(self.events.len())] {
            return Err(format!("its {count} events are not the first that there were"));
        }
        if count < told {
            return Err(format!("{told} events were told, {count} are kept"));
        }
        if let Ok(lines) = read
            && !lines.iter().eq(held.events.iter().map(|(_, line)| line))
        {
            return Err("it reads otherwise before it is opened".to_owned());
        }
        let last_told = told.checked_sub(1).map_or(0, |place| self.events[place].0);
        if held.cursor.is_some_and(|cursor| cursor > last_told) {
            return Err(format!("told until {:?}, it was until {last_told}", held.cursor));
        }
        if started && held.instance.as_deref() != Some(&self.instance) {
            return Err(format!("it was {}, it is {:?}", self.instance, held.instance));
        }
        let statuses = self.statuses_after(count);
        if held.statuses != statuses {
            return Err(format!("the jobs are {:#?}, their events say {statuses:#?}", held.statuses));
        }
        Ok(())
    }

    /// Checks that the binary itself reads the file of an image and goes on from it.
    #[track_caller]
    pub(super) fn goes_on(&self, image: &Image, stage: &Stage, config: &str) {
        let place = Place::of(image);
        let path = place.file();
        let history =
            Program::new(stage.path(), ["history", "--output", "json", "--state"]).arg(&path).end().with_code(0);
        Program::new(stage.path(), ["status", "--recorded", "--state"]).arg(&path).end().with_code(0);
        let held = Held::read(&path);
        assert!(history.stdout.lines().eq(held.events.iter().map(|(_, line)| line.as_str())), "{history}");
        let config = config.replace("\"state.db\"", &format!("{path:?}"));
        let running = stage.configured(&config, ["run", "--log-format", "json"]).start();
        running.event("daemon.started");
        let untold = held.untold();
        if let Some(last) = untold.last() {
            running.line(|line| line == *last);
        }
        running.signal("TERM");
        let ended = running.end().with_code(0);
        let told: Vec<&str> = job_lines(&ended.stdout).take(untold.len()).collect();
        assert_eq!(told, untold, "what was not told is told first");
    }
}

fn settings(path: PathBuf) -> FileSettings {
    let long = Duration::from_secs(86_400 * 3_650);
    let limits = Limits { keep_events: long, max_events: 1_000_000, outbox_age: long, outbox_events: 1_000_000 };
    FileSettings { path, on_corrupt: OnCorrupt::Stop, limits }
}

/// A directory with the files of an image, in memory where there is room for it.
struct Place(tempfile::TempDir);

impl Place {
    fn of(image: &Image) -> Self {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let place = Self(place.unwrap());
        for (name, content) in image {
            std::fs::write(place.0.path().join(name), content).unwrap();
        }
        place
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("state.db")
    }
}
