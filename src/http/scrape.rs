//! What answers `/metrics`.
//!
//! Implemented where the metrics are kept; asked by `answer`.

use std::pin::Pin;

use super::chunks::{Chunks, Gone};
use crate::ask::Asker;

/// Writes the metrics as text, in Prometheus' form 0.0.4.
pub trait Scrape: Send + Sync {
    /// Writes all of it. An error breaks the answer off, so that the scraper notices.
    ///
    /// # Errors
    /// When the caller has gone; also where the loop cannot be asked.
    fn write<'a>(
        &'a self,
        asker: &'a Asker,
        chunks: &'a Chunks,
    ) -> Pin<Box<dyn Future<Output = Result<(), Gone>> + Send + 'a>>;
}
