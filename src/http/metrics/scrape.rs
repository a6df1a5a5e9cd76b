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
    tally: Tally,
    /// Which metric of single jobs comes next; those before it are written.
    next: usize,
    /// Where its next page begins; `None` before the first one.
    after: Option<Cursor>,
}

impl Scrape {
    /// Begins one.
    ///
    /// # Errors
    /// When the loop does not answer: then whoever scrapes has to learn it.
    pub async fn begin(figures: &Figures, asker: Asker) -> Result<Self, AskError> {
        let mut text = Text::default();
        figures.write(&mut text, &asker.overview().await?);
        Ok(Self { asker, text, tally: Tally::default(), next: 0, after: None })
    }

    /// The next piece; `None` after the last.
    ///
    /// # Errors
    /// When the loop does not answer any more. What was given so far is no whole scrape then.
    pub async fn next(&mut self) -> Result<Option<String>, AskError> {
        let written = self.text.take();
        if !written.is_empty() {
            return Ok(Some(written));
        }
        while let Some(metric) = OF_JOBS.get(self.next) {
            if self.after.is_none() {
                self.text.begin(metric.family);
            }
            let next = match self.asker.jobs(self.after).await {
                Ok(page) => {
                    for row in &page.jobs {
                        (metric.write)(&mut self.text, row);
                        if self.next == 0 {
                            self.tally.add(row);
                        }
                    }
                    page.next
                }
                // The config was read again meanwhile. To begin anew would give some jobs twice: this metric lacks some
                // in this scrape.
                Err(AskError::Replaced) => None,
                Err(AskError::Silent) => return Err(AskError::Silent),
            };
            self.after = next;
            if next.is_none() {
                if self.next == 0 {
                    self.tally.write(&mut self.text);
                }
                self.next += 1;
            }
            let written = self.text.take();
            if !written.is_empty() {
                return Ok(Some(written));
            }
        }
        Ok(None)
    }
}
