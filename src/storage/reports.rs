//! Reports: what the chat must be told, until it is in the outbox.

use super::listed::{Listed, MOST};
use super::queue::rows;
use super::{Conn, Result, StorageError, on};
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId, MessageId};
use crate::domain::report::Report;

/// A report that waits.
#[derive(Debug, Clone)]
pub struct ReportRow {
    /// Its row.
    pub id: i64,
    /// Whose.
    pub account: AccountId,
    /// Where the message was asked for.
    pub chat: ChatId,
    /// What.
    pub report: Report,
}

/// The reports that wait.
#[derive(Debug, Clone, Default)]
pub struct Waiting {
    /// Those that can be read.
    pub rows: Vec<ReportRow>,
    /// The rows of those that cannot.
    pub unreadable: Vec<i64>,
}

impl Conn {
    /// Adds a report.
    pub async fn add_report(&mut self, account: AccountId, chat: ChatId, report: &Report, now: Moment) -> Result<()> {
        let payload = serde_json::to_string(report).map_err(|_| StorageError::Corrupt {
            table: "reports",
            column: "payload",
            row: 0,
        })?;
        on!(self, c => sqlx::query("INSERT INTO reports (account_id, chat_id, payload, created_at) VALUES ($1, $2, $3, $4)")
            .bind(account).bind(chat).bind(payload).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Adds many reports, in their order.
    pub async fn add_reports(&mut self, reports: &[(AccountId, ChatId, Report)], now: Moment) -> Result<()> {
        if reports.is_empty() {
            return Ok(());
        }
        let mut list = Vec::with_capacity(reports.len());
        for (account, chat, report) in reports {
            let payload = rows(report)?;
            list.push((account, chat, payload));
        }
        match self {
            Self::Sqlite(conn) => {
                static ADD: Listed = Listed::new(
                    3,
                    "INSERT INTO reports (account_id, chat_id, payload, created_at) SELECT c1, c2, c3, $1 FROM",
                    "WHERE c1 IS NOT NULL",
                );
                for list in list.chunks(MOST) {
                    let (text, size) = ADD.text(list.len());
                    let mut query = sqlx::query(text);
                    for (account, chat, payload) in list {
                        query = query.bind(account).bind(chat).bind(payload);
                    }
                    for _ in list.len()..size {
                        query = query.bind(None::<i64>).bind(None::<i64>).bind(None::<&str>);
                    }
                    query.bind(now).execute(&mut **conn).await?;
                }
            }
            Self::Postgres(conn) => {
                sqlx::query(
                    "INSERT INTO reports (account_id, chat_id, payload, created_at)
                     SELECT j.account, j.chat, j.payload, $4 FROM unnest($1, $2, $3) AS j (account, chat, payload)",
                )
                .bind(list.iter().map(|one| one.0.0).collect::<Vec<_>>())
                .bind(list.iter().map(|one| one.1.0).collect::<Vec<_>>())
                .bind(list.iter().map(|one| one.2.as_str()).collect::<Vec<_>>())
                .bind(now)
                .execute(&mut **conn)
                .await?;
            }
        }
        Ok(())
    }

    /// Has the cards of messages drawn anew.
    pub async fn add_changed(
        &mut self,
        account: AccountId,
        changed: &[(MessageId, ChatId)],
        now: Moment,
    ) -> Result<()> {
        let report = |(message, chat): &(MessageId, ChatId)| (account, *chat, Report::Changed { message: *message });
        self.add_reports(&changed.iter().map(report).collect::<Vec<_>>(), now).await
    }

    /// The oldest reports, but for those that were set aside: they have a mark in front.
    pub async fn waiting_reports(&mut self, limit: i64) -> Result<Waiting> {
        let rows: Vec<(i64, AccountId, ChatId, String)> = on!(self, c => sqlx::query_as(
            "SELECT id, account_id, chat_id, payload FROM reports WHERE payload NOT LIKE '!%' ORDER BY id LIMIT $1").bind(limit).fetch_all(c).await)?;
        let mut waiting = Waiting::default();
        for (id, account, chat, payload) in rows {
            match serde_json::from_str(&payload) {
                Ok(report) => waiting.rows.push(ReportRow { id, account, chat, report }),
                Err(_) => waiting.unreadable.push(id),
            }
        }
        Ok(waiting)
    }

    /// The oldest reports that can be read.
    pub async fn list_reports(&mut self, limit: i64) -> Result<Vec<ReportRow>> {
        Ok(self.waiting_reports(limit).await?.rows)
    }

    /// Keeps a report that cannot be told from being listed again; it stays in the table, to be looked at.
    pub async fn set_report_aside(&mut self, id: i64) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE reports SET payload = '!' || payload WHERE id = $1 AND payload NOT LIKE '!%'").bind(id).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// A report is in the outbox. `false` when another took it.
    pub async fn done_report(&mut self, id: i64) -> Result<bool> {
        let done = on!(self, c => sqlx::query("DELETE FROM reports WHERE id = $1").bind(id).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }
}
