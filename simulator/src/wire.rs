//! Answers as bytes: the service's errors in their real form, JSON with its two spellings of dates, and bodies that
//! break off.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::record::Exchange;
use crate::scenario::{DateSpelling, ErrorText, MessageKey, TypeSpelling};
use crate::sigv4::Refusal;

const JSON: &str = "application/x-amz-json-1.1";

/// An error of the service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: Option<String>,
    pub(crate) spelling: TypeSpelling,
    pub(crate) message_key: MessageKey,
    /// For `x-amz-retry-after`, in milliseconds.
    pub(crate) retry_after: Option<u128>,
}

impl Failure {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code: code.to_owned(),
            message: Some(message.into()),
            spelling: TypeSpelling::Both,
            message_key: MessageKey::Small,
            retry_after: None,
        }
    }

    pub(crate) fn bare(status: u16, code: &str) -> Self {
        Self { status, message: None, ..Self::new(code, "") }
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    /// An error whose words the scenario chooses.
    pub(crate) fn chosen(text: &ErrorText, pool: &str, job: &str) -> Self {
        let message = text.message.replace("{pool}", pool).replace("{job}", job);
        Self { status: text.status, ..Self::new(&text.code, message) }
    }

    /// What the service answers to a request that is not signed right.
    pub(crate) fn refused(refusal: Refusal, unsigned: &ErrorText) -> Self {
        match refusal {
            Refusal::Unsigned => Self::chosen(unsigned, "", ""),
            Refusal::Malformed(message) => Self::new("IncompleteSignatureException", message),
            Refusal::UnknownKey => {
                Self::new("UnrecognizedClientException", "The security token included in the request is invalid.")
            }
            Refusal::Mismatch | Refusal::Lapsed => Self::new(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details.",
            ),
            Refusal::Invalid(message) => Self::new("InvalidSignatureException", message),
        }
    }

    pub(crate) fn into_reply(self) -> Reply {
        let mut body = Map::new();
        match self.spelling {
            TypeSpelling::Header => {}
            TypeSpelling::Both | TypeSpelling::Body => drop(body.insert("__type".into(), json!(self.code))),
            TypeSpelling::Namespaced => {
                let code = format!("com.amazonaws.cognitoidentityprovider#{}", self.code);
                body.insert("__type".into(), json!(code));
            }
        }
        let key = match self.message_key {
            MessageKey::Small => "message",
            MessageKey::Capital => "Message",
        };
        if let Some(message) = &self.message {
            body.insert(key.into(), json!(message));
        }
        let mut reply = Reply::new(self.status, JSON, Value::Object(body).to_string());
        if matches!(self.spelling, TypeSpelling::Both | TypeSpelling::Header) {
            reply.header("x-amzn-errortype", &format!("{}:", self.code));
            reply.header("x-amzn-errormessage", self.message.as_deref().unwrap_or_default());
        }
        if let Some(retry_after) = self.retry_after {
            reply.header("x-amz-retry-after", &retry_after.to_string());
        }
        reply.error = Some(self.code);
        reply
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
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut reply =
            Self { status, headers: HeaderMap::new(), body: body.into(), delivery: Delivery::Whole, error: None };
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

    /// Leaves out a value that no header can hold.
    pub(crate) fn header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }

    pub(crate) fn into_response(self, exchange: Arc<Exchange>) -> Response<AnswerBody> {
        let body = AnswerBody { length: self.body.len(), rest: self.body, delivery: self.delivery, turn: 0, exchange };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = self.headers;
        response
    }
}

/// JSON with every member that ends in `Date` spelled as `1.735241621022E9`.
fn scientific(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(",");
    match value {
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| match value.as_f64() {
                Some(number) if key.ends_with("Date") => format!("{}:{number:E}", json!(key)),
                Some(_) | None => format!("{}:{}", json!(key), scientific(value)),
            };
            format!("{{{}}}", list(members.iter().map(member).collect()))
        }
        Value::Array(items) => format!("[{}]", list(items.iter().map(scientific).collect())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// A body that tells its exchange when all of it was handed over, or that breaks off half-way.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    rest: Bytes,
    length: usize,
    delivery: Delivery,
    turn: u8,
    exchange: Arc<Exchange>,
}

/// The body broke off, as the scenario says.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken off by the scenario")
    }
}

impl std::error::Error for BrokenOff {}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match (self.delivery, self.turn) {
            (Delivery::Whole, _) if self.rest.is_empty() => Poll::Ready(None),
            (Delivery::Whole, _) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest))))),
            (Delivery::Half, 0) => {
                self.turn = 1;
                let half = self.length / 2;
                Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(half)))))
            }
            // A turn without data lets the half leave before the connection is closed.
            (Delivery::Half, 1) => {
                self.turn = 2;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            (Delivery::Half, _) => Poll::Ready(Some(Err(BrokenOff))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.delivery == Delivery::Whole && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self.delivery {
            Delivery::Whole => self.rest.len(),
            Delivery::Half => self.length,
        } as u64)
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if self.is_end_stream() {
            self.exchange.body_handed_over();
        }
    }
}
