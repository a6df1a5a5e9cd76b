//! The CSV's way in: a PUT to the pre-signed URL, streamed to a temporary file. Its errors are those of S3, in XML.

use std::fs::File;
use std::io;

use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use tokio::io::AsyncWriteExt;

use crate::clock::wall_time;
use crate::import::Upload;
use crate::record::{Entry, lock};
use crate::scenario::TooLarge;
use crate::server::Shared;
use crate::sigv4::{Refusal, verify_presigned};
use crate::wire::Reply;
use crate::world::{Course, region_of};

/// Takes an upload.
pub(crate) async fn answer(request: Request<Incoming>, shared: &Shared, entry: &mut Entry) -> Reply {
    let (parts, body) = request.into_parts();
    let path: Vec<&str> = parts.uri.path().split('/').skip(1).collect();
    let [account, pool_id, job_id] = path.as_slice() else {
        return error(404, "NoSuchKey", "The specified key does not exist.");
    };
    let notes = [("account", *account), ("region", region_of(pool_id)), ("user_pool_id", pool_id), ("job_id", job_id)];
    notes.iter().chain(&[("operation", "Upload")]).for_each(|(key, value)| entry.note(key, *value));
    let (keys, rules) = {
        let world = lock(&shared.world);
        (world.upload_keys.clone(), world.scenario.csv.clone())
    };
    // Refused before the body is asked for: a client that waits for `100 Continue` sends none of it.
    if let Err(refusal) = verify_presigned(&parts, &keys, wall_time()) {
        return refused(&refusal);
    }
    let saved = save(body, rules.max_bytes).await;
    let upload = match saved {
        Ok((_, bytes)) if bytes > rules.max_bytes && rules.too_large == TooLarge::RefuseUpload => {
            return error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
        }
        Ok((file, bytes)) => {
            tokio::task::spawn_blocking(move || Upload::read(file, bytes)).await.map_err(io::Error::other)
        }
        Err(error) => Err(error),
    };
    let Ok(Ok(upload)) = upload else {
        return error(500, "InternalError", "We encountered an internal error. Please try again.");
    };
    let mut world = lock(&shared.world);
    let etag = format!("\"{}\"", world.random.uuid().simple());
    let job = world.pools.get_mut(*pool_id).and_then(|pool| pool.jobs.iter_mut().find(|job| job.id == *job_id));
    // The bucket does not know about jobs, so a job that is gone, or scripted, is no error.
    if let Some(Course::Real(import)) = job.map(|job| &mut job.course) {
        import.upload = Some(upload);
    }
    let mut reply = Reply::new(200, "", "");
    reply.header("etag", &etag);
    reply.header("x-amz-server-side-encryption", "aws:kms");
    reply
}

/// Writes the body to a file that is gone when it is closed. What is beyond the limit is counted and not kept.
async fn save(mut body: Incoming, limit: u64) -> io::Result<(File, u64)> {
    let mut file = tokio::fs::File::from_std(tempfile::tempfile()?);
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(io::Error::other)?.into_data().unwrap_or_default();
        bytes += data.len() as u64;
        if bytes <= limit {
            file.write_all(&data).await?;
        }
    }
    file.flush().await?;
    Ok((file.into_std().await, bytes))
}

fn refused(refusal: &Refusal) -> Reply {
    const UNKNOWN: &str = "The AWS Access Key Id you provided does not exist in our records.";
    const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your \
                            key and signing method.";
    match refusal {
        Refusal::Unsigned => error(403, "AccessDenied", "Access Denied"),
        Refusal::Malformed(text) | Refusal::Invalid(text) => error(403, "AuthorizationQueryParametersError", text),
        Refusal::UnknownKey => error(403, "InvalidAccessKeyId", UNKNOWN),
        Refusal::Mismatch => error(403, "SignatureDoesNotMatch", MISMATCH),
        Refusal::Expired => error(403, "ExpiredToken", "The provided token has expired."),
        Refusal::Lapsed => error(403, "AccessDenied", "Request has expired"),
    }
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let body = format!("{xml}\n<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    Reply { error: Some(code.to_owned()), ..Reply::new(status, "application/xml", body) }
}
