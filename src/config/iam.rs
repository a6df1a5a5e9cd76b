//! What a plan may do at AWS, at the least: an IAM policy for each identity that asks.
//! Called by `iam-policy`, which prints it.

use std::collections::{BTreeMap, BTreeSet};

use cognito_import_watch_core::domain::region::Partition;
use cognito_import_watch_core::domain::{AccountId, UserPoolId};
use cognito_import_watch_core::schedule::Batch;
use serde_json::{Value as Json, json};

use super::plan::{AccountRef, CredentialsPlan, Plan};

/// The most characters of a managed policy, white space not counted, by IAM's quotas.
pub const MAX_POLICY_LENGTH: usize = 6_144;

/// More than fit into a policy: no ARN of a pool or a role is as short as 20 characters.
const MOST_RESOURCES: usize = MAX_POLICY_LENGTH / 20;

/// What the policy of the default credentials is called, unless an account is called so.
const DEFAULT_POLICY: &str = "default";

/// What one identity may do.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityPolicies {
    /// A name no other identity of the plan has: the account's in the file, "default" for the default credentials,
    /// "profile ops" for a profile that assumes roles. One that an account is called already is made longer.
    pub name: String,
    /// The accounts of the file whose jobs and pools these policies serve; none where only roles are assumed.
    pub accounts: Vec<String>,
    /// Whom the policies are for, in words.
    pub identity: String,
    /// The policies; several where one would be longer than IAM takes.
    pub documents: Vec<Json>,
}

/// Whom a policy is for. Every role and every profile of an account has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asker<'a> {
    /// The credentials of an account; the default ones are those of [`AccountRef::DEFAULT`].
    Account(AccountRef),
    /// A profile that roles are assumed with.
    Profile(&'a str),
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
    /// The least that each identity has to be allowed: that of the default credentials comes first, then those of the
    /// accounts in their order, then the profiles that only assume roles. A role is assumed by its `source_profile`, by
    /// the default credentials where it has none.
    #[must_use]
    pub fn policies(&self) -> Vec<IdentityPolicies> {
        let mut rights: BTreeMap<Asker<'_>, BTreeSet<(Right, String)>> = BTreeMap::new();
        for ((asker, resource), right) in self.rights() {
            rights.entry(asker).or_default().insert((right, resource));
        }
        let asking: BTreeSet<AccountRef> = self.asking().collect();
        for account in asking.iter().filter_map(|account| self.account(*account)) {
            match &account.credentials {
                CredentialsPlan::Role { arn, source_profile, .. } => {
                    let asker = self.assumer(source_profile.as_deref());
                    rights.entry(asker).or_default().insert((Right::AssumeRole, arn.clone()));
                }
                CredentialsPlan::Default | CredentialsPlan::Profile(_) => {}
            }
        }
        let name = |account: &AccountRef| self.account(*account).and_then(|account| account.name.clone());
        rights
            .into_iter()
            .map(|(asker, rights)| IdentityPolicies {
                name: self.policy_name(asker),
                accounts: asking.iter().filter(|account| self.asker(**account) == asker).filter_map(name).collect(),
                identity: self.identity(asker),
                documents: documents(&rights.into_iter().collect::<Vec<_>>()),
            })
            .collect()
    }

    /// Whose jobs and pools are watched, more than once too.
    fn asking(&self) -> impl Iterator<Item = AccountRef> {
        self.jobs.iter().map(|job| job.account).chain(self.pools.iter().map(|pool| pool.account))
    }

    /// An account that names no credentials of its own asks with the default ones.
    fn asker(&self, account: AccountRef) -> Asker<'_> {
        let credentials = |account| self.account(account).map(|account| &account.credentials);
        let is_default = credentials(account) == credentials(AccountRef::DEFAULT);
        Asker::Account(if is_default { AccountRef::DEFAULT } else { account })
    }

    /// Who assumes a role: `--profile` stands in place of the default credentials.
    fn assumer<'a>(&self, source_profile: Option<&'a str>) -> Asker<'a> {
        let default = match self.account(AccountRef::DEFAULT).map(|account| &account.credentials) {
            Some(CredentialsPlan::Profile(name)) => Some(name.as_str()),
            None | Some(CredentialsPlan::Default | CredentialsPlan::Role { .. }) => None,
        };
        match source_profile {
            Some(profile) if default != Some(profile) => Asker::Profile(profile),
            Some(_) | None => Asker::Account(AccountRef::DEFAULT),
        }
    }

    /// What is needed on each pool, by its ARN.
    fn rights(&self) -> BTreeMap<(Asker<'_>, String), Right> {
        let named = match self.poll.batch {
            Batch::Auto => Right::DescribeAndList,
            Batch::Never => Right::Describe,
        };
        let on = |account, pool| (self.asker(account), self.pool_arn(account, pool));
        let jobs = self.jobs.iter().map(|job| (on(job.account, &job.target.pool), named));
        let pools = self.pools.iter().map(|pool| (on(pool.account, &pool.id), Right::DescribeAndList));
        // The pools come last, for they need more.
        jobs.chain(pools).collect()
    }

    fn pool_arn(&self, account: AccountRef, pool: &UserPoolId) -> String {
        let partition = Partition::of_region(pool.region()).map_or("aws", Partition::arn_name);
        let id = self.account(account).and_then(super::plan::AccountPlan::id);
        let id = id.as_ref().map_or("*", AccountId::as_str);
        format!("arn:{partition}:cognito-idp:{}:{id}:userpool/{pool}", pool.region())
    }

    fn policy_name(&self, asker: Asker<'_>) -> String {
        let mut name = match asker {
            Asker::Account(account) => match self.account(account).and_then(|account| account.name.clone()) {
                Some(name) => return name,
                None => DEFAULT_POLICY.to_owned(),
            },
            Asker::Profile(profile) => format!("profile {profile}"),
        };
        let is_another = |name: &str, credentials: &CredentialsPlan| match credentials {
            CredentialsPlan::Role { source_profile: Some(profile), .. } => {
                Asker::Profile(profile) != asker && format!("profile {profile}") == name
            }
            CredentialsPlan::Role { .. } | CredentialsPlan::Default | CredentialsPlan::Profile(_) => false,
        };
        let is_taken = |name: &str| {
            self.accounts
                .iter()
                .any(|account| account.name.as_deref() == Some(name) || is_another(name, &account.credentials))
        };
        while is_taken(&name) {
            name.push_str("-credentials");
        }
        name
    }

    fn identity(&self, asker: Asker<'_>) -> String {
        let account = match asker {
            Asker::Account(account) => account,
            Asker::Profile(name) => return format!("the profile {}", name.escape_debug()),
        };
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
        let (mut least, mut most) = (1, rest.len().min(MOST_RESOURCES));
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
