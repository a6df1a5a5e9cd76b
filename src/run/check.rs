//! `check`: every problem of a config at once, or what its plan costs. No network.

use serde_json::{Value, json};

use super::console::Console;
use super::load;
use crate::cli::{CheckArgs, Output, Shared};
use crate::config::{Diagnostics, Origin, Plan, PlanCost};
use crate::exit::{CommandError, Exit};

/// Checks a config.
///
/// # Errors
/// Code 2 when no config is named, 78 when it is wrong.
pub(super) fn check(args: &CheckArgs, shared: &Shared, console: &Console) -> Result<Exit, CommandError> {
    let sources = load::sources(&args.config)?;
    if sources.is_empty() {
        return Err(CommandError::new(Exit::Usage, "nothing to check: give --config FILE"));
    }
    match load::resolve_to_watch(&sources, &load::overrides(shared)) {
        Ok(plan) => {
            console.result(&match shared.output {
                Output::Text => text(&plan),
                Output::Json => format!("{}\n", cost_json(&plan.cost())),
            })?;
            Ok(Exit::Success)
        }
        Err(problems) => {
            if shared.output == Output::Json {
                console.result(&format!("{}\n", problems_json(&problems)))?;
            }
            Err(load::refused(&problems, console))
        }
    }
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

fn cost_json(cost: &PlanCost) -> Value {
    let lanes: Vec<Value> = cost
        .lanes
        .iter()
        .map(|lane| {
            json!({
                "account": lane.account, "region": lane.region, "jobs": lane.jobs, "pools": lane.pools,
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
