//! The world in a box: a Telegram and an Evolution API that run beside the bot in one process. The demo and the
//! tests stand on it.

pub mod evolution;
mod kept;
pub mod telegram;

use std::future::Future;
use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use url::Url;

use self::evolution::EvolutionServer;
use self::telegram::Telegram;
use crate::app::App;
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::services::passwords::Hasher;

/// The demo's bot token; it opens nothing but the simulator.
const TOKEN: &str = "7000001:demo-token-of-the-simulator";
/// The demo's API key; it opens nothing but the simulator.
const KEY: &str = "demo-api-key-of-the-simulator";
/// The bot's name in the demo.
const BOT: &str = "schedulezap_demo_bot";

/// Where the demo's Evolution API listens: where it did before, which is the address that instances are saved with, or
/// else at the first free port behind the page's.
async fn behind(port: u16, before: Option<u16>) -> Result<TcpListener> {
    if let Some(before) = before {
        match TcpListener::bind(("127.0.0.1", before)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => {
                tracing::warn!(port = before, error = %error, "the simulated server must listen elsewhere this time");
            }
        }
    }
    for next in (port.saturating_add(1)..=u16::MAX).take(20).filter(|_| port != 0) {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", next)).await {
            return Ok(listener);
        }
    }
    TcpListener::bind(("127.0.0.1", 0)).await.context("a port for the simulated Evolution API")
}

/// Runs the whole product on one machine, with nothing from outside: the page and its Telegram on this port, the
/// Evolution API on the next one.
pub async fn demo(mut config: Config, port: u16, fresh: bool, stop: impl Future<Output = ()>) -> Result<()> {
    let folder = std::path::Path::new("data/demo");
    if fresh && folder.exists() {
        std::fs::remove_dir_all(folder).context("data/demo")?;
    }
    crate::services::lock::make_private_dir(folder).context("data/demo")?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await.with_context(|| format!("--port {port}"))?;
    let origin = format!("http://{}", listener.local_addr()?);
    let telegram = Telegram::new(TOKEN, BOT);
    let evolution = EvolutionServer::new(KEY);
    let keeper = Arc::new(kept::Keeper::new(folder.join("world.json"), &telegram, &evolution));
    let restored = keeper.restore();
    if restored.is_none() {
        evolution.add_profile("loja", "5511912345678", "Loja da Ana");
        evolution.add_profile("suporte", "5511987654321", "Suporte da Loja");
    }
    // Where an earlier run is forgotten here, it is not by the bot: the numbers go on.
    telegram.count_from(Clock::System.now().utc().timestamp());
    for (name, language) in [("Ana", "pt-br"), ("Ben", "en"), ("Carmen", "es")] {
        telegram.person(name, language);
    }
    let before = restored.and_then(|restored| restored.port);
    let server = behind(listener.local_addr()?.port(), before).await?;
    let url = format!("http://{}", server.local_addr()?);
    keeper.listens_at(before.unwrap_or(server.local_addr()?.port()));
    // What the bot deletes may be a password: it is gone from the disk before the bot knows it gone.
    telegram.on_deleted({
        let keeper = Arc::clone(&keeper);
        move || keeper.write()
    });
    let whatsapp = tokio::spawn(evolution.clone().serve(server));
    // The bot may know the server by the page's own address, as older demos told it.
    let router = telegram.router().merge(evolution.page_router(url)).nest("/evolution", evolution.router());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    config.token = Some(TOKEN.into());
    config.telegram_api_url = Url::parse(&origin)?;
    "sqlite://data/demo/schedulezap.db".clone_into(&mut config.database_url);
    config.secret_key_file = folder.join("secret.key");
    config.allow_hosts = Some("loopback".to_owned());
    let app = App::build(&config, Clock::System, Hasher::default()).await?;
    let code = app.telegram.services.accounts.claim_link_code().await?;
    let mut out = std::io::stdout();
    writeln!(out, "ScheduleZAP demo: {origin}/")?;
    if let Some(code) = code {
        writeln!(out, "claim link: {origin}/?start={code}")?;
    }
    out.flush()?;
    let keeping = tokio::spawn({
        let keeper = Arc::clone(&keeper);
        async move { keeper.keep().await }
    });
    let outcome = app.run(None, stop).await;
    keeping.abort();
    // Whether it was cut off or had failed: it writes no more.
    let _ = keeping.await;
    keeper.write();
    whatsapp.abort();
    server.abort();
    outcome
}
