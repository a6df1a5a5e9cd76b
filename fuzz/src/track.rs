//! Any answers about a job, in any order, with restarts between them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use cognito_import_watch::ledger::row;
use cognito_import_watch::sink::{EventLine, RenderedEvent};
use cognito_import_watch_core::domain::policy::AllSkipped;
use cognito_import_watch_core::domain::{
    AskedBy, Counts, ErrorKind, JobEvent, JobFact, JobPolicy, JobSnapshot, JobStatus, JobTrack, Limit, Memory,
    Observation, Outcome, Pace, PollError, Step, StoredTrack, Terms, Tick, Timestamp, WarningKind, WatchedJob,
};
use uuid::Uuid;

use crate::printable::{assert_json_line, assert_one_line};

/// 2026-11-22T17:03:22.123Z: when the first process starts.
const START: Timestamp = Timestamp::from_millis(1_795_367_002_123);

/// A process that remembers what another kept tells what that one would have; the facts of one story have their order,
/// and the end is told once.
pub fn fuzz(data: &[u8]) {
    // Too few bytes end the story.
    let _ = story(&mut Unstructured::new(data));
}

fn story(input: &mut Unstructured<'_>) -> Result<()> {
    let job = watched(input)?;
    let mut steady = JobTrack::default();
    let mut restarted = JobTrack::default();
    let (mut now, mut began) = (Duration::ZERO, Duration::ZERO);
    let mut ended = false;
    while !input.is_empty() {
        now += Duration::from_millis(wait(input)?);
        let wall = START.plus(now);
        if input.ratio(1_u8, 4_u8)? {
            let kept = through_a_row(&restarted.stored(Tick::from_start(now - began), wall));
            began = now.saturating_sub(Duration::from_millis(wait(input)?));
            restarted = JobTrack::restored(kept.clone(), Tick::from_start(now - began), wall);
            assert_eq!(restarted.stored(Tick::from_start(now - began), wall), kept);
        }
        let outcome = outcome(input, wall)?;
        let one = step(&steady, &job, Tick::from_start(now), wall, outcome.clone());
        let other = step(&restarted, &job, Tick::from_start(now - began), wall, outcome);
        assert_eq!(told(&one), told(&other));
        assert_eq!(one.pace, other.pace);
        assert!(one.memory == Memory::OutOfDate || one.events.is_empty(), "something told is not kept");
        tells_a_story(&steady, &one, &mut ended);
        one.events.iter().for_each(is_told);
        let _ = one.next.progress(Tick::from_start(now), &job.policy);
        (steady, restarted) = (one.next, other.next);
        late(input, &steady, &job, wall)?;
    }
    Ok(())
}

/// What is told, but that the job stands still: who saw it come to that measures it by a finer clock.
fn told(step: &Step) -> Vec<&JobEvent> {
    let stalled = |event: &&JobEvent| matches!(event.fact, JobFact::Warning(WarningKind::Stalled { .. }));
    step.events.iter().filter(|event| !stalled(event)).collect()
}

fn step(track: &JobTrack, job: &WatchedJob, tick: Tick, at: Timestamp, outcome: Outcome) -> Step {
    track.step(job, Observation { sent: tick, arrived: tick, at, outcome })
}

/// An answer to a request that was sent before the newest answer arrived changes nothing.
fn late(input: &mut Unstructured<'_>, track: &JobTrack, job: &WatchedJob, at: Timestamp) -> Result<()> {
    let Some(newest) = track.newest() else { return Ok(()) };
    if input.ratio(1_u8, 8_u8)? {
        let sent = newest.minus(Duration::from_nanos(1));
        let observation = Observation { sent, arrived: newest, at, outcome: outcome(input, at)? };
        let step = track.step(job, observation);
        assert!(step.pace == Pace::Unchanged && step.events.is_empty() && step.next == *track);
    }
    Ok(())
}

fn through_a_row(stored: &StoredTrack) -> StoredTrack {
    let text = row::write(stored);
    match row::read(&text) {
        Ok(read) => {
            assert_eq!(read, *stored, "{text}");
            read
        }
        Err(error) => panic!("{error}: {text}"),
    }
}

/// What one observation tells comes in the documented order, each fact once; nothing follows the end.
fn tells_a_story(before: &JobTrack, step: &Step, ended: &mut bool) {
    let places: Vec<u8> = step.events.iter().map(|event| place(&event.fact)).collect();
    assert!(places.is_sorted(), "out of order: {:?}", step.events);
    let ids: BTreeSet<Uuid> = step.events.iter().map(|event| event.id(Uuid::nil())).collect();
    assert_eq!(ids.len(), step.events.len(), "one id twice in one answer: {:?}", step.events);
    let tells = |wanted: fn(&JobFact) -> bool| step.events.iter().any(|event| wanted(&event.fact));
    if before.known().is_none() && step.next.known().is_some() {
        assert!(tells(|fact| matches!(fact, JobFact::FirstSeen)));
        assert!(!tells(|fact| matches!(fact, JobFact::StatusChanged { .. })));
    } else {
        assert!(!tells(|fact| matches!(fact, JobFact::FirstSeen)));
    }
    let completed = tells(|fact| matches!(fact, JobFact::Completed { .. }));
    assert!(!completed || matches!(step.pace, Pace::Over(_)), "an end that is none");
    if !*ended && matches!(step.pace, Pace::Over(_)) {
        assert!(completed, "an end that is not told");
        *ended = true;
    }
}

/// The rows of the contract's table, in their order.
fn place(fact: &JobFact) -> u8 {
    match fact {
        JobFact::FirstSeen => 1,
        JobFact::StatusChanged { .. } => 2,
        JobFact::FailedUsers { .. } => 3,
        JobFact::Progress { .. } => 4,
        JobFact::Completed { .. } => 5,
        JobFact::Warning(_) => 6,
        JobFact::PollFailed { .. } => 7,
        JobFact::PollRecovered { .. } => 8,
        JobFact::NotFound { .. } | JobFact::AccessDenied { .. } => 9,
    }
}

fn is_told(event: &JobEvent) {
    assert_eq!(event.key(Uuid::nil()).first().map(String::as_str), Some(event.fact.name()));
    let rendered = RenderedEvent::of(event, Uuid::nil());
    assert_one_line(&rendered.subject);
    assert_one_line(&rendered.phrase);
    let line = assert_json_line(&EventLine::render(event, Uuid::nil()).json);
    assert_eq!(line.get("event").and_then(|name| name.as_str()), Some(event.fact.name()));
}

fn watched(input: &mut Unstructured<'_>) -> Result<WatchedJob> {
    let limit = |input: &mut Unstructured<'_>| -> Result<Limit> {
        Ok(if input.arbitrary()? { Limit::Any } else { Limit::AtMost(input.arbitrary::<u8>()?.into()) })
    };
    let span = |input: &mut Unstructured<'_>| -> Result<Option<Duration>> {
        Ok(input.arbitrary::<Option<u32>>()?.map(|seconds| Duration::from_secs(seconds.into())))
    };
    let policy = JobPolicy {
        max_failed_users: limit(input)?,
        max_skipped_users: limit(input)?,
        all_skipped: if input.arbitrary()? { AllSkipped::Meets } else { AllSkipped::Fails },
        deadline: span(input)?,
        stall_after: span(input)?,
        not_found_grace: Duration::from_secs(input.arbitrary::<u8>()?.into()),
        expected_users: input.arbitrary::<Option<u16>>()?.map(u64::from),
    };
    let Ok(target) = "us-west-2_EXAMPLE/import-mAgUtd8PMm".parse() else {
        return Err(arbitrary::Error::IncorrectFormat);
    };
    let terms = Terms {
        name: input.arbitrary::<Option<String>>()?.map(Into::into),
        account: None,
        policy: Arc::new(policy),
        progress_interval: Duration::from_secs(input.arbitrary::<u8>()?.into()),
    };
    Ok(WatchedJob { target, terms: Arc::new(terms) })
}

/// Milliseconds: mostly those between two polls, sometimes days.
fn wait(input: &mut Unstructured<'_>) -> Result<u64> {
    Ok(if input.ratio(1_u8, 8_u8)? { input.arbitrary::<u32>()?.into() } else { input.arbitrary::<u16>()?.into() })
}

fn outcome(input: &mut Unstructured<'_>, wall: Timestamp) -> Result<Outcome> {
    if input.ratio(1_u8, 5_u8)? {
        let kind = *input.choose(&ErrorKind::ALL)?;
        let retry_after = input.arbitrary::<Option<u16>>()?.map(|seconds| Duration::from_secs(seconds.into()));
        let message = input.arbitrary::<&str>()?.to_owned();
        return Ok(Outcome::Failed(PollError { kind, message, retry_after }));
    }
    let known = JobStatus::KNOWN.get(usize::from(input.int_in_range(0..=9_u8)?)).cloned();
    let status = match known {
        Some(status) => status,
        None => JobStatus::from_wire(input.arbitrary()?),
    };
    let counts = if input.ratio(1_u8, 8_u8)? {
        let [imported, skipped, failed] = input.arbitrary::<[u64; 3]>()?;
        Counts { imported, skipped, failed }
    } else {
        let [imported, skipped, failed] = input.arbitrary::<[u8; 3]>()?.map(u64::from);
        Counts { imported, skipped, failed }
    };
    let snapshot = JobSnapshot {
        job_name: input.arbitrary::<Option<&str>>()?.map(Into::into),
        status,
        counts,
        created_at: date(input, wall)?,
        started_at: date(input, wall)?,
        completed_at: date(input, wall)?,
        completion_message: input.arbitrary::<Option<&str>>()?.map(Into::into),
        account: None,
    };
    let by = if input.arbitrary()? { AskedBy::Describe } else { AskedBy::List };
    Ok(Outcome::Seen { snapshot, date: date(input, wall)?, by })
}

/// A date that the service might tell: mostly a while ago, sometimes anything.
fn date(input: &mut Unstructured<'_>, wall: Timestamp) -> Result<Option<Timestamp>> {
    Ok(match input.int_in_range(0..=7_u8)? {
        0..=2 => None,
        3..=6 => Some(wall.minus(Duration::from_secs(input.int_in_range(0..=200_000_u64)?))),
        _ => Some(Timestamp::from_millis(input.arbitrary()?)),
    })
}
