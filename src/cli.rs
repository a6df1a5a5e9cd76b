//! What may be typed: commands and flags, each with its environment variable. Parsing validates and does nothing.
//!
//! Called by `main`, once. `values` says what the flags may be given.

mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{FalseyValueParser, OsStr, Resettable};
use clap::{Arg, ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use cognito_import_watch_core::domain::{Limit, Target, UserPoolId};

use crate::config::{LogFormat, LogLevel, parse_duration};
use crate::exit::Exit;
use crate::output::progress::ProgressChoice;
use crate::telemetry::ColorChoice;

pub use values::{Since, Watched};
use values::{limit, log_format, log_level, pool, since, target, watched};

/// Watches Amazon Cognito user import jobs until they complete.
#[derive(Debug, Parser)]
#[command(name = "cognito-import-watch", version, max_term_width = 100, after_long_help = exit_codes())]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub shared: Shared,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the command line and the variables of the flags; on wrong usage, and for help, the process ends here with
    /// code 2 or 0. A variable that is set to nothing counts as unset, as pipelines leave them.
    #[must_use]
    pub fn read() -> Self {
        let command = Self::command().mut_args(without_empty_variable);
        let command = command.mut_subcommands(|command| command.mut_args(without_empty_variable));
        let read = Self::from_arg_matches(&command.get_matches());
        read.unwrap_or_else(|error| error.exit())
    }
}

fn without_empty_variable(flag: Arg) -> Arg {
    let is_empty = flag.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if is_empty { flag.env(Resettable::<OsStr>::Reset) } else { flag }
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Flags of every command")]
pub struct Shared {
    /// The form of the result on stdout
    #[arg(long, global = true, value_enum, default_value_t, env = "COGNITO_IMPORT_WATCH_OUTPUT")]
    pub output: Output,
    /// The region every pool must be in; a pool's id names it already
    #[arg(long, global = true, env = "COGNITO_IMPORT_WATCH_REGION")]
    pub region: Option<String>,
    /// The profile of the AWS files to use
    #[arg(long, global = true, env = "COGNITO_IMPORT_WATCH_PROFILE")]
    pub profile: Option<String>,
    /// The address to ask instead of the service's own
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url, env = "COGNITO_IMPORT_WATCH_ENDPOINT_URL")]
    pub endpoint_url: Option<String>,
    /// The least that is logged [default: info for `run`, warn otherwise]
    #[arg(long, global = true, value_name = "LEVEL", value_parser = log_level, env = "COGNITO_IMPORT_WATCH_LOG_LEVEL")]
    pub log_level: Option<LogLevel>,
    /// The form of the log [default: auto]
    #[arg(long, global = true, value_name = "FORMAT", value_parser = log_format, env = "COGNITO_IMPORT_WATCH_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Nothing on stderr but errors
    #[arg(long, short, global = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "COGNITO_IMPORT_WATCH_QUIET")]
    pub quiet: bool,
    /// Colour; NO_COLOR is honoured by `auto`
    #[arg(long, global = true, value_enum, default_value_t, env = "COGNITO_IMPORT_WATCH_COLOR")]
    pub color: ColorChoice,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The daemon: watch every configured job and pool until stopped, or until all are complete
    Run(RunArgs),
    /// One shot: block until every job is over, print one result, exit with a code
    Wait(WaitArgs),
    /// Ask the service once and print where the jobs are
    Status(StatusArgs),
    /// Print a pool's import jobs, newest first
    List(ListArgs),
    /// Print the events that `run` recorded in its state file
    History(HistoryArgs),
    /// Check a config file and say what its plan costs, without network unless --online
    Check(CheckArgs),
    /// Print the least IAM policy for a config file, without network
    IamPolicy(IamPolicyArgs),
    /// Print the JSON Schema of the config file
    Schema,
    /// Everything on this machine: a local Cognito, real import jobs in it, the daemon on them
    Demo,
    /// The local Cognito alone, for any AWS SDK or the AWS CLI
    Simulate(SimulateArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

/// Where the config comes from.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArgs {
    /// The config file; conf.d/*.toml beside it is read too
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "COGNITO_IMPORT_WATCH_CONFIG")]
    pub config: Option<PathBuf>,
    /// A whole config file as text; from the environment alone
    #[arg(skip = std::env::var("COGNITO_IMPORT_WATCH_CONFIG_TOML").ok().filter(|text| !text.is_empty()))]
    pub config_text: Option<String>,
}

/// Flags of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Jobs and whole pools to watch beside the file's.
    #[arg(value_name = "TARGET|POOL", value_parser = watched, help = "Jobs (<user-pool-id>/<job-id>) and whole pools (<user-pool-id>) to watch beside the file's")]
    pub watched: Vec<Watched>,
    /// Where the config comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// End when every job is over, with the codes of `wait`
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "COGNITO_IMPORT_WATCH_EXIT_WHEN_COMPLETE")]
    pub exit_when_complete: bool,
}

/// Flags of `wait`.
#[derive(Debug, Args)]
pub struct WaitArgs {
    /// Jobs to wait for.
    #[arg(value_name = "TARGET", value_parser = target, help = "Jobs to wait for: <user-pool-id>/<job-id>")]
    pub targets: Vec<Target>,
    /// Where the config comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The most time to wait; 0 looks once [default: none]
    #[arg(long, allow_hyphen_values = true, value_name = "DURATION", value_parser = parse_duration, env = "COGNITO_IMPORT_WATCH_TIMEOUT")]
    pub timeout: Option<Duration>,
    /// Give up when no poll of a job succeeds for so long; 0 for never
    #[arg(long, allow_hyphen_values = true, value_name = "DURATION", value_parser = parse_duration, default_value = "15m", env = "COGNITO_IMPORT_WATCH_UNOBSERVED_TIMEOUT")]
    pub unobserved_timeout: Duration,
    /// Users that may fail in a job that Succeeded [default: 0]
    #[arg(long, allow_hyphen_values = true, value_name = "N|any", value_parser = limit, env = "COGNITO_IMPORT_WATCH_MAX_FAILED_USERS")]
    pub max_failed_users: Option<Limit>,
    /// Users that may be skipped in a job that Succeeded [default: any]
    #[arg(long, allow_hyphen_values = true, value_name = "N|any", value_parser = limit, env = "COGNITO_IMPORT_WATCH_MAX_SKIPPED_USERS")]
    pub max_skipped_users: Option<Limit>,
    /// A Failed job whose every row was skipped counts as met
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "COGNITO_IMPORT_WATCH_ALLOW_ALL_SKIPPED")]
    pub allow_all_skipped: bool,
    /// Rows of the CSV, for percent and time left
    #[arg(long, allow_hyphen_values = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "csv", env = "COGNITO_IMPORT_WATCH_EXPECTED_USERS")]
    pub expected_users: Option<u64>,
    /// The CSV that was uploaded, to count its rows
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "COGNITO_IMPORT_WATCH_CSV")]
    pub csv: Option<PathBuf>,
    /// The first interval between two polls [default: 2s]
    #[arg(long, allow_hyphen_values = true, value_name = "DURATION", value_parser = parse_duration, env = "COGNITO_IMPORT_WATCH_INITIAL_INTERVAL")]
    pub initial_interval: Option<Duration>,
    /// The longest interval between two polls [default: 30s]
    #[arg(long, allow_hyphen_values = true, value_name = "DURATION", value_parser = parse_duration, env = "COGNITO_IMPORT_WATCH_MAX_INTERVAL")]
    pub max_interval: Option<Duration>,
    /// Progress on stderr: live on a terminal, a line per change otherwise
    #[arg(long, value_enum, default_value_t, env = "COGNITO_IMPORT_WATCH_PROGRESS")]
    pub progress: ProgressChoice,
    /// A file to append the result to, in Markdown [default: the file that GITHUB_STEP_SUMMARY names]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "COGNITO_IMPORT_WATCH_SUMMARY")]
    pub summary: Option<PathBuf>,
    /// The file that GitHub Actions appends to the page of the run; from the environment alone
    #[arg(skip = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from))]
    pub step_summary: Option<PathBuf>,
    /// A file for the result as JUnit XML; it is replaced
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "COGNITO_IMPORT_WATCH_JUNIT")]
    pub junit: Option<PathBuf>,
}

/// Flags of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Jobs to ask about.
    #[arg(value_name = "TARGET", value_parser = target, help = "Jobs to ask about: <user-pool-id>/<job-id>")]
    pub targets: Vec<Target>,
    /// Where the config comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Ask the state file of `run` in place of the service
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "COGNITO_IMPORT_WATCH_RECORDED")]
    pub recorded: bool,
    /// The state file for --recorded, in place of the config's; unused without it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "COGNITO_IMPORT_WATCH_STATE")]
    pub state: Option<PathBuf>,
}

/// Flags of `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The job whose events to print.
    #[arg(value_name = "TARGET", value_parser = target, help = "The job whose events to print, <user-pool-id>/<job-id> [default: all jobs]")]
    pub target: Option<Target>,
    /// Where the config comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The state file, in place of the config's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "COGNITO_IMPORT_WATCH_STATE")]
    pub state: Option<PathBuf>,
    /// Events since then alone: so long ago, such as 2h, or at a time, such as 2026-11-22T17:00:00Z
    #[arg(long, value_name = "DURATION|TIME", value_parser = since, env = "COGNITO_IMPORT_WATCH_SINCE")]
    pub since: Option<Since>,
}

/// Flags of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Pools whose jobs to print
    #[arg(value_name = "POOL", required = true, value_parser = pool)]
    pub pools: Vec<UserPoolId>,
    /// Where the config comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Flags of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Where the config comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Try each account, each right on each pool, and each named job once, too
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "COGNITO_IMPORT_WATCH_ONLINE")]
    pub online: bool,
}

/// Flags of `iam-policy`.
#[derive(Debug, Args)]
pub struct IamPolicyArgs {
    /// Where the config comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The policies of this account alone; `default` for the default credentials
    #[arg(long, value_name = "NAME", env = "COGNITO_IMPORT_WATCH_ACCOUNT")]
    pub account: Option<String>,
}

/// Flags of `simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9230", env = "COGNITO_IMPORT_WATCH_LISTEN")]
    pub listen: std::net::SocketAddr,
    /// A scenario file: what exists, how jobs run, what goes wrong
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "COGNITO_IMPORT_WATCH_SCENARIO")]
    pub scenario: Option<PathBuf>,
    /// Makes ids and faults the same in every run
    #[arg(long, value_name = "N", env = "COGNITO_IMPORT_WATCH_SEED")]
    pub seed: Option<u64>,
    /// A file that gets a JSON line per answer
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "COGNITO_IMPORT_WATCH_RECORD")]
    pub record: Option<PathBuf>,
    /// The certificate, in PEM: speaks TLS, and nothing else
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key", env = "COGNITO_IMPORT_WATCH_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_cert", env = "COGNITO_IMPORT_WATCH_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
}

/// Flags of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// The form of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// The exit codes, for the long help.
fn exit_codes() -> String {
    let mut codes: Vec<Exit> = Exit::BY_WEIGHT.to_vec();
    codes.sort_by_key(|exit| exit.code());
    let lines: Vec<String> = codes.iter().map(|exit| format!("  {:>3}  {}", exit.code(), exit.meaning())).collect();
    format!("Exit codes of wait and of run --exit-when-complete:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_that_takes_a_file_is_completed_with_files() {
        let mut command = Cli::command();
        command.build();
        let flags: Vec<&Arg> = command.get_subcommands().flat_map(clap::Command::get_arguments).collect();
        let takes_a_file =
            |flag: &Arg| flag.get_value_names().is_some_and(|names| names.iter().any(|name| name.as_str() == "FILE"));
        assert!(flags.iter().filter(|flag| takes_a_file(flag)).count() > 10);
        for flag in flags {
            let file = flag.get_value_hint() == ValueHint::FilePath;
            assert_eq!(file, takes_a_file(flag), "{flag}");
        }
    }

    #[test]
    fn the_command_line_is_sound_and_every_flag_has_its_variable() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        for command in std::iter::once(&command).chain(command.get_subcommands()) {
            for flag in command.get_arguments().filter(|argument| argument.get_long().is_some()) {
                let name = flag.get_long().unwrap();
                if ["help", "version"].contains(&name) {
                    continue;
                }
                let variable = format!("COGNITO_IMPORT_WATCH_{}", name.replace('-', "_").to_uppercase());
                assert_eq!(flag.get_env().and_then(|env| env.to_str()), Some(variable.as_str()), "--{name}");
            }
        }
    }

    #[test]
    fn a_number_below_zero_is_answered_by_the_flag_it_is_for() {
        let answer = |flag: &str, value: &str| Cli::try_parse_from(["c", "wait", flag, value]).unwrap_err().to_string();
        for flag in ["--timeout", "--unobserved-timeout", "--initial-interval", "--max-interval"] {
            let told = answer(flag, "-1s");
            assert!(told.contains("invalid value '-1s'") && told.contains(flag), "{told}");
        }
        for flag in ["--max-failed-users", "--max-skipped-users"] {
            let told = answer(flag, "-1");
            assert!(told.contains("write a whole number, or any"), "{told}");
        }
        let told = answer("--expected-users", "-1");
        assert!(told.contains("invalid value '-1'"), "{told}");
    }
}
