//! The way to the service and back.

use crate::time::{MILLISECOND, Nanos};

/// How long a request takes from sending to its answer: at least so long, and more by chance. Half of it passes
/// before the service decides.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The shortest round trip.
    pub least: Nanos,
    /// The mean of what is added, exponentially distributed; ten times as much at the most.
    pub more: Nanos,
}

impl Way {
    /// Every round trip the same: 50 ms.
    pub const EVEN: Self = Self { least: 50 * MILLISECOND, more: 0 };

    /// 30 ms and on average 20 ms more: one in a hundred takes over 120 ms.
    pub const UNEVEN: Self = Self { least: 30 * MILLISECOND, more: 20 * MILLISECOND };

    /// The longest round trip.
    #[must_use]
    pub fn most(self) -> Nanos {
        self.least + 10 * self.more
    }

    /// The next round trip.
    #[must_use]
    pub fn draw(self, random: &mut fastrand::Rng) -> Nanos {
        if self.more == 0 {
            return self.least;
        }
        let more = -(1.0 - random.f64()).ln().max(-10.0) * self.more as f64;
        self.least + more as Nanos
    }
}
