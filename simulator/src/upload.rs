//! The CSV's way in: a PUT to the pre-signed URL, streamed to a temporary file. Its errors are those of S3, in XML.

use std::fs::File;
use std::io;

use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use tokio::io::AsyncWriteExt;

use crate::import::Upload;
use crate::record::{Exchange, lock};
use crate::scenario::TooLarge;
use crate::server::Shared;
use crate::sigv4::{Refusal, verify_presigned};
use crate::wire::Reply;
use crate::world::Course;

/// Takes an upload.
pub(crate) async fn answer(request: Request<Incoming>, shared: &Shared, exchange: &Exchange) -> Reply {
    let (parts, body) = request.into_parts();
    let path: Vec<String> = parts.uri.path().split('/').skip(1).map(str::to_owned).collect();
    let [account, pool_id, job_id] = path.as_slice() else {
        return error(404, "NoSuchKey", "The specified key does not exist.");
    };
    exchange.note(|entry| {
        entry.operation = Some("Upload".into());
        entry.account = Some(account.clone());
        entry.region = Some(crate::world::region_of(pool_id).to_owned());
        entry.user_pool_id = Some(pool_id.clone());
        entry.job_id = Some(job_id.clone());
    });
    let (checked, rules) = {
        let world = lock(&shared.world);
        let checked = verify_presigned(&parts, &world.upload_keys, world.clock.wall());
        (checked, world.scenario.csv.clone())
    };
    // Refused before the body is asked for: a client that waits for `100 Continue` sends none of it.
    if let Err(refusal) = checked {
        return refused(&refusal);
    }
    let (file, bytes) = match save(body, rules.max_bytes, rules.too_large).await {
        Ok(Some(saved)) => saved,
        Ok(None) => {
            let message = "Your proposed upload exceeds the maximum allowed size";
            return error(400, "EntityTooLarge", message);
        }
        Err(_) => return error(500, "InternalError", "We encountered an internal error. Please try again."),
    };
    let Ok(Ok(upload)) = tokio::task::spawn_blocking(move || Upload::read(file, bytes)).await else {
        return error(500, "InternalError", "We encountered an internal error. Please try again.");
    };
    let mut world = lock(&shared.world);
    let etag = format!("\"{}\"", world.random.uuid().simple());
    let jobs = world.pools.get_mut(pool_id).map(|pool| pool.jobs.as_mut_slice()).unwrap_or_default();
    match jobs.iter_mut().find(|job| job.id == *job_id).map(|job| &mut job.course) {
        Some(Course::Real(import)) => import.receive(upload),
        // The bucket does not know about jobs.
        Some(Course::Scripted(_)) | None => {}
    }
    let mut reply = Reply::new(200, "", "");
    reply.header("etag", &etag);
    reply.header("x-amz-server-side-encryption", "aws:kms");
    reply
}

/// Writes the body to a file that is gone when it is closed. What is beyond the limit is counted and not kept; None
/// where it is to be refused.
async fn save(mut body: Incoming, limit: u64, too_large: TooLarge) -> io::Result<Option<(File, u64)>> {
    let mut file = tokio::fs::File::from_std(tempfile::tempfile()?);
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
        bytes += data.len() as u64;
        match too_large {
            TooLarge::RefuseUpload if bytes > limit => return Ok(None),
            TooLarge::FailJob if bytes > limit => {}
            TooLarge::FailJob | TooLarge::RefuseUpload => file.write_all(&data).await?,
        }
    }
    file.flush().await?;
    Ok(Some((file.into_std().await, bytes)))
}

fn refused(refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::Unsigned => error(403, "AccessDenied", "Access Denied"),
        Refusal::Malformed(message) | Refusal::Invalid(message) => {
            error(403, "AuthorizationQueryParametersError", message)
        }
        Refusal::UnknownKey => {
            error(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        }
        Refusal::Mismatch => error(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing \
             method.",
        ),
        Refusal::Lapsed => error(403, "AccessDenied", "Request has expired"),
    }
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut reply = Reply::new(status, "application/xml", body);
    reply.error = Some(code.to_owned());
    reply
}
