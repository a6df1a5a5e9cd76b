//! The commands, one file each: here the rooms are put together.
//!
//! [`perform`] is the table of contents. `load` reads what is to be watched, `lanes` says who asks for it, `engine` puts scheduler, sources and
//! driver together, `console` is where results and errors are printed; the rest are the commands.

mod check;
mod check_online;
mod console;
mod daemon;
mod daemon_log;
mod demo;
mod engine;
mod history;
mod iam_policy;
mod lanes;
mod list;
mod load;
mod outlet;
mod pace;
mod pages;
mod pool_log;
mod record;
mod reload;
mod serve;
mod silent;
mod simulate;
mod state;
mod status;
mod wait;

use crate::cli::{Cli, Command};
use crate::exit::{CommandError, Exit};

use console::Console;

/// Performs a command, printing what it has to say; gives the code to end with.
#[must_use]
pub fn perform(cli: Cli) -> Exit {
    let console = Console::new(&cli.shared);
    let shared = cli.shared;
    let done = match cli.command {
        Command::Run(args) => on_runtime(daemon::run(args, shared, &console)),
        Command::Wait(args) => on_runtime(wait::wait(args, shared, &console)),
        Command::Status(args) => on_runtime(status::status(args, shared, &console)),
        Command::List(args) => on_runtime(list::list(args, shared, &console)),
        Command::History(args) => history::history(&args, &shared, &console),
        Command::Check(args) => check::check(&args, &shared, &console),
        Command::IamPolicy(args) => iam_policy::iam_policy(&args, &shared, &console),
        Command::Schema => pages::schema(&console),
        Command::Demo => on_runtime(demo::demo(&shared, &console)),
        Command::Simulate(args) => on_runtime(simulate::simulate(args, shared.output, &console)),
        Command::Completions(args) => pages::completions(&args, &console),
        Command::Man => pages::man(&console),
    };
    done.unwrap_or_else(|error| {
        console.error(&error);
        error.exit
    })
}

/// How many file descriptors a command needs at the least: for the runtime, the state file, a connection.
const DESCRIPTORS: usize = 16;

/// Runs a command on a runtime of one thread: the work is waiting.
fn on_runtime(command: impl Future<Output = Result<Exit, CommandError>>) -> Result<Exit, CommandError> {
    spare_descriptors()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::new(Exit::Internal, format!("cannot start the runtime: {error}")))?;
    let done = runtime.block_on(command);
    // A name that is being looked up on a thread of its own must not hold up the end.
    runtime.shutdown_background();
    done
}

/// The runtime panics where it finds too few file descriptors.
fn spare_descriptors() -> Result<(), CommandError> {
    let spare: std::io::Result<Vec<_>> = (0..DESCRIPTORS).map(|_| std::fs::File::open("/dev/null")).collect();
    let words = |error| {
        let todo = "allow it more file descriptors (ulimit -n, or LimitNOFILE= of its unit)";
        CommandError::new(Exit::Internal, format!("cannot start: {error}; {todo}"))
    };
    spare.map(drop).map_err(words)
}
