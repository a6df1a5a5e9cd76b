//! `check`: every problem of a config at once, or what its plan costs; with `--online` also whether each account and
//! pool answers.

use std::io;

use cognito_import_watch_core::domain::Verdict;
use serde_json::{Value, json};

use super::check_online::try_all;
use super::console::Console;
use super::{load, on_runtime, pace, status};
use crate::cli::{CheckArgs, Output, Shared};
use crate::config::{Diagnostics, Origin, Plan, PlanCost};
use crate::exit::{CommandError, Exit};
use crate::output::online::OnlineReport;

/// Checks a config. Without `--online` there is no network.
///
/// # Errors
/// Code 2 when no config is named, 78 when it is wrong; with `--online`, when AWS's own settings cannot be used.
pub(super) fn check(args: &CheckArgs, shared: &Shared, console: &Console) -> Result<Exit, CommandError> {
    let sources = load::sources(&args.config)?;
    if sources.is_empty() {
        return Err(CommandError::new(Exit::Usage, "nothing to check: give --config FILE"));
    }
    let plan = match load::resolve_to_watch(&sources, &load::overrides(shared)) {
        Ok(plan) => plan,
        Err(problems) => {
            if shared.output == Output::Json {
                console.result(&format!("{}\n", problems_json(&problems)))?;
            }
            return Err(load::refused(&problems, console));
        }
    };
    if !args.online {
        console.result(&match shared.output {
            Output::Text => text(&plan),
            Output::Json => format!("{}\n", cost_json(&plan.cost())),
        })?;
        return Ok(Exit::Success);
    }
    if shared.output == Output::Text {
        // What asking takes is no reason to wait for what is known.
        console.result(&text(&plan))?;
    }
    on_runtime(async {
        let report = try_all(&plan).await?;
        let failed: Vec<Verdict> = report.errors().map(pace::verdict).collect();
        let exit = status::exit(&failed);
        let text = match shared.output {
            Output::Text => report.text(console.style(&io::stdout()).columns),
            Output::Json => format!("{}\n", online_json(&plan.cost(), &report, exit)),
        };
        Ok(console.conclude(&text, exit))
    })
}

fn text(plan: &Plan) -> String {
    let cost = plan.cost();
    let mut text = String::from("the config is good\n");
    for lane in &cost.lanes {
        text.push_str(&format!("{lane}\n"));
    }
    for warning in &cost.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    text
}

fn online_json(cost: &PlanCost, report: &OnlineReport, exit: Exit) -> Value {
    let mut all = cost_json(cost);
    all["ok"] = json!(exit == Exit::Success);
    all["exit_code"] = json!(exit.code());
    all["online"] = report.json();
    all["jobs_left_out"] = json!(report.jobs_left_out);
    all
}

fn cost_json(cost: &PlanCost) -> Value {
    let lanes: Vec<Value> = cost
        .lanes
        .iter()
        .map(|lane| {
            json!({
                "account": lane.accounts.first(), "accounts": lane.accounts, "region": lane.region, "jobs": lane.jobs, "pools": lane.pools,
                "calls_per_minute": lane.likely.per_minute,
                "calls_per_minute_after_changes": lane.likely.per_minute_after_changes,
                "ceiling_per_minute": lane.ceiling_per_minute,
                "longest_unseen_seconds": lane.likely.longest_unseen.as_secs_f64(),
                "calls_per_minute_without_lists": lane.without_lists.per_minute,
                "calls_per_minute_after_changes_without_lists": lane.without_lists.per_minute_after_changes,
                "longest_unseen_seconds_without_lists": lane.without_lists.longest_unseen.as_secs_f64(),
            })
        })
        .collect();
    let warnings: Vec<String> = cost.warnings.iter().map(ToString::to_string).collect();
    json!({ "ok": true, "lanes": lanes, "warnings": warnings, "problems": [] })
}

fn problems_json(problems: &Diagnostics) -> Value {
    let problems: Vec<Value> = problems
        .iter()
        .map(|problem| {
            let (file, line, column, argument) = match &problem.origin {
                Origin::File(place) => (Some(&place.file), Some(place.line), Some(place.column), None),
                Origin::CommandLine(argument) => (None, None, None, Some(argument)),
            };
            json!({
                "file": file, "line": line, "column": column, "argument": argument,
                "key": problem.key, "message": problem.message, "help": problem.help,
            })
        })
        .collect();
    json!({ "ok": false, "lanes": [], "warnings": [], "problems": problems })
}
