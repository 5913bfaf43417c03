//! `/healthz`: the process answers. `/readyz`: what it needs works.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::storage::Database;

/// A part of the program that reports how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The connection with Telegram.
    Telegram,
    /// The scheduler.
    Scheduler,
}

/// How the parts are. The database is asked at each look.
#[derive(Debug)]
pub struct Health {
    db: Database,
    telegram: AtomicBool,
    scheduler: AtomicBool,
}

impl Health {
    /// Nothing has reported yet.
    pub fn new(db: Database) -> Self {
        Self { db, telegram: AtomicBool::new(false), scheduler: AtomicBool::new(false) }
    }

    /// Notes how a part is.
    pub fn set(&self, part: Part, ok: bool) {
        self.flag(part).store(ok, Ordering::Relaxed);
    }

    /// How a part said it is.
    pub fn is_ok(&self, part: Part) -> bool {
        self.flag(part).load(Ordering::Relaxed)
    }

    fn flag(&self, part: Part) -> &AtomicBool {
        match part {
            Part::Telegram => &self.telegram,
            Part::Scheduler => &self.scheduler,
        }
    }

    /// Whether the database answers within two seconds.
    pub async fn database(&self) -> bool {
        let look = async { self.db.read().await?.execute("SELECT 1").await };
        matches!(tokio::time::timeout(Duration::from_secs(2), look).await, Ok(Ok(())))
    }
}

/// The two addresses.
pub fn router(health: Arc<Health>) -> Router {
    Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready)).with_state(health)
}

async fn ready(State(health): State<Arc<Health>>) -> impl IntoResponse {
    let database = health.database().await;
    let (telegram, scheduler) = (health.is_ok(Part::Telegram), health.is_ok(Part::Scheduler));
    let ready = database && telegram && scheduler;
    let word = |ok: bool| if ok { "ok" } else { "failing" };
    let body = json!({
        "status": if ready { "ready" } else { "degraded" },
        "checks": { "database": word(database), "telegram": word(telegram), "scheduler": word(scheduler) },
    });
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[tokio::test]
    async fn readiness_follows_the_parts() {
        let dir = tempfile::tempdir().unwrap();
        let db = Database::open(&format!("sqlite://{}/a.db", dir.path().display())).await.unwrap();
        let health = Arc::new(Health::new(db.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let server = tokio::spawn(crate::http::serve(listener, Arc::clone(&health), stop.clone()));
        let ask = async |path: &str| {
            let answer = reqwest::get(format!("http://{address}{path}")).await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        assert_eq!(ask("/healthz").await, (200, "ok".to_owned()));
        assert_eq!(ask("/readyz").await.0, 503);
        health.set(Part::Telegram, true);
        health.set(Part::Scheduler, true);
        let (status, body) = ask("/readyz").await;
        assert!(status == 200 && body.contains(r#""status":"ready""#), "{body}");
        db.close().await;
        let (status, body) = ask("/readyz").await;
        assert!(status == 503 && body.contains(r#""database":"failing""#), "{body}");
        stop.cancel();
        server.await.unwrap().unwrap();
    }
}
