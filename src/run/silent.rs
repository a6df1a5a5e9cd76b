//! An observer that tells nothing: the result of the command says it all.

use std::time::Duration;

use cognito_import_watch_core::domain::{JobEvent, Memory, PollError, UserPoolId};
use cognito_import_watch_core::schedule::{JobView, LaneIndex, News, Now, RateChange, Scheduler};

use crate::driver::Observer;
use crate::signal::Signal;

/// Tells nothing.
pub(super) struct Silent;

impl Observer for Silent {
    fn observed(&mut self, _: &JobView, _: &[JobEvent], _: Memory, _: Now) {}

    fn list_failed(&mut self, _: &UserPoolId, _: &PollError) {}

    fn pool_failed(&mut self, _: &UserPoolId, _: &PollError, _: Option<Duration>, _: News) {}

    fn pool_recovered(&mut self, _: &UserPoolId) {}

    fn rate_changed(&mut self, _: LaneIndex, _: RateChange) {}

    fn signalled(&mut self, _: Signal, _: &Scheduler, _: Now) {}
}
