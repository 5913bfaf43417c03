//! Where each person stands in their dialogue, per chat and user. States are sealed by the caller.

use super::{Conn, Result, on};
use crate::domain::clock::Moment;
use crate::domain::ids::Subject;

/// The place of a subject in their dialogue.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ConversationRow {
    /// Sealed.
    pub state: String,
    /// Counts the turns.
    pub version: i64,
}

impl Conn {
    /// Where a subject stands; `None` when they never spoke.
    pub async fn find_conversation(&mut self, subject: Subject) -> Result<Option<ConversationRow>> {
        Ok(on!(self, c => sqlx::query_as::<_, ConversationRow>(
            "SELECT state, version FROM conversations WHERE chat_id = $1 AND telegram_user_id = $2")
            .bind(subject.chat).bind(subject.user).fetch_optional(c).await)?)
    }

    /// Moves a subject on from `version` (0 when they never spoke); `false` when another turn came first.
    pub async fn save_conversation(
        &mut self,
        subject: Subject,
        sealed: &str,
        version: i64,
        now: Moment,
    ) -> Result<bool> {
        let rows = if version == 0 {
            on!(self, c => sqlx::query(
                "INSERT INTO conversations (chat_id, telegram_user_id, state, version, updated_at)
                 VALUES ($1, $2, $3, 1, $4) ON CONFLICT (chat_id, telegram_user_id) DO NOTHING")
                .bind(subject.chat).bind(subject.user).bind(sealed).bind(now)
                .execute(c).await.map(|done| done.rows_affected()))?
        } else {
            on!(self, c => sqlx::query(
                "UPDATE conversations SET state = $3, version = version + 1, updated_at = $4
                 WHERE chat_id = $1 AND telegram_user_id = $2 AND version = $5")
                .bind(subject.chat).bind(subject.user).bind(sealed).bind(now).bind(version)
                .execute(c).await.map(|done| done.rows_affected()))?
        };
        Ok(rows == 1)
    }
}
