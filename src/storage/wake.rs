//! Tells the scheduler that something may have come due: in this process at once, and on PostgreSQL in the
//! other replicas too (`LISTEN`/`NOTIFY`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Database;
use super::ahead::Ahead;
use crate::domain::clock::Clock;

/// The channel's name.
const CHANNEL: &str = "schedulezap_due";

/// A bell that every scheduler of the installation hears.
#[derive(Debug, Clone, Default)]
pub struct Wake {
    here: Arc<Notify>,
    /// What the scheduler here has claimed ahead.
    pub ahead: Ahead,
    elsewhere: Option<(PgPool, Arc<AtomicBool>)>,
}

impl Wake {
    /// A bell for the users of this database.
    pub fn new(db: &Database) -> Self {
        let elsewhere = match db {
            Database::Sqlite { .. } => None,
            Database::Postgres { pool, .. } => Some((pool.clone(), Arc::default())),
        };
        Self { here: Arc::default(), ahead: Ahead::default(), elsewhere }
    }

    /// Rings it; call it after the commit.
    pub fn notify_one(&self) {
        self.here.notify_one();
        let Some((pool, pending)) = &self.elsewhere else { return };
        if pending.swap(true, Ordering::AcqRel) {
            return;
        }
        let (pool, pending) = (pool.clone(), Arc::clone(pending));
        tokio::spawn(async move {
            pending.store(false, Ordering::Release);
            let told = sqlx::query("SELECT pg_notify('schedulezap_due', '')").execute(&pool).await;
            if let Err(error) = told {
                // The others' slow look finds it.
                tracing::debug!(error = %error, "replicas could not be woken");
            }
        });
    }

    /// Rings only in this process.
    pub fn notify_here(&self) {
        self.here.notify_one();
    }

    /// Returns when it was rung since the last time.
    pub async fn rung(&self) {
        self.here.notified().await;
    }

    /// Hears the other replicas until the program is to stop.
    pub async fn listen(self, clock: Clock, shutdown: CancellationToken) {
        let Some((pool, _)) = &self.elsewhere else { return };
        while !shutdown.is_cancelled() {
            let heard = async {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen(CHANNEL).await?;
                self.here.notify_one();
                loop {
                    // Lost connections are made anew inside; what was rung meanwhile is made up for by waking once.
                    listener.try_recv().await?;
                    self.here.notify_one();
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
