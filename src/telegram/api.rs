//! Telegram's Bot API over HTTP: the few methods that we use, and errors that say what they mean. No retries here.

use std::fmt;
use std::time::Duration;

use chrono::DateTime;
use reqwest::header::DATE;
use reqwest::{Client, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::screen::{KeyAction, Screen};
use crate::domain::clock::Clock;
use crate::domain::guard::{Asked, Guard};
use crate::domain::ids::{ChatId, TelegramMessageId, TelegramUserId, UpdateId};

/// How long Telegram may hold a poll.
const POLL: Duration = Duration::from_secs(25);
/// The longest text, in UTF-16 units after the entities are parsed.
const LONGEST: usize = 4096;
/// What updates we ask for.
const ALLOWED: [&str; 4] = ["message", "edited_message", "callback_query", "my_chat_member"];

/// Why Telegram did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// Too many calls: nothing more in this chat for so long.
    #[error("asked to wait for {} s", .0.as_secs())]
    RetryAfter(Duration),
    /// The chat cannot be reached any more: blocked, deleted, kicked out.
    #[error("the chat is gone")]
    ChatGone,
    /// The group has become another chat.
    #[error("the chat is another one now")]
    Moved(ChatId),
    /// The message stands there as it should already.
    #[error("not modified")]
    NotModified,
    /// The message cannot be edited or deleted (any more).
    #[error("no such message to change")]
    CannotChange,
    /// The tap was answered too late.
    #[error("the query is too old")]
    QueryTooOld,
    /// The text was not valid HTML.
    #[error("the text could not be parsed")]
    Unparsable,
    /// The call was refused for another reason.
    #[error("refused: {0}")]
    Refused(String),
    /// Telegram could not be reached, or the answer was lost.
    #[error("network: {0}")]
    Network(String),
    /// Telegram has trouble of its own.
    #[error("server error {0}")]
    Server(u16),
    /// Another process polls with the same token.
    #[error("another process polls with the same token")]
    Conflict,
    /// The token is not valid.
    #[error("Telegram does not accept the bot token")]
    Unauthorized,
}

/// The bot itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Me {
    /// Its id.
    pub id: TelegramUserId,
    /// Its `@username`, without the `@`.
    pub username: String,
}

/// An update as it came, unread.
#[derive(Debug)]
pub struct RawUpdate {
    /// Its id.
    pub id: UpdateId,
    /// The text of the JSON.
    pub body: String,
}

/// The Bot API of one bot. It never prints the token.
#[derive(Clone)]
pub struct Api {
    client: Client,
    base: String,
    token: SecretString,
    /// Is told what time Telegram says it is.
    guard: Guard,
    clock: Clock,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("base", &self.base).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Answer<T> {
    #[serde(default = "Option::default")]
    result: Option<T>,
    #[serde(default)]
    description: String,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
    migrate_to_chat_id: Option<i64>,
}

#[derive(Deserialize)]
struct Sent {
    message_id: TelegramMessageId,
}

impl Api {
    /// A Bot API at `base`, such as `https://api.telegram.org`.
    pub fn new(base: &str, token: SecretString) -> Result<Self, ApiError> {
        let client = Client::builder()
            .use_rustls_tls()
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(15))
            .pool_idle_timeout(Duration::from_secs(4))
            .tcp_nodelay(true)
            .build()
            .map_err(network)?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { client, base, token, guard: Guard::default(), clock: Clock::System })
    }

    /// Tells the guard of this clock what time Telegram says it is.
    #[must_use]
    pub fn witnessed_by(self, guard: Guard, clock: Clock) -> Self {
        Self { guard, clock, ..self }
    }

    fn witness(&self, asked: Asked, response: &Response) {
        let said = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        match said.and_then(|said| DateTime::parse_from_rfc2822(said).ok()) {
            Some(said) => self.guard.witness(&self.clock, asked, said.into()),
            None => self.guard.heard_nothing(),
        }
    }

    /// Who we are.
    pub async fn get_me(&self) -> Result<Me, ApiError> {
        self.call("getMe", &json!({}), None).await
    }

    /// Ends webhook mode, so that polling may begin. What waits there is kept.
    pub async fn delete_webhook(&self) -> Result<(), ApiError> {
        self.call::<Value>("deleteWebhook", &json!({ "drop_pending_updates": false }), None).await.map(drop)
    }

    /// The address of the webhook; empty when there is none.
    pub async fn webhook(&self) -> Result<String, ApiError> {
        let info: Value = self.call("getWebhookInfo", &json!({}), None).await?;
        Ok(info.get("url").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// Sets the commands menu; without a language, the one for all other languages.
    pub async fn set_commands(&self, menu: &[(String, String)], language: Option<&str>) -> Result<(), ApiError> {
        let commands: Vec<_> =
            menu.iter().map(|(name, about)| json!({ "command": name, "description": about })).collect();
        let mut body = json!({ "commands": commands });
        if let Some(code) = language {
            body["language_code"] = code.into();
        }
        self.call::<Value>("setMyCommands", &body, None).await.map(drop)
    }

    /// Waits for updates from `offset` on, which confirms all before it; with `at_once` only those that are there.
    pub async fn get_updates(&self, offset: Option<i64>, at_once: bool) -> Result<Vec<RawUpdate>, ApiError> {
        #[derive(Deserialize)]
        struct Id {
            update_id: UpdateId,
        }
        let mut body =
            json!({ "timeout": if at_once { 0 } else { POLL.as_secs() }, "limit": 100, "allowed_updates": ALLOWED });
        if let Some(offset) = offset {
            body["offset"] = offset.into();
        }
        let limit = POLL + Duration::from_secs(10);
        let updates: Vec<Box<RawValue>> = self.call("getUpdates", &body, Some(limit)).await?;
        Ok(updates
            .into_iter()
            .filter_map(|raw| {
                let Id { update_id } = serde_json::from_str(raw.get()).ok()?;
                Some(RawUpdate { id: update_id, body: String::from(Box::<str>::from(raw)) })
            })
            .collect())
    }

    /// Sends a message; `plain` leaves the HTML's marks out.
    pub async fn send(&self, chat: ChatId, screen: &Screen, plain: bool) -> Result<TelegramMessageId, ApiError> {
        let mut body = text_body(screen, plain);
        body["chat_id"] = chat.0.into();
        let sent: Sent = self.call("sendMessage", &body, None).await?;
        Ok(sent.message_id)
    }

    /// Draws a message anew.
    pub async fn edit(
        &self,
        chat: ChatId,
        message: TelegramMessageId,
        screen: &Screen,
        plain: bool,
    ) -> Result<(), ApiError> {
        let mut body = text_body(screen, plain);
        body["chat_id"] = chat.0.into();
        body["message_id"] = message.0.into();
        self.call::<Value>("editMessageText", &body, None).await.map(drop)
    }

    /// Deletes a message.
    pub async fn delete(&self, chat: ChatId, message: TelegramMessageId) -> Result<(), ApiError> {
        let body = json!({ "chat_id": chat.0, "message_id": message.0 });
        self.call::<Value>("deleteMessage", &body, None).await.map(drop)
    }

    /// Answers a tap.
    pub async fn answer(&self, query: &str, toast: Option<&str>, alert: bool) -> Result<(), ApiError> {
        let mut body = json!({ "callback_query_id": query });
        if let Some(toast) = toast {
            body["text"] = toast.chars().take(200).collect::<String>().into();
            body["show_alert"] = alert.into();
        }
        self.call::<Value>("answerCallbackQuery", &body, None).await.map(drop)
    }

    /// Shows "typing…" for a while.
    pub async fn typing(&self, chat: ChatId) -> Result<(), ApiError> {
        let body = json!({ "chat_id": chat.0, "action": "typing" });
        self.call::<Value>("sendChatAction", &body, None).await.map(drop)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        body: &Value,
        limit: Option<Duration>,
    ) -> Result<T, ApiError> {
        let url = format!("{}/bot{}/{method}", self.base, self.token.expose_secret());
        let mut request = self.client.post(url).json(body);
        if let Some(limit) = limit {
            request = request.timeout(limit);
        }
        let asked = self.guard.ask(&self.clock);
        let response = request.send().await.map_err(network)?;
        let status = response.status().as_u16();
        // A proxy in between may say anything; Telegram itself is heard when it does what it was asked.
        if status == 200 {
            self.witness(asked, &response);
        }
        let bytes = response.bytes().await.map_err(network)?;
        if status >= 500 {
            return Err(ApiError::Server(status));
        }
        if status == 200 {
            let answer: Answer<T> = serde_json::from_slice(&bytes)
                .map_err(|_| ApiError::Refused("an answer that is not understood".to_owned()))?;
            return answer.result.ok_or_else(|| ApiError::Refused("an answer without a result".to_owned()));
        }
        let answer: Option<Answer<Value>> = serde_json::from_slice(&bytes).ok();
        let retry_after = answer.as_ref().and_then(|a| a.parameters.as_ref()?.retry_after);
        let moved = answer.as_ref().and_then(|a| a.parameters.as_ref()?.migrate_to_chat_id);
        let description = answer.map(|a| a.description).unwrap_or_default();
        if let Some(to) = moved {
            return Err(ApiError::Moved(ChatId(to)));
        }
        Err(refusal(status, &description, retry_after))
    }
}

fn network(error: reqwest::Error) -> ApiError {
    let error = error.without_url();
    let kind = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "cannot connect"
    } else {
        return ApiError::Network(error.to_string());
    };
    ApiError::Network(kind.to_owned())
}

/// What a refusal means. Telegram changes the case of its words now and then.
fn refusal(status: u16, description: &str, retry_after: Option<u64>) -> ApiError {
    let text = description.to_lowercase();
    let says = |any: &[&str]| any.iter().any(|words| text.contains(words));
    match status {
        429 => ApiError::RetryAfter(Duration::from_secs(retry_after.unwrap_or(1).max(1))),
        401 | 404 if text.is_empty() || says(&["unauthorized", "not found"]) => ApiError::Unauthorized,
        409 => ApiError::Conflict,
        403 => ApiError::ChatGone,
        _ if says(&[
            "chat not found",
            "user is deactivated",
            "peer_id_invalid",
            "bot was kicked",
            "group chat was upgraded",
        ]) =>
        {
            ApiError::ChatGone
        }
        _ if says(&["not modified"]) => ApiError::NotModified,
        _ if says(&["query is too old", "query id is invalid"]) => ApiError::QueryTooOld,
        _ if says(&["can't parse entities"]) => ApiError::Unparsable,
        _ if says(&[
            "message to edit not found",
            "message can't be edited",
            "message to delete not found",
            "message can't be deleted",
            "message_id_invalid",
            "there is no text in the message",
        ]) =>
        {
            ApiError::CannotChange
        }
        _ => ApiError::Refused(description.chars().take(120).collect()),
    }
}

fn text_body(screen: &Screen, plain: bool) -> Value {
    let html = cut(screen.html.as_str(), LONGEST);
    let mut body =
        if plain { json!({ "text": without_marks(&html) }) } else { json!({ "text": html, "parse_mode": "HTML" }) };
    body["link_preview_options"] = json!({ "is_disabled": true });
    if !screen.rows.is_empty() {
        let rows: Vec<Vec<Value>> = screen
            .rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|key| match &key.does {
                        KeyAction::Tap(data) => json!({ "text": key.label, "callback_data": data }),
                        KeyAction::Copy(text) => {
                            let text: String = text.chars().take(256).collect();
                            json!({ "text": key.label, "copy_text": { "text": text } })
                        }
                        KeyAction::Url(url) => json!({ "text": key.label, "url": url }),
                    })
                    .collect()
            })
            .collect();
        body["reply_markup"] = json!({ "inline_keyboard": rows });
    }
    body
}

/// One piece of HTML: a tag, an entity or a character, and how many UTF-16 units of it are seen.
fn piece(html: &str) -> Option<(&str, usize)> {
    let first = html.chars().next()?;
    let end = match first {
        '<' => html.find('>').map(|at| at + 1),
        '&' => html.find(';').filter(|at| *at <= 10).map(|at| at + 1),
        _ => None,
    };
    let seen = if first == '<' && end.is_some() {
        0
    } else if end.is_some() {
        1
    } else {
        first.len_utf16()
    };
    Some((&html[..end.unwrap_or(first.len_utf8())], seen))
}

/// Cuts HTML to `limit` UTF-16 units as seen; neither a tag nor an entity is split, and what is open is closed.
pub fn cut(html: &str, limit: usize) -> String {
    if html.encode_utf16().count() <= limit {
        return html.to_owned();
    }
    let mut out = String::with_capacity(html.len());
    let mut open: Vec<&str> = Vec::new();
    let (mut seen, mut rest) = (0, html);
    // Where it would have to end if more follows: one unit is kept for the ellipsis.
    let mut end: Option<(usize, Vec<&str>)> = None;
    while let Some((part, width)) = piece(rest) {
        if end.is_none() && seen + width > limit - 1 {
            end = Some((out.len(), open.clone()));
        }
        if seen + width > limit {
            let (at, open) = end.unwrap_or_default();
            out.truncate(at);
            out.push('…');
            for name in open.iter().rev() {
                out.push_str("</");
                out.push_str(name);
                out.push('>');
            }
            return out;
        }
        if width == 0 {
            let inner = part.trim_matches(['<', '>']);
            if inner.starts_with('/') {
                open.pop();
            } else {
                open.push(inner.split([' ', '/']).next().unwrap_or_default());
            }
        }
        out.push_str(part);
        seen += width;
        rest = &rest[part.len()..];
    }
    out
}

/// The text of HTML, for when Telegram cannot parse it.
fn without_marks(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((part, width)) = piece(rest) {
        if width > 0 {
            out.push_str(match part {
                "&amp;" => "&",
                "&lt;" => "<",
                "&gt;" => ">",
                "&quot;" => "\"",
                other => other,
            });
        }
        rest = &rest[part.len()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_marks() {
        assert_eq!(cut("<b>abc</b>", 10), "<b>abc</b>");
        assert_eq!(cut("<b>abcdef</b>", 4), "<b>abc…</b>");
        assert_eq!(cut("ab&amp;&lt;cd", 4), "ab&amp;…");
        assert_eq!(cut("a😀😀b", 4), "a😀…");
        assert_eq!(cut("<b>abcd</b>", 4), "<b>abcd</b>");
        let long = cut(&format!("<code>{}</code>", "😀".repeat(3000)), 4096);
        assert!(long.ends_with("…</code>"));
        assert!(without_marks(&long).encode_utf16().count() <= 4096);
    }

    #[test]
    fn refusals_are_told_apart_whatever_their_case() {
        assert!(matches!(
            refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid", None),
            ApiError::QueryTooOld
        ));
        assert!(matches!(refusal(400, "Bad Request: message is not modified: x", None), ApiError::NotModified));
        assert!(matches!(refusal(403, "Forbidden: bot was blocked by the user", None), ApiError::ChatGone));
        assert!(matches!(refusal(400, "Bad Request: chat not found", None), ApiError::ChatGone));
        assert!(matches!(refusal(400, "Bad Request: Message to edit not found", None), ApiError::CannotChange));
        assert!(
            matches!(refusal(429, "Too Many Requests", Some(7)), ApiError::RetryAfter(wait) if wait.as_secs() == 7)
        );
        assert!(matches!(refusal(401, "Unauthorized", None), ApiError::Unauthorized));
    }

    #[test]
    fn the_token_is_never_printed() {
        let api = Api::new("http://127.0.0.1:1/", SecretString::from("123:secret")).unwrap();
        assert!(!format!("{api:?}").contains("secret"));
    }
}
