//! What Transak sends on its own account: webhooks, WebSocket messages, events of the widget.
//!
//! A webhook arrives as a [`WebhookBody`]: a JWT in `data`, signed with the partner access token that was current when
//! it was sent. Verify the signature before anything else; then give the claims, as JSON, to [`Event::decode`]. It takes
//! every envelope that is documented or was met: `{webhookData, eventID}`, `{data: order}`, a bare order, and KYC events.
//! Messages of WebSocket channels are events as well, once a private channel's JWT is verified.
//!
//! Nothing here checks a signature, and what the browser says ([`WidgetEvent`]) proves nothing at all.
//!
//! ```
//! use transak_client::webhooks::{Event, WebhookEventId};
//!
//! let claims = r#"{"webhookData": {"id": "4f82c0d6", "status": "COMPLETED"}, "eventID": "ORDER_COMPLETED"}"#;
//! match Event::decode(claims)? {
//!     Event::Order(event) => assert_eq!(event.event_id, Some(WebhookEventId::OrderCompleted)),
//!     Event::Kyc(event) => println!("{}", event.kyc_status),
//!     _ => println!("an event of tomorrow"),
//! }
//! # Ok::<(), transak_client::webhooks::EventError>(())
//! ```
//!
//! Source: <https://docs.transak.com/features/webhooks>, <https://docs.transak.com/docs/webhooks-order> and
//! <https://docs.transak.com/docs/webhooks-kyc>; the spec's `x-webhooks` says how sure each envelope is.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::Timestamp;
use crate::error::JsonError;

pub use crate::enums::{KycEventId, UserKycStatus, WebhookEventId, WidgetEventName};
pub use crate::types::{
    KycEvent, KycEventClaims, OrderDataClaims, OrderEventClaims, WebhookBody, WebhookOrder, WidgetEvent,
};

/// A verified event, whatever envelope it came in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Something happened to an order.
    Order(Box<OrderEvent>),
    /// Something happened to a user's identity verification.
    Kyc(KycEvent),
}

/// An event of an order.
///
/// The same event may come more than once, and events may come out of order: go by the order's id and status.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OrderEvent {
    /// The envelope it came in.
    pub envelope: OrderEnvelope,
    /// Which event it is; not every envelope says so, the order's status always does.
    pub event_id: Option<WebhookEventId>,
    /// When it was sent, if the claims say so.
    pub created_at: Option<Timestamp>,
    /// When the JWT ends, in Unix seconds, if the claims say so.
    pub expires_at: Option<i64>,
    /// The order, in the partner API's shape.
    pub order: WebhookOrder,
}

/// How an order lies in the claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderEnvelope {
    /// `{"webhookData": order, "eventID": …}`, the documented one.
    WebhookData,
    /// `{"data": order}`, met by a production client since April 2026.
    Data,
    /// The order itself.
    Bare,
}

/// The claims are no event. Nothing of them is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// They are not JSON, or an event of a shape that does not fit.
    #[error("the claims of the webhook cannot be read: {0}")]
    Json(#[from] JsonError),
    /// `data` is a text, so this is the body of a webhook and not yet its claims.
    #[error("`data` is a text: verify the JWT in it, then decode its claims")]
    StillSigned,
    /// None of the known envelopes.
    #[error("the claims have none of `webhookData`, `data` and `id`; keep them and look at what Transak sends now")]
    UnknownEnvelope,
}

/// Only what tells the envelopes apart. An untagged enum would do the same, but it buffers numbers and loses digits.
#[derive(Deserialize)]
struct Outline {
    #[serde(rename = "webhookData")]
    webhook_data: Option<IgnoredAny>,
    data: Option<Box<RawValue>>,
    id: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct DataOutline {
    #[serde(rename = "kycStatus")]
    kyc_status: Option<IgnoredAny>,
}

impl Event {
    /// Reads verified claims, or a message of a WebSocket channel.
    ///
    /// # Errors
    /// [`EventError`] when they are not JSON, of no known envelope, or when a member has another type than the spec
    /// says.
    pub fn decode(claims: impl AsRef<[u8]>) -> Result<Self, EventError> {
        let claims = claims.as_ref();
        let outline: Outline = JsonError::decode(claims)?;
        if outline.webhook_data.is_some() {
            let claims: OrderEventClaims = JsonError::decode(claims)?;
            return Ok(Self::order(
                OrderEnvelope::WebhookData,
                claims.event_id,
                claims.created_at,
                claims.exp,
                claims.webhook_data,
            ));
        }
        let Some(data) = outline.data else {
            return match outline.id {
                Some(_) => {
                    let order = JsonError::decode(claims)?;
                    Ok(Self::order(OrderEnvelope::Bare, None, None, None, order))
                }
                None => Err(EventError::UnknownEnvelope),
            };
        };
        if data.get().starts_with('"') {
            return Err(EventError::StillSigned);
        }
        let kyc = JsonError::decode::<DataOutline>(data.get().as_bytes());
        if kyc.is_ok_and(|data| data.kyc_status.is_some()) {
            let claims: KycEventClaims = JsonError::decode(claims)?;
            return Ok(Self::Kyc(claims.data));
        }
        let claims: OrderDataClaims = JsonError::decode(claims)?;
        Ok(Self::order(
            OrderEnvelope::Data,
            claims.event_id,
            claims.created_at,
            claims.exp,
            claims.data,
        ))
    }

    fn order(
        envelope: OrderEnvelope,
        event_id: Option<WebhookEventId>,
        created_at: Option<Timestamp>,
        expires_at: Option<i64>,
        order: WebhookOrder,
    ) -> Self {
        Self::Order(Box::new(OrderEvent {
            envelope,
            event_id,
            created_at,
            expires_at,
            order,
        }))
    }
}
