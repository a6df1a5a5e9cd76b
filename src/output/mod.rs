//! What commands print as their result, and what `wait` shows until then.
//!
//! Reading order: [`report`] (what is known of a job), [`wait`], [`status`], [`list`] and [`history`] (the
//! results), [`summary`] and [`junit`] (the result of `wait` for pipelines), [`progress`] (the display of `wait`).

pub mod history;
pub mod junit;
pub mod list;
mod lost;
pub mod online;
pub mod progress;
pub mod report;
#[cfg(test)]
mod results;
pub mod status;
pub mod summary;
mod table;
pub mod wait;

pub use list::PoolReport;
pub use lost::LostPool;
pub use report::JobReport;
pub use wait::WaitResult;
