//! How sure a statement of the spec is.

use std::fmt;

/// Where a fact was read, which is how far it can be trusted. Ordered from the surest to the weakest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The vendor's documentation says it.
    Documented,
    /// Code the vendor published shows it.
    VendorCode,
    /// Somebody else's published client shows it.
    PublicCode,
    /// Nothing shows it; it follows from other facts.
    Inferred,
}

impl Confidence {
    /// All of them, the surest first.
    pub const ALL: [Self; 4] = [Self::Documented, Self::VendorCode, Self::PublicCode, Self::Inferred];

    /// As written in the spec.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::VendorCode => "vendor-code",
            Self::PublicCode => "public-code",
            Self::Inferred => "inferred",
        }
    }

    /// The confidence of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|confidence| confidence.name() == name)
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
