//! A document and where its bytes come from.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::io::{AsyncRead, ReadBuf};

/// Read from a reader at a time.
const PIECE: usize = 64 * 1024;

/// What kind of file a document is. Which kinds Transak takes is not documented; these are named on its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProofFileKind {
    /// PDF.
    Pdf,
    /// JPEG picture.
    Jpeg,
    /// PNG picture.
    Png,
    /// WebP picture.
    Webp,
}

impl ProofFileKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Pdf, Self::Jpeg, Self::Png, Self::Webp];

    /// Its media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// The kind that the ending of a file name stands for, if it is one of these.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "pdf" => Some(Self::Pdf),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "png" => Some(Self::Png),
            "webp" => Some(Self::Webp),
            _ => None,
        }
    }
}

/// A document to upload: kind, name, length, and its bytes or where they come from.
///
/// The name is sent along and comes back as `originalFileName`; of a path only the last part is used. It may tell who the
/// user is, so `Debug` does not show it.
pub struct ProofFile {
    pub(super) kind: ProofFileKind,
    pub(super) name: String,
    pub(super) length: u64,
    pub(super) source: Source,
}

impl ProofFile {
    /// A document that is in memory.
    #[must_use]
    pub fn from_bytes(kind: ProofFileKind, name: &str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self::new(kind, name, length, Source::Whole(Some(bytes)))
    }

    /// A document that is read while it is sent, such as a `tokio::fs::File`. The length in bytes has to be known
    /// beforehand; a reader that gives more or fewer fails the call.
    #[must_use]
    pub fn from_reader(kind: ProofFileKind, name: &str, length: u64, reader: impl AsyncRead + Send + 'static) -> Self {
        let pieces = Pieces {
            reader: Box::pin(reader),
            buffer: BytesMut::new(),
        };
        Self::from_stream(kind, name, length, pieces)
    }

    /// A document that arrives in pieces, such as the body of a request that is passed on. The length in bytes has to be
    /// known beforehand; a stream that gives more or fewer fails the call.
    #[must_use]
    pub fn from_stream(
        kind: ProofFileKind,
        name: &str,
        length: u64,
        stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Self {
        Self::new(kind, name, length, Source::Stream(Mutex::new(Box::pin(stream))))
    }

    fn new(kind: ProofFileKind, name: &str, length: u64, source: Source) -> Self {
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        Self {
            kind,
            name: name.to_owned(),
            length,
            source,
        }
    }

    /// What kind of file it is.
    #[must_use]
    pub const fn kind(&self) -> ProofFileKind {
        self.kind
    }

    /// Its length in bytes, as announced.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }
}

impl fmt::Debug for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofFile")
            .field("kind", &self.kind)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Where the bytes come from.
pub(super) enum Source {
    /// Taken when it is sent.
    Whole(Option<Bytes>),
    /// The mutex is never locked: it makes shareable, as a body has to be, what is not.
    Stream(Mutex<Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>>),
}

impl Source {
    /// The next piece; `None` at the end.
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(Ok)),
            Self::Stream(stream) => match stream.get_mut() {
                Ok(stream) => stream.as_mut().poll_next(cx),
                Err(poisoned) => poisoned.into_inner().as_mut().poll_next(cx),
            },
        }
    }
}

/// A reader as a stream of pieces.
struct Pieces {
    reader: Pin<Box<dyn AsyncRead + Send>>,
    buffer: BytesMut,
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { reader, buffer } = &mut *self;
        // Cleared, it keeps its room as long as no piece of it is in use any more.
        buffer.clear();
        buffer.resize(PIECE, 0);
        let mut filled = ReadBuf::new(buffer);
        if let Err(error) = ready!(reader.as_mut().poll_read(cx, &mut filled)) {
            return Poll::Ready(Some(Err(error)));
        }
        let length = filled.filled().len();
        if length == 0 {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(buffer.split_to(length).freeze())))
    }
}
