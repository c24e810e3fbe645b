//! What can be wrong with an amount.

/// Why a text is not an [`Amount`](crate::Amount), or an amount not something else. It never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// The text has no characters.
    #[error("an empty text is not a number")]
    Empty,
    /// The text is longer than [`Amount::MAX_LEN`](crate::Amount::MAX_LEN).
    #[error("the number is longer than 128 characters")]
    TooLong,
    /// The text is not a decimal number in the notation of JSON.
    #[error("not a decimal number such as -12.5 or 3e-7")]
    NotANumber,
    /// The value does not fit the target type without rounding.
    #[error("the number does not fit the target type exactly")]
    Inexact,
}

impl AmountError {
    /// All of them, for recognising their text in messages of generated code.
    pub(crate) const ALL: [Self; 4] = [Self::Empty, Self::TooLong, Self::NotANumber, Self::Inexact];
}
