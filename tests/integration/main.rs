//! The integration tests, in one binary: the AWS SDK is linked once.

mod readme;
