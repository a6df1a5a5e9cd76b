//! `iam-policy`: the least IAM policy for a config. No network.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::console::Console;
use super::load;
use crate::cli::{IamPolicyArgs, Output, Shared};
use crate::config::{IdentityPolicies, MAX_POLICY_LENGTH};
use crate::exit::{CommandError, Exit};
use crate::text::one_line;

/// How many managed policies an identity takes, unless its owner has asked for more, by IAM's quotas.
const MANAGED_POLICIES: usize = 10;

/// Prints the policy of a config, or several by name.
///
/// # Errors
/// Code 2 when no config is named or no account is called what was typed, 78 when the config is wrong.
pub(super) fn iam_policy(args: &IamPolicyArgs, shared: &Shared, console: &Console) -> Result<Exit, CommandError> {
    let sources = load::sources(&args.config)?;
    if sources.is_empty() {
        return Err(CommandError::new(Exit::Usage, "no policy without a config: give --config FILE"));
    }
    let plan = load::resolve_to_watch(&sources, &load::overrides(shared))
        .map_err(|problems| load::refused(&problems, console))?;
    let mut identities = plan.policies();
    if let Some(name) = &args.account {
        let names: Vec<String> = identities.iter().map(|identity| one_line(&identity.name)).collect();
        let covers = |identity: &IdentityPolicies| identity.accounts.contains(name);
        // The name of an account goes before the name of a policy.
        match identities.iter().any(covers) {
            true => identities.retain(covers),
            false => identities.retain(|identity| identity.name == *name),
        }
        if identities.is_empty() {
            let is_known = plan.accounts.iter().any(|account| account.name.as_ref() == Some(name));
            let name = one_line(name);
            let why = match is_known {
                true => format!("the account {name} needs no policy: no job or pool of the config names it"),
                false => format!("no [[account]] is called {name}"),
            };
            let message = format!("{why}; policies are for: {}", names.join(", "));
            return Err(CommandError::new(Exit::Usage, message));
        }
    }
    let policies: Vec<(String, &Value)> = named(&identities);
    if !shared.quiet {
        notes(&identities, policies.len()).iter().for_each(|note| console.note(note));
    }
    let result = match policies.as_slice() {
        [(_, only)] => (*only).clone(),
        several => {
            Value::Object(several.iter().map(|(name, policy)| (name.clone(), (*policy).clone())).collect::<Map<_, _>>())
        }
    };
    let text = match shared.output {
        Output::Json => result.to_string(),
        Output::Text => format!("{result:#}"),
    };
    console.result(&(text + "\n"))?;
    Ok(Exit::Success)
}

/// The policies by name: a number is part of it where an identity has several. No name comes twice: where an account is
/// called `x-1`, the first of several for `x` is `x--1`.
fn named(identities: &[IdentityPolicies]) -> Vec<(String, &Value)> {
    let mut taken: BTreeSet<String> = identities.iter().map(|identity| identity.name.clone()).collect();
    let mut named = Vec::new();
    for IdentityPolicies { name, documents, .. } in identities {
        if let [only] = documents.as_slice() {
            named.push((name.clone(), only));
            continue;
        }
        let mut prefix = format!("{name}-");
        let numbered = |prefix: &str| (1..=documents.len()).map(|number| format!("{prefix}{number}")).collect();
        let mut names: Vec<String> = numbered(&prefix);
        while names.iter().any(|name| taken.contains(name)) {
            prefix.push('-');
            names = numbered(&prefix);
        }
        taken.extend(names.iter().cloned());
        named.extend(names.into_iter().zip(documents));
    }
    named
}

/// What has to be said beside the policies.
fn notes(identities: &[IdentityPolicies], policies: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if policies > 1 {
        notes.push(format!("{policies} policies, by name; --account NAME prints those of one identity:"));
        notes.extend(
            identities
                .iter()
                .map(|identity| format!("  {} is for {}", one_line(&identity.name), one_line(&identity.identity))),
        );
    }
    for identity in identities.iter().filter(|identity| identity.documents.len() > 1) {
        let (name, count) = (one_line(&identity.name), identity.documents.len());
        notes.push(format!(
            "warning: {name} needs {count} policies, for IAM takes {MAX_POLICY_LENGTH} characters in one; attach all of them"
        ));
        if count > MANAGED_POLICIES {
            notes.push(format!(
                "warning: an identity takes {MANAGED_POLICIES} managed policies unless its quota is raised; or spread the \
                 pools over several roles, an [[account]] each"
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn identity(name: &str, documents: usize) -> IdentityPolicies {
        IdentityPolicies {
            name: name.to_owned(),
            accounts: Vec::new(),
            identity: String::new(),
            documents: (0..documents).map(|number| json!(format!("{name} {number}"))).collect(),
        }
    }

    #[test]
    fn no_policy_takes_the_name_of_another() {
        let identities = [identity("x", 2), identity("x-1", 1), identity("x-", 2), identity("y", 2)];
        let named = named(&identities);
        let shown: Vec<(&str, &str)> =
            named.iter().map(|(name, policy)| (name.as_str(), policy.as_str().unwrap())).collect();
        let all = [
            ("x--1", "x 0"),
            ("x--2", "x 1"),
            ("x-1", "x-1 0"),
            ("x---1", "x- 0"),
            ("x---2", "x- 1"),
            ("y-1", "y 0"),
            ("y-2", "y 1"),
        ];
        assert_eq!(shown, all);
    }
}
