//! What holds when the store is full, busy, away or replaced: nothing leaves that was not written down, those who
//! wait are told, and all goes on by itself.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use schedulezap::domain::clock::Clock;
use schedulezap::domain::ids::{AccountId, ChatId};
use schedulezap::domain::message::Body;
use schedulezap::domain::recipient::Recipient;
use schedulezap::services::messages::Addressee;
use schedulezap::storage::{Conn, Database, StorageError};
use sqlx::{Connection, SqliteConnection};

use crate::cluster::Cluster;
use crate::harness::{START, World, amount, database, skipped, within};
use crate::kills::until_settled;
use crate::machine::{ready, until_ready};
use crate::real::{Process, Real};

fn on_postgres() -> bool {
    std::env::var("TEST_DATABASE_URL").is_ok()
}

/// All of them are sent, and each of them once.
async fn all_sent(real: &Real, messages: usize) {
    let sent = [("sent".to_owned(), i64::try_from(messages).unwrap())];
    assert_eq!(until_settled(real, &["sent"]).await, sent);
    assert_eq!(real.doubled(), Vec::<String>::new());
    assert_eq!(real.evolution.count(), messages);
}

/// Lines of a process that tell of trouble.
fn trouble(process: &Process) -> Vec<String> {
    let is_trouble = |line: &&str| (line.contains("ERROR") || line.contains("WARN")) && !line.contains("slow");
    process.log().lines().filter(is_trouble).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_store_sends_nothing_that_it_could_not_write_down_and_says_so() {
    if on_postgres() {
        return;
    }
    within(async {
        let tune = |config: &mut schedulezap::config::Config| {
            config.send_gap = Duration::ZERO;
            (config.send_per_hour, config.send_per_day) = (0, 0);
        };
        let world = World::start_with(Clock::manual(START), tune).await;
        let ana = world.member("Ana", "pt-br").await;
        world.with_instance(&ana).await;
        world.handled().await;
        world.advance(Duration::from_secs(60));
        let account = world.door.services.accounts.find_account(AccountId(1)).await.unwrap().unwrap();
        let to = [Addressee { recipient: Recipient::Phone("5511988887777".to_owned()), name: String::new() }];
        let due = world.clock.now().plus(Duration::from_secs(600));
        let messages = 400;
        for n in 0..messages {
            let body = Body::parse(&format!("cheio {n}.")).unwrap();
            let service = &world.door.services.messages;
            service.schedule(&account, ChatId(ana.id()), &to, &body, due, &format!("full-{n}")).await.unwrap();
        }
        world.said().await;
        // The file may not grow any more, and has no free page.
        let limited: Result<(), StorageError> =
            world.db.write(|conn| Box::pin(async move { conn.execute("PRAGMA max_page_count = 1").await })).await;
        limited.unwrap();
        world.advance(Duration::from_secs(600));
        while !ready(&world).await.1.contains(&"scheduler".to_owned()) {
            world.advance(Duration::from_secs(1));
        }
        let left = world.evolution.count();
        assert!(left < messages, "it was full before the end");
        // People who speak are heard, and told.
        let long = "a".repeat(3000);
        for n in 0..9 {
            ana.says(&format!("/ajuda {n} {long}"));
        }
        while !ana.chat().iter().any(|m| m.from_bot && m.text.contains("Não consigo gravar")) {
            world.advance(Duration::from_secs(2));
            world.breath().await;
        }
        assert!(ready(&world).await.1.contains(&"database".to_owned()), "the inbox is full too");
        let begun = "SELECT COUNT(*) FROM scheduled_messages WHERE status IN ('sending', 'sent')";
        let (begun, left) = (world.count(begun).await, world.evolution.count());
        assert!(left <= usize::try_from(begun).unwrap(), "{left} left, {begun} were written down");
        println!("{left} of {messages} left before it was full");
        // Space again.
        let freed: Result<(), StorageError> =
            world.db.write(|conn| Box::pin(async move { conn.execute("PRAGMA max_page_count = 100000").await })).await;
        freed.unwrap();
        while !ana.chat().iter().any(|m| m.from_bot && m.text.contains("Voltei a gravar"))
            || world.evolution.count() < messages
            || ana.chat().iter().filter(|m| m.from_bot && m.text.contains("Como usar")).count() < 9
        {
            world.advance(Duration::from_secs(1));
            world.breath().await;
        }
        until_ready(&world, &[]).await;
        let mut texts: Vec<_> = world.evolution.delivered().into_iter().map(|one| one.text).collect();
        texts.sort();
        texts.dedup();
        assert_eq!((texts.len(), world.evolution.count()), (messages, messages));
        world.db.check_integrity().await.unwrap();
        let told = ana.chat().iter().filter(|m| m.from_bot && m.text.contains("Não consigo gravar")).count();
        assert_eq!(told, 1, "once for the whole time");
        world.finish(&[&ana]).await;
    })
    .await;
}

/// A small disk of a test's own, where the machine lets it have one.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new(megabytes: u32) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "none"]).arg(place.path());
        if !mount.output().is_ok_and(|done| done.status.success()) {
            skipped("no file system may be mounted here");
            return None;
        }
        Some(Self(place))
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        use std::io::Write;
        let mut file = std::fs::File::create(self.0.path().join("filler")).unwrap();
        let block = vec![7_u8; 65_536];
        for size in [65_536, 4096, 512, 1] {
            while file.write_all(&block[..size]).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the right to mount a file system"]
async fn the_real_program_on_a_disk_that_fills_up() {
    if on_postgres() {
        return;
    }
    let Some(disk) = Disk::new(16) else { return };
    let messages = amount("MESSAGES", 2000);
    let folder = tempfile::tempdir_in(disk.0.path()).unwrap();
    let url = format!("sqlite://{}/test.db", folder.path().display());
    let real = Real::at(8, folder, url).await;
    let db = real.database().await;
    let admin: Result<(), StorageError> = db
        .write(|conn| Box::pin(async move { conn.execute("UPDATE users SET role = 'admin' WHERE id = 1").await }))
        .await;
    admin.unwrap();
    db.close().await;
    real.is_slow(Duration::from_millis(20));
    real.schedule(i64::try_from(messages).unwrap(), Clock::System.now().plus(Duration::from_secs(2))).await;
    let process = real.start();
    for round in 1..=amount("FULL", 3) {
        real.evolution.wait_for(messages * round / (amount("FULL", 3) + 1)).await;
        disk.fill();
        let at = real.evolution.count();
        // Until nothing leaves for three seconds: what the log could still take has gone.
        while real.evolution.next_delivery(real.evolution.count(), Duration::from_secs(3)).await.is_some() {}
        let stood = real.evolution.count();
        let people = &real.people;
        people[0].says(&format!("/ajuda {}", "a".repeat(3000)));
        let told =
            |n: usize, text: &str| people[0].chat().iter().filter(|m| m.from_bot && m.text.contains(text)).count() >= n;
        while !told(round, "Não consigo gravar") {
            real.breath().await;
        }
        assert_eq!(real.evolution.count(), stood, "nothing leaves meanwhile");
        disk.free();
        let begun = Instant::now();
        real.evolution.wait_for(stood + 1).await;
        println!("full at {at}, stood at {stood}, went on {:?} after there was space", begun.elapsed());
        while !told(round, "Voltei a gravar") {
            real.breath().await;
        }
    }
    all_sent(&real, messages).await;
    let db = real.database().await;
    db.check_integrity().await.unwrap();
    db.close().await;
    assert!(process.ask_to_end("TERM").success());
}

/// Holds the write lock for a while, again and again.
async fn hold(file: &Path, times: usize, held: Duration, free: Duration) {
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    sqlx::query("PRAGMA busy_timeout = 20000").execute(&mut conn).await.unwrap();
    for _ in 0..times {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut conn).await.unwrap();
        Clock::System.sleep(held).await;
        sqlx::query("COMMIT").execute(&mut conn).await.unwrap();
        Clock::System.sleep(free).await;
    }
    conn.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_another_process_keeps_busy_loses_and_doubles_nothing() {
    if on_postgres() {
        return;
    }
    let times = amount("LOCKS", 2);
    let real = Real::new(8).await;
    let (held, free) = if times > 2 { (4, 6) } else { (2, 1) };
    let (held, free) = (Duration::from_secs(held), Duration::from_secs(free));
    let each = 40;
    for n in 0..times {
        let at = Clock::System.now().plus((held + free) * u32::try_from(n).unwrap()).plus(Duration::from_secs(4));
        real.schedule_as(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][n % 10], each, at).await;
    }
    let process = real.start();
    real.people[0].sees_one(|_| true).await;
    hold(&real.file("test.db"), times, held, free).await;
    let messages = times * usize::try_from(each).unwrap();
    all_sent(&real, messages).await;
    assert_eq!(trouble(&process), Vec::<String>::new(), "nobody need know");
    let late = real.evolution.delivered().iter().map(|one| one.at).max().unwrap();
    assert!(late > 0);
    assert!(process.ask_to_end("TERM").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_given_up_halfway_poison_no_connection() {
    let calls = amount("ABORTS", 400);
    let dir = tempfile::tempdir().unwrap();
    let url = database(&dir).await;
    let db = Database::open(&url).await.unwrap();
    let write = |db: Database, n: usize| async move {
        let name = format!("call {}", n % 7);
        let done: Result<(), StorageError> =
            db.write(move |conn| Box::pin(async move { conn.set_meta(&name, &n.to_string()).await })).await;
        done
    };
    let read = |db: Database| async move { db.read().await?.find_meta("call 1").await };
    for n in 0..calls {
        let (ours, wait) = (db.clone(), Duration::from_micros(rand::random_range(0..2000)));
        let task = if n % 2 == 0 {
            tokio::spawn(async move { write(ours, n).await.map(drop) })
        } else {
            tokio::spawn(async move { read(ours).await.map(drop) })
        };
        Clock::System.sleep(wait).await;
        task.abort();
    }
    let mut failed = 0;
    for n in 0..1000 {
        failed += usize::from(write(db.clone(), n).await.is_err());
        failed += usize::from(read(db.clone()).await.is_err());
    }
    assert_eq!(failed, 0);
    if let Conn::Postgres(conn) = &mut db.read().await.unwrap() {
        let idle: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
        )
        .fetch_one(&mut **conn)
        .await
        .unwrap();
        assert_eq!(idle, 0);
    }
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_that_crashes_and_comes_back_loses_and_doubles_nothing() {
    if !on_postgres() {
        return;
    }
    let crashes = amount("CRASHES", 2);
    let cluster = Cluster::start();
    let real = Real::at(8, tempfile::tempdir().unwrap(), cluster.url("app")).await;
    real.is_slow(Duration::from_millis(60));
    let messages = 160 * (crashes + 1);
    real.schedule(i64::try_from(messages).unwrap(), Clock::System.now().plus(Duration::from_secs(3))).await;
    let process = real.start();
    for crash in 1..=crashes {
        real.evolution.wait_for(messages * crash / (crashes + 2)).await;
        cluster.crash();
        // Whatever was on its way arrives.
        while real.evolution.next_delivery(real.evolution.count(), Duration::from_millis(500)).await.is_some() {}
        let stood = real.evolution.count();
        Clock::System.sleep(Duration::from_millis(rand::random_range(0..3000))).await;
        cluster.go();
        let begun = Instant::now();
        real.evolution.wait_for(stood + 1).await;
        println!("went on {:?} after it accepted", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
    all_sent(&real, messages).await;
    real.until_told(messages).await;
    assert!(process.ask_to_end("TERM").success(), "it is the same process");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_lacks_the_last_commits_sends_nothing_again() {
    if !on_postgres() {
        return;
    }
    for searchable in [true, false] {
        let first = Cluster::start();
        let real = Real::at(4, tempfile::tempdir().unwrap(), first.url("app")).await;
        real.schedule_as("old", 50, Clock::System.now().plus(Duration::from_secs(8))).await;
        // The copy stops here: it knows the messages, and not that they were sent.
        let copy = first.follower();
        let process = real.start();
        real.evolution.wait_for(50).await;
        assert_eq!(until_settled(&real, &["sent"]).await, [("sent".to_owned(), 50)]);
        real.evolution.set_searchable(searchable);
        first.crash();
        copy.go();
        copy.promote();
        let settled = if searchable { "sent" } else { "late" };
        assert_eq!(until_settled(&real, &[settled]).await, [(settled.to_owned(), 50)], "searchable: {searchable}");
        assert_eq!(real.evolution.count(), 50, "nothing left a second time");
        // What comes due later goes as ever.
        real.evolution.set_searchable(true);
        real.schedule_as("new", 20, Clock::System.now().plus(Duration::from_secs(1))).await;
        real.evolution.wait_for(70).await;
        if !searchable {
            for person in &real.people {
                let card =
                    |m: &schedulezap::sandbox::telegram::Shown| m.from_bot && m.text.contains("passaram da hora");
                person.sees_one(card).await;
                assert_eq!(person.chat().iter().filter(|m| card(m)).count(), 1, "one card for all of them");
            }
        }
        assert_eq!(real.evolution.count(), 70);
        assert!(process.ask_to_end("TERM").success());
    }
}
