//! Live cards: messages of the bot that follow what goes on, so that much that happens at once is one message.

use sqlx::FromRow;

use super::waits::over_waiting;
use super::{Conn, Result, on};
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId, MessageId, TelegramMessageId};
use crate::domain::report::Live;

/// A live card of a chat.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct LiveCard {
    /// Its message, once it was said.
    pub telegram_id: Option<TelegramMessageId>,
    /// What it tells began then.
    pub since: Moment,
    /// When it last changed.
    pub updated_at: Moment,
}

/// What a digest tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// How many were handed over.
    pub sent: i64,
    /// How many were refused.
    pub failed: i64,
    /// How many are due and wait for their turn.
    pub left: i64,
    /// The newest of those that were handed over.
    pub newest: Vec<MessageId>,
}

impl Conn {
    /// A live card of a chat.
    pub async fn find_live_card(&mut self, chat: ChatId, kind: Live) -> Result<Option<LiveCard>> {
        Ok(
            on!(self, c => sqlx::query_as("SELECT telegram_id, since, updated_at FROM live_cards WHERE chat_id = $1 AND kind = $2")
            .bind(chat).bind(kind).fetch_optional(c).await)?,
        )
    }

    /// Goes on with a live card, or begins a new one where the last has not changed after `stale`. One that goes on reaches
    /// back to `since`, where it began later.
    pub async fn touch_live_card(
        &mut self,
        chat: ChatId,
        kind: Live,
        since: Moment,
        stale: Moment,
        now: Moment,
    ) -> Result<()> {
        on!(self, c => sqlx::query(
            "INSERT INTO live_cards (chat_id, kind, since, updated_at) VALUES ($1, $2, $3, $5)
             ON CONFLICT (chat_id, kind) DO UPDATE SET updated_at = excluded.updated_at,
                 since = CASE WHEN live_cards.updated_at > $4 AND live_cards.since < excluded.since THEN live_cards.since
                     ELSE excluded.since END,
                 telegram_id = CASE WHEN live_cards.updated_at > $4 THEN live_cards.telegram_id ELSE NULL END")
            .bind(chat).bind(kind).bind(since).bind(stale).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes which message a live card is.
    pub async fn set_live_card(&mut self, chat: ChatId, kind: Live, shown: TelegramMessageId) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE live_cards SET telegram_id = $3 WHERE chat_id = $1 AND kind = $2")
            .bind(chat).bind(kind).bind(shown).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Forgets a live card: what comes next is said anew.
    pub async fn forget_live_card(&mut self, chat: ChatId, kind: Live) -> Result<()> {
        on!(self, c => sqlx::query("DELETE FROM live_cards WHERE chat_id = $1 AND kind = $2")
            .bind(chat).bind(kind).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// How many messages of an account, asked for in this chat, are due and wait for their turn; at most `most`.
    pub async fn count_due_now(&mut self, owner: AccountId, chat: ChatId, now: Moment, most: i64) -> Result<i64> {
        Ok(over_waiting!(self, due "SELECT COUNT(*) FROM (SELECT 1 FROM scheduled_messages m WHERE", "AND chat_id = $2
             AND m.scheduled_time <= $3 AND m.due_at <= $3 LIMIT $4) AS due", c, sql =>
            sqlx::query_scalar(sql).bind(owner).bind(chat).bind(now).bind(most).fetch_one(c).await)?)
    }

    /// What became of an account's messages, asked for in this chat, since a moment.
    pub async fn digest(&mut self, owner: AccountId, chat: ChatId, since: Moment, now: Moment) -> Result<Digest> {
        // What is sent by itself was meant for a day ago at most: the bound on that time lets an index find it.
        let (sent, failed): (i64, i64) = on!(self, c => sqlx::query_as(
            "SELECT COUNT(CASE WHEN status = 'sent' AND updated_at >= $3 THEN 1 END),
                    COUNT(CASE WHEN status = 'failed' AND updated_at >= $3 THEN 1 END)
             FROM scheduled_messages WHERE user_id = $1 AND chat_id = $2 AND scheduled_time >= $3 - 90000000 AND scheduled_time <= $4
                 AND status IN ('sent', 'failed', 'cancelled')")
            .bind(owner).bind(chat).bind(since).bind(now).fetch_one(c).await)?;
        let newest = on!(self, c => sqlx::query_scalar(
            "SELECT id FROM scheduled_messages WHERE user_id = $1 AND chat_id = $2 AND scheduled_time >= $3 - 90000000
                 AND scheduled_time <= $4 AND status = 'sent' AND updated_at >= $3 ORDER BY updated_at DESC, id DESC LIMIT 15")
            .bind(owner).bind(chat).bind(since).bind(now).fetch_all(c).await)?;
        let left = self.count_due_now(owner, chat, now, i64::MAX).await?;
        Ok(Digest { sent, failed, left, newest })
    }
}
