//! The operations, each from its checked input to its answer.

mod import_jobs;
mod input;
mod user_pools;

use serde_json::Value;

use crate::operation::Operation;
use crate::wire::Failure;
use crate::world::{Pool, World, region_of};

/// A request that is signed right and within its quotas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    /// Of the Host header: the upload URL points back to it.
    pub(crate) host: &'a str,
    pub(crate) input: &'a Value,
}

/// Answers a request, or fails as the service does.
pub(crate) fn answer(world: &mut World, operation: Operation, request: Request<'_>) -> Result<Value, Failure> {
    let now = world.clock.now();
    world.advance(now);
    match operation {
        Operation::CreateUserImportJob => import_jobs::create(world, request, now),
        Operation::StartUserImportJob => import_jobs::start(world, request, now),
        Operation::StopUserImportJob => import_jobs::stop(world, request, now),
        Operation::DescribeUserImportJob => import_jobs::describe(world, request, now),
        Operation::ListUserImportJobs => import_jobs::list(world, request, now),
        Operation::GetCSVHeader => user_pools::csv_header(world, request),
        Operation::CreateUserPool => user_pools::create(world, request, now),
        Operation::DeleteUserPool => user_pools::delete(world, request, now),
        Operation::AdminCreateUser => user_pools::create_user(world, request, now),
        Operation::ListUsers => user_pools::list_users(world, request),
    }
}

/// The pool of this id, if it is the caller's and in the region that the request was signed for.
fn own_pool<'a>(world: &'a mut World, request: Request<'_>, id: &str) -> Result<&'a mut Pool, Failure> {
    let own = |pool: &&mut Pool| pool.account == request.account && region_of(id) == request.region;
    let missing = || Failure::new("ResourceNotFoundException", format!("User pool {id} does not exist."));
    world.pools.get_mut(id).filter(own).ok_or_else(missing)
}
