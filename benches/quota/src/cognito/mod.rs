//! A model of the service: its quotas, its jobs, the way to it, and who else asks.
//!
//! What AWS documents is modelled as documented: 20 requests/s per account and region over all read operations,
//! 5 requests/s per pool and operation, pages of at most 60 jobs with the newest first. That the quotas are token
//! buckets, and how many tokens they save up, is not documented: [`Quota::burst`](service::Quota) varies it.

pub mod bucket;
pub mod life;
pub mod neighbour;
pub mod service;
pub mod way;

pub use bucket::Bucket;
pub use life::Life;
pub use neighbour::{Neighbour, Rhythm};
pub use service::{Cognito, JobIndex, Operation, Quota};
pub use way::Way;
