//! How fast what is due leaves, how late, and at what cost: `cargo bench --bench dispatch`.
//!
//! Each figure is taken in a process of its own, against an HTTP server that answers as an Evolution API does, in
//! another. The bare loop of requests is the limit on the same machine in the same run. With `BENCH_DATABASE_URL`
//! (a PostgreSQL database that may be emptied) the same is measured there. `BENCH_COUNT` and `BENCH_SECONDS` make it
//! shorter or longer.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may end by panicking, and prints")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use schedulezap::domain::clock::{Clock, Moment};
use schedulezap::domain::ids::AccountId;
use schedulezap::domain::instance::{ApiKey, InstanceName, ServerUrl};
use schedulezap::domain::retry::RetryPolicy;
use schedulezap::evolution::Evolution;
use schedulezap::evolution::policy::AllowHosts;
use schedulezap::scheduler::ledger::Ledger;
use schedulezap::scheduler::{Scheduler, Settings};
use schedulezap::services::instances::key_context;
use schedulezap::services::secrets::Keyring;
use schedulezap::storage::wake::Wake;
use schedulezap::storage::{Conn, Database, StorageError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Requests at once of the bare loop, and of ours at one server.
const AT_ONCE: usize = 64;
/// Numbers that messages are sent through.
const INSTANCES: i64 = 256;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mode = args.iter().position(|arg| arg == "--mode").map(|at| args[at + 1..].to_vec());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match mode.as_deref() {
        None => table(),
        Some([mode, ..]) if mode == "server" => runtime.block_on(server(Duration::from_millis(number("ANSWER_MS", 0)))),
        Some([mode, rest @ ..]) if mode == "bare" => runtime.block_on(bare(&rest[0], number("BENCH_COUNT", 20_000))),
        Some([mode, rest @ ..]) => runtime.block_on(ours(mode, &rest[0], &rest[1])),
        Some([]) => unreachable!("a mode has a name"),
    }
}

/// Runs one measurement in a process of its own; its lines are `name value`.
fn measure(answer_ms: u64, args: &[&str]) -> BTreeMap<String, f64> {
    let me = std::env::current_exe().unwrap();
    let mut server = Command::new(&me)
        .args(["--mode", "server"])
        .env("ANSWER_MS", answer_ms.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let url = format!("http://127.0.0.1:{}", port.trim());
    let mut all = vec!["--mode", args[0], url.as_str()];
    all.extend(&args[1..]);
    let told = Command::new(me).args(all).stderr(Stdio::inherit()).output().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(told.status.success(), "a measurement failed");
    String::from_utf8(told.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

fn table() {
    let mut stores = vec![("SQLite", "sqlite".to_owned())];
    if let Ok(url) = std::env::var("BENCH_DATABASE_URL") {
        stores.push(("PostgreSQL", url));
    }
    let bare_now = measure(0, &["bare"])["per_second"];
    println!("{:<44} {:>10}", "bare loop, 64 at once, answered at once", format!("{bare_now:.0}/s"));
    for (name, store) in &stores {
        let burst = measure(0, &["burst", store]);
        println!(
            "{:<44} {:>10}   {:.2} of the bare loop, CPU {:.0} us a message, peak {:.0} MiB",
            format!("{name}: all due at once"),
            format!("{:.0}/s", burst["per_second"]),
            burst["per_second"] / bare_now,
            burst["cpu_us"],
            burst["peak_mib"]
        );
        let slow = measure(20, &["burst", store]);
        let bound = f64::from(u32::try_from(AT_ONCE).unwrap()) / 0.020;
        println!(
            "{:<44} {:>10}   {:.0} % of 64 / 20 ms",
            format!("{name}: the server takes 20 ms"),
            format!("{:.0}/s", slow["per_second"]),
            slow["per_second"] / bound * 100.0
        );
        let late = measure(0, &["lateness", store]);
        println!(
            "{:<44} p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            format!("{name}: lateness at 100 a second"),
            late["p50"],
            late["p99"],
            late["max"]
        );
        let idle = measure(0, &["idle", store]);
        println!(
            "{:<44} {:.2} % of a core, {:.0} MiB",
            format!("{name}: idle beside 100,000 waiting"),
            idle["percent"],
            idle["peak_mib"]
        );
        let beside = measure(0, &["beside", store]);
        println!(
            "{:<44} {:>10}   {:.2} of without",
            format!("{name}: all due, 1,000,000 waiting beside"),
            format!("{:.0}/s", beside["per_second"]),
            beside["per_second"] / burst["per_second"]
        );
    }
}

/// Answers as an Evolution API does, as fast as can be; prints its port.
async fn server(answer: Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let next = Arc::new(std::sync::atomic::AtomicU64::new(1));
    loop {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let next = Arc::clone(&next);
        tokio::spawn(async move {
            let mut read = Vec::with_capacity(4096);
            loop {
                let end = loop {
                    if let Some(end) = whole(&read) {
                        break end;
                    }
                    if socket.read_buf(&mut read).await.unwrap_or(0) == 0 {
                        return;
                    }
                };
                read.drain(..end);
                if !answer.is_zero() {
                    wait(answer).await;
                }
                let id = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let body = format!(
                    r#"{{"key":{{"remoteJid":"5511@s.whatsapp.net","fromMe":true,"id":"3EB0{id:016X}"}},"status":"PENDING"}}"#
                );
                let head = format!(
                    "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                if socket.write_all((head + &body).as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "the server of the benchmark takes its time")]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Where the first request ends, when it is all there.
fn whole(read: &[u8]) -> Option<usize> {
    let head = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&read[..head]).ok()?.to_ascii_lowercase();
    let length = text.split("content-length:").nth(1).and_then(|rest| rest.split("\r\n").next()?.trim().parse().ok());
    (read.len() >= head + length.unwrap_or(0)).then_some(head + length.unwrap_or(0))
}

/// The limit: the same requests and nothing else.
async fn bare(url: &str, count: u64) {
    let evolution = Evolution::new(AllowHosts::parse("loopback").unwrap()).unwrap();
    let server = ServerUrl::parse(url).unwrap();
    let (key, name) = (ApiKey::parse("bench-key").unwrap(), InstanceName::parse("i").unwrap());
    let left = Arc::new(std::sync::atomic::AtomicU64::new(count));
    let begun = Instant::now();
    let loops: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (evolution, server, key, name, left) =
                (evolution.clone(), server.clone(), key.clone(), name.clone(), Arc::clone(&left));
            tokio::spawn(async move {
                while left
                    .fetch_update(std::sync::atomic::Ordering::Relaxed, std::sync::atomic::Ordering::Relaxed, |left| {
                        left.checked_sub(1)
                    })
                    .is_ok()
                {
                    evolution.send_text(&server, &key, &name, "5511988887777", "Bom dia").await.unwrap();
                }
            })
        })
        .collect();
    for one in loops {
        one.await.unwrap();
    }
    println!("per_second {}", per_second(count, begun.elapsed()));
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

async fn ours(mode: &str, url: &str, store: &str) {
    // On the disk that the project is on: a folder in memory would make its commits free.
    let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR").to_owned() + "/target").unwrap();
    let path = dir.path().join("bench.db");
    let (db, ledger) = if store == "sqlite" {
        let db = Database::open(&format!("sqlite://{}", path.display())).await.unwrap();
        // Twice: a store without its ledger is taken for a copy.
        drop(Ledger::open(&path).unwrap());
        (db, Ledger::open(&path).unwrap())
    } else {
        let db = Database::open(store).await.unwrap();
        run(&db, "TRUNCATE users CASCADE; TRUNCATE reports; TRUNCATE meta".to_owned()).await;
        (db, Ledger::default())
    };
    let keyring = Arc::new(Keyring::generate());
    people(&db, &keyring, url).await;
    let clock = Clock::System;
    let scheduler = Scheduler {
        db: db.clone(),
        clock: clock.clone(),
        evolution: Evolution::new(AllowHosts::parse("loopback").unwrap()).unwrap(),
        keyring,
        settings: Settings {
            grace: Duration::from_secs(1800),
            lease: Duration::from_secs(30),
            settle: Duration::from_secs(120),
            gap: Duration::ZERO,
            per_hour: 0,
            per_day: 0,
            retry: RetryPolicy::default(),
            in_flight: 4 * AT_ONCE,
        },
        wake: Wake::new(&db),
        reported: Arc::default(),
        lookups: Arc::default(),
        ledger,
        guard: schedulezap::domain::guard::Guard::default(),
        well: schedulezap::domain::well::Well::default(),
        holder: "bench".to_owned(),
        shutdown: CancellationToken::new(),
    };
    match mode {
        "burst" => burst(scheduler, number("BENCH_COUNT", 20_000), 0).await,
        "beside" => burst(scheduler, number("BENCH_COUNT", 20_000), number("BENCH_BESIDE", 1_000_000)).await,
        "lateness" => lateness(scheduler, number("BENCH_SECONDS", 20)).await,
        _ => idle(scheduler, number("BENCH_SECONDS", 20)).await,
    }
}

async fn run(db: &Database, sql: String) {
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

async fn people(db: &Database, keyring: &Keyring, url: &str) {
    let mut sql = String::new();
    for n in 1..=INSTANCES {
        use std::fmt::Write as _;
        let key = keyring.seal(&key_context(AccountId(n), url, "i"), b"bench-key");
        write!(sql, "INSERT INTO users (id, username, password_hash, role, locale, time_zone, region, created_at, updated_at)
             VALUES ({n}, 'user{n}', '', 'user', 'pt-BR', 'UTC', 'BR', 0, 0);
             INSERT INTO user_instances (id, user_id, name, api_url, instance_name, api_key, api_key_hint, is_active, connection, created_at, updated_at)
             VALUES ({n}, {n}, 'i', '{url}', 'i', '{key}', '', TRUE, 'open', 0, 0);").unwrap();
    }
    run(db, sql).await;
}

/// Writes `count` messages down; the n-th is due at `at + n * step` milliseconds.
async fn messages(db: &Database, count: u64, at: Moment, step: u64) {
    let (numbers, now) = match db {
        Database::Sqlite { .. } => (
            format!("WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {count} - 1)"),
            Clock::System.now().0,
        ),
        Database::Postgres(_) => {
            (format!("WITH n(n) AS (SELECT generate_series(0, {count} - 1))"), Clock::System.now().0)
        }
    };
    run(db, format!(
        "{numbers} INSERT INTO scheduled_messages (user_id, recipient, message, scheduled_time, time_zone, due_at, status, chat_id, created_at, updated_at)
         SELECT n % {INSTANCES} + 1, '5511988887777', 'Bom dia', {at} + n * {step}, 'UTC', {at} + n * {step}, 'scheduled', 9, {now}, {now} FROM n",
        at = at.0)).await;
    run(db, "ANALYZE".to_owned()).await;
}

const COUNT: &str = "SELECT COUNT(*) FROM message_attempts WHERE outcome = $1";
const LATE: &str = "SELECT sent_at - scheduled_time FROM scheduled_messages";

async fn count(db: &Database, status: &'static str) -> i64 {
    let mut conn = db.read().await.unwrap();
    match &mut conn {
        Conn::Sqlite(conn) => sqlx::query_scalar(COUNT).bind(status).fetch_one(&mut **conn).await.unwrap(),
        Conn::Postgres(conn) => sqlx::query_scalar(COUNT).bind(status).fetch_one(&mut **conn).await.unwrap(),
    }
}

/// How long until all of `count` messages that are due at once are sent and written down.
async fn burst(scheduler: Scheduler, messages_due: u64, beside: u64) {
    let db = scheduler.db.clone();
    if beside > 0 {
        messages(&db, beside, scheduler.clock.now().plus(Duration::from_secs(86_400)), 100).await;
    }
    messages(&db, messages_due, scheduler.clock.now(), 0).await;
    let (cpu, begun) = (cpu_seconds(), Instant::now());
    let shutdown = scheduler.shutdown.clone();
    let running = tokio::spawn(scheduler.run());
    while count(&db, "sent").await < i64::try_from(messages_due).unwrap() {
        wait(Duration::from_millis(10)).await;
    }
    let time = begun.elapsed();
    println!("per_second {}", per_second(messages_due, time));
    println!("cpu_us {}", (cpu_seconds() - cpu) * 1e6 / per_second(messages_due, Duration::from_secs(1)));
    println!("peak_mib {}", peak_mib());
    shutdown.cancel();
    running.await.unwrap();
}

/// How late messages are that come due one by one, from their moment to that in which the server's answer is taken up:
/// a little more than their lateness at the server.
async fn lateness(scheduler: Scheduler, seconds: u64) {
    let db = scheduler.db.clone();
    let start = scheduler.clock.now().plus(Duration::from_secs(2));
    messages(&db, seconds * 100, start, 10).await;
    let shutdown = scheduler.shutdown.clone();
    let running = tokio::spawn(scheduler.run());
    while count(&db, "sent").await < i64::try_from(seconds * 100).unwrap() {
        wait(Duration::from_millis(200)).await;
    }
    let mut conn = db.read().await.unwrap();
    let mut late: Vec<i64> = match &mut conn {
        Conn::Sqlite(conn) => sqlx::query_scalar(LATE).fetch_all(&mut **conn).await.unwrap(),
        Conn::Postgres(conn) => sqlx::query_scalar(LATE).fetch_all(&mut **conn).await.unwrap(),
    };
    late.sort_unstable();
    let at = |percent: usize| late[(late.len() - 1) * percent / 100];
    println!("p50 {}\np99 {}\nmax {}", at(50), at(99), at(100));
    shutdown.cancel();
    running.await.unwrap();
}

/// What it costs to wait.
async fn idle(scheduler: Scheduler, seconds: u64) {
    let db = scheduler.db.clone();
    messages(&db, 100_000, scheduler.clock.now().plus(Duration::from_secs(86_400)), 100).await;
    let shutdown = scheduler.shutdown.clone();
    let running = tokio::spawn(scheduler.run());
    wait(Duration::from_secs(2)).await;
    let cpu = cpu_seconds();
    wait(Duration::from_secs(seconds)).await;
    println!("percent {}", (cpu_seconds() - cpu) / Duration::from_secs(seconds).as_secs_f64() * 100.0);
    println!("peak_mib {}", peak_mib());
    shutdown.cancel();
    running.await.unwrap();
}

/// CPU time of this process, in seconds (`/proc/self/stat`, in ticks of 10 ms).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
