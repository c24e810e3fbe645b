//! A cap on what is read of an answer: the generated code collects the whole body before it decodes it.

/// Read of an answer unless set otherwise. The longest known answers have less than a tenth of it.
pub(crate) const DEFAULT: usize = 32 * 1024 * 1024;

/// The response with a body that fails once it is longer than `max` bytes.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn limited(response: reqwest::Response, max: usize) -> reqwest::Response {
    let response = http::Response::<reqwest::Body>::from(response);
    response
        .map(|body| reqwest::Body::wrap(http_body_util::Limited::new(body, max)))
        .into()
}

/// In a browser, `reqwest` has the answer only as a whole.
#[cfg(target_arch = "wasm32")]
pub(crate) fn limited(response: reqwest::Response, _max: usize) -> reqwest::Response {
    response
}

/// Whether the cap is why a body could not be read.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn exceeded(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// See [`limited`].
#[cfg(target_arch = "wasm32")]
pub(crate) fn exceeded(_: &reqwest::Error) -> bool {
    false
}
