//! A scheduled message: its text, its status, and why it stands where it stands.

use serde::{Deserialize, Serialize};

use super::clock::Moment;
use super::ids::{AccountId, ChatId, InstanceId, MessageId, SeriesId};
use super::recipient::Recipient;

/// Where a message stands (PRODUCT.md section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Status {
    /// Waits for its moment.
    Scheduled,
    /// Claimed: it may be on its way.
    Sending,
    /// Handed over to Evolution.
    Sent,
    /// Cannot go now for a reason that the user can mend.
    Held,
    /// Missed its moment by more than the grace.
    Late,
    /// Handed over, answer never seen.
    Unknown,
    /// Refused for good.
    Failed,
    /// Cancelled by the user.
    Cancelled,
}

impl Status {
    /// The statuses in which the user may still change, cancel or send the message.
    pub const OPEN: [Self; 4] = [Self::Scheduled, Self::Held, Self::Late, Self::Failed];

    /// Whether it may still be changed.
    pub fn is_open(self) -> bool {
        Self::OPEN.contains(&self)
    }

    /// Whether it is still to come (listed under "waiting").
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Scheduled | Self::Sending | Self::Held | Self::Late | Self::Unknown)
    }

    /// Its word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Held => "held",
            Self::Late => "late",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a message is held, failed or asked about; each has its sentence in `locales/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Reason {
    /// The account has no active instance.
    NoActiveInstance,
    /// The instance is not connected to WhatsApp.
    Disconnected,
    /// The server refused the API key.
    KeyRefused,
    /// The server does not know the instance.
    InstanceMissing,
    /// The server wants a licence (Evolution 2.4).
    Licence,
    /// The stored key cannot be opened, or the address is refused by policy.
    Unusable,
    /// The server cannot be reached.
    Unreachable,
    /// The server asks for fewer requests.
    Busy,
    /// The number has no WhatsApp.
    NotOnWhatsApp,
    /// The group is unknown to the instance.
    GroupUnknown,
    /// The server refused the message as malformed.
    Invalid,
    /// The channel (Meta's Graph API) refused it.
    ChannelRefused,
    /// The answer was never seen.
    AnswerLost,
    /// Its series was paused, changed or stopped.
    SeriesChanged,
}

impl Reason {
    /// Its word in the database and in the keys of the texts, with `-`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoActiveInstance => "no_active_instance",
            Self::Disconnected => "disconnected",
            Self::KeyRefused => "key_refused",
            Self::InstanceMissing => "instance_missing",
            Self::Licence => "licence",
            Self::Unusable => "unusable",
            Self::Unreachable => "unreachable",
            Self::Busy => "busy",
            Self::NotOnWhatsApp => "not_on_whats_app",
            Self::GroupUnknown => "group_unknown",
            Self::Invalid => "invalid",
            Self::ChannelRefused => "channel_refused",
            Self::AnswerLost => "answer_lost",
            Self::SeriesChanged => "series_changed",
        }
    }
}

/// The name of a field of what is sent, as a server tells it: a short plain word, never what else it may say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct RefusedField(String);

impl RefusedField {
    const MOST: usize = 40;

    /// Takes a word of letters, digits, `_` and `.`.
    pub fn parse(name: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        ((1..=Self::MOST).contains(&name.len()) && name.chars().all(is_plain)).then(|| Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What it means when a message that may have left is not found in its instance's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Absence {
    /// Twice absent, it has not left: it is sent again (RELIABILITY.md section 2).
    Resend,
    /// Nothing: a person is asked.
    Ask,
    /// The store may be old: a person is asked as for the late ones.
    Late,
    /// It has not left, and may go at once: it was only overdue at the start.
    Send,
    /// Its owner cancelled it meanwhile: it has not left, and does not go.
    Drop,
}

impl Absence {
    /// Its word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resend => "resend",
            Self::Ask => "ask",
            Self::Late => "late",
            Self::Send => "send",
            Self::Drop => "drop",
        }
    }
}

/// Whether a message is being looked for in the history of its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// It is not.
    Not,
    /// It is; then it may go again, or its owner is asked.
    Open,
    /// It is, and its owner cancelled it meanwhile: it does not go again, whatever is found.
    Dropped,
}

/// What is to be sent: not blank, at most 65,536 characters, without what Evolution stumbles over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Body(String);

/// Why a text cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Nothing that can be seen.
    #[error("the text is empty")]
    Empty,
    /// Longer than WhatsApp takes.
    #[error("{0} characters; at most 65,536")]
    TooLong(usize),
}

impl Body {
    /// WhatsApp's limit in characters (EVOLUTION_API.md section 5).
    pub const MOST: usize = 65_536;

    /// Takes the text as it is, but for NUL, which Evolution sends and then cannot store (#550).
    pub fn parse(text: &str) -> Result<Self, BodyError> {
        let text: String = text.chars().filter(|c| *c != '\0').collect();
        if text.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
            return Err(BodyError::Empty);
        }
        match text.chars().count() {
            n if n > Self::MOST => Err(BodyError::TooLong(n)),
            _ => Ok(Self(text)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters that take no room on a screen: zero-width and direction marks.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A message as its owner sees it.
#[derive(Debug, Clone)]
pub struct ScheduledMessage {
    /// Its row.
    pub id: MessageId,
    /// Who owns it.
    pub account: AccountId,
    /// The instance it was created with, while that exists.
    pub instance: Option<InstanceId>,
    /// Goes through `instance` whatever is active.
    pub pinned: bool,
    /// To whom.
    pub recipient: Recipient,
    /// A name for the recipient, from a contact card; may be empty.
    pub recipient_name: String,
    /// What.
    pub body: String,
    /// When the user wanted it.
    pub scheduled_time: Moment,
    /// When it is tried next: `scheduled_time`, or later after a retry.
    pub due_at: Moment,
    /// The zone in which the time was said.
    pub time_zone: String,
    /// Where it stands.
    pub status: Status,
    /// Why.
    pub reason: Option<Reason>,
    /// Which field the server refused, where it refused the message as malformed and named one.
    pub refused_field: Option<RefusedField>,
    /// How often it was claimed; the fencing token.
    pub attempt: i64,
    /// When it was handed over.
    pub sent_at: Option<Moment>,
    /// What it was handed over through.
    pub sent_through: Option<InstanceId>,
    /// Whether it is being looked for, since nobody knows whether it left.
    pub search: Search,
    /// Counts changes by the user; buttons carry it.
    pub version: i64,
    /// The chat that asked for it.
    pub chat: ChatId,
    /// The series that it is an occurrence of.
    pub series: Option<SeriesId>,
    /// The wall time of its rule does not exist that day: it goes later.
    pub moved: bool,
}

impl ScheduledMessage {
    /// The message as it stands at `now`: what is claimed ahead of its moment waits until that comes.
    #[must_use]
    pub fn at(mut self, now: Moment) -> Self {
        if self.status == Status::Sending && self.due_at > now {
            self.status = Status::Scheduled;
        }
        self
    }

    /// Whether it is late and may have been sent already: the store may be an older copy.
    pub fn is_doubted(&self) -> bool {
        self.status == Status::Late && self.reason == Some(Reason::AnswerLost)
    }

    /// The instance that it went through, or that it is pinned to; nothing where the active one is meant.
    pub fn goes_through(&self) -> Option<InstanceId> {
        if self.status == Status::Sent {
            self.sent_through.or(self.instance)
        } else {
            self.instance.filter(|_| self.pinned)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_verbatim_and_blank_is_refused() {
        assert_eq!(Body::parse("<b>olá</b> & _x_ ").map(|b| b.as_str().to_owned()), Ok("<b>olá</b> & _x_ ".to_owned()));
        assert_eq!(Body::parse(" \u{200b}\n"), Err(BodyError::Empty));
        assert_eq!(Body::parse(&"a".repeat(65_537)), Err(BodyError::TooLong(65_537)));
    }
}
