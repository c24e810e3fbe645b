//! Every switch of the sandbox. Where Transak's behaviour is unknown, both readings can be chosen.

use std::net::IpAddr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::readings::{
    AllowListScope, ApiErrorStatus, CancelledEvent, DuplicateOrder, ExpiredStatus, InvalidWallet, KycVerdict,
    LockedStatus, LogoutForm, LogoutScope, UnsetFields, WebhookEnvelope, WrongOtpStatus,
};

/// All settings. Each has a default, so a JSON document may name only the ones that differ.
///
/// Changing them while the world runs takes effect with the next call. A new `seed` makes every token foreign at once,
/// as a new `api_key` does; ids and codes follow it after a reset.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// What all ids, codes and tokens are made from.
    pub seed: u64,
    /// Whether an answer that does not fit the spec becomes a loud 500. Read by the HTTP layer only.
    pub strict: bool,
    /// The one API key that is known.
    pub api_key: String,
    /// The secret that belongs to it.
    pub api_secret: String,

    /// Whether a refresh kills all older tokens of the session (`true`), or leaves them until they expire (`false`).
    /// Not documented. Tokens killed under one value stay dead under the other.
    pub refresh_revokes: bool,
    /// Answer to an expired user token.
    pub expired_status: ExpiredStatus,
    /// Form of the logout answer.
    pub logout_form: LogoutForm,
    /// What a logout ends.
    pub logout_scope: LogoutScope,
    /// Lifetime of a user token in seconds; 30 days.
    pub user_ttl_seconds: i64,
    /// How a user's fields look before they were submitted.
    pub unset_fields: UnsetFields,
    /// Whether two spellings of an address that differ in case are two users (`true`) or one (`false`). Not documented.
    pub email_case_sensitive: bool,

    /// Lifetime of a one-time password and its state token in seconds.
    pub otp_ttl_seconds: i64,
    /// How long the same address must wait for another password, in seconds.
    pub otp_resend_seconds: i64,
    /// Wrong codes a challenge bears; further attempts are refused, the right code included. No number is documented.
    pub otp_attempts: u32,
    /// Digits of a code: 6 in the documentation, 4 in the vendor's own staging test. From 1 to 9.
    pub otp_digits: u32,
    /// Whether a newer challenge kills the older ones of the same address (`true`) or they live on (`false`). Not documented.
    pub otp_resend_invalidates: bool,
    /// Answer to a wrong, used or expired code or state token.
    pub wrong_otp_status: WrongOtpStatus,
    /// Answer to a challenge with too many attempts.
    pub locked_otp_status: LockedStatus,

    /// Lifetime of a partner token in seconds; 7 days.
    pub partner_ttl_seconds: i64,
    /// Partner tokens that may be minted within one window; then 429. No number is documented. 0 refuses every mint,
    /// 10,000 and more refuses none.
    pub mint_limit: u32,
    /// Length of that window in seconds.
    pub mint_window_seconds: i64,
    /// Whether a 429 carries a page (`true`), as seen from gateways, or the JSON error (`false`).
    pub html_429: bool,
    /// Whether a 429 carries `retry-after`. Not documented.
    pub retry_after: bool,

    /// Whether a user token works only from the `x-user-ip` it was issued for. The guides say so; integrators do not notice it.
    pub pin_user_ip: bool,
    /// Addresses that may call; `None` lets everybody in.
    pub ip_allow_list: Option<Vec<IpAddr>>,
    /// Which operations the allow-list guards.
    pub allow_list_scope: AllowListScope,
    /// Answer to a caller who is not listed.
    pub not_listed_answer: ApiErrorStatus,
    /// Answer to a user token used from another `x-user-ip`.
    pub pinned_answer: ApiErrorStatus,

    /// Referrer domains registered for the key; `None` accepts any. Others get 403 on Create Widget URL.
    pub referrer_domains: Option<Vec<String>>,
    /// Where the widget lives.
    pub widget_base_url: String,
    /// Lifetime of a widget session in seconds; 5 minutes.
    pub widget_session_seconds: i64,

    /// Answer to an invalid wallet address.
    pub invalid_wallet: InvalidWallet,
    /// Whether Get Orders insists on `startDate` (an older sample) or takes the last 90 days (the current page).
    pub start_date_required: bool,
    /// Seconds an order stays in each status before it moves on.
    pub order_step_seconds: i64,
    /// Seconds an unpaid order waits before it expires.
    pub order_expiry_seconds: i64,
    /// What a user may spend, in US dollars, with SIMPLE verification, in 1, 30 and 365 days.
    pub simple_limits_usd: [Decimal; 3],
    /// The same with STANDARD verification.
    pub standard_limits_usd: [Decimal; 3],

    /// How reviews of verifications end.
    pub kyc_verdict: KycVerdict,
    /// How long a review takes, in seconds.
    pub kyc_review_seconds: i64,
    /// How long a user takes for an identity proof, in seconds.
    pub id_proof_seconds: i64,
    /// Whether users of the European Economic Area who are verified already have to consent and tell their nationality.
    pub mica: bool,
    /// Answer to an order while another one is active.
    pub duplicate_order: DuplicateOrder,
    /// Lifetime of a transaction session in seconds; 10 minutes.
    pub transaction_session_seconds: i64,

    /// Where webhooks on verification go; `None` sends none and records none.
    pub kyc_webhook_url: Option<String>,
    /// Where webhooks go; `None` sends none and records none.
    pub webhook_url: Option<String>,
    /// What the signed webhook holds.
    pub webhook_envelope: WebhookEnvelope,
    /// The event of a cancelled order.
    pub cancelled_event: CancelledEvent,

    /// Most users; beyond it the oldest one and the sessions' access to it go.
    pub max_users: usize,
    /// Most user sessions; beyond it the one whose last token expires first goes.
    pub max_sessions: usize,
    /// Most challenges; beyond it the oldest goes.
    pub max_challenges: usize,
    /// Most mails; beyond it the oldest goes.
    pub max_mails: usize,
    /// Most widget sessions; beyond it the oldest goes.
    pub max_widget_sessions: usize,
    /// Most quotes that can be referred to by id; beyond it the oldest goes.
    pub max_quotes: usize,
    /// Most transaction sessions; beyond it the oldest goes.
    pub max_transactions: usize,
    /// Most orders; beyond it the oldest goes, wherever it stands.
    pub max_orders: usize,
    /// Most webhook records, waiting ones included; beyond it the oldest goes.
    pub max_webhooks: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            strict: true,
            api_key: "7e1f4c02-9b53-4d6a-8f21-c0d3e5a79b16".to_owned(),
            api_secret: "sandbox-api-secret".to_owned(),
            refresh_revokes: true,
            expired_status: ExpiredStatus::default(),
            logout_form: LogoutForm::default(),
            logout_scope: LogoutScope::default(),
            user_ttl_seconds: 2_592_000,
            unset_fields: UnsetFields::default(),
            email_case_sensitive: false,
            otp_ttl_seconds: 600,
            otp_resend_seconds: 60,
            otp_attempts: 5,
            otp_digits: 6,
            otp_resend_invalidates: true,
            wrong_otp_status: WrongOtpStatus::default(),
            locked_otp_status: LockedStatus::default(),
            partner_ttl_seconds: 604_800,
            mint_limit: 10,
            mint_window_seconds: 60,
            html_429: false,
            retry_after: true,
            pin_user_ip: false,
            ip_allow_list: None,
            allow_list_scope: AllowListScope::default(),
            not_listed_answer: ApiErrorStatus::default(),
            pinned_answer: ApiErrorStatus::default(),
            referrer_domains: None,
            widget_base_url: "https://global-stg.transak.com".to_owned(),
            widget_session_seconds: 300,
            invalid_wallet: InvalidWallet::default(),
            start_date_required: false,
            order_step_seconds: 60,
            order_expiry_seconds: 2_700,
            simple_limits_usd: [Decimal::from(640), Decimal::from(3_200), Decimal::from(16_000)],
            standard_limits_usd: [Decimal::from(12_800), Decimal::from(64_000), Decimal::from(320_000)],
            kyc_verdict: KycVerdict::default(),
            kyc_review_seconds: 30,
            id_proof_seconds: 30,
            mica: false,
            duplicate_order: DuplicateOrder::default(),
            transaction_session_seconds: 600,
            kyc_webhook_url: None,
            webhook_url: None,
            webhook_envelope: WebhookEnvelope::default(),
            cancelled_event: CancelledEvent::default(),
            max_users: 10_000,
            max_sessions: 20_000,
            max_challenges: 10_000,
            max_mails: 1_000,
            max_widget_sessions: 1_000,
            max_quotes: 10_000,
            max_transactions: 1_000,
            max_orders: 10_000,
            max_webhooks: 2_000,
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("seed", &self.seed)
            .field("strict", &self.strict)
            .field("refresh_revokes", &self.refresh_revokes)
            .finish_non_exhaustive()
    }
}
