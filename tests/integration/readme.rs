//! The README's tables are compared with the code.

use std::time::Duration;

use clap::CommandFactory as _;
use cognito_import_watch::cli::Cli;
use cognito_import_watch::exit::Exit;
use cognito_import_watch::sink::{DaemonEvent, DaemonFact, EventLine, LaneChange, LaneEvent};
use cognito_import_watch_core::domain::event::{EVENT_NAMESPACE, id_of};
use cognito_import_watch_core::domain::{
    Counts, ErrorKind, JobEvent, JobFact, JobIdentity, JobStatus, PollError, Timestamp, Verdict, WarningKind,
};
use serde_json::{Map, Value};
use uuid::Uuid;

const README: &str = include_str!("../../README.md");

/// The rows of the table under this head, as cells; `\|` stands for a bar in a cell.
fn table(head: &str) -> Vec<Vec<String>> {
    let rows = README.lines().skip_while(|line| *line != head).skip(2).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| {
        let row = row.replace("\\|", "\u{1}");
        row.trim_matches('|').split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
    };
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    assert!(!rows.is_empty(), "there is no table {head}");
    rows
}

/// The words between backticks.
fn words(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_exit_codes_are_those_of_the_program() {
    let mut codes: Vec<(u8, String)> =
        Exit::BY_WEIGHT.iter().map(|exit| (exit.code(), exit.meaning().to_owned())).collect();
    codes.sort();
    let written: Vec<(u8, String)> =
        table("| code | meaning |").into_iter().map(|row| (row[0].parse().unwrap(), row[1].clone())).collect();
    assert_eq!(written, codes);
}

#[test]
fn the_commands_and_the_flags_of_wait_are_those_of_the_program() {
    let command = Cli::command();
    let written: Vec<String> = table("| command | what it does |")
        .iter()
        .flat_map(|row| words(&row[0]))
        .map(|words| words.split(' ').next().unwrap().to_owned())
        .collect();
    let commands: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(sorted(written), sorted(commands));

    let flags: Vec<String> = table("| flag | meaning | default |").iter().flat_map(|row| words(&row[0])).collect();
    let wait = command.find_subcommand("wait").unwrap();
    let known: Vec<String> =
        wait.get_arguments().filter_map(|flag| flag.get_long()).map(|flag| format!("--{flag}")).collect();
    assert_eq!(sorted(flags), sorted(known));
}

#[test]
fn each_event_has_the_level_and_the_fields_of_its_row() {
    let shared = ["timestamp", "level", "message", "event", "event_id", "schema"];
    let of_job = [
        "user_pool_id",
        "job_id",
        "job_name",
        "name",
        "region",
        "account",
        "status",
        "imported_users",
        "skipped_users",
        "failed_users",
    ];
    let rows = table("| event | level | when | further fields |");
    let told: Vec<Map<String, Value>> = every_event();
    for row in &rows {
        let name = &words(&row[0])[0];
        let lines: Vec<_> = told.iter().filter(|line| line["event"] == *name).collect();
        assert!(!lines.is_empty(), "{name} is not among the samples");
        let mut fields = words(&row[3]);
        for line in &lines {
            let level = line["level"].as_str().unwrap();
            assert!(row[1].contains(level), "{name} is told at {level}");
            let further: Vec<&String> = line
                .keys()
                .filter(|key| !shared.contains(&key.as_str()))
                .filter(|key| !(name.starts_with("job.") && of_job.contains(&key.as_str())))
                .filter(|key| name.starts_with("job.") || *key != "instance")
                .collect();
            for key in further {
                assert!(row[3].contains(&format!("`{key}`")), "{name} has the field {key}, and the README has not");
                fields.retain(|field| field != key);
            }
            assert!(shared.iter().all(|key| line.contains_key(*key)), "{name}");
            if name.starts_with("job.") {
                assert!(of_job.iter().all(|key| line.contains_key(*key)), "{name}");
            }
        }
        fields.retain(|field| field != "kind");
        assert_eq!(fields, Vec::<String>::new(), "{name} has no such field");
    }
    let written: Vec<String> = rows.iter().flat_map(|row| words(&row[0])).collect();
    for line in &told {
        assert!(written.iter().any(|name| line["event"] == *name), "{} is not in the README", line["event"]);
    }
}

#[test]
fn the_worked_examples_of_ids_are_right() {
    assert!(README.contains(&format!("`{EVENT_NAMESPACE}`")));
    let rows = table("| name and key | id |");
    assert_eq!(rows.len(), 3);
    for row in rows {
        let key: Vec<String> = serde_json::from_str(&words(&row[0])[0]).unwrap();
        assert_eq!(id_of(&key).to_string(), words(&row[1])[0], "{key:?}");
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

fn identity() -> JobIdentity {
    JobIdentity {
        target: "us-west-2_EXAMPLE/import-mAgUtd8PMm".parse().unwrap(),
        job_name: None,
        name: None,
        account: None,
    }
}

/// A sample of every event that this version tells.
fn every_event() -> Vec<Map<String, Value>> {
    let at = Timestamp::from_millis(1_700_000_000_000);
    let error = || PollError::new(ErrorKind::Transient, "no");
    let completed = |verdict| JobFact::Completed {
        verdict,
        elapsed: None,
        completion_message: None,
        created_at: None,
        started_at: None,
        completed_at: None,
    };
    let facts = [
        (JobStatus::Created, JobFact::FirstSeen),
        (JobStatus::Pending, JobFact::StatusChanged { previous: JobStatus::Created }),
        (JobStatus::Failed, JobFact::StatusChanged { previous: JobStatus::Created }),
        (JobStatus::Expired, JobFact::StatusChanged { previous: JobStatus::Created }),
        (JobStatus::InProgress, JobFact::FailedUsers { previous: 0, new: 1 }),
        (JobStatus::InProgress, JobFact::Progress { percent: None, eta: None }),
        (JobStatus::Succeeded, completed(Verdict::Succeeded)),
        (JobStatus::Failed, completed(Verdict::Failed)),
        (JobStatus::Stopped, completed(Verdict::Stopped)),
        (JobStatus::Created, JobFact::Warning(WarningKind::UploadUrlLapsed)),
        (JobStatus::Created, JobFact::Warning(WarningKind::NearExpiry)),
        (JobStatus::InProgress, JobFact::Warning(WarningKind::Stalled { unchanged_for: Duration::from_secs(1) })),
        (JobStatus::Created, JobFact::Warning(WarningKind::StatusWentBack { previous: JobStatus::Pending })),
        (JobStatus::from_wire("Paused"), JobFact::Warning(WarningKind::UnknownStatus)),
        (JobStatus::Pending, JobFact::Warning(WarningKind::DeadlineExceeded { deadline: Duration::from_secs(1) })),
        (JobStatus::Pending, JobFact::PollFailed { error: error(), since: at, next_poll: None }),
        (JobStatus::Pending, JobFact::PollRecovered { error_kind: ErrorKind::Transient, since: at }),
        (JobStatus::Pending, JobFact::NotFound { error: error(), since: at }),
        (JobStatus::Pending, JobFact::AccessDenied { error: error(), since: at }),
    ];
    let jobs = facts.into_iter().map(|(status, fact)| {
        let event = JobEvent { at, job: identity(), status: Some(status), counts: Some(Counts::default()), fact };
        EventLine::render(&event, Uuid::nil())
    });
    let lanes = [LaneChange::Throttled, LaneChange::Recovered].map(|change| {
        let event =
            LaneEvent { at, account: None, region: "us-west-2".into(), requests_per_second: 1.0, since: at, change };
        EventLine::render_lane(&event, Uuid::nil())
    });
    let daemon = [
        DaemonFact::Started { version: "0", state: None },
        DaemonFact::Stopping { reason: "complete" },
        DaemonFact::Stopped,
    ]
    .map(|fact| {
        let event = DaemonEvent { at, started_at: at, count: 0, jobs: 1, pools: 0, fact };
        EventLine::render_daemon(&event, Uuid::nil())
    });
    let lines = jobs.chain(lanes).chain(daemon);
    lines.map(|line| serde_json::from_str(&line.json).unwrap()).collect()
}
