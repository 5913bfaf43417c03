//! Puts the parts together once, runs them, and stops them in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::guard::Guard;
use crate::domain::retry::RetryPolicy;
use crate::domain::well::Well;
use crate::evolution::Evolution;
use crate::evolution::policy::AllowHosts;
use crate::http::health::Health;
use crate::scheduler::ledger::Ledger;
use crate::scheduler::stamp::Stamp;
use crate::scheduler::{self, Scheduler, Settings};
use crate::services::Services;
use crate::services::accounts::{self, Accounts, SignUp};
use crate::services::instances::Instances;
use crate::services::lock::DatabaseLock;
use crate::services::messages::Messages;
use crate::services::on_server::Creating;
use crate::services::passwords::Hasher;
use crate::services::secrets::Keyring;
use crate::services::series::AllSeries;
use crate::services::zone_rules::{Rules, ZoneRules};
use crate::storage::Database;
use crate::storage::wake::Wake;
use crate::telegram::api::Api;
use crate::telegram::{self, Context};

/// The whole program, built and not yet running.
#[derive(Debug)]
pub struct App {
    /// The door to Telegram.
    pub telegram: Arc<Context>,
    /// The worker.
    pub scheduler: Scheduler,
    /// How the parts are.
    pub health: Arc<Health>,
    /// Brings what waits to the rules of time zones of this program.
    pub rules: ZoneRules,
    _lock: Option<DatabaseLock>,
}

/// Opens what is stored: the database and the keys that belong to it.
pub async fn open(config: &Config) -> Result<(Database, Arc<Keyring>)> {
    config.make_data_dir().context("DATABASE_URL: its folder")?;
    let db = Database::open(&config.database_url).await.context("DATABASE_URL")?;
    let keyring = Keyring::open_or_create(&config.secret_key_file).context("SECRET_KEY_FILE")?;
    keyring.check(&db).await.context("SECRET_KEY_FILE")?;
    Ok((db, Arc::new(keyring)))
}

/// The accounts' service by itself, for the short commands.
pub fn accounts(config: &Config, db: &Database, keyring: &Arc<Keyring>, clock: &Clock, hasher: Hasher) -> Accounts {
    let settings = accounts::Settings {
        signup: config.signup,
        language: config.default_locale,
        zone: config.default_time_zone,
        region: config.default_region.clone(),
        quota_chats: config.quotas.chats,
        grace: config.late_grace,
    };
    Accounts {
        db: db.clone(),
        clock: clock.clone(),
        keyring: Arc::clone(keyring),
        hasher,
        settings,
        reported: Arc::default(),
        wake: Wake::new(db),
    }
}

/// What is known of a PostgreSQL database from one start to the next, beside the secret key.
fn stamp(config: &Config) -> Stamp {
    if config.sqlite_path().is_some() {
        return Stamp::default();
    }
    Stamp::open(&config.secret_key_file.with_file_name("replica")).unwrap_or_else(|error| {
        tracing::info!(error = %error, "no file beside the secret key can be kept: an older copy of the data directory that is put back while nothing runs is not known for one");
        Stamp::default()
    })
}

/// How long the first message waits for an answer of Telegram, which says what time it is.
const FIRST_WORD: Duration = Duration::from_millis(600);

/// Sends what comes due. A machine may start with its clock ahead: Telegram's first answer tells.
async fn keep_sending(scheduler: Scheduler) {
    tokio::select! {
        () = scheduler.guard.heard() => {}
        () = scheduler.clock.sleep(FIRST_WORD) => {}
        () = scheduler.shutdown.cancelled() => {}
    }
    scheduler.run().await;
}

impl App {
    /// Builds every part; nothing runs yet.
    pub async fn build(config: &Config, clock: Clock, hasher: Hasher) -> Result<Self> {
        config.make_data_dir().context("DATABASE_URL: its folder")?;
        let lock = config.sqlite_path().map(DatabaseLock::take).transpose()?;
        let (db, keyring) = open(config).await?;
        let allow = match (&config.allow_hosts, config.signup) {
            (Some(list), _) => list.as_str(),
            (None, SignUp::Open) => "",
            (None, SignUp::Invite | SignUp::Closed) => "loopback,private",
        };
        let evolution = Evolution::new(AllowHosts::parse(allow).context("EVOLUTION_ALLOW_HOSTS")?)?;
        let (wake, reported) = (Wake::new(&db), Arc::new(Notify::new()));
        let ledger = match config.sqlite_path() {
            Some(path) => Ledger::open(path).context("DATABASE_URL: the ledger beside it")?,
            None => Ledger::default(),
        };
        let services = Services {
            accounts: Accounts {
                reported: Arc::clone(&reported),
                wake: wake.clone(),
                ..accounts(config, &db, &keyring, &clock, hasher)
            },
            instances: Instances {
                db: db.clone(),
                clock: clock.clone(),
                keyring: Arc::clone(&keyring),
                evolution: evolution.clone(),
                wake: wake.clone(),
                quota: config.quotas.instances,
                grace: config.late_grace,
                creating: Creating::default(),
                reported: Arc::clone(&reported),
            },
            messages: Messages {
                db: db.clone(),
                clock: clock.clone(),
                wake: wake.clone(),
                quota: config.quotas.pending,
                reported: Arc::clone(&reported),
            },
            series: AllSeries {
                db: db.clone(),
                clock: clock.clone(),
                wake: wake.clone(),
                quota: config.quotas.pending,
            },
        };
        let token = config.token.clone().ok_or_else(|| {
            anyhow!("TELEGRAM_BOT_TOKEN is not set: get a token from @BotFather, or try `schedulezap demo`")
        })?;
        let shutdown = CancellationToken::new();
        let guard = Guard::default();
        let api = Api::new(config.telegram_api_url.as_str(), token)?.witnessed_by(guard.clone(), clock.clone());
        let scheduler = Scheduler {
            db: db.clone(),
            clock: clock.clone(),
            evolution,
            keyring: Arc::clone(&keyring),
            settings: Settings {
                grace: config.late_grace,
                lease: config.lease,
                settle: config.settle_time,
                gap: config.send_gap,
                per_hour: config.send_per_hour.into(),
                per_day: config.send_per_day.into(),
                retry: RetryPolicy::default(),
                in_flight: 256,
            },
            wake,
            reported,
            lookups: Arc::new(Notify::new()),
            ledger,
            stamp: stamp(config),
            well: Well::default(),
            guard: guard.clone(),
            holder: format!("{:016x}", rand::random::<u64>()),
            shutdown: shutdown.clone(),
        };
        let quota = u32::try_from(config.quotas.updates_per_min).unwrap_or(u32::MAX);
        let (store, time) = (db.clone(), clock.clone());
        let well = scheduler.well.clone();
        let rules = ZoneRules { db: db.clone(), clock: clock.clone(), rules: Rules::default() };
        let telegram = Context::new(db, clock, keyring, services, api, well, shutdown, quota);
        let health = Arc::new(Health::new(store, time, telegram.pulse.clone(), scheduler.well.clone(), guard));
        Ok(Self { telegram, scheduler, health, rules, _lock: lock })
    }

    /// Runs every part until `stop`; what is in flight ends first.
    pub async fn run(self, http: Option<TcpListener>, stop: impl Future<Output = ()>) -> Result<()> {
        let shutdown = self.telegram.shutdown.clone();
        let reported = Arc::clone(&self.scheduler.reported);
        // Before anything leaves: by the rules of this program it may go at another moment.
        if let Err(error) = self.rules.follow().await {
            tracing::warn!(error = %error, "what waits could not be brought to the present rules of time zones yet");
            let (rules, shutdown) = (self.rules.clone(), shutdown.clone());
            tokio::spawn(async move { rules.follow_soon(&shutdown).await });
        }
        let http = http.map(|listener| {
            let router = crate::http::router(Arc::clone(&self.health));
            tokio::spawn(crate::http::serve(listener, router, shutdown.clone()))
        });
        tokio::spawn(self.scheduler.wake.clone().listen(self.scheduler.clock.clone(), shutdown.clone()));
        let series = self.telegram.services.series.clone();
        let series = tokio::spawn(scheduler::series::run(series, self.scheduler.clock.clone(), shutdown.clone()));
        let guard = self.scheduler.guard.clone();
        tokio::spawn(telegram::alarm::clock(Arc::clone(&self.telegram), guard, Arc::clone(&reported)));
        tokio::spawn(telegram::alarm::store(Arc::clone(&self.telegram)));
        let mut scheduler = tokio::spawn(keep_sending(self.scheduler));
        let reports = tokio::spawn(telegram::reports::run(Arc::clone(&self.telegram), reported));
        let mut door = tokio::spawn(telegram::run(Arc::clone(&self.telegram)));
        let ended = tokio::select! {
            () = stop => None,
            ended = &mut door => Some(ended),
            // It ends by itself only by a panic: whoever watches over the process starts it anew.
            _ = &mut scheduler => Some(Ok(Err(anyhow!("the scheduler ended by itself")))),
        };
        tracing::info!("stopping");
        shutdown.cancel();
        let rest = async {
            if !scheduler.is_finished() {
                let _ = scheduler.await;
            }
            let _ = reports.await;
            let _ = series.await;
            if let Some(http) = http {
                let _ = http.await;
            }
            match ended {
                Some(ended) => ended,
                None => door.await,
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(24), rest).await;
        self.telegram.db.close().await;
        match ended {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Err(error.into()),
            Err(_) => {
                tracing::warn!("some work did not end in time; it is taken up at the next start");
                Ok(())
            }
        }
    }
}
