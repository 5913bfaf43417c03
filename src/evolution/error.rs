//! What a failure means: whether the message can have left, and what to do (`RELIABILITY.md` section 2).

use std::error::Error;

use crate::domain::message::RefusedField;

/// A call that did not come to what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Policy does not let us go there.
    #[error("refused by policy")]
    Policy,
    /// The name does not resolve.
    #[error("the name does not resolve")]
    Dns,
    /// Nothing answers.
    #[error("no connection")]
    Connect,
    /// The certificate is not valid.
    #[error("TLS")]
    Tls,
    /// No answer in time; the server may be working on it still.
    #[error("no answer in time")]
    TimedOut,
    /// The connection broke after the request had left, or the answer cannot be read.
    #[error("the answer was lost")]
    AnswerLost,
    /// A history has more than is read.
    #[error("too long a history")]
    TooLong,
    /// The key was refused.
    #[error("the key was refused")]
    Refused,
    /// The server does not know the instance.
    #[error("no such instance")]
    Missing,
    /// Not an Evolution API.
    #[error("not an Evolution API")]
    NotEvolution,
    /// The server answered with an error.
    #[error("status {status}")]
    Status {
        /// HTTP status.
        status: u16,
        /// Its text, folded into one line, for the log only.
        text: String,
    },
}

impl CallError {
    /// Whether the server, or what stands before it, does not answer.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Dns | Self::Connect | Self::Tls | Self::TimedOut | Self::AnswerLost => true,
            Self::Status { status, .. } => is_gateway(*status),
            Self::Policy | Self::Refused | Self::Missing | Self::NotEvolution | Self::TooLong => false,
        }
    }

    /// Whether it is an answer of an Evolution server, whatever it says.
    pub fn is_answer(&self) -> bool {
        !self.is_away() && !matches!(self, Self::Policy | Self::NotEvolution)
    }

    /// Whether the call is none that the Business channel knows.
    pub fn is_business(&self) -> bool {
        matches!(self, Self::Status { text, .. } if text.contains("WhatsApp Business API"))
    }

    /// Reads reqwest's error; its address is not kept.
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        let mut texts = String::new();
        let mut cause: Option<&(dyn Error + 'static)> = error.source();
        while let Some(inner) = cause {
            texts.push_str(&inner.to_string().to_lowercase());
            texts.push(' ');
            cause = inner.source();
        }
        if !error.is_connect() {
            return if error.is_timeout() { Self::TimedOut } else { Self::AnswerLost };
        }
        if texts.contains("refused by policy") {
            Self::Policy
        } else if texts.contains("certificate")
            || texts.contains("tls")
            || texts.contains("handshake")
            || texts.contains("corrupt message")
        {
            Self::Tls
        } else if texts.contains("dns") || texts.contains("lookup") || texts.contains("resolve") {
            Self::Dns
        } else {
            Self::Connect
        }
    }
}

/// Whether a status comes from what stands before a server that it could not reach.
pub(super) fn is_gateway(status: u16) -> bool {
    matches!(status, 502..=504 | 520..=530)
}

/// Why a message was not certainly handed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The call itself failed.
    #[error(transparent)]
    Call(CallError),
    /// 429: too fast.
    #[error("too many requests")]
    TooMany,
    /// The number is not on WhatsApp.
    #[error("not on WhatsApp")]
    NotOnWhatsApp,
    /// The server does not know the group.
    #[error("unknown group")]
    GroupUnknown,
    /// The request was refused as malformed, perhaps for a field that was named.
    #[error("malformed: {}", .0.as_ref().map_or("?", RefusedField::as_str))]
    Invalid(Option<RefusedField>),
    /// The instance is not connected: certainly not sent.
    #[error("not connected")]
    NotConnected,
    /// The server wants a licence.
    #[error("licence")]
    Licence,
    /// The channel (Meta) refused it.
    #[error("refused by the channel")]
    Channel,
    /// An answer that says nothing certain.
    #[error("unclear answer, status {0}")]
    Unclear(u16),
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing left: try again later.
    Retry,
    /// Nothing left: a person can mend it.
    Hold(HoldReason),
    /// Refused for good.
    GiveUp(FailReason),
    /// It may have left.
    Unknown {
        /// Whether its absence in the history is proof.
        searchable: bool,
    },
}

/// What a person can mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "told by their names")]
pub enum HoldReason {
    Disconnected,
    KeyRefused,
    Missing,
    Licence,
    Policy,
}

/// Why it never goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "told by their names")]
pub enum FailReason {
    NotOnWhatsApp,
    GroupUnknown,
    Invalid,
    Channel,
}

impl SendError {
    /// Whether the server, or what stands before it, may be away or hang: it is asked how it is before the next message.
    pub fn is_ominous(&self) -> bool {
        match self {
            Self::Call(error) => error.is_away() || *error == CallError::NotEvolution,
            Self::Unclear(status) => is_gateway(*status),
            _ => false,
        }
    }

    /// The field that was refused, where one was named.
    pub fn refused_field(&self) -> Option<&RefusedField> {
        match self {
            Self::Invalid(field) => field.as_ref(),
            _ => None,
        }
    }

    /// Whether it is an answer of the server, whatever it says.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Call(error) => error.is_answer(),
            _ => !self.is_ominous(),
        }
    }

    /// What it means for the message.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Call(CallError::Dns | CallError::Connect | CallError::Tls) | Self::TooMany => Verdict::Retry,
            Self::Call(CallError::Policy) => Verdict::Hold(HoldReason::Policy),
            Self::Call(CallError::Refused) => Verdict::Hold(HoldReason::KeyRefused),
            Self::Call(CallError::Missing) => Verdict::Hold(HoldReason::Missing),
            Self::Call(CallError::AnswerLost | CallError::NotEvolution | CallError::TooLong) => {
                Verdict::Unknown { searchable: false }
            }
            Self::Call(CallError::TimedOut | CallError::Status { .. }) | Self::Unclear(_) => {
                Verdict::Unknown { searchable: true }
            }
            Self::NotConnected => Verdict::Hold(HoldReason::Disconnected),
            Self::Licence => Verdict::Hold(HoldReason::Licence),
            Self::NotOnWhatsApp => Verdict::GiveUp(FailReason::NotOnWhatsApp),
            Self::GroupUnknown => Verdict::GiveUp(FailReason::GroupUnknown),
            Self::Invalid(_) => Verdict::GiveUp(FailReason::Invalid),
            Self::Channel => Verdict::GiveUp(FailReason::Channel),
        }
    }
}
