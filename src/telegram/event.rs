//! What a person did in a chat, read from Telegram's update into a type that cannot be wrong.

use crate::domain::ids::{Subject, TelegramMessageId, UpdateId};

use super::effects::Finding;
use super::tap::Tap;

/// One thing that a person did, or that an effect found out for them.
#[derive(Debug, Clone)]
pub struct Event {
    /// The update it came in; negative for the result of an effect.
    pub update: UpdateId,
    /// Who and where.
    pub subject: Subject,
    /// How the person is called.
    pub who: Who,
    /// Whether it was said in private.
    pub private: bool,
    /// The message said, or the message of ours whose key was tapped.
    pub message: Option<TelegramMessageId>,
    /// The message of ours that was replied to.
    pub reply_to: Option<TelegramMessageId>,
    /// The callback query to be answered.
    pub query: Option<String>,
    /// What was done.
    pub input: Input,
}

/// A person as Telegram describes them.
#[derive(Debug, Clone, Default)]
pub struct Who {
    /// First name.
    pub first_name: String,
    /// `@username`, without the `@`.
    pub username: Option<String>,
    /// IETF language tag of their Telegram.
    pub language_code: Option<String>,
}

/// What was done; exhaustive, so that a new kind is a compile error until it is decided.
#[derive(Debug, Clone)]
pub enum Input {
    /// `/name args`, the name lower-cased and without `@bot`.
    Command {
        /// Without the slash.
        name: String,
        /// What stands behind it, trimmed.
        args: String,
    },
    /// A text.
    Text {
        /// As typed.
        plain: String,
        /// With Telegram's bold, italic, strike and mono turned into WhatsApp's marks.
        marked: String,
    },
    /// A contact card.
    Contact {
        /// As the card has it.
        phone: String,
        /// First and last name.
        name: String,
    },
    /// A key of ours.
    Tap(Tap),
    /// A key that we do not know (any more).
    StaleTap,
    /// An earlier message was edited into this text.
    Edited {
        /// As edited.
        plain: String,
        /// With WhatsApp's marks.
        marked: String,
    },
    /// What an effect found out.
    Found(Finding),
    /// Something said in a group that is not meant for us. What it was is not kept.
    Overheard,
    /// A photo, sticker, voice, location or anything else that no step takes.
    Other,
}
