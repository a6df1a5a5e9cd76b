//! Pages of a list.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use cognito_import_watch_core::domain::ErrorKind;
use tracing::level_filters::LevelFilter;

use super::DATE;
use crate::source::PageToken;
use crate::source::testing::{Server, error, http, source, target};

#[tokio::test]
async fn a_list_goes_by_the_token_and_not_by_the_count() {
    let page = |token: &str, jobs: &str| http(200, &[DATE], &format!(r#"{{{token}"UserImportJobs":[{jobs}]}}"#));
    let server = Server::start([
        page(r#""PaginationToken":"us-west-2_EXAMPLE#import-b#1","#, ""),
        page(
            r#""PaginationToken":"t2","#,
            r#"{"JobId":"import-b","Status":"Pending"},{"JobId":"odd","Status":"Pending"},{"JobId":"import-c"}"#,
        ),
        page(r#""PaginationToken":"","#, r#"{"JobId":"import-d","Status":"Succeeded"}"#),
        http(200, &[], "{}"),
    ]);
    let source = source(&server).await;
    let pool = target().pool;
    let first = source.list(&pool, 200, None).await.unwrap();
    assert_eq!(first.value.jobs.len(), 0);
    let token = first.value.next.unwrap();
    let second = source.list(&pool, 0, Some(&token)).await.unwrap().value;
    assert_eq!(second.jobs.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["import-b"]);
    assert_eq!(second.next, Some(PageToken::from("t2")));
    let third = source.list(&pool, 60, second.next.as_ref()).await.unwrap().value;
    assert_eq!((third.jobs.len(), third.next), (1, None));
    let error = source.list(&pool, 60, None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Transient);
    let requests = server.requests();
    assert!(requests[0].contains(r#""MaxResults":60"#) && !requests[0].contains("PaginationToken"), "{}", requests[0]);
    assert!(requests[1].contains(r#""MaxResults":1"#), "{}", requests[1]);
    assert!(requests[1].contains(r#""PaginationToken":"us-west-2_EXAMPLE#import-b#1""#), "{}", requests[1]);
}

/// A place in memory to write a log to. A clone is the same place.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn jobs_of_a_list_that_cannot_be_read_are_told_once_for_each_pool() {
    let page = |jobs: &str| http(200, &[], &format!(r#"{{"UserImportJobs":[{jobs}]}}"#));
    let server = Server::start([
        page(r#"{"JobId":"import-a","Status":"Pending"}"#),
        page(r#"{"JobId":"import-a","Status":"Pending"},{"JobId":"odd","Status":"Pending"},{"JobId":"import-c"}"#),
    ]);
    let paper = Paper::default();
    let pen = paper.clone();
    let told = tracing_subscriber::fmt().without_time().with_max_level(LevelFilter::WARN);
    let told = told.with_writer(move || pen.clone());
    tracing::subscriber::with_default(told.finish(), || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let source = source(&server).await;
            for pool in ["us-west-2_A", "us-west-2_A", "us-west-2_A", "us-west-2_B"] {
                source.list(&pool.parse().unwrap(), 60, None).await.unwrap();
            }
        });
    });
    let log = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    for (line, pool) in lines.iter().zip(["us-west-2_A", "us-west-2_B"]) {
        assert!(line.contains("cannot be read") && line.contains("count=2") && line.contains(pool), "{line}");
    }
}

#[tokio::test]
async fn a_denied_list_names_its_own_action_and_the_account_once_it_is_known() {
    let server = Server::start([error("AccessDeniedException", "no")]);
    let error = source(&server).await.list(&target().pool, 60, None).await.unwrap_err();
    assert!(error.message.starts_with("us-west-2_EXAMPLE in us-west-2: access denied"), "{error}");
    assert!(error.message.contains("allow cognito-idp:ListUserImportJobs on"), "{error}");
}
