//! `/api/jobs`: every job as it stands.

use super::client::{get, wait_for};
use super::{address, config};
use crate::harness::{ACCOUNT, POOL, Stage, jobs};

const RUNNING: &str = "{status = \"InProgress\", imported = 3}";

#[test]
fn a_job_has_what_status_says_of_it_and_what_only_the_daemon_knows() {
    let stage = Stage::new(&jobs([("a", RUNNING), ("b", "{status = \"Succeeded\", imported = 7}")]));
    let running = stage.configured(&config("", &["a", "b", "c"]), ["run"]).start();
    let address = address(&running);
    let seen = wait_for(address, "/api/jobs", |answer| {
        let jobs = &answer.json()["jobs"];
        jobs[0]["status"] == "InProgress" && jobs[1]["verdict"] == "succeeded" && jobs[2]["failing_since"].is_string()
    });
    assert!(seen.whole && seen.status == 200, "{seen:?}");
    let seen = seen.json();
    let [a, b, c] = [0, 1, 2].map(|index| &seen["jobs"][index]);
    assert_eq!((&a["user_pool_id"], &a["job_id"]), (&POOL.into(), &"import-a".into()));
    assert_eq!((&a["name"], &a["region"], &a["account"]), (&"a".into(), &"us-west-2".into(), &ACCOUNT.into()));
    assert_eq!((&a["imported_users"], &b["imported_users"]), (&3.into(), &7.into()));
    assert!(a["observed_at"].is_string() && a["polls"].as_u64().unwrap() > 0 && a["verdict"].is_null(), "{a}");
    assert!(b["next_poll_seconds"].is_null() && c["error_kind"] == "not_found" && c["status"].is_null(), "{b} {c}");
    // The keys of `status`, in its order, come first.
    let status = stage.configured(&config("", &["a"]), ["status", "--output", "json"]).end().json();
    let keys = |job: &serde_json::Value| job.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let (ours, theirs) = (keys(a), keys(&status["jobs"][0]));
    assert!(theirs.iter().all(|key| ours.contains(key)), "{theirs:?} {ours:?}");
}

#[test]
fn jobs_are_chosen_by_pool_and_status() {
    let stage = Stage::new(&jobs([("a", RUNNING), ("b", "{status = \"Succeeded\"}")]));
    let running = stage.configured(&config("", &["a", "b"]), ["run"]).start();
    let address = address(&running);
    let count = |query: &str| get(address, &format!("/api/jobs?{query}")).json()["jobs"].as_array().unwrap().len();
    wait_for(address, "/api/jobs?status=Succeeded", |answer| answer.json()["jobs"][0]["job_id"] == "import-b");
    assert_eq!((count("status=InProgress"), count("status=Failed")), (1, 0));
    assert_eq!((count("status=inprogress"), count("status=SUCCEEDED"), count("status=Progress")), (1, 1, 0));
    assert_eq!((count(&format!("pool={POOL}")), count("pool=us-west-2_Other")), (2, 0));
    assert_eq!(get(address, "/api/jobs?job=x").status, 400);
}

#[test]
fn more_jobs_than_a_page_holds_are_all_there_once() {
    let names: Vec<String> = (0..700).map(|job| format!("j{job}")).collect();
    let stage = Stage::new(&jobs([("j0", RUNNING)]));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let running = stage.configured(&config("", &names), ["run"]).start();
    let address = address(&running);
    let answer = get(address, "/api/jobs");
    assert!(answer.whole);
    let seen = answer.json();
    let seen = seen["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].as_str().unwrap().to_owned());
    assert!(seen.eq(names.iter().map(|name| format!("import-{name}"))));
}
