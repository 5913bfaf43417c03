//! The world in a box: a Telegram and an Evolution API that run beside the bot in one process. The demo and the
//! tests stand on it.

pub mod evolution;
mod kept;
pub mod telegram;

use std::future::Future;
use std::io::Write;

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

/// Where the demo's Evolution API listens: at the first free port behind the page's.
async fn behind(port: u16) -> Result<TcpListener> {
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
    let kept = folder.join("world.json");
    if !kept::restore(&kept, &telegram, &evolution) {
        evolution.add_profile("loja", "5511912345678", "Loja da Ana");
        evolution.add_profile("suporte", "5511987654321", "Suporte da Loja");
    }
    // Where an earlier run is forgotten here, it is not by the bot: the numbers go on.
    telegram.count_from(Clock::System.now().utc().timestamp());
    for (name, language) in [("Ana", "pt-br"), ("Ben", "en"), ("Carmen", "es")] {
        telegram.person(name, language);
    }
    let server = behind(listener.local_addr()?.port()).await?;
    let url = format!("http://{}", server.local_addr()?);
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
    let keeper = tokio::spawn({
        let (kept, telegram, evolution) = (kept.clone(), telegram.clone(), evolution.clone());
        async move { kept::keep(&kept, &telegram, &evolution).await }
    });
    let outcome = app.run(None, stop).await;
    keeper.abort();
    kept::write(&kept, &telegram, &evolution);
    whatsapp.abort();
    server.abort();
    outcome
}
