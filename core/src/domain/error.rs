//! Why a poll showed nothing: five classes, decided once, where the answer is read.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The class of a failed poll. It alone decides what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ErrorKind {
    /// The quota is used up: slow down.
    Throttled,
    /// A passing fault of the network or the service: try again.
    Transient,
    /// The pool or the job does not exist, or not yet.
    NotFound,
    /// Credentials are missing, wrong or expired, or a right is missing.
    Denied,
    /// The service refuses the question as wrong.
    Invalid,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Throttled, Self::Transient, Self::NotFound, Self::Denied, Self::Invalid];

    /// The word in events: `throttled`, `transient`, `not_found`, `denied`, `invalid`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Transient => "transient",
            Self::NotFound => "not_found",
            Self::Denied => "denied",
            Self::Invalid => "invalid",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A failed poll: its class and words for a person. The message holds no credential, URL or raw answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollError {
    /// What to do about it.
    pub kind: ErrorKind,
    /// What happened and what to do next, in one line.
    pub message: String,
    /// How long the service asked to be left alone, where it did.
    pub retry_after: Option<Duration>,
}

impl PollError {
    /// An error without a hint of the service.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }
}

impl fmt::Display for PollError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PollError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_the_word_that_events_promise() {
        let words = ErrorKind::ALL.map(ErrorKind::as_str);
        assert_eq!(words, ["throttled", "transient", "not_found", "denied", "invalid"]);
        assert_eq!(format!("{:>9}|", ErrorKind::Denied), "   denied|", "in a table too");
    }

    #[test]
    fn a_failed_poll_is_shown_by_its_message_alone() {
        assert_eq!(PollError::new(ErrorKind::Denied, "refresh the credentials").to_string(), "refresh the credentials");
    }
}
