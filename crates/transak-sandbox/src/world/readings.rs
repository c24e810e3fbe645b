//! The two readings of each point that the facts leave open.

use serde::{Deserialize, Serialize};

/// Declares an enum of readings whose first one is the default.
macro_rules! readings {
    ($(#[$meta:meta])* $name:ident { $(#[$first_meta:meta])* $first:ident, $($(#[$other_meta:meta])* $other:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum $name {
            $(#[$first_meta])*
            #[default]
            $first,
            $($(#[$other_meta])* $other,)+
        }
    };
}

readings! {
    /// Answer to an expired user token.
    ExpiredStatus {
        /// 401 with 1002, as the errors page has it.
        Unauthorized,
        /// 400 "Session Expired", as an earlier page of Get User Details had it.
        SessionExpired,
    }
}

readings! {
    /// How a review of a user's verification ends.
    KycVerdict {
        /// Approved, as on staging.
        Approve,
        /// Rejected.
        Reject,
        /// Not at all, until this setting changes.
        Wait,
    }
}

readings! {
    /// Answer to an order while another one is active. Three descriptions are known.
    DuplicateOrder {
        /// 409 with 4005, as public code has it.
        Conflict,
        /// 400, as an earlier page had it.
        BadRequest,
        /// 200 with an `errorMessage`, as a flow page had it.
        Answered,
    }
}

readings! {
    /// Form of the logout answer.
    LogoutForm {
        /// `data` is an object with a `message`, as documented.
        Object,
        /// `data` is a plain text, as public code expects it.
        Text,
    }
}

readings! {
    /// What a logout ends. Not documented.
    LogoutScope {
        /// The session of the token.
        Session,
        /// Every session of the user.
        User,
    }
}

readings! {
    /// Answer to a wrong, used or expired code or state token. Not documented.
    WrongOtpStatus {
        /// 401 with 1002.
        Unauthorized,
        /// 400 with 1002; one code may come with different statuses.
        BadRequest,
    }
}

readings! {
    /// Answer to a challenge with too many attempts. Not documented.
    LockedStatus {
        /// 429.
        TooManyRequests,
        /// Like a wrong code.
        LikeWrongOtp,
    }
}

readings! {
    /// How a user's unset fields look. The vendor's README says null; its SDK copes with absence.
    UnsetFields {
        /// They are `null`.
        Null,
        /// They are left out.
        Absent,
    }
}

readings! {
    /// Answer of a gateway that lets nobody through. Seen both ways.
    ApiErrorStatus {
        /// 401 with 1002.
        Unauthorized,
        /// 403; where 403 is not documented, still 401.
        Forbidden,
    }
}

readings! {
    /// Which operations an allow-list guards.
    AllowListScope {
        /// Those of the gateway host; an integrator could mint partner tokens from an unlisted address.
        Gateway,
        /// All that document a fitting refusal, as the guides have it.
        Everything,
    }
}

readings! {
    /// Answer to an invalid wallet address. Both are documented.
    InvalidWallet {
        /// 400 with an error.
        BadRequest,
        /// 200 with `false`.
        AnswerFalse,
    }
}

readings! {
    /// What a signed webhook holds.
    WebhookEnvelope {
        /// `webhookData` and `eventID`, as documented.
        Documented,
        /// `data`, holding the order, as one production client expects.
        Data,
        /// The order itself, as the same client also accepts.
        Bare,
    }
}

readings! {
    /// The event of a cancelled order; the event tables and the filter of Get Webhooks disagree.
    CancelledEvent {
        /// `ORDER_FAILED`, as in the event tables.
        OrderFailed,
        /// `ORDER_CANCELLED`, as in the filter.
        OrderCancelled,
    }
}
