//! `simulate`: the local Cognito alone, until a signal ends it.

use cognito_import_simulator::{AccountInfo, Options, Scenario, Simulator, TlsFiles};
use serde_json::json;

use super::console::Console;
use super::daemon::signals;
use crate::cli::{Output, SimulateArgs};
use crate::exit::{CommandError, Exit};

/// Serves, and says where and with which keys.
///
/// # Errors
/// When the scenario is wrong, the address is taken, or the record cannot be written.
pub(super) async fn simulate(args: SimulateArgs, output: Output, console: &Console) -> Result<Exit, CommandError> {
    let scenario = match &args.scenario {
        None => Scenario::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                CommandError::new(Exit::Config, format!("cannot read the scenario {}: {error}", path.display()))
            })?;
            Scenario::parse(&text)
                .map_err(|error| CommandError::new(Exit::Config, format!("{}: {error}", path.display())))?
        }
    };
    let mut signals = signals()?;
    let tls = args.tls_cert.zip(args.tls_key).map(|(certificate, key)| TlsFiles { certificate, key });
    let options = Options { listen: args.listen, scenario, seed: args.seed, record: args.record, tls };
    let simulator = Simulator::start(options).await.map_err(|error| {
        let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
        CommandError::new(Exit::File, format!("{error}{cause}"))
    })?;
    console.result(&match output {
        Output::Text => text(&simulator),
        Output::Json => line(&simulator),
    })?;
    signals.next().await;
    simulator.shutdown().await;
    Ok(Exit::Success)
}

fn text(simulator: &Simulator) -> String {
    let mut text = format!("Cognito user import, simulated, at {}\n", simulator.url());
    for account in simulator.accounts() {
        text.push_str(&format!(
            "\naccount {}\n  export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}\n",
            account.id, account.access_key_id, account.secret_access_key
        ));
        if let Some(token) = &account.session_token {
            text.push_str(&format!("  export AWS_SESSION_TOKEN={token}\n"));
        }
        for pool in simulator.pools().iter().filter(|pool| pool.account == account.id) {
            text.push_str(&format!("  pool {} in {}\n", pool.id, pool.region));
        }
    }
    if let Some(pool) = simulator.pools().first() {
        text.push_str(&format!(
            "\nTry: aws cognito-idp list-user-import-jobs --max-results 10 --user-pool-id {} --region {} --endpoint-url {}\nStop it with Ctrl-C.\n",
            pool.id,
            pool.region,
            simulator.url()
        ));
    }
    text
}

fn line(simulator: &Simulator) -> String {
    let accounts: Vec<_> = simulator
        .accounts()
        .into_iter()
        .map(|AccountInfo { id, access_key_id, secret_access_key, session_token }| {
            json!({
                "id": id, "access_key_id": access_key_id, "secret_access_key": secret_access_key,
                "session_token": session_token,
            })
        })
        .collect();
    let pools: Vec<_> = simulator
        .pools()
        .into_iter()
        .map(|pool| json!({ "id": pool.id, "region": pool.region, "account": pool.account, "name": pool.name }))
        .collect();
    let line = json!({
        "endpoint_url": simulator.url(), "accounts": accounts, "pools": pools,
    });
    format!("{line}\n")
}
