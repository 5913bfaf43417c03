//! To whom: a phone number or a group, as WhatsApp addresses it.

use phonenumber::{Mode, country};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// A phone number in E.164 without the plus, or a group's JID.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Recipient {
    /// Digits with country code: `5511988887777`.
    Phone(String),
    /// A WhatsApp group: `…@g.us`.
    Group(String),
}

/// Why a text names no recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// Nothing like a phone number.
    #[error("not a phone number")]
    NotANumber,
    /// Fewer than 8 or more than 15 digits with country code.
    #[error("{0} digits; a phone number has 8 to 15 with country code")]
    Length(usize),
    /// An address that is none of a person or a group (`status@broadcast`, `…@lid`).
    #[error("not a person or a group")]
    Address,
}

impl Recipient {
    /// Reads a phone number in any common form; national numbers are read in `region` (ISO 3166).
    /// `phonenumber` reads and formats, it never gates.
    pub fn parse(text: &str, region: &str) -> Result<Self, RecipientError> {
        let text: String = text.nfkc().filter(|c| !super::message::is_invisible(*c)).collect();
        let text = text.trim();
        if text.contains('@') {
            return text.strip_suffix("@s.whatsapp.net").map_or(Err(RecipientError::Address), |n| Self::digits(n, n));
        }
        if !text.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || "+-().–—/".contains(c)) {
            return Err(RecipientError::NotANumber);
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if digits.is_empty() {
            return Err(RecipientError::NotANumber);
        }
        if text.starts_with('+') {
            return Self::digits(&digits, text);
        }
        if let Some(rest) = digits.strip_prefix("00") {
            return Self::digits(rest, text);
        }
        let region: Option<country::Id> = region.parse().ok();
        let national = phonenumber::parse(region, text).ok();
        let code = region.and_then(country_code).unwrap_or_default();
        // A number that already starts with the region's code and is long enough to hold a national number.
        if !code.is_empty() && digits.starts_with(&code) && digits.len() >= code.len() + 10 {
            return Self::digits(&digits, text);
        }
        match national {
            Some(number) if phonenumber::is_valid(&number) || digits.len() <= 11 => {
                let e164 = number.format().mode(Mode::E164).to_string();
                // The digits that were typed are told, not those with the code put before them.
                Self::digits(e164.trim_start_matches('+'), text).map_err(|refused| match refused {
                    RecipientError::Length(_) => RecipientError::Length(digits.len()),
                    other => other,
                })
            }
            _ => Self::digits(&digits, text),
        }
    }

    fn digits(digits: &str, _said: &str) -> Result<Self, RecipientError> {
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(RecipientError::NotANumber);
        }
        if !(8..=15).contains(&digits.len()) || digits.starts_with('0') {
            return Err(RecipientError::Length(digits.len()));
        }
        Ok(Self::Phone(digits.to_owned()))
    }

    /// As it is stored and sent: digits, or the group's JID.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(digits) => digits,
            Self::Group(jid) => jid,
        }
    }

    /// As people read it: `+55 11 98888-7777`.
    pub fn shown(&self) -> String {
        match self {
            Self::Phone(digits) => phonenumber::parse(None, format!("+{digits}"))
                .map_or_else(|_| format!("+{digits}"), |n| n.format().mode(Mode::International).to_string()),
            Self::Group(jid) => jid.clone(),
        }
    }
}

/// A number in digits with its country code, as people read it: `+55 11 98888-7777`.
pub fn phone(digits: &str) -> String {
    Recipient::Phone(digits.to_owned()).shown()
}

/// A region with its calling code, as people read it: `BR (+55)`.
pub fn region(code: &str) -> String {
    let calls = code.parse().ok().and_then(country_code);
    calls.map_or_else(|| code.to_owned(), |calls| format!("{code} (+{calls})"))
}

/// The calling code of a region, such as `55` for Brazil.
fn country_code(region: country::Id) -> Option<String> {
    phonenumber::metadata::DATABASE.by_id(region.as_ref()).map(|m| m.country_code().to_string())
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        recipient.as_str().to_owned()
    }
}

impl TryFrom<String> for Recipient {
    type Error = RecipientError;

    fn try_from(stored: String) -> Result<Self, Self::Error> {
        if is_group(&stored) { Ok(Self::Group(stored)) } else { Self::digits(&stored, &stored) }
    }
}

/// `^[0-9]{10,20}(-[0-9]{5,15})?@g\.us$` (SECURITY.md T16).
fn is_group(text: &str) -> bool {
    let Some(name) = text.strip_suffix("@g.us") else { return false };
    let (head, tail) = name.split_once('-').map_or((name, None), |(h, t)| (h, Some(t)));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    all_digits(head)
        && (10..=20).contains(&head.len())
        && tail.is_none_or(|t| all_digits(t) && (5..=15).contains(&t.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_any_common_form() {
        for (text, region, digits) in [
            ("+55 (11) 99999-9999", "BR", "5511999999999"),
            ("11 98888-7777", "BR", "5511988887777"),
            ("(011) 98888-7777", "BR", "5511988887777"),
            ("5511988887777", "BR", "5511988887777"),
            ("+1 415 555 2671", "BR", "14155552671"),
            ("0034 612 345 678", "BR", "34612345678"),
            ("612 345 678", "ES", "34612345678"),
            ("5511988887777@s.whatsapp.net", "BR", "5511988887777"),
            ("１１ ９８８８８-７７７７", "BR", "5511988887777"),
        ] {
            assert_eq!(Recipient::parse(text, region), Ok(Recipient::Phone(digits.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_person_is_refused() {
        for text in ["5511999999999999999", "status@broadcast", "123@lid", "1@newsletter", "abc", "", "123"] {
            assert!(Recipient::parse(text, "BR").is_err(), "{text}");
        }
        assert_eq!(Recipient::parse("123", "BR"), Err(RecipientError::Length(3)), "as typed");
    }
}
