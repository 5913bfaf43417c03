//! What the chat must be told unasked; written together with the outcome it tells of.

use serde::{Deserialize, Serialize};

use super::clock::Moment;
use super::ids::{InstanceId, MessageId};
use super::message::Reason;

/// A message of the bot that follows what goes on, one of each kind in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Live {
    /// The messages that missed their moment.
    Late,
    /// Many outcomes at once.
    Digest,
    /// What is being found out for a dialogue.
    Work,
}

/// A message that goes at another moment than was reckoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedMessage {
    /// Which.
    pub message: MessageId,
    /// When it would have gone.
    pub from: Moment,
    /// When it goes.
    pub to: Moment,
}

/// A report, as it waits for the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Report {
    /// A message was handed over.
    Sent {
        /// Which.
        message: MessageId,
        /// How late, in milliseconds.
        late_ms: i64,
    },
    /// A message was refused for good.
    Failed {
        /// Which.
        message: MessageId,
    },
    /// A message's answer was lost.
    Unknown {
        /// Which.
        message: MessageId,
    },
    /// A message changed without a person having to notice: its card is drawn anew.
    Changed {
        /// Which.
        message: MessageId,
    },
    /// Messages missed their moment; one for the account.
    Late,
    /// Messages missed their moment, and the account wants such dropped.
    Dropped {
        /// How many.
        messages: u64,
    },
    /// An instance's server has not been reached for some minutes.
    Down {
        /// Which.
        instance: InstanceId,
    },
    /// It is reached again.
    Up {
        /// Which.
        instance: InstanceId,
        /// How many messages waited for it, and go now.
        #[serde(default)]
        messages: u64,
    },
    /// Messages wait for something that the user can mend; told once for each cause.
    Held {
        /// The cause.
        reason: Reason,
        /// The first of them.
        message: MessageId,
    },
    /// Someone guesses at the account's password, and is held off for a while.
    Guessing {
        /// How many tries there were.
        tries: i64,
    },
    /// The machine's clock is wrong, or right again; for administrators.
    Clock {
        /// How far ahead it is, in milliseconds; behind when negative, right again when 0.
        by_ms: i64,
    },
    /// The rules of time zones have changed: messages keep their wall times, and go at other moments. One for the chat.
    RulesChanged {
        /// How many.
        messages: u64,
        /// The first of them.
        first: Vec<MovedMessage>,
    },
    /// What was held goes again.
    Mended {
        /// Through which instance.
        instance: InstanceId,
        /// How many.
        messages: u64,
    },
}
