//! What the chat shows, as values: HTML that is safe by construction, keys, and what leaves for Telegram.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use super::tap::Tap;
use crate::domain::ids::{MessageId, SeriesId, TelegramMessageId};
use crate::domain::report::Live;

/// Text for Telegram's HTML mode. User text gets in only through [`Html::escape`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Html(String);

impl Html {
    /// Text of a person or a server, made harmless: the four special characters are escaped and direction
    /// marks cannot leak out (isolated by U+2068 and U+2069 where there are any).
    pub fn escape(text: &str) -> Self {
        let mut out = String::with_capacity(text.len() + 8);
        let isolate = text.chars().any(is_directional);
        if isolate {
            out.push('\u{2068}');
        }
        for c in text.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                _ => out.push(c),
            }
        }
        if isolate {
            out.push('\u{2069}');
        }
        Self(out)
    }

    /// Text from `locales/`, whose values were escaped by `t!`.
    pub fn trusted(text: String) -> Self {
        Self(text)
    }

    /// The HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it gives an example of its own: something to be copied, which only `locales/` can mark so.
    pub fn has_example(&self) -> bool {
        self.0.contains("<code>")
    }

    /// Adds a line.
    pub fn line(&mut self, more: &Self) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(&more.0);
    }
}

impl Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_directional(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}')
}

/// A key under a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Key {
    /// What it says.
    pub label: String,
    /// What it does.
    pub does: KeyAction,
}

/// What a key does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyAction {
    /// Comes back as a tap: `callback_data`, at most 64 bytes.
    Tap(String),
    /// Copies a text of at most 256 characters.
    Copy(String),
    /// Opens an address.
    Url(String),
}

/// A message as it is to stand in the chat.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Screen {
    /// Its text.
    pub html: Html,
    /// Its keys, row by row.
    pub rows: Vec<Vec<Key>>,
    /// The scheduled message whose card this is.
    pub about: Option<MessageId>,
    /// The series whose card this is.
    #[serde(default)]
    pub series: Option<SeriesId>,
}

impl Screen {
    /// A screen without keys.
    pub fn new(html: Html) -> Self {
        Self { html, ..Self::default() }
    }

    /// Adds a line of text.
    #[must_use]
    pub fn line(mut self, more: &Html) -> Self {
        self.html.line(more);
        self
    }

    /// Says something above it.
    #[must_use]
    pub fn below(mut self, mut said: Html) -> Self {
        said.line(&Html::default());
        said.line(&self.html);
        self.html = said;
        self
    }

    /// Asks again with the same keys, after saying why an answer could not be taken. A reason with a right example
    /// stands alone: the question's example would be a second one.
    #[must_use]
    pub fn because(self, why: Html) -> Self {
        if why.has_example() { Self { html: why, ..self } } else { self.below(why) }
    }

    /// Adds a key on a row of its own.
    #[must_use]
    pub fn key(mut self, label: impl Into<String>, tap: &Tap) -> Self {
        self.rows.push(vec![Key { label: label.into(), does: KeyAction::Tap(tap.encode()) }]);
        self
    }

    /// Adds a key beside the last one.
    #[must_use]
    pub fn beside(mut self, label: impl Into<String>, tap: &Tap) -> Self {
        let key = Key { label: label.into(), does: KeyAction::Tap(tap.encode()) };
        match self.rows.last_mut() {
            Some(row) => row.push(key),
            None => self.rows.push(vec![key]),
        }
        self
    }

    /// Adds a key that copies a text.
    #[must_use]
    pub fn copy(mut self, label: impl Into<String>, text: impl Into<String>) -> Self {
        self.rows.push(vec![Key { label: label.into(), does: KeyAction::Copy(text.into()) }]);
        self
    }

    /// Marks it as the card of a series.
    #[must_use]
    pub fn card_of_series(mut self, series: SeriesId) -> Self {
        self.series = Some(series);
        self
    }

    /// Marks it as the card of a scheduled message.
    #[must_use]
    pub fn card_of(mut self, message: MessageId) -> Self {
        self.about = Some(message);
        self
    }
}

impl Display for Screen {
    /// Draws it as text, for snapshots.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.html)?;
        for row in &self.rows {
            let labels: Vec<_> = row.iter().map(|key| format!("[{}]", key.label)).collect();
            writeln!(f, "{}", labels.join(" "))?;
        }
        Ok(())
    }
}

/// What leaves for one chat, in order; a row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outgoing {
    /// A new message.
    Send(Screen),
    /// A message of ours, drawn anew; sent as a new one when it cannot be edited any more. The other cards of
    /// `screen.about` in this chat follow.
    Edit(TelegramMessageId, Screen),
    /// The cards of `screen.about` in this chat, drawn anew; nothing when there is none.
    Redraw(Screen),
    /// A new message that says what is being found out; the finding takes its place as [`Live::Work`].
    Begin(Screen),
    /// The chat's live card of this kind, drawn anew; a new message when there is none that goes on.
    Live(Live, Screen),
    /// Deletes a message of the user's; when that fails, says `otherwise`.
    Delete {
        /// Which.
        message: TelegramMessageId,
        /// What to say when it could not be deleted.
        otherwise: Option<Screen>,
    },
    /// Answers a tap; with a short text, shown as a toast or an alert.
    Answer {
        /// The callback query.
        query: String,
        /// At most 200 characters.
        toast: Option<String>,
        /// Shown as a box to be closed.
        alert: bool,
    },
    /// "typing…"
    Typing,
}
