//! The operations, each from its checked input to its answer.

pub(crate) mod import_jobs;
mod input;
pub(crate) mod user_pools;

use serde_json::Value;

use crate::scenario::Failure;
use crate::world::{Pool, World};

/// A request that is signed right and within its quotas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    /// Of the Host header: the upload URL points back to it.
    pub(crate) base: &'a str,
    pub(crate) input: &'a Value,
}

/// The pool of this id, if it is the caller's and in the region that the request was signed for.
fn own_pool<'a>(world: &'a mut World, request: Request<'_>, id: &str) -> Result<&'a mut Pool, Failure> {
    let own = |pool: &&mut Pool| pool.info.account == request.account && pool.info.region == request.region;
    let missing = || Failure::new("ResourceNotFoundException", format!("User pool {id} does not exist."));
    world.pools.get_mut(id).filter(own).ok_or_else(missing)
}
