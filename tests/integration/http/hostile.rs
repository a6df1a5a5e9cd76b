//! Callers who mean it ill: probes stay answered, polls go on, memory stays bounded.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use tokio::time::Instant;

use super::client::{ask, connect, get, read, wait_for};
use super::{address, config};
use crate::harness::{Running, Stage, jobs};

const RUNNING: &str = "{status = \"InProgress\"}";

/// What the daemon may grow by whatever is done to it, in KiB: the callers at once, each with its buffers, and what
/// the allocator keeps of it.
const GROWTH: u64 = 16 * 1_024;

/// How long a probe may take on a machine that does other things too.
const PROBE: Duration = Duration::from_secs(5);

/// Memory of its own, in KiB.
fn memory(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

struct Attacked {
    stage: Stage,
    running: Running,
    address: SocketAddr,
    before: u64,
}

impl Attacked {
    fn start() -> Self {
        let stage = Stage::new(&jobs([("a", RUNNING)]));
        let state = format!("[state]\npath = \"{}\"\n", stage.path().join("state.db").display());
        let running = stage.configured(&config(&state, &["a"]), ["run"]).with_descriptors(256).start();
        let address = address(&running);
        wait_for(address, "/readyz", |answer| answer.status == 200);
        let before = memory(&running);
        Self { stage, running, address, before }
    }

    /// Both probes are answered in time, and polls go on.
    #[track_caller]
    fn stands(&self) {
        for path in ["/livez", "/readyz"] {
            let start = Instant::now();
            let answer = get(self.address, path);
            assert!(answer.status == 200 && start.elapsed() < PROBE, "{path} {answer:?} after {:?}", start.elapsed());
        }
        self.stage.asked(self.stage.record().len() + 3);
        let grown = memory(&self.running).saturating_sub(self.before);
        assert!(grown < GROWTH, "{grown} KiB more");
    }

    #[track_caller]
    fn ends(self) {
        self.stands();
        self.running.signal("TERM");
        self.running.end().with_code(0);
    }
}

#[test]
fn thousands_who_send_nothing_or_a_header_now_and_then_keep_no_probe_out() {
    let attacked = Attacked::start();
    let mut callers: Vec<TcpStream> = Vec::new();
    for number in 0..3_000 {
        let Ok(mut caller) = TcpStream::connect(attacked.address) else { continue };
        if number % 2 == 0 {
            // Where it was cut already there is nobody to tell.
            drop(caller.write_all(b"GET /livez HTTP/1.1\r\nx-slow: 1\r\n"));
        }
        callers.push(caller);
        if number % 1_000 == 999 {
            attacked.stands();
        }
    }
    for caller in &mut callers {
        drop(caller.write_all(b"x-slower: 1\r\n"));
    }
    attacked.ends();
}

#[test]
fn a_caller_that_takes_too_long_for_its_headers_is_sent_away() {
    let attacked = Attacked::start();
    let start = Instant::now();
    let mut silent = connect(attacked.address);
    let mut slow = connect(attacked.address);
    let mut fed = slow.try_clone().unwrap();
    std::thread::spawn(move || {
        while fed.write_all(b"GET / HTTP/1.1\r\n".get(..1).unwrap_or_default()).is_ok() {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    for stream in [&mut silent, &mut slow] {
        // Closed or reset: either is the end.
        drop(stream.read_to_end(&mut Vec::new()));
    }
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    attacked.ends();
}

#[test]
fn heads_that_are_too_large_are_refused() {
    let attacked = Attacked::start();
    let large = format!("GET /livez HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(64 * 1_024));
    let many: String = (0..1_000).map(|number| format!("x{number}: 1\r\n")).collect();
    let many = format!("GET /livez HTTP/1.1\r\n{many}\r\n");
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(4_096));
    for (text, status) in [(large, 431), (many, 431), (long, 414)] {
        let mut stream = connect(attacked.address);
        // It may be refused before all is sent, and the answer lost with the rest.
        drop(stream.write_all(text.as_bytes()));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    // A head without end, from many.
    for _ in 0..50 {
        let mut stream = connect(attacked.address);
        drop(stream.write_all(b"GET / HTTP/1.1\r\n"));
        let line = [b"y: ".as_slice(), &[b'a'; 1_000], b"\r\n"].concat();
        while stream.write_all(&line).is_ok() {}
    }
    attacked.ends();
}

#[test]
fn bytes_at_random_bring_nothing_down() {
    let attacked = Attacked::start();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let words: [&[u8]; 18] = [
        b"GET ",
        b"POST ",
        b"HEAD ",
        b"/livez",
        b"/api/jobs",
        b"/api/events",
        b"?pool=",
        b"?last_event_id=",
        b" HTTP/1.1",
        b" HTTP/1.0",
        b"\r\n",
        b"\r\n\r\n",
        b"content-length: ",
        b"transfer-encoding: chunked\r\n",
        b"host: x\r\n",
        b"\0",
        b"\xff\xfe",
        b"99999999999999999999",
    ];
    for _ in 0..1_500 {
        let mut text = Vec::new();
        for _ in 0..next() % 24 {
            let word = words[usize::try_from(next() % 18).unwrap()];
            text.extend_from_slice(word);
            if next() % 8 == 0 {
                text.extend_from_slice(&next().to_le_bytes());
            }
        }
        let mut stream = TcpStream::connect(attacked.address).unwrap();
        drop(stream.write_all(&text));
        if next() % 2 == 0 {
            drop(stream.shutdown(Shutdown::Write));
        }
    }
    attacked.ends();
}

#[test]
fn requests_in_a_row_and_half_closed_are_answered() {
    let attacked = Attacked::start();
    let mut stream = connect(attacked.address);
    stream.write_all("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n".repeat(200).as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 200);
    let mut stream = connect(attacked.address);
    stream.write_all(b"GET /api/jobs HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(read(stream).whole);
    attacked.ends();
}

#[test]
fn readers_that_do_not_read_hold_no_memory_and_keep_no_probe_out() {
    let attacked = Attacked::start();
    let mut held = Vec::new();
    for path in ["/api/events", "/api/jobs"] {
        let text = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").repeat(100);
        for _ in 0..40 {
            let mut stream = TcpStream::connect(attacked.address).unwrap();
            drop(stream.write_all(text.as_bytes()));
            held.push(stream);
        }
        attacked.stands();
    }
    // However many there were, others are let in to ask.
    drop(held);
    wait_for(attacked.address, "/api/jobs", |answer| answer.status == 200);
    let stream = ask(attacked.address, "GET /api/jobs HTTP/1.0\r\n\r\n");
    assert_eq!(stream.status, 200);
    attacked.ends();
}
