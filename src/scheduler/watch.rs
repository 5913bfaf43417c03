//! Looks again at instances with held messages; those that are open again let theirs go.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;

use super::{Opened, Scheduler};
use crate::domain::instance::Connection;
use crate::domain::report::Report;
use crate::storage::StorageError;
use crate::storage::health::HeldInstance;

/// How often instances with held messages are looked at.
const RECHECK: Duration = Duration::from_secs(60);
/// Looks at once: one server that hangs keeps nobody else's messages waiting.
const AT_ONCE: usize = 16;

/// Runs until the program is to stop.
pub(super) async fn run(scheduler: Arc<Scheduler>) {
    loop {
        tokio::select! {
            () = scheduler.clock.sleep(RECHECK) => {}
            () = scheduler.shutdown.cancelled() => return,
        }
        if let Err(error) = scheduler.recheck_once().await {
            tracing::warn!(error = %error, "held instances could not be looked at");
        }
    }
}

impl Scheduler {
    /// One look at every instance with held messages.
    pub async fn recheck_once(&self) -> Result<(), StorageError> {
        let instances = self.db.read().await?.list_held_instances().await?;
        let looks = futures::stream::iter(instances).map(|held| self.recheck(held)).buffer_unordered(AT_ONCE);
        let outcomes: Vec<Result<(), StorageError>> = looks.collect().await;
        outcomes.into_iter().collect()
    }

    async fn recheck(&self, held: HeldInstance) -> Result<(), StorageError> {
        let Some(Opened { server, name, key, .. }) =
            self.open(held.user_id, &held.api_url, &held.instance_name, &held.api_key)
        else {
            return Ok(());
        };
        if self.evolution.connection_state(&server, &key, &name).await != Ok(Connection::Open) {
            return Ok(());
        }
        let now = self.clock.now();
        let woken: Result<(), StorageError> = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    let messages = conn.wake_held(held.user_id, held.id, now).await?;
                    conn.note_connection(held.id, Connection::Open.as_str(), now).await?;
                    if messages > 0
                        && let Some(chat) = conn.find_chat_of(held.user_id).await?
                    {
                        conn.add_report(held.user_id, chat, &Report::Mended { instance: held.id, messages }, now)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await;
        woken?;
        self.wake.notify_one();
        self.reported.notify_one();
        Ok(())
    }
}
