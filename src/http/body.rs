//! What an answer's body is: a text that is there, or parts that come.
//!
//! Made by [`super::answer`], read by hyper.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::mpsc;

use super::crowd::{Caller, Does};

/// A body. As long as it is there its caller is being answered.
#[derive(Debug)]
pub(super) struct AnswerBody {
    content: Content,
    caller: Arc<Caller>,
}

#[derive(Debug)]
enum Content {
    Whole(Full<Bytes>),
    Parts(mpsc::Receiver<Part>),
}

/// A part of a body that comes.
#[derive(Debug)]
pub(super) enum Part {
    /// Some of it.
    Text(Bytes),
    /// No more comes. Without it the body is not whole, and the connection is broken off so that the caller notices.
    End,
}

/// A body that cannot be completed.
#[derive(Debug)]
pub(super) struct BrokenOff;

impl AnswerBody {
    /// A text.
    pub(super) fn whole(text: impl Into<Bytes>, caller: &Arc<Caller>) -> Self {
        Self { content: Content::Whole(Full::new(text.into())), caller: Arc::clone(caller) }
    }

    /// Parts as they come.
    pub(super) fn parts(parts: mpsc::Receiver<Part>, caller: &Arc<Caller>) -> Self {
        Self { content: Content::Parts(parts), caller: Arc::clone(caller) }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.caller.does(Does::Nothing);
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut self.content {
            Content::Whole(text) => Pin::new(text).poll_frame(context).map_err(|never: Infallible| match never {}),
            Content::Parts(parts) => parts.poll_recv(context).map(|part| match part {
                Some(Part::Text(text)) => Some(Ok(Frame::data(text))),
                Some(Part::End) => None,
                None => Some(Err(BrokenOff)),
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(text) => text.is_end_stream(),
            Content::Parts(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(text) => text.size_hint(),
            Content::Parts(_) => SizeHint::default(),
        }
    }
}

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer cannot be completed")
    }
}

impl std::error::Error for BrokenOff {}
