//! Identifiers: one transparent newtype each, so that one kind cannot stand for another.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// An account: a row of `users`.
    AccountId,
    /// A Telegram chat. A private chat has its user's id.
    ChatId,
    /// A Telegram user.
    TelegramUserId,
    /// An Evolution API instance of an account: a row of `user_instances`.
    InstanceId,
    /// A scheduled message: a row of `scheduled_messages`.
    MessageId,
    /// A repeating message: a row of `series`.
    SeriesId,
    /// A message of Telegram's, within its chat.
    TelegramMessageId,
    /// An update of Telegram's.
    UpdateId,
}

/// Who talks to us and where: the subject of a conversation, never the chat alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// Where it is said.
    pub chat: ChatId,
    /// Who says it.
    pub user: TelegramUserId,
}
