//! The wall times of what waits, and their moments anew when the rules of time zones have changed.

use sqlx::FromRow;

use super::waits::over_waiting;
use super::{Conn, Result, on};
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId, MessageId, SeriesId};

/// A message that was said by clocks.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct WallRow {
    pub id: MessageId,
    pub chat_id: ChatId,
    pub series_id: Option<SeriesId>,
    pub status: String,
    pub scheduled_time: Moment,
    pub wall_time: String,
    pub time_zone: String,
}

/// Another moment for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Which.
    pub message: MessageId,
    /// Where it is asked for.
    pub chat: ChatId,
    /// Of which series it is an occurrence.
    pub series: Option<SeriesId>,
    /// Its moment until now.
    pub from: Moment,
    /// Its moment from now on.
    pub to: Moment,
    /// Its wall time does not exist that day: it goes later.
    pub moved: bool,
    /// It waits; else it is an occurrence that was skipped.
    pub waits: bool,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, chat_id, series_id, status, scheduled_time, wall_time, time_zone FROM scheduled_messages m ",
            $rest
        )
    };
}

impl Conn {
    /// Accounts, by their ids.
    pub async fn list_account_ids(&mut self, after: AccountId, limit: i64) -> Result<Vec<AccountId>> {
        Ok(on!(self, c => sqlx::query_scalar("SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after).bind(limit).fetch_all(c).await)?)
    }

    /// What an account has waiting that was said by clocks.
    pub async fn list_walls(&mut self, owner: AccountId) -> Result<Vec<WallRow>> {
        Ok(over_waiting!(self, columns!("WHERE"), "AND m.status IN ('scheduled', 'held') AND wall_time IS NOT NULL
             ORDER BY scheduled_time, id", c, sql =>
            sqlx::query_as(sql).bind(owner).fetch_all(c).await)?)
    }

    /// The occurrences of a series from a moment on that were skipped.
    pub async fn list_skipped_walls(
        &mut self,
        owner: AccountId,
        series: SeriesId,
        from: Moment,
    ) -> Result<Vec<WallRow>> {
        Ok(on!(self, c => sqlx::query_as(columns!(
            "WHERE user_id = $1 AND series_id = $2 AND scheduled_time >= $3 AND status = 'cancelled' AND reason IS NULL
             AND NOT detached AND wall_time IS NOT NULL ORDER BY scheduled_time, id"))
            .bind(owner).bind(series).bind(from).fetch_all(c).await)?)
    }

    /// The occurrence that a series made of a moment, whatever became of it; only where it was said by clocks.
    pub async fn find_wall_of_origin(
        &mut self,
        owner: AccountId,
        series: SeriesId,
        at: Moment,
    ) -> Result<Option<WallRow>> {
        Ok(on!(self, c => sqlx::query_as(columns!(
            "WHERE user_id = $1 AND origin = $2 AND scheduled_time = $3 AND wall_time IS NOT NULL"))
            .bind(owner).bind(origin_of(series, at)).bind(at).fetch_optional(c).await)?)
    }

    /// Gives a message its moment anew, and an occurrence the origin that goes with it, so that its series does not make it
    /// again. `false` when it is no longer as it was seen.
    pub async fn move_wall(&mut self, owner: AccountId, one: &Move, now: Moment) -> Result<bool> {
        let origin = |at| one.series.map(|series| origin_of(series, at));
        let done = on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET scheduled_time = $4, moved = $5, version = version + 1, updated_at = $6,
                 due_at = CASE WHEN due_at = $3 OR due_at < $4 THEN $4 ELSE due_at END,
                 origin = CASE WHEN origin = $7 AND NOT EXISTS (SELECT 1 FROM scheduled_messages o WHERE o.origin = $8)
                     THEN $8 ELSE origin END
             WHERE user_id = $1 AND id = $2 AND scheduled_time = $3 AND status IN ('scheduled', 'held', 'cancelled')")
            .bind(owner).bind(one.message).bind(one.from).bind(one.to).bind(one.moved).bind(now)
            .bind(origin(one.from)).bind(origin(one.to)).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }
}

/// What makes an occurrence the only one of its series and moment.
pub(super) fn origin_of(series: SeriesId, at: Moment) -> String {
    format!("series:{series}:{}", at.0)
}
