//! The whole program, as people run it, against the server: what it costs to wait, to start anew after a kill, to send
//! much at once, and how fast it answers people, beside a bare echo bot.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use schedulezap::domain::clock::Clock;
use schedulezap::scheduler::ledger::Ledger;
use schedulezap::services::secrets::Keyring;
use schedulezap::storage::Database;
use teloxide::dispatching::UpdateFilterExt as _;
use teloxide::prelude::{Dispatcher, Message, Requester as _, Update};
use tempfile::TempDir;

use crate::process::{cpu_seconds, mib, peak_mib, wakeups};
use crate::server::Server;
use crate::{Figures, fill, number, sleep};

const TOKEN: &str = "7000001:token-of-the-benchmark";

/// A folder with a filled store, and the program that runs on it.
struct Program {
    dir: TempDir,
    store: String,
    url: String,
    child: Option<Child>,
}

impl Program {
    /// Fills a store, and starts nothing yet. What is filled in is told to [`fill`].
    fn new(store: &str, server: &Server, what: &str) -> Self {
        let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
        let store = match store {
            "sqlite" => format!("sqlite://{}", dir.path().join("bench.db").display()),
            url => url.to_owned(),
        };
        let filled = Command::new(std::env::current_exe().unwrap())
            .args(["--mode", "fill", what, &server.url(), &store])
            .arg(dir.path())
            .status()
            .unwrap();
        assert!(filled.success(), "the store could not be filled");
        Self { dir, store, url: server.url(), child: None }
    }

    fn start(&mut self) {
        let log = File::create(self.dir.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_schedulezap"))
            .arg("serve")
            .current_dir(self.dir.path())
            .env("TELEGRAM_BOT_TOKEN", TOKEN)
            .env("TELEGRAM_API_URL", &self.url)
            .env("DATABASE_URL", &self.store)
            .env("SECRET_KEY_FILE", self.dir.path().join("secret.key"))
            .env("HTTP_LISTEN", "127.0.0.1:0")
            .env("EVOLUTION_ALLOW_HOSTS", "loopback")
            .envs([("SEND_GAP_MS", "0"), ("SEND_PER_HOUR", "0"), ("SEND_PER_DAY", "0"), ("QUOTA_UPDATES_PER_MIN", "0")])
            .env("LOG", "warn")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Waits until it is so.
    fn until(&mut self, what: &str, mut so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !so() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            let log = || std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            assert!(ended.is_none(), "the program ended: {}", log());
            assert!(begun.elapsed() < Duration::from_secs(300), "it never came that {what}: {}", log());
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Fills a store for the program; a process of its own does that, so that nothing holds it afterwards.
pub async fn fill(what: &str, url: &str, store: &str, dir: &str) {
    let dir = Path::new(dir);
    let db = Database::open(store).await.unwrap();
    if store.starts_with("sqlite") {
        // A store without its ledger is taken for a copy.
        drop(Ledger::open(&dir.join("bench.db")).unwrap());
    } else {
        fill::empty(&db).await;
        fill::served(&db).await;
    }
    let keyring = Arc::new(Keyring::open_or_create(&dir.join("secret.key")).unwrap());
    keyring.check(&db).await.unwrap();
    fill::people(&db, &keyring, url, if what == "people" { 1000 } else { fill::INSTANCES }).await;
    let now = Clock::System.now();
    if what == "waiting" || what == "start" {
        fill::messages(&db, 100_000, now.plus(Duration::from_secs(86_400)), 100).await;
    }
    match what {
        "start" => fill::messages(&db, 6000, now.plus(Duration::from_secs(2)), 10).await,
        "due" => fill::messages(&db, number("BENCH_COUNT", 20_000), now, 0).await,
        _ => {}
    }
    db.close().await;
}

/// What the program costs while 100,000 messages wait.
pub fn idle(store: &str) -> Figures {
    let server = Server::start(0);
    let mut program = Program::new(store, &server, "waiting");
    program.start();
    sleep(Duration::from_secs(5));
    let (pid, seconds) = (program.pid(), number("BENCH_SECONDS", 20));
    let before = (cpu_seconds(pid), wakeups(pid), Instant::now());
    sleep(Duration::from_secs(seconds));
    let time = before.2.elapsed().as_secs_f64();
    Figures::from([
        ("percent".to_owned(), (cpu_seconds(pid) - before.0) / time * 100.0),
        ("wakeups".to_owned(), (wakeups(pid) - before.1) / time),
        ("mib".to_owned(), mib(pid)),
        ("peak_mib".to_owned(), peak_mib(pid)),
    ])
}

/// How long after its start the program sends, when it was killed while it sent and 100,000 wait.
pub fn start(store: &str) -> Figures {
    let server = Server::start(0);
    let mut program = Program::new(store, &server, "start");
    program.start();
    let mut took = Vec::new();
    for _ in 0..5 {
        program.until("it sends", || server.ask("/seen")[0] >= 100.0);
        program.kill();
        server.ask("/reset");
        let begun = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        program.start();
        program.until("it sends", || server.ask("/seen")[1] > 0.0);
        took.push(server.ask("/seen")[1] - begun.as_secs_f64() * 1000.0);
    }
    took.sort_by(f64::total_cmp);
    Figures::from([("median_ms".to_owned(), took[took.len() / 2]), ("most_ms".to_owned(), took[took.len() - 1])])
}

/// What the program needs while it sends many that are due at once, and tells people of each.
pub fn memory(store: &str) -> Figures {
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let count = number("BENCH_COUNT", 20_000) as f64;
    let server = Server::start(0);
    let mut program = Program::new(store, &server, "due");
    let begun = Instant::now();
    program.start();
    program.until("all is sent", || server.ask("/seen")[0] >= count);
    let time = begun.elapsed().as_secs_f64();
    // The reports come after.
    sleep(Duration::from_secs(5));
    Figures::from([("peak_mib".to_owned(), peak_mib(program.pid())), ("per_second".to_owned(), count / time)])
}

/// How fast updates of 1,000 chats are answered, and how long one takes at 500 a second: by ours, or by a bare echo bot.
pub fn updates(store: Option<&str>) -> Figures {
    let server = Server::start(0);
    let (_program, mut echo, pid);
    if let Some(store) = store {
        let mut program = Program::new(store, &server, "people");
        program.start();
        pid = program.pid();
        (_program, echo) = (Some(program), None);
    } else {
        let child =
            Command::new(std::env::current_exe().unwrap()).args(["--mode", "echo", &server.url()]).spawn().unwrap();
        pid = child.id();
        (_program, echo) = (None, Some(child));
    }
    let mut figures = Figures::new();
    // One to begin with: it is there.
    load(&server, 100, 100);
    let paced = load(&server, number("BENCH_SECONDS", 20) * 500, 500);
    figures.insert("p50".to_owned(), paced[3]);
    figures.insert("p99".to_owned(), paced[4]);
    figures.insert("max".to_owned(), paced[5]);
    // No more of a chat than it may be told at once.
    let cpu = cpu_seconds(pid);
    let full = load(&server, number("BENCH_UPDATES", 16_000), 0);
    figures.insert("per_second".to_owned(), full[0] / full[1]);
    figures.insert("cpu_us".to_owned(), (cpu_seconds(pid) - cpu) * 1e6 / full[0]);
    figures.insert("full_p99".to_owned(), full[4]);
    figures.insert("peak_mib".to_owned(), peak_mib(pid));
    if let Some(echo) = &mut echo {
        echo.kill().unwrap();
        echo.wait().unwrap();
    }
    figures
}

/// Lets updates come, and waits until all are answered.
fn load(server: &Server, count: u64, rate: u64) -> Vec<f64> {
    server.ask(&format!("/load?{count},{rate},1000"));
    let begun = Instant::now();
    loop {
        let answered = server.ask("/answered");
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        if answered[0] >= count as f64 {
            return answered;
        }
        assert!(begun.elapsed() < Duration::from_secs(300), "updates were not answered: {answered:?}");
        sleep(Duration::from_millis(20));
    }
}

/// A bot that says what it was told, as teloxide's first example does.
pub async fn echo(url: &str) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let bot = teloxide::Bot::with_client(TOKEN, client).set_api_url(url.parse().unwrap());
    let answer = Update::filter_message().endpoint(|bot: teloxide::Bot, message: Message| async move {
        bot.send_message(message.chat.id, message.text().unwrap_or_default()).await?;
        Ok::<(), teloxide::RequestError>(())
    });
    Dispatcher::builder(bot, answer).build().dispatch().await;
}
