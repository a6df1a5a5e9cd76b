//! What the quota allows at best: somebody who knows it, has it alone, and asks at exactly its rate.

/// Looks at everyone in turn, each turn as long as the last.
#[derive(Clone, Copy, Debug)]
pub struct Oracle {
    /// The length of a turn, in seconds.
    pub turn: f64,
}

impl Oracle {
    /// Turns of so many calls at this rate, in requests per second: a call for each job, or for each page.
    #[must_use]
    pub fn new(calls: usize, ceiling: f64) -> Self {
        Self { turn: calls as f64 / ceiling }
    }

    /// One that asks about nobody sooner than after this many seconds.
    #[must_use]
    pub fn no_sooner_than(self, interval: f64) -> Self {
        Self { turn: self.turn.max(interval) }
    }

    /// The latency in seconds that this part of the changes does not exceed: they are spread evenly over a turn.
    #[must_use]
    pub fn quantile(self, part: f64) -> f64 {
        part * self.turn
    }
}
