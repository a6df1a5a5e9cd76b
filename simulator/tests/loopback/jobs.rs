//! The checks of the table's rows about an import job, and about what is uploaded for it.

use serde_json::{Value, json};

use crate::checks::{Check, checks, half_bad, is_chosen};
use crate::stage::{ROLE, Stage, bad, csv, error, good, shown};

fn url(job: &Value) -> &str {
    job["PreSignedUrl"].as_str().unwrap()
}

/// A PUT of a job's URL, by hand.
fn put(job: &Value, headers: &str) -> String {
    let (host, path) = url(job).strip_prefix("http://").unwrap().split_once('/').unwrap();
    format!("PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 3\r\n{headers}\r\n")
}

pub(crate) fn all() -> Vec<(&'static str, Check)> {
    checks! {
        "job-created" => async |_| {
            let job = Stage::new("", "").await.create().await;
            assert_eq!(shown(&job), ("Created", 0, 0, 0));
            assert!(job.get("StartDate").is_none() && job.get("CompletionDate").is_none() && job["CreationDate"].is_f64());
        },
        "job-states" => async |_| {
            let stage = Stage::new("jobs.rows_per_second = 0.02", "").await;
            let job = stage.uploaded(half_bad()).await;
            let mut seen = vec!["Created".to_owned(), stage.on("Start", &job).await.unwrap()["Status"].as_str().unwrap().into()];
            while seen.last().unwrap() != "Succeeded" {
                let status = stage.on("Describe", &job).await.unwrap()["Status"].as_str().unwrap().to_owned();
                if *seen.last().unwrap() != status {
                    seen.push(status);
                }
            }
            assert!(seen.starts_with(&["Created".into(), "Pending".into()]) && seen.contains(&"InProgress".into()), "{seen:?}");
        },
        "job-pending-time" => async |keys: String| {
            let stage = Stage::new(&keys, "").await;
            let job = stage.uploaded(half_bad()).await;
            let started = stage.on("Start", &job).await.unwrap();
            assert_ne!(started["Status"], "Pending");
        },
        "job-rate" => async |keys: String| {
            let stage = Stage::new(&keys, "").await;
            let end = stage.run(csv((0..100).map(|number| good(&format!("u{number}"))))).await;
            let lasted = end["CompletionDate"].as_f64().unwrap() - end["StartDate"].as_f64().unwrap();
            assert!((11.0..11.1).contains(&lasted), "{lasted}");
        },
        "job-counters" => async |keys: String| {
            for (keys, moves) in [("", true), (keys.as_str(), false)] {
                let stage = Stage::new(&format!("jobs.rows_per_second = 0.5\njobs.pending = \"0\"\n{keys}"), "").await;
                let job = stage.uploaded(csv((0..200).map(|number| good(&format!("u{number}"))))).await;
                stage.on("Start", &job).await.unwrap();
                let moved = stage.until(&job, |job| job["ImportedUsers"] != 0).await;
                assert_eq!(moved["Status"] == "InProgress", moves);
            }
        },
        "job-too-many" => async |keys: String| {
            assert_eq!(shown(&Stage::new("", "").await.run(half_bad()).await), ("Succeeded", 3, 0, 1));
            assert_eq!(shown(&Stage::new(&keys, "").await.run(half_bad()).await), ("Failed", 3, 0, 1));
        },
        "job-messages" => async |_| {
            let end = Stage::new("", "").await.run(half_bad()).await;
            assert_eq!(end["CompletionMessage"], "Import Job Completed Successfully.");
            let end = Stage::new("", "").await.run(csv([bad("a")])).await;
            assert_eq!(end["CompletionMessage"], "Too many users have failed or been skipped during the import.");
        },
        "job-unparsable" => async |_| {
            let end = Stage::new("", "").await.run("what is this?".into()).await;
            assert_eq!(shown(&end), ("Failed", 0, 0, 0));
        },
        "job-unparsable-message" => async |keys: String| {
            let end = Stage::new(&keys, "").await.run("what is this?".into()).await;
            assert_eq!(end["CompletionMessage"], "Bad file");
        },
        "job-missing" => async |keys: String| is_chosen(Stage::new(&keys, "").await.describe("import-none").await),
        "job-visible" => async |keys: String| {
            let stage = Stage::new(&format!("clock.speed = 1\n{keys}"), "").await;
            let job = stage.create().await;
            assert_eq!(error(stage.on("Describe", &job).await).0, "ResourceNotFoundException");
        },
        "job-no-upload" => async |_| {
            let stage = Stage::new("", "").await;
            let job = stage.create().await;
            let message = format!("No csv file was uploaded for {}", job["JobId"].as_str().unwrap());
            assert_eq!(error(stage.on("Start", &job).await), ("PreconditionNotMetException".into(), message));
        },
        "job-start-twice" => async |keys: String| {
            let stage = Stage::new(&keys, "").await;
            let job = stage.uploaded(half_bad()).await;
            stage.on("Start", &job).await.unwrap();
            is_chosen(stage.on("Start", &job).await);
        },
        "job-one-active" => async |_| {
            let stage = Stage::new("jobs.pending = \"1d\"", "").await;
            let (first, second) = (stage.uploaded(half_bad()).await, stage.uploaded(half_bad()).await);
            stage.on("Start", &first).await.unwrap();
            assert!(stage.on("Start", &second).await.is_err());
            stage.on("Stop", &first).await.unwrap();
            stage.until(&first, |job| job["Status"] == "Stopped").await;
            stage.on("Start", &second).await.unwrap();
        },
        "job-one-active-error" => async |keys: String| {
            let stage = Stage::new(&format!("jobs.active_per_account = 0\n{keys}"), "").await;
            let job = stage.uploaded(half_bad()).await;
            is_chosen(stage.on("Start", &job).await);
        },
        "job-stop" => async |_| {
            let stage = Stage::new("jobs.stopping = \"10s\"\njobs.pending = \"1d\"", "").await;
            let job = stage.uploaded(half_bad()).await;
            stage.on("Start", &job).await.unwrap();
            assert_eq!(stage.on("Stop", &job).await.unwrap()["Status"], "Stopping");
            let end = stage.until(&job, |job| job.get("CompletionDate").is_some()).await;
            assert_eq!(shown(&end).0, "Stopped");
            assert_eq!(end["CompletionMessage"], "The Import Job was stopped by the developer.");
        },
        "job-stop-time" => async |keys: String| {
            let stage = Stage::new(&format!("{keys}\njobs.pending = \"1d\""), "").await;
            let job = stage.uploaded(half_bad()).await;
            stage.on("Start", &job).await.unwrap();
            assert_eq!(stage.on("Stop", &job).await.unwrap()["Status"], "Stopped");
        },
        "job-stop-error" => async |keys: String| {
            let stage = Stage::new(&keys, "").await;
            let job = stage.create().await;
            is_chosen(stage.on("Stop", &job).await);
        },
        "job-expired" => async |_| {
            let stage = Stage::new("", "[[pool.job]]\nid = \"import-old\"\ncreated_ago = \"25h\"").await;
            let job = stage.describe("import-old").await.unwrap();
            assert_eq!((shown(&job).0, job.get("StartDate")), ("Expired", None));
            assert_eq!(job["CompletionMessage"], "The user import job has expired.");
        },
        "job-expiry-time" => async |keys: String| {
            let stage = Stage::new(&keys, "[[pool.job]]\nid = \"import-old\"\ncreated_ago = \"25h\"").await;
            assert_eq!(shown(&stage.describe("import-old").await.unwrap()).0, "Created");
        },
        "job-limit" => async |keys: String| {
            let stage = Stage::new(&keys, "[[pool.job]]\ncount = 1000").await;
            is_chosen(stage.call("CreateUserImportJob", json!({"JobName": "a", "CloudWatchLogsRoleArn": ROLE})).await);
        },
        "job-date-spelling" => async |keys: String| {
            let stage = Stage::new(&keys, "[[pool.job]]\nid = \"import-a\"").await;
            // The client reads both the same; the bytes differ.
            assert!(stage.describe("import-a").await.unwrap()["CreationDate"].as_f64().unwrap() > 1.7e9);
        },
        "job-role" => async |_| {
            let stage = Stage::new("", "").await;
            let role = "arn:aws:iam::999999999999:role/nobody";
            stage.call("CreateUserImportJob", json!({"JobName": "a", "CloudWatchLogsRoleArn": role})).await.unwrap();
        },
        "job-hashes" => async |_| {
            let stage = Stage::new("", "").await;
            let input = json!({"JobName": "a", "CloudWatchLogsRoleArn": ROLE, "PasswordHashingAlgorithm": "BCRYPT"});
            let job = stage.call("CreateUserImportJob", input).await.unwrap()["UserImportJob"].take();
            assert_eq!(job["PasswordHashingAlgorithm"], "BCRYPT");
            stage.client.upload(url(&job), csv([good("a")])).await.unwrap();
            stage.on("Start", &job).await.unwrap();
            let end = stage.until(&job, |job| job.get("CompletionDate").is_some()).await;
            assert_eq!(shown(&end).0, "Failed");
        },
        "job-no-auto-verified" => async |keys: String| {
            let stage = Stage::new(&keys, "auto_verified = []").await;
            let job = stage.uploaded(half_bad()).await;
            is_chosen(stage.on("Start", &job).await);
        },
        "upload-url" => async |_| {
            let job = Stage::new("", "").await.create().await;
            for part in ["/123456789012/us-west-2_EXAMPLE/import-", "?X-Amz-Security-Token=", "&X-Amz-Expires=899&",
                "&X-Amz-SignedHeaders=host%3Bx-amz-server-side-encryption&", "&X-Amz-Signature="] {
                assert!(url(&job).contains(part), "{part}");
            }
        },
        "upload-signature" => async |_| {
            let stage = Stage::new("", "").await;
            let forged = url(&stage.create().await).replace("/import-", "/import-x");
            assert_eq!(error(stage.client.upload(&forged, "x").await).0, "SignatureDoesNotMatch");
        },
        "upload-lapsed" => async |_| {
            let stage = Stage::new("", "[[pool.job]]\nid = \"import-a\"\ncreated_ago = \"16m\"").await;
            let job = stage.describe("import-a").await.unwrap();
            let lapsed = stage.client.upload(url(&job), "x").await;
            assert_eq!(error(lapsed), ("AccessDenied".into(), "Request has expired".into()));
        },
        "upload-encryption" => async |_| {
            let stage = Stage::new("", "").await;
            let job = stage.create().await;
            assert!(stage.raw(&format!("{}abc", put(&job, ""))).await.unwrap().starts_with("HTTP/1.1 403"));
        },
        "upload-errors" => async |_| {
            let answer = Stage::new("", "").await.raw("PUT /1/2/3 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
            assert!(answer.contains("<Error><Code>AccessDenied</Code><Message>"), "{answer}");
        },
        "upload-continue" => async |_| {
            let stage = Stage::new("", "").await;
            let job = stage.create().await;
            let expect = "Expect: 100-continue\r\n";
            let asked = stage.raw(&put(&job, &format!("x-amz-server-side-encryption: aws:kms\r\n{expect}"))).await.unwrap();
            assert!(asked.starts_with("HTTP/1.1 100 Continue"), "{asked}");
            assert!(stage.raw(&put(&job, expect)).await.unwrap().starts_with("HTTP/1.1 403"));
        },
        "upload-replaced" => async |_| {
            let stage = Stage::new("", "").await;
            let job = stage.uploaded("rubbish".into()).await;
            stage.client.upload(url(&job), csv([good("a")])).await.unwrap();
            stage.on("Start", &job).await.unwrap();
            let end = stage.until(&job, |job| job.get("CompletionDate").is_some()).await;
            assert_eq!(shown(&end), ("Succeeded", 1, 0, 0));
        },
        "upload-limit" => async |_| {
            let stage = Stage::new("csv.max_bytes = 300", "").await;
            assert_eq!(shown(&stage.run(csv(["a", "b", "c"].map(good))).await), ("Failed", 0, 0, 0));
        },
        "upload-too-large" => async |keys: String| {
            let stage = Stage::new(&format!("csv.max_bytes = 10\n{keys}"), "").await;
            let job = stage.create().await;
            assert_eq!(error(stage.client.upload(url(&job), "x".repeat(11)).await).0, "EntityTooLarge");
        },
        "upload-megabyte" => async |keys: String| assert!(Stage::new(&keys, "").await.create().await.is_object()),
    }
}
