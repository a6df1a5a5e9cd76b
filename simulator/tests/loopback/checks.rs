//! The checks of the table's rows about the service as a whole: signatures, pools, quotas, lists, users. A check of an unknown
//! gets the keys that its row names.

use std::future::Future;
use std::pin::Pin;

use cognito_import_simulator::{Client, ClientError};
use serde_json::{Value, json};

use crate::stage::{POOL, ROLE, Stage, bad, csv, error, good};

pub(crate) type Check = fn(String) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! checks {
    ($($id:literal => $check:expr,)+) => {
        vec![$(($id, (|keys| Box::pin($check(keys))) as Check)),+]
    };
}
pub(crate) use checks;

/// The texts that the rows of `[errors]` choose.
const CODE: &str = "ChosenException";

/// Whether the answer is the one that a row of `[errors]` chose.
pub(crate) fn is_chosen<T: std::fmt::Debug>(result: Result<T, ClientError>) {
    assert_eq!(error(result).0, CODE);
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

pub(crate) fn half_bad() -> String {
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
