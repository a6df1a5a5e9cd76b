//! What a request asks for, by its method and its target alone.
//!
//! Called by [`super::answer`].

use cognito_import_watch_core::domain::UserPoolId;
use hyper::{Method, StatusCode, Uri};

/// The longest path, in bytes, with its query.
const MOST_BYTES: usize = 1_024;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/`
    Index,
    /// `/livez`
    Live,
    /// `/readyz`
    Ready,
    /// `/metrics`
    Metrics,
    /// `/api/jobs`
    Jobs(JobsWanted),
    /// `/api/events`, with the `last_event_id` of the query.
    Events(Option<String>),
}

/// Which jobs are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct JobsWanted {
    /// Those of this pool.
    pub(super) pool: Option<UserPoolId>,
    /// Those whose status is this one, in any case.
    pub(super) status: Option<String>,
}

/// What is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) reason: &'static str,
}

const fn refusal(status: StatusCode, reason: &'static str) -> Refusal {
    Refusal { status, reason }
}

const METHOD: Refusal = refusal(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered");
const LENGTH: Refusal = refusal(StatusCode::URI_TOO_LONG, "the path is longer than 1,024 bytes");
const UNKNOWN: Refusal = refusal(StatusCode::NOT_FOUND, "there is nothing here; / lists the paths");
const FILTER: Refusal = refusal(StatusCode::BAD_REQUEST, "/api/jobs takes pool and status, each once");
const POOL: Refusal = refusal(StatusCode::BAD_REQUEST, "pool is no user pool id, such as us-west-2_EXAMPLE");

/// What a request asks for, or why it is not answered.
pub(super) fn route(method: &Method, uri: &Uri) -> Result<Route, Refusal> {
    if method != Method::GET && method != Method::HEAD {
        return Err(METHOD);
    }
    let query = uri.query().unwrap_or_default();
    if uri.path().len() + query.len() > MOST_BYTES {
        return Err(LENGTH);
    }
    // What a load balancer or a scraper puts behind a probe's path is its own.
    match uri.path() {
        "/" => Ok(Route::Index),
        "/livez" => Ok(Route::Live),
        "/readyz" => Ok(Route::Ready),
        "/metrics" => Ok(Route::Metrics),
        "/api/jobs" => jobs(query).map(Route::Jobs),
        "/api/events" => Ok(Route::Events(last_event_id(query))),
        _ => Err(UNKNOWN),
    }
}

fn jobs(query: &str) -> Result<JobsWanted, Refusal> {
    let mut wanted = JobsWanted::default();
    for (key, value) in pairs(query) {
        match key {
            "pool" if wanted.pool.is_none() => wanted.pool = Some(value.parse().map_err(|_| POOL)?),
            "status" if wanted.status.is_none() => wanted.status = Some(value.to_owned()),
            _ => return Err(FILTER),
        }
    }
    Ok(wanted)
}

/// Ids have colons, which some percent-encode and some do not.
fn last_event_id(query: &str) -> Option<String> {
    let (_, value) = pairs(query).find(|(key, _)| *key == "last_event_id")?;
    Some(value.replace("%3A", ":").replace("%3a", ":"))
}

/// The keys and values of a query. None that is known here has a character that must be encoded.
fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, target: &str) -> Result<Route, Refusal> {
        route(&method.parse().unwrap(), &target.parse().unwrap())
    }

    #[test]
    fn every_path_has_its_route_whatever_stands_behind_a_probe() {
        assert_eq!(of("GET", "/"), Ok(Route::Index));
        assert_eq!(of("HEAD", "/livez"), Ok(Route::Live));
        assert_eq!(of("GET", "/readyz?verbose&x=1"), Ok(Route::Ready));
        assert_eq!(of("GET", "/metrics?name[]=a"), Ok(Route::Metrics));
        assert_eq!(of("GET", "http://elsewhere/livez"), Ok(Route::Live));
        assert_eq!(of("GET", "/api/events"), Ok(Route::Events(None)));
        let id = Route::Events(Some("a:7".to_owned()));
        assert_eq!(of("GET", "/api/events?x=y&last_event_id=a%3A7"), Ok(id));
    }

    #[test]
    fn jobs_are_filtered_by_pool_and_status_and_by_nothing_else() {
        assert_eq!(of("GET", "/api/jobs?"), Ok(Route::Jobs(JobsWanted::default())));
        let wanted = JobsWanted { pool: Some("us-west-2_A".parse().unwrap()), status: Some("InProgress".to_owned()) };
        assert_eq!(of("GET", "/api/jobs?status=InProgress&pool=us-west-2_A"), Ok(Route::Jobs(wanted)));
        for query in ["name=x", "pool=us-west-2_A&pool=us-west-2_B", "status=a&status=b", "=", "pools=us-west-2_A"] {
            assert_eq!(of("GET", &format!("/api/jobs?{query}")), Err(FILTER), "{query}");
        }
        assert_eq!(of("GET", "/api/jobs?pool=x"), Err(POOL));
    }

    #[test]
    fn what_is_not_answered_says_why() {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "BREW"] {
            assert_eq!(of(method, "/livez"), Err(METHOD), "{method}");
        }
        for target in ["/livez/", "//livez", "/LIVEZ", "/api", "/favicon.ico", "/api/jobs/1", "/../livez"] {
            assert_eq!(of("GET", target), Err(UNKNOWN), "{target}");
        }
        assert_eq!(of("OPTIONS", "*"), Err(METHOD));
        assert_eq!(of("GET", &format!("/{}", "a".repeat(MOST_BYTES))), Err(LENGTH));
        assert_eq!(of("GET", &format!("/livez?{}", "a".repeat(MOST_BYTES))), Err(LENGTH));
    }
}
