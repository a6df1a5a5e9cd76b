//! Given bytes on the wire, and what they are told as.

mod faults;
mod lists;
mod requests;

use cognito_import_watch_core::domain::ErrorKind;

use crate::source::testing::{Reply, Server, describe};

const DATE: (&str, &str) = ("date", "Sun, 22 Nov 2026 12:00:00 GMT");

/// The error that one reply is told as.
async fn told(reply: Reply) -> (ErrorKind, String) {
    let server = Server::start([reply]);
    let error = describe(&server).await.unwrap_err();
    assert_eq!(server.requests().len(), 1, "{error}");
    assert!(error.message.starts_with("us-west-2_EXAMPLE/import-mAgUtd8PMm in us-west-2: "), "{error}");
    assert!(!error.message.contains('\n'), "{error}");
    (error.kind, error.message)
}
