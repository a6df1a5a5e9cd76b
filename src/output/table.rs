//! A table without lines, whose last column takes what is left of the terminal.
//!
//! Called by the results of this folder.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::text::{cut_middle, width};

/// Spaces between two columns.
const GAP: usize = 2;

/// The least that is left to the last column.
const NARROWEST: usize = 12;

/// On which side the text of a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) align: Align,
}

impl Column {
    /// A column of words.
    pub(crate) const fn words(title: &'static str) -> Self {
        Self { title, align: Align::Left }
    }
}

/// The table, a line for each row and one for the titles. Within `terminal` columns the lines of the last cell of
/// each row are cut in their middle; cells are safe to print already.
pub(crate) fn table(columns: &[Column], mut rows: Vec<Vec<String>>, terminal: Option<usize>) -> String {
    if let (Some(terminal), Some(last)) = (terminal, columns.len().checked_sub(1)) {
        let others = (0..last).map(|index| {
            let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| width(cell));
            GAP + cells.chain(columns.get(index).map(|column| width(column.title))).max().unwrap_or(0)
        });
        let left = terminal.saturating_sub(others.sum()).max(NARROWEST);
        for cell in rows.iter_mut().filter_map(|row| row.get_mut(last)) {
            *cell = cell.lines().map(|line| cut_middle(line, left)).collect::<Vec<_>>().join("\n");
        }
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|column| column.title));
    table.add_rows(rows);
    for (column, shape) in columns.iter().zip(table.column_iter_mut()) {
        shape.set_padding((0, GAP as u16));
        shape.set_cell_alignment(match column.align {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        });
    }
    table.trim_fmt() + "\n"
}
