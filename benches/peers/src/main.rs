//! The job of `cargo bench --bench dispatch`, done by other schedulers: `COUNT` messages that are due are posted to a
//! server, and the outcome of each is stored. The benchmark builds and starts this when `BENCH_PEERS=1`.
//!
//! `peers <graphile|apalis-postgres|apalis-sqlite> <burst|lateness> <server> <database>` prints lines of `name value`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use apalis::prelude::*;
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, TaskHandler, WorkerContext as GraphileContext, WorkerOptions,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, SqlitePool};

/// Requests at once.
const AT_ONCE: usize = 128;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A message to be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Message {
    number: String,
    text: String,
}

impl Message {
    fn due_at(millis: u128) -> Self {
        Self { number: "5511988887777".to_owned(), text: format!("due {millis}") }
    }

    async fn send(&self) -> Result<String, Failure> {
        static CLIENT: OnceLock<(reqwest::Client, String)> = OnceLock::new();
        let (client, url) = CLIENT.get_or_init(|| {
            let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build();
            (client.expect("a client"), format!("{}/message/sendText/i", argument(3)))
        });
        let answer = client.post(url).header("apikey", "bench-key").json(self).send().await?;
        if answer.status() != 201 {
            return Err(format!("status {}", answer.status()).into());
        }
        let body: serde_json::Value = serde_json::from_slice(&answer.bytes().await?)?;
        let id = body["key"]["id"].as_str().ok_or("no id")?;
        Ok(id.to_owned())
    }
}

impl TaskHandler for Message {
    const IDENTIFIER: &'static str = "message";

    async fn run(self, _: GraphileContext) -> impl IntoTaskHandlerResult {
        self.send().await.map(drop).map_err(|error| error.to_string())
    }
}

async fn apalis_send(message: Message) -> Result<String, BoxDynError> {
    message.send().await
}

fn argument(at: usize) -> String {
    std::env::args().nth(at).unwrap_or_default()
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

fn millis() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_millis())
}

/// What is to be sent, and when each is due: all at once, or 100 a second.
fn messages(late: bool) -> Vec<(Message, SystemTime)> {
    let start = millis() + if late { 3000 } else { 0 };
    let count = if late { number("BENCH_SECONDS", 20) * 100 } else { number("BENCH_COUNT", 20_000) };
    let due = |n: u64| start + if late { u128::from(n) * 10 } else { 0 };
    let at = |due: u128| SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(due).unwrap_or(0));
    (0..count).map(|n| (Message::due_at(due(n)), at(due(n)))).collect()
}

/// How many requests the server has had.
fn seen() -> Result<u64, Failure> {
    let url = argument(3);
    let mut server = TcpStream::connect(url.trim_start_matches("http://"))?;
    server.write_all(b"GET /seen HTTP/1.1\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    server.read_to_string(&mut answer)?;
    let body = answer.rsplit("\r\n\r\n").next().unwrap_or_default();
    Ok(body.split_whitespace().next().unwrap_or_default().parse()?)
}

/// Waits until all are sent and stored, and tells of it.
async fn until_done<F: Future<Output = Result<i64, Failure>>>(
    count: usize,
    mut open: impl FnMut() -> F,
) -> Result<(), Failure> {
    let begun = Instant::now();
    while tokio::task::spawn_blocking(seen).await?? < count as u64 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while open().await? > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let time = begun.elapsed();
    println!("per_second {}", count as f64 / time.as_secs_f64());
    println!("peak_mib {}", peak_mib()?);
    println!("cpu_us {}", cpu_seconds()? * 1e6 / count as f64);
    Ok(())
}

fn peak_mib() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).ok_or("no peak")?;
    Ok(line.split_whitespace().nth(1).ok_or("no peak")?.parse::<f64>()? / 1024.0)
}

fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no stat")?.1.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (late, database) = (argument(2) == "lateness", argument(4));
    match argument(1).as_str() {
        "graphile" => graphile(late, &database).await?,
        "apalis-postgres" => apalis_postgres(late, &database).await?,
        "apalis-sqlite" => apalis_sqlite(late, &database).await?,
        other => return Err(format!("{other:?} is no peer").into()),
    }
    // Their workers go on for ever.
    std::process::exit(0);
}

async fn graphile(late: bool, url: &str) -> Result<(), Failure> {
    let pool = PgPool::connect(url).await?;
    sqlx::raw_sql("DROP SCHEMA IF EXISTS graphile_worker CASCADE").execute(&pool).await?;
    // Tuned: fetches and completions in batches, as many jobs at once as ours has requests at one server.
    let worker = WorkerOptions::default()
        .database_url(url)
        .max_pg_conn(16)
        .concurrency(AT_ONCE)
        .poll_interval(Duration::from_millis(number("PEER_POLL_MS", 1)))
        .complete_job_batch_delay(Duration::from_millis(1))
        .local_queue(
            LocalQueueConfig::default()
                .with_size(usize::try_from(number("PEER_BATCH", 500))?)
                .with_queue_count(usize::try_from(number("PEER_QUEUES", 1))?),
        )
        .listen_os_shutdown_signals(false)
        .define_job::<Message>()
        .init()
        .await?;
    let all = messages(late);
    let count = all.len();
    let utils = worker.create_utils();
    for part in all.chunks(5000) {
        let specs: Vec<JobSpec> =
            part.iter().map(|(_, at)| JobSpec { run_at: Some((*at).into()), ..JobSpec::default() }).collect();
        let jobs: Vec<_> = part.iter().zip(&specs).map(|((message, _), spec)| (message.clone(), spec)).collect();
        utils.add_jobs(&jobs).await?;
    }
    sqlx::raw_sql("ANALYZE").execute(&pool).await?;
    let running = tokio::spawn(async move { worker.run().await.map_err(|error| error.to_string()) });
    until_done(count, || async {
        Ok(sqlx::query_scalar("SELECT COUNT(*) FROM graphile_worker._private_jobs").fetch_one(&pool).await?)
    })
    .await?;
    assert!(!running.is_finished(), "the worker ended");
    Ok(())
}

async fn apalis_postgres(late: bool, url: &str) -> Result<(), Failure> {
    use apalis_postgres::{Config, PostgresStorage, queries};
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(16).connect(url).await?;
    sqlx::raw_sql("DROP SCHEMA IF EXISTS apalis CASCADE").execute(&pool).await?;
    PostgresStorage::setup(&pool).await?;
    let all = messages(late);
    let count = all.len();
    for part in all.chunks(5000) {
        let tasks = part.iter().map(task).collect::<Result<Vec<_>, _>>()?;
        let mut conn = pool.acquire().await?;
        queries::push_tasks(&mut *conn, "messages", tasks).await?;
    }
    sqlx::raw_sql("ANALYZE").execute(&pool).await?;
    let config = Config::default().queue("messages").batch_size(usize::try_from(number("PEER_BATCH", 500))?);
    let backend = PostgresStorage::<Message>::new(&pool)
        .with_config(config)
        .poll_with_interval(Duration::from_millis(number("PEER_POLL_MS", 10)));
    let worker =
        WorkerBuilder::new("bench").backend(backend).concurrency(AT_ONCE).parallelize(tokio::spawn).build(apalis_send);
    let done = until_done(count, || async {
        Ok(sqlx::query_scalar("SELECT COUNT(*) FROM apalis.jobs WHERE status <> 'Done'").fetch_one(&pool).await?)
    });
    tokio::select! {
        done = done => done,
        ended = worker.run() => Err(format!("the worker ended: {ended:?}").into()),
    }
}

async fn apalis_sqlite(late: bool, path: &str) -> Result<(), Failure> {
    use apalis_sqlite::{Config, SqliteConnectOptions, SqliteStorage, queries};
    use sqlx::sqlite::{SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).busy_timeout(Duration::from_secs(10));
    let setup = SqlitePool::connect_with(options.clone()).await?;
    SqliteStorage::setup(&setup).await?;
    let all = messages(late);
    let count = all.len();
    for part in all.chunks(5000) {
        let tasks = part.iter().map(task).collect::<Result<Vec<_>, _>>()?;
        let mut conn = setup.begin().await?;
        queries::push_tasks(&mut *conn, "messages", &tasks).await?;
        conn.commit().await?;
    }
    setup.close().await;
    // As durable as ours: its own setup switches syncing off.
    let pool = SqlitePoolOptions::new()
        .max_connections(u32::try_from(number("PEER_CONNECTIONS", 1))?)
        .connect_with(options.synchronous(SqliteSynchronous::Full))
        .await?;
    let config = Config::default().queue("messages").batch_size(usize::try_from(number("PEER_BATCH", 500))?);
    let backend = SqliteStorage::<Message>::new(&pool)
        .with_config(config)
        .poll_with_interval(Duration::from_millis(number("PEER_POLL_MS", 10)));
    let worker =
        WorkerBuilder::new("bench").backend(backend).concurrency(AT_ONCE).parallelize(tokio::spawn).build(apalis_send);
    let done = until_done(count, || async {
        Ok(sqlx::query_scalar("SELECT COUNT(*) FROM Jobs WHERE status <> 'Done'").fetch_one(&pool).await?)
    });
    tokio::select! {
        done = done => done,
        ended = worker.run() => Err(format!("the worker ended: {ended:?}").into()),
    }
}

fn task((message, at): &(Message, SystemTime)) -> Result<Task<Vec<u8>>, Failure> {
    let at = at.duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    Ok(TaskBuilder::new(serde_json::to_vec(message)?).run_at_timestamp(at).build())
}
