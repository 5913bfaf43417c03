//! The command line and the environment, read once into checked types. A bad value or an unknown flag stops
//! the start with the name of the setting.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use clap::{Args, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;
use url::Url;

use crate::domain::language::Language;
pub use crate::services::accounts::SignUp;

/// What stands below `--help`.
const AFTER_HELP: &str = "\
First steps:
  schedulezap demo                          try it: no token, no internet, a chat page in your browser
  TELEGRAM_BOT_TOKEN=… schedulezap          run it with a token from @BotFather
Start-up prints a claim link while there is no administrator: open it in Telegram to become the first one.

Every setting is an environment variable; all but the token are also flags. Data live in data/ under the working
directory: keep data/secret.key with your backups, since without it stored API keys cannot be opened.";

/// Several WhatsApp numbers, and messages sent at their hour, from a Telegram chat.
#[derive(Debug, Parser)]
#[command(name = "schedulezap", version, about, after_help = AFTER_HELP, args_conflicts_with_subcommands = false)]
pub struct Cli {
    /// What to do; `serve` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The settings.
    #[command(flatten)]
    pub config: Config,
}

/// What the program can do.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the bot (the default)
    Serve,
    /// Try it in a browser: Telegram and WhatsApp are simulated, no token or internet needed
    Demo {
        /// Port of the chat page
        #[arg(long, default_value_t = 8989, value_parser = clap::value_parser!(u16).range(1..))]
        port: u16,
        /// Forget what the last demo stored
        #[arg(long)]
        fresh: bool,
    },
    /// Say how a time expression is understood: when "tomorrow 9am" --lang en
    When {
        /// The expression. When left out, JSON lines {"text","lang","reference"} on standard input are each answered with one
        text: Option<String>,
        /// Its language: pt, en or es
        #[arg(long, default_value = "pt", value_parser = language)]
        lang: Language,
        /// The zone it is said in, such as Europe/Lisbon; DEFAULT_TIME_ZONE when left out
        #[arg(long)]
        zone: Option<Tz>,
    },
    /// Check settings, database and key; with --health ask the running server
    Check {
        /// Ask the server on HTTP_LISTEN whether it is alive; for container health checks
        #[arg(long)]
        health: bool,
    },
    /// Make and print a fresh claim link while there is no administrator
    ClaimLink,
    /// Bring the database's schema up to date and end
    Migrate,
    /// Write a copy of the SQLite database, beside a running server
    Backup {
        /// Where to
        file: PathBuf,
    },
    /// Put a backup in the place of the SQLite database; what is overdue in it is asked about before it is sent
    Restore {
        /// The backup
        file: PathBuf,
    },
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The settings (PRODUCT.md section 12).
#[derive(Clone, Args)]
#[command(next_help_heading = "Settings")]
pub struct Config {
    /// The bot's token, from the environment or a file.
    #[arg(skip)]
    pub token: Option<SecretString>,
    /// Another Bot API server (self-hosted, or a simulator)
    #[arg(global = true, long, env = "TELEGRAM_API_URL", default_value = "https://api.telegram.org", value_parser = http_url)]
    pub telegram_api_url: Url,
    /// SQLite file, or postgres://… for several replicas
    #[arg(global = true, long, env = "DATABASE_URL", default_value = "sqlite://data/schedulezap.db", value_parser = database_url, hide_env_values = true)]
    pub database_url: String,
    /// The keys that encrypt API keys at rest; made at first start
    #[arg(global = true, long, env = "SECRET_KEY_FILE", default_value = "data/secret.key")]
    pub secret_key_file: PathBuf,
    /// Where health is served
    #[arg(global = true, long, env = "HTTP_LISTEN", default_value = "127.0.0.1:8988")]
    pub http_listen: SocketAddr,
    /// Who may make an account
    #[arg(global = true, long, env = "SIGNUP", default_value = "invite")]
    pub signup: SignUp,
    /// What instances may point at besides public addresses: a comma list of loopback, private, host:port, CIDR
    /// [default: loopback,private; nothing with SIGNUP=open]
    #[arg(global = true, long = "evolution-allow-hosts", env = "EVOLUTION_ALLOW_HOSTS", value_parser = allow_hosts)]
    pub allow_hosts: Option<String>,
    /// Time zone of new accounts
    #[arg(global = true, long, env = "DEFAULT_TIME_ZONE", default_value = "America/Sao_Paulo", value_parser = zone)]
    pub default_time_zone: Tz,
    /// Language of people whose Telegram speaks another one: pt-BR, en or es
    #[arg(global = true, long, env = "DEFAULT_LOCALE", default_value = "pt-BR", value_parser = language)]
    pub default_locale: Language,
    /// Region in which national phone numbers of new accounts are read
    #[arg(global = true, long, env = "DEFAULT_REGION", default_value = "BR", value_parser = region)]
    pub default_region: String,
    /// Milliseconds between two messages of a WhatsApp number; 0: no gap
    #[arg(global = true, long = "send-gap-ms", env = "SEND_GAP_MS", default_value = "3000", value_parser = millis)]
    pub send_gap: Duration,
    /// Messages of a WhatsApp number in an hour; 0: any
    #[arg(global = true, long, env = "SEND_PER_HOUR", default_value_t = 120)]
    pub send_per_hour: u32,
    /// Messages of a WhatsApp number in a day; 0: any
    #[arg(global = true, long, env = "SEND_PER_DAY", default_value_t = 1000)]
    pub send_per_day: u32,
    /// How late a message may still go without asking, where its account chose nothing else
    #[arg(global = true, long, env = "LATE_GRACE", default_value = "30m", value_parser = duration)]
    pub late_grace: Duration,
    /// How long an unseen answer may still come before it is asked about
    #[arg(global = true, long, env = "SETTLE_TIME", default_value = "120s", value_parser = duration)]
    pub settle_time: Duration,
    /// How long a claimed message belongs to its worker
    #[arg(global = true, long, env = "LEASE", default_value = "30s", value_parser = some_duration)]
    pub lease: Duration,
    /// What an account or a chat user may use up.
    #[command(flatten)]
    pub quotas: Quotas,
    /// What is logged: error, warn, info, debug, or a tracing filter
    #[arg(global = true, long, env = "LOG", default_value = "info", value_parser = filter)]
    pub log: String,
    /// How log lines look
    #[arg(global = true, long, env = "LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// What an account or a chat user may use up; 0 switches one off.
#[derive(Debug, Clone, Copy, Args)]
pub struct Quotas {
    /// Waiting messages of an account; 0: any
    #[arg(global = true, long = "quota-pending", env = "QUOTA_PENDING", default_value_t = 20_000)]
    pub pending: u64,
    /// Instances of an account; 0: any
    #[arg(global = true, long = "quota-instances", env = "QUOTA_INSTANCES", default_value_t = 50)]
    pub instances: u64,
    /// Linked chats of an account; 0: any
    #[arg(global = true, long = "quota-chats", env = "QUOTA_CHATS", default_value_t = 50)]
    pub chats: u64,
    /// Updates of a chat user in a minute; faster is delayed; 0: any
    #[arg(global = true, long = "quota-updates-per-min", env = "QUOTA_UPDATES_PER_MIN", default_value_t = 120)]
    pub updates_per_min: u64,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("telegram_api_url", &self.telegram_api_url.host_str())
            .field("database", &if self.sqlite_path().is_some() { "sqlite" } else { "postgres" })
            .field("http_listen", &self.http_listen)
            .field("signup", &self.signup)
            .finish_non_exhaustive()
    }
}

/// Why the settings cannot be used although each of them is well-formed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The token's file cannot be read.
    #[error("TELEGRAM_BOT_TOKEN_FILE: {0}")]
    TokenFile(std::io::Error),
    /// It does not look like a token.
    #[error("TELEGRAM_BOT_TOKEN: not a token; it looks like 123456789:AbC… and comes from @BotFather")]
    Token,
}

impl Cli {
    /// Reads command line and environment; a mistake ends the process with code 2 and says which setting it is.
    pub fn read() -> Self {
        let mut cli = Self::parse();
        let env = |name| std::env::var(name).ok().filter(|value: &String| !value.trim().is_empty());
        match token(env("TELEGRAM_BOT_TOKEN"), env("TELEGRAM_BOT_TOKEN_FILE")) {
            Ok(token) => cli.config.token = token,
            Err(error) => clap::Error::raw(clap::error::ErrorKind::InvalidValue, format!("{error}\n")).exit(),
        }
        cli
    }
}

impl Config {
    /// The file of an SQLite database.
    pub fn sqlite_path(&self) -> Option<&Path> {
        let path = self.database_url.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        Some(Path::new(path.split('?').next().unwrap_or(path)))
    }

    /// Makes the folder of the SQLite database, open to its owner alone.
    pub fn make_data_dir(&self) -> std::io::Result<()> {
        match self.sqlite_path().and_then(Path::parent) {
            Some(folder) if !folder.as_os_str().is_empty() => crate::services::lock::make_private_dir(folder),
            _ => Ok(()),
        }
    }
}

fn token(direct: Option<String>, file: Option<String>) -> Result<Option<SecretString>, ConfigError> {
    let text = match (direct, file) {
        (Some(text), _) => text,
        (None, Some(path)) => std::fs::read_to_string(path).map_err(ConfigError::TokenFile)?,
        (None, None) => return Ok(None),
    };
    let text = text.trim();
    let is_token = text.split_once(':').is_some_and(|(id, key)| {
        !id.is_empty()
            && id.bytes().all(|b| b.is_ascii_digit())
            && !key.is_empty()
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    });
    if is_token { Ok(Some(text.into())) } else { Err(ConfigError::Token) }
}

fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err("starts with http:// or https://".to_owned())
    }
}

fn database_url(text: &str) -> Result<String, String> {
    let fine = ["sqlite:", "postgres://", "postgresql://"].iter().any(|start| text.starts_with(start));
    if fine { Ok(text.to_owned()) } else { Err("sqlite://file or postgres://user@host/name".to_owned()) }
}

fn allow_hosts(text: &str) -> Result<String, String> {
    let read = crate::evolution::policy::AllowHosts::parse(text);
    read.map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "a zone such as America/Sao_Paulo".to_owned())
}

fn language(text: &str) -> Result<Language, String> {
    let known = Language::ALL.into_iter().find(|l| l.tag().eq_ignore_ascii_case(text) || l.code() == text);
    known.ok_or_else(|| "pt-BR, en or es".to_owned())
}

fn region(text: &str) -> Result<String, String> {
    let fine = text.len() == 2 && text.parse::<phonenumber::country::Id>().is_ok();
    if fine { Ok(text.to_owned()) } else { Err("two capital letters, such as BR".to_owned()) }
}

fn filter(text: &str) -> Result<String, String> {
    let read = tracing_subscriber::EnvFilter::try_new(text);
    read.map(|_| text.to_owned()).map_err(|_| "error, warn, info, debug, trace or target=level,…".to_owned())
}

fn millis(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_millis).map_err(|_| "milliseconds, such as 3000".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let millis = unit.and_then(|unit| number.parse::<u64>().ok()?.checked_mul(unit));
    millis.map(Duration::from_millis).ok_or_else(|| "a number with its unit, such as 120s, 30m or 2h".to_owned())
}

fn some_duration(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|span| if span.is_zero() { Err("more than nothing".to_owned()) } else { Ok(span) })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn read(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("schedulezap").chain(args.iter().copied()))
    }

    #[test]
    fn the_defaults_are_those_of_the_product() {
        Cli::command().debug_assert();
        let cli = read(&[]).unwrap();
        assert_eq!(cli.command, None);
        assert_eq!(cli.config.late_grace, Duration::from_mins(30));
        assert_eq!(cli.config.send_gap, Duration::from_secs(3));
        assert_eq!(cli.config.default_time_zone, Tz::America__Sao_Paulo);
        assert_eq!(cli.config.sqlite_path(), Some(Path::new("data/schedulezap.db")));
        let demo = read(&["demo", "--fresh", "--lease", "5s"]).unwrap();
        assert_eq!(demo.command, Some(Command::Demo { port: 8989, fresh: true }));
        assert_eq!(demo.config.lease, Duration::from_secs(5));
    }

    #[test]
    fn bad_values_name_their_setting_and_end_with_2() {
        for (args, name) in [
            (["--late-grace", "soon"], "late-grace"),
            (["--signup", "maybe"], "signup"),
            (["--default-region", "Brazil"], "default-region"),
            (["--default-time-zone", "Mars"], "default-time-zone"),
            (["--database-url", "mysql://x"], "database-url"),
            (["--lease", "0s"], "lease"),
            (["--evolution-allow-hosts", "zzz/99"], "evolution-allow-hosts"),
            (["--no-such-flag", "1"], "no-such-flag"),
        ] {
            let error = read(&args).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    #[test]
    fn tokens_are_checked_and_never_shown() {
        let mut config = read(&[]).unwrap().config;
        config.token = token(Some(" 123:AbC_-9\n".to_owned()), None).unwrap();
        assert!(config.token.is_some());
        assert!(!format!("{config:?}").contains("AbC"));
        assert!(matches!(token(Some("nonsense".to_owned()), None), Err(ConfigError::Token)));
        assert!(matches!(token(None, Some("/no/such/file".to_owned())), Err(ConfigError::TokenFile(_))));
    }
}
