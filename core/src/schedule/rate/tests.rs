use super::*;

fn at(millis: u64) -> Tick {
    Tick::from_start(Duration::from_millis(millis))
}

#[test]
fn what_a_throttle_took_comes_back_slowly_once_something_is_let_through() {
    let mut bucket = Bucket::new(10.0);
    bucket.cut(at(0), at(0));
    assert!((bucket.rate(at(60_000)) - 5.0).abs() < 1e-9, "nothing was let through");
    bucket.let_through(at(60_000), at(59_000));
    assert!((bucket.rate(at(60_000).plus(SLOW / 2)) - 5.0 * 2_f64.sqrt()).abs() < 0.01);
    let whole = bucket.whole_at(at(60_000)).unwrap();
    assert!((whole.since(at(60_000)).as_secs_f64() - SLOW.as_secs_f64()).abs() < 0.1);
    assert!((bucket.rate(whole) - 10.0).abs() < 1e-9 && bucket.rate(whole.plus(SLOW)) <= 10.0);
    assert_eq!(bucket.whole_at(whole), Some(whole));
}

#[test]
fn an_answer_to_what_was_sent_before_the_cut_says_nothing_of_it() {
    let mut bucket = Bucket::new(10.0);
    bucket.cut(at(1_000), at(900));
    bucket.let_through(at(1_010), at(999));
    assert_eq!(bucket.whole_at(at(9_000)), None);
    bucket.let_through(at(1_020), at(1_000));
    assert!(bucket.whole_at(at(1_020)).is_some());
}

#[test]
fn a_burst_is_one_throttle() {
    let mut bucket = Bucket::new(10.0);
    for answered in [1_000, 1_010, 1_020] {
        bucket.cut(at(answered), at(990));
    }
    assert!((bucket.rate(at(1_020)) - 5.0).abs() < 1e-9);
    bucket.cut(at(1_500), at(1_400));
    assert!((bucket.rate(at(1_500)) - 2.5).abs() < 1e-9);
}

#[test]
fn the_rate_before_a_throttle_that_was_not_ours_is_back_within_seconds() {
    let mut bucket = Bucket::new(5.0);
    let mut now = at(0);
    for _ in 0..20 {
        bucket.cut(now, now);
        now = now.plus(Duration::from_secs(2));
    }
    assert!((bucket.rate(now) - FLOOR).abs() < 1e-9);
    bucket.let_through(now, now);
    assert!(bucket.whole_at(now).unwrap().since(now) < Duration::from_secs(4));
}

#[test]
fn a_ceiling_below_the_floor_is_never_passed() {
    let mut bucket = Bucket::new(0.2);
    for second in 0..5 {
        bucket.cut(at(second * 1_000), at(second * 1_000));
        assert!(bucket.rate(at(second * 1_000)) <= 0.2);
    }
    assert!(bucket.rate(at(9_000)) > 0.19);
}
