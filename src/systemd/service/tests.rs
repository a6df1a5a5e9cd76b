use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::pulse::Work;
use crate::systemd::Notify;

/// A manager that hears everything while its ears are open, and nothing at all while they are not.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>, Arc<AtomicBool>);

impl Notify for Heard {
    fn send(&self, states: &[NotifyState<'_>]) -> io::Result<()> {
        if self.1.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let words: Vec<String> = states.iter().map(ToString::to_string).collect();
        self.0.lock().unwrap().push(words.join(" "));
        Ok(())
    }
}

impl Heard {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn deafen(&self) {
        self.1.store(true, Ordering::Relaxed);
    }

    fn listen(&self) {
        self.1.store(false, Ordering::Relaxed);
    }
}

fn service(watchdog: Option<u64>) -> (Heard, Pulse, Service) {
    let (heard, pulse) = (Heard::default(), Pulse::start());
    let manager = Manager::new(Box::new(heard.clone()), watchdog.map(Duration::from_secs));
    let service = Service::new(manager, pulse.clone());
    (heard, pulse, service)
}

fn at(millis: u64) -> Tick {
    Tick::from_start(Duration::from_millis(millis))
}

#[tokio::test(start_paused = true)]
async fn it_is_ready_at_the_first_turn_and_silent_while_nothing_changes() {
    let (heard, _, mut service) = service(None);
    assert_eq!(service.wakes_at(), Some(at(0)));
    service.wake(at(1), || "a".into());
    assert_eq!(heard.take(), ["READY=1 STATUS=a"]);
    assert_eq!(service.wakes_at(), None);
}

#[tokio::test(start_paused = true)]
async fn the_line_is_told_when_it_changed_and_once_a_second_at_the_most() {
    let (heard, _, mut service) = service(None);
    service.wake(at(0), || "a".into());
    service.changed(at(100));
    service.changed(at(200));
    assert_eq!(service.wakes_at(), Some(at(1_000)));
    service.wake(at(1_000), || "b".into());
    service.changed(at(5_000));
    assert_eq!(service.wakes_at(), Some(at(5_000)));
    service.wake(at(5_000), || "b".into());
    assert_eq!(heard.take(), ["READY=1 STATUS=a", "STATUS=b"]);
    assert_eq!(service.wakes_at(), None);
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_is_fed_at_half_its_time_while_there_is_a_pulse() {
    let (heard, pulse, mut service) = service(Some(60));
    service.wake(at(0), || "a".into());
    assert_eq!(heard.take(), ["WATCHDOG=1", "READY=1 STATUS=a"]);
    assert_eq!(service.wakes_at(), Some(at(30_000)));
    tokio::time::advance(Duration::from_secs(30)).await;
    service.wake(at(30_000), || unreachable!("nothing changed"));
    assert_eq!(heard.take(), ["WATCHDOG=1"]);
    // Due work that is never sent: the loop turns and turns.
    for second in 31..=70 {
        tokio::time::advance(Duration::from_secs(1)).await;
        pulse.turned(Instant::now(), Some(Instant::now()), Work::Held);
        if service.wakes_at().is_some_and(|wake| wake <= at(second * 1_000)) {
            service.wake(at(second * 1_000), || unreachable!("nothing changed"));
        }
    }
    assert_eq!(heard.take(), Vec::<String>::new());
    // It recovers, and is fed soon.
    pulse.turned(Instant::now(), None, Work::Flows);
    service.wake(at(71_000), || unreachable!("nothing changed"));
    assert_eq!(heard.take(), ["WATCHDOG=1"]);
    assert_eq!(service.wakes_at(), Some(at(101_000)));
}

#[tokio::test(start_paused = true)]
async fn a_reload_is_told_with_its_time_and_ends_with_ready_good_or_rejected() {
    let (heard, _, mut service) = service(None);
    service.wake(at(0), || "a".into());
    heard.take();
    for (rejected, line) in [
        (None, "b"),
        (Some("x.toml:1:1:\nno"), "configuration rejected, the one in force stays (x.toml:1:1:\\\\nno); b"),
    ] {
        drop(service.reloading());
        service.reloaded(rejected.map(str::to_owned));
        service.wake(at(2_000), || "b".into());
        let [begun, over] = heard.take().try_into().unwrap();
        let time = begun.strip_prefix("RELOADING=1 MONOTONIC_USEC=").unwrap();
        assert!(time.parse::<u64>().unwrap() > 0);
        assert_eq!(over, format!("READY=1 STATUS={line}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_takes_long_is_fed_and_one_that_never_ends_is_not() {
    let (heard, _, mut service) = service(Some(10));
    service.wake(at(0), || "a".into());
    heard.take();
    let slow = tokio::time::sleep(Duration::from_secs(12));
    service.reloading().during(slow).await;
    assert_eq!(heard.take().iter().filter(|heard| *heard == "WATCHDOG=1").count(), 3);
    let never = service.reloading().during(std::future::pending::<()>());
    drop(tokio::time::timeout(Duration::from_secs(600), never).await);
    let fed = heard.take().iter().filter(|heard| *heard == "WATCHDOG=1").count();
    assert_eq!(fed, 15, "up to 70 s");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_over_before_it_began_was_ready_too() {
    let (heard, _, mut service) = service(Some(60));
    service.stopping("complete");
    service.stopping("complete");
    assert_eq!(heard.take(), ["READY=1", "STOPPING=1 STATUS=stopping (complete)"]);
    service.changed(at(9_000));
    assert_eq!(service.wakes_at(), Some(at(0)), "the watchdog wants its signs to the end");
}

#[tokio::test(start_paused = true)]
async fn every_reload_is_told_even_right_behind_another() {
    let (heard, _, mut service) = service(None);
    drop(service.reloading());
    assert_eq!(heard.take(), Vec::<String>::new(), "it was never ready");
    service.wake(at(0), || "a".into());
    for _ in 0..3 {
        drop(service.reloading());
        service.reloaded(None);
    }
    service.wake(at(1), || "b".into());
    let heard = heard.take();
    assert_eq!(heard.len(), 5, "{heard:?}");
    assert!(heard[1..4].iter().all(|heard| heard.starts_with("RELOADING=1 MONOTONIC_USEC=")), "{heard:?}");
    assert_eq!((&*heard[0], &*heard[4]), ("READY=1 STATUS=a", "READY=1 STATUS=b"));
}

#[tokio::test(start_paused = true)]
async fn what_the_manager_waits_for_is_offered_again_each_second_in_its_order() {
    let (heard, _, mut service) = service(None);
    heard.deafen();
    service.wake(at(0), || "a".into());
    assert_eq!(service.wakes_at(), Some(at(1_000)));
    service.wake(at(500), || unreachable!("not yet"));
    service.wake(at(1_000), || "b".into());
    heard.listen();
    service.wake(at(2_000), || "c".into());
    assert_eq!(heard.take(), ["READY=1 STATUS=c"]);
    assert_eq!(service.wakes_at(), None);
    service.changed(at(5_000));
    heard.deafen();
    drop(service.reloading());
    service.reloaded(None);
    service.wake(at(5_000), || "d".into());
    assert_eq!(service.wakes_at(), Some(at(6_000)));
    heard.listen();
    service.wake(at(6_000), || "e".into());
    let [begun, over] = heard.take().try_into().unwrap();
    assert!(begun.starts_with("RELOADING=1 MONOTONIC_USEC="), "{begun}");
    assert_eq!(over, "READY=1 STATUS=e");
    heard.deafen();
    service.stopping("SIGTERM");
    service.wake(at(7_000), || unreachable!("it ends"));
    assert_eq!(service.wakes_at(), Some(at(8_000)));
    heard.listen();
    service.wake(at(8_000), || unreachable!("it ends"));
    assert_eq!(heard.take(), ["STOPPING=1 STATUS=stopping (SIGTERM)"]);
    assert_eq!(service.wakes_at(), None);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_not_taken_is_dropped_and_a_sign_of_life_given_soon() {
    let (heard, _, mut service) = service(Some(60));
    service.wake(at(0), || "a".into());
    heard.take();
    heard.deafen();
    service.changed(at(30_000));
    service.wake(at(30_000), || "b".into());
    assert_eq!(service.wakes_at(), Some(at(31_000)), "a whole half of its time would end at its patience");
    heard.listen();
    service.wake(at(31_000), || unreachable!("the line is gone"));
    service.changed(at(32_000));
    service.wake(at(32_000), || "b".into());
    assert_eq!(heard.take(), ["WATCHDOG=1", "STATUS=b"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_manager_nothing_is_owed() {
    let mut service = Service::new(Manager::absent(), Pulse::start());
    service.changed(at(0));
    assert_eq!(service.wakes_at(), None);
    service.wake(at(0), || unreachable!("nobody hears it"));
    service.stopping("SIGTERM");
}
