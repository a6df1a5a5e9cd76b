//! No pre-signed URL, credential or raw answer leaves the program: marked ones go in by every way there is, and all
//! output is searched for them in every form they could take.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::harness::{ACCOUNT, FAST, POOL, Program, Running, Stage, jobs, target};

const SECRET_KEY: &str = "MarkedSecretKey/with+signs/0123456789==";
const TOKEN: &str = "MarkedSessionToken/with+signs/0123456789==";
const EXTERNAL_ID: &str = "MarkedExternalId:with=signs/0123456789";
const URL: &str = "https://marked-bucket.s3.us-west-2.amazonaws.com/MarkedUploadPath?X-Amz-Expires=899&\
                   X-Amz-Security-Token=MarkedUrlToken%2Fwith%2Bsigns&X-Amz-Signature=markedsignature0123456789abcdef";
/// What only a raw answer holds.
const RAW: &str = "MarkedRawAnswer<with>\"signs\"";

/// What must not be found: the whole, and parts that would be as bad.
const MARKS: [&str; 10] = [
    SECRET_KEY,
    TOKEN,
    EXTERNAL_ID,
    URL,
    RAW,
    "MarkedUploadPath",
    "MarkedUrlToken",
    "markedsignature0123456789abcdef",
    "MarkedRawAnswer",
    "MarkedSession",
];

const NAMES: [&str; 13] = [
    "good",
    "failed",
    "worded",
    "cut",
    "typed",
    "date",
    "nested",
    "html",
    "echo",
    "signature",
    "denied",
    "odd",
    "header",
];

/// Every form in which a mark could leave.
fn forms(mark: &str) -> Vec<String> {
    let json = serde_json::to_string(mark).unwrap();
    let json = json.trim_matches('"').to_owned();
    let bytes: Vec<String> = mark.bytes().take(12).map(|byte| byte.to_string()).collect();
    let hex: String = mark.bytes().take(12).map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        mark.to_owned(),
        utf8_percent_encode(mark, NON_ALPHANUMERIC).to_string(),
        json.replace('/', "\\/"),
        json.replace('&', "\\u0026"),
        serde_json::to_string(&json).unwrap().trim_matches('"').to_owned(),
        format!("{mark:?}").trim_matches('"').to_owned(),
        json,
        bytes.join(", "),
        bytes.join(","),
        hex,
    ];
    // Base64 of a text that holds the mark somewhere: what does not depend on its neighbours, at each of the places.
    for shift in 0..3 {
        let padded = [&b"..."[..shift], mark.as_bytes()].concat();
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            forms.push(text[(shift * 8).div_ceil(6)..text.len() - 2].to_owned());
        }
    }
    forms
}

fn found(output: &str) -> Option<String> {
    let all = MARKS.iter().flat_map(|mark| forms(mark));
    let lower = output.to_ascii_lowercase();
    all.into_iter().find(|form| output.contains(form.as_str()) || lower.contains(&form.to_ascii_lowercase()))
}

#[test]
fn the_search_finds_a_mark_in_any_form() {
    let sentence = format!("before {TOKEN} after");
    for text in [
        sentence.clone(),
        STANDARD_NO_PAD.encode(&sentence),
        STANDARD_NO_PAD.encode(format!("x{sentence}")),
        URL_SAFE_NO_PAD.encode(format!("xy{sentence}")),
        utf8_percent_encode(URL, NON_ALPHANUMERIC).to_string(),
        serde_json::json!({ "body": format!("{{\"url\":\"{URL}\"}}") }).to_string(),
        format!("{:?}", URL.as_bytes()),
        format!("{:?}", RAW),
    ] {
        assert!(found(&text).is_some(), "{text}");
    }
    assert_eq!(found("nothing of the kind"), None);
}

/// Jobs whose every answer holds a URL, and faults whose answers hold what must not be told.
fn scenario() -> String {
    let shows = |status: &str| {
        format!(
            "{{polls = 5, status = \"InProgress\", set = {{PreSignedUrl = \"{URL}\"}}}}, \
             {{status = \"{status}\", set = {{PreSignedUrl = \"{URL}\"}}}}"
        )
    };
    let (good, failed) = (shows("Succeeded"), shows("Failed"));
    // Every text that the service can choose.
    let texts = format!("JobName = \"named {URL} end\", CompletionMessage = \"worded {TOKEN}, {URL}\"");
    let worded = format!(
        "{{polls = 3, status = \"InProgress\", set = {{Status = \"Odd {URL}\", {texts}}}}}, \
         {{status = \"Failed\", set = {{{texts}}}}}"
    );
    let job = |name: &'static str| match name {
        "failed" => (name, failed.as_str()),
        "worded" => (name, worded.as_str()),
        _ => (name, good.as_str()),
    };
    let raw = |name: &str, status: u16, body: String| {
        let body = body.replace('\'', "\\u0027");
        format!(
            "[[fault]]\njob = \"import-{name}\"\nfirst = 2\nlast = 3\n\
             answer = {{ kind = \"raw\", status = {status}, body = '''{body}''' }}\n"
        )
    };
    let error = |code: &str, message: String| {
        serde_json::json!({ "__type": code, "message": message, "Message": message, "reasonCode": message }).to_string()
    };
    let shown = format!("\"JobId\":\"import-x\",\"PreSignedUrl\":\"{URL}\",\"JobName\":{}", serde_json::json!(RAW));
    let faults = [
        raw("cut", 200, format!("{{\"UserImportJob\":{{{shown},\"Status\":\"InPro")),
        raw("typed", 200, format!("{{\"UserImportJob\":{{{shown},\"Status\":[12],\"ImportedUsers\":\"{URL}\"}}}}")),
        raw("date", 200, format!("{{\"UserImportJob\":{{{shown},\"CreationDate\":\"{URL}\"}}}}")),
        raw("nested", 200, format!("{{\"{RAW}\":{{{shown}}}}}")),
        raw("html", 502, format!("<html><a href=\"{URL}\">{RAW}</a></html>")),
        raw(
            "echo",
            400,
            error("InvalidParameterException", format!("Value '{URL}' at 'x' failed: {SECRET_KEY} {TOKEN}")),
        ),
        raw(
            "signature",
            400,
            error(
                "InvalidSignatureException",
                format!("The Canonical String should have been\n'POST\n/\n\nx-amz-security-token:{TOKEN}\n\nhost'"),
            ),
        ),
        raw("denied", 403, error("AccessDeniedException", format!("not allowed on {URL} with {TOKEN}"))),
        raw("odd", 418, error(&format!("Odd{URL}"), format!("{RAW} {URL}"))),
        raw("header", 500, RAW.to_owned()),
    ];
    let page = format!("{{\"UserImportJobs\":[{{{shown},\"Status\":\"Created\"}},{{{shown},\"CreationDate\":\"{URL}");
    format!(
        "{jobs}{faults}\
         [[account]]\nid = \"{ACCOUNT}\"\nsecret_access_key = \"{SECRET_KEY}\"\nsession_token = \"{TOKEN}\"\n\
         [[fault]]\noperation = \"ListUserImportJobs\"\nfirst = 2\nlast = 3\n\
         answer = {{ kind = \"raw\", body = '''{page}''' }}\n",
        jobs = jobs(NAMES.map(job)),
        faults = faults.concat(),
    )
}

#[test]
fn no_secret_is_in_any_output_at_any_level() {
    let scenario = scenario();
    assert!(found(&scenario).is_some(), "the marks go in");
    let stage = Stage::new(&scenario);
    let listed: String = NAMES.map(|name| format!("[[job]]\ntarget = \"{}\"\n", target(name))).concat();
    let config = format!("{FAST}[policy]\nnot_found_grace = \"0\"\n{listed}[[pool]]\nid = \"{POOL}\"\n");
    let role = format!(
        "[[account]]\nname = \"other\"\nrole_arn = \"arn:aws:iam::{ACCOUNT}:role/watch\"\nexternal_id = \"{EXTERNAL_ID}\"\n\
         [[job]]\ntarget = \"{}\"\naccount = \"other\"\n{FAST}",
        target("good")
    );
    let mut output = String::new();
    for format in ["json", "text"] {
        let loud = |program: Program| {
            let sts = stage.url();
            let program = program.args(["--log-level", "trace", "--log-format", format]);
            program.env("RUST_LOG", "trace").env("AWS_ENDPOINT_URL_STS", sts).start()
        };
        let of_jobs = |command: &str| stage.configured(&config, [command, "--output", format]);
        let wrong =
            stage.program(["wait", &target("good"), "--timeout", "0"]).env("AWS_SESSION_TOKEN", format!("{TOKEN}x"));
        let endpoint = format!("http://user:{SECRET_KEY}@127.0.0.1:1/{URL}");
        let started = [
            loud(of_jobs("run").arg("--exit-when-complete")),
            loud(of_jobs("wait").args(["--timeout", "2s", "--progress", "always"])),
            loud(of_jobs("status")),
            loud(of_jobs("check")),
            loud(stage.program(["list", POOL, "--output", "json"])),
            loud(stage.program(["list", POOL])),
            loud(wrong),
            loud(stage.configured(&role, ["wait", "--timeout", "0"])),
            loud(stage.configured(&role, ["check"])),
            loud(Program::new(stage.path(), ["status", &target("good"), "--endpoint-url", &endpoint])),
        ];
        for ended in started.map(Running::end) {
            output += &ended.output();
        }
    }
    if let Some(form) = found(&output) {
        let line = output.lines().find(|line| line.contains(&form)).unwrap_or_default();
        panic!("{form} is in: {line}");
    }
    // What it said of each fault it said in its own words.
    for said in [
        "InvalidSignatureException",
        "AccessDeniedException",
        "HTTP 502",
        "named [removed] end",
        "worded [removed] [removed]",
        "Odd [removed]",
        "the role was refused",
    ] {
        assert!(output.contains(said), "{said} was not provoked");
    }
}
