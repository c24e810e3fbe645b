//! The macro, which writes only what depends on the variants.

/// Defines an enum that keeps values it does not know, over a text (`str`) or a number (`i64`).
///
/// The order of the values is that of their text or number, so that it does not change when a release adds a variant.
#[doc(hidden)]
#[macro_export]
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident: str {
            $($(#[$variant_meta:meta])* $variant:ident = $text:literal),* $(,)?
        }
    ) => {
        $crate::open_enum! { @enum [$(#[$meta])*] $vis $name, UnrecognizedText, as_str,
            $($(#[$variant_meta])* #[doc = concat!("\n\nOn the wire: `", $text, "`.")] $variant)* }

        impl $name {
            /// The text on the wire, also of an unknown value.
            #[must_use]
            $vis fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unrecognized(other) => $crate::open_enum::raw_text(other),
                }
            }
        }

        impl $crate::open_enum::OpenText for $name {
            const VARIANTS: &'static [Self] = Self::KNOWN;

            fn text(&self) -> &str {
                self.as_str()
            }

            fn unrecognized(text: $crate::open_enum::UnrecognizedText<Self>) -> Self {
                Self::Unrecognized(text)
            }
        }

        impl ::core::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                $crate::open_enum::text_from_str(text)
            }
        }

        impl ::core::convert::From<::std::string::String> for $name {
            fn from(text: ::std::string::String) -> Self {
                $crate::open_enum::text_from_string(text)
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = ::core::convert::Infallible;

            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                ::core::result::Result::Ok(Self::from(text))
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, output: S) -> ::core::result::Result<S::Ok, S::Error> {
                output.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(input: D) -> ::core::result::Result<Self, D::Error> {
                $crate::open_enum::deserialize_text(input)
            }
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident: i64 {
            $($(#[$variant_meta:meta])* $variant:ident = $number:literal),* $(,)?
        }
    ) => {
        $crate::open_enum! { @enum [$(#[$meta])*] $vis $name, UnrecognizedNumber, as_i64,
            $($(#[$variant_meta])* #[doc = concat!("\n\nOn the wire: `", $number, "`.")] $variant)* }

        impl $name {
            /// The number on the wire, also of an unknown value.
            #[must_use]
            $vis fn as_i64(&self) -> i64 {
                match self {
                    $(Self::$variant => $number,)*
                    Self::Unrecognized(other) => $crate::open_enum::raw_number(other),
                }
            }

            /// The name of the variant; none for an unknown value.
            #[must_use]
            $vis fn name(&self) -> ::core::option::Option<&'static str> {
                match self {
                    $(Self::$variant => ::core::option::Option::Some(stringify!($variant)),)*
                    Self::Unrecognized(_) => ::core::option::Option::None,
                }
            }
        }

        impl $crate::open_enum::OpenNumber for $name {
            const VARIANTS: &'static [Self] = Self::KNOWN;

            fn number(&self) -> i64 {
                self.as_i64()
            }

            fn unrecognized(number: $crate::open_enum::UnrecognizedNumber<Self>) -> Self {
                Self::Unrecognized(number)
            }
        }

        impl ::core::convert::From<i64> for $name {
            fn from(number: i64) -> Self {
                $crate::open_enum::number_from_i64(number)
            }
        }

        /// Reads a decimal number.
        impl ::core::str::FromStr for $name {
            type Err = ::core::num::ParseIntError;

            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                text.parse::<i64>().map(Self::from)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, output: S) -> ::core::result::Result<S::Ok, S::Error> {
                output.serialize_i64(self.as_i64())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(input: D) -> ::core::result::Result<Self, D::Error> {
                $crate::open_enum::deserialize_number(input)
            }
        }
    };
    (
        @enum [$(#[$meta:meta])*] $vis:vis $name:ident, $payload:ident, $raw:ident,
        $($(#[$variant_meta:meta])* $variant:ident)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        $vis enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// A value that this version of the crate does not know. It is kept and written back unchanged.
            Unrecognized($crate::open_enum::$payload<$name>),
        }

        impl $name {
            /// All values that this version of the crate knows.
            $vis const KNOWN: &'static [Self] = &[$(Self::$variant),*];

            /// Whether this version of the crate knows the value.
            #[must_use]
            $vis const fn is_known(&self) -> bool {
                !self.is_unrecognized()
            }

            /// Whether this version of the crate does not know the value.
            #[must_use]
            $vis const fn is_unrecognized(&self) -> bool {
                ::core::matches!(self, Self::Unrecognized(_))
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.$raw(), f)
            }
        }

        impl ::core::cmp::Ord for $name {
            fn cmp(&self, other: &Self) -> ::core::cmp::Ordering {
                self.$raw().cmp(&other.$raw())
            }
        }

        impl ::core::cmp::PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> ::core::option::Option<::core::cmp::Ordering> {
                ::core::option::Option::Some(::core::cmp::Ord::cmp(self, other))
            }
        }
    };
}
