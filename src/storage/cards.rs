//! Which Telegram message is the card of which scheduled message.

use super::{Conn, Result, on};
use crate::domain::ids::{ChatId, MessageId, TelegramMessageId};

impl Conn {
    /// Notes that a Telegram message is the card of a scheduled message; nothing when that is gone.
    pub async fn insert_card(&mut self, chat: ChatId, shown: TelegramMessageId, message: MessageId) -> Result<()> {
        on!(self, c => sqlx::query("DELETE FROM series_cards WHERE chat_id = $1 AND telegram_id = $2")
            .bind(chat).bind(shown).execute(c).await.map(|_| ()))?;
        on!(self, c => sqlx::query(
            "INSERT INTO cards (chat_id, telegram_id, message_id)
             SELECT $1, $2, id FROM scheduled_messages WHERE id = $3
             ON CONFLICT (chat_id, telegram_id) DO UPDATE SET message_id = excluded.message_id")
            .bind(chat).bind(shown).bind(message).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// The newest cards of a scheduled message in a chat, the newest first.
    pub async fn list_cards(&mut self, chat: ChatId, message: MessageId, most: i64) -> Result<Vec<TelegramMessageId>> {
        Ok(on!(self, c => sqlx::query_scalar::<_, TelegramMessageId>(
            "SELECT telegram_id FROM cards WHERE chat_id = $1 AND message_id = $2
             ORDER BY telegram_id DESC LIMIT $3")
            .bind(chat).bind(message).bind(most).fetch_all(c).await)?)
    }

    /// Whether a scheduled message has a card in a chat, or may have one soon: something is being said there.
    pub async fn may_have_card(&mut self, chat: ChatId, message: MessageId) -> Result<bool> {
        let one: Option<i64> = on!(self, c => sqlx::query_scalar(
            "SELECT CAST(1 AS BIGINT) WHERE EXISTS (SELECT 1 FROM cards WHERE chat_id = $1 AND message_id = $2)
                 OR EXISTS (SELECT 1 FROM outbox WHERE chat_id = $1 AND status = 'waiting')")
            .bind(chat).bind(message).fetch_optional(c).await)?;
        Ok(one.is_some())
    }

    /// The scheduled message whose card a Telegram message is. It says nothing about whose it is.
    pub async fn find_card_message(&mut self, chat: ChatId, shown: TelegramMessageId) -> Result<Option<MessageId>> {
        Ok(on!(self, c => sqlx::query_scalar::<_, MessageId>(
            "SELECT message_id FROM cards WHERE chat_id = $1 AND telegram_id = $2")
            .bind(chat).bind(shown).fetch_optional(c).await)?)
    }
}
