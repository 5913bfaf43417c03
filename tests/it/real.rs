//! The real binary as a process, between a simulated Telegram and a simulated Evolution API of the test's own.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use schedulezap::domain::clock::{Clock, Moment};
use schedulezap::sandbox::evolution::{EvolutionServer, Faults};
use schedulezap::sandbox::telegram::{Person, Telegram};
use schedulezap::services::instances::key_context;
use schedulezap::services::secrets::Keyring;
use schedulezap::storage::{Conn, Database, StorageError};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::harness::{KEY, TOKEN, database};

/// The real program: the one that was built for the tests, or `TEST_PROGRAM`, such as an optimised one.
pub fn program() -> PathBuf {
    std::env::var_os("TEST_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_schedulezap").into(), PathBuf::from)
}

/// The world around the process, and where its data are.
pub struct Real {
    pub telegram: Telegram,
    pub evolution: EvolutionServer,
    pub people: Vec<Person>,
    pub url: String,
    pub settings: Vec<(&'static str, String)>,
    origin: String,
    dir: TempDir,
}

/// How many messages a person was told were sent: one by one, or in a digest.
fn reported(person: &Person) -> usize {
    let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).find_map(|word| word.parse().ok());
    let told = |text: &str| -> usize {
        let head = text.lines().next().unwrap_or_default();
        match head {
            _ if head.contains("Enviada para") => 1,
            _ if head.contains("Enviando: ") || head.contains("enviada") => number(head).unwrap_or(0),
            _ => 0,
        }
    };
    person.chat().iter().filter(|m| m.from_bot).map(|m| told(&m.text)).sum()
}

/// What each person's cards say of what was sent, for a failure that tells why.
pub fn heads(people: &[Person]) -> Vec<Vec<String>> {
    let head = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    people.iter().map(|one| one.chat().iter().filter(|m| m.from_bot).map(|m| head(&m.text)).collect()).collect()
}

impl Real {
    /// Waits until people were told of so many sent messages.
    pub async fn until_told(&self, messages: usize) {
        let begun = std::time::Instant::now();
        loop {
            let told: usize = self.people.iter().map(reported).sum();
            if told >= messages {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "told of {told}: {:#?}", heads(&self.people));
            self.breath().await;
        }
    }

    /// A world with this many people; each has an account with an active instance. No process runs yet.
    pub async fn new(people: i64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = database(&dir).await;
        Self::at(people, dir, url).await
    }

    /// The same with its data in this folder and this database.
    pub async fn at(people: i64, dir: TempDir, url: String) -> Self {
        let telegram = Telegram::new(TOKEN, "real_bot");
        let evolution = EvolutionServer::new(KEY);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = telegram.router().nest("/evolution", evolution.router());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let settings = [
            ("SEND_GAP_MS", "0"),
            ("SEND_PER_HOUR", "0"),
            ("SEND_PER_DAY", "0"),
            ("SETTLE_TIME", "2s"),
            ("LEASE", "4s"),
        ];
        let settings = settings.map(|(name, value)| (name, value.to_owned())).to_vec();
        let mut real = Self { telegram, evolution, people: Vec::new(), url, settings, origin, dir };
        let keyring = Keyring::open_or_create(&real.dir.path().join("secret.key")).unwrap();
        let db = real.database().await;
        keyring.check(&db).await.unwrap();
        for n in 1..=people {
            let person = real.telegram.person(&format!("Pessoa {n}"), "pt-br");
            let (name, server, chat) = (format!("i{n}"), real.server(), person.id());
            real.evolution.add_instance(&name, &format!("55119{:08}", 10_000_000 + n), true);
            let key =
                keyring.seal(&key_context(schedulezap::domain::ids::AccountId(n), &server, &name), KEY.as_bytes());
            let done: Result<(), StorageError> = db
                .write(move |conn| {
                    Box::pin(async move {
                        run(conn, &format!("INSERT INTO users (id, username, password_hash, role, locale, time_zone, region, created_at, updated_at)
                             VALUES ({n}, 'p{n}', '', 'user', 'pt-BR', 'America/Sao_Paulo', 'BR', 0, 0)")).await;
                        run(conn, &format!("INSERT INTO chat_users (telegram_user_id, chat_id, account_id, locale, linked_at, created_at)
                             VALUES ({chat}, {chat}, {n}, 'pt-BR', 0, 0)")).await;
                        run(conn, &format!("INSERT INTO user_instances (id, user_id, name, api_url, instance_name, api_key, api_key_hint, is_active,
                             created_at, updated_at) VALUES ({n}, {n}, 'Loja {n}', '{server}', '{name}', '{key}', '', TRUE, 0, 0)")).await;
                        Ok(())
                    })
                })
                .await;
            done.unwrap();
            // A bot may write only to those who wrote to it.
            person.says("/menu");
            real.people.push(person);
        }
        db.close().await;
        real
    }

    /// The process' database; only while it does not run, or to read.
    pub async fn database(&self) -> Database {
        Database::open(&self.url).await.unwrap()
    }

    /// Writes messages down, due at `at`, in turn for each person, with the texts `m1`, `m2` and so on.
    pub async fn schedule(&self, count: i64, at: Moment) {
        self.schedule_as("m", count, at).await;
    }

    /// The same with other texts.
    pub async fn schedule_as(&self, text: &'static str, count: i64, at: Moment) {
        self.schedule_every(text, count, at, Duration::ZERO).await;
    }

    /// The same, one after the other.
    /// No number ends in 0000: the simulated server takes those for numbers without WhatsApp.
    pub async fn schedule_every(&self, text: &'static str, count: i64, at: Moment, step: Duration) {
        let people: Vec<i64> = self.people.iter().map(Person::id).collect();
        let (first, many) = (people[0], people.len());
        let (now, step) = (Clock::System.now().0, step.as_millis());
        let series = if self.url.starts_with("sqlite") {
            format!("WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {count})")
        } else {
            format!("WITH s(n) AS (SELECT generate_series(0, {count} - 1))")
        };
        self.execute(format!(
            "INSERT INTO scheduled_messages (user_id, recipient, message, scheduled_time, time_zone, due_at, status, chat_id,
                 created_at, updated_at)
             {series} SELECT n % {many} + 1, CAST(5511911000001 + n * 10 AS TEXT), '{text}' || (n + 1), {at} + n * {step}, 'UTC',
                 {at} + n * {step}, 'scheduled', {first} + n % {many}, {now}, {now} FROM s",
            at = at.0
        ))
        .await;
    }

    /// Runs SQL on the process' database.
    pub async fn execute(&self, sql: String) {
        let db = self.database().await;
        let done: Result<(), StorageError> = db
            .write(move |conn| {
                Box::pin(async move {
                    run(conn, &sql).await;
                    Ok(())
                })
            })
            .await;
        done.unwrap();
        db.close().await;
    }

    /// The address of the simulated Evolution API.
    pub fn server(&self) -> String {
        format!("{}/evolution", self.origin)
    }

    /// Moves a person's instance to another server.
    pub async fn move_to(&self, person: i64, server: &str) {
        let keyring = Keyring::open_or_create(&self.dir.path().join("secret.key")).unwrap();
        let context = key_context(schedulezap::domain::ids::AccountId(person), server, &format!("i{person}"));
        let key = keyring.seal(&context, KEY.as_bytes());
        self.execute(format!("UPDATE user_instances SET api_url = '{server}', api_key = '{key}' WHERE id = {person}"))
            .await;
    }

    /// Starts the process.
    pub fn start(&self) -> Process {
        self.start_with(&[])
    }

    /// Starts the process with settings of its own besides.
    pub fn start_with(&self, settings: &[(&str, &str)]) -> Process {
        let mut command = self.run(&["serve"]);
        let log = self.file(&format!("log-{}", rand::random::<u32>()));
        let file = File::create(&log).unwrap();
        command.envs(settings.iter().copied()).stdout(file.try_clone().unwrap()).stderr(file);
        Process(Some(command.spawn().unwrap()), log)
    }

    /// Runs one of the short commands.
    pub fn command(&self, args: &[&str]) -> ExitStatus {
        self.run(args).status().unwrap()
    }

    /// Runs one of the short commands; what it ended with, and what it said on standard output and as an error.
    pub fn output(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let ended = self.run(args).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (ended.status.code(), text(ended.stdout), text(ended.stderr))
    }

    fn run(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(args).env_clear().current_dir(self.dir.path());
        command.env("TELEGRAM_BOT_TOKEN", TOKEN).env("TELEGRAM_API_URL", &self.origin).env("DATABASE_URL", &self.url);
        command.env("SECRET_KEY_FILE", self.dir.path().join("secret.key")).env("HTTP_LISTEN", "127.0.0.1:0");
        command.env("LOG", "warn").envs(self.settings.iter().map(|(name, value)| (*name, value.as_str())));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Everything slower than a kill.
    pub fn is_slow(&self, by: Duration) {
        self.evolution.set_slowness(by);
        self.evolution.set_faults(Faults { slow: true, ..Faults::default() });
    }

    /// Waits until something changes in a chat, or a moment: it may have changed just before.
    pub async fn breath(&self) {
        let seen = self.telegram.revision();
        let _ = tokio::time::timeout(Duration::from_millis(200), self.telegram.changed_after(seen)).await;
    }

    /// How many messages stand in each status.
    pub async fn statuses(&self) -> Vec<(String, i64)> {
        let db = self.database().await;
        let mut conn = db.read().await.unwrap();
        let rows = match &mut conn {
            Conn::Sqlite(conn) => sqlx::query_as(STATUSES).fetch_all(&mut **conn).await.unwrap(),
            Conn::Postgres(conn) => sqlx::query_as(STATUSES).fetch_all(&mut **conn).await.unwrap(),
        };
        drop(conn);
        db.close().await;
        rows
    }

    /// Texts that WhatsApp got more than once.
    pub fn doubled(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.evolution.delivered().into_iter().map(|one| one.text).collect();
        texts.sort();
        texts.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0].clone()).collect()
    }

    /// A file in the data's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

pub const STATUSES: &str = "SELECT status, COUNT(*) FROM scheduled_messages GROUP BY status ORDER BY status";

async fn run(conn: &mut Conn, sql: &str) {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    match conn {
        Conn::Sqlite(conn) => sqlx::raw_sql(sql).execute(&mut **conn).await.map(drop).unwrap(),
        Conn::Postgres(conn) => sqlx::raw_sql(sql).execute(&mut **conn).await.map(drop).unwrap(),
    }
}

/// A running server; it is killed when dropped.
pub struct Process(Option<Child>, PathBuf);

impl Process {
    /// Ends it as a crash does.
    pub fn kill(mut self) {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it to end, and waits.
    pub fn ask_to_end(mut self, signal: &str) -> ExitStatus {
        let mut child = self.0.take().unwrap();
        self::signal(&child, signal);
        child.wait().unwrap()
    }

    /// Waits for a start that fails; what it ended with, and what it said.
    pub fn fails(mut self) -> (Option<i32>, String) {
        let code = self.0.take().unwrap().wait().unwrap().code();
        (code, self.log())
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    /// Waits until it has logged this.
    pub async fn logs(&self, what: &str) -> String {
        loop {
            let log = self.log();
            if log.contains(what) {
                return log;
            }
            Clock::System.sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.1).unwrap()
    }

    /// Sends it a signal: `STOP` freezes it, `CONT` lets it go on.
    pub fn signal(&self, signal: &str) {
        self::signal(self.0.as_ref().unwrap(), signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success());
}
