//! A client of our own, one connection for each request: what goes over the wire is what a test says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

/// Only a hang takes so long.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often a test that waits for an answer asks.
const LOOK: Duration = Duration::from_millis(10);

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
    /// Whether the body came to its end.
    pub(super) whole: bool,
}

impl Answer {
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The reason of a probe.
    #[track_caller]
    pub(super) fn reason(&self) -> String {
        self.json()["reason"].as_str().unwrap_or_default().to_owned()
    }
}

pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

#[track_caller]
pub(super) fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
}

/// Sends this text and reads until the other side closes.
#[track_caller]
pub(super) fn ask(address: SocketAddr, text: &str) -> Answer {
    let mut stream = connect(address);
    stream.write_all(text.as_bytes()).unwrap();
    read(stream)
}

#[track_caller]
pub(super) fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // What is broken off is what came before.
    drop(stream.read_to_end(&mut bytes));
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let (body, whole) =
        if head.contains("transfer-encoding: chunked") { joined(body) } else { (body.to_owned(), true) };
    Answer { status, head: head.to_owned(), body, whole }
}

/// A body in chunks as one, and whether the last one is there.
fn joined(mut chunked: &str) -> (String, bool) {
    let mut body = String::new();
    while let Some((size, rest)) = chunked.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        let Some(chunk) = rest.get(..size) else { break };
        body.push_str(chunk);
        chunked = rest.get(size + 2..).unwrap_or_default();
    }
    (body, false)
}

/// Asks until the answer is as wanted.
#[track_caller]
pub(super) fn wait_for(address: SocketAddr, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
    let start = Instant::now();
    loop {
        let answer = get(address, path);
        if wanted(&answer) {
            return answer;
        }
        assert!(start.elapsed() < DEADLINE, "{path} does not come to it: {answer:?}");
        std::thread::sleep(LOOK);
    }
}

/// An event as it came over a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) data: String,
}

/// A stream of events.
pub(super) struct Events(BufReader<TcpStream>);

impl Events {
    /// Follows the events after this one; from the first without.
    pub(super) fn open(address: SocketAddr, last_event_id: Option<&str>) -> Self {
        let mut stream = connect(address);
        let resumed = last_event_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        write!(stream, "GET /api/events HTTP/1.1\r\nhost: x\r\n{resumed}\r\n").unwrap();
        Self(BufReader::new(stream))
    }

    /// The next event; `None` at the end of the stream.
    #[track_caller]
    pub(super) fn next(&mut self) -> Option<Event> {
        let mut event = Event { id: String::new(), name: String::new(), data: String::new() };
        let mut line = String::new();
        loop {
            line.clear();
            if self.0.read_line(&mut line).unwrap() == 0 || line == "0\r\n" {
                return None;
            }
            // Lines of the chunks' own, of the head and of comments pass.
            let text = line.trim_end_matches('\n');
            match text.split_once(": ") {
                Some(("id", id)) => event.id = id.to_owned(),
                Some(("event", name)) => event.name = name.to_owned(),
                Some(("data", data)) => event.data = data.to_owned(),
                Some(_) | None if text.is_empty() && !event.id.is_empty() => return Some(event),
                Some(_) | None => {}
            }
        }
    }

    /// The next events.
    #[track_caller]
    pub(super) fn take(&mut self, count: usize) -> Vec<Event> {
        (0..count).map(|_| self.next().expect("the stream goes on")).collect()
    }
}
