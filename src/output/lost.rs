//! Pools whose jobs could not be found, in the results of `wait` and `status`.

use cognito_import_watch_core::domain::{PollError, UserPoolId, Verdict};

use crate::json::Object;
use crate::text::{error_of, wrap};

/// A pool whose list could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct LostPool {
    /// The pool.
    pub pool: UserPoolId,
    /// How its watch ended.
    pub verdict: Verdict,
    /// The last failure, where there was one.
    pub error: Option<PollError>,
}

impl LostPool {
    /// Why its jobs could not be found, safe to print.
    pub(super) fn why(&self) -> String {
        let error = self.error.as_ref().map(|error| error_of(&error.message, self.pool.as_str()));
        error.unwrap_or_else(|| "its list was not read in time".to_owned())
    }
}

/// The object with the key `pools`, where there is such a pool; without it the result is that of jobs alone.
pub(super) fn with_pools(object: Object, pools: &[LostPool]) -> Object {
    if pools.is_empty() {
        return object;
    }
    let pools: Vec<String> = pools
        .iter()
        .map(|lost| {
            Object::new()
                .with("user_pool_id", lost.pool.as_str())
                .with("verdict", lost.verdict.as_str())
                .with("error_kind", lost.error.as_ref().map(|error| error.kind.as_str()))
                .with("error", lost.error.as_ref().map(|error| error.message.as_str()))
                .finish()
        })
        .collect();
    object.with_json("pools", &format!("[{}]", pools.join(",")))
}

/// A line for each such pool, set off from what is above.
pub(super) fn lines(pools: &[LostPool], columns: Option<usize>) -> String {
    let lines = pools.iter().map(|lost| {
        let line = format!("{}: its jobs could not be found: {}", lost.pool, lost.why());
        columns.map_or(line.clone(), |columns| wrap(&line, columns, columns.saturating_sub(2)).join("\n  "))
    });
    lines.map(|line| format!("\n{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cognito_import_watch_core::domain::ErrorKind;

    #[test]
    fn a_lost_pool_says_why_and_no_lost_pool_says_nothing() {
        let error = PollError::new(ErrorKind::Denied, "a_B in a: access denied");
        let lost = [LostPool { pool: "a_B".parse().unwrap(), verdict: Verdict::AccessDenied, error: Some(error) }];
        assert_eq!(lines(&lost, None), "\na_B: its jobs could not be found: access denied\n");
        assert_eq!(
            with_pools(Object::new(), &lost).finish(),
            r#"{"pools":[{"user_pool_id":"a_B","verdict":"access_denied","error_kind":"denied","error":"a_B in a: access denied"}]}"#
        );
        assert_eq!(lines(&[], None), "");
        assert_eq!(with_pools(Object::new(), &[]).finish(), "{}");
    }
}
