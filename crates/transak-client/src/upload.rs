//! The one call that is written by hand: Upload Proof Document, whose body is a form with a file in it.
//!
//! The generator knows JSON bodies only. This call goes the same way as the generated ones: host, credentials and trace
//! id come from the operation table through the same hooks, and what goes wrong is the same [`Error`]. The names of the
//! form's fields are compared with the spec by a test.
//!
//! The file is streamed: no more than one piece of it is in memory at a time, and its length is sent beforehand.

mod exact;
mod file;

use std::fmt;
use std::time::Duration;

use http::header::{ACCEPT, HeaderValue};
use reqwest::multipart::{Form, Part};

use crate::Error;
use crate::call::Call;
use crate::error::InvalidRequestError;
use crate::generated::{Client, ResponseValue, operations, types};
use crate::operation::Operation;

use exact::ExactBody;
pub use file::{ProofFile, ProofFileKind};

static OPERATION: &Operation = &operations::UPLOAD_PROOF_DOCUMENT;

/// The longest file sent unless [`UploadProofDocument::max_bytes`] says otherwise. Transak's own limit is not documented.
const MAX_BYTES: u64 = 20 * 1024 * 1024;
/// The longest file name that file systems have.
const MAX_NAME: usize = 255;

impl Client {
    /// Upload Proof Document: `POST /api/v2/kyc/upload` (once).
    ///
    /// Sends one document that a `DOCUMENT_PROOF` form of Get Additional Requirements asks for.
    ///
    /// ```no_run
    /// use transak_client::{Client, upload::{ProofFile, ProofFileKind}};
    ///
    /// # async fn run(client: Client, payslip: Vec<u8>) -> Result<(), transak_client::Error> {
    /// let file = ProofFile::from_bytes(ProofFileKind::Pdf, "payslip.pdf", payslip);
    /// let stored = client.upload_proof_document().doc_id("PAYSLIP").file(file).send().await?;
    /// println!("{:?} is stored", stored.data.doc_id);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn upload_proof_document(&self) -> UploadProofDocument<'_> {
        UploadProofDocument {
            client: self,
            doc_id: None,
            file: None,
            max_bytes: MAX_BYTES,
            timeout: None,
        }
    }
}

/// Builder for [`Client::upload_proof_document`].
pub struct UploadProofDocument<'a> {
    client: &'a Client,
    doc_id: Option<String>,
    file: Option<ProofFile>,
    max_bytes: u64,
    timeout: Option<Duration>,
}

impl UploadProofDocument<'_> {
    /// Which document it is: a `value` of the form's `documentProofOptions`, such as `PAYSLIP`. Required.
    #[must_use]
    pub fn doc_id(mut self, doc_id: impl Into<String>) -> Self {
        self.doc_id = Some(doc_id.into());
        self
    }

    /// The document itself. Required.
    #[must_use]
    pub fn file(mut self, file: ProofFile) -> Self {
        self.file = Some(file);
        self
    }

    /// The longest file to send, in bytes; 20 MiB unless set. A longer one is refused before anything is sent.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Longest time for this call, upload and answer included, instead of the client's own
    /// ([`ClientBuilder::timeout`](crate::ClientBuilder::timeout)), which is meant for short requests.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends `POST /api/v2/kyc/upload` (once).
    ///
    /// Host and credential headers come from the operation table. Dropping the future abandons the request; whether
    /// Transak has stored the document by then is unknown.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a part that is missing, an empty or too long file or a name that is none; nothing was
    /// sent then. [`Error::Transport`] in the phase [`Upload`](crate::error::TransportPhase::Upload) when the file cannot be
    /// read to its end or is not as long as announced; Transak has not got a whole request then. Otherwise as for every
    /// call, with status, `errorCode` and trace id where the API answered.
    pub async fn send(self) -> Result<ResponseValue<types::UploadProofDocumentResponse>, Error> {
        let call = Call::begin(self.client, OPERATION)?;
        let doc_id = self.doc_id.filter(|id| !id.is_empty());
        let doc_id = doc_id.ok_or_else(|| InvalidRequestError::absent(OPERATION.id(), "doc_id"))?;
        let file = self
            .file
            .ok_or_else(|| InvalidRequestError::absent(OPERATION.id(), "file"))?;
        check(&file, self.max_bytes)?;
        let (body, watch) = ExactBody::new(file.length, file.source);
        let part = Part::stream_with_length(reqwest::Body::wrap(body), file.length).file_name(file.name);
        let part = part.mime_str(file.kind.content_type());
        let part =
            part.map_err(|_| InvalidRequestError::refused(OPERATION.id(), "file", "its kind is no media type"))?;
        let form = Form::new().text("docId", doc_id).part("file", part);
        let request = call
            .client
            .post(format!("{}{}", call.baseurl, OPERATION.path()))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .multipart(form);
        let request = match self.timeout {
            Some(timeout) => request.timeout(timeout),
            None => request,
        };
        let answer = match call.execute(request.build().map_err(Into::into)).await {
            Ok(response) if response.status().is_success() => call.json(response).await,
            Ok(response) => Err(call.refused(response).await),
            Err(error) => Err(error),
        };
        answer.map_err(|error| match watch.problem() {
            Some(problem) => call.cut_short(&problem.to_string()),
            None => error,
        })
    }
}

/// What can be told before anything is sent.
fn check(file: &ProofFile, max_bytes: u64) -> Result<(), Box<InvalidRequestError>> {
    let refused = |reason| Err(InvalidRequestError::refused(OPERATION.id(), "file", reason));
    if file.length == 0 {
        return refused("it is empty");
    }
    if file.length > max_bytes {
        return refused("it is longer than `max_bytes` allows");
    }
    if file.name.is_empty() || file.name.len() > MAX_NAME {
        return refused("its name is empty or longer than 255 bytes");
    }
    if file.name.chars().any(char::is_control) {
        return refused("its name has control characters in it");
    }
    Ok(())
}

/// Shows neither the document nor its name.
impl fmt::Debug for UploadProofDocument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadProofDocument")
            .field("doc_id", &self.doc_id)
            .field("file", &self.file)
            .field("max_bytes", &self.max_bytes)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
