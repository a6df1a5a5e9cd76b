//! The tests. `PROPTEST_CASES=20000 cargo test --lib whatever_happens` is a campaign; a case that failed is printed in
//! its shortest form, and kept beside the sources, where every later run begins with it.

use std::sync::Mutex;
use std::time::Duration;

use cognito_import_watch_core::schedule::Batch;
use proptest::prelude::*;
use proptest::test_runner::Config as Runs;

use super::lists::Lists;
use super::operations::{Beginning, Birth, Config, Disk, Keeps, NAMED, Operation, POOLS, beginning, operation};
use super::process::jobs;
use super::world::World;
use crate::run::engine::{Keys, Lanes};
use crate::source::Credentials;

/// How many cases a usual run has: seconds.
const CASES: u32 = 48;

fn runs() -> Runs {
    // To find the shortest form of a hang would take for ever.
    let usual = Runs { max_shrink_time: 120_000, ..Runs::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { usual } else { Runs { cases: CASES, ..usual } }
}

/// Accounts and regions that nobody asks.
pub(super) fn lanes() -> Lanes {
    let keys = Credentials::Static {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: None,
    };
    Lanes::new(&Keys::Given(vec![keys])).unwrap()
}

#[test]
fn whatever_happens_each_fact_is_told_and_none_that_is_not_one() {
    let lanes = lanes();
    let totals = Mutex::new(Lists::default());
    proptest!(runs(), |(begin in beginning(), operations in prop::collection::vec(operation(), 1..40))| {
        let mut world = World::new(begin, lanes.clone());
        for operation in operations {
            world.perform(operation);
        }
        let lists = world.finish();
        let mut totals = totals.lock().unwrap();
        totals.observed += lists.observed;
        totals.doubted += lists.doubted;
        totals.late += lists.late;
    });
    let Lists { observed, doubted, late } = totals.into_inner().unwrap();
    println!(
        "{observed} jobs observed by lists, {doubted} of them in doubt; {late} on pages that were too late for them"
    );
    assert!(observed > 0 && doubted > 0, "no list ever observed a job");
}

/// Of pools of many jobs those that are read in one page, and in several; and none where the owner says so.
#[test]
fn lists_observe_the_jobs_of_a_pool_whatever_a_page_holds() {
    let observed = |page, batch| {
        let config =
            Config { named: [false; NAMED.len()], pools: [true; 2], batch, deadline: None, max_failed_users: None };
        let mut world = World::new(Beginning { config, keeps: Keeps::File, outbox: 100, page }, lanes());
        let jobs = || (0..POOLS.len()).map(|pool| Operation::Create { pool, birth: Birth::New, count: 8 });
        for operation in jobs().chain([Operation::Pass(Duration::from_secs(7_200))]) {
            world.perform(operation);
        }
        world.finish().observed
    };
    for page in [2, 3, 60] {
        assert!(observed(page, Batch::Auto) > 100, "{page} jobs on a page");
        assert_eq!(observed(page, Batch::Never), 0);
    }
}

/// A job that is over is not asked about: nothing but the reloads themselves says whether it is watched.
#[test]
fn the_last_of_two_reloads_counts_though_the_disk_stands_still_meanwhile() {
    let config = |named: [&str; 2]| {
        let named = NAMED.map(|target| named.contains(&target));
        Config { named, pools: [false; 2], batch: Batch::Auto, deadline: None, max_failed_users: None }
    };
    let (with, without) = (config([NAMED[0], NAMED[5]]), config([NAMED[5], NAMED[5]]));
    for (first, second) in [(&with, &without), (&without, &with)] {
        let begin = Beginning { config: with.clone(), keeps: Keeps::File, outbox: 100, page: 60 };
        let mut world = World::new(begin, lanes());
        world.service.advance(0, "Succeeded", world.now);
        let pass = || Operation::Pass(Duration::from_secs(3_600));
        let reload = |config: &Config| Operation::Reload(config.clone());
        // What is watched before the disk stands still is what is watched in the end.
        for operation in [pass(), reload(second), Operation::Disk(Disk::Still), reload(first), reload(second)] {
            world.perform(operation);
        }
        world.perform(Operation::Disk(Disk::Good));
        assert!(world.stop(), "nothing keeps the daemon from stopping in order");
        let job = world.service.jobs[0].target.clone();
        let known = jobs(&world.file(), &world.beginning);
        let known = known.iter().find(|known| known.target.to_string() == job).unwrap();
        assert_eq!(known.retired.is_none(), second.names(&job), "{:?}", known.retired);
    }
}
