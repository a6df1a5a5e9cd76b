//! From what was written and typed to what will run, or every problem at once.
//! Called by every command that takes a config file or a target, and again when the file is reloaded.

use std::ops::Range;
use std::time::Duration;

use cognito_import_watch_core::domain::JobPolicy;
use cognito_import_watch_core::schedule::{BackoffPolicy, Ceilings};

use super::accounts::Accounts;
use super::diagnostic::Diagnostics;
use super::duration::format_duration;
use super::file::{ConfigFile, LogFile, PolicyFile, PollFile, StateFile, ThrottleFile};
use super::lines::Lines;
use super::not_yet;
use super::overrides::Overrides;
use super::plan::{HttpPlan, LogPlan, Plan, PollPlan, StatePath, StatePlan};
use super::problem::{At, Kind, Place, Problem};
use super::reader::read_root;
use super::source::{MAX_SOURCE_BYTES, Source, SourceFault};
use super::syntax::{self, Mended};
use super::targets;
use super::value::{MaybePeriod, Period, PositivePeriod, UserLimit};

/// The plan of these files, the main one first, under what was typed.
///
/// No file at all is fine: then the defaults and what was typed are the plan. A plan may be
/// [empty](Plan::is_empty); the caller knows whether that is wrong.
///
/// # Errors
/// Every problem of every file and flag, in the order of the text. [`Diagnostics::fault`] tells who is to blame.
pub fn resolve(sources: &[Source], overrides: &Overrides) -> Result<Plan, Diagnostics> {
    let mut problems = Vec::new();
    let texts: Vec<Mended> =
        sources.iter().enumerate().map(|(index, source)| mend(index, source, &mut problems)).collect();
    let tables: Vec<_> = texts.iter().map(Mended::table).collect();
    let file = read_root(&tables, &mut problems, ConfigFile::read);
    let plan = plan(&file, overrides, &mut problems);
    drop_echoes(&mut problems, sources, &texts, &file);
    if problems.is_empty() { Ok(plan) } else { Err(Diagnostics::new(sources, problems)) }
}

fn mend(index: usize, source: &Source, problems: &mut Vec<Problem>) -> Mended {
    let place = |start, end| Place { source: index, start, end };
    let refused = match source.fault() {
        None => None,
        Some(SourceFault::NotUtf8 { at }) => Some(
            Problem::new(place(at, at), "", "the file is not UTF-8 from here on").help("save it as UTF-8".to_owned()),
        ),
        Some(SourceFault::Utf16) => {
            Some(Problem::new(place(0, 0), "", "the file is UTF-16, not UTF-8").help("save it as UTF-8".to_owned()))
        }
        Some(SourceFault::TooLarge) => Some(
            Problem::new(place(0, 0), "", format!("the file is longer than {} MiB", MAX_SOURCE_BYTES / (1024 * 1024)))
                .help("is this the config file?".to_owned()),
        ),
    };
    if let Some(problem) = refused {
        problems.push(problem.kind(Kind::Syntax));
        return Mended::nothing();
    }
    let mended = syntax::mend(source.text());
    for error in &mended.errors {
        let mut problem =
            Problem::new(place(error.span.start, error.span.end), "", error.message.as_str()).kind(Kind::Syntax);
        if let Some(first) = &error.first {
            problem = problem.other(place(first.start, first.end), "first given here");
        }
        problems.push(problem);
    }
    mended
}

fn plan(file: &ConfigFile, overrides: &Overrides, problems: &mut Vec<Problem>) -> Plan {
    let mut policy = JobPolicy::default();
    lay_policy(&mut policy, &file.policy);
    let accounts = Accounts::of(&file.account, overrides, problems);
    let (jobs, pools) = targets::of(file, overrides, &policy, &accounts, problems);
    Plan {
        jobs,
        pools,
        accounts: accounts.into_plans(),
        poll: poll(&file.poll, overrides, problems),
        ceilings: ceilings(&file.throttle, problems),
        log: log(&file.log, overrides, problems),
        state: state(&file.state),
        http: HttpPlan { listen: file.http.listen.as_ref().map(|written| written.value.0) },
    }
}

/// What a table says of a policy, over what held before.
pub(super) fn lay_policy(policy: &mut JobPolicy, file: &PolicyFile) {
    if let Some(UserLimit(limit)) = file.max_failed_users.as_ref().map(|written| written.value) {
        policy.max_failed_users = limit;
    }
    if let Some(UserLimit(limit)) = file.max_skipped_users.as_ref().map(|written| written.value) {
        policy.max_skipped_users = limit;
    }
    if let Some(MaybePeriod(deadline)) = file.deadline.as_ref().map(|written| written.value) {
        policy.deadline = deadline;
    }
    if let Some(MaybePeriod(stall_after)) = file.stall_after.as_ref().map(|written| written.value) {
        policy.stall_after = stall_after;
    }
    if let Some(Period(grace)) = file.not_found_grace.as_ref().map(|written| written.value) {
        policy.not_found_grace = grace;
    }
}

fn poll(file: &PollFile, overrides: &Overrides, problems: &mut Vec<Problem>) -> PollPlan {
    let default = PollPlan::default();
    let growth = &default.backoff;
    let (initial, max) = intervals(file, overrides, growth, problems);
    let multiplier = file.multiplier.as_ref().map_or(growth.multiplier(), |written| written.value);
    let jitter = file.jitter.as_ref().map_or(growth.jitter(), |written| written.value);
    let backoff = BackoffPolicy::new(initial, max, multiplier, jitter).unwrap_or_else(|error| {
        // Each number was checked where it stands; this only keeps a slip of ours from passing in silence.
        if problems.is_empty() {
            problems.push(Problem::typed("[poll]", error.to_string()));
        }
        BackoffPolicy::default()
    });
    PollPlan {
        backoff,
        request_timeout: file.request_timeout.as_ref().map_or(default.request_timeout, |written| written.value.0),
        batch: file.batch.as_ref().map_or(default.batch, |written| written.value.0),
    }
}

/// The first and the longest interval. The longest is a promise, the first a wish: where only the longest is asked
/// for, or it is typed over a file, the first is lowered to it.
fn intervals(
    file: &PollFile,
    overrides: &Overrides,
    default: &BackoffPolicy,
    problems: &mut Vec<Problem>,
) -> (Duration, Duration) {
    for (flag, typed) in
        [("--initial-interval", overrides.initial_interval), ("--max-interval", overrides.max_interval)]
    {
        if typed.is_some_and(|duration| duration.is_zero()) {
            problems.push(Problem::typed(flag, "the duration must be longer than 0"));
        }
    }
    let max = match (overrides.max_interval, &file.max_interval) {
        (Some(typed), _) => typed,
        (None, Some(written)) => written.value.0,
        (None, None) => default.max(),
    };
    let longer = |initial: Duration| {
        format!("{} is longer than max_interval, {}", format_duration(initial), format_duration(max))
    };
    let initial = match (overrides.initial_interval, &file.initial_interval) {
        (Some(typed), _) => {
            if typed > max {
                problems.push(Problem::typed("--initial-interval", longer(typed)));
            }
            typed
        }
        (None, Some(written)) if overrides.max_interval.is_some() => written.value.0.min(max),
        (None, Some(written)) => {
            let PositivePeriod(initial) = written.value;
            if initial > max {
                let mut problem = Problem::new(written.place, "poll.initial_interval", longer(initial));
                problem = match &file.max_interval {
                    Some(written) => problem.other(written.place, "max_interval is given here"),
                    None => problem.help(format!("set max_interval too; its default is {}", format_duration(max))),
                };
                problems.push(problem);
            }
            initial
        }
        (None, None) => default.initial().min(max),
    };
    (initial, max)
}

fn ceilings(file: &ThrottleFile, problems: &mut Vec<Problem>) -> Ceilings {
    let default = Ceilings::default();
    let per_lane = file.requests_per_second.as_ref().map_or(default.per_lane(), |written| written.value);
    let per_pool = file.requests_per_second_per_pool.as_ref().map_or(default.per_pool(), |written| written.value);
    let in_flight = file
        .max_in_flight
        .as_ref()
        .map_or(default.in_flight(), |written| usize::try_from(written.value).unwrap_or(usize::MAX));
    Ceilings::new(per_lane, per_pool, in_flight).unwrap_or_else(|error| {
        if problems.is_empty() {
            problems.push(Problem::typed("[throttle]", error.to_string()));
        }
        default
    })
}

fn log(file: &LogFile, overrides: &Overrides, problems: &mut Vec<Problem>) -> LogPlan {
    let default = LogPlan::default();
    let format = file.format.as_ref().map_or(default.format, |written| not_yet::log_format(written, problems));
    LogPlan {
        format: overrides.log_format.unwrap_or(format),
        level: overrides.log_level.or(file.level.as_ref().map(|written| written.value)).unwrap_or(default.level),
        progress_interval: file.progress_interval.as_ref().map_or(default.progress_interval, |written| written.value.0),
    }
}

fn state(file: &StateFile) -> StatePlan {
    let default = StatePlan::default();
    let path = file.path.as_ref().map_or(default.path, |written| match written.value.0.as_str() {
        "auto" => StatePath::Auto,
        "none" => StatePath::None,
        path => StatePath::File(path.into()),
    });
    StatePlan {
        path,
        on_corrupt: file.on_corrupt.as_ref().map_or(default.on_corrupt, |written| written.value),
        keep_events: file.keep_events.as_ref().map_or(default.keep_events, |written| written.value.0),
        max_events: file.max_events.as_ref().map_or(default.max_events, |written| written.value),
        outbox_age: file.outbox_age.as_ref().map_or(default.outbox_age, |written| written.value.0),
        outbox_events: file.outbox_events.as_ref().map_or(default.outbox_events, |written| written.value),
    }
}

/// Drops what a broken line nearby explains: a value on that line, a key missing in its section, a name that may
/// have been given in a section that was left out.
fn drop_echoes(problems: &mut Vec<Problem>, sources: &[Source], texts: &[Mended], file: &ConfigFile) {
    let lines: Vec<Lines> = sources.iter().map(|source| Lines::of(source.text())).collect();
    let accounts_lost = |((source, text), lines): ((&Source, &Mended), &Lines)| {
        text.left_out.iter().any(|range| {
            let section = lines.section(range.start);
            let header = source.text().get(lines.line(section.start)).unwrap_or_default();
            range.start == section.start || header.contains("account")
        })
    };
    let names_lost = sources.iter().zip(texts).zip(&lines).any(accounts_lost)
        || file.account.iter().any(|account| account.name.is_none());
    problems.retain(|problem| {
        let At::File(place) = problem.at else { return true };
        let (Some(lines), Some(text)) = (lines.get(place.source), texts.get(place.source)) else { return true };
        let broken_within = |range: Range<usize>| text.errors.iter().any(|error| range.contains(&error.span.start));
        match problem.kind {
            Kind::Syntax => true,
            Kind::Content => !broken_within(lines.line(place.start)),
            Kind::Absence => !broken_within(lines.section(place.start)),
            Kind::Reference => !names_lost && !broken_within(lines.line(place.start)),
        }
    });
}
