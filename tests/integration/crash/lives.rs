//! The lives of a daemon: started again and again on one state file, and killed, stopped or told to read its config
//! again at random moments.

use std::path::PathBuf;
use std::time::Duration;

use super::chance::Chance;
use super::facts::parsed;
use super::scene::{Job, Scene};
use super::seen::{self, End};
use crate::harness::{Ended, Program, Running, Stage};

/// How many processes may finish the jobs, and how long one waits for the next job to be over.
const ROUNDS: usize = 30;
const ROUND: Duration = Duration::from_secs(3);

/// What is done to a process at the end of its life.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Death {
    Killed,
    /// It is asked to stop, and killed while it does.
    KilledWhileStopping(Duration),
    Stopped,
    /// It is to read its config again, and is killed while it does.
    KilledWhileReloading(Duration, Option<&'static str>),
}

/// Everything that the processes wrote and how each ended.
pub(super) struct Lives<'a> {
    pub(super) stage: &'a Stage,
    scene: &'a Scene,
    /// The output of all of them.
    pub(super) log: String,
    pub(super) ends: Vec<End>,
    /// How many were killed.
    pub(super) kills: usize,
}

impl<'a> Lives<'a> {
    pub(super) fn new(stage: &'a Stage, scene: &'a Scene) -> Self {
        Self { stage, scene, log: String::new(), ends: Vec::new(), kills: 0 }
    }

    /// The next process, which has a name of its own.
    pub(super) fn program(&self) -> Program {
        let config = self.configure(None);
        self.stage
            .program(["run", "--log-format", "json"])
            .arg("--config")
            .arg(config)
            .env("AWS_EXECUTION_ENV", seen::name(self.ends.len()))
    }

    /// Writes the config whole, for a process may just be reading it.
    fn configure(&self, left_out: Option<&str>) -> PathBuf {
        let batch = seen::batch(self.ends.len());
        let whole = self.stage.file("watch.new", &self.scene.config(batch, left_out));
        let config = self.stage.path().join("watch.toml");
        std::fs::rename(whole, &config).unwrap();
        config
    }

    /// Lets a process live for a moment, and ends it.
    pub(super) fn live(&mut self, running: Running, chance: &mut Chance) -> Ended {
        std::thread::sleep(life(chance));
        let death = death(chance);
        let mut left_out = None;
        let patience = match death {
            Death::Killed => Duration::ZERO,
            Death::KilledWhileStopping(after) => {
                running.signal_if_it_lives("TERM");
                after
            }
            Death::Stopped => {
                running.signal_if_it_lives("TERM");
                // Longer than an answer that never comes is waited for.
                Duration::from_secs(10)
            }
            Death::KilledWhileReloading(after, without) => {
                left_out = without;
                self.configure(without);
                running.signal_if_it_lives("HUP");
                after
            }
        };
        let ended = running.end_or_kill(patience);
        self.note(ended, left_out)
    }

    /// Keeps what a process wrote.
    pub(super) fn note(&mut self, ended: Ended, left_out: Option<&'static str>) -> Ended {
        self.log.push_str(whole_lines(&ended.stdout));
        let stopped = self.log.lines().next_back().filter(|line| ended.is_success() && line.contains("daemon.stopped"));
        let stopped = stopped.map(|line| seen::seconds(&parsed(line)["timestamp"]));
        self.ends.push(End { stopped, left_out });
        self.kills += usize::from(ended.was_killed());
        ended
    }

    /// The last processes, which are left alone: until every job but the first, which never ends, is over. One whose
    /// jobs are not over soon is started again, for it may have been refused and ask slowly.
    pub(super) fn finish(&mut self) {
        for _ in 0..ROUNDS {
            let running = self.program().start();
            let open: Vec<_> = self.scene.jobs.iter().skip(1).filter(|job| !self.is_over(job)).collect();
            let all_over = open.into_iter().all(|job| running.says_within(|line| completes(line, job), ROUND));
            running.signal("TERM");
            let ended = running.end().with_code(0);
            self.note(ended, None);
            if all_over {
                return;
            }
        }
        let open: Vec<_> = self.scene.jobs.iter().skip(1).filter(|job| !self.is_over(job)).map(|job| &job.id).collect();
        panic!("not over after {ROUNDS} processes: {open:?}");
    }

    fn is_over(&self, job: &Job) -> bool {
        self.log.lines().any(|line| completes(line, job))
    }
}

fn completes(line: &str, job: &Job) -> bool {
    let id = format!("\"user_pool_id\":\"{}\",\"job_id\":\"{}\"", job.pool, job.id);
    line.contains("\"event\":\"job.completed\"") && line.contains(&id)
}

/// A line that a kill cut is none: what is told again is whole.
pub(super) fn whole_lines(log: &str) -> &str {
    &log[..log.rfind('\n').map_or(0, |end| end + 1)]
}

/// How long a process lives: often too short to ask anything, rarely long enough for a request to be given up.
fn life(chance: &mut Chance) -> Duration {
    Duration::from_millis(match chance.within(0..100) {
        0..20 => chance.within(1..40),
        20..70 => chance.within(40..250),
        70..97 => chance.within(250..600),
        _ => chance.within(600..2_500),
    })
}

fn death(chance: &mut Chance) -> Death {
    match chance.within(0..100) {
        0..65 => Death::Killed,
        65..80 => Death::KilledWhileStopping(Duration::from_millis(chance.within(0..60))),
        80..85 => Death::Stopped,
        _ => {
            let left_out = [None, Some("us-west-2_NAMED"), Some("eu-central-1_NAMED")][chance.within(0..3) as usize];
            Death::KilledWhileReloading(Duration::from_millis(chance.within(0..120)), left_out)
        }
    }
}
