//! The scheduler by itself: how fast it sends what is due, and how late.

use std::sync::Arc;
use std::time::{Duration, Instant};

use schedulezap::domain::clock::Clock;
use schedulezap::domain::instance::{ApiKey, InstanceName, ServerUrl};
use schedulezap::domain::retry::RetryPolicy;
use schedulezap::evolution::Evolution;
use schedulezap::evolution::policy::AllowHosts;
use schedulezap::scheduler::ledger::Ledger;
use schedulezap::scheduler::{Scheduler, Settings};
use schedulezap::services::secrets::Keyring;
use schedulezap::storage::Database;
use schedulezap::storage::wake::Wake;
use tokio_util::sync::CancellationToken;

use crate::server::ask;
use crate::{AT_ONCE, SLOWLY_AT_ONCE, cpu_seconds, fill, number, peak_mib, per_second, wait};

/// How long a measurement may take: more is a hang.
const PATIENCE: Duration = Duration::from_secs(300);

/// The limit: the same requests and nothing else.
pub async fn bare(url: &str, count: u64) {
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
                    evolution.send_text(&server, &key, &name, "5511988887777", "due 0").await.unwrap();
                }
            })
        })
        .collect();
    for one in loops {
        one.await.unwrap();
    }
    println!("per_second {}", per_second(count, begun.elapsed()));
    println!("cpu_us {}", cpu_seconds() * 1e6 / per_second(count, Duration::from_secs(1)));
}

/// One figure of ours: `burst`, `lateness`, or both beside a million that wait.
pub async fn ours(mode: &str, url: &str, store: &str) {
    // On the disk that the project is on: a folder in memory would make its commits free.
    let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
    let path = dir.path().join("bench.db");
    let (db, ledger) = if store == "sqlite" {
        let db = Database::open(&format!("sqlite://{}", path.display())).await.unwrap();
        // Twice: a store without its ledger is taken for a copy.
        drop(Ledger::open(&path).unwrap());
        (db, Ledger::open(&path).unwrap())
    } else {
        let db = Database::open(store).await.unwrap();
        fill::empty(&db).await;
        fill::served(&db).await;
        (db, Ledger::default())
    };
    let keyring = Arc::new(Keyring::generate());
    fill::people(&db, &keyring, url, fill::INSTANCES).await;
    let scheduler = Scheduler {
        db: db.clone(),
        clock: Clock::System,
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
            // One server has at most half of them.
            in_flight: 2 * if mode == "slow" { SLOWLY_AT_ONCE } else { AT_ONCE },
        },
        wake: Wake::new(&db),
        reported: Arc::default(),
        lookups: Arc::default(),
        ledger,
        stamp: schedulezap::scheduler::stamp::Stamp::default(),
        guard: schedulezap::domain::guard::Guard::default(),
        well: schedulezap::domain::well::Well::default(),
        holder: "bench".to_owned(),
        shutdown: CancellationToken::new(),
    };
    let (count, seconds) = (number("BENCH_COUNT", 20_000), number("BENCH_SECONDS", 20));
    if mode.starts_with("beside") {
        let later = Clock::System.now().plus(Duration::from_secs(86_400));
        fill::messages(&db, number("BENCH_BESIDE", 1_000_000), later, 100).await;
    }
    if mode.ends_with("burst") || mode == "slow" {
        burst(scheduler, url, count).await;
    } else {
        lateness(scheduler, url, seconds).await;
    }
}

/// How long until all of `count` messages that are due at once are sent and written down.
async fn burst(scheduler: Scheduler, url: &str, count: u64) {
    let db = scheduler.db.clone();
    let now = scheduler.clock.now();
    fill::messages(&db, count, now, 0).await;
    let (cpu, begun) = (cpu_seconds(), Instant::now());
    let shutdown = scheduler.shutdown.clone();
    let running = tokio::spawn(scheduler.run());
    until_stored(&db, url, count).await;
    let time = begun.elapsed();
    println!("per_second {}", per_second(count, time));
    println!("cpu_us {}", (cpu_seconds() - cpu) * 1e6 / per_second(count, Duration::from_secs(1)));
    println!("peak_mib {}", peak_mib());
    println!("at_once {}", ask(url, "/seen")[2]);
    shutdown.cancel();
    running.await.unwrap();
}

/// How late messages come to the server that are due one by one.
async fn lateness(scheduler: Scheduler, url: &str, seconds: u64) {
    let db = scheduler.db.clone();
    let start = Clock::System.now().plus(Duration::from_secs(3));
    fill::messages(&db, seconds * 100, start, 10).await;
    let shutdown = scheduler.shutdown.clone();
    let running = tokio::spawn(scheduler.run());
    until_stored(&db, url, seconds * 100).await;
    let late = ask(url, "/lateness");
    assert!(late[0] >= 0.0, "something was early");
    println!("p50 {}\np99 {}\nmax {}", late[1], late[2], late[3]);
    shutdown.cancel();
    running.await.unwrap();
}

/// Waits until the server has had them all, and then until all outcomes are stored: a look at the store costs it time.
async fn until_stored(db: &Database, url: &str, count: u64) {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "not all messages left");
        let url = url.to_owned();
        let seen = tokio::task::spawn_blocking(move || ask(&url, "/seen")[0]).await.unwrap();
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        if seen >= count as f64 {
            break;
        }
        wait(Duration::from_millis(10)).await;
    }
    let sql = "SELECT COUNT(*) FROM message_attempts WHERE outcome = 'sent'";
    while fill::count(db, sql).await < i64::try_from(count).unwrap() {
        assert!(begun.elapsed() < PATIENCE, "not all outcomes were stored");
        wait(Duration::from_millis(2)).await;
    }
}
