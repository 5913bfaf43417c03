//! Looks again at instances with held messages; those that are open again let theirs go.

use std::sync::Arc;
use std::time::Duration;

use super::{Opened, Scheduler};
use crate::domain::instance::Connection;
use crate::domain::report::Report;
use crate::storage::StorageError;

/// How often instances with held messages are looked at.
const RECHECK: Duration = Duration::from_secs(60);

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
        for held in instances {
            let Some(Opened { server, name, key, .. }) =
                self.open(held.user_id, &held.api_url, &held.instance_name, &held.api_key)
            else {
                continue;
            };
            if self.evolution.connection_state(&server, &key, &name).await != Ok(Connection::Open) {
                continue;
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
        }
        Ok(())
    }
}
