//! The accounts of a plan: credentials, endpoints, and who is meant by a name.
//! Called by [`resolve`](super::resolve), asked by [`targets`](super::targets).

use std::collections::BTreeMap;

use cognito_import_watch_core::domain::UserPoolId;
use cognito_import_watch_core::domain::region::Partition;

use super::account_value::endpoint_fault;
use super::file::AccountFile;
use super::overrides::{AwsEndpoint, Overrides};
use super::plan::{AccountPlan, AccountRef, CredentialsPlan};
use super::problem::{At, Kind, Place, Problem, Shown, Written, listed, nearest};
use super::value::Name;

/// The most names that a misspelt one is compared with.
const MOST_COMPARED: usize = 1_000;

/// Every account, the default chain first.
pub(super) struct Accounts {
    plans: Vec<AccountPlan>,
    /// Where each says its region.
    regions: Vec<Option<Place>>,
    by_name: BTreeMap<String, (AccountRef, Place)>,
    aws_endpoint: AwsEndpoint,
}

impl Accounts {
    /// The accounts of a file under what was typed.
    pub(super) fn of(files: &[AccountFile], overrides: &Overrides, problems: &mut Vec<Problem>) -> Self {
        check_flags(overrides, problems);
        let mut accounts = Self {
            plans: vec![AccountPlan::default()],
            regions: vec![None],
            by_name: BTreeMap::new(),
            aws_endpoint: overrides.aws_endpoint,
        };
        for file in files {
            accounts.add(file, problems);
        }
        for plan in &mut accounts.plans {
            if let Some(profile) = &overrides.profile {
                in_place_of_the_default_chain(&mut plan.credentials, profile);
            }
            if let Some(url) = &overrides.endpoint_url {
                plan.endpoint_url = Some(url.clone());
            }
        }
        accounts
    }

    fn add(&mut self, file: &AccountFile, problems: &mut Vec<Problem>) {
        let account = AccountRef(self.plans.len());
        if let Some(name) = &file.name {
            match self.by_name.get(&name.value.0) {
                Some((_, first)) => problems.push(
                    Problem::new(
                        name.place,
                        "account.name",
                        format!("two accounts are called {}", Shown(&name.value.0)),
                    )
                    .other(*first, "the first one"),
                ),
                None => {
                    self.by_name.insert(name.value.0.clone(), (account, name.place));
                }
            }
        }
        self.regions.push(file.region.as_ref().map(|region| region.place));
        self.plans.push(AccountPlan {
            name: file.name.as_ref().map(|name| name.value.0.clone()),
            credentials: credentials(file, problems),
            endpoint_url: file.endpoint_url.as_ref().map(|url| url.value.0.clone()),
            region: file.region.as_ref().map(|region| region.value.0.clone()),
        });
    }

    /// Whom a job or a pool means.
    pub(super) fn find(&self, name: &Written<Name>, key: &str, problems: &mut Vec<Problem>) -> AccountRef {
        if let Some((account, _)) = self.by_name.get(&name.value.0) {
            return *account;
        }
        let names: Vec<&str> = self.by_name.keys().map(String::as_str).take(MOST_COMPARED).collect();
        let help = match nearest(&name.value.0, names.iter().copied()) {
            Some(meant) => format!("did you mean {}?", Shown(meant)),
            None if names.is_empty() => "add an [[account]] of this name".to_owned(),
            None if names.len() > 10 => "add an [[account]] of this name, or correct the name".to_owned(),
            None => format!("the accounts are {}", listed(names)),
        };
        let message = format!("no [[account]] is called {}", Shown(&name.value.0));
        problems.push(Problem::new(name.place, key, message).kind(Kind::Reference).help(help));
        AccountRef::DEFAULT
    }

    /// Checks that an account can ask for a pool: its region and its partition fit, and the address is known.
    pub(super) fn check(&self, account: AccountRef, pool: &UserPoolId, at: At, key: &str, problems: &mut Vec<Problem>) {
        let Some(plan) = self.plans.get(account.index()) else { return };
        let mut tell = |message: String, help: Option<String>, other: Option<(Place, &'static str)>| {
            problems.push(Problem { at, kind: Kind::Content, key: key.to_owned(), message, help, other });
        };
        let name = plan.name.as_deref().unwrap_or_default();
        if let Some(region) = plan.region.as_deref().filter(|region| *region != pool.region()) {
            let place = self.regions.get(account.index()).copied().flatten();
            tell(
                format!("{pool} is in {}, the account {} is for {}", pool.region(), Shown(name), Shown(region)),
                None,
                place.map(|place| (place, "the region of the account")),
            );
        }
        let asked_elsewhere = plan.endpoint_url.is_some() || self.aws_endpoint == AwsEndpoint::Set;
        match (Partition::of_region(pool.region()), &plan.credentials) {
            (None, _) if asked_elsewhere => {}
            (None, _) => tell(
                format!("{pool} names the region {}, which AWS has not", Shown(pool.region())),
                Some("correct the pool id; with an endpoint_url any region goes".to_owned()),
                None,
            ),
            (Some(partition), CredentialsPlan::Role { arn, .. })
                if !asked_elsewhere && arn.split(':').nth(1) != Some(partition.arn_name()) =>
            {
                tell(
                    format!(
                        "{pool} is in the partition {}, the role of the account {} is in {}",
                        partition.arn_name(),
                        Shown(name),
                        Shown(arn.split(':').nth(1).unwrap_or_default()),
                    ),
                    Some("a role cannot be assumed across partitions".to_owned()),
                    None,
                );
            }
            (Some(_), _) => {}
        }
    }

    pub(super) fn into_plans(self) -> Vec<AccountPlan> {
        self.plans
    }
}

fn check_flags(overrides: &Overrides, problems: &mut Vec<Problem>) {
    for (flag, text) in [("--region", &overrides.region), ("--profile", &overrides.profile)] {
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            problems.push(Problem::typed(flag, "the value is empty; is a shell variable unset?"));
        }
    }
    if let Some(fault) = overrides.endpoint_url.as_deref().and_then(endpoint_fault) {
        problems.push(Problem::typed("--endpoint-url", fault));
    }
}

fn credentials(file: &AccountFile, problems: &mut Vec<Problem>) -> CredentialsPlan {
    if let (Some(role), Some(profile)) = (&file.role_arn, &file.profile) {
        let (first, second) =
            if role.place < profile.place { (role.place, profile.place) } else { (profile.place, role.place) };
        problems.push(
            Problem::new(second, "account", "an account has either role_arn or profile, not both")
                .other(first, "the other one")
                .help("the profile that is to assume the role is its source_profile".to_owned()),
        );
    }
    let Some(arn) = &file.role_arn else {
        if !file.has_role {
            problems.extend(without_a_role(file));
        }
        let profile = file.profile.as_ref().map(|name| CredentialsPlan::Profile(name.value.0.clone()));
        return profile.unwrap_or(CredentialsPlan::Default);
    };
    CredentialsPlan::Role {
        arn: arn.value.0.clone(),
        external_id: file.external_id.as_ref().map(|id| id.value.0.clone()),
        session_name: file.session_name.as_ref().map(|name| name.value.0.clone()),
        source_profile: file.source_profile.as_ref().map(|name| name.value.0.clone()),
    }
}

/// The keys that mean nothing without a role.
fn without_a_role(file: &AccountFile) -> impl Iterator<Item = Problem> {
    let keys = [
        ("external_id", "an external id", file.external_id.as_ref().map(|id| id.place)),
        ("session_name", "a session name", file.session_name.as_ref().map(|name| name.place)),
        ("source_profile", "a source profile", file.source_profile.as_ref().map(|name| name.place)),
    ];
    keys.into_iter().filter_map(|(key, what, place)| {
        let problem = Problem::new(place?, format!("account.{key}"), format!("{what} goes with a role alone"));
        Some(problem.help(format!("add role_arn, or leave {key} out")))
    })
}

/// A profile that was typed: where nothing else says whose credentials to begin with.
fn in_place_of_the_default_chain(credentials: &mut CredentialsPlan, profile: &str) {
    match credentials {
        CredentialsPlan::Default => *credentials = CredentialsPlan::Profile(profile.to_owned()),
        CredentialsPlan::Role { source_profile, .. } => {
            source_profile.get_or_insert_with(|| profile.to_owned());
        }
        CredentialsPlan::Profile(_) => {}
    }
}
