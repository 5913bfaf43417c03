//! What waits is found whatever became of it, and without walking along what is past.

use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, InstanceId, MessageId};
use crate::storage::{Conn, Database, Result};

async fn run(db: &Database, sql: String) {
    let done: Result<()> = db
        .write(move |conn| {
            Box::pin(async move {
                match conn {
                    Conn::Sqlite(c) => sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut **c).await.map(|_| ())?,
                    Conn::Postgres(_) => unreachable!("the file is SQLite's"),
                }
                Ok(())
            })
        })
        .await;
    done.unwrap();
}

/// Two accounts, of which the second is closed and has had a message due for ever; the first has a past of 20,000.
async fn two_accounts(folder: &tempfile::TempDir) -> Database {
    let db = Database::open(&format!("sqlite://{}", folder.path().join("test.db").display())).await.unwrap();
    run(
        &db,
        "INSERT INTO users (id, username, password_hash, role, locale, time_zone, region, created_at, updated_at, disabled_at)
         VALUES (1, 'ana', '', 'user', 'pt-BR', 'UTC', 'BR', 0, 0, NULL), (2, 'bia', '', 'user', 'pt-BR', 'UTC', 'BR', 0, 0, 5)"
            .to_owned(),
    )
    .await;
    run(
        &db,
        "INSERT INTO user_instances (id, user_id, name, api_url, instance_name, api_key, api_key_hint, is_active, created_at, updated_at)
         VALUES (1, 1, 'a', 'http://a', 'a', '', '', TRUE, 0, 0)"
            .to_owned(),
    )
    .await;
    run(
        &db,
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000)
         INSERT INTO scheduled_messages (user_id, recipient, message, scheduled_time, time_zone, due_at, status, chat_id, created_at, updated_at)
         SELECT 1, '5511988887777', 'x', 1000 + n, 'UTC', 1000 + n, 'sent', 9, 0, 0 FROM n"
            .to_owned(),
    )
    .await;
    add(&db, 2, 1, 1, "scheduled").await;
    db
}

async fn add(db: &Database, account: i64, scheduled: i64, due: i64, status: &'static str) {
    let lease = if status == "sending" { "99999" } else { "NULL" };
    run(
        db,
        format!(
            "INSERT INTO scheduled_messages (user_id, recipient, message, scheduled_time, time_zone, due_at, status, chat_id,
                 created_at, updated_at, lease_until)
             VALUES ({account}, '5511988887777', 'x', {scheduled}, 'UTC', {due}, '{status}', 9, 0, 0, {lease})"
        ),
    )
    .await;
}

async fn waiting(db: &Database, account: i64) -> Vec<i64> {
    let mut conn = db.read().await.unwrap();
    let list = conn.list_waiting(AccountId(account), 0, 100).await.unwrap();
    let (count, _) = conn.count_messages(AccountId(account)).await.unwrap();
    assert_eq!(usize::try_from(count).unwrap(), list.len(), "the count and the list differ");
    list.iter().map(|one| one.scheduled_time.0).collect()
}

/// One message in each state that waits, alone and beside all the others, long ago and to come.
#[tokio::test]
async fn what_waits_is_found_whatever_its_state_and_age() {
    let folder = tempfile::tempdir().unwrap();
    let db = two_accounts(&folder).await;
    let states = [
        (500, 500, "scheduled"),
        (501, 900_000, "scheduled"),
        (502, 502, "sending"),
        (503, 800_000, "sending"),
        (504, 504, "held"),
        (505, 505, "late"),
        (506, 506, "unknown"),
        (600_000, 600_000, "scheduled"),
        (600_001, 600_001, "unknown"),
        (600_002, 600_000, "scheduled"),
    ];
    assert_eq!(waiting(&db, 1).await, [0; 0]);
    for (scheduled, due, status) in states {
        add(&db, 1, scheduled, due, status).await;
        assert_eq!(waiting(&db, 1).await, [scheduled], "{status} for {scheduled}, due {due}");
        run(&db, "DELETE FROM scheduled_messages WHERE user_id = 1 AND status <> 'sent'".to_owned()).await;
    }
    for (scheduled, due, status) in states {
        add(&db, 1, scheduled, due, status).await;
    }
    assert_eq!(waiting(&db, 1).await, states.map(|state| state.0));
    assert_eq!(waiting(&db, 2).await, [1], "a closed account's own is found");
    let mut conn = db.read().await.unwrap();
    let due = conn.list_due_of(AccountId(1), InstanceId(1), Moment(700_000), 100).await.unwrap();
    assert_eq!(due.iter().map(|one| one.scheduled_time.0).collect::<Vec<_>>(), [500, 600_000, 600_002]);
    assert!(due.iter().all(|one| one.id > MessageId(20_000)));
}

async fn plan(db: &Database, sql: &str) -> Vec<String> {
    let mut conn = db.read().await.unwrap();
    let Conn::Sqlite(conn) = &mut conn else { unreachable!("the file is SQLite's") };
    let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(sql).bind(1).bind(2).fetch_all(&mut **conn).await.unwrap();
    plan.into_iter().map(|step| step.3).collect()
}

/// What is past is in the same index, and is not walked along, whether the store has been analysed or not (it never is, but
/// by hand).
#[tokio::test]
async fn what_waits_is_found_beside_a_long_past() {
    let folder = tempfile::tempdir().unwrap();
    let db = two_accounts(&folder).await;
    for analysed in [false, true] {
        if analysed {
            // Few accounts, each with much that waits.
            run(
                &db,
                "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 30000)
                 INSERT INTO scheduled_messages (user_id, recipient, message, scheduled_time, time_zone, due_at, status, chat_id, created_at, updated_at)
                 SELECT 1 + n % 2, '5511988887777', 'x', 900000 + n, 'UTC', 900000 + n, 'scheduled', 9, 0, 0 FROM n;
                 ANALYZE"
                    .to_owned(),
            )
            .await;
        }
        for (since, further) in [(since!(), ""), (due_since!(), "AND m.status = 'scheduled' AND m.due_at + 0 <= $2")] {
            let sql = format!(
                "SELECT m.id FROM scheduled_messages m WHERE m.user_id = $1 AND m.status IN ('scheduled', 'sending', 'held', 'late',
                     'unknown') AND m.scheduled_time >= {since} {further} ORDER BY m.scheduled_time, m.id LIMIT 10"
            );
            let plan = plan(&db, &sql).await;
            for step in [
                "SEARCH m USING INDEX scheduled_messages_by_account (user_id=? AND scheduled_time>?)",
                "SCAN q USING INDEX scheduled_messages_due",
                "SEARCH q USING INDEX scheduled_messages_aside (user_id=?)",
            ] {
                assert!(plan.iter().any(|is| is == step), "{analysed}: {plan:#?}");
            }
            assert!(plan.iter().any(|is| is.contains("q USING COVERING INDEX scheduled_messages_leased")), "{plan:#?}");
            assert!(!plan.iter().any(|is| is.contains("TEMP B-TREE")), "{plan:#?}");
        }
        for which in [
            "status = 'late' ORDER BY scheduled_time, id",
            "status = 'held'",
            "status = 'unknown' AND if_absent = 'late'",
        ] {
            let plan = plan(&db, &format!("SELECT id FROM scheduled_messages WHERE user_id = $1 AND {which}")).await;
            assert!(plan.iter().any(|step| step.contains("aside")), "{plan:#?}");
        }
    }
}
