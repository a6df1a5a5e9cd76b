//! The simulator as its clients see it, over loopback.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod checks;
mod faults;
mod jobs;
mod rows;
mod stage;
mod sts;
mod table;

use cognito_import_simulator::{Client, ClientError, Options, Simulator};
use serde_json::json;

use stage::{POOL, Stage, bad, csv, error, good, shown};

#[tokio::test]
async fn a_job_runs_to_its_end_with_true_counts_and_a_second_import_skips_everybody() {
    let stage = Stage::new("", "users = [\"old\"]").await;
    let rows = || csv([good("a"), good("b"), good("c"), good("old"), bad("d")]);
    assert_eq!(shown(&stage.run(rows()).await), ("Succeeded", 3, 1, 1));
    let end = stage.run(rows()).await;
    assert_eq!(shown(&end), ("Failed", 0, 4, 1));
    stage.simulator.shutdown().await;
}

#[tokio::test]
async fn a_script_shows_the_sample_of_the_api_page() {
    let script = r#"
        [[pool.job]]
        id = "import-sample"
        script = [
            {polls = 1, status = "Created"},
            {status = "Succeeded", imported = 99, failed = 1, message = "", omit = ["StartDate", "CompletionDate"]},
        ]"#;
    let stage = Stage::new("", script).await;
    assert_eq!(stage.describe("import-sample").await.unwrap()["Status"], "Created");
    let sample = stage.describe("import-sample").await.unwrap();
    assert_eq!(shown(&sample), ("Succeeded", 99, 0, 1));
    for absent in ["StartDate", "CompletionDate", "CompletionMessage"] {
        assert_eq!(sample.get(absent), None);
    }
}

#[tokio::test]
async fn many_scripted_jobs_are_listed_once_each() {
    let jobs = "[[pool.job]]\nid = \"import-load\"\ncount = 130\nscript = [{status = \"Succeeded\", set = {New = 1}}]";
    let stage = Stage::new("list.cap = 50", jobs).await;
    let (mut seen, mut token) = (Vec::new(), json!(null));
    loop {
        let page = stage.call("ListUserImportJobs", json!({"MaxResults": 60, "PaginationToken": token})).await.unwrap();
        let jobs = page["UserImportJobs"].as_array().unwrap();
        assert!(jobs.len() <= 50 && jobs.iter().all(|job| job["New"] == 1));
        seen.extend(jobs.iter().map(|job| job["JobId"].as_str().unwrap().to_owned()));
        match page.get("PaginationToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 130);
}

#[tokio::test]
async fn the_default_scenario_has_one_account_and_one_pool_and_a_seed_repeats_its_ids() {
    let pools = |seed| async move {
        let simulator = Simulator::start(Options { seed, ..Options::default() }).await.unwrap();
        let pools = simulator.pools();
        assert_eq!((pools.len(), simulator.accounts().len()), (1, 1));
        simulator.shutdown().await;
        pools[0].id.clone()
    };
    assert_eq!(pools(Some(7)).await, pools(Some(7)).await);
    assert_ne!(pools(None).await, pools(None).await);
}

#[tokio::test]
async fn a_simulator_that_is_dropped_lets_go_of_its_port_and_a_taken_port_is_told() {
    let stage = Stage::new("", "").await;
    let addr = stage.simulator.addr();
    let taken = Simulator::start(Options { listen: addr, ..Options::default() }).await.unwrap_err();
    assert_eq!(taken.to_string(), format!("cannot listen on {addr}"));
    let client = stage.client.clone();
    drop(stage);
    loop {
        match client.call("GetCSVHeader", &json!({"UserPoolId": POOL})).await {
            Err(ClientError::Transport(_)) => break,
            Ok(_) | Err(ClientError::Service { .. }) => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn a_demanded_session_token_is_missed() {
    let account = "[[account]]\nid = \"222222222222\"\nsession_token = \"tok\"";
    let stage = Stage::new("", account).await;
    let account = stage.simulator.accounts().into_iter().find(|account| account.session_token.is_some()).unwrap();
    let client = Client::new(stage.simulator.addr(), &account.access_key_id, &account.secret_access_key, "us-west-2");
    let refused = client.call("GetCSVHeader", &json!({"UserPoolId": POOL})).await;
    assert_eq!(error(refused).0, "UnrecognizedClientException");
}
