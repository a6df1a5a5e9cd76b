//! `schema`, `completions` and `man`: pages that are made from the program itself.

use std::io;

use clap::CommandFactory as _;

use super::console::Console;
use crate::cli::{Cli, CompletionsArgs};
use crate::config;
use crate::exit::{CommandError, Exit};

/// Prints the JSON Schema of the config file.
pub(super) fn schema(console: &Console) -> Result<Exit, CommandError> {
    console.result(&format!("{:#}\n", config::schema()))?;
    Ok(Exit::Success)
}

/// Prints completions for a shell.
pub(super) fn completions(args: &CompletionsArgs, console: &Console) -> Result<Exit, CommandError> {
    let mut page = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), env!("CARGO_PKG_NAME"), &mut page);
    print(&page, console)
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
    clap_mangen::Man::new(command.clone()).render(page)?;
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
