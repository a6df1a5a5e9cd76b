//! The operations that the simulator knows.

use serde_json::Value;

use crate::api::{Request, import_jobs, user_pools};
use crate::clock::Moment;
use crate::scenario::Failure;
use crate::world::World;

/// AWS's categories of operations, each with a quota of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Category {
    ResourceRead,
    ResourceUpdate,
    PoolUpdate,
    UserCreation,
    UserList,
}

/// Answers a request that is signed right and within its quotas, or fails as the service does.
type Handler = fn(&mut World, Request<'_>, Moment) -> Result<Value, Failure>;

/// An operation: its name in the API, the quota that it draws on, and what answers it.
#[derive(Debug)]
pub(crate) struct Operation(pub(crate) &'static str, pub(crate) Category, pub(crate) Handler);

const OPERATIONS: [Operation; 10] = [
    Operation("CreateUserImportJob", Category::ResourceUpdate, import_jobs::create),
    Operation("StartUserImportJob", Category::ResourceUpdate, import_jobs::start),
    Operation("StopUserImportJob", Category::ResourceUpdate, import_jobs::stop),
    Operation("DescribeUserImportJob", Category::ResourceRead, import_jobs::describe),
    Operation("ListUserImportJobs", Category::ResourceRead, import_jobs::list),
    Operation("GetCSVHeader", Category::ResourceRead, user_pools::csv_header),
    Operation("CreateUserPool", Category::PoolUpdate, user_pools::create),
    Operation("DeleteUserPool", Category::PoolUpdate, user_pools::delete),
    Operation("AdminCreateUser", Category::UserCreation, user_pools::create_user),
    Operation("ListUsers", Category::UserList, user_pools::list_users),
];

impl Operation {
    /// None for what the simulator does not know.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.0 == name)
    }
}
