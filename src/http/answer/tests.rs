use std::pin::Pin;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Bytes;
use uuid::Uuid;

use super::*;
use crate::ask::{self, Ask, Asks, JobsPage};
use crate::http::{Chunks, Gone};
use crate::pulse::Work;

fn desk(change: impl FnOnce(&mut Served)) -> (Desk, Asks, watch::Sender<bool>) {
    let (asker, asks) = ask::channel();
    let mut served = Served { asker, pulse: Pulse::start(), readiness: Arc::default(), events: None, metrics: None };
    change(&mut served);
    let (stop, stopped) = watch::channel(false);
    (Desk::new(served, stopped), asks, stop)
}

/// The status and the body of a GET; `None` where it broke off.
async fn get(desk: &Desk, path: &str) -> (u16, Option<String>) {
    let request = Request::get(path).body(Empty::<Bytes>::new()).unwrap();
    let Ok(answer) = desk.answer(request, &Arc::default()).await;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.ok();
    (status, body.map(|body| String::from_utf8(body.to_bytes().to_vec()).unwrap()))
}

fn line(status: &str, reason: &str) -> Option<String> {
    Some(format!("{{\"status\":\"{status}\",\"reason\":\"{reason}\"}}\n"))
}

#[tokio::test(start_paused = true)]
async fn a_scheduler_that_is_stuck_is_not_live_and_says_for_how_long() {
    let pulse = Pulse::start();
    let (desk, _asks, _stop) = desk(|served| served.pulse = pulse.clone());
    assert_eq!(get(&desk, "/livez").await.0, 200);
    pulse.turned(Instant::now(), Some(Instant::now()), Work::Flows);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(get(&desk, "/livez").await, (503, line("unavailable", "the scheduler is 60 s late")));
    pulse.turned(Instant::now(), None, Work::Flows);
    assert_eq!(get(&desk, "/livez").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_scheduler_that_does_not_answer_is_unavailable_and_probes_are_answered_all_the_same() {
    let (desk, asks, _stop) = desk(|served| served.readiness.watches([]));
    assert_eq!(get(&desk, "/api/jobs").await, (503, line("unavailable", "the scheduler does not answer")));
    drop(asks);
    assert_eq!(get(&desk, "/api/jobs").await.0, 503);
    assert_eq!([get(&desk, "/livez").await.0, get(&desk, "/readyz").await.0], [200, 200]);
}

#[tokio::test]
async fn jobs_that_are_numbered_anew_between_two_pages_break_the_answer_off() {
    let (desk, mut asks, _stop) = desk(|_| {});
    let cursor = ask::Cursor { edition: 0, next: 256 };
    let looped = tokio::spawn(async move {
        for next in [Some(cursor), None] {
            let Some(Ask::Jobs { reply, .. }) = asks.recv().await else { return };
            let page = JobsPage { jobs: Vec::new(), next };
            reply.send(if next.is_some() { Ok(page) } else { Err(ask::AskError::Replaced) }).unwrap();
        }
    });
    assert_eq!(get(&desk, "/api/jobs").await, (200, None));
    looped.await.unwrap();
}

struct Two;

impl Scrape for Two {
    fn write<'a>(
        &'a self,
        _: &'a Asker,
        chunks: &'a Chunks,
    ) -> Pin<Box<dyn Future<Output = Result<(), Gone>> + Send + 'a>> {
        Box::pin(async {
            chunks.send("a 1\n").await?;
            chunks.send("b 2\n").await
        })
    }
}

#[tokio::test]
async fn metrics_are_what_their_keeper_writes() {
    let (desk, _asks, _stop) = desk(|served| served.metrics = Some(Arc::new(Two)));
    assert_eq!(get(&desk, "/metrics").await, (200, Some("a 1\nb 2\n".to_owned())));
    let (without, _asks, _stop) = super::tests::desk(|_| {});
    assert_eq!(get(&without, "/metrics").await.0, 404);
}

/// Metrics without end.
struct Endless;

impl Scrape for Endless {
    fn write<'a>(
        &'a self,
        _: &'a Asker,
        chunks: &'a Chunks,
    ) -> Pin<Box<dyn Future<Output = Result<(), Gone>> + Send + 'a>> {
        Box::pin(async {
            loop {
                chunks.send("a 1\n").await?;
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_scrape_that_takes_its_parts_too_slowly_is_cut_and_leaves_its_place() {
    let (desk, _asks, _stop) = desk(|served| served.metrics = Some(Arc::new(Endless)));
    let caller = Arc::new(Caller::default());
    let request = Request::get("/metrics").body(Empty::<Bytes>::new()).unwrap();
    let Ok(answer) = desk.answer(request, &caller).await;
    let mut body = answer.into_body();
    let begun = Instant::now();
    // Each part is taken in time, and all of them are too many.
    let reader = async {
        while let Some(Ok(_)) = body.frame().await {
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert!(begun.elapsed() < Duration::from_secs(600), "it goes on for ever");
        }
    };
    tokio::join!(reader, caller.is_cut());
    assert_eq!(desk.scrapes.available_permits(), SCRAPES);
}

#[tokio::test]
async fn a_stream_of_a_file_that_cannot_be_read_breaks_off() {
    let (_kept, last) = watch::channel(0);
    let kept = Kept { path: "/nowhere/state.db".into(), instance: Uuid::nil(), last };
    let (desk, _asks, _stop) = desk(|served| served.events = Some(kept));
    assert_eq!(get(&desk, "/api/events").await, (200, None));
}

#[tokio::test]
async fn whoever_sends_a_body_is_refused_and_not_read() {
    let (desk, _asks, _stop) = desk(|_| {});
    for (method, status) in [(Method::GET, 413), (Method::POST, 405)] {
        let request = Request::builder().method(method).uri("/livez").body(Full::new(Bytes::from("x"))).unwrap();
        let Ok(answer) = desk.answer(request, &Arc::default()).await;
        assert_eq!(
            (answer.status().as_u16(), answer.headers()[header::CONNECTION].as_bytes()),
            (status, &b"close"[..])
        );
    }
}
