//! The same with a disk on which commits fail: everything is told all the same, and polling goes on.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use super::chance::{Chance, say, setting};
use super::facts::job_lines;
use super::kills::{check, history};
use super::lives::{Lives, whole_lines};
use super::scene::Scene;
use super::{seen, strace};
use crate::harness::{Ended, Stage};

/// How many processes live on such a disk, unless `FAILURES` says otherwise.
const LIVES: usize = 100;

/// How often a write fails before events are told without it.
const TRIES: usize = 3;

/// What the disk does to one process.
#[derive(Debug)]
enum Trouble {
    None,
    /// It fails or is slow now and then; the process is killed at any moment.
    NowAndThen(String),
    /// It fails for a while: that is told, and its end too.
    ForAWhile(String),
    /// It fails from some moment on: that is told, and polling goes on.
    FromThenOn(String),
    /// It stands still from some moment on, and the process is to read its config again.
    StandsStill(String),
}

fn trouble(chance: &mut Chance) -> Trouble {
    let (first, step) = (chance.within(1..12), chance.within(2..8));
    const SYNC: &str = "fsync,fdatasync";
    match chance.within(0..100) {
        0..10 => Trouble::None,
        10..35 => Trouble::NowAndThen(format!("{SYNC}:error=EIO:when={first}+{step}")),
        35..55 => Trouble::NowAndThen(format!("pwrite64:error=ENOSPC:when={first}+{}", step * 3)),
        55..60 => Trouble::NowAndThen(format!("{SYNC}:delay_exit=30000:when={first}+{step}")),
        60..65 => Trouble::NowAndThen(format!("pwrite64:delay_enter=30000:when={first}+{step}")),
        65..75 => Trouble::ForAWhile(format!("{SYNC}:error=EIO:when={first}..{}", first + 11)),
        75..85 => Trouble::ForAWhile(format!("pwrite64:error=ENOSPC:when={first}..{}", first + 10)),
        85..90 => Trouble::FromThenOn(format!("{SYNC}:error=EIO:when={first}+")),
        90..95 => Trouble::FromThenOn(format!("pwrite64:error=ENOSPC:when={first}+")),
        _ => Trouble::StandsStill(format!("pwrite64:delay_enter=5000000:when={}+", first * 10)),
    }
}

#[test]
#[ignore = "it needs strace: the stage crash of .ci/run runs it"]
fn whatever_commit_fails_all_it_saw_is_told_under_one_id_and_deadlines_stay() {
    let mut chance = Chance::from_environment();
    let begin = Instant::now();
    let lives = setting("FAILURES", LIVES);
    let scene = Scene::new(&mut chance, lives);
    let stage = Stage::new(&scene.scenario());
    let mut daemon = Lives::new(&stage, &scene);
    // What was told by processes that could write.
    let mut after_a_commit = String::new();
    let (mut injected, mut delayed, mut refused, mut unwritable) = (0, 0, 0, 0);
    for _ in 0..lives {
        let trouble = trouble(&mut chance);
        let trace = stage.path().join("trace");
        let ended = live(&mut daemon, &mut chance, &trouble);
        let traced = std::fs::read_to_string(&trace).unwrap_or_default();
        let failures = traced.matches("(INJECTED)").count();
        delayed += traced.matches("(DELAYED)").count();
        assert!(ended.is_success() || ended.was_killed() || ended.code() == 74 && failures > 0, "{trouble:?}\n{ended}");
        assert!(!ended.stderr.contains("damaged"), "{trouble:?}\n{ended}");
        let told = ended.stdout.matches("\"event\":\"daemon.state_unwritable\"").count();
        assert!(told == 0 || failures >= TRIES, "{told} times unwritable by {failures} failures: {trouble:?}\n{ended}");
        injected += failures;
        refused += usize::from(!ended.was_killed() && !ended.is_success());
        unwritable += told;
        if told == 0 {
            after_a_commit.push_str(whole_lines(&ended.stdout));
        }
        // The next one may have none.
        drop(std::fs::remove_file(trace));
    }
    daemon.finish();
    let (log, ends, kills) = (daemon.log, daemon.ends, daemon.kills);

    // What was kept was told.
    let told: HashSet<&str> = job_lines(&log).collect();
    let history = history(&stage);
    let silent: Vec<&str> = history.lines().filter(|line| !told.contains(line)).collect();
    assert!(silent.is_empty(), "kept and not told: {silent:#?}");
    // And what was told was kept, but by a process that said that it cannot.
    let kept: HashSet<&str> = history.lines().collect();
    let forgotten: Vec<&str> = job_lines(&after_a_commit).filter(|line| !kept.contains(line)).collect();
    assert!(forgotten.is_empty(), "told and not kept: {forgotten:#?}");
    let figures = check(&scene, stage, &log, &ends, None);
    say(&format!(
        "{injected} failures and {delayed} delays injected into {} processes, {kills} of them killed, in {:.0} s; {unwritable} times the state \
         could not be written, {refused} processes did not start: {figures}",
        ends.len(),
        begin.elapsed().as_secs_f64()
    ));
}

fn live(daemon: &mut Lives<'_>, chance: &mut Chance, trouble: &Trouble) -> Ended {
    let number = daemon.ends.len();
    let trace = daemon.stage.path().join("trace");
    let program = daemon.program();
    match trouble {
        Trouble::None => daemon.live(program.start(), chance),
        Trouble::NowAndThen(inject) => daemon.live(strace::injecting(program, &trace, inject).start(), chance),
        Trouble::ForAWhile(inject) => {
            let running = strace::injecting(program, &trace, inject).start();
            if running.tells("daemon.state_unwritable") {
                running.line(|line| line.contains("state can be written again"));
            }
            daemon.live(running, chance)
        }
        Trouble::FromThenOn(inject) => {
            let running = strace::injecting(program, &trace, inject).start();
            if running.tells("daemon.state_unwritable") {
                let asked = seen::requests(&daemon.stage.record(), number);
                daemon.stage.recorded(|record| seen::requests(record, number) > asked + 20);
            }
            daemon.live(running, chance)
        }
        // A new file would not even be made.
        Trouble::StandsStill(_) if number == 0 => daemon.live(program.start(), chance),
        Trouble::StandsStill(inject) => {
            let running = strace::injecting(program, &trace, inject).start();
            if running.tells("daemon.started") {
                std::thread::sleep(Duration::from_millis(chance.within(20..400)));
                running.signal_if_it_lives("HUP");
                running.tells("daemon.reloaded");
            }
            daemon.live(running, chance)
        }
    }
}
