//! The operations of the API that the simulator knows.

/// AWS's categories of operations, each with a quota of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Category {
    ResourceRead,
    ResourceUpdate,
    PoolUpdate,
    UserCreation,
    UserList,
}

macro_rules! operations {
    ($($name:ident => $category:ident),+ $(,)?) => {
        /// An operation, named as in the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Operation {
            $($name),+
        }

        impl Operation {
            /// None for what the simulator does not know.
            pub(crate) fn named(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// The quota that it draws on.
            pub(crate) fn category(self) -> Category {
                match self {
                    $(Self::$name => Category::$category),+
                }
            }
        }
    };
}

operations! {
    CreateUserImportJob => ResourceUpdate,
    StartUserImportJob => ResourceUpdate,
    StopUserImportJob => ResourceUpdate,
    DescribeUserImportJob => ResourceRead,
    ListUserImportJobs => ResourceRead,
    GetCSVHeader => ResourceRead,
    CreateUserPool => PoolUpdate,
    DeleteUserPool => PoolUpdate,
    AdminCreateUser => UserCreation,
    ListUsers => UserList,
}
