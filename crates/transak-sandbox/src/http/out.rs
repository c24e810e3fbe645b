//! Bodies of answers: whole, or trickling as a fault asks for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// A body of known length.
pub(crate) struct OutBody {
    rest: Bytes,
    trickle: Option<Trickle>,
}

struct Trickle {
    piece: usize,
    pause: Duration,
    wait: Pin<Box<Sleep>>,
}

impl OutBody {
    /// A body that is sent at once.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self {
            rest: bytes.into(),
            trickle: None,
        }
    }

    /// The same body in so many pieces, with a pause before each.
    pub(crate) fn slowed(self, pieces: u16, pause: Duration) -> Self {
        let piece = self.rest.len().div_ceil(usize::from(pieces.max(1))).max(1);
        let wait = Box::pin(tokio::time::sleep(pause));
        Self {
            rest: self.rest,
            trickle: Some(Trickle { piece, pause, wait }),
        }
    }
}

impl Body for OutBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece = match &mut this.trickle {
            None => this.rest.len(),
            Some(trickle) => {
                if trickle.wait.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                trickle.wait = Box::pin(tokio::time::sleep(trickle.pause));
                trickle.piece.min(this.rest.len())
            }
        };
        Poll::Ready(Some(Ok(Frame::data(this.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
