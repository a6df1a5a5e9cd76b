//! A scrape: text, a piece at a time, so that a hundred thousand jobs take no memory.
//!
//! Begun for each request to `/metrics`, and read until it ends.

use super::fixed::Figures;
use super::jobs::{OF_JOBS, Tally};
use super::text::Text;
use crate::ask::{AskError, Asker, Cursor};

/// A scrape under way.
pub struct Scrape {
    asker: Asker,
    text: Text,
    stage: Stage,
}

/// How far it is.
enum Stage {
    /// The beginning is written; next come the single jobs.
    Begun,
    /// So many metrics of single jobs are written, and this one up to here.
    Jobs(usize, Option<Cursor>),
    /// All is written but the numbers, which were counted with the first metric of single jobs.
    Over,
}

impl Scrape {
    /// Begins one.
    ///
    /// # Errors
    /// When the loop does not answer.
    pub async fn begin(figures: &Figures, asker: Asker) -> Result<Self, AskError> {
        let overview = asker.overview().await?;
        let mut text = Text::default();
        figures.write(&mut text, &overview);
        Ok(Self { asker, text, stage: Stage::Begun })
    }
}
