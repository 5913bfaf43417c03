//! The program: settings, logging, then what was asked for, until a signal.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use chrono_tz::Tz;
use schedulezap::app::{self, App};
use schedulezap::config::{Cli, Command, Config};
use schedulezap::domain::clock::Clock;
use schedulezap::domain::language::Language;
use schedulezap::explain::explain;
use schedulezap::restore::restore;
use schedulezap::services::passwords::Hasher;
use schedulezap::storage::Database;
use schedulezap::{sandbox, telemetry, when};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::read();
    telemetry::start(&cli.config);
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The one line that says why the start failed.
            let _ = writeln!(std::io::stderr(), "schedulezap: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    let config = cli.config;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(&config).await,
        Command::Demo { port, fresh } => sandbox::demo(config, port, fresh, stop()).await,
        Command::When { text, lang, zone } => read_when(text, lang, zone.unwrap_or(config.default_time_zone)),
        Command::Check { health: true } => check_health(&config).await,
        Command::Check { health: false } => {
            app::open(&config).await?;
            say("settings, database and key are fine")
        }
        Command::ClaimLink => {
            let link = claim_link(&config).await?;
            say(&link.context("there is an administrator already")?)
        }
        Command::Migrate => {
            config.make_data_dir()?;
            Database::open(&config.database_url).await?;
            say("the schema is up to date")
        }
        Command::Backup { file } => {
            let (db, _) = app::open(&config).await?;
            db.backup(&file).await?;
            say("the backup is written; keep the secret key with it")
        }
        Command::Restore { file } => {
            let old = restore(&config, &file, &Clock::System).await?;
            say("the backup is restored; what is overdue in it is asked about before it is sent")?;
            old.map_or(Ok(()), |old| say(&format!("what was there before is kept: {}", old.display())))
        }
    }
}

/// A line for the person at the terminal.
fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output")
}

async fn serve(config: &Config) -> Result<()> {
    let app = App::build(config, Clock::System, Hasher::default()).await?;
    let http = TcpListener::bind(config.http_listen).await.context("HTTP_LISTEN")?;
    let accounts = app.telegram.services.accounts.clone();
    let api = app.telegram.api.clone();
    let announced = tokio::spawn(async move {
        if let Ok(Some(code)) = accounts.claim_link_code().await
            && let Ok(me) = api.get_me().await
        {
            let _ = say(&format!("claim link: https://t.me/{}?start={code}", me.username));
        }
    });
    tracing::info!(http = %http.local_addr().unwrap_or(config.http_listen), "started");
    let outcome = app.run(Some(http), stop()).await;
    announced.abort();
    outcome
}

async fn claim_link(config: &Config) -> Result<Option<String>> {
    let (db, keyring) = app::open(config).await?;
    let accounts = app::accounts(config, &db, &keyring, &Clock::System, Hasher::default());
    let Some(code) = accounts.claim_link_code().await? else { return Ok(None) };
    let token = config.token.clone().context("TELEGRAM_BOT_TOKEN is not set")?;
    let api = schedulezap::telegram::api::Api::new(config.telegram_api_url.as_str().trim_end_matches('/'), token)?;
    let me = api.get_me().await?;
    Ok(Some(format!("claim link: https://t.me/{}?start={code}", me.username)))
}

/// How long the health check waits for an answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

async fn check_health(config: &Config) -> Result<()> {
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let answer = client.get(format!("http://{}/healthz", config.http_listen)).send().await?;
    if answer.status().is_success() { say("ok") } else { bail!("the server is not well") }
}

/// Reads one expression for a person, or JSON lines for a program (the format of the corpus' scorer).
fn read_when(text: Option<String>, language: Language, zone: Tz) -> Result<()> {
    let Some(text) = text else {
        let mut out = std::io::stdout().lock();
        // One answer a line, whatever the line is: bytes that are no text are read as signs that mean nothing.
        for line in std::io::stdin().lock().split(b'\n') {
            writeln!(out, "{}", when::answer_json(&String::from_utf8_lossy(&line?)))?;
        }
        return Ok(());
    };
    say(&explain(&text, Clock::System.now(), zone, language))
}

/// Returns when the program is asked to end.
async fn stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
