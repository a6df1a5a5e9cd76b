//! The small words that people type and services send: durations, targets, ids, regions, times, numbers.

use std::time::Duration;

use cognito_import_watch::config::{InvalidDuration, MAX_DURATION, format_duration, parse_duration};
use cognito_import_watch::text;
use cognito_import_watch_core::domain::region::Partition;
use cognito_import_watch_core::domain::{AccountId, JobId, JobStatus, Target, Tick, Timestamp, UserPoolId};
use cognito_import_watch_core::schedule::{BackoffPolicy, Ceilings};

use crate::printable::{assert_one_line, assert_still};

/// The longest refusal of a word, in characters: it quotes 128 of the word, escaped, twice at the most.
const LONGEST_REFUSAL: usize = 4_000;

/// Whatever is accepted comes back the same when it is written and read again; whatever is not is refused in one line.
pub fn fuzz(data: &[u8]) {
    let word = &*String::from_utf8_lossy(data);
    duration(word);
    ids(word);
    assert_eq!(JobStatus::from_wire(word).as_str(), word);
    let _ = Partition::of_region(word);
    let mut numbers = data.chunks(8).map(|chunk| {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        u64::from_le_bytes(bytes)
    });
    let mut next = || numbers.next().unwrap_or_default();
    times(next(), next());
    settings(next(), next(), next(), next());
}

fn duration(word: &str) {
    match parse_duration(word) {
        Ok(duration) => {
            assert!(duration <= MAX_DURATION);
            assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
        Err(error) => {
            assert_one_line(&error.to_string());
            if let InvalidDuration::Untidy(instead) = &error {
                assert!(parse_duration(instead).is_ok(), "{instead:?} is advised and refused");
            }
            if let InvalidDuration::BareNumber(instead) = &error {
                let read = parse_duration(instead);
                assert!(matches!(read, Ok(_) | Err(InvalidDuration::TooLong)), "{instead:?} is advised and refused");
            }
        }
    }
}

fn ids(word: &str) {
    match word.parse::<Target>() {
        Ok(target) => {
            assert_eq!(target.to_string().parse(), Ok(target.clone()));
            assert!(!target.pool.region().is_empty() && target.pool.as_str().starts_with(target.pool.region()));
            assert!(target.pool.as_str().len() <= 55 && target.job.as_str().len() <= 55);
            assert_one_line(&target.to_string());
        }
        Err(error) => refused(&error.to_string()),
    }
    match word.parse::<UserPoolId>() {
        Ok(pool) => assert_eq!(pool.as_str(), word.trim()),
        Err(error) => refused(&error.to_string()),
    }
    match word.parse::<JobId>() {
        Ok(job) => assert_eq!(job.as_str(), word.trim()),
        Err(error) => refused(&error.to_string()),
    }
    match word.parse::<AccountId>() {
        Ok(account) => assert_eq!(AccountId::from_arn(&format!("arn:aws:iam::{account}:role/x")), Some(account)),
        Err(error) => refused(&error.to_string()),
    }
    if let Some(account) = AccountId::from_arn(word) {
        assert!(word.contains(account.as_str()));
    }
}

fn refused(words: &str) {
    assert_still(words);
    assert!(words.chars().count() <= LONGEST_REFUSAL, "{} characters", words.chars().count());
}

fn times(one: u64, two: u64) {
    let (one, two) = (Timestamp::from_millis(one.cast_signed()), Timestamp::from_millis(two.cast_signed()));
    assert!(one.since(two).is_zero() || two.since(one).is_zero());
    assert!(one.plus(two.since(one)) >= one && one.minus(one.since(two)) <= one);
    let shown = one.to_string();
    assert_one_line(&shown);
    assert!(shown.ends_with('Z') && shown.contains('T'), "{shown}");
    assert_eq!(text::time_of_day(one).len(), 8);
    let long = Duration::from_millis(one.as_millis().cast_unsigned());
    assert_one_line(&text::duration(long));
    let tick = Tick::from_start(long);
    assert!(tick.plus(long) >= tick && tick.minus(long) <= tick && tick.since(tick).is_zero());
}

fn settings(one: u64, two: u64, three: u64, four: u64) {
    let (initial, max) = (Duration::from_millis(one), Duration::from_millis(two));
    if let Ok(policy) = BackoffPolicy::new(initial, max, f64::from_bits(three), f64::from_bits(four)) {
        let mut interval = None;
        for _ in 0..8 {
            let next = policy.after(interval);
            assert!(
                next <= max && interval.is_none_or(|interval| interval <= next),
                "{interval:?} {next:?} {policy:?}"
            );
            let shortened = policy.jittered(next, 0.5);
            assert!(shortened <= next, "{shortened:?} {next:?} {policy:?}");
            interval = Some(next);
        }
    }
    if let Ok(ceilings) = Ceilings::new(f64::from_bits(three), f64::from_bits(four), usize::from(one as u8)) {
        assert!(ceilings.per_lane().is_finite() && ceilings.per_pool().is_finite() && ceilings.in_flight() > 0);
    }
}
