//! A socket that the service manager hands over.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};

use super::client::{get, wait_for};
use super::config;
use crate::harness::{FAST, Stage, jobs, target};

const RUNNING: &str = "{status = \"InProgress\"}";

#[test]
fn a_socket_that_is_handed_over_is_served_without_any_address_in_the_config() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let settings = format!("{FAST}[[job]]\ntarget = \"{}\"\n", target("a"));
    let running = stage.configured(&settings, ["run"]).with_socket(listener.into()).start();
    running.line(|line| line.contains("listening for http") && line.contains(&address.to_string()));
    wait_for(address, "/readyz", |answer| answer.status == 200);
    assert_eq!(get(address, "/livez").status, 200);
}

#[test]
fn a_socket_that_is_handed_over_takes_the_place_of_the_address() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let path = stage.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let running = stage.configured(&config("", &["a"]), ["run"]).with_socket(listener.into()).start();
    running.line(|line| line.contains("http.listen is not used"));
    running.line(|line| line.contains("listening for http") && line.contains("\"address\":\"unix:/"));
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"GET /livez HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 OK"), "{answer}");
}

#[test]
fn what_is_handed_over_and_is_no_socket_that_listens_ends_with_74() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let file = std::fs::File::open("/dev/null").unwrap();
    let ended = stage.configured(&config("", &["a"]), ["run"]).with_socket(file.into()).end().with_code(74);
    assert!(ended.stderr.contains("handed over"), "{ended}");
}
