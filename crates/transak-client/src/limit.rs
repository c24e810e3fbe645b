//! A cap on what is read of an answer.

use bytes::Bytes;
use reqwest::Response;

/// Read of an answer unless set otherwise. The longest known answers have less than a tenth of it.
pub(crate) const DEFAULT: usize = 32 * 1024 * 1024;

/// Why a body was not read to its end.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is longer than what is read.
    TooLong,
    /// The connection broke, or time ran out.
    Broken(reqwest::Error),
}

/// The whole body, if it has at most `max` bytes. A body that came in one piece is not copied.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) async fn read(mut response: Response, max: usize) -> Result<Bytes, Unread> {
    let announced = response.content_length().and_then(|bytes| usize::try_from(bytes).ok());
    if announced.is_some_and(|bytes| bytes > max) {
        return Err(Unread::TooLong);
    }
    let first = response.chunk().await.map_err(Unread::Broken)?.unwrap_or_default();
    if first.len() > max {
        return Err(Unread::TooLong);
    }
    let Some(mut next) = response.chunk().await.map_err(Unread::Broken)? else {
        return Ok(first);
    };
    // What a server announces is not reserved unseen.
    let mut body = Vec::with_capacity(announced.unwrap_or_default().min(64 * 1024));
    body.extend_from_slice(&first);
    loop {
        if next.len() > max - body.len() {
            return Err(Unread::TooLong);
        }
        body.extend_from_slice(&next);
        match response.chunk().await.map_err(Unread::Broken)? {
            Some(chunk) => next = chunk,
            None => return Ok(body.into()),
        }
    }
}

/// In a browser, `reqwest` has the answer only as a whole.
#[cfg(target_arch = "wasm32")]
pub(crate) async fn read(response: Response, _max: usize) -> Result<Bytes, Unread> {
    response.bytes().await.map_err(Unread::Broken)
}
