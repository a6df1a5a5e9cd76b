//! Tests of answers that come in another order than their questions, and of what is known while none comes.

use super::*;

#[test]
fn an_answer_that_was_asked_for_before_the_newest_arrived_changes_nothing() {
    let mut watch = Watch::new();
    watch.describe(shown("InProgress"));
    let newest = watch.track.newest().unwrap();
    assert_eq!(newest, Tick::from_start(watch.now));
    let step = |sent| {
        let outcome = Outcome::Seen { snapshot: shown("Succeeded"), date: None, by: AskedBy::Describe };
        watch.track.step(&watch.job, Observation { sent, arrived: newest.plus(SECOND), at: watch.wall(), outcome })
    };
    let late = step(newest.minus(Duration::from_nanos(1)));
    assert_eq!((late.pace, late.memory, late.events), (Pace::Unchanged, Memory::Holds, vec![]));
    assert_eq!(late.next, watch.track);
    assert_eq!(step(newest).pace, Pace::Over(Verdict::Succeeded), "asked for since");
}

#[test]
fn the_last_good_poll_is_the_newest_that_showed_the_job() {
    let mut watch = Watch::new();
    assert_eq!(watch.track.last_good(), None);
    watch.describe(shown("InProgress"));
    let good = watch.wall();
    watch.fail(ErrorKind::Transient);
    assert_eq!(watch.track.last_good(), Some(good));
}
