//! `schema`, `completions` and `man`: pages that are made from the program itself.

use std::io;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::console::Console;
use crate::cli::{Cli, CompletionsArgs};
use crate::config;
use crate::exit::{CommandError, Exit};

/// The title of the manual page: its name, section, date, source and manual.
const TITLE: &str = concat!(
    ".TH COGNITO-IMPORT-WATCH 1 \"\" \"cognito-import-watch ",
    env!("CARGO_PKG_VERSION"),
    "\" \"User Commands\""
);

/// Prints the JSON Schema of the config file.
pub(super) fn schema(console: &Console) -> Result<Exit, CommandError> {
    console.result(&format!("{:#}\n", config::schema()))?;
    Ok(Exit::Success)
}

/// Prints completions for a shell.
pub(super) fn completions(args: &CompletionsArgs, console: &Console) -> Result<Exit, CommandError> {
    let mut page = Vec::new();
    let mut command = Cli::command();
    clap_complete::generate(args.shell, &mut command, env!("CARGO_PKG_NAME"), &mut page);
    let page = String::from_utf8_lossy(&page).into_owned();
    let page = match args.shell {
        Shell::Bash => with_names_that_agree(page, &command),
        _ => page,
    };
    print(page.as_bytes(), console)
}

/// clap_complete writes a hyphen of a command's name in two ways (`a__b` and `a__subcmd__b`), and what bash is told of a
/// command is not found again: no flag is completed. Here both are the same.
fn with_names_that_agree(page: String, command: &clap::Command) -> String {
    let names = command.get_subcommands().chain([command]).map(clap::Command::get_name);
    names
        .filter(|name| name.contains('-'))
        .fold(page, |page, name| page.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__")))
}

/// Prints the manual page, with a section for each command.
pub(super) fn man(console: &Console) -> Result<Exit, CommandError> {
    let mut page = Vec::new();
    render(&mut page).map_err(|error| CommandError::new(Exit::Internal, format!("cannot render the page: {error}")))?;
    print(&page, console)
}

fn render(page: &mut Vec<u8>) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let mut first = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut first)?;
    // clap_mangen leaves out the date without marks, so that what follows it is taken for the date.
    let title = |line: &str| if line.starts_with(".TH ") { TITLE.to_owned() } else { line.to_owned() };
    let first: Vec<String> = String::from_utf8_lossy(&first).lines().map(title).collect();
    page.extend_from_slice((first.join("\n") + "\n").as_bytes());
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = command.get_name().to_uppercase();
        let man = clap_mangen::Man::new(command.clone());
        page.extend_from_slice(format!(".SH \"COMMAND {name}\"\n").as_bytes());
        man.render_description_section(page)?;
        man.render_synopsis_section(page)?;
        man.render_options_section(page)?;
    }
    Ok(())
}

fn print(page: &[u8], console: &Console) -> Result<Exit, CommandError> {
    console.result(&String::from_utf8_lossy(page))?;
    Ok(Exit::Success)
}
