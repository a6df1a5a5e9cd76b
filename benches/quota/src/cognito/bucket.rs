//! A token bucket.
//!
//! Kept as the time at which it is full again, which takes no refilling and no rounding.

use crate::time::{Nanos, SECOND};

/// So many tokens a second, and so many saved up at the most. A request that is refused takes none.
#[derive(Clone, Debug)]
pub struct Bucket {
    per_token: Nanos,
    room: Nanos,
    full_at: Nanos,
}

impl Bucket {
    /// A full bucket. `rate` is in tokens per second, above 0; `burst` in tokens, at least 1.
    #[must_use]
    pub fn new(rate: f64, burst: f64) -> Self {
        let per_token = (SECOND as f64 / rate) as Nanos;
        Self { per_token, room: (per_token as f64 * (burst - 1.0).max(0.0)) as Nanos, full_at: 0 }
    }

    /// Whether a token is there.
    #[must_use]
    pub fn has(&self, now: Nanos) -> bool {
        self.full_at <= now + self.room
    }

    /// Takes a token, there or not.
    pub fn take(&mut self, now: Nanos) {
        self.full_at = self.full_at.max(now) + self.per_token;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(bucket: &mut Bucket, times: impl Iterator<Item = Nanos>) -> usize {
        times
            .filter(|now| {
                let has = bucket.has(*now);
                if has {
                    bucket.take(*now);
                }
                has
            })
            .count()
    }

    #[test]
    fn a_full_bucket_lets_its_burst_through_and_then_its_rate() {
        let mut bucket = Bucket::new(20.0, 20.0);
        assert_eq!(allowed(&mut bucket, (0..1_000).map(|_| 0)), 20);
        let ten_seconds = (1..=10_000).map(|millis| millis * SECOND / 1_000);
        assert_eq!(allowed(&mut bucket, ten_seconds), 200);
    }

    #[test]
    fn an_idle_bucket_saves_no_more_than_its_burst() {
        let mut bucket = Bucket::new(5.0, 1.0);
        assert_eq!(allowed(&mut bucket, (0..10).map(|_| 100 * SECOND)), 1);
    }
}
