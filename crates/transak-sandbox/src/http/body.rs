//! Reading request bodies without letting them fill the memory.

use std::sync::Arc;

use ::http::header::{CONTENT_LENGTH, EXPECT};
use ::http::request::Parts;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::Semaphore;

use super::Limits;

/// Bodies up to this size are read without asking for one of the places for large ones.
const SMALL: usize = 16 * 1024;
/// Bytes of a refused body that are read and thrown away, so that the caller gets to see the refusal.
const DRAIN: usize = 32 * 1024 * 1024;

/// What a body is for, and so how long it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// JSON.
    Ordinary,
    /// Files.
    Upload,
}

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyProblem {
    /// It is longer than allowed.
    TooLarge,
    /// It did not arrive in time.
    TooSlow,
    /// The connection broke, or its framing is wrong.
    Broken,
}

/// Reads bodies; all listeners share one.
#[derive(Debug, Clone)]
pub(crate) struct BodyReader {
    limits: Limits,
    large: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
}

impl BodyReader {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            large: Arc::new(Semaphore::new(limits.large_bodies)),
            uploads: Arc::new(Semaphore::new(limits.uploads)),
        }
    }

    /// Reads a whole body.
    pub(crate) async fn read(&self, head: &Parts, body: Incoming, room: Room) -> Result<Bytes, BodyProblem> {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        let length = head
            .headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        let most = match room {
            Room::Ordinary => self.limits.max_body_bytes,
            Room::Upload => self.limits.max_upload_bytes.max(self.limits.max_body_bytes),
        };
        let announced_too_large = length.is_some_and(|length| length > most);
        if announced_too_large && head.headers.contains_key(EXPECT) {
            // The caller waits for our word before it sends anything.
            return Err(BodyProblem::TooLarge);
        }
        let reading = self.collect(body, most, announced_too_large);
        tokio::time::timeout(self.limits.body_timeout, reading)
            .await
            .unwrap_or(Err(BodyProblem::TooSlow))
    }

    async fn collect(&self, mut body: Incoming, most: usize, mut refused: bool) -> Result<Bytes, BodyProblem> {
        let mut kept = BytesMut::new();
        let mut seen = 0usize;
        let (mut place, mut upload) = (None, None);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| BodyProblem::Broken)?;
            let Some(data) = frame.data_ref() else { continue };
            seen = seen.saturating_add(data.len());
            refused |= seen > most;
            if refused {
                kept = BytesMut::new();
                (place, upload) = (None, None);
                if seen > DRAIN {
                    break;
                }
                continue;
            }
            if seen > SMALL && place.is_none() {
                place = self.large.acquire().await.ok();
            }
            if seen > self.limits.max_body_bytes && upload.is_none() {
                upload = self.uploads.acquire().await.ok();
            }
            kept.extend_from_slice(data);
        }
        drop((place, upload));
        if refused {
            Err(BodyProblem::TooLarge)
        } else {
            Ok(kept.freeze())
        }
    }
}
