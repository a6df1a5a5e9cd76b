//! The real binary, killed at random moments against a faulty service: the union of its output against what the
//! simulator showed it.

use std::collections::{BTreeMap, HashSet};

use rusqlite::Connection;
use tokio::time::Instant;
use uuid::Uuid;

use super::chance::{Chance, say, setting};
use super::facts::{Key, by_key, job_lines, key, parsed};
use super::lives::Lives;
use super::oracle::{Checked, Told, deadline_is_unmoved, everything_was_told, is_ordered};
use super::scene::Scene;
use super::seen;
use crate::harness::{Program, Stage};

/// How many processes are killed or stopped, unless `KILLS` says otherwise.
const KILLS: usize = 40;

#[test]
fn whatever_kills_it_all_it_saw_is_told_under_one_id_and_deadlines_stay() {
    let mut chance = Chance::from_environment();
    let begin = Instant::now();
    let lives = setting("KILLS", KILLS);
    let scene = Scene::new(&mut chance, lives);
    let stage = Stage::new(&scene.scenario());
    let mut daemon = Lives::new(&stage, &scene);
    for _ in 0..lives {
        let running = daemon.program().start();
        let ended = daemon.live(running, &mut chance);
        assert!(ended.is_success() || ended.was_killed(), "{ended}");
    }
    daemon.finish();
    let (log, ends, kills) = (daemon.log, daemon.ends, daemon.kills);

    let history = history(&stage);
    // What was kept was told, and what was told was kept, byte for byte and in one order.
    let mut once = HashSet::new();
    let told: Vec<&str> = job_lines(&log).filter(|line| once.insert(*line)).collect();
    assert_eq!(told, history.lines().collect::<Vec<_>>());
    one_story_per_job(&history);
    let figures = check(&scene, stage, &log, &ends, Some(&history));
    say(&format!(
        "{kills} kills of {} processes on {} jobs in {:.0} s: {figures}",
        ends.len(),
        scene.jobs.len(),
        begin.elapsed().as_secs_f64()
    ));
}

/// The events in the state file, as they are printed.
pub(super) fn history(stage: &Stage) -> String {
    let program = Program::new(stage.path(), ["history", "--state", "state.db", "--output", "json"]);
    program.end().with_code(0).stdout
}

/// Checks what was told against what was seen; gives the figures. The history is that of a disk that never failed.
#[track_caller]
pub(super) fn check(scene: &Scene, stage: Stage, log: &str, ends: &[seen::End], history: Option<&str>) -> String {
    let instance: String = Connection::open(stage.path().join("state.db"))
        .unwrap()
        .query_row("SELECT value FROM meta WHERE key = 'instance'", [], |row| row.get(0))
        .unwrap();
    let instance: Uuid = instance.parse().unwrap();
    let facts = by_key(job_lines(log), instance);
    let stories = history.map(|history| stories(history, instance));
    let record = stage.close();
    let answers = seen::answers(&record, ends);
    let start = seen::start(&record);
    let mut all = Checked::default();
    let mut deadlines = 0;
    for job in &scene.jobs {
        let seen = answers.get(&(job.pool.to_owned(), job.id.clone())).expect("it was asked about");
        let story = stories.as_ref().map(|stories| stories[&job.id].as_slice());
        let told = Told { facts: &facts, story };
        let Checked { taken, perhaps } = everything_was_told(job, seen, told);
        all = Checked { taken: all.taken + taken, perhaps: all.perhaps + perhaps };
        deadlines += usize::from(deadline_is_unmoved(job, seen, told, start));
    }
    assert!(deadlines > 0, "no deadline passed");
    // And nothing was told that was not shown.
    let shown = seen::shown(&answers);
    for key in facts.keys() {
        let of_answer = match key[0].as_str() {
            "job.status_changed" | "job.completed" | "job.failed_users" => key.get(3),
            _ => None,
        };
        assert!(of_answer.is_none_or(|what| shown.contains(&(key[2].as_str(), what.clone()))), "never shown: {key:?}");
    }
    let faults = record.iter().filter(|entry| entry["fault"].is_string()).count();
    format!(
        "{} requests, {faults} of them met a fault; {} answers taken for sure and {} perhaps; {} facts told in {} lines; \
         {deadlines} deadlines passed",
        record.len(),
        all.taken,
        all.perhaps,
        facts.len(),
        job_lines(log).count(),
    )
}

/// The facts of each job whose order is known, in that order.
fn stories(history: &str, instance: Uuid) -> BTreeMap<String, Vec<Key>> {
    let mut stories: BTreeMap<String, Vec<Key>> = BTreeMap::new();
    for key in history.lines().map(|line| key(&parsed(line), instance)).filter(is_ordered) {
        stories.entry(key[2].clone()).or_default().push(key);
    }
    stories
}

/// Checks that the events of each job form one chain: each change begins where the last one ended.
#[track_caller]
fn one_story_per_job(history: &str) {
    let mut stories: BTreeMap<String, (String, u64, bool)> = Default::default();
    for line in history.lines() {
        let event = parsed(line);
        let name = event["event"].as_str().unwrap();
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        let job = text("job_id");
        if name == "job.first_seen" {
            assert!(stories.insert(job, (text("status"), 0, false)).is_none(), "first seen twice: {event}");
            continue;
        }
        let story = stories.get_mut(&job);
        let Some((status, failed, over)) = story else {
            assert!(name.starts_with("job.poll_") || name == "job.access_denied", "before it was seen: {event}");
            continue;
        };
        assert!(!*over || name == "job.poll_recovered", "after the end: {event}");
        match name {
            "job.status_changed" => {
                assert_eq!(text("previous_status"), *status, "{event}");
                *status = text("status");
            }
            "job.failed_users" => {
                assert_eq!(event["previous_failed_users"].as_u64(), Some(*failed), "{event}");
                *failed = event["failed_users"].as_u64().unwrap();
            }
            "job.completed" => *over = true,
            _ => {}
        }
    }
}
