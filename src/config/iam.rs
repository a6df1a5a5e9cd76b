//! What a plan may do at AWS, at the least: an IAM policy for each identity that asks.
//! Called by `iam-policy`, which prints it.

use std::collections::BTreeMap;

use cognito_import_watch_core::domain::region::Partition;
use cognito_import_watch_core::domain::{AccountId, UserPoolId};
use cognito_import_watch_core::schedule::Batch;
use serde_json::{Value as Json, json};

use super::plan::{AccountRef, CredentialsPlan, Plan};

/// The most characters of a managed policy, white space not counted, by IAM's quotas.
pub const MAX_POLICY_LENGTH: usize = 6_144;

/// What one identity may do.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityPolicies {
    /// The account's name in the file, and "default" for the default credentials, or a longer word where an account is
    /// called that.
    pub name: String,
    /// Whom the policies are for, in words.
    pub identity: String,
    /// The policies; several where one would be longer than IAM takes.
    pub documents: Vec<Json>,
}

/// A right: one statement for all the resources it is given on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    DescribeAndList,
    Describe,
    AssumeRole,
}

impl Right {
    fn actions(self) -> &'static [&'static str] {
        match self {
            Self::DescribeAndList => &["cognito-idp:DescribeUserImportJob", "cognito-idp:ListUserImportJobs"],
            Self::Describe => &["cognito-idp:DescribeUserImportJob"],
            Self::AssumeRole => &["sts:AssumeRole"],
        }
    }

    fn sid(self) -> &'static str {
        match self {
            Self::DescribeAndList => "WatchImports",
            Self::Describe => "WatchNamedImports",
            Self::AssumeRole => "AssumeWatchRoles",
        }
    }
}

impl Plan {
    /// The least that each identity has to be allowed, in the order of the accounts: that of the default credentials,
    /// which also assume the roles, comes first.
    #[must_use]
    pub fn policies(&self) -> Vec<IdentityPolicies> {
        let mut rights: BTreeMap<AccountRef, Vec<(Right, String)>> = BTreeMap::new();
        for ((account, pool), right) in self.rights() {
            rights.entry(account).or_default().push((right, self.pool_arn(account, pool)));
        }
        let mut roles: Vec<(Right, String)> = rights
            .keys()
            .filter_map(|account| match &self.account(*account)?.credentials {
                CredentialsPlan::Role { arn, .. } => Some((Right::AssumeRole, arn.clone())),
                CredentialsPlan::Default | CredentialsPlan::Profile(_) => None,
            })
            .collect();
        roles.sort();
        roles.dedup();
        if !roles.is_empty() {
            rights.entry(AccountRef::DEFAULT).or_default().extend(roles);
        }
        rights
            .into_iter()
            .map(|(account, mut rights)| {
                rights.sort();
                IdentityPolicies {
                    name: self.policy_name(account),
                    identity: self.identity(account),
                    documents: documents(&rights),
                }
            })
            .collect()
    }

    /// What is needed on each pool.
    fn rights(&self) -> BTreeMap<(AccountRef, &UserPoolId), Right> {
        let named = match self.poll.batch {
            Batch::Auto => Right::DescribeAndList,
            Batch::Never => Right::Describe,
        };
        let jobs = self.jobs.iter().map(|job| ((job.account, &job.target.pool), named));
        let pools = self.pools.iter().map(|pool| ((pool.account, &pool.id), Right::DescribeAndList));
        // The pools come last, for they need more.
        jobs.chain(pools).collect()
    }

    fn pool_arn(&self, account: AccountRef, pool: &UserPoolId) -> String {
        let partition = Partition::of_region(pool.region()).map_or("aws", Partition::arn_name);
        let id = self.account(account).and_then(super::plan::AccountPlan::id);
        let id = id.as_ref().map_or("*", AccountId::as_str);
        format!("arn:{partition}:cognito-idp:{}:{id}:userpool/{pool}", pool.region())
    }

    fn policy_name(&self, account: AccountRef) -> String {
        if let Some(name) = self.account(account).and_then(|account| account.name.clone()) {
            return name;
        }
        let is_taken = |name: &str| self.accounts.iter().any(|account| account.name.as_deref() == Some(name));
        let mut name = "default".to_owned();
        while is_taken(&name) {
            name.push_str("-credentials");
        }
        name
    }

    fn identity(&self, account: AccountRef) -> String {
        match self.account(account).map(|account| &account.credentials) {
            None | Some(CredentialsPlan::Default) => "the default credentials".to_owned(),
            Some(CredentialsPlan::Profile(name)) => format!("the profile {}", name.escape_debug()),
            Some(CredentialsPlan::Role { arn, .. }) => format!("the role {arn}"),
        }
    }
}

/// As few policies as these rights, which are sorted, fit into.
fn documents(rights: &[(Right, String)]) -> Vec<Json> {
    let mut documents = Vec::new();
    let mut rest = rights;
    while !rest.is_empty() {
        let fits = |count: &usize| rest.get(..*count).is_some_and(|part| length(&document(part)) <= MAX_POLICY_LENGTH);
        let (mut least, mut most) = (1, rest.len());
        while least < most {
            let middle = least + (most - least).div_ceil(2);
            if fits(&middle) { least = middle } else { most = middle - 1 }
        }
        let (part, behind) = rest.split_at(least);
        documents.push(document(part));
        rest = behind;
    }
    documents
}

fn document(rights: &[(Right, String)]) -> Json {
    let statements = rights.chunk_by(|(a, _), (b, _)| a == b).filter_map(|of_right| {
        let (right, _) = of_right.first()?;
        let resources: Vec<&String> = of_right.iter().map(|(_, resource)| resource).collect();
        Some(json!({
            "Sid": right.sid(), "Effect": "Allow", "Action": right.actions(), "Resource": resources,
        }))
    });
    json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() })
}

/// As IAM counts: no resource or action holds white space.
fn length(document: &Json) -> usize {
    document.to_string().chars().filter(|c| !c.is_whitespace()).count()
}
