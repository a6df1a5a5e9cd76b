//! Any bytes as config files: a plan, or every problem with its place.
//!
//! A form feed, which TOML knows nowhere, ends one file and begins the next of `conf.d`. A length that is a multiple of
//! four adds flags to the files.

use std::time::Duration;

use cognito_import_watch::config::{
    Diagnostic, Excerpt, Fault, LogLevel, Origin, Overrides, Plan, Selection, Source, Style, needs_restart, resolve,
};
use cognito_import_watch_core::domain::Limit;

use crate::printable::{assert_one_line, assert_still, assert_still_lines};

/// Resolved twice it is the same plan or the same problems; each problem is in one of the files, and what is said of it
/// stays on its lines.
pub fn fuzz(data: &[u8]) {
    let files: Vec<&[u8]> = data.split(|byte| *byte == 0x0c).take(4).collect();
    let sources: Vec<Source> =
        files.iter().enumerate().map(|(index, bytes)| Source::new(format!("{index}.toml"), *bytes)).collect();
    let overrides = if data.len().is_multiple_of(4) { typed() } else { Overrides::default() };
    let resolved = resolve(&sources, &overrides);
    assert!(resolved == resolve(&sources, &overrides), "the same files mean two things");
    match resolved {
        Ok(plan) => is_sound(&plan),
        Err(problems) => {
            assert!(problems.count() > 0);
            assert_eq!(problems.to_string().lines().count(), problems.count());
            let shown = problems.render(Style::Plain);
            assert_still_lines(&shown);
            if problems.count() == 1 {
                drop(problems.render(Style::Colored));
            }
            let typed = problems.iter().any(|problem| matches!(problem.origin, Origin::CommandLine(_)));
            assert_eq!(problems.fault() == Fault::Usage, typed);
            // No more than a hundred are shown.
            problems.iter().take(100).for_each(|problem| is_told(problem, &files, &shown));
        }
    }
}

fn typed() -> Overrides {
    Overrides {
        targets: ["us-west-2_EXAMPLE/import-a"].iter().filter_map(|target| target.parse().ok()).collect(),
        pools: ["us-west-2_EXAMPLE"].iter().filter_map(|pool| pool.parse().ok()).collect(),
        selection: Selection::Add,
        region: Some("us-west-2".to_owned()),
        profile: Some("typed".to_owned()),
        endpoint_url: Some("http://127.0.0.1:9".to_owned()),
        log_level: Some(LogLevel::Debug),
        max_interval: Some(Duration::from_secs(20)),
        max_failed_users: Some(Limit::Any),
        ..Overrides::default()
    }
}

fn is_sound(plan: &Plan) {
    let accounts = plan.jobs.iter().map(|job| job.account).chain(plan.pools.iter().map(|pool| pool.account));
    for account in accounts {
        assert!(plan.account(account).is_some(), "an account that does not exist");
    }
    let mut targets: Vec<_> = plan.jobs.iter().map(|job| &job.target).collect();
    targets.sort();
    assert!(targets.windows(2).all(|pair| pair[0] != pair[1]), "a target is watched twice");
    let mut pools: Vec<_> = plan.pools.iter().map(|pool| &pool.id).collect();
    pools.sort();
    assert!(pools.windows(2).all(|pair| pair[0] != pair[1]), "a pool is watched twice");
    assert!(plan.poll.backoff.initial() <= plan.poll.backoff.max() && !plan.poll.backoff.initial().is_zero());
    assert_eq!(needs_restart(plan, plan), [""; 0]);
    let cost = plan.cost();
    for lane in &cost.lanes {
        assert!(lane.likely.per_minute.is_finite() && lane.ceiling_per_minute.is_finite());
        assert_still(&lane.to_string());
    }
    cost.warnings.iter().for_each(|warning| assert_still(&warning.to_string()));
}

fn is_told(problem: &Diagnostic, files: &[&[u8]], shown: &str) {
    assert_still(&problem.to_string());
    assert_still(&problem.message);
    problem.help.iter().for_each(|help| assert_still(help));
    if let Origin::File(excerpt) = &problem.origin {
        is_inside(excerpt, files);
        assert!(shown.contains(&format!("--> {excerpt}")), "{excerpt} is not in\n{shown}");
        let _ = excerpt.marked();
    }
    if let Some((excerpt, what)) = &problem.other {
        is_inside(excerpt, files);
        assert_one_line(what);
    }
}

fn is_inside(excerpt: &Excerpt, files: &[&[u8]]) {
    let index = excerpt.file.strip_suffix(".toml").and_then(|index| index.parse::<usize>().ok());
    let Some(bytes) = index.and_then(|index| files.get(index)) else { panic!("{excerpt} is in no file") };
    // UTF-16 and what is too long are told at the first character, of whatever line.
    let line = bytes.split(|byte| *byte == b'\n').nth(excerpt.line.wrapping_sub(1));
    let Some(line) = line else { panic!("{excerpt}: there is no such line") };
    let columns = String::from_utf8_lossy(line).chars().count() + 1;
    assert!((1..=columns).contains(&excerpt.column), "{excerpt}: there is no such column");
}
