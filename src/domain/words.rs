//! Enums that are stored and shown as one fixed word each.

/// A stored word that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} \u{201c}{word}\u{201d} is not known to this version")]
pub struct UnknownWord {
    /// Which set of words it was looked for in.
    pub kind: &'static str,
    /// The word itself.
    pub word: String,
}

/// Declares an enum whose variants are stored as the given words.
///
/// Gives `ALL`, `as_str`, `Display`, `FromStr`, `TryFrom<String>` and serde by word.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The word under which it is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.as_str()) }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::domain::UnknownWord;
            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok($name::$variant),)+
                    other => Err($crate::domain::UnknownWord { kind: stringify!($name), word: other.to_owned() }),
                }
            }
        }
        impl TryFrom<String> for $name {
            type Error = $crate::domain::UnknownWord;
            fn try_from(word: String) -> Result<Self, Self::Error> { word.parse() }
        }
        impl From<$name> for &'static str {
            fn from(value: $name) -> &'static str { value.as_str() }
        }
    };
}
pub(crate) use words;
