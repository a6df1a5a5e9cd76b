//! The remote side: a narrow trait in our words and its adapter for Amazon Cognito, the only place that names
//! the AWS SDK. Errors are classified once, here.

pub mod api;

pub use api::{Answer, BoxFuture, JobPage, JobSource, MAX_PAGE_SIZE, PageToken};
