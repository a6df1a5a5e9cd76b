//! The checks of the table's rows about the CSV.

use crate::checks::{Check, checks};
use crate::stage::{HEADER, Stage, csv, good, row, shown};

/// What a job shows at its end: status, imported, skipped, failed.
async fn judged(keys: &str, pool: &str, csv: String) -> (String, u64, u64, u64) {
    let end = Stage::new(&format!("jobs.too_many = 1.0\n{keys}"), pool).await.run(csv).await;
    let (status, imported, skipped, failed) = shown(&end);
    (status.to_owned(), imported, skipped, failed)
}

/// Whether each row is imported, in a pool with these keys.
async fn fit(pool: &str, rows: &[String]) -> Vec<bool> {
    let mut fit = Vec::new();
    for row in rows {
        fit.push(judged("", pool, csv([row.clone()])).await.1 == 1);
    }
    fit
}

/// Whether a file is imported at all.
async fn parsed(keys: &str, csv: impl Into<String>) -> bool {
    judged(keys, "", csv.into()).await.0 == "Succeeded"
}

async fn column(pool: &str, name: &str, values: &[&str]) -> Vec<bool> {
    fit(pool, &values.iter().map(|value| row("a", &[(name, value)])).collect::<Vec<_>>()).await
}

pub(crate) fn all() -> Vec<(&'static str, Check)> {
    checks! {
        "csv-header" => async |_| {
            let stage = Stage::new("", "custom = [\"team\"]").await;
            let header = stage.call("GetCSVHeader", serde_json::json!({})).await.unwrap();
            let columns: Vec<&str> = header["CSVHeader"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
            assert_eq!((columns.len(), columns[0], columns[21]), (22, "name", "cognito:username"));
            assert!(columns.contains(&"custom:team"));
        },
        "csv-column-order" => async |_| {
            let turned = |text: &str| text.split(',').rev().collect::<Vec<_>>().join(",");
            assert!(parsed("", format!("{}\n{}", turned(HEADER), turned(&good("a")))).await);
        },
        "csv-missing-column" => async |keys: String| {
            let short = "cognito:username,email,email_verified,cognito:mfa_enabled\na,a@b,true,false";
            assert!(!parsed("", short).await);
            assert!(parsed(&keys, short).await);
        },
        "csv-unknown-column" => async |_| {
            assert!(!parsed("", format!("{HEADER},shoe_size\n{},45", good("a"))).await);
            assert!(!parsed("", format!("{HEADER},email\n{},a@b", good("a"))).await);
        },
        "csv-escaped-comma" => async |_| {
            assert_eq!(column("", "address", &["1 Any Street\\, Town", "1 Any Street, Town"]).await, [true, false]);
        },
        "csv-quotes" => async |_| {
            assert_eq!(column("", "email_verified", &["TRUE", "\"TRUE\""]).await, [true, false]);
        },
        "csv-trim" => async |_| {
            assert_eq!(column("", "email_verified", &["  true\t", "t rue"]).await, [true, false]);
        },
        "csv-encoding" => async |_| assert!(!parsed("", format!("\u{feff}{}", csv([good("a")]))).await),
        "csv-row-length" => async |_| {
            let row = |length: usize| {
                let filled = [("name", 2_000), ("profile", 2_000), ("picture", 2_000), ("website", 2_000), ("gender", 2_000),
                    ("nickname", 2_000), ("locale", 2_000)].map(|(name, size)| (name, "x".repeat(size)));
                let columns: Vec<(&str, &str)> = filled.iter().map(|(name, text)| (*name, text.as_str())).collect();
                let base = row("a", &columns).chars().count();
                row("a", &[columns.as_slice(), &[("address", &"\u{e9}".repeat(length - base))]].concat())
            };
            let long = |columns: usize| row(columns);
            assert_eq!(long(15_000).chars().count(), 15_000);
            assert_eq!(judged("csv.max_row_length = 15000", "", csv([long(15_000), long(15_001)])).await.3, 1);
        },
        "csv-long-row" => async |keys: String| {
            let file = || csv([good("a"), row("b", &[("name", &"x".repeat(300))])]);
            assert_eq!(judged("csv.max_row_length = 200", "", file()).await.1, 1);
            assert!(!parsed(&format!("csv.max_row_length = 200\n{keys}"), file()).await);
        },
        "csv-wrong-columns" => async |keys: String| {
            let file = || csv([good("a"), format!("{},", good("b")), "c,d".into()]);
            assert_eq!(judged("", "", file()).await, ("Succeeded".into(), 1, 0, 2));
            assert!(!parsed(&keys, file()).await);
        },
        "csv-row-count" => async |_| {
            let rows = || csv(["a", "b", "c"].map(good));
            assert!(parsed("csv.max_rows = 3", rows()).await);
            assert!(!parsed("csv.max_rows = 2", rows()).await);
        },
        "csv-no-rows" => async |_| {
            assert_eq!(judged("", "", format!("{HEADER}\n")).await, ("Succeeded".into(), 0, 0, 0));
            assert!(!parsed("", "").await);
        },
        "csv-blank-lines" => async |_| {
            let file = format!("{HEADER}\r\n\r\n{}\r\n\n{}\n\n", good("a"), good("b"));
            assert_eq!(judged("", "", file).await, ("Succeeded".into(), 2, 0, 0));
        },
        "csv-username" => async |_| {
            let long = "u".repeat(129);
            let rows: Vec<_> = ["a", "\u{17d}ofia", "a b", "", &long].map(|name| row("x", &[("cognito:username", name)])).into();
            assert_eq!(fit("", &rows).await, [true, true, false, false, false]);
        },
        "csv-verified" => async |_| {
            let phone = |email: &str, phone: &str| {
                row("a", &[("email_verified", email), ("phone_number", "+12345550100"), ("phone_number_verified", phone)])
            };
            let rows = [phone("true", ""), phone("", "true"), phone("false", "FALSE"), phone("yes", "true")];
            assert_eq!(fit("", &rows).await, [true, false, false, false]);
            assert_eq!(fit("auto_verified = [\"email\", \"phone_number\"]", &rows).await, [true, true, false, false]);
        },
        "csv-contact" => async |_| {
            assert_eq!(column("", "email", &["a@b.c", ""]).await, [true, false]);
            assert_eq!(column("", "phone_number_verified", &["false", "true"]).await, [true, false]);
        },
        "csv-required" => async |_| {
            assert_eq!(column("required = [\"family_name\"]", "family_name", &["Doe", " "]).await, [true, false]);
        },
        "csv-birthdate" => async |_| {
            let dates = ["02/01/1985", "", "1985-02-01", "13/01/1985", "2/1/1985", "02/30/1985"];
            assert_eq!(column("", "birthdate", &dates).await, [true, true, false, false, false, false]);
        },
        "csv-updated-at" => async |_| {
            assert_eq!(column("", "updated_at", &["1471453471", "yesterday"]).await, [true, false]);
        },
        "csv-mfa" => async |_| {
            let values = ["true", "FALSE", "maybe"];
            assert_eq!(column("mfa = \"OFF\"", "cognito:mfa_enabled", &values).await, [false, true, false]);
            assert_eq!(column("mfa = \"ON\"", "cognito:mfa_enabled", &values).await, [true, false, false]);
            assert_eq!(column("mfa = \"OPTIONAL\"", "cognito:mfa_enabled", &values).await, [true, true, false]);
        },
        "csv-blank-mfa" => async |keys: String| {
            let file = || csv([row("a", &[("cognito:mfa_enabled", "")])]);
            assert_eq!(judged("", "", file()).await.3, 1);
            assert_eq!(judged(&keys, "", file()).await.1, 1);
        },
        "csv-email-form" => async |_| {
            assert_eq!(column("", "email", &["a@b", "ab", "a@b@c", "@b", "a b@c"]).await, [true, false, false, false, false]);
        },
        "csv-phone-form" => async |_| {
            assert_eq!(column("", "phone_number", &["+12345550100", "12345550100", "+1 234"]).await, [true, false, false]);
        },
        "csv-attribute-length" => async |_| {
            assert_eq!(column("", "name", &[&"x".repeat(2_048), &"\u{e9}".repeat(1_025)]).await, [true, false]);
        },
        "csv-existing-user" => async |_| {
            assert_eq!(judged("", "users = [\"a\"]", csv([good("a"), good("b")])).await, ("Succeeded".into(), 1, 1, 0));
        },
        "csv-bad-row-of-existing-user" => async |_| {
            let file = csv([row("a", &[("email", "none")])]);
            assert_eq!(judged("", "users = [\"a\"]", file).await, ("Succeeded".into(), 0, 0, 1));
        },
        "csv-repeated-user" => async |_| {
            assert_eq!(judged("", "", csv([good("a"), good("a")])).await, ("Succeeded".into(), 1, 1, 0));
        },
    }
}
