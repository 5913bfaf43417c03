//! The languages the product speaks: the one list that every layer reads.

use serde::{Deserialize, Serialize};

/// A language of the chat. Portuguese of Brazil is the fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Language {
    #[default]
    #[serde(rename = "pt-BR")]
    Portuguese,
    #[serde(rename = "en")]
    English,
    #[serde(rename = "es")]
    Spanish,
}

impl Language {
    /// Every language, the fallback first.
    pub const ALL: [Self; 3] = [Self::Portuguese, Self::English, Self::Spanish];

    /// The BCP 47 tag under which its texts are kept in `locales/`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Portuguese => "pt-BR",
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// The two-letter code that Telegram uses for command menus.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Portuguese => "pt",
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// Its own name, as its speakers write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portuguese => "Português",
            Self::English => "English",
            Self::Spanish => "Español",
        }
    }

    /// Reads a language tag such as `pt-br`, `en-GB` or `es`; `None` for a language we do not speak.
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.get(..2)?.to_ascii_lowercase().as_str() {
            "pt" => Some(Self::Portuguese),
            "en" => Some(Self::English),
            "es" => Some(Self::Spanish),
            _ => None,
        }
    }
}
