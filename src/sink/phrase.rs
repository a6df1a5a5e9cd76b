//! Words for a person about an event, and what to do next, in one line.
//!
//! Called by [`super::log`] for the text format of the log, and by the display of `wait`. Text of the service is
//! made safe here.

use std::time::Duration;

use cognito_import_watch_core::domain::{
    Counts, JobEvent, JobFact, JobIdentity, JobStatus, PollError, Verdict, WarningKind,
};

use super::{DaemonEvent, DaemonFact, LaneChange, LaneEvent};
use crate::text::{MOST_CHARACTERS_OF_AN_ERROR, duration, error_of, one_line, one_line_of, time_of_day};

/// What a job found Created needs.
pub const NOT_STARTED: &str =
    "not started; upload the CSV and call StartUserImportJob (expires 24–48 h after creation)";

/// What a job is called in text: its configured name, else its own, else where it is.
#[must_use]
pub fn subject(job: &JobIdentity) -> String {
    job.display_name().map(one_line).filter(|name| !name.trim().is_empty()).unwrap_or_else(|| job.target.to_string())
}

/// Words about a job's event, without its name.
#[must_use]
pub fn job(event: &JobEvent) -> String {
    let target = &event.job.target;
    let seen = seen(event);
    match &event.fact {
        JobFact::FirstSeen if event.status == Some(JobStatus::Created) => {
            format!("Created, {NOT_STARTED}  {target}")
        }
        JobFact::FirstSeen => format!("first seen {seen}  {target}"),
        JobFact::StatusChanged { previous } => format!("{} → {seen}", one_line(previous.as_str())),
        JobFact::FailedUsers { previous, new } => format!(
            "{}; the reasons are in CloudWatch Logs, log group /aws/cognito/userpools/{}/…, stream {}/…",
            failed_users(*previous, *new),
            target.pool,
            target.job,
        ),
        JobFact::Progress { percent, eta } => {
            [Some(seen), progress(*percent, *eta)].into_iter().flatten().collect::<Vec<_>>().join("  ")
        }
        JobFact::Completed { verdict, elapsed, completion_message, .. } => {
            completed(event, *verdict, *elapsed, completion_message.as_deref())
        }
        JobFact::Warning(kind) => warning(event, kind),
        JobFact::PollFailed { error, since, next_poll } => format!(
            "cannot be polled ({}) since {}: {}{}",
            error.kind,
            time_of_day(*since),
            error_of(&error.message, &event.job.target.to_string()),
            next_poll.map_or_else(String::new, |next| format!("; next poll in {}", duration(next))),
        ),
        JobFact::PollRecovered { error_kind, since } => {
            format!("polled again after {} ({error_kind})  {seen}", duration(event.at.since(*since)))
        }
        JobFact::NotFound { error, .. } => given_up("not found", error, event),
        JobFact::AccessDenied { error, .. } => given_up("access denied", error, event),
    }
}

/// An error behind the words for its kind, unless it begins with them.
fn given_up(kind: &str, error: &PollError, event: &JobEvent) -> String {
    let words = error_of(&error.message, &event.job.target.to_string());
    if words.starts_with(kind) { words } else { format!("{kind}: {words}") }
}

/// The status and the counters of an event, as far as they are known.
fn seen(event: &JobEvent) -> String {
    let status = event.status.as_ref().map_or_else(|| "not seen yet".to_owned(), |status| one_line(status.as_str()));
    match event.counts {
        Some(known) => format!("{status}  {}", counts(known)),
        None => status,
    }
}

fn failed_users(previous: u64, new: u64) -> String {
    let users = if new == 1 { "user" } else { "users" };
    match previous {
        0 => format!("{new} {users} failed to import"),
        previous => format!("{new} more {users} failed to import, {} in all", previous.saturating_add(new)),
    }
}

/// The counters in words: `12 imported, 0 skipped, 1 failed`.
#[must_use]
pub fn counts(counts: Counts) -> String {
    format!("{} imported, {} skipped, {} failed", counts.imported, counts.skipped, counts.failed)
}

/// Percent and time left, where they are known: `45 %, 3m left`.
#[must_use]
pub fn progress(percent: Option<f64>, eta: Option<Duration>) -> Option<String> {
    let percent = percent.map(|percent| format!("{percent:.0} %"));
    let left = eta.map(|eta| format!("{} left", duration(eta)));
    let known: Vec<String> = [percent, left].into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

/// A status and the verdict on it, the verdict only where it says more: `Succeeded, too many failed users`.
#[must_use]
pub fn outcome(status: Option<&JobStatus>, verdict: Verdict) -> String {
    let word = status.map(|status| one_line(status.as_str()));
    match (status, verdict) {
        (Some(JobStatus::Failed), Verdict::Succeeded) => {
            "Failed, counted as succeeded: every user was there already".to_owned()
        }
        (Some(_), Verdict::Succeeded | Verdict::Failed | Verdict::Stopped | Verdict::Expired) => {
            word.unwrap_or_default()
        }
        (
            _,
            Verdict::Succeeded
            | Verdict::Failed
            | Verdict::Stopped
            | Verdict::Expired
            | Verdict::TooManyFailedUsers
            | Verdict::TooManySkippedUsers
            | Verdict::NotFound
            | Verdict::Unobservable
            | Verdict::AccessDenied
            | Verdict::Invalid
            | Verdict::DeadlineExceeded
            | Verdict::Interrupted,
        ) => [word, Some(verdict.as_str().replace('_', " "))].into_iter().flatten().collect::<Vec<_>>().join(", "),
    }
}

fn completed(event: &JobEvent, verdict: Verdict, elapsed: Option<Duration>, message: Option<&str>) -> String {
    let mut words = vec![outcome(event.status.as_ref(), verdict)];
    words.extend(event.counts.map(counts));
    words.extend(elapsed.map(|elapsed| format!("took {}", duration(elapsed))));
    words.extend(message.map(|message| format!("\"{}\"", one_line(message))));
    if verdict == Verdict::Expired {
        words.push("never started; create a new job".to_owned());
    }
    words.push(event.job.target.to_string());
    words.join("  ")
}

fn warning(event: &JobEvent, kind: &WarningKind) -> String {
    let seen = seen(event);
    match kind {
        WarningKind::UploadUrlLapsed => {
            "the upload URL has lapsed; if no CSV was uploaded, this job can never run: create a new one".to_owned()
        }
        WarningKind::NearExpiry => {
            "still Created and expires soon (24–48 h after creation); call StartUserImportJob".to_owned()
        }
        WarningKind::Stalled { unchanged_for } => format!("{seen}  nothing moved for {}", duration(*unchanged_for)),
        WarningKind::StatusWentBack { previous } => {
            format!("went back from {} to {seen}; watched on", one_line(previous.as_str()))
        }
        WarningKind::UnknownStatus => format!("{seen}  a status this version does not know; watched on"),
        WarningKind::DeadlineExceeded { deadline } => {
            format!("{seen}  not over at its deadline, {} after creation", duration(*deadline))
        }
    }
}

/// Words about a lane's event.
#[must_use]
pub fn lane(event: &LaneEvent) -> String {
    let account = event.account.as_ref().map_or_else(|| "account unknown".to_owned(), |id| format!("account {id}"));
    let rate = event.requests_per_second;
    let region = one_line(&event.region);
    match event.change {
        LaneChange::Throttled => format!("throttled: {region}, {account} cut to {rate:.2} requests/s"),
        LaneChange::Recovered => format!(
            "recovered: {region}, {account} back at {rate:.2} requests/s after {}",
            duration(event.at.since(event.since))
        ),
    }
}

/// Words about the daemon's event.
#[must_use]
pub fn daemon(event: &DaemonEvent) -> String {
    let number = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let watched = format!("{}, {}", number(event.jobs, "job"), number(event.pools, "pool"));
    let safe = |text: &str| one_line_of(text, MOST_CHARACTERS_OF_AN_ERROR);
    match &event.fact {
        DaemonFact::Started { version, state } => {
            let state = state.as_deref().map_or_else(|| "none: a restart tells everything again".to_owned(), safe);
            format!("cognito-import-watch {version} started: {watched}; state {state}")
        }
        DaemonFact::Reloaded => format!("configuration reloaded: {watched}"),
        DaemonFact::ReloadRejected { error } => {
            format!("configuration rejected, the one in force stays ({watched}): {}", safe(error))
        }
        DaemonFact::StateUnwritable { state, error } => {
            format!("state cannot be written to {}: {}", safe(state), safe(error))
        }
        DaemonFact::Stopping { reason } => format!("stopping ({reason}): {watched}"),
        DaemonFact::Stopped => format!("stopped: {watched}"),
    }
}

#[cfg(test)]
mod tests {
    use cognito_import_watch_core::domain::ErrorKind;

    use super::*;
    use crate::sink::samples::{NOW, event};

    #[test]
    fn an_error_that_names_its_kind_is_told_with_it_once() {
        let told = |kind, message: &str| {
            let error = PollError::new(kind, format!("us-west-2_EXAMPLE/import-mAgUtd8PMm in us-west-2: {message}"));
            let fact = match kind {
                ErrorKind::NotFound => JobFact::NotFound { error, since: NOW },
                ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::Denied | ErrorKind::Invalid => {
                    JobFact::AccessDenied { error, since: NOW }
                }
            };
            job(&event("a", JobStatus::Created, fact))
        };
        assert_eq!(told(ErrorKind::NotFound, "not found (X); check the ids"), "not found (X); check the ids");
        assert_eq!(told(ErrorKind::Denied, "access denied (X); allow it"), "access denied (X); allow it");
        assert_eq!(told(ErrorKind::Denied, "the SSO token has expired"), "access denied: the SSO token has expired");
    }
}
