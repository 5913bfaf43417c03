//! An Evolution API instance: its label, server, name and key, parsed at the door.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::message::is_invisible;

/// The base address of an Evolution API server, without a trailing slash. A path prefix is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServerUrl(String);

/// Why a text is no server address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerUrlError {
    /// Not an address at all.
    #[error("not a URL")]
    NotAUrl,
    /// `http://` or `https://` is missing; with it, it would be this.
    #[error("the scheme is missing")]
    MissingScheme {
        /// The address with `https://`.
        completed: String,
    },
    /// Neither http nor https.
    #[error("only http or https")]
    Scheme,
    /// Holds a user or a password.
    #[error("no credentials in the URL")]
    Credentials,
    /// Holds a query or a fragment.
    #[error("no query or fragment")]
    QueryOrFragment,
    /// A port other than 80, 443 or 1024 and up.
    #[error("port not allowed")]
    Port,
    /// No host.
    #[error("no host")]
    NoHost,
    /// Longer than 300 characters.
    #[error("too long")]
    TooLong,
}

impl ServerUrl {
    /// Reads and normalises an address.
    pub fn parse(text: &str) -> Result<Self, ServerUrlError> {
        let text = text.trim();
        if text.chars().count() > 300 {
            return Err(ServerUrlError::TooLong);
        }
        if text.chars().any(|c| c.is_whitespace() || is_invisible(c)) || text.is_empty() {
            return Err(ServerUrlError::NotAUrl);
        }
        if !text.contains("://") {
            return Err(Self::without_scheme(text));
        }
        let url = Url::parse(text).map_err(|_| ServerUrlError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ServerUrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ServerUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ServerUrlError::QueryOrFragment);
        }
        match url.host() {
            None | Some(Host::Domain("")) => return Err(ServerUrlError::NoHost),
            Some(_) => {}
        }
        if !matches!(url.port_or_known_default(), Some(80 | 443 | 1024..)) {
            return Err(ServerUrlError::Port);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    fn without_scheme(text: &str) -> ServerUrlError {
        // `javascript:alert(1)` and `mailto:x` name a scheme; `host:8080` only looks like one.
        if let Some((head, tail)) = text.split_once(':')
            && !tail.starts_with(|c: char| c.is_ascii_digit())
            && !head.contains('.')
        {
            return ServerUrlError::Scheme;
        }
        if !text.contains('.') && !text.contains(':') {
            return ServerUrlError::NotAUrl;
        }
        match Self::parse(&format!("https://{text}")) {
            Ok(url) => ServerUrlError::MissingScheme { completed: url.0 },
            Err(ServerUrlError::Credentials) => ServerUrlError::Credentials,
            Err(_) => ServerUrlError::NotAUrl,
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as a URL.
    pub fn url(&self) -> Url {
        Url::parse(&self.0).unwrap_or_else(|_| unreachable!("it was parsed before"))
    }
}

/// The name of an instance on its server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceName(String);

/// Why a text is no instance name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an instance name")]
pub struct InstanceNameError;

impl InstanceName {
    /// Takes the name of an existing instance: 1 to 255 characters, not blank, not `.` or `..`, nothing invisible.
    pub fn parse(text: &str) -> Result<Self, InstanceNameError> {
        let name = text.trim();
        let bad = name.is_empty()
            || matches!(name, "." | "..")
            || name.chars().count() > 255
            || name.chars().any(|c| c.is_control() || is_invisible(c));
        if bad { Err(InstanceNameError) } else { Ok(Self(name.to_owned())) }
    }

    /// Whether we would create it: `^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$` (`EVOLUTION_API.md` section 4).
    pub fn is_creatable(&self) -> bool {
        self.0.len() <= 64
            && self.0.starts_with(|c: char| c.is_ascii_alphanumeric())
            && self.0.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What its owner calls an instance: 1 to 64 visible characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(String);

/// Why a text is no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a label")]
pub struct LabelError;

impl Label {
    /// Reads a label; blanks around it are dropped.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let label = text.trim();
        let bad =
            label.is_empty() || label.chars().count() > 64 || label.chars().any(|c| c.is_control() || is_invisible(c));
        if bad { Err(LabelError) } else { Ok(Self(label.to_owned())) }
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An API key. It is never shown again, only its last characters.
#[derive(Clone)]
pub struct ApiKey(SecretString);

/// Why a text is no API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an API key")]
pub struct ApiKeyError;

impl ApiKey {
    /// Reads a key: 1 to 512 visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        let key = text.trim();
        if key.is_empty() || key.len() > 512 || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ApiKeyError);
        }
        Ok(Self(key.into()))
    }

    /// `••••1a2b`; only dots when the key is short.
    pub fn hint(&self) -> String {
        let key = self.expose();
        let tail = if key.len() < 8 { "" } else { key.get(key.len() - 4..).unwrap_or_default() };
        format!("••••{tail}")
    }

    /// The key itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(••••)")
    }
}

/// The state of an instance, as the server says or as we found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Connection {
    /// Logged in to WhatsApp.
    Open,
    /// Its socket opens, or a QR code is on screen.
    Connecting,
    /// No socket.
    Close,
    /// The server does not answer.
    Unreachable,
    /// The server refused the key.
    Refused,
    /// The server does not know it.
    Missing,
    /// Not looked at yet.
    Unknown,
}

impl Connection {
    /// Its word in the database and in the REST API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Connecting => "connecting",
            Self::Close => "close",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a word; what is not known is `Unknown`.
    pub fn parse(word: &str) -> Self {
        [Self::Open, Self::Connecting, Self::Close, Self::Unreachable, Self::Refused, Self::Missing]
            .into_iter()
            .find(|state| state.as_str() == word)
            .unwrap_or(Self::Unknown)
    }
}

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// The whole server.
    Global,
    /// One instance.
    Instance,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalised_or_told_what_is_wrong() {
        assert_eq!(ServerUrl::parse(" https://Evo.example.com/ ").unwrap().as_str(), "https://evo.example.com");
        assert_eq!(
            ServerUrl::parse("http://127.0.0.1:8989/evolution").unwrap().as_str(),
            "http://127.0.0.1:8989/evolution"
        );
        let completed = "https://evolution.example.com:8080".to_owned();
        assert_eq!(ServerUrl::parse("evolution.example.com:8080"), Err(ServerUrlError::MissingScheme { completed }));
        for (text, error) in [
            ("file:///etc/passwd", ServerUrlError::Scheme),
            ("ftp://x", ServerUrlError::Scheme),
            ("javascript:alert(1)", ServerUrlError::Scheme),
            ("https://user:pw@evo.example.com", ServerUrlError::Credentials),
            ("https://evo.example.com?a=1", ServerUrlError::QueryOrFragment),
            ("http://evo.example.com:22", ServerUrlError::Port),
            ("oi", ServerUrlError::NotAUrl),
        ] {
            assert_eq!(ServerUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn names_of_instances_are_any_visible_text() {
        for good in ["loja", "lab/barra", "lab com espaço", "lab-ção-📱", "lab?a=1&b#c%", &"a".repeat(255)] {
            assert_eq!(InstanceName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", ".", "..", "a\0b", "a\nb", "\u{200b}", "a\u{202e}b", &"a".repeat(256)] {
            assert!(InstanceName::parse(bad).is_err(), "{bad:?}");
        }
        for (name, creatable) in [("Loja_1-a", true), ("_loja", false), ("ção", false), ("a b", false)] {
            assert_eq!(InstanceName::parse(name).unwrap().is_creatable(), creatable, "{name}");
        }
        assert!(!InstanceName::parse(&"a".repeat(65)).unwrap().is_creatable());
    }

    #[test]
    fn labels_are_short_and_visible() {
        assert_eq!(Label::parse("  Loja 📱 ").unwrap().as_str(), "Loja 📱");
        assert!(Label::parse(&"ç".repeat(64)).is_ok());
        for bad in ["", "  ", "a\tb", "\u{200b}", "\u{202e}abc", &"a".repeat(65)] {
            assert!(Label::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn states_are_read_back() {
        for state in [Connection::Open, Connection::Close, Connection::Refused, Connection::Missing] {
            assert_eq!(Connection::parse(state.as_str()), state);
        }
        assert_eq!(Connection::parse("anything"), Connection::Unknown);
    }

    #[test]
    fn keys_are_masked_and_checked() {
        for bad in ["abc\r\nX: y", "🔑", "", &"a".repeat(5000)] {
            assert!(ApiKey::parse(bad).is_err());
        }
        let key = ApiKey::parse("0123456789abcdef1a2b").unwrap();
        assert_eq!(key.hint(), "••••1a2b");
        assert!(!format!("{key:?}").contains("1a2b"));
    }
}
