//! The metrics of the built binary: what is in a scrape, and that what is built on it asks for nothing else.

mod built_on;
mod counted;
mod scrape;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;

use serde_json::Value;
use tokio::time::Instant;

use crate::harness::{DEADLINE, FAST, Running, Stage, target};
use scrape::Scrape;

/// A daemon that is scraped.
struct Daemon {
    running: Running,
    file: PathBuf,
    address: String,
}

impl Daemon {
    /// One with these tables in its config.
    #[track_caller]
    fn start(stage: &Stage, tables: &str) -> Self {
        let file = stage.file("watch.toml", &config(tables));
        let running = stage.program(["run"]).arg("--config").arg(&file).start();
        let line: Value = serde_json::from_str(&running.line(|line| line.contains("listening for http"))).unwrap();
        Self { running, file, address: line["address"].as_str().unwrap().to_owned() }
    }

    fn reload(&self, tables: &str) {
        std::fs::write(&self.file, config(tables)).unwrap();
        self.running.signal("HUP");
    }

    /// A scrape now.
    #[track_caller]
    fn scrape(&self) -> Scrape {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        // Without chunks: they came with HTTP/1.1.
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.0 200 OK"), "{head}");
        assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
        Scrape::parse(body)
    }

    /// The first scrape that is as wanted.
    #[track_caller]
    fn scrape_with(&self, wanted: impl Fn(&Scrape) -> bool) -> Scrape {
        let start = Instant::now();
        loop {
            let scrape = self.scrape();
            if wanted(&scrape) {
                return scrape;
            }
            assert!(start.elapsed() < DEADLINE, "it does not come to it:\n{}", scrape.text);
        }
    }

    fn stop(self) -> String {
        self.running.signal("TERM");
        self.running.end().with_code(0).stdout
    }
}

fn config(tables: &str) -> String {
    format!("{FAST}[http]\nlisten = \"127.0.0.1:0\"\n{tables}")
}

/// The tables of these jobs.
fn watched(names: &[&str]) -> String {
    names.iter().map(|name| format!("[[job]]\ntarget = \"{}\"\n", target(name))).collect()
}
