//! Where credentials come from, and what is told when none do. Each test that reads an environment or AWS files
//! does so in a process of its own.

mod found;
mod renewal;
mod roles;

use tempfile::TempDir;

use crate::source::Credentials;
use crate::source::testing::{Reply, SECRET_KEY, SESSION_TOKEN, Server, child, http, job};

const ROLE: &str = "arn:aws:iam::123456789012:role/import-watch";

fn role() -> Credentials {
    Credentials::Role {
        arn: ROLE.into(),
        external_id: Some("an id, external".into()),
        session_name: None,
        base_profile: None,
    }
}

fn profile() -> Credentials {
    Credentials::Profile("prod".into())
}

/// A home with these files.
fn home(files: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = home.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    home
}

fn pending() -> Reply {
    job(r#""Status":"Pending""#)
}

/// STS's answer to AssumeRole.
fn assumed() -> Reply {
    http(
        200,
        &[("content-type", "text/xml")],
        &format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
             <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/import-watch/x</Arn>\
             <AssumedRoleId>A:x</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>ASIAOFTHEROLEOFTHERO\
             </AccessKeyId><SecretAccessKey>{SECRET_KEY}</SecretAccessKey><SessionToken>{SESSION_TOKEN}</SessionToken>\
             <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        ),
    )
}

fn sts_error(status: u16, code: &str, message: &str) -> Reply {
    http(
        status,
        &[("content-type", "text/xml")],
        &format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>1</RequestId></ErrorResponse>"
        ),
    )
}

/// Asks as the role: Cognito at `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`, STS at `AWS_ENDPOINT_URL_STS`.
fn ask_as_role(test: &str, cognito: &Server, sts: &Server) -> String {
    child(
        test,
        &[
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &cognito.url()),
            ("AWS_ENDPOINT_URL_STS", &sts.url()),
            ("AWS_ACCESS_KEY_ID", "AKIAOFTHEBASEOFTHEBA"),
            ("AWS_SECRET_ACCESS_KEY", "secret of the base"),
            ("AWS_REGION", "eu-central-1"),
        ],
    )
}
