//! Reports: what the chat must be told, until it is in the outbox.

use super::listed::{Listed, MOST};
use super::queue::rows;
use super::{Conn, Result, StorageError, on};
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId};
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
                     SELECT CAST(j.value->>0 AS BIGINT), CAST(j.value->>1 AS BIGINT), j.value->>2, $2
                     FROM json_array_elements(CAST($1 AS json)) AS j(value)",
                )
                .bind(rows(&list)?)
                .bind(now)
                .execute(&mut **conn)
                .await?;
            }
        }
        Ok(())
    }

    /// The oldest reports.
    pub async fn list_reports(&mut self, limit: i64) -> Result<Vec<ReportRow>> {
        let rows: Vec<(i64, AccountId, ChatId, String)> = on!(self, c => sqlx::query_as(
            "SELECT id, account_id, chat_id, payload FROM reports ORDER BY id LIMIT $1").bind(limit).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(id, account, chat, payload)| {
                let report = serde_json::from_str(&payload).map_err(|_| StorageError::Corrupt {
                    table: "reports",
                    column: "payload",
                    row: id,
                })?;
                Ok(ReportRow { id, account, chat, report })
            })
            .collect()
    }

    /// A report is in the outbox. `false` when another took it.
    pub async fn done_report(&mut self, id: i64) -> Result<bool> {
        let done = on!(self, c => sqlx::query("DELETE FROM reports WHERE id = $1").bind(id).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }
}
