//! The exit codes that pipelines rely on: documented, and never changed.

use std::fmt;
use std::process::ExitCode;

use cognito_import_watch_core::domain::Verdict;

/// How the program ends. New codes may be added; the existing never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Every job Succeeded within its policy; the command did what it was asked.
    Success,
    /// An internal error.
    Internal,
    /// Wrong usage, or a question that the service refuses as wrong.
    Usage,
    /// A job Failed.
    JobFailed,
    /// A job was Stopped.
    JobStopped,
    /// A job Expired.
    JobExpired,
    /// A job Succeeded with more failed users than allowed.
    TooManyFailedUsers,
    /// A job Succeeded with more skipped users than allowed.
    TooManySkippedUsers,
    /// The pool or the job does not exist.
    NotFound,
    /// The state file or an output file cannot be read or written.
    File,
    /// The service could not be asked.
    Unobservable,
    /// Credentials are missing, wrong or expired, or access is denied.
    AccessDenied,
    /// The config file is wrong, or names no job.
    Config,
    /// The deadline passed while a job, seen well, was still running.
    DeadlineExceeded,
    /// Ended by SIGHUP.
    Hangup,
    /// Ended by SIGINT.
    Interrupted,
    /// Ended by SIGTERM.
    Terminated,
}

impl Exit {
    /// Every way to end, in the order in which one wins over the next where several apply.
    pub const BY_WEIGHT: [Self; 17] = [
        Self::Internal,
        Self::Config,
        Self::Hangup,
        Self::Interrupted,
        Self::Terminated,
        Self::File,
        Self::AccessDenied,
        Self::Usage,
        Self::NotFound,
        Self::JobFailed,
        Self::JobExpired,
        Self::JobStopped,
        Self::TooManyFailedUsers,
        Self::TooManySkippedUsers,
        Self::Unobservable,
        Self::DeadlineExceeded,
        Self::Success,
    ];

    /// The code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::JobFailed => 10,
            Self::JobStopped => 11,
            Self::JobExpired => 12,
            Self::TooManyFailedUsers => 13,
            Self::TooManySkippedUsers => 14,
            Self::NotFound => 15,
            Self::File => 74,
            Self::Unobservable => 75,
            Self::AccessDenied => 77,
            Self::Config => 78,
            Self::DeadlineExceeded => 124,
            Self::Hangup => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// What the code means, in the words of the README.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Success => "every job Succeeded within its policy",
            Self::Internal => "internal error",
            Self::Usage => "wrong usage, or a question the service refuses as wrong",
            Self::JobFailed => "a job Failed",
            Self::JobStopped => "a job was Stopped",
            Self::JobExpired => "a job Expired",
            Self::TooManyFailedUsers => "a job Succeeded with more failed users than allowed",
            Self::TooManySkippedUsers => "a job Succeeded with more skipped users than allowed",
            Self::NotFound => "the pool or the job does not exist",
            Self::File => "the state file or an output file cannot be read or written",
            Self::Unobservable => "could not observe",
            Self::AccessDenied => "credentials missing, wrong or expired, or access denied",
            Self::Config => "the config file is wrong, or names no job",
            Self::DeadlineExceeded => "the deadline passed while a job, seen well, was still running",
            Self::Hangup => "ended by SIGHUP",
            Self::Interrupted => "ended by SIGINT",
            Self::Terminated => "ended by SIGTERM",
        }
    }

    /// The code of one job's verdict. An interrupted job takes the signal's code from the command.
    #[must_use]
    pub fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Succeeded => Self::Success,
            Verdict::Failed => Self::JobFailed,
            Verdict::Stopped => Self::JobStopped,
            Verdict::Expired => Self::JobExpired,
            Verdict::TooManyFailedUsers => Self::TooManyFailedUsers,
            Verdict::TooManySkippedUsers => Self::TooManySkippedUsers,
            Verdict::NotFound => Self::NotFound,
            Verdict::Unobservable => Self::Unobservable,
            Verdict::AccessDenied => Self::AccessDenied,
            Verdict::Invalid => Self::Usage,
            Verdict::DeadlineExceeded => Self::DeadlineExceeded,
            Verdict::Interrupted => Self::Interrupted,
        }
    }

    /// Whether this one wins over `other` where both apply.
    #[must_use]
    pub fn outweighs(self, other: Self) -> bool {
        self.weight() < other.weight()
    }

    fn weight(self) -> usize {
        Self::BY_WEIGHT.iter().position(|exit| *exit == self).unwrap_or(usize::MAX)
    }

    /// The verdict that decides among several, with its code: the weightiest, and of equals the first.
    #[must_use]
    pub fn decide(verdicts: impl IntoIterator<Item = Verdict>) -> Option<(Verdict, Self)> {
        verdicts
            .into_iter()
            .map(|verdict| (verdict, Self::of_verdict(verdict)))
            .reduce(|best, next| if next.1.outweighs(best.1) { next } else { best })
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning())
    }
}

/// Why a command cannot do what it was asked: the code to end with, and words for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError {
    /// The code.
    pub exit: Exit,
    /// What happened, where, and what to do next. May have several lines.
    pub message: String,
}

impl CommandError {
    /// An error with its code.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CommandError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_several_is_the_contracts() {
        let order: Vec<u8> = Exit::BY_WEIGHT.iter().map(|exit| exit.code()).collect();
        assert_eq!(order, [1, 78, 129, 130, 143, 74, 77, 2, 15, 10, 12, 11, 13, 14, 75, 124, 0]);
    }

    #[test]
    fn an_internal_error_ends_with_1_whatever_the_jobs_came_to() {
        assert_eq!(ExitCode::from(Exit::Internal), ExitCode::from(1));
        assert!(Exit::BY_WEIGHT.iter().all(|exit| *exit == Exit::Internal || Exit::Internal.outweighs(*exit)));
    }

    #[test]
    fn the_weightiest_verdict_decides_whatever_the_order() {
        let decide = |verdicts: &[Verdict]| Exit::decide(verdicts.iter().copied()).map(|(_, exit)| exit.code());
        assert_eq!(decide(&[Verdict::Succeeded, Verdict::Failed]), Some(10));
        assert_eq!(decide(&[Verdict::Stopped, Verdict::Expired, Verdict::Failed, Verdict::NotFound]), Some(15));
        assert_eq!(decide(&[Verdict::DeadlineExceeded, Verdict::Unobservable, Verdict::Succeeded]), Some(75));
        assert_eq!(decide(&[]), None);
    }
}
