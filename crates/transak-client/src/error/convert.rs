//! From the generated code's errors to ours.

use progenitor_client::Error as Raw;
use serde::de::DeserializeOwned;

use super::Error;
use super::api::ApiError;
use super::body::{ErrorBody, ErrorBodyKind};
use super::context::CallContext;
use super::decode::DecodeError;
use super::json::JsonError;
use super::request::InvalidRequestError;
use super::transport::TransportError;

/// Turns an error of a generated method with the answer `T` into ours.
///
/// Of an answer that is not a success, it reads at most 64 KiB of the body.
pub(crate) async fn from_progenitor<T: DeserializeOwned>(context: CallContext<'_>, error: Raw<()>) -> Error {
    match error {
        // Only this part depends on the type, and there are many types.
        Raw::InvalidResponsePayload(body, _) => {
            // Read again, to learn where it fails: the generated code does not tell.
            let json = JsonError::decode::<T>(&body).err();
            let json = json.unwrap_or_else(JsonError::unknown);
            Box::new(DecodeError::new(&context, json)).into()
        }
        other => from_untyped(context, other).await,
    }
}

/// For a success whose body is longer than what is read of it.
pub(crate) fn too_long(context: &CallContext<'_>) -> Error {
    Box::new(DecodeError::new(context, JsonError::too_long())).into()
}

async fn from_untyped(context: CallContext<'_>, error: Raw<()>) -> Error {
    match error {
        Raw::UnexpectedResponse(response) => {
            let (status, headers) = (response.status(), response.headers().clone());
            let body = ErrorBody::read(response).await;
            Box::new(ApiError::new(&context, status, &headers, body)).into()
        }
        Raw::ErrorResponse(response) => {
            // Does not happen while the API description given to the generator has no error responses.
            let body = ErrorBody::bare(ErrorBodyKind::Unreadable);
            let (status, headers) = (response.status(), response.headers());
            Box::new(ApiError::new(&context, status, headers, body)).into()
        }
        Raw::CommunicationError(cause) if cause.is_builder() => {
            Box::new(InvalidRequestError::other(context.operation)).into()
        }
        Raw::CommunicationError(cause) => broken(TransportError::new(&context, false, cause)),
        Raw::ResponseBodyError(cause) | Raw::InvalidUpgrade(cause) => {
            broken(TransportError::new(&context, true, cause))
        }
        Raw::InvalidRequest(message) => {
            let error = InvalidRequestError::from_message(context.operation, &message);
            Box::new(error).into()
        }
        Raw::InvalidResponsePayload(..) => Box::new(DecodeError::new(&context, JsonError::unknown())).into(),
        Raw::Custom(message) => broken(TransportError::internal(&context, Some(&message))),
    }
}

fn broken(error: TransportError) -> Error {
    if error.is_timeout() {
        Error::Timeout(Box::new(error))
    } else {
        Error::Transport(Box::new(error))
    }
}
