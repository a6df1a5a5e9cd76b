//! What the service manager hears of `run`: a Unix datagram socket of ours stands where systemd's would.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;
use std::time::Duration;

use crate::harness::{FAST, Program, Stage, jobs, target};

const RUNNING: &str = "{status = \"InProgress\", imported = 12}";

/// Only a hang takes so long.
const DEADLINE: Duration = Duration::from_secs(60);

/// The far end of NOTIFY_SOCKET.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn of(stage: &Stage) -> Self {
        let path = stage.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self { socket, path }
    }

    fn hears(&self, program: Program) -> Program {
        program.env("NOTIFY_SOCKET", &self.path)
    }

    /// The assignments of the next datagram.
    fn next(&self) -> Vec<String> {
        let mut bytes = [0; 65_536];
        let length = self.socket.recv(&mut bytes).expect("it is told something");
        let text = std::str::from_utf8(&bytes[..length]).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// The next datagram that begins with this; status lines and signs of life between them are passed over.
    fn until(&self, beginning: &str) -> Vec<String> {
        loop {
            let heard = self.next();
            if heard[0].starts_with(beginning) {
                return heard;
            }
            assert!(heard[0].starts_with("STATUS=") || heard[0] == "WATCHDOG=1", "{heard:?} before {beginning}");
        }
    }

    /// Passes over everything until it hears this.
    fn until_any(&self, wanted: &str) {
        while self.next()[0] != wanted {}
    }

    /// Everything that waits to be heard.
    fn rest(&self) -> Vec<Vec<String>> {
        self.socket.set_nonblocking(true).unwrap();
        let mut bytes = [0; 65_536];
        let mut rest = Vec::new();
        while let Ok(length) = self.socket.recv(&mut bytes) {
            rest.push(String::from_utf8_lossy(&bytes[..length]).lines().map(str::to_owned).collect());
        }
        self.socket.set_nonblocking(false).unwrap();
        rest
    }
}

fn config(name: &str) -> String {
    format!("{FAST}[[job]]\ntarget = \"{}\"\n", target(name))
}

fn microseconds() -> u64 {
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    (uptime.split(' ').next().unwrap().parse::<f64>().unwrap() * 1e6) as u64
}

#[test]
fn a_daemon_says_when_it_is_ready_reads_its_config_again_and_stops() {
    let stage = Stage::new(&jobs([("a", RUNNING), ("b", RUNNING)]));
    let manager = Manager::of(&stage);
    let file = stage.file("notified.toml", &config("a"));
    let running = manager.hears(stage.program(["run"]).arg("--config").arg(&file)).start();
    let ready = manager.next();
    assert_eq!(ready, ["READY=1", "STATUS=watching 1 job, 0 pools: 1 not seen yet"]);
    let seen = manager.until("STATUS=");
    assert_eq!(seen.len(), 1);
    assert!(seen[0].starts_with("STATUS=watching 1 job, 0 pools: 1 InProgress; moving: a"), "{seen:?}");
    for (text, line) in [
        (config("b"), "STATUS=watching 1 job, 0 pools: 1 "),
        ("[poll]\njiter = 0.1\n".to_owned(), "STATUS=configuration rejected, the one in force stays ("),
        (config("b"), "STATUS=watching 1 job, 0 pools: 1 "),
    ] {
        std::fs::write(&file, text).unwrap();
        running.signal("HUP");
        let reloading = manager.until("RELOADING=1");
        let time = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap().parse::<u64>().unwrap();
        assert!(microseconds().abs_diff(time) < DEADLINE.as_micros() as u64, "{time}");
        let over = manager.next();
        assert_eq!(over[0], "READY=1");
        assert!(over[1].starts_with(line), "{over:?}");
    }
    running.signal("TERM");
    assert_eq!(manager.until("STOPPING=1"), ["STOPPING=1", "STATUS=stopping (SIGTERM)"]);
    running.end().with_code(0);
    assert!(manager.rest().iter().all(|heard| heard[0] == "WATCHDOG=1"));
}

#[test]
fn a_config_that_is_wrong_from_the_start_is_never_ready() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let manager = Manager::of(&stage);
    manager.hears(stage.configured("[poll]\njiter = 0.1\n", ["run"])).end().with_code(78);
    assert_eq!(manager.rest(), Vec::<Vec<String>>::new());
}

#[test]
fn a_watch_that_ends_by_itself_was_ready() {
    let stage = Stage::new(&jobs([("a", "{status = \"Succeeded\"}")]));
    let manager = Manager::of(&stage);
    let state = format!("[state]\npath = \"{}\"\n", stage.path().join("state.db").display());
    for _ in 0..2 {
        let program = stage.configured(&(config("a") + &state), ["run", "--exit-when-complete"]);
        manager.hears(program).end().with_code(0);
        let heard = manager.rest();
        assert_eq!(heard[0][0], "READY=1", "{heard:?}");
        assert_eq!(heard.last().unwrap(), &["STOPPING=1", "STATUS=stopping (complete)"], "{heard:?}");
    }
}

#[test]
fn the_watchdog_is_fed_at_half_its_time_and_not_while_the_process_stands_still() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let manager = Manager::of(&stage);
    let program = manager.hears(stage.configured(&config("a"), ["run"])).env("WATCHDOG_USEC", "400000");
    let running = program.start();
    for _ in 0..3 {
        manager.until_any("WATCHDOG=1");
    }
    running.signal("STOP");
    manager.rest();
    manager.socket.set_read_timeout(Some(Duration::from_millis(800))).unwrap();
    assert!(manager.socket.recv(&mut [0; 4_096]).is_err(), "nobody feeds it");
    manager.socket.set_read_timeout(Some(DEADLINE)).unwrap();
    running.signal("CONT");
    manager.until_any("WATCHDOG=1");
}

#[test]
fn what_is_no_daemon_says_nothing() {
    let stage = Stage::new(&jobs([("a", "{status = \"Succeeded\"}")]));
    let manager = Manager::of(&stage);
    for command in ["wait", "status"] {
        manager.hears(stage.program([command, &target("a")])).env("WATCHDOG_USEC", "1000").end().with_code(0);
    }
    assert_eq!(manager.rest(), Vec::<Vec<String>>::new());
}

#[test]
fn a_manager_that_never_reads_holds_up_neither_the_polls_nor_the_end() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let manager = Manager::of(&stage);
    // Whoever else speaks to it has filled its queue.
    let other = UnixDatagram::unbound().unwrap();
    other.set_nonblocking(true).unwrap();
    while other.send_to(b"STATUS=full", &manager.path).is_ok() {}
    let program = manager.hears(stage.configured(&config("a"), ["run"])).env("WATCHDOG_USEC", "200000");
    let running = program.start();
    stage.asked(20);
    running.signal("TERM");
    running.end().with_code(0);
    assert!(manager.rest().iter().all(|heard| heard == &["STATUS=full"]));
}

#[test]
fn a_manager_that_reads_late_hears_that_it_is_ready_and_may_have_a_name_without_a_file() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let name = format!("cognito-import-watch-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let manager = Manager { socket: UnixDatagram::bind_addr(&address).unwrap(), path: format!("@{name}").into() };
    manager.socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let other = UnixDatagram::unbound().unwrap();
    other.set_nonblocking(true).unwrap();
    other.connect_addr(&address).unwrap();
    while other.send(b"STATUS=full").is_ok() {}
    let running = manager.hears(stage.configured(&config("a"), ["run"])).start();
    stage.asked(5);
    manager.until("READY=1");
    running.signal("TERM");
    manager.until("STOPPING=1");
    running.end().with_code(0);
}
