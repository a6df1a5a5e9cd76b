//! The tests. `PROPTEST_CASES=20000 cargo test --lib whatever_happens` is a campaign; a case that failed is printed in
//! its shortest form, and kept beside the sources, where every later run begins with it.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::Config as Runs;

use super::operations::{Beginning, Config, Disk, Keeps, Operation, beginning, operation};
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
    proptest!(runs(), |(begin in beginning(), operations in prop::collection::vec(operation(), 1..40))| {
        let mut world = World::new(begin, lanes.clone());
        for operation in operations {
            world.perform(operation);
        }
        world.finish();
    });
}

/// A job that is over is not asked about: nothing but the reloads themselves says whether it is watched.
#[test]
fn the_last_of_two_reloads_counts_though_the_disk_stands_still_meanwhile() {
    let config = |named| Config { named, pools: [false; 2], deadline: None, max_failed_users: None };
    let (with, without) = (config([true, false, true, false]), config([false, false, true, false]));
    for (first, second) in [(&with, &without), (&without, &with)] {
        let begin = Beginning { config: with.clone(), keeps: Keeps::File, outbox: 100 };
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
