//! The power goes: what was told before is kept, whatever the disk made of what was not synced.

use tokio::time::Instant;

use super::chance::{Chance, say, setting};
use super::disk::{Disk, Rest};
use super::facts::job_lines;
use super::recovered::Truth;
use super::scene::Scene;
use super::strace;
use super::trace::{self, Done};
use crate::harness::Stage;

/// At how many moments the power goes, unless `CUTS` says otherwise.
const CUTS: usize = 500;

/// One of so many images is given to the binary too.
const BINARY: usize = 40;

/// How long a process lives that is recorded.
#[derive(Clone, Copy)]
enum Until {
    /// It has sent so many requests.
    Asked(usize),
    /// SQLite's log has been copied into the file, and is written from its beginning again.
    Checkpoint,
}

/// The lives, and whether each ends by a stop or a kill: the file is made, closed, opened again, and found as a kill
/// left it.
const LIVES: [(Until, bool); 6] = [
    (Until::Checkpoint, false),
    (Until::Asked(150), true),
    (Until::Checkpoint, false),
    (Until::Asked(60), false),
    (Until::Asked(150), true),
    (Until::Asked(200), false),
];

#[test]
#[ignore = "it needs strace: the stage crash of .ci/run runs it"]
fn what_was_told_before_a_power_cut_is_kept_and_the_file_is_sound() {
    let mut chance = Chance::from_environment();
    let begin = Instant::now();
    let scene = Scene::new(&mut chance, 200);
    let stage = Stage::new(&scene.scenario());
    // The directory is the state's alone.
    let state = stage.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let config = scene.config("auto", None);
    let on_disk = config.replace("\"state.db\"", "\"state/state.db\"");
    let mut done = Vec::new();
    for (number, (until, stopped)) in LIVES.into_iter().enumerate() {
        let trace = stage.path().join(format!("trace-{number}"));
        let program = stage.configured(&on_disk, ["run", "--log-format", "json"]);
        let running = strace::recording(program, &trace).start();
        running.event("daemon.started");
        let asked = stage.record().len();
        let modified = || state.join("state.db").metadata().and_then(|file| file.modified()).ok();
        let before = modified();
        match until {
            Until::Asked(requests) => stage.asked(asked + requests),
            Until::Checkpoint => {
                let copied = stage.recorded(|_| modified() != before).len();
                stage.asked(copied + 100);
            }
        }
        if stopped {
            running.signal("TERM");
            running.end().with_code(0);
        } else {
            running.kill();
        }
        done.extend(trace::read(&trace, &state));
        std::fs::remove_file(trace).unwrap();
    }
    let truth = Truth::read(&state.join("state.db"));
    let syncs: Vec<usize> = (0..done.len()).filter(|at| is_sync(&done[*at])).collect();
    let checkpoints = done.iter().filter(|done| matches!(done, Done::Synced(name) if name == "state.db")).count();
    assert!(checkpoints > 4 && truth.events() > 100, "{checkpoints} syncs of the file, {} events", truth.events());

    let mut cuts: Vec<usize> = (0..setting("CUTS", CUTS))
        .map(|_| {
            let sync = syncs[chance.within(0..syncs.len() as u64) as usize];
            match chance.within(0..4) {
                0 => sync,
                1 => sync + 1,
                2 => sync.saturating_sub(chance.within(1..6) as usize),
                _ => chance.within(0..done.len() as u64 + 1) as usize,
            }
        })
        // The file is made only once.
        .chain(0..syncs[20.min(syncs.len() - 1)])
        .collect();
    cuts.sort_unstable();
    cuts.dedup();

    let (mut disk, mut log, mut told, mut seen) = (Disk::default(), String::new(), 0, 0);
    let mut cuts_left = cuts.iter().peekable();
    let mut images = 0;
    for at in 0..=done.len() {
        if cuts_left.next_if(|cut| **cut == at).is_some() {
            let whole = log.rfind('\n').map_or(0, |end| end + 1);
            told = job_lines(&log[seen..whole]).map(|line| truth.told_with(line)).max().unwrap_or(0).max(told);
            seen = whole;
            let started = log.contains("daemon.started");
            for rest in [Rest::Nothing, Rest::Everything, Rest::Anything, Rest::Anything, Rest::Anything] {
                let mut image = disk.after_a_power_cut(rest, &mut chance);
                if rest == Rest::Anything {
                    // What the processes shared is never synced: it may be gone, or anything.
                    image.insert("state.db-shm".to_owned(), (0..32_768).map(|_| chance.within(0..256) as u8).collect());
                }
                if let Err(error) = truth.holds(&image, told, started) {
                    let around = &done[at.saturating_sub(5)..(at + 2).min(done.len())];
                    let around: Vec<String> = around.iter().map(brief).collect();
                    panic!("cut {at}, of the rest {rest:?}: {error}\n{}", around.join("\n"));
                }
                images += 1;
                if started && images % BINARY == 0 {
                    truth.goes_on(&image, &stage, &config);
                }
            }
        }
        match done.get(at) {
            Some(Done::Told(bytes)) => log.push_str(std::str::from_utf8(bytes).unwrap()),
            Some(done) => disk.perform(done),
            None => {}
        }
    }
    say(&format!(
        "{} power cuts and {images} images in {:.0} s: {} operations, {} syncs of which {checkpoints} of the file itself, {} \
         events",
        cuts.len(),
        begin.elapsed().as_secs_f64(),
        done.len(),
        syncs.len(),
        truth.events()
    ));
}

fn is_sync(done: &Done) -> bool {
    match done {
        Done::Synced(_) | Done::SyncedDirectory => true,
        Done::Created(_) | Done::Wrote { .. } | Done::Resized { .. } | Done::Removed(_) | Done::Told(_) => false,
    }
}

fn brief(done: &Done) -> String {
    match done {
        Done::Wrote { name, at, bytes } => format!("wrote {} bytes at {at} of {name}", bytes.len()),
        Done::Told(bytes) => format!("told {} bytes", bytes.len()),
        other => format!("{other:?}"),
    }
}
