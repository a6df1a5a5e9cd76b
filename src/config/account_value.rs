//! The kinds of values that an account alone holds: roles, external ids, session names, addresses.
//! Used by `file`, whose `[[account]]` is made of them.

use toml::de::DeValue;

use super::problem::Shown;
use super::value::{Mismatch, Value};

/// The ARN of a role: `arn:<partition>:iam::<account>:role/<name>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RoleArn(pub(super) String);

impl Value for RoleArn {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        let arn = String::read(value)?;
        match role_arn_fault(arn.trim()) {
            None => Ok(Self(arn.trim().to_owned())),
            Some(fault) => Err(Mismatch::new(format!("{} is not the ARN of a role: {fault}", Shown(&arn)))
                .advice("write arn:aws:iam::<12 digits>:role/<name>")),
        }
    }
}

/// What is wrong with a role's ARN.
fn role_arn_fault(arn: &str) -> Option<&'static str> {
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (scheme, partition, service, region, account, resource) = (part(), part(), part(), part(), part(), part());
    let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&b);
    if scheme != "arn" {
        Some("it does not begin with arn:")
    } else if partition != "aws" && !partition.starts_with("aws-") {
        Some("its second part is no partition, such as aws or aws-cn")
    } else if service == "sts" && resource.starts_with("assumed-role/") {
        Some("it is a session of a role; the role's own ARN has iam and role/")
    } else if service != "iam" || !region.is_empty() {
        Some("it is not of IAM")
    } else if !digits {
        Some("the account is not twelve digits")
    } else if resource.starts_with("user/") || resource == "root" {
        Some("it names no role")
    } else {
        match resource.strip_prefix("role/") {
            Some(name) if !name.is_empty() && !name.ends_with('/') && name.len() <= 577 && name.bytes().all(fits) => {
                None
            }
            Some(_) => Some("the role's name is empty or holds a character that no role has"),
            None => Some("it does not go on with role/"),
        }
    }
}

/// An external id, as STS takes it: 2 to 1224 letters, digits and `+=,.@:/_-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExternalId(pub(super) String);

impl Value for ExternalId {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        let id = String::read(value)?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@:/_-".contains(&b);
        if (2..=1224).contains(&id.len()) && id.bytes().all(fits) {
            Ok(Self(id))
        } else {
            Err(Mismatch::new("not an external id: STS takes 2 to 1224 letters, digits and +=,.@:/_-"))
        }
    }
}

/// The name of a session, as STS takes it: 2 to 64 letters, digits and `+=,.@_-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SessionName(pub(super) String);

impl Value for SessionName {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        let name = String::read(value)?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
        if (2..=64).contains(&name.len()) && name.bytes().all(fits) {
            Ok(Self(name))
        } else {
            let fault =
                format!("{} is not a session name: STS takes 2 to 64 letters, digits and +=,.@_-", Shown(&name));
            Err(Mismatch::new(fault))
        }
    }
}

/// The address of an endpoint: `http` or `https`, a host, perhaps a port and a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EndpointUrl(pub(super) String);

impl Value for EndpointUrl {
    fn read(value: &DeValue<'_>) -> Result<Self, Mismatch> {
        let url = String::read(value)?;
        match endpoint_fault(&url) {
            None => Ok(Self(url)),
            Some(fault) => {
                Err(Mismatch::new(fault).advice("write http:// or https://, a host, and :port where it is needed"))
            }
        }
    }
}

/// What is wrong with an endpoint's address. The address is not repeated: it may hold a password.
pub(super) fn endpoint_fault(url: &str) -> Option<&'static str> {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return Some("the address does not begin with http:// or https://");
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand within brackets.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        Some(_) | None => (authority, None),
    };
    let fits = |b: u8| b.is_ascii_alphanumeric() || b".-_[]:".contains(&b);
    if authority.contains('@') {
        Some("the address holds a user or a password, which is not sent; leave it out")
    } else if rest.contains(['?', '#']) {
        Some("the address has a query or a fragment; leave it out")
    } else if host.is_empty() {
        Some("the address has no host")
    } else if !host.bytes().all(fits) || (host.contains(':') && !host.starts_with('[')) {
        Some("the address holds a character that no host has")
    } else if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        Some("the port is not a number within 0 and 65535")
    } else if url.bytes().any(|b| !b.is_ascii_graphic()) {
        Some("the address holds a space or a character beyond ASCII")
    } else {
        None
    }
}
