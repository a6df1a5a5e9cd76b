//! AWS Signature Version 4: verifies requests and upload URLs, and signs them for the [`client`](crate::client).

use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use hyper::http::request::Parts;
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::AccountInfo;
use crate::clock::shift;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const DATE: &str = "%Y%m%dT%H%M%SZ";
/// All but the characters that RFC 3986 calls unreserved.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The parts of an `Authorization` header, or of the query of a pre-signed URL.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) key_id: String,
    pub(crate) region: String,
    /// `20240101/us-east-1/cognito-idp/aws4_request`.
    scope: String,
    headers: Vec<String>,
    signature: String,
}

/// Why a request is not accepted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    /// Nothing is signed.
    Unsigned,
    /// The signature's parts do not make sense; the text says which.
    Malformed(String),
    /// No account has this key, or the session token is not its.
    UnknownKey,
    /// The signature is not the one we compute.
    Mismatch,
    /// Signed for another service, too long ago or too far ahead; the text is the service's own.
    Invalid(String),
    /// The upload URL has lapsed.
    Lapsed,
    /// The session is over.
    Expired,
}

impl Claim {
    /// Reads the `Authorization` header, whether or not it is true.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let text = headers.get("authorization").and_then(|value| value.to_str().ok()).ok_or(Refusal::Unsigned)?;
        let fields = text.strip_prefix(ALGORITHM);
        let field = |name: &str| {
            let mut fields = fields.unwrap_or_default().split(',');
            let found = fields.find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
            found.ok_or_else(|| Refusal::Malformed(format!("Authorization header requires '{name}' parameter.")))
        };
        Self::from_parts(field("Credential")?, field("SignedHeaders")?, field("Signature")?)
    }

    fn from_parts(credential: &str, headers: &str, signature: &str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = credential.split('/').collect();
        let [key_id, _day, region, _service, "aws4_request"] = parts.as_slice() else {
            let wants = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term";
            return Err(Refusal::Malformed(format!("{wants}, got '{credential}'")));
        };
        Ok(Self {
            key_id: (*key_id).to_owned(),
            region: (*region).to_owned(),
            scope: parts[1..].join("/"),
            headers: headers.split(';').map(str::to_owned).collect(),
            signature: signature.to_owned(),
        })
    }

    /// Checks a request that is signed for `service` in full. `skew` is how far its date may be from ours.
    pub(crate) fn verify(
        &self,
        parts: &Parts,
        body: &[u8],
        keys: &AccountInfo,
        service: &str,
        now: Timestamp,
        skew: SignedDuration,
    ) -> Result<(), Refusal> {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        if keys.session_token.is_some() && keys.session_token.as_deref() != header("x-amz-security-token") {
            return Err(Refusal::UnknownKey);
        }
        if self.scope.rsplit('/').nth(1) != Some(service) {
            return Err(Refusal::Invalid(format!("Credential should be scoped to correct service: '{service}'.")));
        }
        let stamp = header("x-amz-date").unwrap_or_default();
        let signed_at = parse_date(stamp).ok_or_else(|| {
            Refusal::Malformed("Authorization header requires existence of an 'X-Amz-Date' header.".into())
        })?;
        let (oldest, newest) = (shift(now, -skew), shift(now, skew));
        if signed_at < oldest || signed_at > newest {
            let (said, limit, sign) = match signed_at < now {
                true => ("expired: {} is now earlier than", oldest, '-'),
                false => ("not yet current: {} is still later than", newest, '+'),
            };
            let (said, limit, now) = (said.replace("{}", stamp), format_date(limit), format_date(now));
            let minutes = skew.as_secs() / 60;
            return Err(Refusal::Invalid(format!("Signature {said} {limit} ({now} {sign} {minutes} min.)")));
        }
        self.check(parts, &hex(&Sha256::digest(body)), keys, stamp)
    }

    fn check(&self, parts: &Parts, payload: &str, keys: &AccountInfo, stamp: &str) -> Result<(), Refusal> {
        let canonical = canonical_request(parts, &self.headers, payload).ok_or(Refusal::Mismatch)?;
        let right = sign(&keys.secret_access_key, &self.scope, stamp, &canonical) == self.signature;
        let same_day = self.scope.split('/').next().is_some_and(|day| stamp.starts_with(day));
        let signs_host = self.headers.iter().any(|name| name == "host");
        if right && same_day && signs_host { Ok(()) } else { Err(Refusal::Mismatch) }
    }
}

/// The value of an `Authorization` header for a request; the headers to be signed must be set already.
pub(crate) fn authorize(
    parts: &Parts,
    body: &[u8],
    keys: &AccountInfo,
    (region, service): (&str, &str),
    stamp: &str,
) -> String {
    let mut names: Vec<String> = parts.headers.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    let scope = format!("{}/{region}/{service}/aws4_request", &stamp[..8]);
    let canonical = canonical_request(parts, &names, &hex(&Sha256::digest(body))).unwrap_or_default();
    let signature = sign(&keys.secret_access_key, &scope, stamp, &canonical);
    format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
        keys.access_key_id,
        names.join(";")
    )
}

/// The upload's URL as Cognito writes it: the token first, signed for the host and the encryption header. `base` is the
/// scheme and the host.
pub(crate) fn presign(base: &str, path: &str, keys: &AccountInfo, region: &str, at: Timestamp, seconds: i64) -> String {
    let stamp = format_date(at);
    let scope = format!("{}/{region}/s3/aws4_request", &stamp[..8]);
    let query = format!(
        "X-Amz-Security-Token={}&X-Amz-Algorithm={ALGORITHM}&X-Amz-Date={stamp}\
         &X-Amz-SignedHeaders=host%3Bx-amz-server-side-encryption&X-Amz-Expires={seconds}&X-Amz-Credential={}",
        escape(keys.session_token.as_deref().unwrap_or_default()),
        escape(&format!("{}/{scope}", keys.access_key_id))
    );
    let host = base.rsplit('/').next().unwrap_or(base);
    let headers = format!("host:{host}\nx-amz-server-side-encryption:aws:kms\n\nhost;x-amz-server-side-encryption");
    let canonical = format!("PUT\n{path}\n{}\n{headers}\n{UNSIGNED}", canonical_query(&query));
    let signature = sign(&keys.secret_access_key, &scope, &stamp, &canonical);
    format!("{base}{path}?{query}&X-Amz-Signature={signature}")
}

/// Checks a request to an upload URL, headers included.
pub(crate) fn verify_presigned(parts: &Parts, keys: &AccountInfo, now: Timestamp) -> Result<(), Refusal> {
    let pairs = query_pairs(parts.uri.query().ok_or(Refusal::Unsigned)?);
    let field = |name: &str| {
        let found = pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        found.ok_or_else(|| Refusal::Malformed(format!("Query-string authentication requires the {name} parameter")))
    };
    let claim =
        Claim::from_parts(field("X-Amz-Credential")?, field("X-Amz-SignedHeaders")?, field("X-Amz-Signature")?)?;
    if claim.key_id != keys.access_key_id {
        return Err(Refusal::UnknownKey);
    }
    let stamp = field("X-Amz-Date")?;
    match (parse_date(stamp), field("X-Amz-Expires")?.parse().map(SignedDuration::from_secs)) {
        (Some(signed_at), Ok(lasts)) if now <= shift(signed_at, lasts) => claim.check(parts, UNSIGNED, keys, stamp),
        (Some(_), Ok(_)) => Err(Refusal::Lapsed),
        (None, _) | (_, Err(_)) => Err(Refusal::Malformed("X-Amz-Date or X-Amz-Expires cannot be read".into())),
    }
}

/// None where a header that is said to be signed is absent.
fn canonical_request(parts: &Parts, signed: &[String], payload: &str) -> Option<String> {
    let mut headers = String::new();
    for name in signed {
        let values = parts.headers.get_all(name).iter().map(|value| value.to_str().ok());
        let words = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
        let values: Vec<String> = values.map(|value| value.map(words)).collect::<Option<_>>()?;
        values.first()?;
        headers.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    let query = canonical_query(parts.uri.query().unwrap_or_default());
    Some(format!("{}\n{}\n{query}\n{headers}\n{}\n{payload}", parts.method, parts.uri.path(), signed.join(";")))
}

fn canonical_query(query: &str) -> String {
    let pairs = query_pairs(query).into_iter().filter(|(name, _)| name != "X-Amz-Signature");
    let mut pairs: Vec<_> = pairs.map(|(name, value)| format!("{}={}", escape(&name), escape(&value))).collect();
    pairs.sort();
    pairs.join("&")
}

fn query_pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

pub(crate) fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// The key is derived from the scope's four parts in turn.
fn sign(secret: &str, scope: &str, stamp: &str, canonical: &str) -> String {
    let text = format!("{ALGORITHM}\n{stamp}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let steps = scope.split('/').chain([text.as_str()]);
    hex(&steps.fold(format!("AWS4{secret}").into_bytes(), |key, step| mac(&key, step)))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of every length; the Result is the trait's.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `20240102T030405Z`.
pub(crate) fn format_date(at: Timestamp) -> String {
    at.strftime(DATE).to_string()
}

fn parse_date(stamp: &str) -> Option<Timestamp> {
    Some(DateTime::strptime(DATE, stamp).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests;
