//! The remote side: a narrow trait in our words and its adapter for Amazon Cognito, the only place that names
//! the AWS SDK. Errors are classified once, here.
//!
//! Reading order: [`api`] (the trait), [`settings`] (what a source is made of), [`sources`] (makes them),
//! `cognito` (asks), `snapshot` (what an answer showed), `failure` and `classify` (what an error means),
//! `account` and `chain` (credentials), [`routes`] (several as one), `connector` and `trust` (the way there).

mod account;
mod answer;
pub mod api;
mod chain;
mod classify;
mod codes;
mod cognito;
mod connector;
mod failure;
mod redact;
pub mod routes;
pub mod settings;
mod snapshot;
pub mod sources;
#[cfg(test)]
mod testing;
mod trust;

pub use account::CREDENTIALS_TIMEOUT;
pub use api::{Answer, BoxFuture, JobPage, JobSource, MAX_PAGE_SIZE, PageToken};
pub use routes::Routes;
pub use settings::{Credentials, DEFAULT_SESSION_NAME, Environment, SourceError, SourceSettings};
pub use sources::Sources;
