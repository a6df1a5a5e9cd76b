//! Answers as bytes: the service's errors in their real form, the two spellings of dates, and bodies that break off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::record::Entry;
use crate::scenario::{DateSpelling, Failure, TypeSpelling};
use crate::sigv4::Refusal;

const JSON: &str = "application/x-amz-json-1.1";

/// How a client speaks to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// AWS JSON 1.1: Cognito.
    Json,
    /// AWS query, a form that is answered with XML: STS.
    Query,
}

/// Errors that STS calls by other names than Cognito, and its status.
const QUERY_ERRORS: [(&str, u16, &str); 8] = [
    ("TooManyRequestsException", 400, "Throttling"),
    ("InternalErrorException", 500, "InternalFailure"),
    ("UnknownOperationException", 400, "InvalidAction"),
    ("UnrecognizedClientException", 403, "InvalidClientTokenId"),
    ("InvalidSignatureException", 403, "SignatureDoesNotMatch"),
    ("IncompleteSignatureException", 400, "IncompleteSignature"),
    ("MissingAuthenticationTokenException", 403, "MissingAuthenticationToken"),
    ("ExpiredTokenException", 403, "ExpiredToken"),
];

impl Failure {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::bare(400, code) }
    }

    pub(crate) fn bare(status: u16, code: &str) -> Self {
        let (code, spelling) = (code.to_owned(), TypeSpelling::Both);
        Self { status, code, message: None, spelling, message_key: None, retry_after: None }
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    /// An error whose words the scenario chooses.
    pub(crate) fn about(&self, pool: &str, job: &str) -> Self {
        let message = self.message.as_ref().map(|text| text.replace("{pool}", pool).replace("{job}", job));
        Self { message, ..self.clone() }
    }

    /// What the service answers to a request that is not signed right.
    pub(crate) fn refused(refusal: Refusal, unsigned: &Self) -> Self {
        const UNKNOWN: &str = "The security token included in the request is invalid.";
        const EXPIRED: &str = "The security token included in the request is expired";
        const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for details.";
        match refusal {
            Refusal::Unsigned => unsigned.clone(),
            Refusal::Malformed(message) => Self::new("IncompleteSignatureException", message),
            Refusal::UnknownKey => Self::new("UnrecognizedClientException", UNKNOWN),
            Refusal::Expired => Self::new("ExpiredTokenException", EXPIRED),
            Refusal::Mismatch | Refusal::Lapsed => Self::new("InvalidSignatureException", MISMATCH),
            Refusal::Invalid(message) => Self::new("InvalidSignatureException", message),
        }
    }

    pub(crate) fn into_reply(self, protocol: Protocol) -> Reply {
        match protocol {
            Protocol::Json => self.into_json(),
            Protocol::Query => self.into_xml(),
        }
    }

    fn into_xml(self) -> Reply {
        let known = QUERY_ERRORS.into_iter().find(|(code, ..)| *code == self.code);
        let (status, code) = known.map_or((self.status, self.code), |(_, status, code)| (status, code.to_owned()));
        let kind = if status < 500 { "Sender" } else { "Receiver" };
        let error = json!({"Type": kind, "Code": code, "Message": self.message.unwrap_or_default()});
        Reply { error: Some(code), ..Reply::xml(status, "ErrorResponse", &json!({ "Error": error })) }
    }

    fn into_json(self) -> Reply {
        let kind = match self.spelling {
            TypeSpelling::Header => None,
            TypeSpelling::Both | TypeSpelling::Body => Some(self.code.clone()),
            TypeSpelling::Namespaced => Some(format!("com.amazonaws.cognitoidentityprovider#{}", self.code)),
        };
        let members =
            [(Some("__type".into()), kind), (self.message_key.or(Some("message".into())), self.message.clone())];
        let body: Map<String, Value> =
            members.into_iter().filter_map(|(key, text)| Some((key?, text?.into()))).collect();
        let mut reply = Reply::new(self.status, JSON, Value::Object(body).to_string());
        if matches!(self.spelling, TypeSpelling::Both | TypeSpelling::Header) {
            reply.header("x-amzn-errortype", &format!("{}:", self.code));
            reply.header("x-amzn-errormessage", &self.message.unwrap_or_default());
        }
        if let Some(retry_after) = self.retry_after {
            reply.header("x-amz-retry-after", &retry_after.0.as_millis().to_string());
        }
        Reply { error: Some(self.code), ..reply }
    }
}

/// An answer that is ready to be written.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) delivery: Delivery,
    /// The error's code, for the record.
    pub(crate) error: Option<String>,
}

/// How much of an answer is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Delivery {
    Whole,
    Half,
}

impl Reply {
    /// An empty content type is not told.
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let (headers, body) = (HeaderMap::new(), body.into());
        let mut reply = Self { status, headers, body, delivery: Delivery::Whole, error: None };
        if !content_type.is_empty() {
            reply.header("content-type", content_type);
        }
        reply
    }

    pub(crate) fn json(value: &Value, spelling: DateSpelling) -> Self {
        let body = match spelling {
            DateSpelling::Plain => value.to_string(),
            DateSpelling::Scientific => scientific(value),
        };
        Self::new(200, JSON, body)
    }

    /// The answer of a query: an element that holds the members of `value`.
    pub(crate) fn xml(status: u16, name: &str, value: &Value) -> Self {
        let space = "https://sts.amazonaws.com/doc/2011-06-15/";
        Self::new(status, "text/xml", format!("<{name} xmlns=\"{space}\">{}</{name}>\n", elements(value)))
    }

    /// Leaves out a value that no header can hold.
    pub(crate) fn header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }

    pub(crate) fn into_response(self, mut entry: Entry) -> Response<AnswerBody> {
        entry.note("http_status", self.status);
        entry.note("error", self.error);
        // Nobody asks for an empty body.
        entry.note("complete", self.body.is_empty());
        let length = self.body.len() as u64;
        let body = AnswerBody { rest: self.body, length, delivery: self.delivery, turn: 0, entry };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = self.headers;
        response
    }
}

/// Members as elements of XML.
fn elements(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let element = |(name, value): (&String, &Value)| format!("<{name}>{}</{name}>", elements(value));
            members.iter().map(element).collect()
        }
        Value::String(text) => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    }
}

/// JSON with every number whose key ends in `Date` spelled as `1.735241621022E9`.
fn scientific(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| match value.as_f64().filter(|_| key.ends_with("Date")) {
                Some(number) => format!("{}:{number:E}", Value::from(key.as_str())),
                None => format!("{}:{}", Value::from(key.as_str()), scientific(value)),
            };
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(scientific).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// A body that notes in its entry when all of it was taken, or that breaks off half-way.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    rest: Bytes,
    length: u64,
    delivery: Delivery,
    turn: u8,
    entry: Entry,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.turn = self.turn.saturating_add(1);
        let half = self.rest.len() / 2;
        match (self.delivery, self.turn) {
            (Delivery::Whole, 1) => {
                self.entry.note("complete", true);
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))))
            }
            (Delivery::Whole, _) => Poll::Ready(None),
            (Delivery::Half, 1) => Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(half))))),
            // A turn without data lets the half leave before the connection is closed.
            (Delivery::Half, 2) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            (Delivery::Half, _) => Poll::Ready(Some(Err(io::Error::other("broken off by the scenario")))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.delivery == Delivery::Whole && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::scientific;

    #[test]
    fn dates_are_spelled_as_java_spells_them() {
        let job = json!({"Jobs": [{"CreationDate": 1735241621.022, "ImportedUsers": 7, "Update": null}]});
        assert_eq!(scientific(&job), r#"{"Jobs":[{"CreationDate":1.735241621022E9,"ImportedUsers":7,"Update":null}]}"#);
    }
}
