//! `iam-policy`: the least IAM policy for a config. No network.

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
        identities.retain(|identity| identity.name == *name);
        if identities.is_empty() {
            let message = format!("no account {} is watched; policies are for: {}", one_line(name), names.join(", "));
            return Err(CommandError::new(Exit::Usage, message));
        }
    }
    let policies: Vec<(String, &Value)> = identities.iter().flat_map(named).collect();
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

/// The policies of an identity by name: a number is part of it where there are several.
fn named(identity: &IdentityPolicies) -> Vec<(String, &Value)> {
    match identity.documents.as_slice() {
        [only] => vec![(identity.name.clone(), only)],
        several => (1..).zip(several).map(|(number, policy)| (format!("{}-{number}", identity.name), policy)).collect(),
    }
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
