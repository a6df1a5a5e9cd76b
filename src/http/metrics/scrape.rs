//! A scrape: text, a piece at a time, so that a hundred thousand jobs take no memory.
//!
//! Written for each request to `/metrics`.

use std::pin::Pin;

use super::fixed::Metrics;
use super::jobs::{OF_JOBS, OfJobs, Tally};
use super::text::Text;
use crate::ask::{AskError, Asker};
use crate::http::chunks::{Chunks, Gone};
use crate::http::scrape::Scrape;

impl Scrape for Metrics {
    fn write<'a>(
        &'a self,
        asker: &'a Asker,
        chunks: &'a Chunks,
    ) -> Pin<Box<dyn Future<Output = Result<(), Gone>> + Send + 'a>> {
        Box::pin(async move {
            let overview = asker.overview().await.map_err(|_| Gone)?;
            let mut text = Text::default();
            self.write_all(&mut text, &overview);
            chunks.send(text.take()).await?;
            let mut tally = Tally::default();
            for (index, metric) in OF_JOBS.iter().enumerate() {
                let counted = if index == 0 { Some(&mut tally) } else { None };
                of_jobs(metric, counted, asker, chunks).await?;
            }
            tally.write(&mut text);
            chunks.send(text.take()).await
        })
    }
}

/// Writes one metric of every job, and counts the jobs where that is asked for.
async fn of_jobs(metric: &OfJobs, mut tally: Option<&mut Tally>, asker: &Asker, chunks: &Chunks) -> Result<(), Gone> {
    let mut text = Text::default();
    text.begin(metric.family);
    let mut after = None;
    loop {
        let page = match asker.jobs(after).await {
            Ok(page) => page,
            // The config was read again meanwhile. To begin anew would give some jobs twice: of this metric this scrape
            // lacks some.
            Err(AskError::Replaced) => return Ok(()),
            Err(AskError::Silent) => return Err(Gone),
        };
        for row in &page.jobs {
            (metric.write)(&mut text, row);
            if let Some(tally) = &mut tally {
                tally.add(row);
            }
        }
        let written = text.take();
        if !written.is_empty() {
            chunks.send(written).await?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
