//! Drives a whole bot as people do, against the simulated Telegram and Evolution API, with time moved by hand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use schedulezap::app::App;
use schedulezap::config::{Cli, Config};
use schedulezap::domain::clock::{Clock, Moment};
use schedulezap::sandbox::evolution::EvolutionServer;
use schedulezap::sandbox::telegram::{Person, Shown, Telegram};
use schedulezap::services::passwords::Hasher;
use schedulezap::storage::{Conn, Database, StorageError};
use schedulezap::telegram::Context;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const TOKEN: &str = "7000001:token-of-the-tests";
/// The simulated server's global key.
pub const KEY: &str = "global-key-of-the-tests";

/// A bot that runs, with the world around it.
pub struct World {
    pub telegram: Telegram,
    pub evolution: EvolutionServer,
    pub clock: Clock,
    pub url: String,
    pub db: Database,
    /// Where the bot serves health.
    pub http: SocketAddr,
    /// The running bot's own door to Telegram, and its services.
    pub door: Arc<Context>,
    /// Taps that nobody will answer any more.
    forsaken: AtomicUsize,
    config: Config,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<anyhow::Result<()>>>,
    _dir: TempDir,
}

/// Wednesday 11 March 2026, 14:20 in São Paulo.
pub const START: Moment = Moment(1_773_249_600_000);

pub async fn database(dir: &TempDir) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Ok(server) = std::env::var("TEST_DATABASE_URL") else {
        return format!("sqlite://{}/test.db", dir.path().display());
    };
    let name = format!("story_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let admin = sqlx::PgPool::connect(&server).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin).await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}

impl World {
    /// Starts everything, at [`START`].
    pub async fn start() -> Self {
        Self::start_with(Clock::manual(START), |_| {}).await
    }

    /// Starts everything by this clock, with settings changed.
    pub async fn start_with(clock: Clock, tune: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let telegram = Telegram::new(TOKEN, "story_bot");
        let evolution = EvolutionServer::new(KEY);
        evolution.add_instance("loja", "5511912345678", true);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = telegram.router().nest("/evolution", evolution.router());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut config = <Cli as clap::Parser>::parse_from(["schedulezap"]).config;
        config.token = Some(TOKEN.into());
        config.telegram_api_url = origin.parse().unwrap();
        config.database_url = database(&dir).await;
        config.secret_key_file = dir.path().join("secret.key");
        tune(&mut config);
        evolution.set_clock(clock.clone());
        telegram.set_clock(clock.clone());
        let (door, http, stop, running) = Self::run(&config, &clock).await;
        Self {
            telegram,
            evolution,
            clock,
            url: format!("{origin}/evolution"),
            db: door.db.clone(),
            door,
            http,
            forsaken: AtomicUsize::new(0),
            config,
            stop: Some(stop),
            running: Some(running),
            _dir: dir,
        }
    }

    async fn run(
        config: &Config,
        clock: &Clock,
    ) -> (Arc<Context>, SocketAddr, oneshot::Sender<()>, JoinHandle<anyhow::Result<()>>) {
        let app = App::build(config, clock.clone(), Hasher::cheap()).await.unwrap();
        let door = Arc::clone(&app.telegram);
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = listener.local_addr().unwrap();
        let running = tokio::spawn(app.run(Some(listener), async {
            // A dropped sender stops it too.
            let _ = stopped.await;
        }));
        (door, http, stop, running)
    }

    /// Stops the bot and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.end().await;
        let (door, http, stop, running) = Self::run(&self.config, &self.clock).await;
        self.http = http;
        self.db = door.db.clone();
        (self.door, self.stop, self.running) = (door, Some(stop), Some(running));
    }

    /// Stops the bot; the world around it stays.
    pub async fn end(&mut self) {
        self.stop.take();
        if let Some(running) = self.running.take() {
            running.await.unwrap().unwrap();
        }
    }

    /// A person with an account: the first becomes administrator, others are let in by an invite.
    pub async fn member(&self, name: &str, language: &str) -> Person {
        let person = self.telegram.person(name, language);
        let code = match self.door.services.accounts.claim_link_code().await.unwrap() {
            Some(code) => code,
            None => {
                let admin = self
                    .door
                    .services
                    .accounts
                    .find_account(schedulezap::domain::ids::AccountId(1))
                    .await
                    .unwrap()
                    .unwrap();
                self.door.services.accounts.make_invite(&admin).await.unwrap()
            }
        };
        person.opens(&code);
        let (create, username, password, done) = match language {
            "en" => ("Create account", "Choose a username", "Now a password", "created"),
            "es" => ("Crear cuenta", "Elija un nombre", "Ahora una contraseña", "creada"),
            _ => ("Criar conta", "Escolha um nome", "Agora uma senha", "criada"),
        };
        person.sees("ScheduleZAP").await;
        person.taps(create).unwrap();
        person.sees(username).await;
        person.says(&name.to_lowercase());
        person.sees(password).await;
        person.says("cavalo bateria grampo certo");
        person.sees(done).await;
        // Who speaks another language than most is asked for their zone; these stories go by São Paulo's clocks.
        if person.taps("São Paulo").is_ok() {
            person.sees("BR (+55)").await;
        }
        person
    }

    /// Adds the simulated server's instance `loja` as the person's active one.
    pub async fn with_instance(&self, person: &Person) {
        self.with_instance_named(person, "loja").await;
    }

    /// Adds an instance of the simulated server as the person's active one.
    pub async fn with_instance_named(&self, person: &Person, name: &str) {
        person.says("/instancias");
        person.sees("Nenhuma ainda").await;
        person.taps("Nova instância").unwrap();
        person.sees("Como quer chamar").await;
        person.says("Loja");
        person.sees("Qual é o endereço").await;
        person.says(&self.url);
        person.sees("chave de API").await;
        person.says(KEY);
        person.sees("Encontrei estas").await;
        person.taps(name).unwrap();
        person.sees("WhatsApp conectado").await;
        person.taps("Salvar").unwrap();
        person.sees("salva").await;
    }

    /// Waits until every update that came was handled.
    pub async fn handled(&self) {
        self.until_none("SELECT COUNT(*) FROM inbox WHERE status = 'waiting'", Duration::ZERO).await;
    }

    /// Waits until all that is to be said was said, reports too, and moves the clock for it.
    pub async fn said(&self) {
        let unsaid = "SELECT (SELECT COUNT(*) FROM outbox WHERE status = 'waiting') + (SELECT COUNT(*) FROM reports)";
        self.until_none(unsaid, Duration::from_secs(5)).await;
    }

    async fn until_none(&self, sql: &'static str, step: Duration) {
        while self.telegram.pending() > 0 || self.count(sql).await > 0 {
            let seen = self.telegram.revision();
            self.breath().await;
            // Time is what it waits for only when nothing goes on by itself.
            if self.telegram.revision() == seen {
                self.advance(step);
            }
        }
    }

    /// Lets the bot work for a moment: until something changes in a chat, or some milliseconds; and, however slow the
    /// machine, until what it was writing is written. Time that a story moves step by step goes no faster than that.
    pub async fn breath(&self) {
        let seen = self.telegram.revision();
        for _ in 0..3 {
            // It may fail where a story has filled or closed the store.
            let _: Result<(), StorageError> = self
                .db
                .write(|conn| {
                    Box::pin(async move { conn.execute("UPDATE meta SET value = value WHERE name = ''").await })
                })
                .await;
        }
        let _ = tokio::time::timeout(Duration::from_millis(20), self.telegram.changed_after(seen)).await;
    }

    /// Lets time pass in steps until it is so.
    pub async fn until(&self, step: Duration, so: impl Fn() -> bool) {
        while !so() {
            self.advance(step);
            self.breath().await;
        }
    }

    /// Asks the bot's database for a number.
    pub async fn count(&self, sql: &'static str) -> i64 {
        match &mut self.db.read().await.unwrap() {
            Conn::Sqlite(conn) => sqlx::query_scalar(sql).fetch_one(&mut **conn).await.unwrap(),
            Conn::Postgres(conn) => sqlx::query_scalar(sql).fetch_one(&mut **conn).await.unwrap(),
        }
    }

    /// Changes what is stored, as an administrator or an older version might have.
    pub async fn does(&self, sql: &'static str) {
        let done: Result<(), StorageError> =
            self.db.write(move |conn| Box::pin(async move { conn.execute(sql).await })).await;
        done.unwrap();
    }

    /// Moves the clock. Taps have their answers before: they are worth nothing a minute later.
    pub fn advance(&self, by: Duration) {
        let forsaken = self.forsaken.load(Ordering::Relaxed);
        if by >= Duration::from_secs(5) && self.running.is_some() && self.telegram.unanswered() > forsaken {
            let answered = async {
                loop {
                    let seen = self.telegram.revision();
                    if self.telegram.unanswered() <= forsaken {
                        return;
                    }
                    self.telegram.changed_after(seen).await;
                }
            };
            let wait = tokio::time::timeout(Duration::from_secs(10), answered);
            let done = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(wait));
            if done.is_err() {
                self.forsaken.store(self.telegram.unanswered(), Ordering::Relaxed);
            }
        }
        self.clock.advance(by);
    }

    /// Ends the story: nothing may have broken a rule of the Bot API, and no tap may be unanswered.
    pub async fn finish(mut self, people: &[&Person]) {
        // What the last turns said may be under way; the end itself waits for it some seconds only.
        let answered = async {
            loop {
                let seen = self.telegram.revision();
                if people.iter().all(|person| person.unanswered() == 0) {
                    return;
                }
                self.telegram.changed_after(seen).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(30), answered).await;
        self.end().await;
        assert_eq!(self.telegram.violations(), Vec::<String>::new());
        for person in people {
            assert_eq!(person.unanswered(), 0, "a tap was not answered");
        }
    }
}

/// How much is done: little in every run; a variable of this name asks for more.
pub fn amount(name: &str, little: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(little)
}

/// Says that something cannot be tried here.
#[expect(clippy::print_stdout, reason = "who runs the tests is told")]
pub fn skipped(why: &str) {
    println!("skipped: {why}");
}

/// How long anything may take before it is said to hang: long enough for a machine that has much else to do.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// Fails a story that hangs.
pub async fn within<T>(story: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, story).await.expect("the story hangs")
}

/// The data of a key of a card.
pub fn data(card: &Shown, label: &str) -> String {
    let found = card.rows.iter().flatten().find(|key| key.label.contains(label));
    found.unwrap_or_else(|| panic!("no key says {label:?}: {card:#?}")).data.clone().unwrap()
}
