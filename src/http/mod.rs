//! The HTTP side of `run`: probes, the jobs as they stand, and their events as a stream.
//!
//! Reading order: [`listen`] (where callers come from), [`server`] (who is let in and for how long), `crowd` (who has
//! to go), `patient` (a caller that does not read), `route` (what is asked for), `answer` (what it gets), `body` and
//! `chunks` (how it gets it), [`readiness`], `jobs`, [`events`], [`scrape`], and the room in it,
//! [`metrics`].

mod answer;
mod body;
mod chunks;
mod crowd;
pub mod events;
mod jobs;
pub mod listen;
pub mod metrics;
mod patient;
pub mod readiness;
mod route;
pub mod scrape;
pub mod server;

pub use answer::Served;
pub use chunks::{Chunks, Gone};
pub use events::Kept;
pub use listen::{ListenError, Listener};
pub use readiness::{Answer, Readiness};
pub use scrape::Scrape;
pub use server::Server;
