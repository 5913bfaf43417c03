//! The door to Telegram: ingest → inbox → lanes → turn → outbox. No accepted update and no promised answer is lost.

pub mod alarm;
pub mod api;
pub mod command;
pub mod dialogues;
pub mod effects;
pub mod event;
pub mod inbound;
pub mod lanes;
mod looks;
pub mod outbound;
pub mod reports;
pub mod screen;
pub mod screens;
pub mod session;
pub mod speaking;
pub mod state;
pub mod tap;

mod ingest;

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Mutex, Notify, mpsc};
use tokio_util::sync::CancellationToken;

use self::api::{Api, ApiError, Me};
use crate::domain::clock::{Clock, Pulse};
use crate::domain::ids::{ChatId, TelegramUserId, UpdateId};
use crate::domain::language::Language;
use crate::domain::well::Well;
use crate::services::Services;
use crate::services::secrets::Keyring;
use crate::storage::{Database, StorageError};

/// The name of the lease that lets one process alone talk with Telegram.
const LEASE: &str = "telegram";
/// How long a lease is good for.
const TERM: Duration = Duration::from_secs(9);
/// How often it is renewed, or asked for.
const RENEWAL: Duration = Duration::from_secs(3);

/// What every part of the door works with.
#[derive(Debug)]
pub struct Context {
    /// The store.
    pub db: Database,
    /// The time.
    pub clock: Clock,
    /// Seals what is stored.
    pub keyring: Arc<Keyring>,
    /// What the dialogues may do.
    pub services: Services,
    /// Telegram.
    pub api: Api,
    /// Notified when the outbox has something new.
    pub outbox_wake: Arc<Notify>,
    /// This process empties the outbox.
    speaks: AtomicBool,
    /// Cancelled when the program is to stop.
    pub shutdown: CancellationToken,
    /// How many updates a chat user may send per minute before they are delayed; 0 for no limit.
    pub quota_per_minute: u32,
    /// Beats while Telegram answers, or while another process talks with it.
    pub pulse: Pulse,
    /// Knows whether what happens can be written down.
    pub well: Well,
    /// Chats that are being spoken to.
    pub speaking: Arc<speaking::Speaking>,
    /// Cards whose instances are being looked at.
    looks: looks::Looks,
    /// Chats that said something which could not be kept yet, with their language.
    unkept: std::sync::Mutex<HashMap<ChatId, Language>>,
    /// A text at which a turn panics: for tests.
    pub trap: OnceLock<String>,
    me: OnceLock<Me>,
    arrivals: (mpsc::UnboundedSender<Arrival>, Mutex<mpsc::UnboundedReceiver<Arrival>>),
}

/// An update that was kept in the inbox, on its way to its lane.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub id: UpdateId,
    pub lane: String,
    /// Sealed.
    pub body: Option<String>,
    /// Left by an earlier run.
    pub again: bool,
}

impl Context {
    /// Puts the parts together.
    #[expect(clippy::too_many_arguments, reason = "called once, where the program is put together")]
    pub fn new(
        db: Database,
        clock: Clock,
        keyring: Arc<Keyring>,
        services: Services,
        api: Api,
        well: Well,
        shutdown: CancellationToken,
        quota_per_minute: u32,
    ) -> Arc<Self> {
        let (sender, receiver) = mpsc::unbounded_channel();
        Arc::new(Self {
            db,
            clock,
            keyring,
            outbox_wake: Arc::clone(&services.messages.wake.said),
            services,
            api,
            speaks: AtomicBool::new(false),
            shutdown,
            quota_per_minute,
            pulse: Pulse::default(),
            well,
            speaking: Arc::default(),
            looks: looks::Looks::default(),
            unkept: std::sync::Mutex::default(),
            trap: OnceLock::new(),
            me: OnceLock::new(),
            arrivals: (sender, Mutex::new(receiver)),
        })
    }

    /// Who we are; nobody until Telegram was asked.
    pub fn me(&self) -> &Me {
        static NOBODY: Me = Me { id: TelegramUserId(0), username: String::new() };
        self.me.get().unwrap_or(&NOBODY)
    }

    /// The outbox has something new: whoever empties it is told, be it another process.
    fn wake_outbox(&self) {
        if self.speaks.load(Ordering::Acquire) {
            self.outbox_wake.notify_one();
        } else {
            self.services.messages.wake.notify_said();
        }
    }

    fn arrive(&self, arrival: Arrival) {
        // The receiver lives in `self`.
        let _ = self.arrivals.0.send(arrival);
    }
}

/// Serves the chat until the program is to stop. An error is one that no retry can mend.
pub async fn run(ctx: Arc<Context>) -> anyhow::Result<()> {
    let holder = format!("{:016x}", rand::random::<u64>());
    let mut waiting_told = false;
    while !ctx.shutdown.is_cancelled() {
        match take_lease(&ctx, &holder).await {
            Ok(true) => {
                waiting_told = false;
                let served = serve_while_leased(&ctx, &holder).await;
                let name = holder.clone();
                let released: Result<(), StorageError> =
                    ctx.db.write(move |conn| Box::pin(async move { conn.release_lease(LEASE, &name).await })).await;
                if let Err(error) = released {
                    tracing::warn!(error = %error, "the lease was not given back; it runs out by itself");
                }
                served?;
            }
            Ok(false) => {
                ctx.pulse.beat(ctx.clock.pause_now());
                if !waiting_told {
                    waiting_told = true;
                    tracing::info!("another process talks with Telegram; waiting for its lease");
                }
            }
            Err(error) => {
                ctx.pulse.stop();
                tracing::warn!(error = %error, "the lease could not be asked for");
            }
        }
        pause(&ctx, &ctx.shutdown, RENEWAL).await;
    }
    Ok(())
}

async fn take_lease(ctx: &Context, holder: &str) -> Result<bool, StorageError> {
    let holder = holder.to_owned();
    ctx.db.write(move |conn| Box::pin(async move { conn.take_lease(LEASE, &holder, TERM).await })).await
}

/// Waits, unless it is to stop.
async fn pause(ctx: &Context, stop: &CancellationToken, span: Duration) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = ctx.clock.sleep(span) => {}
    }
}

async fn serve_while_leased(ctx: &Arc<Context>, holder: &str) -> anyhow::Result<()> {
    let term = ctx.shutdown.child_token();
    let keeper = async {
        if matches!(ctx.db, Database::Sqlite { .. }) {
            return term.cancelled().await;
        }
        // By the steady clock: the lease is the server's, whatever ours is set to.
        let mut good_until = ctx.clock.steady() + TERM;
        while !term.is_cancelled() {
            pause(ctx, &term, RENEWAL).await;
            let asked_at = ctx.clock.steady();
            match take_lease(ctx, holder).await {
                Ok(true) => good_until = asked_at + TERM,
                Ok(false) => {
                    tracing::warn!("the lease was lost; another process talks with Telegram");
                    term.cancel();
                }
                Err(error) => {
                    tracing::warn!(error = %error, "the lease could not be renewed");
                    if asked_at + RENEWAL >= good_until {
                        term.cancel();
                    }
                }
            }
        }
    };
    let (served, ()) = tokio::join!(
        async {
            let served = serve(ctx, &term).await;
            term.cancel();
            served
        },
        keeper
    );
    served
}

async fn serve(ctx: &Arc<Context>, term: &CancellationToken) -> anyhow::Result<()> {
    greet(ctx, term).await?;
    if term.is_cancelled() {
        return Ok(());
    }
    // The mouth closes last, so that what the last turns say can still leave.
    let mouth = CancellationToken::new();
    let ears = async {
        let heard =
            tokio::join!(supervise(ctx, "ingest", term, ingest::run), supervise(ctx, "lanes", term, lanes::run));
        mouth.cancel();
        heard.0.and(heard.1)
    };
    ctx.speaks.store(true, Ordering::Release);
    let (heard, spoken) = tokio::join!(ears, supervise(ctx, "outbound", &mouth, outbound::run));
    ctx.speaks.store(false, Ordering::Release);
    heard.and(spoken)
}

/// Learns who we are and tells Telegram our commands.
async fn greet(ctx: &Arc<Context>, term: &CancellationToken) -> anyhow::Result<()> {
    let mut wait = Duration::from_millis(500);
    while !term.is_cancelled() {
        let asked = tokio::select! {
            () = term.cancelled() => return Ok(()),
            asked = introduce(ctx) => asked,
        };
        match asked {
            Ok(()) => return Ok(()),
            Err(ApiError::Unauthorized) => return Err(ApiError::Unauthorized.into()),
            Err(error) => {
                ctx.pulse.stop();
                tracing::warn!(error = %error, "Telegram does not answer yet");
            }
        }
        pause(ctx, term, wait).await;
        wait = (wait * 2).min(Duration::from_secs(30));
    }
    Ok(())
}

async fn introduce(ctx: &Context) -> Result<(), ApiError> {
    let me = ctx.api.get_me().await?;
    tracing::info!(bot.id = me.id.0, bot.username = me.username, "talking with Telegram");
    // Asked again after a lease changed hands; the answer is the same.
    let _ = ctx.me.set(me);
    if !ctx.api.webhook().await?.is_empty() {
        ctx.api.delete_webhook().await?;
    }
    ctx.api.set_commands(&command::menu(Language::default()), None).await?;
    for language in Language::ALL {
        ctx.api.set_commands(&command::menu(language), Some(language.code())).await?;
    }
    Ok(())
}

/// Keeps a part running until it is to stop: after trouble or a panic it starts anew, a little later each time.
async fn supervise<F>(
    ctx: &Arc<Context>,
    part: &'static str,
    stop: &CancellationToken,
    run: fn(Arc<Context>, CancellationToken) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut wait = Duration::from_millis(500);
    loop {
        let began = ctx.clock.now();
        match tokio::spawn(run(Arc::clone(ctx), stop.clone())).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) if matches!(error.downcast_ref(), Some(ApiError::Unauthorized)) => {
                tracing::error!(part, error = %error, "cannot go on");
                stop.cancel();
                return Err(error);
            }
            Ok(Err(error)) => tracing::error!(part, error = format!("{error:#}"), "starts anew after trouble"),
            Err(error) => tracing::error!(part, error = %error, "starts anew after a panic"),
        }
        if stop.is_cancelled() {
            return Ok(());
        }
        if ctx.clock.now().since(began) > Duration::from_mins(1) {
            wait = Duration::from_millis(500);
        }
        pause(ctx, stop, wait).await;
        wait = (wait * 2).min(Duration::from_secs(30));
    }
}
