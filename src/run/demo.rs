//! `demo`.

use super::console::Console;
use crate::cli::Shared;
use crate::exit::{CommandError, Exit};

pub(super) async fn demo(_: &Shared, _: &Console) -> Result<Exit, CommandError> {
    Ok(Exit::Success)
}
