//! Asks one question after another within the ceilings of an account and region, and asks again what may pass.
//!
//! Used by the commands that ask each thing once, without a scheduler: `list` and `check --online`.

use std::time::Duration;

use cognito_import_watch_core::domain::{ErrorKind, PollError, Verdict};
use cognito_import_watch_core::schedule::Ceilings;
use cognito_import_watch_core::schedule::lane::{Lane, Operation, Passage, PoolBucket};

use crate::clock::Clock;

/// The most of a hint to stay away that is honoured: a person waits.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The wait before a question is asked again.
const BEFORE_NEXT_TRY: Duration = Duration::from_secs(1);

/// Keeps the requests of one account and region under its ceiling, and those for a pool under the pool's.
#[derive(Debug)]
pub(super) struct Pace {
    lane: Lane,
    clock: Clock,
    patience: Patience,
}

/// How often a question is asked that is not answered, before it is given up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// While it is throttled.
    pub(super) throttled: u32,
    /// While the network or the service fails.
    pub(super) transient: u32,
}

impl Pace {
    pub(super) fn new(ceilings: &Ceilings, clock: Clock, patience: Patience) -> Self {
        Self { lane: Lane::new(ceilings), clock, patience }
    }

    /// Makes room for one more pool.
    pub(super) fn add_pool(&mut self) -> PoolBucket {
        self.lane.add_pool()
    }

    /// Both clocks.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Asks until there is an answer, or it is no use any more. A refusal is asked for once more before it counts.
    ///
    /// # Errors
    /// The last failure.
    pub(super) async fn persist<T, F>(
        &mut self,
        bucket: PoolBucket,
        operation: Operation,
        request: impl Fn() -> F,
    ) -> Result<T, PollError>
    where
        F: Future<Output = Result<T, PollError>>,
    {
        let mut tried = 1;
        loop {
            let error = match self.ask(bucket, operation, request()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let most = match error.kind {
                ErrorKind::Throttled => self.patience.throttled,
                ErrorKind::Transient => self.patience.transient,
                ErrorKind::Denied => 2,
                ErrorKind::NotFound | ErrorKind::Invalid => 1,
            };
            if tried >= most {
                return Err(error);
            }
            tried += 1;
            match error.kind {
                // The lane waits.
                ErrorKind::Throttled => {}
                ErrorKind::Transient | ErrorKind::Denied | ErrorKind::NotFound | ErrorKind::Invalid => {
                    tokio::time::sleep(BEFORE_NEXT_TRY).await;
                }
            }
        }
    }

    /// Makes one more request as soon as it may be sent.
    async fn ask<T>(
        &mut self,
        bucket: PoolBucket,
        operation: Operation,
        request: impl Future<Output = Result<T, PollError>>,
    ) -> Result<T, PollError> {
        let now = self.clock.now().tick;
        if let Some(at) = self.lane.ready_at(now, bucket, operation) {
            tokio::time::sleep_until(self.clock.instant(at)).await;
        }
        let sent = self.clock.now().tick;
        let permit = self.lane.take(sent, bucket, operation);
        let answer = request.await;
        let now = self.clock.now().tick;
        let passage = match answer.as_ref().map_err(Passage::of_failure) {
            Ok(_) => Passage::Through,
            Err(Passage::Throttled(hint)) => Passage::Throttled(hint.map(|hint| hint.min(LONGEST_WAIT))),
            Err(passage) => passage,
        };
        self.lane.answered(now, permit, passage);
        answer
    }
}

/// What a question comes to that was given up.
pub(super) fn verdict(error: &PollError) -> Verdict {
    match error.kind {
        ErrorKind::Throttled | ErrorKind::Transient => Verdict::Unobservable,
        ErrorKind::NotFound => Verdict::NotFound,
        ErrorKind::Denied => Verdict::AccessDenied,
        ErrorKind::Invalid => Verdict::Invalid,
    }
}
