//! The checks of the table's rows, but for those about the CSV. A check of an unknown gets the keys that its row names.

use std::future::Future;
use std::pin::Pin;

use cognito_import_simulator::{Client, ClientError};
use serde_json::{Value, json};

use crate::stage::{POOL, ROLE, Stage, bad, csv, error, good, shown};

pub(crate) type Check = fn(String) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! checks {
    ($($id:literal => $check:expr,)+) => {
        vec![$(($id, (|keys| Box::pin($check(keys))) as Check)),+]
    };
}
pub(crate) use checks;

/// The texts that the rows of `[errors]` choose.
const CODE: &str = "ChosenException";

fn is_chosen<T: std::fmt::Debug>(result: Result<T, ClientError>) {
    assert_eq!(error(result).0, CODE);
}

fn url(job: &Value) -> &str {
    job["PreSignedUrl"].as_str().unwrap()
}

/// A PUT of a job's URL, by hand.
fn put(job: &Value, headers: &str) -> String {
    let (host, path) = url(job).strip_prefix("http://").unwrap().split_once('/').unwrap();
    format!("PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 3\r\n{headers}\r\n")
}

async fn csv_header(stage: &Stage, key: &str, secret: &str, region: &str) -> Result<Value, ClientError> {
    let client = Client::new(stage.simulator.addr(), key, secret, region);
    client.call("GetCSVHeader", &json!({"UserPoolId": POOL})).await
}

/// Whether so many calls are granted at once, and no more than trickle in while they are made.
async fn granted(limit: usize, operation: &str, pools: usize, calls: usize) {
    let more: String = (0..pools).map(|number| format!("\n[[pool]]\nid = \"us-west-2_P{number}\"")).collect();
    // The defaults of the simulator, not those of the stage.
    let real = [("quota.per_pool", 5), ("quota.user_pool_resource_read", 20), ("quota.user_pool_resource_update", 15)];
    let keys = real.iter().fold(String::new(), |keys, (key, value)| format!("{keys}\n{key} = {value}"));
    let stage = Stage::new(&keys, &more).await;
    let (mut granted, begun) = (0, tokio::time::Instant::now());
    for number in 0..calls {
        let input = json!({
            "UserPoolId": format!("us-west-2_P{}", number % pools), "JobId": "import-a", "MaxResults": 1,
            "JobName": "a", "CloudWatchLogsRoleArn": ROLE, "PoolName": "a", "Username": format!("u{number}"),
        });
        let code = match stage.client.call(operation, &input).await {
            Ok(_) => String::new(),
            Err(refused) => error::<()>(Err(refused)).0,
        };
        granted += usize::from(code != "TooManyRequestsException");
    }
    let most = limit + (begun.elapsed().as_secs_f64() * limit as f64) as usize + 1;
    assert!((limit..=most).contains(&granted), "{granted} where {limit} to {most} were expected");
}

async fn list(stage: &Stage, size: usize, token: Value) -> Value {
    stage.call("ListUserImportJobs", json!({"MaxResults": size, "PaginationToken": token})).await.unwrap()
}

fn length(page: &Value) -> usize {
    page["UserImportJobs"].as_array().unwrap().len()
}

fn half_bad() -> String {
    csv([good("a"), good("b"), good("c"), bad("d")])
}

pub(crate) fn all() -> Vec<(&'static str, Check)> {
    checks! {
        "wire-error" => async |_| {
            let stage = Stage::new("", "").await;
            let answer = stage.raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            for part in ["HTTP/1.1 400", "x-amzn-errortype: MissingAuthenticationTokenException:", "x-amzn-requestid: ",
                "x-amzn-errormessage: ", "date: ", "{\"__type\":\"MissingAuthenticationTokenException\",\"message\":"] {
                assert!(answer.contains(part), "{part} is not in {answer}");
            }
        },
        "wire-unknown-operation" => async |_| {
            let stage = Stage::new("", "").await;
            assert_eq!(error(stage.call("ListUserPools", json!({})).await).0, "UnknownOperationException");
        },
        "wire-elsewhere" => async |_| {
            let stage = Stage::new("", "").await;
            assert!(stage.raw("GET /x HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap().starts_with("HTTP/1.1 404"));
        },
        "wire-validation" => async |_| {
            let stage = Stage::new("", "").await;
            let (code, message) = error(stage.call("ListUserImportJobs", json!({"MaxResults": 61})).await);
            assert_eq!(code, "InvalidParameterException");
            assert!(message.starts_with("1 validation error detected: Value '61' at 'maxResults' failed"), "{message}");
        },
        "sign-unsigned" => async |keys: String| {
            let request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
            assert!(Stage::new(&keys, "").await.raw(request).await.unwrap().contains(CODE));
        },
        "sign-unknown-key" => async |_| {
            let stage = Stage::new("", "").await;
            let refused = csv_header(&stage, "AKIANOBODY", "x", "us-west-2").await;
            assert_eq!(error(refused).0, "UnrecognizedClientException");
        },
        "sign-wrong-secret" => async |_| {
            let stage = Stage::new("", "").await;
            let refused = csv_header(&stage, "AKIASIMU123456789012", "x", "us-west-2").await;
            assert_eq!(error(refused).0, "InvalidSignatureException");
        },
        "sign-skew" => async |keys: String| {
            assert!(Stage::new(&keys, "").await.call("GetCSVHeader", json!({})).await.is_ok());
            let stage = Stage::new("signature.skew = \"0\"", "").await;
            let (code, message) = error(stage.call("GetCSVHeader", json!({})).await);
            assert_eq!(code, "InvalidSignatureException");
            assert!(message.starts_with("Signature expired: 2"), "{message}");
        },
        "pool-missing" => async |_| {
            let stage = Stage::new("", "").await;
            let missing = stage.client.call("GetCSVHeader", &json!({"UserPoolId": "us-west-2_NONE"})).await;
            let text = "User pool us-west-2_NONE does not exist.";
            assert_eq!(error(missing), ("ResourceNotFoundException".into(), text.into()));
        },
        "pool-elsewhere" => async |_| {
            let stage = Stage::new("", "[[pool]]\nid = \"us-west-2_THEIRS\"\naccount = \"222222222222\"").await;
            let (key, secret) = ("AKIASIMU123456789012", "simulator-secret-access-key-123456789012");
            assert_eq!(error(csv_header(&stage, key, secret, "us-east-1").await).0, "ResourceNotFoundException");
            let theirs = stage.client.call("GetCSVHeader", &json!({"UserPoolId": "us-west-2_THEIRS"})).await;
            assert_eq!(error(theirs).0, "ResourceNotFoundException");
        },
        "pool-delete-active" => async |_| {
            let stage = Stage::new("jobs.pending = \"1d\"", "").await;
            let job = stage.uploaded(half_bad()).await;
            stage.on("Start", &job).await.unwrap();
            assert_eq!(error(stage.call("DeleteUserPool", json!({})).await).0, "UserImportInProgressException");
        },
        "quota-read" => async |_| granted(20, "DescribeUserImportJob", 8, 40).await,
        "quota-update" => async |_| granted(15, "CreateUserImportJob", 8, 40).await,
        "quota-per-pool" => async |_| granted(5, "ListUserImportJobs", 1, 20).await,
        "quota-others" => async |_| {
            granted(15, "CreateUserPool", 1, 40).await;
            granted(50, "AdminCreateUser", 1, 80).await;
            granted(30, "ListUsers", 1, 60).await;
        },
        "quota-text" => async |keys: String| {
            let stage = Stage::new(&format!("quota.per_pool = 0.1\n{keys}"), "").await;
            stage.call("GetCSVHeader", json!({})).await.unwrap();
            let (code, message) = error(stage.call("GetCSVHeader", json!({})).await);
            assert_eq!((code.as_str(), message.as_str()), ("TooManyRequestsException", "Too many requests"));
        },
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
        "list-order" => async |_| {
            let stage = Stage::new("", "").await;
            let (first, second) = (stage.create().await, stage.create().await);
            let page = list(&stage, 60, json!(null)).await;
            assert_eq!(page["UserImportJobs"][0]["JobId"], second["JobId"]);
            assert_eq!(page["UserImportJobs"][1]["JobId"], first["JobId"]);
        },
        "list-token" => async |_| {
            let stage = Stage::new("", "[[pool.job]]\nid = \"import-a\"\ncount = 5").await;
            let page = list(&stage, 2, json!(null)).await;
            let token = page["PaginationToken"].as_str().unwrap();
            assert!(token.starts_with("us-west-2_EXAMPLE#import-a-4#1"), "{token}");
            let page = list(&stage, 2, json!(token)).await;
            assert_eq!(page["UserImportJobs"][0]["JobId"], "import-a-3");
            let page = list(&stage, 2, page["PaginationToken"].clone()).await;
            assert_eq!((length(&page), page.get("PaginationToken")), (1, None));
        },
        "list-wrong-token" => async |_| {
            let stage = Stage::new("", "").await;
            let wrong = stage.call("ListUserImportJobs", json!({"MaxResults": 1, "PaginationToken": "x"})).await;
            assert_eq!(error(wrong).0, "InvalidParameterException");
        },
        "list-cap" => async |keys: String| {
            let stage = Stage::new(&keys, "[[pool.job]]\ncount = 70").await;
            assert_eq!(length(&list(&stage, 60, json!(null)).await), 50);
        },
        "list-trailing-token" => async |keys: String| {
            let stage = Stage::new(&keys, "[[pool.job]]\ncount = 3").await;
            let page = list(&stage, 3, json!(null)).await;
            assert_eq!(length(&list(&stage, 3, page["PaginationToken"].clone()).await), 0);
        },
        "list-lag" => async |keys: String| {
            let stage = Stage::new(&format!("clock.speed = 1\n{keys}"), "").await;
            stage.create().await;
            assert_eq!(length(&list(&stage, 3, json!(null)).await), 0);
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
        "user-status" => async |_| {
            let stage = Stage::new("csv.missing_header = \"allow\"\ncsv.blank_mfa = \"allow\"", "").await;
            stage.run("cognito:username,email,email_verified,password_hash\na,a@b,true,\nb,b@b,true,$2b$10$x".into()).await;
            let users = stage.call("ListUsers", json!({})).await.unwrap();
            let statuses: Vec<_> = users["Users"].as_array().unwrap().iter().map(|user| user["UserStatus"].clone()).collect();
            assert_eq!(statuses, ["RESET_REQUIRED", "CONFIRMED"]);
        },
        "user-exists" => async |_| {
            let stage = Stage::new("", "users = [\"a\"]").await;
            let again = stage.call("AdminCreateUser", json!({"Username": "a"})).await;
            assert_eq!(error(again).0, "UsernameExistsException");
        },
        "user-list" => async |_| {
            let stage = Stage::new("", "users = [\"anna\", \"bert\", \"bob\"]").await;
            let names = async |input: Value| {
                let page = stage.call("ListUsers", input).await.unwrap();
                let names = page["Users"].as_array().unwrap().iter().map(|user| user["Username"].as_str().unwrap().to_owned());
                (names.collect::<Vec<_>>().join(" "), page["PaginationToken"].clone())
            };
            assert_eq!(names(json!({"Filter": "username ^= \"b\""})).await.0, "bert bob");
            assert_eq!(names(json!({"Filter": "username = \"bob\""})).await.0, "bob");
            let (page, token) = names(json!({"Limit": 2})).await;
            assert_eq!(page, "anna bert");
            assert_eq!(names(json!({"Limit": 2, "PaginationToken": token})).await.0, "bob");
        },
    }
}
