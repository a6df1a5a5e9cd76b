//! Prints what the simulation answers: one table for each question.

use std::io::Write as _;
use std::process::ExitCode;

use cognito_import_quota::population::{ALL, Size};

const USAGE: &str =
    "usage: cognito-import-quota [usual|start|stress|outage|neighbour|intervals]... [--seeds N] [--jobs N]";

fn main() -> ExitCode {
    if let Some(row) = std::env::args().nth(2).filter(|_| std::env::args().nth(1).as_deref() == Some("scale-row")) {
        let row = cognito_import_quota::scale::Row::numbered(&row).unwrap();
        let (b, n) = row.measure();
        writeln!(std::io::stdout(), "{row:?} {b:.0} bytes/job {n:.0} ns/request").unwrap();
        return ExitCode::SUCCESS;
    }
    let (names, size) = match read(std::env::args().skip(1)) {
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
        if writeln!(std::io::stdout(), "{table}").is_err() {
            return ExitCode::FAILURE; // Nobody reads any more.
        }
    }
    ExitCode::SUCCESS
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
            name if ALL.iter().any(|(known, _)| *known == name) => names.push(name.to_owned()),
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
