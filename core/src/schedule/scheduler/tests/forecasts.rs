//! What is forecast of a plan, held against what the scheduler then does.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::*;
use crate::schedule::forecast::{Finding, PoolLoad, Tightest, Way, forecast};

/// How the jobs of a plan behave, and where its lists show them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Jobs {
    /// Nothing changes.
    Still,
    /// Counters move all the time.
    Moving,
    /// Nothing changes, and each has a page of newer ones before it.
    Deep,
    /// Nothing changes, and lists are refused.
    Refused,
}

/// What was really asked and seen.
#[derive(Debug)]
struct Measured {
    per_second: f64,
    longest_unseen: Duration,
}

/// Runs the scheduler on a plan, and looks at it from the fifth minute on.
fn measured(pools: &[PoolLoad], jobs: Jobs, batch: Batch, backoff: &BackoffPolicy, ceilings: &Ceilings) -> Measured {
    const FROM: Duration = Duration::from_secs(300);
    const MINUTES: u64 = 8;
    let takes = Duration::from_millis(40);
    let seen: Rc<RefCell<HashMap<String, Vec<Duration>>>> = Rc::default();
    let service = {
        let (seen, pools) = (Rc::clone(&seen), pools.to_vec());
        move |question: &Question, now: Duration| {
            let by_list = matches!(question, Question::List { .. });
            let shows = |id: &str| {
                if !by_list || batch == Batch::Auto {
                    seen.borrow_mut().entry(id.to_owned()).or_default().push(now + takes);
                }
                match jobs {
                    Jobs::Still | Jobs::Deep | Jobs::Refused => shown("Created", 0),
                    Jobs::Moving => JobSnapshot {
                        counts: Counts { imported: now.as_millis() as u64, skipped: 0, failed: 0 },
                        ..shown("InProgress", 0)
                    },
                }
            };
            let result = match question {
                Question::Describe(target) => PollResult::Job(shows(target.job.as_str()), None),
                Question::List { .. } if jobs == Jobs::Refused => failed(ErrorKind::Denied),
                Question::List { pool, token } => {
                    let index: usize = pool.as_str().strip_prefix("us-west-2_P").unwrap().parse().unwrap();
                    let from: usize = token.as_deref().map_or(0, |token| token.parse().unwrap());
                    let apart = if jobs == Jobs::Deep { 60 } else { 1 };
                    let all = pools[index].jobs * apart;
                    let page = (from..all.min(from + 60)).map(|seat| {
                        let id = match seat % apart {
                            at if at + 1 == apart => format!("import-{index}-{}", seat / apart),
                            _ => format!("import-{index}-other-{seat}"),
                        };
                        (id.parse().unwrap(), shows(&id))
                    });
                    PollResult::Page(PoolPage {
                        jobs: page.collect(),
                        next: (from + 60 < all).then(|| (from + 60).to_string()),
                        date: None,
                    })
                }
            };
            (result, takes)
        }
    };
    let settings =
        Settings { backoff: backoff.clone(), ceilings: ceilings.clone(), batch, ..settings(Ending::WhenStopped) };
    let mut world = World::new(settings, Box::new(service));
    for (index, load) in pools.iter().enumerate() {
        for number in 0..load.jobs {
            world.watch_with(&format!("us-west-2_P{index}/import-{index}-{number}"), 0, |policy| {
                policy.stall_after = None;
            });
        }
        if load.finding == Finding::AllJobs {
            world.feed(Input::Pool(NewPool {
                id: format!("us-west-2_P{index}").parse().unwrap(),
                ..super::memory::pool(Vec::new())
            }));
        }
    }
    let until = FROM + 60 * MINUTES as u32 * SECOND;
    world.run(until);
    let sent = world.sent.iter().filter(|(at, _)| *at >= FROM).count();
    let seen = seen.borrow();
    let gaps = seen.iter().filter(|(id, _)| !id.contains("other")).flat_map(|(_, at)| {
        let ends = at.iter().copied().chain([until]);
        at.iter().zip(ends.skip(1)).filter(|(_, end)| *end >= FROM).map(|(begin, end)| end.saturating_sub(*begin))
    });
    Measured { per_second: sent as f64 / (60 * MINUTES) as f64, longest_unseen: gaps.max().unwrap_or_default() }
}

fn named(jobs: usize) -> PoolLoad {
    PoolLoad { jobs, finding: Finding::NamedOnly }
}

fn whole(jobs: usize) -> PoolLoad {
    PoolLoad { jobs, finding: Finding::AllJobs }
}

/// Holds the forecast of a plan against what is done: the requests within a fifth, no gap longer than told.
fn holds(pools: &[PoolLoad], jitter: f64, ceilings: &Ceilings) {
    let backoff = BackoffPolicy::new(2 * SECOND, 30 * SECOND, 1.5, jitter).unwrap();
    let no_finding = pools.iter().all(|pool| pool.finding == Finding::NamedOnly);
    let few = pools.iter().all(|pool| pool.jobs <= 20);
    for (jobs, batch, way) in [
        (Jobs::Still, Batch::Auto, Way::Lists),
        (Jobs::Moving, Batch::Auto, Way::Lists),
        (Jobs::Still, Batch::Never, Way::Alone),
        (Jobs::Moving, Batch::Never, Way::Alone),
        (Jobs::Deep, Batch::Auto, Way::Alone),
        (Jobs::Refused, Batch::Auto, Way::Alone),
    ] {
        match jobs {
            // Such a pool would find the jobs between those.
            Jobs::Deep if !(few && no_finding) => continue,
            // Nor could it find any.
            Jobs::Refused if !no_finding => continue,
            Jobs::Deep | Jobs::Refused | Jobs::Still | Jobs::Moving => {}
        }
        let forecast = forecast(pools, way, &backoff, ceilings);
        let measured = measured(pools, jobs, batch, &backoff, ceilings);
        let told = if jobs == Jobs::Moving { forecast.busy } else { forecast.calm };
        let case = format!("{pools:?}, jitter {jitter}, {jobs:?}, {batch:?}: {forecast:?}, and it was {measured:?}");
        assert!((told / measured.per_second - 1.0).abs() <= 0.2, "{case}");
        assert!(measured.longest_unseen <= forecast.longest_unseen + Duration::from_millis(10), "{case}");
    }
}

#[test]
fn jobs_of_one_pool_cost_what_is_forecast() {
    for (jobs, jitter) in [(1, 0.2), (3, 0.0), (5, 0.2), (20, 0.0), (20, 0.5), (100, 0.2)] {
        holds(&[named(jobs)], jitter, &Ceilings::default());
    }
}

#[test]
fn a_list_of_many_pages_costs_what_is_forecast() {
    holds(&[named(400)], 0.2, &Ceilings::default());
}

#[test]
fn many_pools_cost_what_is_forecast() {
    holds(&[named(1); 130], 0.2, &Ceilings::default());
    holds(&[named(10); 9], 0.2, &Ceilings::default());
    holds(&[named(70); 3], 0.2, &Ceilings::default());
}

#[test]
fn pools_that_are_watched_as_a_whole_cost_what_is_forecast() {
    for jobs in [0, 1, 2, 50] {
        holds(&[whole(jobs)], 0.2, &Ceilings::default());
    }
    holds(&[whole(2)], 0.0, &Ceilings::default());
    holds(&[whole(0); 130], 0.2, &Ceilings::default());
    holds(&[named(100), named(1), whole(0), whole(5)], 0.2, &Ceilings::default());
}

#[test]
fn other_ceilings_cost_what_is_forecast() {
    holds(&[named(20); 2], 0.2, &Ceilings::new(0.5, 0.3, 16).unwrap());
    holds(&[named(200)], 0.2, &Ceilings::new(20.0, 5.0, 16).unwrap());
    holds(&[named(7), whole(0)], 0.3, &Ceilings::new(1.0, 1.0, 1).unwrap());
}

#[test]
fn the_ceiling_that_binds_is_named() {
    let of = |pools: &[PoolLoad]| forecast(pools, Way::Alone, &BackoffPolicy::default(), &Ceilings::default());
    assert_eq!(of(&[named(100)]).tightest, Tightest::Pool);
    assert_eq!(of(&[named(10); 9]).tightest, Tightest::Lane);
    let nothing = of(&[]);
    assert_eq!((nothing.round, nothing.longest_unseen), (Duration::ZERO, 30 * SECOND));
    assert!(nothing.calm.abs() < 1e-9);
}
