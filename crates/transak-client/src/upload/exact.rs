//! A body of exactly the announced length.
//!
//! The length stands in the head of the request. An HTTP stack cuts off what is too much without a word, and with it the
//! end of the form; what is missing it notices, but cannot tell why.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::file::Source;

/// Why a file could not be sent. Holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("the file ended {missing} bytes before the announced length of {announced}")]
    TooShort { announced: u64, missing: u64 },
    #[error("the file is longer than the announced {announced} bytes")]
    TooLong { announced: u64 },
    #[error("the file could not be read: {kind}")]
    Unreadable { kind: io::ErrorKind },
}

/// Tells afterwards what was wrong with the file.
#[derive(Clone, Debug)]
pub(super) struct Watch(Arc<OnceLock<Problem>>);

impl Watch {
    pub(super) fn problem(&self) -> Option<Problem> {
        self.0.get().copied()
    }
}

/// The file as a body.
pub(super) struct ExactBody {
    source: Source,
    announced: u64,
    left: u64,
    watch: Watch,
}

impl ExactBody {
    pub(super) fn new(announced: u64, source: Source) -> (Self, Watch) {
        let watch = Watch(Arc::default());
        let body = Self {
            source,
            announced,
            left: announced,
            watch: watch.clone(),
        };
        (body, watch)
    }

    fn failed(&self, problem: Problem) -> Poll<Option<Result<Frame<Bytes>, Problem>>> {
        // The first one is the cause of any other.
        let _ = self.watch.0.set(problem);
        Poll::Ready(Some(Err(problem)))
    }
}

impl Body for ExactBody {
    type Data = Bytes;
    type Error = Problem;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Problem>>> {
        let announced = self.announced;
        match ready!(self.source.poll_piece(cx)) {
            Some(Ok(piece)) => match left_after(self.left, piece.len()) {
                Some(left) => {
                    self.left = left;
                    Poll::Ready(Some(Ok(Frame::data(piece))))
                }
                None => self.failed(Problem::TooLong { announced }),
            },
            Some(Err(error)) => self.failed(Problem::Unreadable { kind: error.kind() }),
            None if self.left > 0 => self.failed(Problem::TooShort {
                announced,
                missing: self.left,
            }),
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

fn left_after(left: u64, piece: usize) -> Option<u64> {
    left.checked_sub(u64::try_from(piece).ok()?)
}

impl fmt::Debug for ExactBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExactBody")
            .field("announced", &self.announced)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
