//! What goes wrong by scenario, and what the record says of it.

use std::time::Duration;

use cognito_import_simulator::ClientError;
use serde_json::{Value, json};

use crate::stage::{Stage, error, shown};

const JOB: &str = "[[pool.job]]\nid = \"import-a\"\nname = \"a\"\nscript = [{status = \"InProgress\", imported = 5}]\n";

/// A stage whose Describe meets this answer, each time.
async fn met(answer: &str) -> Stage {
    Stage::new("", &format!("{JOB}[[fault]]\noperation = \"DescribeUserImportJob\"\nanswer = {answer}")).await
}

async fn body_of(answer: &str) -> String {
    // The fault is drawn before the signature is looked at.
    let stage = met(answer).await;
    let target = "AWSCognitoIdentityProviderService.DescribeUserImportJob";
    let request = format!("POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {target}\r\nContent-Length: 2\r\n\r\n{{}}");
    stage.raw(&request).await.unwrap().to_lowercase()
}

#[tokio::test]
async fn the_record_tells_what_each_answer_showed_and_whether_it_was_whole() {
    let faults = r#"
        [[fault]]
        name = "half"
        first = 2
        last = 2
        answer = {kind = "cut"}
        [[fault]]
        first = 3
        last = 3
        answer = {kind = "reset"}
        [[fault]]
        first = 4
        last = 4
        answer = {kind = "throttle", retry_after = "2s"}"#;
    let stage = Stage::new("", &format!("{JOB}{faults}")).await;
    assert_eq!(stage.describe("import-a").await.unwrap()["ImportedUsers"], 5);
    let cut = error(stage.describe("import-a").await);
    assert!(cut.1.contains("end of file") || cut.1.contains("closed"), "{cut:?}");
    let reset = error(stage.describe("import-a").await);
    assert!(reset.1.contains("reset"), "{reset:?}");
    assert_eq!(error(stage.describe("import-a").await).0, "TooManyRequestsException");
    let entries = stage.record(4).await;
    let column = |key: &str| entries.iter().map(|entry| entry[key].clone()).collect::<Vec<_>>();
    assert_eq!(column("complete"), [json!(true), json!(false), json!(false), json!(true)]);
    assert_eq!(column("fault"), [json!(null), json!("half"), json!("fault-2"), json!("fault-3")]);
    assert_eq!(column("http_status"), [json!(200), json!(200), json!(null), json!(400)]);
    assert_eq!(column("imported"), [json!(5), json!(5), json!(null), json!(null)]);
    assert_eq!(entries[3]["error"], "TooManyRequestsException");
    assert!(entries.iter().all(|entry| entry["account"] == "123456789012" && entry["job_id"] == "import-a"));
    assert!(column("at").windows(2).all(|pair| pair[0].as_f64() < pair[1].as_f64()));
}

#[tokio::test]
async fn a_list_is_recorded_job_by_job_and_the_upload_too() {
    let stage = Stage::new("", JOB).await;
    stage.uploaded("x".into()).await;
    stage.call("ListUserImportJobs", json!({"MaxResults": 5})).await.unwrap();
    let entries = stage.record(3).await;
    assert_eq!((&entries[1]["operation"], &entries[1]["http_status"]), (&json!("Upload"), &json!(200)));
    let jobs: Vec<&Value> = entries[2]["jobs"].as_array().unwrap().iter().map(|job| &job["status"]).collect();
    assert_eq!(jobs, ["Created", "InProgress"]);
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_leaves_and_is_recorded_as_not_written() {
    let stage = met(r#"{kind = "hang"}"#).await;
    // The client leaves when the simulator has surely taken the request, however slow the machine.
    let entry = loop {
        assert!(tokio::time::timeout(Duration::from_millis(20), stage.describe("import-a")).await.is_err());
        if let Ok(mut entries) = tokio::time::timeout(Duration::from_millis(20), stage.record(1)).await {
            break entries.remove(0);
        }
    };
    assert_eq!((&entry["complete"], &entry["http_status"]), (&json!(false), &json!(null)));
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_what_hangs() {
    let stage = met(r#"{kind = "hang"}"#).await;
    let client = stage.client.clone();
    let input = json!({"UserPoolId": crate::stage::POOL, "JobId": "import-a"});
    let hanging = tokio::spawn(async move { client.call("DescribeUserImportJob", &input).await });
    tokio::task::yield_now().await;
    tokio::time::timeout(Duration::from_secs(5), stage.simulator.shutdown()).await.unwrap();
    assert!(matches!(hanging.await.unwrap(), Err(ClientError::Transport(_))));
}

#[tokio::test]
async fn an_error_is_spelled_in_each_of_its_ways() {
    let both = body_of(r#"{kind = "error", code = "XException", message = "m", status = 403}"#).await;
    assert!(both.starts_with("http/1.1 403") && both.contains("x-amzn-errortype: xexception:"), "{both}");
    assert!(both.ends_with(r#"{"__type":"xexception","message":"m"}"#), "{both}");
    let header = body_of(r#"{kind = "error", code = "X", message = "m", spelling = "header"}"#).await;
    assert!(header.contains("x-amzn-errortype: x:") && !header.contains("__type"), "{header}");
    let body =
        body_of(r#"{kind = "error", code = "X", spelling = "body", message = "m", message_key = "Message"}"#).await;
    assert!(
        !body.contains("errortype") && body.ends_with(r#"{"message":"m","__type":"x"}"#)
            || body.contains(r#""__type":"x""#)
    );
    let spaced = body_of(r#"{kind = "error", code = "X", spelling = "namespaced"}"#).await;
    assert!(spaced.contains("com.amazonaws.cognitoidentityprovider#x"), "{spaced}");
}

#[tokio::test]
async fn the_other_answers_are_as_they_are_said_to_be() {
    let cases = [
        (r#"{kind = "throttle", retry_after = "2s"}"#, "x-amz-retry-after: 2000"),
        (r#"{kind = "internal"}"#, "http/1.1 500"),
        (r#"{kind = "gateway", status = 502}"#, "<h1>502</h1>"),
        (r#"{kind = "empty", status = 429}"#, "content-length: 0"),
        (r#"{kind = "html"}"#, "<h1>welcome</h1>"),
        (r#"{kind = "no_job"}"#, "\r\n\r\n{}"),
        (r#"{kind = "raw", body = "abc", status = 418, content_type = "a/b"}"#, "content-type: a/b"),
    ];
    for (answer, expected) in cases {
        let got = body_of(answer).await;
        assert!(got.contains(expected), "{answer}: {got}");
    }
}

#[tokio::test]
async fn a_show_fault_changes_its_job_alone_in_describe_and_list() {
    let more = "[[pool.job]]\nid = \"import-b\"\nscript = [{}]\n[[fault]]\njob = \"import-a\"\nlast = 2\n\
                answer = {kind = \"show\", status = \"Paused\", failed = 9}";
    let stage = Stage::new("", &format!("{JOB}{more}")).await;
    assert_eq!(shown(&stage.describe("import-a").await.unwrap()), ("Paused", 5, 0, 9));
    let list = stage.call("ListUserImportJobs", json!({"MaxResults": 5})).await.unwrap();
    let list: Vec<_> = list["UserImportJobs"].as_array().unwrap().iter().map(|job| shown(job).0).collect();
    assert_eq!(list, ["Created", "Paused"]);
    assert_eq!(shown(&stage.describe("import-b").await.unwrap()).0, "Created");
    // A step back: the fault is over.
    assert_eq!(shown(&stage.describe("import-a").await.unwrap()).0, "InProgress");
}

#[tokio::test]
async fn a_window_and_a_ratio_choose_the_requests() {
    let fault = |condition: &str| format!("{JOB}[[fault]]\n{condition}\nanswer = {{kind = \"throttle\"}}");
    let throttled = async |condition: &str| {
        let stage = Stage::new("", &fault(condition)).await;
        let mut count = 0;
        for _ in 0..40 {
            count += u32::from(stage.describe("import-a").await.is_err());
        }
        count
    };
    assert_eq!(throttled("ratio = 0.0").await, 0);
    assert_eq!(throttled("ratio = 1.0").await, 40);
    assert!((5..36).contains(&throttled("ratio = 0.5").await));
    assert_eq!(throttled("to = \"1h\"").await, 40);
    assert_eq!(throttled("from = \"1h\"").await, 0);
    assert_eq!(throttled("clock = \"job\"\nto = \"1d\"").await, 40);
    assert_eq!(throttled("first = 3\nlast = 4").await, 2);
    assert_eq!(throttled("job_name = \"b\"").await, 0);
    assert_eq!(throttled("job_name = \"a\"").await, 40);
    assert_eq!(throttled("pool = \"us-west-2_OTHER\"").await, 0);
    assert_eq!(throttled("account = \"123456789012\"\nregion = \"us-west-2\"").await, 40);
}

#[tokio::test]
async fn a_delay_is_followed_by_the_right_answer() {
    let stage = met(r#"{kind = "delay", for = "5ms"}"#).await;
    assert_eq!(shown(&stage.describe("import-a").await.unwrap()).0, "InProgress");
}
