//! Answers the questions about the jobs, a page at a time.
//!
//! Called by the loop between its turns.

use std::sync::Arc;

use cognito_import_watch_core::schedule::{JobView, LaneView, Now, PoolView, Scheduler};

use crate::ask::{Ask, AskError, Asks, Cursor, JOBS_OF_A_PAGE, JobRow, JobsPage, LaneRow, Overview, PoolRow};

/// The next question. Cancel-safe; never comes where nobody may ask.
pub(super) async fn next(asks: &mut Option<Asks>) -> Option<Ask> {
    match asks {
        Some(asks) => asks.recv().await,
        None => std::future::pending().await,
    }
}

/// Answers a question about a scheduler whose jobs have the numbers of this edition.
pub(super) fn answer(ask: Ask, scheduler: &Scheduler, edition: u64, now: Now) {
    match ask {
        // Whoever asked may have gone.
        Ask::Jobs { after, reply } => drop(reply.send(page(after, scheduler, edition, now))),
        Ask::Overview { reply } => drop(reply.send(overview(scheduler, now))),
    }
}

fn page(after: Option<Cursor>, scheduler: &Scheduler, edition: u64, now: Now) -> Result<JobsPage, AskError> {
    let first = match after {
        None => 0,
        Some(cursor) if cursor.edition == edition => cursor.next,
        Some(_) => return Err(AskError::Replaced),
    };
    let end = scheduler.numbers().end.min(first.saturating_add(JOBS_OF_A_PAGE));
    let jobs = (first..end).filter_map(|job| scheduler.view(job, now)).map(row).collect();
    let next = (end < scheduler.numbers().end).then_some(Cursor { edition, next: end });
    Ok(JobsPage { jobs, next })
}

fn overview(scheduler: &Scheduler, now: Now) -> Overview {
    let lane = |lane: LaneView| LaneRow {
        lane: lane.lane.0,
        requests_per_second: lane.requests_per_second,
        max_requests_per_second: lane.max_requests_per_second,
        in_flight: lane.in_flight,
        is_throttled: lane.is_throttled,
    };
    let pool = |pool: PoolView<'_>| PoolRow { pool: pool.pool.clone(), failing: pool.failing };
    Overview { lanes: scheduler.lanes(now.tick).map(lane).collect(), pools: scheduler.pools().map(pool).collect() }
}

fn row(view: JobView) -> JobRow {
    JobRow {
        job: view.track.identity(&view.watched),
        snapshot: view.track.known().cloned(),
        observed_at: view.track.last_good(),
        changed_at: view.track.changed(),
        policy: Arc::clone(&view.watched.terms.policy),
        verdict: view.verdict,
        error: view.track.failing().cloned(),
        failing_since: view.track.failing_since(),
        next_poll: view.next_poll,
        polls: view.polls,
        percent: view.percent,
        eta: view.eta,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cognito_import_watch_core::domain::{Tick, Timestamp, WatchedJob};
    use cognito_import_watch_core::schedule::{
        BackoffPolicy, Batch, Ceilings, Ending, Input, LaneIndex, NewJob, Settings,
    };

    use super::*;

    fn watching(jobs: usize) -> Scheduler {
        let settings = Settings {
            backoff: BackoffPolicy::default(),
            ceilings: Ceilings::default(),
            batch: Batch::Auto,
            ending: Ending::WhenStopped,
            seed: 1,
        };
        let mut scheduler = Scheduler::new(settings, Tick::ZERO);
        for job in 0..jobs {
            let target = format!("us-west-2_A/import-{job}").parse().unwrap();
            let job = WatchedJob { target, terms: Arc::default() };
            drop(scheduler.handle(now(), Input::Job(NewJob { lane: LaneIndex(0), job, known: None })));
        }
        scheduler
    }

    fn now() -> Now {
        Now { tick: Tick::ZERO, wall: Timestamp::from_millis(0) }
    }

    #[test]
    fn every_job_is_on_one_page_in_the_order_of_the_config() {
        for count in [0, 1, JOBS_OF_A_PAGE, 2 * JOBS_OF_A_PAGE + 1] {
            let scheduler = watching(count);
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = page(after, &scheduler, 7, now()).unwrap();
                assert!(page.jobs.len() <= JOBS_OF_A_PAGE);
                seen.extend(page.jobs.iter().map(|job| job.job.target.job.as_str().to_owned()));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert!(seen.into_iter().eq((0..count).map(|job| format!("import-{job}"))));
        }
    }

    #[test]
    fn a_page_of_jobs_that_were_numbered_anew_is_refused() {
        let scheduler = watching(JOBS_OF_A_PAGE + 1);
        let next = page(None, &scheduler, 0, now()).unwrap().next;
        assert!(next.is_some());
        assert_eq!(page(next, &scheduler, 1, now()), Err(AskError::Replaced));
        assert_eq!(page(next, &scheduler, 0, now()).map(|page| page.jobs.len()), Ok(1));
    }
}
