//! The program on its machine: files, locks, health, and what a stored byte is worth.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use schedulezap::domain::clock::Clock;
use schedulezap::storage::{Conn, Database};

use crate::harness::{World, within};
use crate::kills::until_settled;
use crate::real::Real;

fn on_postgres() -> bool {
    std::env::var("TEST_DATABASE_URL").is_ok()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The server's answer to `/readyz`: its code, and which parts fail.
pub async fn ready(world: &World) -> (u16, Vec<String>) {
    let answer = reqwest::get(format!("http://{}/readyz", world.http)).await.unwrap();
    let code = answer.status().as_u16();
    let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(body["status"], if code == 200 { "ready" } else { "degraded" });
    (code, body["failing"].as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned()).collect())
}

/// Moves the clock until the server says so.
pub async fn until_ready(world: &World, wanted: &[&str]) {
    loop {
        let (code, failing) = ready(world).await;
        if failing == wanted {
            assert_eq!(code, if wanted.is_empty() { 200 } else { 503 });
            return;
        }
        world.advance(Duration::from_secs(3));
        world.breath().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_the_parts_and_liveness_only_the_process() {
    within(async {
        let world = World::start().await;
        until_ready(&world, &[]).await;
        world.telegram.set_down(true);
        until_ready(&world, &["telegram"]).await;
        world.telegram.set_down(false);
        until_ready(&world, &[]).await;
        world.db.close().await;
        world.door.services.messages.wake.notify_one();
        until_ready(&world, &["database", "telegram", "scheduler"]).await;
        let alive = reqwest::get(format!("http://{}/healthz", world.http)).await.unwrap();
        assert_eq!((alive.status().as_u16(), alive.text().await.unwrap()), (200, "ok".to_owned()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_its_owners_alone() {
    if on_postgres() {
        return;
    }
    within(async {
        let real = Real::new(1).await;
        let process = real.start();
        real.people[0].sees_one(|_| true).await;
        for name in ["test.db", "test.db-wal", "test.db-shm", "test.db-sends", "test.db.lock", "secret.key"] {
            assert_eq!(mode(&real.file(name)), 0o600, "{name}");
        }
        assert!(real.command(&["backup", "copy.db"]).success());
        assert_eq!(mode(&real.file("copy.db")), 0o600);
        assert!(process.ask_to_end("TERM").success());
        for (name, words) in [("test.db", "everyone on this machine may read it"), ("secret.key", "others may read it")]
        {
            set_mode(&real.file(name), 0o644);
            let (code, said) = real.start().fails();
            assert_eq!(code, Some(1));
            assert!(said.contains(words) && said.contains("chmod 600"), "{said}");
            assert_eq!(said.trim().lines().count(), 1, "{said}");
            set_mode(&real.file(name), 0o600);
        }
        assert!(real.command(&["check"]).success());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_a_file_is_refused_in_one_line() {
    if on_postgres() {
        return;
    }
    within(async {
        let real = Real::new(1).await;
        let first = real.start();
        real.people[0].sees_one(|_| true).await;
        let (code, said) = real.start().fails();
        assert_eq!(code, Some(1));
        assert!(said.contains(&format!("in use by another schedulezap (pid {})", first.pid())), "{said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
        // The short commands work beside it.
        assert!(real.command(&["check"]).success());
        real.people[0].says("/ajuda");
        real.people[0].sees("Como usar").await;
        assert!(first.ask_to_end("TERM").success());
    })
    .await;
}

/// Starts the demo in a folder; returns it when it says that it runs, or what it failed with.
fn demo(folder: &Path) -> Result<std::process::Child, String> {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(crate::real::program());
    command.args(["demo", "--port", &port.to_string()]).env_clear().env("LOG", "warn").current_dir(folder);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = Vec::new();
    let out = child.stdout.as_mut().unwrap();
    while !line.ends_with(b"\n") {
        let mut byte = [0];
        if std::io::Read::read(out, &mut byte).unwrap() == 0 {
            break;
        }
        line.push(byte[0]);
    }
    if line.starts_with(b"ScheduleZAP demo: http://") {
        return Ok(child);
    }
    Err(String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap())
}

#[test]
fn the_demo_keeps_its_files_and_its_place_to_itself() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = demo(dir.path()).unwrap();
    for name in ["schedulezap.db", "schedulezap.db-wal", "schedulezap.db-shm", "secret.key"] {
        assert_eq!(mode(&dir.path().join("data/demo").join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&dir.path().join("data/demo")), 0o700);
    let refused = demo(dir.path()).unwrap_err();
    assert!(refused.contains(&format!("in use by another schedulezap (pid {})", first.id())), "{refused}");
    first.kill().unwrap();
    first.wait().unwrap();
}

async fn pragma(conn: &mut Conn, sql: &'static str) -> String {
    let Conn::Sqlite(conn) = conn else { panic!("SQLite only") };
    let value: sqlx::Result<String> = sqlx::query_scalar(sql).fetch_one(&mut **conn).await;
    value.unwrap()
}

const PRAGMAS: [(&str, &str); 4] = [
    ("SELECT journal_mode FROM pragma_journal_mode", "wal"),
    ("SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous", "2"),
    ("SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys", "1"),
    ("SELECT CAST(timeout AS TEXT) FROM pragma_busy_timeout", "10000"),
];

#[tokio::test]
async fn what_is_committed_is_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open(&format!("sqlite://{}/a.db", dir.path().display())).await.unwrap();
    for (sql, wanted) in PRAGMAS {
        assert_eq!(pragma(&mut db.read().await.unwrap(), sql).await, wanted, "{sql}");
        let written: Result<String, schedulezap::storage::StorageError> =
            db.write(move |conn| Box::pin(async move { Ok(pragma(conn, sql).await) })).await;
        assert_eq!(written.unwrap(), wanted, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_that_are_made_while_messages_leave_are_whole_and_send_nothing_again() {
    if on_postgres() {
        return;
    }
    let real = Real::new(8).await;
    real.is_slow(Duration::from_millis(20));
    real.schedule(160, Clock::System.now().plus(Duration::from_secs(3))).await;
    let process = real.start();
    let mut parts = Vec::new();
    for n in 1..=5 {
        real.evolution.wait_for(n * 25).await;
        let name = format!("copy-{n}.db");
        assert!(real.command(&["backup", &name]).success());
        let copy = Database::open(&format!("sqlite://{}", real.file(&name).display())).await.unwrap();
        copy.check_integrity().await.unwrap();
        let Conn::Sqlite(mut conn) = copy.read().await.unwrap() else { panic!("SQLite only") };
        let count = async |conn: &mut sqlx::SqliteConnection, sql: &'static str| -> i64 {
            sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
        };
        assert_eq!(count(&mut conn, "SELECT COUNT(*) FROM scheduled_messages").await, 160);
        // A message that was sent has its attempt, its id at WhatsApp, and its report or what it became.
        let torn =
            "SELECT COUNT(*) FROM scheduled_messages m WHERE status = 'sent' AND (remote_id IS NULL OR attempt = 0)";
        assert_eq!(count(&mut conn, torn).await, 0);
        assert_eq!(count(&mut conn, "SELECT COUNT(*) FROM pragma_foreign_key_check").await, 0);
        parts.push(count(&mut conn, "SELECT COUNT(*) FROM scheduled_messages WHERE status = 'sent'").await);
    }
    assert!(parts.is_sorted() && parts[0] > 0, "{parts:?}");
    assert_eq!(until_settled(&real, &["sent"]).await, [("sent".to_owned(), 160)]);
    assert!(process.ask_to_end("TERM").success());
    // A copy from the middle, in which some are sent, some are being sent and some wait.
    assert!(real.command(&["restore", "copy-3.db"]).success());
    let process = real.start();
    assert_eq!(until_settled(&real, &["sent"]).await, [("sent".to_owned(), 160)]);
    assert_eq!(real.doubled(), Vec::<String>::new());
    assert_eq!(real.evolution.count(), 160, "nothing left a second time");
    assert!(process.ask_to_end("TERM").success());
}
