//! Another caller of the same account: it asks for other pools' things, and takes its share of the account's quota.

use crate::time::{NEVER, Nanos, SECOND};

/// How often another caller asks, by time: rates in requests per second, each from its time on.
#[derive(Clone, Debug, Default)]
pub struct Neighbour {
    rates: Vec<(Nanos, f64)>,
    rhythm: Rhythm,
}

/// How the requests of a caller are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rhythm {
    /// Each at any time, whenever the others were (a Poisson process): sometimes several come together.
    #[default]
    Chance,
    /// Always as far apart.
    Even,
}

impl Neighbour {
    /// One that changes its rate at these times, in order; before the first it asks for nothing.
    #[must_use]
    pub fn new(rates: Vec<(Nanos, f64)>, rhythm: Rhythm) -> Self {
        Self { rates, rhythm }
    }

    /// When it asks next after `now`; [`NEVER`] when it does no more.
    #[must_use]
    pub fn next(&self, now: Nanos, random: &mut fastrand::Rng) -> Nanos {
        let mut from = now;
        loop {
            let rate = self.rates.iter().rev().find(|(at, _)| *at <= from).map_or(0.0, |(_, rate)| *rate);
            let changes = self.rates.iter().map(|(at, _)| *at).find(|at| *at > from).unwrap_or(NEVER);
            let intervals = match self.rhythm {
                Rhythm::Chance => -(1.0 - random.f64()).ln(),
                Rhythm::Even => 1.0,
            };
            let wait = intervals / rate * SECOND as f64;
            if rate > 0.0 && from.saturating_add(wait as Nanos) < changes {
                return from + wait as Nanos;
            }
            if changes == NEVER {
                return NEVER;
            }
            // What was to come after a change of the rate is drawn anew: the process has no memory.
            from = changes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_at_its_rate_from_its_time_on() {
        let neighbour = Neighbour::new(vec![(10 * SECOND, 15.0), (110 * SECOND, 0.0)], Rhythm::Chance);
        let mut random = fastrand::Rng::with_seed(1);
        let mut times = Vec::new();
        let mut now = 0;
        while now != NEVER {
            now = neighbour.next(now, &mut random);
            times.push(now);
        }
        times.pop();
        assert!(times.iter().all(|at| (10 * SECOND..110 * SECOND).contains(at)));
        assert!((1_350..1_650).contains(&times.len()), "{}", times.len());
    }
}
