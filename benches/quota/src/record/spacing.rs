//! Whether a ceiling was ever passed.

use crate::time::{Nanos, as_seconds};

/// Watches that any T seconds hold at most rate × T + 1 requests.
#[derive(Clone, Debug)]
pub struct Spacing {
    rate: f64,
    sent: f64,
    /// The least lead of a request over the rate so far, in requests.
    least: f64,
    over: f64,
}

impl Spacing {
    /// A ceiling in requests per second.
    #[must_use]
    pub fn new(rate: f64) -> Self {
        Self { rate, sent: 0.0, least: f64::INFINITY, over: f64::NEG_INFINITY }
    }

    /// A request at this time, not before the last one.
    pub fn request(&mut self, at: Nanos) {
        let lead = self.sent - self.rate * as_seconds(at);
        self.over = self.over.max(lead - self.least);
        self.least = self.least.min(lead);
        self.sent += 1.0;
    }

    /// By how many requests the fullest stretch of any length is over the ceiling; below 0 when it was kept.
    #[must_use]
    pub fn over(&self) -> f64 {
        self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    fn over(times: &[Nanos]) -> f64 {
        let mut spacing = Spacing::new(2.0);
        times.iter().for_each(|at| spacing.request(at * SECOND / 10));
        spacing.over()
    }

    #[test]
    fn the_fullest_stretch_counts_wherever_it_is() {
        assert!(over(&[0, 5, 10, 15, 40, 45]) <= 0.0);
        assert!((over(&[0, 4]) - 0.2).abs() < 1e-9);
        assert!((over(&[0, 50, 50, 50, 100]) - 2.0).abs() < 1e-9, "three at once where one may be");
        assert!((over(&[0, 5, 9, 13, 60]) - 0.4).abs() < 1e-9, "four in 1.3 s where 3.6 may be");
    }
}
