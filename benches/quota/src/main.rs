//! Prints what the simulation answers: one table for each question.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use cognito_import_quota::population::{ALL, Size};
use cognito_import_quota::scale;

const USAGE: &str =
    "usage: cognito-import-quota [usual|start|stress|outage|neighbour|intervals|scale]... [--seeds N] [--jobs N]";

/// The table that is measured and not simulated.
const SCALE: &str = "scale";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, row] = &arguments[..]
        && word == scale::ROW
    {
        return scale::measured(row).map_or_else(|| complain(USAGE), |figures| print(&figures));
    }
    let (names, size) = match read(arguments.into_iter()) {
        Ok(asked) => asked,
        Err(wrong) => return complain(&format!("{wrong}\n{USAGE}")),
    };
    for (name, table) in ALL {
        if !names.is_empty() && !names.iter().any(|asked| asked == name) {
            continue;
        }
        let table = match table(size) {
            Ok(table) => table,
            Err(error) => return complain(&format!("{name}: {error}")),
        };
        if print(&table) != ExitCode::SUCCESS {
            return ExitCode::FAILURE;
        }
    }
    if names.is_empty() || names.iter().any(|asked| asked == SCALE) {
        return match scale::table() {
            Ok(table) => print(&table),
            Err(error) => complain(&format!("{SCALE}: {error}")),
        };
    }
    ExitCode::SUCCESS
}

fn print(text: &dyn Display) -> ExitCode {
    // It fails where nobody reads any more.
    if writeln!(std::io::stdout(), "{text}").is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The questions by name, none for all of them, and the size.
fn read(mut arguments: impl Iterator<Item = String>) -> Result<(Vec<String>, Size), String> {
    let (mut names, mut size) = (Vec::new(), Size { seeds: 3, jobs: None });
    while let Some(argument) = arguments.next() {
        let mut number = || -> Result<u64, String> {
            let text = arguments.next().unwrap_or_default();
            let number = text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
            number.ok_or_else(|| format!("{argument} {text:?}: a number from 1 to 1000000 is wanted"))
        };
        match argument.as_str() {
            "--seeds" => size.seeds = number()?,
            "--jobs" => size.jobs = usize::try_from(number()?).ok(),
            name if name == SCALE || ALL.iter().any(|(known, _)| *known == name) => names.push(name.to_owned()),
            other => return Err(format!("{other:?} is no population")),
        }
    }
    Ok((names, size))
}

fn complain(message: &str) -> ExitCode {
    // Where nobody hears the complaint the exit code still tells.
    drop(writeln!(std::io::stderr(), "{message}"));
    ExitCode::from(2)
}
