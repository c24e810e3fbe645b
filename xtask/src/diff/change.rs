//! One change, and whom it breaks.

use std::fmt;

/// What a release needs because of a change. Ordered from the mildest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nobody has to do anything.
    Patch,
    /// Something new can be used.
    Minor,
    /// Somebody has to change code.
    Major,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}

/// Whether something came, went or became something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It was not there.
    Added,
    /// It is no longer there.
    Removed,
    /// It is another.
    Changed,
}

/// One change between two documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whether it came, went or changed.
    pub kind: Kind,
    /// What it is a change of: an operation or schema and what is inside.
    pub place: String,
    /// What is different, in words that follow the place.
    pub what: String,
    /// For those who compile against the generated crates: a major change stops them from compiling, or a call that
    /// worked from working.
    pub rust: Level,
    /// Whether a program made for the old document stops working against an API that follows the new one.
    pub wire: bool,
}

impl Change {
    /// What the change means in terms of semantic versioning: whoever is broken, it is major.
    #[must_use]
    pub fn level(&self) -> Level {
        if self.wire { Level::Major } else { self.rust }
    }

    pub(super) fn new(kind: Kind, place: impl Into<String>, what: impl Into<String>, rust: Level, wire: bool) -> Self {
        Self {
            kind,
            place: place.into(),
            what: what.into(),
            rust,
            wire,
        }
    }

    /// Nobody is broken.
    pub(super) fn added(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Kind::Added, place, what, Level::Minor, false)
    }
}
