//! The tests. `PROPTEST_CASES=20000 cargo test --lib whatever_happens` is a campaign; a case that failed is printed in
//! its shortest form, and kept beside the sources, where every later run begins with it.

use proptest::prelude::*;
use proptest::test_runner::Config as Runs;

use super::operations::{beginning, operation};
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
