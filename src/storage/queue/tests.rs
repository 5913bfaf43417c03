//! How the engines find what is due beside many that wait.

use super::*;
use crate::storage::Database;

/// Runs statements one by one.
async fn run(db: &Database, sql: &'static str) {
    let done: Result<()> = db.write(move |conn| Box::pin(async move { conn.execute(sql).await })).await;
    done.unwrap();
}

/// One account with a number, 100 messages that are due and 20,000 that are not.
async fn fill(db: &Database) {
    run(
        db,
        "INSERT INTO users (id, username, password_hash, role, locale, time_zone, region, created_at, updated_at)
         VALUES (1, 'ana', '', 'user', 'pt-BR', 'UTC', 'BR', 0, 0);
         INSERT INTO user_instances (id, user_id, name, api_url, instance_name, api_key, api_key_hint, is_active, created_at, updated_at)
         VALUES (1, 1, 'a', 'http://a', 'a', '', '', TRUE, 0, 0)",
    )
    .await;
    run(
        db,
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20100)
         INSERT INTO scheduled_messages (user_id, recipient, message, scheduled_time, time_zone, due_at, status, chat_id, created_at, updated_at)
         SELECT 1, '5511988887777', 'x', n, 'UTC', CASE WHEN n > 100 THEN 1000000 + n ELSE n END, 'scheduled', 9, 0, 0 FROM n",
    )
    .await;
    run(db, "ANALYZE").await;
}

#[tokio::test]
async fn what_is_due_is_found_by_its_index_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::open(&format!("sqlite://{}", folder.path().join("test.db").display())).await.unwrap();
    fill(&db).await;
    let mut conn = db.read().await.unwrap();
    let Conn::Sqlite(conn) = &mut conn else { unreachable!("the file is SQLite's") };
    for (sql, index) in [
        (LIST_SQLITE, "SEARCH m USING INDEX scheduled_messages_due"),
        (TAKE_SQLITE, "SEARCH m USING INTEGER PRIMARY KEY"),
        (NEXT_DUE, "USING COVERING INDEX scheduled_messages_due"),
    ] {
        let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(sql).fetch_all(&mut **conn).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|step| step.3).collect();
        assert!(plan.iter().any(|step| step.contains(index)), "{plan:?}");
        let messages = ["SCAN m", "SCAN scheduled_messages"];
        assert!(!plan.iter().any(|step| messages.contains(&step.as_str())), "{plan:?}");
    }
}

#[tokio::test]
async fn what_is_due_is_found_by_its_index_on_postgres() {
    let Ok(server) = std::env::var("TEST_DATABASE_URL") else { return };
    let name = format!("plans_{}", std::process::id());
    let admin = sqlx::PgPool::connect(&server).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin).await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    let db = Database::open(&format!("{base}/{name}")).await.unwrap();
    fill(&db).await;
    let mut conn = db.read().await.unwrap();
    let Conn::Postgres(on) = &mut conn else { unreachable!("the server is PostgreSQL") };
    let listed = ["1::bigint, 2::bigint, 3::bigint, 9::bigint", "bigint, bigint, bigint, bigint"];
    for (sql, [values, types], index) in [
        (LIST_POSTGRES, listed, "scheduled_messages_due"),
        (TAKE_POSTGRES, ["'{1,2}', 3, 3", "bigint[], bigint, bigint"], "scheduled_messages_pkey"),
        (NEXT_DUE, ["3", "bigint"], "scheduled_messages_due"),
    ] {
        let prepare = format!("DEALLOCATE ALL; PREPARE it ({types}) AS {sql}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(prepare)).execute(&mut **on).await.unwrap();
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN EXECUTE it ({values})"));
        let rows = sqlx::raw_sql(explain).fetch_all(&mut **on).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, 0)).collect();
        assert!(plan.iter().any(|step| step.contains(index)), "{plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("Seq Scan on scheduled_messages")), "{plan:#?}");
    }
    // As a round plans it, once: when nothing is being sent.
    let prepare =
        format!("DEALLOCATE ALL; {}; PREPARE it (bigint[], bigint, bigint) AS {TAKE_POSTGRES}", crate::storage::ROUNDS);
    sqlx::raw_sql(sqlx::AssertSqlSafe(prepare)).execute(&mut **on).await.unwrap();
    let rows = sqlx::raw_sql("EXPLAIN EXECUTE it ('{1,2}', 3, 3)").fetch_all(&mut **on).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, 0)).collect();
    for by in ["Index Cond: (id = ANY ($1))", "Index Cond: (claimed_for = i.id)"] {
        assert!(plan.iter().any(|step| step.contains(by)), "{plan:#?}");
    }
    drop(conn);
    db.close().await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("DROP DATABASE {name}"))).execute(&admin).await.unwrap();
}
