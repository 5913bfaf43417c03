//! Fills stores: people with a number each, and what they scheduled.

use schedulezap::domain::clock::{Clock, Moment};
use schedulezap::domain::ids::AccountId;
use schedulezap::services::instances::key_context;
use schedulezap::services::secrets::Keyring;
use schedulezap::storage::{Conn, Database, StorageError};

/// Numbers that messages are sent through.
pub const INSTANCES: u64 = 256;

/// Runs statements in one transaction.
pub async fn run(db: &Database, sql: String) {
    let done: Result<(), StorageError> = db
        .write(move |conn| {
            Box::pin(async move {
                let sql = sqlx::AssertSqlSafe(sql);
                match conn {
                    Conn::Sqlite(conn) => sqlx::raw_sql(sql).execute(&mut **conn).await.map(drop)?,
                    Conn::Postgres(conn) => sqlx::raw_sql(sql).execute(&mut **conn).await.map(drop)?,
                }
                Ok(())
            })
        })
        .await;
    done.unwrap();
}

/// One number, such as a count.
pub async fn count(db: &Database, sql: &'static str) -> i64 {
    let mut conn = db.read().await.unwrap();
    match &mut conn {
        Conn::Sqlite(conn) => sqlx::query_scalar(sql).fetch_one(&mut **conn).await.unwrap(),
        Conn::Postgres(conn) => sqlx::query_scalar(sql).fetch_one(&mut **conn).await.unwrap(),
    }
}

/// Forgets everything that is in a PostgreSQL database.
pub async fn empty(db: &Database) {
    run(
        db,
        "TRUNCATE begun, users, chat_users, message_attempts, reports, meta, inbox, outbox, conversations, leases, throttles, invites CASCADE"
            .to_owned(),
    )
    .await;
}

/// Notes that this PostgreSQL database was served before: what is overdue in one that was not is asked about.
pub async fn served(db: &Database) {
    let done: Result<(), StorageError> = db
        .write(|conn| {
            Box::pin(async move {
                if let Some(identity) = conn.identity().await? {
                    conn.set_meta("identity", &identity).await?;
                }
                Ok(())
            })
        })
        .await;
    done.unwrap();
}

/// Writes `count` people down, each with a chat; the first [`INSTANCES`] have a number at the server.
pub async fn people(db: &Database, keyring: &Keyring, url: &str, count: u64) {
    use std::fmt::Write as _;
    let mut sql = String::new();
    for n in 1..=count {
        let chat = 1000 + n % count;
        write!(
            sql,
            "INSERT INTO users (id, username, password_hash, role, locale, time_zone, region, created_at, updated_at)
             VALUES ({n}, 'user{n}', '', 'user', 'pt-BR', 'UTC', 'BR', 0, 0);
             INSERT INTO chat_users (telegram_user_id, chat_id, account_id, locale, name, linked_at, created_at)
             VALUES ({chat}, {chat}, {n}, 'pt-BR', 'Ana', 0, 0);"
        )
        .unwrap();
        if n <= INSTANCES {
            let key = keyring.seal(&key_context(AccountId(i64::try_from(n).unwrap()), url, "i"), b"bench-key");
            write!(sql, "INSERT INTO user_instances (id, user_id, name, api_url, instance_name, api_key, api_key_hint, is_active, connection, created_at, updated_at)
                 VALUES ({n}, {n}, 'i', '{url}', 'i', '{key}', '', TRUE, 'open', 0, 0);").unwrap();
        }
    }
    run(db, sql).await;
}

/// Writes `count` messages down; the n-th is due at `at + n * step` milliseconds and says so.
pub async fn messages(db: &Database, count: u64, at: Moment, step: u64) {
    let (numbers, now) = match db {
        Database::Sqlite { .. } => (
            format!("WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {count} - 1)"),
            Clock::System.now().0,
        ),
        Database::Postgres { .. } => {
            (format!("WITH n(n) AS (SELECT generate_series(0, {count} - 1))"), Clock::System.now().0)
        }
    };
    run(db, format!(
        "{numbers} INSERT INTO scheduled_messages (user_id, recipient, message, scheduled_time, time_zone, due_at, status, chat_id, created_at, updated_at)
         SELECT n % {INSTANCES} + 1, '5511988887777', 'due ' || ({at} + n * {step}), {at} + n * {step}, 'UTC', {at} + n * {step}, 'scheduled', 1001 + n % {INSTANCES}, {now}, {now} FROM n",
        at = at.0)).await;
    settle(db).await;
}

/// What a server does by itself some time after so much was written: else it would do so while it is measured.
async fn settle(db: &Database) {
    let mut conn = db.read().await.unwrap();
    match &mut conn {
        Conn::Sqlite(_) => run(db, "ANALYZE".to_owned()).await,
        Conn::Postgres(conn) => {
            sqlx::raw_sql("VACUUM (ANALYZE)").execute(&mut **conn).await.unwrap();
        }
    }
}
