//! The kind of value that `http.listen` is: an IP address with its port.
//! Used by `file`, whose `[http]` is made of it.

use std::net::{IpAddr, SocketAddr};

use toml::de::DeValue;

use super::problem::Shown;
use super::value::{Mismatch, Value};

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListenAddress(pub(super) SocketAddr);

impl Value for ListenAddress {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        let text = String::read(value)?;
        text.trim().parse().map(Self).map_err(|_| {
            Mismatch::new(format!("{} is no address to listen at: {}", Shown(&text), fault(text.trim()))).advice(
                "write an IP address and a port: \"127.0.0.1:9464\" for this machine alone, \"0.0.0.0:9464\" for all",
            )
        })
    }
}

/// What is wrong with an address.
fn fault(text: &str) -> &'static str {
    if text.is_empty() {
        return "it is empty; leave the key out where nothing is to listen";
    }
    if text.contains("://") {
        return "it is a URL";
    }
    if text.parse::<IpAddr>().is_ok() {
        return "the port is missing";
    }
    let Some((host, port)) = text.rsplit_once(':') else { return "it is not an IP address, a colon and a port" };
    if port.parse::<u16>().is_err() {
        "its port is not a number within 0 and 65535"
    } else if host.is_empty() || host == "*" {
        "the IP address is missing; to listen to other machines too has to be said"
    } else if host.contains(':') && !host.starts_with('[') {
        "an IPv6 address stands in brackets"
    } else if host.bytes().any(|byte| byte.is_ascii_alphabetic()) && !host.contains(':') {
        "its host is a name, and may be several addresses"
    } else {
        "it is not an IP address, a colon and a port"
    }
}
