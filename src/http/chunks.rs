//! Where a long answer is written to, a part at a time; a caller that does not take a part in time is cut.
//!
//! Given to whatever makes the answer: the jobs, the events, the metrics.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::mpsc;

use super::body::Part;
use super::crowd::Caller;

/// How long a part may wait until it is taken.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an answer that has an end may take in all: a reader may be slow, but not for ever.
const PATIENCE_WITH_ALL: Duration = Duration::from_secs(120);

/// The answer being written. Dropped before [`Chunks::end`] it is broken off, which the caller notices.
#[derive(Debug)]
pub struct Chunks {
    parts: mpsc::Sender<Part>,
    caller: Arc<Caller>,
}

/// The caller has gone, or was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl Chunks {
    /// An answer to this caller, and what is to be read of it: no part is made before the last but one was taken.
    pub(super) fn to(caller: &Arc<Caller>) -> (Self, mpsc::Receiver<Part>) {
        let (parts, receiver) = mpsc::channel(1);
        (Self { parts, caller: Arc::clone(caller) }, receiver)
    }

    /// Writes a part.
    ///
    /// # Errors
    /// When the caller has gone, or did not take the parts before in time.
    pub async fn send(&self, text: impl Into<Bytes>) -> Result<(), Gone> {
        self.part(Part::Text(text.into())).await
    }

    /// Has an answer that has an end be written; a caller that does not take it in time is cut.
    ///
    /// # Errors
    /// Those of the writing, and when the time is up.
    pub(super) async fn in_time(&self, writing: impl Future<Output = Result<(), Gone>>) -> Result<(), Gone> {
        match tokio::time::timeout(PATIENCE_WITH_ALL, writing).await {
            Ok(written) => written,
            Err(_) => {
                self.cut();
                Err(Gone)
            }
        }
    }

    /// Completes the answer.
    pub async fn end(self) {
        match self.part(Part::End).await {
            // Nobody is left to be told where the caller has gone.
            Ok(()) | Err(Gone) => {}
        }
    }

    /// Comes when the caller has gone.
    pub async fn closed(&self) {
        self.parts.closed().await;
    }

    async fn part(&self, part: Part) -> Result<(), Gone> {
        match tokio::time::timeout(PATIENCE, self.parts.send(part)).await {
            Ok(sent) => sent.map_err(|_| Gone),
            Err(_) => {
                self.cut();
                Err(Gone)
            }
        }
    }

    /// Ends the connection at once: a reader that takes a byte at a time would not be noticed otherwise.
    pub(super) fn cut(&self) {
        self.caller.cut();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_takes_no_part_in_time_is_cut() {
        let caller = Arc::new(Caller::default());
        let (chunks, parts) = Chunks::to(&caller);
        chunks.send("one waits").await.unwrap();
        assert_eq!(chunks.send("and another does not").await, Err(Gone));
        caller.is_cut().await;
        drop(parts);
        assert_eq!(chunks.send("nobody").await, Err(Gone));
    }
}
