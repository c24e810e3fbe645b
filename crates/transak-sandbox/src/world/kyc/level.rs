//! Levels of verification, and what each is good for.

use rust_decimal::Decimal;

use crate::world::Settings;

/// How thoroughly a user is verified; a higher level includes the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Personal data, address and purpose.
    Simple,
    /// Also an identity document and a selfie.
    Standard,
    /// Also a source of income and documents that prove it.
    Enhanced,
}

impl Level {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Simple => "SIMPLE",
            Self::Standard => "STANDARD",
            Self::Enhanced => "ENHANCED",
        }
    }

    /// The lowest level whose daily limit covers this amount. No limit is documented for the highest.
    pub(crate) fn for_amount(usd: Decimal, settings: &Settings) -> Self {
        let [simple, ..] = settings.simple_limits_usd;
        let [standard, ..] = settings.standard_limits_usd;
        if usd <= simple {
            Self::Simple
        } else if usd <= standard {
            Self::Standard
        } else {
            Self::Enhanced
        }
    }
}
