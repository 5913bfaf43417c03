//! `/healthz`: the process answers. `/readyz`: what it needs works.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::sync::Mutex;

use crate::domain::clock::{Clock, Moment, Pulse};
use crate::domain::guard::{Guard, Standing};
use crate::domain::well::{Part, Well};
use crate::storage::{Database, StorageError};

/// How long what was found out about the database holds: a look writes.
const FRESH: Duration = Duration::from_secs(2);
/// How long a look may take: who asks waits no longer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longer than a poll of Telegram takes.
const POLL: Duration = Duration::from_secs(60);

/// How the parts are.
#[derive(Debug)]
pub struct Health {
    db: Database,
    clock: Clock,
    telegram: Pulse,
    well: Well,
    guard: Guard,
    looked: Mutex<Option<(Moment, bool)>>,
}

impl Health {
    /// Follows Telegram's pulse, whether what happens can be written down, and whether the clock is right.
    pub fn new(db: Database, clock: Clock, telegram: Pulse, well: Well, guard: Guard) -> Self {
        Self { db, clock, telegram, well, guard, looked: Mutex::default() }
    }

    /// Whether the database can be written. Looked at every two seconds at most.
    async fn database(&self) -> bool {
        let mut looked = self.looked.lock().await;
        let now = self.clock.now();
        if let Some((at, fine)) = *looked
            && now.since(at) < FRESH
            && now >= at
        {
            return fine;
        }
        let write =
            self.db.write(move |conn| Box::pin(async move { conn.set_meta("looked_at", &now.0.to_string()).await }));
        let written: Result<Result<(), StorageError>, _> = tokio::time::timeout(PATIENCE, write).await;
        let fine = matches!(written, Ok(Ok(())));
        *looked = Some((now, fine));
        fine
    }

    /// The parts, and whether each is well.
    async fn parts(&self) -> [(&'static str, bool); 4] {
        [
            ("database", self.database().await && self.well.is_well(Part::Inbox) != Some(false)),
            ("telegram", self.telegram.is_alive(self.clock.pause_now(), POLL)),
            ("scheduler", self.well.is_well(Part::Scheduler) == Some(true)),
            ("clock", self.guard.standing() == Standing::Trusted),
        ]
    }
}

/// The two addresses.
pub fn router(health: Arc<Health>) -> Router {
    Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready)).with_state(health)
}

async fn ready(State(health): State<Arc<Health>>) -> impl IntoResponse {
    let parts = health.parts().await;
    let failing: Vec<_> = parts.iter().filter(|(_, well)| !well).map(|(name, _)| *name).collect();
    let checks: serde_json::Map<_, _> =
        parts.iter().map(|(name, well)| ((*name).to_owned(), json!(if *well { "ok" } else { "failing" }))).collect();
    let (code, status) =
        if failing.is_empty() { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "degraded") };
    (code, Json(json!({ "status": status, "failing": failing, "checks": checks })))
}
