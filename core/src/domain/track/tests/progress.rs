//! Tests of percent done and time left.

use super::*;

fn watch(rows: u64) -> Watch {
    Watch::with(|policy| policy.expected_users = Some(rows))
}

fn progress(watch: &Watch) -> (Option<f64>, Option<Duration>) {
    watch.track.progress(Tick::from_start(watch.now), &watch.job.terms.policy)
}

#[test]
fn of_a_job_without_rows_no_percent_is_told() {
    let mut watch = watch(0);
    watch.describe(shown("InProgress"));
    assert_eq!(progress(&watch), (None, None));
}

#[test]
fn time_left_is_known_when_rows_moved_over_some_time() {
    let mut watch = watch(100);
    watch.describe(shown("InProgress"));
    assert_eq!(progress(&watch), (Some(0.0), None), "there is no pace yet");
    watch.now += 9 * SECOND;
    assert_eq!(progress(&watch), (Some(0.0), None), "nothing moved");
    watch.describe(counted("InProgress", 10, 0, 0));
    assert_eq!(progress(&watch), (Some(10.0), Some(90 * SECOND)));
    watch.now -= 10 * SECOND;
    assert_eq!(progress(&watch), (Some(10.0), None), "no time passed");
}
