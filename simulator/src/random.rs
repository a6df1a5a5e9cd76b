//! Chance: ids and the ratio of faults, the same again for the same seed.

use uuid::{Builder, Uuid};

/// A small generator (SplitMix64). Nothing here guards a secret of the real world.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Starts from the seed, or from the system's randomness without one.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(seed.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().1))
    }

    /// A generator of its own, so that draws here never move the draws there.
    pub(crate) fn branch(&self, number: u64) -> Self {
        Self(Self(self.0 ^ number.wrapping_mul(0xD134_2543_DE82_EF95)).next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// A number from 0 up to, but not including, 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Letters and digits, as in job ids and pool ids.
    pub(crate) fn letters(&mut self, count: usize) -> String {
        const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..count).map(|_| char::from(LETTERS[(self.next() % 62) as usize])).collect()
    }

    /// A request id.
    pub(crate) fn uuid(&mut self) -> Uuid {
        let bits = u128::from(self.next()) << 64 | u128::from(self.next());
        Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_seed_others() {
        let ids = |seed| Random::new(Some(seed)).letters(10);
        assert_eq!(ids(7), ids(7));
        assert_ne!(ids(7), ids(8));
        assert_ne!(Random::new(None).letters(10), Random::new(None).letters(10));
    }

    #[test]
    fn a_branch_does_not_move_its_parent() {
        let mut parent = Random::new(Some(1));
        let mut same = parent.clone();
        let mut branch = parent.branch(1);
        branch.fraction();
        assert_eq!(parent.letters(5), same.letters(5));
    }
}
