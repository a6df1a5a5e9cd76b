//! What the fuzz targets call of what is private: bytes of clients and of users go in, without a socket or a file.
//!
//! Public for them alone; nothing else uses it, and it may change with every commit.

use std::fmt;
use std::sync::{Arc, Mutex};

use hyper::Request;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::Scenario;
use crate::clock::wall_time;
use crate::csv::{Columns, Lines, survey};
use crate::record::lock;
use crate::server::{Shared, handle};
use crate::sigv4::{authorize, format_date};
use crate::world::World;

/// A simulator in memory.
pub struct InMemory(Arc<Shared>);

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InMemory")
    }
}

impl InMemory {
    /// A simulator of this scenario.
    #[must_use]
    pub fn new(scenario: Scenario, seed: u64) -> Self {
        Self(Arc::new(Shared { world: Mutex::new(World::new(scenario, Some(seed))), recorder: None, acceptor: None }))
    }

    /// A request of the first account for an operation, with a right signature, as bytes; none where no header can hold
    /// the operation.
    #[must_use]
    pub fn signed(&self, operation: &str, body: &[u8]) -> Option<Vec<u8>> {
        let keys = lock(&self.0.world).accounts.values().next().cloned()?;
        let region = lock(&self.0.world).pools.values().next().map(|pool| pool.info.region.clone())?;
        let stamp = format_date(wall_time());
        let request = Request::post("/")
            .header("host", "localhost")
            .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
            .header("x-amz-date", &stamp)
            .body(());
        let (parts, ()) = request.ok()?.into_parts();
        let authorization = authorize(&parts, body, &keys, (&region, "cognito-idp"), &stamp);
        let mut bytes = b"POST / HTTP/1.1\r\n".to_vec();
        for (name, value) in &parts.headers {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend(format!("authorization: {authorization}\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes());
        bytes.extend(body);
        Some(bytes)
    }

    /// All that is answered on a connection to these bytes, after which the client says no more.
    pub async fn exchange(&self, sent: &[u8]) -> Vec<u8> {
        let (client, server) = tokio::io::duplex(64 * 1024);
        let shared = Arc::clone(&self.0);
        let service = service_fn(move |request| handle(request, Arc::clone(&shared)));
        let serve = http1::Builder::new().half_close(true).serve_connection(TokioIo::new(server), service);
        let (mut reader, mut writer) = tokio::io::split(client);
        let send = async move {
            // A server that refuses closes before it has read everything.
            drop(writer.write_all(sent).await);
            drop(writer.shutdown().await);
        };
        let mut answer = Vec::new();
        let receive = async { drop(reader.read_to_end(&mut answer).await) };
        drop(tokio::join!(serve, send, receive));
        answer
    }
}

/// Reads a CSV as an import into the scenario's first pool does: how many rows it has, and how many of them are users.
/// None where the whole file is refused.
#[must_use]
pub fn read_csv(scenario: &Scenario, file: &[u8]) -> Option<(u64, u64)> {
    let world = World::new(scenario.clone(), Some(0));
    let schema = &world.pools.values().next()?.schema;
    let survey = survey(file, file.len() as u64).ok()?;
    let columns = Columns::check(&survey, schema, &scenario.csv, None)?;
    let lines = Lines(file).skip(1).map_while(Result::ok);
    let users = lines.filter(|line| columns.judge(line, schema, &scenario.csv).is_ok()).count();
    Some((survey.rows, users as u64))
}
