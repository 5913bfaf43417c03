//! Log lines on standard error, as `LOG` and `LOG_FORMAT` say.

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Starts logging; later calls change nothing.
pub fn start(config: &Config) {
    // The filter was checked when the settings were read.
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    // A line that cannot be written is dropped: complaining about it on standard error, which may be on the same full
    // disk, would panic.
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // A test may have started it already.
    let _ = match config.log_format {
        LogFormat::Text => lines.with_ansi(ansi).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}
