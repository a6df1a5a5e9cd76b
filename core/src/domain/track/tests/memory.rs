//! Tests of what is kept of a job for the next process.

use super::*;

fn track() -> JobTrack {
    let mut watch = Watch::new();
    watch.describe(shown("InProgress"));
    for _ in 0..3 {
        watch.fail(ErrorKind::Transient);
    }
    watch.track
}

#[test]
fn a_memory_is_out_of_date_when_anything_that_is_told_by_differs() {
    let moment = Tick::from_start(MINUTE);
    let changes: [fn(&mut JobTrack, Tick); 14] = [
        |track, _| track.known = None,
        |track, _| track.failed_told += 1,
        |track, _| track.high_rank += 1,
        |track, _| track.step_back = StepBack::ShownOnce,
        |track, moment| track.progress.0 = moment,
        |track, moment| track.pace_from = Some((moment, 0)),
        |track, _| track.changed = Watch::new().wall().plus(MINUTE),
        |track, _| track.deadlines_told.push(60),
        |track, _| track.lapsed_told = Told::Told,
        |track, _| track.near_expiry_told = Told::Told,
        |track, _| track.stalled_told = Told::Told,
        |track, _| track.deadline_told = Told::Told,
        |track, _| track.unknown_told.push("Paused".into()),
        |track, _| track.failing = None,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut changed = track();
        change(&mut changed, moment);
        assert!(!track().says_the_same_as(&changed), "change {index}");
    }
}

#[test]
fn a_memory_holds_when_only_the_newest_answers_differ() {
    let (before, mut after) = (track(), track());
    after.newest = Some(Tick::from_start(MINUTE));
    after.last_good = None;
    after.failing.as_mut().unwrap().streak += 1;
    assert!(before != after && before.says_the_same_as(&after));
}

#[test]
fn a_mark_is_kept_by_a_word_that_a_later_version_still_reads() {
    let words = ["step_back_shown", "upload_url_lapsed", "near_expiry", "stalled", "deadline_exceeded"];
    assert_eq!(Mark::ALL.map(Mark::as_str), words);
}

#[test]
fn a_job_that_shows_ever_new_statuses_is_told_each_time_and_remembered_in_part() {
    let mut watch = Watch::new();
    watch.describe(shown("InProgress"));
    for number in 0..20 {
        let told = watch.describe(shown(&format!("Paused{number}"))).0;
        assert_eq!(told, ["job.status_changed", "job.warning"], "{number}");
    }
    assert_eq!(watch.describe(shown("Paused19")).0, [""; 0], "it is the one before");
    assert_eq!(watch.describe(shown("Paused15")).0, ["job.status_changed"], "it is remembered");
    assert_eq!(watch.describe(shown("Paused16")).0, ["job.status_changed", "job.warning"], "one too many");
    assert_eq!(watch.track.stored(Tick::from_start(watch.now), watch.wall()).unknown_told.len(), 16);
}

#[test]
fn what_was_told_once_is_marked_and_nothing_else() {
    let sets: [fn(&mut JobTrack); 5] = [
        |track| track.step_back = StepBack::ShownOnce,
        |track| track.lapsed_told = Told::Told,
        |track| track.near_expiry_told = Told::Told,
        |track| track.stalled_told = Told::Told,
        |track| track.deadline_told = Told::Told,
    ];
    let (tick, wall) = (Tick::from_start(MINUTE), Watch::new().wall());
    for (set, mark) in sets.into_iter().zip(Mark::ALL) {
        let mut track = track();
        set(&mut track);
        let stored = track.stored(tick, wall);
        assert_eq!(stored.marks, [mark]);
        assert!(JobTrack::restored(stored, tick, wall).says_the_same_as(&track));
    }
}
