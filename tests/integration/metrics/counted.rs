//! What is in a scrape.

use crate::harness::{POOL, Stage, events, jobs};

use super::{Daemon, watched};

const RUNNING: &str = "{status = \"InProgress\", imported = 3, skipped = 2, failed = 1}";

#[test]
fn a_job_that_is_removed_leaves_no_series() {
    let stage = Stage::new(&jobs([("a", RUNNING), ("b", RUNNING)]));
    let daemon = Daemon::start(&stage, &watched(&["a", "b"]));
    let before = daemon.scrape_with(|scrape| scrape.sum(&["_job_users", "import-a", "imported"]) > 0.0);
    assert!(before.with(&["import-a"]).len() >= 6, "{}", before.text);
    daemon.reload(&watched(&["b"]));
    let left = format!("cognito_import_watch_jobs{{user_pool_id=\"{POOL}\",status=\"InProgress\"}}");
    let is_left = |scrape: &super::Scrape| scrape.with(&["import-a"]).is_empty() && scrape.find(&left) == Some(1.0);
    let after = daemon.scrape_with(is_left);
    assert!(!after.with(&["import-b"]).is_empty());
    // Nor does it when it was the last one of its pool.
    daemon.reload(&format!("[[pool]]\nid = \"{POOL}2\"\n"));
    let none = daemon.scrape_with(|scrape| scrape.with(&["import-"]).is_empty());
    assert_eq!(none.with(&["cognito_import_watch_jobs{"]), []);
    daemon.stop();
}

#[test]
fn counters_only_rise_also_when_the_config_is_read_again() {
    let stage = Stage::new(&jobs([("a", RUNNING), ("b", RUNNING)]));
    let daemon = Daemon::start(&stage, &watched(&["a"]));
    let polls = ["_polls_total", "us-west-2", "\"ok\""];
    let mut last = daemon.scrape_with(|scrape| scrape.sum(&polls) > 2.0);
    for (round, names) in [&["a", "b"][..], &["b"], &["a"], &["b", "a"]].into_iter().enumerate() {
        daemon.reload(&watched(names));
        let taken = "cognito_import_watch_config_reloads_total{outcome=\"taken\"}";
        let next =
            daemon.scrape_with(|scrape| scrape.value(taken) > round as f64 && scrape.sum(&polls) > last.sum(&polls));
        for (name, kind) in last.types() {
            if kind == "gauge" {
                continue;
            }
            let open = [format!("{name}{{"), format!("{name} "), format!("{name}_")];
            for (series, before) in last
                .with(&[])
                .into_iter()
                .filter(|(series, _)| *series == name || open.iter().any(|open| series.starts_with(open.trim_end())))
            {
                assert!(next.value(series) >= before, "{series} fell from {before}");
            }
        }
        last = next;
    }
    assert_eq!(last.value("cognito_import_watch_config_last_reload_successful"), 1.0);
    daemon.reload("[poll]\njiter = 0.1\n");
    let rejected = "cognito_import_watch_config_reloads_total{outcome=\"rejected\"}";
    let wrong = daemon.scrape_with(|scrape| scrape.value(rejected) > 0.0);
    assert_eq!(wrong.value("cognito_import_watch_config_last_reload_successful"), 0.0);
    let since = "cognito_import_watch_config_last_reload_success_timestamp_seconds";
    assert_eq!(wrong.value(since), last.value(since));
    daemon.reload(&watched(&["a"]));
    let right = daemon.scrape_with(|scrape| scrape.value("cognito_import_watch_config_last_reload_successful") > 0.0);
    assert!(right.value(since) > last.value(since));
    daemon.stop();
}

#[test]
fn each_event_is_counted_once_however_often_it_is_scraped_and_started() {
    let over = "{polls = 1, status = \"InProgress\", failed = 1},\n{status = \"Succeeded\", imported = 9, failed = 1}";
    let stage = Stage::new(&jobs([("a", over), ("b", RUNNING)]));
    let tables = format!("[state]\npath = {:?}\n{}", stage.path().join("state.db"), watched(&["a", "b"]));
    let daemon = Daemon::start(&stage, &tables);
    let done = "cognito_import_watch_jobs_completed_total{verdict=\"too_many_failed_users\"}";
    let is_done = |scrape: &super::Scrape| {
        scrape.value(done) > 0.0 && scrape.value("cognito_import_watch_events_waiting{sink=\"log\"}") == 0.0
    };
    let scrape = daemon.scrape_with(is_done);
    let again = daemon.scrape();
    assert_eq!(scrape.value(done), 1.0);
    assert!(scrape.value("cognito_import_watch_state_commits_total") >= 1.0);
    assert_eq!(scrape.value("cognito_import_watch_state_writable"), 1.0);
    let told = events(&daemon.stop());
    for name in ["job.first_seen", "job.status_changed", "job.failed_users", "job.completed", "daemon.started"] {
        let series = format!("cognito_import_watch_events_total{{event=\"{name}\"}}");
        let count = told.iter().filter(|event| event["event"] == name).count();
        assert!(count > 0, "{name}");
        assert_eq!((scrape.value(&series), again.value(&series)), (count as f64, count as f64), "{name}");
    }
    // What was told before is not told again, nor counted.
    let daemon = Daemon::start(&stage, &tables);
    let scrape = daemon.scrape_with(|scrape| scrape.sum(&["_polls_total", "\"ok\""]) > 0.0);
    assert_eq!(scrape.sum(&["_events_total", "\"job."]), 0.0);
    assert_eq!(scrape.sum(&["_job_status{", "verdict=\"too_many_failed_users\""]), 1.0);
    daemon.stop();
}

#[test]
fn a_poll_that_fails_is_counted_by_why_and_its_job_is_named() {
    let faults = "[[fault]]\nanswer = { kind = \"error\", code = \"AccessDeniedException\" }\n";
    let stage = Stage::new(&format!("{}{faults}", jobs([("a", RUNNING)])));
    let daemon = Daemon::start(&stage, &watched(&["a"]));
    // Nobody's account: nothing has told it.
    let denied = ["_polls_total{", "account=\"\",region=\"us-west-2\",operation=\"describe\",outcome=\"denied\""];
    // The beginning of a scrape may be older than its end.
    let is_denied =
        |scrape: &super::Scrape| scrape.sum(&denied) > 0.0 && scrape.sum(&["_job_failing{", "denied"]) > 0.0;
    let scrape = daemon.scrape_with(is_denied);
    assert_eq!(scrape.sum(&["_job_last_observed_timestamp_seconds{", "import-a"]), 0.0);
    assert_eq!(scrape.with(&["_job_status{", "status=\"\",verdict=\"\""]).len(), 1, "{}", scrape.text);
    daemon.stop();
}

#[test]
fn whatever_a_job_is_called_a_scrape_can_be_read() {
    let name = r#"night\"ly\\\n job\u0000 ünï"#;
    let stage = Stage::new(&jobs([("a", RUNNING)]).replace("name = \"a\"", &format!("name = \"{name}\"")));
    let daemon = Daemon::start(&stage, &watched(&["a"]));
    let scrape = daemon.scrape_with(|scrape| !scrape.with(&["_job_status{", "InProgress"]).is_empty());
    let shown = r#"name="night\"ly\\\n job� ünï""#;
    let named = scrape.with(&["import-a"]).len();
    assert_eq!(scrape.with(&["import-a", shown]).len(), named, "{}", scrape.text);
    daemon.stop();
}
