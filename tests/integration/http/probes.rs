//! `/livez` and `/readyz`, what is refused, and where the daemon listens.

use super::client::{ask, get, wait_for};
use super::{address, config};
use crate::harness::{ACCOUNT, FAST, Program, Running, Stage, jobs, target};

const RUNNING: &str = "{status = \"InProgress\"}";
const OK: &str = "{\"status\":\"ok\",\"reason\":null}\n";

#[test]
fn it_is_live_at_once_and_ready_when_every_region_was_answered() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let running = stage.configured(&config("", &["a"]), ["run"]).start();
    let address = address(&running);
    assert_eq!((get(address, "/livez").status, get(address, "/livez").body.as_str()), (200, OK));
    let ready = wait_for(address, "/readyz", |answer| answer.status == 200);
    assert_eq!(ready.body, OK);
    assert!(ready.head.contains("content-type: application/json"), "{ready:?}");
    // A second region where nobody answers.
    let file = stage.file("watch.toml", &config("", &["a"]));
    drop(running);
    let elsewhere = "[[account]]\nname = \"b\"\nendpoint_url = \"http://127.0.0.1:1\"\n[[job]]\n\
                     target = \"eu-west-1_A/import-b\"\naccount = \"b\"\n";
    std::fs::write(&file, config(elsewhere, &["a"])).unwrap();
    let running = stage.keyed(["run"]).env("AWS_ENDPOINT_URL", stage.url()).arg("--config").arg(&file).start();
    let address = super::address(&running);
    running.event("job.first_seen");
    let answer = wait_for(address, "/readyz", |answer| !answer.reason().contains("us-west-2"));
    assert_eq!((answer.status, answer.reason().as_str()), (503, "no answer yet from eu-west-1; the log says why"));
    assert_eq!(answer.json()["status"], "unavailable");
    assert_eq!(get(address, "/livez").status, 200);
    // Without it, after a reload, it is ready.
    std::fs::write(&file, config("", &["a"])).unwrap();
    running.signal("HUP");
    running.event("daemon.reloaded");
    wait_for(address, "/readyz", |answer| answer.status == 200);
}

#[test]
fn a_restart_after_all_is_over_is_ready_and_so_is_a_reload_that_brings_in_what_is_over() {
    let succeeded = "{status = \"Succeeded\"}";
    let elsewhere = format!(
        "[[pool]]\nid = \"eu-west-1_Else\"\naccount = \"{ACCOUNT}\"\n\
         [[pool.job]]\nid = \"import-b\"\nscript = [{succeeded}]\n"
    );
    let stage = Stage::new(&format!("{}{elsewhere}", jobs([("a", succeeded)])));
    let state = format!("[state]\npath = \"{}\"\n", stage.path().join("state.db").display());
    let other = "[[job]]\ntarget = \"eu-west-1_Else/import-b\"\n";
    let one = config(&state, &["a"]);
    let two = format!("{one}{other}");
    let stop = |running: Running| {
        running.signal("TERM");
        running.end().with_code(0);
    };
    let asked = |ends: &[&str]| {
        let running = stage.configured(&two, ["run"]).start();
        for job in ends {
            running.line(|line| line.contains("\"event\":\"job.completed\"") && line.contains(job));
        }
        wait_for(address(&running), "/readyz", |answer| answer.body == OK);
        stop(running);
        stage.record().len()
    };
    // Two regions, then both over, then one of them alone: nobody is asked any more.
    let before = asked(&["import-a", "import-b"]);
    assert_eq!(asked(&[]), before);
    let file = stage.file("watch.toml", &one);
    let running = stage.program(["run"]).arg("--config").arg(&file).start();
    let address = address(&running);
    wait_for(address, "/readyz", |answer| answer.body == OK);
    std::fs::write(&file, &two).unwrap();
    running.signal("HUP");
    running.event("daemon.reloaded");
    wait_for(address, "/readyz", |answer| answer.body == OK);
    assert_eq!(stage.record().len(), before);
    stop(running);
}

#[test]
fn an_account_that_is_denied_is_told_and_holds_nothing_up() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let program = stage.configured(&config("", &["a"]), ["run"]).env("AWS_ACCESS_KEY_ID", "AKIANOBODYKNOWSTHIS0");
    let running = program.start();
    running.event("job.access_denied");
    let answer = get(address(&running), "/readyz");
    assert!(answer.status == 200 && answer.reason().starts_with("nothing but refusals from "), "{answer:?}");
}

#[test]
fn a_state_that_cannot_be_written_makes_it_unready_until_it_can_be() {
    let steps: String =
        (1..=60).map(|failed| format!("{{polls = 2, status = \"InProgress\", failed = {failed}}},")).collect();
    let stage = Stage::new(&jobs([("a", &*format!("{steps} {{status = \"InProgress\", failed = 60}}"))]));
    let state = format!("[state]\npath = \"{}\"\n", stage.path().join("state.db").display());
    let running = stage.configured(&config(&state, &["a"]), ["run"]).with_files_up_to(40 * 1_024).start();
    let address = address(&running);
    running.event("daemon.state_unwritable");
    let answer = get(address, "/readyz");
    assert!(answer.status == 503 && answer.reason().starts_with("the state cannot be written: "), "{answer:?}");
    assert_eq!(get(address, "/livez").status, 200);
    running.unlimited();
    wait_for(address, "/readyz", |answer| answer.status == 200);
}

#[test]
fn a_config_that_is_rejected_is_told_and_one_with_another_address_is_in_force_after_a_restart() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let file = stage.file("watch.toml", &config("", &["a"]));
    let running = stage.program(["run"]).arg("--config").arg(&file).start();
    let address = address(&running);
    wait_for(address, "/readyz", |answer| answer.body == OK);
    std::fs::write(&file, "[poll]\njitter = 7\n").unwrap();
    running.signal("HUP");
    running.event("daemon.reload_rejected");
    let answer = get(address, "/readyz");
    assert_eq!(answer.status, 200);
    assert!(
        answer.reason().starts_with("the config before is in force; the new one was rejected: error: "),
        "{answer:?}"
    );
    std::fs::write(&file, config("", &["a"]).replace("127.0.0.1:0", "127.0.0.2:0")).unwrap();
    running.signal("HUP");
    running.event("daemon.reloaded");
    running.line(|line| line.contains("in force after a restart") && line.contains("\"key\":\"http\""));
    assert_eq!(get(address, "/readyz").body, OK);
    running.signal("TERM");
    running.end().with_code(0);
}

#[test]
fn it_listens_nowhere_unless_it_is_told_to() {
    let stage = Stage::new(&jobs([("a", "{status = \"Succeeded\"}")]));
    let settings = format!("{FAST}[[job]]\ntarget = \"{}\"\n", target("a"));
    let log = stage.configured(&settings, ["run", "--exit-when-complete"]).end().with_code(0).stdout;
    assert!(!log.contains("listening"), "{log}");
}

#[test]
fn an_address_in_use_is_said_and_ends_with_74_before_anything_starts() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let running = stage.configured(&config("", &["a"]), ["run"]).start();
    let address = address(&running);
    let second = config("", &["a"]).replace("127.0.0.1:0", &address.to_string());
    let ended = stage.configured(&second, ["run"]).end().with_code(74);
    let said = format!("cannot listen at {address}: ");
    assert!(ended.stderr.contains(&said) && ended.stderr.contains("http.listen"), "{ended}");
    assert_eq!(ended.stdout, "");
    // Not of this machine.
    let elsewhere = config("", &["a"]).replace("127.0.0.1:0", "192.0.2.1:9464");
    stage.configured(&elsewhere, ["run"]).end().with_code(74);
}

#[test]
fn a_second_daemon_with_the_same_config_says_whose_the_state_is_and_not_whose_the_address_is() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let state = |name: &str| format!("[state]\npath = \"{}\"\n", stage.path().join(name).display());
    let first = stage.configured(&config(&state("state.db"), &["a"]), ["run"]).start();
    let address = address(&first);
    let same = |name: &str| config(&state(name), &["a"]).replace("127.0.0.1:0", &address.to_string());
    let ended = stage.configured(&same("state.db"), ["run"]).end().with_code(74);
    let said = format!("in use by process {}", first.pid());
    assert!(ended.stderr.contains(&said) && !ended.stderr.contains("cannot listen"), "{ended}");
    let ended = stage.configured(&same("other.db"), ["run"]).end().with_code(74);
    assert!(ended.stderr.contains(&format!("cannot listen at {address}: ")) && ended.stdout.is_empty(), "{ended}");
}

#[test]
fn a_wrong_address_is_told_by_check_with_its_place() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let file = stage.config("[http]\nlisten = \"0.0.0.0\"\n");
    let said = Program::new(stage.path(), ["check", "--config"]).arg(&file).end().with_code(78).stderr;
    assert!(said.contains(":2:10") && said.contains("the port is missing"), "{said}");
}

#[test]
fn only_get_and_head_are_answered_and_bodies_are_not_read() {
    let stage = Stage::new(&jobs([("a", RUNNING)]));
    let running = stage.configured(&config("", &["a"]), ["run"]).start();
    let address = address(&running);
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let refused = ask(address, &format!("{method} /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        assert!(refused.status == 405 && refused.head.contains("allow: GET, HEAD"), "{refused:?}");
    }
    for (method, status) in [("POST", 405), ("GET", 413)] {
        let refused = ask(address, &format!("{method} /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"));
        assert!(refused.status == status && refused.head.contains("connection: close"), "{refused:?}");
    }
    for path in ["/", "/livez", "/readyz", "/api/jobs"] {
        let head = ask(address, &format!("HEAD {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        assert_eq!(head.body, "", "{path}");
    }
    let index = get(address, "/");
    for path in ["/livez", "/readyz", "/metrics", "/api/jobs", "/api/events"] {
        assert!(index.body.contains(path), "{index:?}");
    }
    assert_eq!(get(address, "/status").status, 404);
}
