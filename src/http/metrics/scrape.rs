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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use cognito_import_watch_core::domain::{JobIdentity, Target, Timestamp};

    use super::*;
    use crate::ask::{self, Ask, Asks, Cursor, JobRow, JobsPage, Overview};
    use crate::http::body::Part;
    use crate::http::crowd::Caller;
    use crate::http::metrics::Meters;
    use crate::telemetry::{PlainScreen, Printer};

    fn metrics() -> Metrics {
        let printer = Printer::start(PlainScreen(Vec::new()), |count| count.to_string()).unwrap();
        Metrics { meters: Arc::new(Meters::new(Timestamp::from_millis(0))), ledger: None, printer }
    }

    fn row(job: &str) -> JobRow {
        let target: Target = format!("us-west-2_A/import-{job}").parse().unwrap();
        JobRow {
            job: JobIdentity { target, job_name: None, name: None, account: None },
            snapshot: None,
            observed_at: None,
            changed_at: None,
            policy: Arc::default(),
            verdict: None,
            error: None,
            failing_since: None,
            next_poll: None,
            polls: 0,
            percent: None,
            eta: None,
        }
    }

    /// A loop whose config is read again whenever a first page was given.
    async fn always_reloads(mut asks: Asks) {
        while let Some(ask) = asks.recv().await {
            match ask {
                Ask::Overview { reply } => drop(reply.send(Overview::default())),
                Ask::Jobs { after: None, reply } => {
                    let next = Some(Cursor { edition: 0, next: 1 });
                    drop(reply.send(Ok(JobsPage { jobs: vec![row("a")], next })));
                }
                Ask::Jobs { after: Some(_), reply } => drop(reply.send(Err(AskError::Replaced))),
            }
        }
    }

    /// What a scrape of this loop gives, and how it ends.
    async fn scraped(asker: Asker) -> (String, Result<(), Gone>) {
        let (chunks, mut parts) = Chunks::to(&Arc::new(Caller::default()));
        let written = tokio::spawn(async move { metrics().write(&asker, &chunks).await });
        let mut text = String::new();
        while let Some(Part::Text(part)) = parts.recv().await {
            text.push_str(std::str::from_utf8(&part).unwrap());
        }
        (text, written.await.unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_config_that_is_read_again_meanwhile_gives_no_series_twice_and_breaks_nothing_off() {
        let (asker, asks) = ask::channel();
        tokio::spawn(always_reloads(asks));
        let (text, ended) = scraped(asker).await;
        assert_eq!(ended, Ok(()));
        let series: Vec<&str> = text.lines().filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect();
        assert_eq!(series.iter().collect::<BTreeSet<_>>().len(), series.len(), "{text}");
        assert_eq!(text.matches("job_id=\"import-a\"").count(), 3, "{text}");
        assert!(text.ends_with("_jobs{user_pool_id=\"us-west-2_A\",status=\"unseen\"} 1\n"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_does_not_answer_makes_no_whole_scrape() {
        let (asker, asks) = ask::channel();
        assert_eq!(scraped(asker).await, (String::new(), Err(Gone)));
        drop(asks);
    }
}
