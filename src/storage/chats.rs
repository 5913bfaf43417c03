//! What is kept for a chat, whatever it is.

use super::{Conn, Result, on};
use crate::domain::ids::ChatId;

impl Conn {
    /// Follows a group that has become another chat. Its messages have new numbers there, so that cards are
    /// forgotten; conversations are sealed for their old place, and in a group they hold nothing.
    pub async fn move_chat(&mut self, from: ChatId, to: ChatId) -> Result<()> {
        for sql in [
            "UPDATE outbox SET chat_id = $2 WHERE chat_id = $1 AND status = 'waiting'",
            "UPDATE scheduled_messages SET chat_id = $2 WHERE chat_id = $1",
            "UPDATE reports SET chat_id = $2 WHERE chat_id = $1",
            "UPDATE series SET chat_id = $2 WHERE chat_id = $1",
        ] {
            on!(self, c => sqlx::query(sql).bind(from).bind(to).execute(c).await.map(|_| ()))?;
        }
        for sql in [
            "DELETE FROM cards WHERE chat_id = $1",
            "DELETE FROM series_cards WHERE chat_id = $1",
            "DELETE FROM live_cards WHERE chat_id = $1",
            "DELETE FROM conversations WHERE chat_id = $1",
        ] {
            on!(self, c => sqlx::query(sql).bind(from).execute(c).await.map(|_| ()))?;
        }
        Ok(())
    }
}
