//! The scene: jobs of every kind and end in four pools of two regions, and a service at which much goes wrong.

use super::chance::Chance;
use crate::harness::ACCOUNT;

/// How the jobs of a pool come to be watched.
#[derive(Clone, Copy, PartialEq)]
enum Watched {
    /// Each is named in the config.
    Named,
    /// The pool's list is read.
    Found,
    /// Both.
    Both,
}

const POOLS: [(&str, usize, Watched); 4] = [
    ("us-west-2_NAMED", 18, Watched::Named),
    ("eu-central-1_NAMED", 16, Watched::Named),
    ("us-west-2_FOUND", 12, Watched::Found),
    ("eu-central-1_BOTH", 10, Watched::Both),
];

/// How long a request may take. An answer to one that took as long may have come too late.
pub(super) const REQUEST_TIMEOUT_SECONDS: f64 = 2.0;

const SETTINGS: &str = "\
[poll]
initial_interval = \"1ms\"
max_interval = \"50ms\"
batch = \"BATCH\"
request_timeout = \"2s\"
[throttle]
requests_per_second = 10000
requests_per_second_per_pool = 10000
max_in_flight = 64
[log]
progress_interval = \"100ms\"
[state]
path = \"state.db\"
";

/// One job of the scene.
pub(super) struct Job {
    pub(super) pool: &'static str,
    pub(super) id: String,
    /// Seconds from its creation, which is the simulator's start.
    pub(super) deadline: Option<u64>,
    script: String,
    named: bool,
}

/// The jobs and the faults.
pub(super) struct Scene {
    pub(super) jobs: Vec<Job>,
    faults: String,
}

impl Scene {
    /// Jobs that last for about so many short lives of a daemon; the first one never ends.
    pub(super) fn new(chance: &mut Chance, lives: usize) -> Self {
        let mut jobs = Vec::new();
        for (pool, count, watched) in POOLS {
            for number in 0..count {
                let kind = jobs.len();
                let named = watched == Watched::Named || watched == Watched::Both && number % 2 == 0;
                jobs.push(Job {
                    pool,
                    id: format!("import-{}-{number}", pool.replace('_', "-")),
                    deadline: (named && kind % 4 == 0).then(|| 1 + chance.within(0..lives as u64 / 6 + 2)),
                    script: if kind == 0 { "{status = \"InProgress\"}".into() } else { script(chance, kind, lives) },
                    named,
                });
            }
        }
        jobs[0].deadline = Some(1);
        let faults = faults(chance, &jobs, lives);
        Self { jobs, faults }
    }

    /// What the simulator plays.
    pub(super) fn scenario(&self) -> String {
        let mut text = "[quota]\nper_pool = 100000\nuser_pool_resource_read = 100000\n".to_owned();
        for (pool, ..) in POOLS {
            text += &format!("[[pool]]\nid = \"{pool}\"\naccount = \"{ACCOUNT}\"\n");
            for Job { id, script, .. } in self.jobs.iter().filter(|job| job.pool == pool) {
                text += &format!("[[pool.job]]\nid = \"{id}\"\nname = \"{id}\"\nscript = [\n{script}]\n");
            }
        }
        text + &self.faults
    }

    /// The config with this `poll.batch`, without the named jobs of one pool where that is left out.
    pub(super) fn config(&self, batch: &str, left_out: Option<&str>) -> String {
        let mut text = SETTINGS.replace("BATCH", batch);
        for (pool, _, watched) in POOLS {
            if watched != Watched::Named {
                text += &format!("[[pool]]\nid = \"{pool}\"\n");
            }
        }
        for job in self.jobs.iter().filter(|job| job.named && left_out != Some(job.pool)) {
            text += &format!("[[job]]\ntarget = \"{}/{}\"\n", job.pool, job.id);
            if let Some(seconds) = job.deadline {
                text += &format!("deadline = \"{seconds}s\"\n");
            }
        }
        text
    }
}

/// A step that lasts for so many answers.
fn step(polls: u64, status: &str, counters: &str) -> String {
    format!("{{polls = {polls}, status = \"{status}\"{counters}}},\n")
}

fn script(chance: &mut Chance, kind: usize, lives: usize) -> String {
    // A life has time for about one answer about each job, on the average.
    let steps = chance.within(lives as u64 / 4..lives as u64);
    let mut text = step(chance.within(1..6), "Created", "");
    text += &step(chance.within(1..6), "Pending", "");
    let (mut failed, mut backs) = (0, 0);
    for done in 0..steps {
        let polls = chance.within(1..4);
        // Counters that go back are no new high.
        failed = if chance.percent(10) { failed / 2 } else { failed + chance.within(0..4) };
        let counters = format!(", imported = {done}, failed = {failed}");
        text += &match kind % 6 {
            // It moves while nobody looks.
            1 => format!("{{for = \"{}ms\", status = \"InProgress\"{counters}}},\n", chance.within(20..200)),
            // Steps back: one answer, which does not count, or several.
            2 if chance.percent(15) && backs < 5 => {
                backs += 1;
                step(chance.within(1..4), "Pending", &counters)
            }
            3 if chance.percent(20) => {
                step(polls, ["Paused", "Draining", "Odd"][chance.within(0..3) as usize], &counters)
            }
            4 if done + 3 > steps => step(polls, "Stopping", &counters),
            _ => step(polls, "InProgress", &counters),
        };
    }
    let end = match kind % 6 {
        4 => "Stopped",
        5 => ["Failed", "Succeeded"][chance.within(0..2) as usize],
        _ => "Succeeded",
    };
    // A job that nobody starts has no other step than its first.
    if kind % 9 == 8 {
        return format!("{}{{status = \"Expired\"}},\n", step(steps + 1, "Created", ""));
    }
    text + &format!("{{status = \"{end}\", failed = {}}},\n", failed + chance.within(0..3))
}

fn faults(chance: &mut Chance, jobs: &[Job], lives: usize) -> String {
    // The last processes, which are to finish all jobs, meet less of it.
    let last = lives * 40;
    // The first job moves with one answer in two, for ever: there is always something to write.
    let mut text = format!(
        "[[fault]]\njob = \"{}\"\noperation = \"DescribeUserImportJob\"\nratio = 0.5\nanswer = {{kind = \"show\", imported = 1}}\n",
        jobs[0].id
    );
    for (ratio, answer) in [
        (0.01, "{kind = \"throttle\"}"),
        (0.01, "{kind = \"internal\"}"),
        (0.005, "{kind = \"gateway\", status = 502}"),
        (0.005, "{kind = \"html\"}"),
        (0.005, "{kind = \"no_job\"}"),
        (0.005, "{kind = \"empty\", status = 503}"),
        (0.02, "{kind = \"cut\"}"),
        (0.01, "{kind = \"reset\"}"),
        (0.02, "{kind = \"delay\", for = \"40ms\"}"),
        (0.002, "{kind = \"hang\"}"),
    ] {
        text += &format!("[[fault]]\nratio = {ratio}\nlast = {last}\nanswer = {answer}\n");
    }
    // Refusals make a process ask slowly, until it is killed: each job meets a few, early.
    for job in jobs.iter().skip(1).step_by(3) {
        for code in ["ExpiredTokenException", "ResourceNotFoundException", "NotAuthorizedException"] {
            let first = chance.within(2..lives as u64 / 4 + 4);
            text += &format!(
                "[[fault]]\njob = \"{}\"\nfirst = {first}\nlast = {}\nanswer = {{kind = \"error\", code = \"{code}\", \
                 message = \"no\"}}\n",
                job.id,
                first + chance.within(0..3)
            );
        }
    }
    // Answers of long ago.
    for job in jobs.iter().skip(2).step_by(7) {
        text += &format!(
            "[[fault]]\njob = \"{}\"\noperation = \"DescribeUserImportJob\"\nratio = 0.03\nlast = {}\n\
             answer = {{kind = \"show\", status = \"Created\"}}\n",
            job.id,
            lives / 2
        );
    }
    text
}
