//! What is to be watched: the config file under the command line, resolved to a plan.

use cognito_import_watch_core::domain::{Target, UserPoolId};

use super::console::Console;
use crate::cli::{ConfigArgs, Shared, Watched};
use crate::config::{AwsEndpoint, Diagnostics, Fault, Overrides, Plan, Source, read_sources, resolve};
use crate::exit::{CommandError, Exit};

/// What the shared flags say on top of the file.
pub(super) fn overrides(shared: &Shared) -> Overrides {
    let endpoint_set = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    Overrides {
        region: shared.region.clone(),
        profile: shared.profile.clone(),
        endpoint_url: shared.endpoint_url.clone(),
        log_level: shared.log_level,
        log_format: shared.log_format,
        aws_endpoint: if endpoint_set { AwsEndpoint::Set } else { AwsEndpoint::Unset },
        ..Overrides::default()
    }
}

/// Jobs and pools named on the command line.
pub(super) fn named(watched: Vec<Watched>) -> (Vec<Target>, Vec<UserPoolId>) {
    let (mut targets, mut pools) = (Vec::new(), Vec::new());
    for watched in watched {
        match watched {
            Watched::Job(target) => targets.push(target),
            Watched::Pool(pool) => pools.push(pool),
        }
    }
    (targets, pools)
}

/// The plan of the config under the command line, with something to watch in it.
///
/// # Errors
/// Code 78 when the config is wrong, cannot be read or names nothing; 2 when the command line is wrong, or when there
/// is no config and nothing was typed.
pub(super) fn plan_to_watch(
    config: &ConfigArgs,
    overrides: &Overrides,
    console: &Console,
) -> Result<Plan, CommandError> {
    let sources = sources(config)?;
    if sources.is_empty() && overrides.targets.is_empty() && overrides.pools.is_empty() {
        return Err(CommandError::new(
            Exit::Usage,
            "nothing to watch: name a job as <user-pool-id>/<job-id>, or give --config FILE",
        ));
    }
    resolve_to_watch(&sources, overrides).map_err(|problems| refused(&problems, console))
}

/// The plan of these sources, or every problem of it; that it names nothing is one.
///
/// # Errors
/// The problems.
pub(super) fn resolve_to_watch(sources: &[Source], overrides: &Overrides) -> Result<Plan, Diagnostics> {
    let plan = resolve(sources, overrides)?;
    if plan.is_empty() { Err(Diagnostics::nothing_to_watch(sources)) } else { Ok(plan) }
}

/// The texts of the config, the main file first; none where none is named.
///
/// # Errors
/// Code 78 when a file cannot be read, 2 when there are two configs.
pub(super) fn sources(config: &ConfigArgs) -> Result<Vec<Source>, CommandError> {
    match (&config.config, &config.config_text) {
        (Some(_), Some(_)) => Err(CommandError::new(
            Exit::Usage,
            "there are two configs: a file is named and COGNITO_IMPORT_WATCH_CONFIG_TOML is set; unset one",
        )),
        (Some(path), None) => read_sources(path).map_err(|error| CommandError::new(Exit::Config, error.to_string())),
        (None, Some(text)) => Ok(vec![Source::new("COGNITO_IMPORT_WATCH_CONFIG_TOML", text.as_bytes())]),
        (None, None) => Ok(Vec::new()),
    }
}

/// Problems as the error of a command.
pub(super) fn refused(problems: &Diagnostics, console: &Console) -> CommandError {
    let exit = match problems.fault() {
        Fault::Usage => Exit::Usage,
        Fault::Config => Exit::Config,
    };
    CommandError::new(exit, problems.render(console.diagnostics()))
}
