//! Random numbers that can be had again: every test prints its seed, and takes one from `SEED`.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Range;

/// SplitMix64: small, and good enough to choose moments.
pub(super) struct Chance(u64);

impl Chance {
    /// The seed in `SEED`, else a new one; printed, so that a failure can be played again.
    pub(super) fn from_environment() -> Self {
        let given = std::env::var("SEED").ok().map(|text| text.parse().expect("SEED is a number"));
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        say(&format!("SEED={seed}"));
        Self(seed)
    }

    /// The numbers of this seed.
    pub(super) fn of_seed(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in the range.
    pub(super) fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// Whether something happens that does in so many of a hundred cases.
    pub(super) fn percent(&mut self, share: u64) -> bool {
        self.within(0..100) < share
    }
}

/// Prints what a failure is played again with, or a figure.
#[expect(clippy::print_stdout, reason = "the test harness shows it with a failure, or where it is asked to")]
pub(super) fn say(text: &str) {
    println!("{text}");
}

/// A number from the environment, for longer runs.
pub(super) fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
