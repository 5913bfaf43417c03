//! Tells the scheduler that something may have come due, and whoever talks with Telegram that there is something to say: in this
//! process at once, and on PostgreSQL in the other replicas too (`LISTEN`/`NOTIFY`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgNotification, PgPool};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Database;
use super::ahead::Ahead;
use crate::domain::clock::Clock;

/// The channel's name.
const CHANNEL: &str = "schedulezap_due";
/// What is said on it when what waits is to be read anew.
const ANEW: &str = "anew";
/// What is said on it when the outbox has something new.
const SAID: &str = "said";

async fn tell(pool: &PgPool, what: &str) {
    let told = sqlx::query("SELECT pg_notify('schedulezap_due', $1)").bind(what).execute(pool).await;
    if let Err(error) = told {
        // The others' slow look finds it.
        tracing::debug!(error = %error, "replicas could not be woken");
    }
}

/// How the other replicas are told.
#[derive(Debug, Clone)]
struct Elsewhere {
    pool: PgPool,
    /// They are about to be told that something may have come due.
    due: Arc<AtomicBool>,
    /// They are about to be told that there is something to say.
    said: Arc<AtomicBool>,
}

impl Elsewhere {
    /// Tells them once for all that happened by then.
    fn tell(&self, pending: &Arc<AtomicBool>, what: &'static str) {
        if pending.swap(true, Ordering::AcqRel) {
            return;
        }
        let (pool, pending) = (self.pool.clone(), Arc::clone(pending));
        tokio::spawn(async move {
            pending.store(false, Ordering::Release);
            tell(&pool, what).await;
        });
    }
}

/// A bell that every scheduler of the installation hears.
#[derive(Debug, Clone, Default)]
pub struct Wake {
    here: Arc<Notify>,
    /// What the scheduler here has claimed ahead.
    pub ahead: Ahead,
    /// What waits is to be read anew.
    anew: Arc<AtomicBool>,
    /// Rung when the outbox has something new.
    pub said: Arc<Notify>,
    elsewhere: Option<Elsewhere>,
}

impl Wake {
    /// A bell for the users of this database.
    pub fn new(db: &Database) -> Self {
        let elsewhere = match db {
            Database::Sqlite { .. } => None,
            Database::Postgres { pool, .. } => {
                Some(Elsewhere { pool: pool.clone(), due: Arc::default(), said: Arc::default() })
            }
        };
        Self { elsewhere, ..Self::default() }
    }

    /// Rings it; call it after the commit.
    pub fn notify_one(&self) {
        self.here.notify_one();
        if let Some(elsewhere) = &self.elsewhere {
            elsewhere.tell(&elsewhere.due, "");
        }
    }

    /// Tells those who talk with Telegram that there is something to say; call it after the commit.
    pub fn notify_said(&self) {
        self.said.notify_one();
        if let Some(elsewhere) = &self.elsewhere {
            elsewhere.tell(&elsewhere.said, SAID);
        }
    }

    /// Rings it, and has all read anew that waits: what an account chose for it is another now.
    pub fn notify_anew(&self) {
        self.anew.store(true, Ordering::Release);
        self.here.notify_one();
        if let Some(elsewhere) = &self.elsewhere {
            let pool = elsewhere.pool.clone();
            tokio::spawn(async move { tell(&pool, ANEW).await });
        }
    }

    /// Whether what waits is to be read anew since this was asked the last time.
    pub fn take_anew(&self) -> bool {
        self.anew.swap(false, Ordering::AcqRel)
    }

    /// Returns when it was rung since the last time.
    pub async fn rung(&self) {
        self.here.notified().await;
    }

    /// Hears the other replicas until the program is to stop.
    pub async fn listen(self, clock: Clock, shutdown: CancellationToken) {
        let Some(Elsewhere { pool, .. }) = &self.elsewhere else { return };
        while !shutdown.is_cancelled() {
            let heard = async {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen(CHANNEL).await?;
                self.here.notify_one();
                self.said.notify_one();
                loop {
                    // Lost connections are made anew inside; what was rung meanwhile is made up for by waking once.
                    let heard = listener.try_recv().await?;
                    let (said, due, anew) = match heard.as_ref().map(PgNotification::payload) {
                        None => (true, true, true),
                        Some(SAID) => (true, false, false),
                        Some(what) => (false, true, what == ANEW),
                    };
                    if said {
                        self.said.notify_one();
                    }
                    if anew {
                        self.anew.store(true, Ordering::Release);
                    }
                    if due {
                        self.here.notify_one();
                    }
                }
                #[expect(unreachable_code, reason = "it tells the type")]
                Ok::<(), sqlx::Error>(())
            };
            tokio::select! {
                ended = heard => if let Err(error) = ended {
                    tracing::warn!(error = %error, "not listening for wake-ups; looking every half minute");
                },
                () = shutdown.cancelled() => return,
            }
            clock.sleep(Duration::from_secs(2)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_talks_with_telegram_hears_what_another_replica_has_to_say() {
        let Ok(server) = std::env::var("TEST_DATABASE_URL") else { return };
        let db = Database::open(&server).await.unwrap();
        let (here, there) = (Wake::new(&db), Wake::new(&db));
        let stop = CancellationToken::new();
        let listening = tokio::spawn(here.clone().listen(Clock::System, stop.clone()));
        let heard = |bell: Arc<Notify>| async move {
            tokio::time::timeout(Duration::from_secs(10), bell.notified()).await.unwrap();
        };
        // It rings once as it begins to listen.
        heard(Arc::clone(&here.said)).await;
        heard(Arc::clone(&here.here)).await;
        there.notify_said();
        heard(Arc::clone(&here.said)).await;
        there.notify_one();
        heard(Arc::clone(&here.here)).await;
        stop.cancel();
        listening.await.unwrap();
    }
}
