//! How late a change at any moment would have been seen.
//!
//! Between two looks at a job a change may come at any time: its latency is spread evenly from nothing to the whole
//! gap. Adding up the gaps gives the distribution for changes by chance without simulating them.

use crate::time::{Nanos, as_seconds};

/// The latencies of changes that come at any time.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    /// Evenly spread from the first to the second number of seconds, weighing as much as they are apart.
    pieces: Vec<(f64, f64)>,
    whole: f64,
}

impl Latency {
    /// Changes between `from` and `to` were all seen at `seen`, or are not seen until then.
    pub fn add(&mut self, from: Nanos, to: Nanos, seen: Nanos) {
        let (low, high) = (as_seconds(seen.saturating_sub(to)), as_seconds(seen.saturating_sub(from)));
        if low < high {
            self.pieces.push((low, high));
            self.whole += high - low;
        }
    }

    /// Takes over what another run measured.
    pub fn merge(&mut self, other: &Self) {
        self.pieces.extend_from_slice(&other.pieces);
        self.whole += other.whole;
    }

    /// The part of the changes that is seen later than this many seconds.
    #[must_use]
    pub fn later_than(&self, seconds: f64) -> f64 {
        let later = self.pieces.iter().map(|(low, high)| (high - low.max(seconds)).max(0.0)).sum::<f64>();
        later / self.whole
    }

    /// The latency in seconds that this part of the changes does not exceed; not a number where nothing was measured.
    #[must_use]
    pub fn quantile(&self, part: f64) -> f64 {
        if self.pieces.is_empty() {
            return f64::NAN;
        }
        let (mut low, mut high) = (0.0, self.pieces.iter().map(|(_, high)| *high).fold(0.0, f64::max));
        for _halving in 0..40 {
            let middle = (low + high) / 2.0;
            if self.later_than(middle) > 1.0 - part {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

/// The value that this part of the values does not exceed; not a number where there are none.
#[must_use]
pub fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    #[test]
    fn looks_at_even_gaps_give_latencies_spread_evenly_over_one() {
        let mut latency = Latency::default();
        for look in 0..100 {
            latency.add(look * 10 * SECOND, (look + 1) * 10 * SECOND, (look + 1) * 10 * SECOND);
        }
        assert!((latency.quantile(0.5) - 5.0).abs() < 0.01);
        assert!((latency.quantile(0.99) - 9.9).abs() < 0.01);
    }

    #[test]
    fn a_long_gap_weighs_as_much_as_the_changes_that_fall_into_it() {
        let mut latency = Latency::default();
        latency.add(0, 90 * SECOND, 90 * SECOND);
        (9..100).for_each(|look| latency.add(look * SECOND, (look + 1) * SECOND, (look + 1) * SECOND));
        assert!(latency.later_than(1.0) > 0.48 && latency.quantile(0.99) > 85.0);
    }

    #[test]
    fn the_quantile_of_values_is_one_of_them() {
        assert_eq!(quantile(&mut [3.0, 1.0, 2.0], 0.5), 2.0);
        assert!(quantile(&mut [], 0.5).is_nan());
    }
}
