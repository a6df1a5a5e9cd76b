//! The program: what was typed, what is performed, and the code it ends with.

use std::process::ExitCode;

use cognito_import_watch::cli::Cli;
use cognito_import_watch::run;

fn main() -> ExitCode {
    run::perform(Cli::read()).into()
}
