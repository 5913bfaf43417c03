//! `series`: repeating messages, and the making of their occurrences.

use chrono::NaiveDateTime;
use sqlx::FromRow;

use super::walls::origin_of;
use super::{Conn, Result, StorageError, on};
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId, InstanceId, MessageId, SeriesId, TelegramMessageId};
use crate::domain::message::Status;
use crate::domain::recipient::Recipient;
use crate::domain::series::{Rhythm, Series, SeriesStatus};
use crate::domain::wall::WallTime;

/// How a wall time is written down.
const WALL: &str = "%Y-%m-%dT%H:%M:%S";

#[derive(Debug, FromRow)]
struct Row {
    id: SeriesId,
    user_id: AccountId,
    instance_id: Option<InstanceId>,
    pinned: bool,
    recipient: String,
    recipient_name: String,
    message: String,
    rule: String,
    starts_at: String,
    time_zone: String,
    status: SeriesStatus,
    made_to: Moment,
    next_at: Option<Moment>,
    version: i64,
    chat_id: ChatId,
}

impl TryFrom<Row> for Series {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self> {
        let corrupt = |column| StorageError::Corrupt { table: "series", column, row: row.id.0 };
        Ok(Self {
            id: row.id,
            account: row.user_id,
            instance: row.instance_id,
            pinned: row.pinned,
            recipient: Recipient::try_from(row.recipient).map_err(|_| corrupt("recipient"))?,
            recipient_name: row.recipient_name,
            body: row.message,
            rhythm: Rhythm {
                rule: row.rule,
                starts_at: NaiveDateTime::parse_from_str(&row.starts_at, WALL).map_err(|_| corrupt("starts_at"))?,
            },
            zone: row.time_zone.parse().map_err(|_| corrupt("time_zone"))?,
            status: row.status,
            made_to: row.made_to,
            next_at: row.next_at,
            version: row.version,
            chat: row.chat_id,
        })
    }
}

/// What a new series is made of.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct NewSeries {
    pub instance: Option<InstanceId>,
    pub recipient: Recipient,
    pub recipient_name: String,
    pub body: String,
    pub rhythm: Rhythm,
    pub zone: chrono_tz::Tz,
    pub chat: ChatId,
    pub origin: String,
}

/// An occurrence that is about to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// When it goes.
    pub at: Moment,
    /// Its wall time does not exist that day: it goes later.
    pub moved: bool,
    /// Skipped before it was made.
    pub skipped: bool,
    /// The wall time that its rule asks for, where it keeps to such.
    pub wall: Option<WallTime>,
}

/// How far a series has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Up to where its occurrences are made.
    pub made_to: Moment,
    /// The next that is not made yet.
    pub next_at: Option<Moment>,
    /// When that one is made.
    pub make_at: Option<Moment>,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, user_id, instance_id, pinned, recipient, recipient_name, message, rule, starts_at, time_zone, \
             status, made_to, next_at, version, chat_id FROM series ",
            $rest
        )
    };
}

impl Conn {
    /// Adds a series that has made nothing yet; when one of the same origin is there already, that one is returned.
    pub async fn add_series(&mut self, owner: AccountId, new: &NewSeries, now: Moment) -> Result<Series> {
        on!(self, c => sqlx::query(
            "INSERT INTO series (user_id, instance_id, recipient, recipient_name, message, rule, starts_at, time_zone, status,
                 made_to, chat_id, origin, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'active', $9, $10, $11, $9, $9) ON CONFLICT (origin) DO NOTHING")
            .bind(owner).bind(new.instance).bind(new.recipient.as_str()).bind(&new.recipient_name).bind(&new.body)
            .bind(&new.rhythm.rule).bind(new.rhythm.starts_at.format(WALL).to_string()).bind(new.zone.name()).bind(now)
            .bind(new.chat).bind(&new.origin).execute(c).await.map(|_| ()))?;
        let row: Row = on!(self, c => sqlx::query_as(columns!("WHERE user_id = $1 AND origin = $2"))
            .bind(owner).bind(&new.origin).fetch_one(c).await)?;
        row.try_into()
    }

    /// One series of an account.
    pub async fn find_series(&mut self, owner: AccountId, id: SeriesId) -> Result<Option<Series>> {
        let row: Option<Row> = on!(self, c => sqlx::query_as(columns!("WHERE user_id = $1 AND id = $2"))
            .bind(owner).bind(id).fetch_optional(c).await)?;
        row.map(TryInto::try_into).transpose()
    }

    /// One series of an account, which nobody else changes until the transaction ends.
    pub async fn lock_series(&mut self, owner: AccountId, id: SeriesId) -> Result<Option<Series>> {
        let row: Option<Row> = match self {
            Self::Sqlite(conn) => {
                sqlx::query_as(columns!("WHERE user_id = $1 AND id = $2"))
                    .bind(owner)
                    .bind(id)
                    .fetch_optional(&mut **conn)
                    .await?
            }
            Self::Postgres(conn) => {
                sqlx::query_as(columns!("WHERE user_id = $1 AND id = $2 FOR UPDATE"))
                    .bind(owner)
                    .bind(id)
                    .fetch_optional(&mut **conn)
                    .await?
            }
        };
        row.map(TryInto::try_into).transpose()
    }

    /// The series of an account that were not stopped, the newest first.
    pub async fn list_series(&mut self, owner: AccountId, offset: i64, limit: i64) -> Result<Vec<Series>> {
        let rows: Vec<Row> = on!(self, c => sqlx::query_as(columns!(
            "WHERE user_id = $1 AND status <> 'stopped' ORDER BY id DESC LIMIT $2 OFFSET $3"))
            .bind(owner).bind(limit).bind(offset).fetch_all(c).await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The series of an account that go on.
    pub async fn list_active_series(&mut self, owner: AccountId) -> Result<Vec<Series>> {
        let rows: Vec<Row> = on!(self, c => sqlx::query_as(columns!(
            "WHERE user_id = $1 AND status = 'active' ORDER BY id"))
            .bind(owner).fetch_all(c).await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// How many series of an account were not stopped.
    pub async fn count_series(&mut self, owner: AccountId) -> Result<i64> {
        Ok(on!(self, c => sqlx::query_scalar("SELECT COUNT(*) FROM series WHERE user_id = $1 AND status <> 'stopped'")
            .bind(owner).fetch_one(c).await)?)
    }

    /// Series of which something is to be made by now. On PostgreSQL they are locked, and those that another replica
    /// has are left out.
    pub async fn take_series_to_make(&mut self, now: Moment, limit: i64) -> Result<Vec<Series>> {
        let rows: Vec<Row> = match self {
            Self::Sqlite(conn) => {
                sqlx::query_as(columns!("WHERE status = 'active' AND make_at <= $1 ORDER BY make_at, id LIMIT $2"))
                    .bind(now)
                    .bind(limit)
                    .fetch_all(&mut **conn)
                    .await?
            }
            Self::Postgres(conn) => {
                sqlx::query_as(columns!(
                    "WHERE status = 'active' AND make_at <= $1 ORDER BY make_at, id LIMIT $2 FOR UPDATE SKIP LOCKED"
                ))
                .bind(now)
                .bind(limit)
                .fetch_all(&mut **conn)
                .await?
            }
        };
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// When something is to be made next.
    pub async fn next_series_make(&mut self) -> Result<Option<Moment>> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT make_at FROM series WHERE status = 'active' AND make_at IS NOT NULL ORDER BY make_at LIMIT 1")
            .fetch_optional(c).await)?)
    }

    /// Makes an occurrence, once: its series and its moment are its origin. One that was withdrawn goes again. One whose
    /// moment is gone by `doubt_before` is looked for before anybody is asked about it: the store may be a restored copy.
    pub async fn make_occurrence(
        &mut self,
        series: &Series,
        instance: Option<InstanceId>,
        one: Occurrence,
        doubt_before: Moment,
        now: Moment,
    ) -> Result<()> {
        let doubted = one.at <= doubt_before && !one.skipped;
        let (status, reason) = match (one.skipped, doubted) {
            (true, _) => (Status::Cancelled, None),
            (false, true) => (Status::Unknown, Some("answer_lost")),
            (false, false) => (Status::Scheduled, None),
        };
        let origin = origin_of(series.id, one.at);
        on!(self, c => sqlx::query(
            "INSERT INTO scheduled_messages (user_id, instance_id, pinned, recipient, recipient_name, message, scheduled_time, due_at,
                 time_zone, status, reason, started_at, look_at, if_absent, chat_id, origin, series_id, moved, created_at, updated_at, wall_time)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19, $20)
             ON CONFLICT (origin) DO UPDATE SET status = excluded.status, reason = excluded.reason, due_at = excluded.due_at,
                 started_at = excluded.started_at, look_at = excluded.look_at, if_absent = excluded.if_absent,
                 instance_id = excluded.instance_id, pinned = excluded.pinned, recipient = excluded.recipient,
                 recipient_name = excluded.recipient_name, message = excluded.message, moved = excluded.moved,
                 wall_time = excluded.wall_time, tries = 0, looks = 0, resends = 0,
                 version = scheduled_messages.version + 1, updated_at = excluded.updated_at
             WHERE scheduled_messages.status = 'cancelled' AND scheduled_messages.reason = 'series_changed'")
            .bind(series.account).bind(instance).bind(series.pinned).bind(series.recipient.as_str()).bind(&series.recipient_name)
            .bind(&series.body).bind(one.at).bind(one.at.max(now)).bind(series.zone.name()).bind(status).bind(reason)
            .bind(doubted.then_some(one.at)).bind(doubted.then_some(now)).bind(doubted.then_some("late"))
            .bind(series.chat).bind(origin).bind(series.id).bind(one.moved).bind(now)
            .bind(one.wall.map(|wall| wall.written())).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes how far a series has got.
    pub async fn set_series_progress(&mut self, id: SeriesId, to: Progress, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE series SET made_to = $2, next_at = $3, make_at = $4, updated_at = $5 WHERE id = $1")
            .bind(id).bind(to.made_to).bind(to.next_at).bind(to.make_at).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Sets where a series stands.
    pub async fn set_series_status(
        &mut self,
        owner: AccountId,
        id: SeriesId,
        status: SeriesStatus,
        now: Moment,
    ) -> Result<()> {
        on!(self, c => sqlx::query(
            "UPDATE series SET status = $3, version = version + 1, updated_at = $4 WHERE user_id = $1 AND id = $2")
            .bind(owner).bind(id).bind(status).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Gives a series another rhythm, in wall time of `zone`.
    pub async fn set_series_rhythm(
        &mut self,
        owner: AccountId,
        id: SeriesId,
        rhythm: &Rhythm,
        zone: chrono_tz::Tz,
        now: Moment,
    ) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE series SET rule = $3, starts_at = $4, time_zone = $5, version = version + 1, updated_at = $6
             WHERE user_id = $1 AND id = $2")
            .bind(owner).bind(id).bind(&rhythm.rule).bind(rhythm.starts_at.format(WALL).to_string()).bind(zone.name())
            .bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Gives a series another text, recipient or instance, and its occurrences that wait with it.
    pub async fn rewrite_series(&mut self, series: &Series, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE series SET recipient = $3, recipient_name = $4, message = $5, pinned = $6, instance_id = $7,
                 version = version + 1, updated_at = $8 WHERE user_id = $1 AND id = $2")
            .bind(series.account).bind(series.id).bind(series.recipient.as_str()).bind(&series.recipient_name).bind(&series.body)
            .bind(series.pinned).bind(series.instance).bind(now).execute(c).await.map(|_| ()))?;
        on!(self, c => sqlx::query("UPDATE scheduled_messages SET recipient = $3, recipient_name = $4, message = $5, pinned = $6,
                 instance_id = COALESCE($7, instance_id), version = version + 1, updated_at = $8
             WHERE user_id = $1 AND series_id = $2 AND NOT detached AND status IN ('scheduled', 'held', 'late')")
            .bind(series.account).bind(series.id).bind(series.recipient.as_str()).bind(&series.recipient_name).bind(&series.body)
            .bind(series.pinned).bind(series.instance).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Takes back the occurrences after `after` that have not left and were not changed by themselves. One that is looked for
    /// is not sent again by itself.
    pub async fn withdraw_occurrences(
        &mut self,
        owner: AccountId,
        id: SeriesId,
        after: Moment,
        now: Moment,
    ) -> Result<Vec<MessageId>> {
        on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET if_absent = CASE WHEN if_absent = 'send' THEN 'drop' ELSE 'ask' END, updated_at = $4
             WHERE user_id = $1 AND series_id = $2 AND scheduled_time > $3
                 AND NOT detached AND status = 'unknown' AND look_at IS NOT NULL AND if_absent IN ('resend', 'send')")
            .bind(owner).bind(id).bind(after).bind(now).execute(c).await.map(|_| ()))?;
        Ok(on!(self, c => sqlx::query_scalar(
            "UPDATE scheduled_messages SET status = 'cancelled', reason = 'series_changed', version = version + 1, updated_at = $4
             WHERE user_id = $1 AND series_id = $2 AND scheduled_time > $3 AND NOT detached AND status IN ('scheduled', 'held', 'late')
             RETURNING id")
            .bind(owner).bind(id).bind(after).bind(now).fetch_all(c).await)?)
    }

    /// What becomes of the series that are pinned to an instance that goes: they follow the active one, or are stopped.
    pub async fn settle_series_of(
        &mut self,
        owner: AccountId,
        instance: InstanceId,
        stop: bool,
        now: Moment,
    ) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE series SET pinned = FALSE, status = CASE WHEN $3 THEN 'stopped' ELSE status END,
                 version = version + 1, updated_at = $4 WHERE user_id = $1 AND instance_id = $2 AND pinned")
            .bind(owner).bind(instance).bind(stop).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes that a Telegram message is the card of a series; nothing when that is gone.
    pub async fn insert_series_card(&mut self, chat: ChatId, shown: TelegramMessageId, series: SeriesId) -> Result<()> {
        on!(self, c => sqlx::query("DELETE FROM cards WHERE chat_id = $1 AND telegram_id = $2")
            .bind(chat).bind(shown).execute(c).await.map(|_| ()))?;
        on!(self, c => sqlx::query(
            "INSERT INTO series_cards (chat_id, telegram_id, series_id) SELECT $1, $2, id FROM series WHERE id = $3
             ON CONFLICT (chat_id, telegram_id) DO UPDATE SET series_id = excluded.series_id")
            .bind(chat).bind(shown).bind(series).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// The series whose card a Telegram message is. It says nothing about whose it is.
    pub async fn find_card_series(&mut self, chat: ChatId, shown: TelegramMessageId) -> Result<Option<SeriesId>> {
        Ok(on!(self, c => sqlx::query_scalar::<_, SeriesId>(
            "SELECT series_id FROM series_cards WHERE chat_id = $1 AND telegram_id = $2")
            .bind(chat).bind(shown).fetch_optional(c).await)?)
    }
}
