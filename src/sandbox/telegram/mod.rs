//! A Bot API server that enforces the Bot API's rules on what we call, and the page that is the chat.

mod html;
mod methods;
mod page;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

/// A key under a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// `callback_data`.
    pub data: Option<String>,
    /// Where it leads.
    pub url: Option<String>,
    /// What it copies.
    pub copy: Option<String>,
}

/// A message as it stands in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its number in the chat.
    pub id: i64,
    /// Whether the bot said it.
    pub from_bot: bool,
    /// As HTML: what the bot sent, or what a person said, escaped.
    pub html: String,
    /// Without marks.
    pub text: String,
    /// Keys, row by row.
    pub rows: Vec<Vec<Button>>,
    /// Changed after it was sent.
    pub edited: bool,
}

#[derive(Debug, Clone)]
struct PersonRow {
    id: i64,
    name: String,
    language: String,
}

#[derive(Debug, Default)]
struct World {
    people: Vec<PersonRow>,
    chats: HashMap<i64, Vec<Shown>>,
    blocked: Vec<i64>,
    updates: Vec<(i64, Value)>,
    next_update: i64,
    next_message: i64,
    next_query: i64,
    open_queries: HashMap<String, i64>,
    toasts: HashMap<i64, Vec<String>>,
    commands: HashMap<String, Value>,
    violations: Vec<String>,
    down: bool,
}

/// The server; cheap to clone.
#[derive(Debug, Clone)]
pub struct Telegram {
    world: Arc<Mutex<World>>,
    token: Arc<str>,
    username: Arc<str>,
    changed: Arc<watch::Sender<u64>>,
}

/// The bot's own id.
const BOT: i64 = 7_000_001;

impl Telegram {
    /// A server for one bot.
    pub fn new(token: &str, username: &str) -> Self {
        let world = World { next_update: 1, next_message: 1, next_query: 1, ..World::default() };
        Self {
            world: Arc::new(Mutex::new(world)),
            token: token.into(),
            username: username.into(),
            changed: Arc::new(watch::channel(0).0),
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// The Bot API, the page, and what the page reads.
    pub fn router(&self) -> Router {
        methods::router(self).merge(page::router(self))
    }

    /// A person with a private chat; the same one when the name is known.
    pub fn person(&self, name: &str, language: &str) -> Person {
        let mut world = self.world();
        let known = world.people.iter().find(|p| p.name == name).map(|p| p.id);
        let id = known.unwrap_or_else(|| {
            let id = 1001 + i64::try_from(world.people.len()).unwrap_or(0);
            world.people.push(PersonRow { id, name: name.to_owned(), language: language.to_owned() });
            id
        });
        Person { server: self.clone(), id }
    }

    /// Every call that broke a rule of the Bot API.
    pub fn violations(&self) -> Vec<String> {
        self.world().violations.clone()
    }

    /// Telegram answers 502 while it is down.
    pub fn set_down(&self, down: bool) {
        self.world().down = down;
    }

    /// Returns at the next change after `seen`.
    async fn changed_after(&self, seen: u64) -> u64 {
        let mut changed = self.changed.subscribe();
        let _ = changed.wait_for(|n| *n > seen).await;
        *self.changed.borrow()
    }
}

impl World {
    fn update(&mut self, kind: &str, body: Value) {
        let id = self.next_update;
        self.next_update += 1;
        let mut update = serde_json::Map::new();
        update.insert("update_id".to_owned(), json!(id));
        update.insert(kind.to_owned(), body);
        self.updates.push((id, Value::Object(update)));
    }

    fn user(&self, id: i64) -> Value {
        let row = self.people.iter().find(|p| p.id == id);
        let (name, language) = row.map_or(("?", "pt-br"), |p| (p.name.as_str(), p.language.as_str()));
        json!({ "id": id, "is_bot": false, "first_name": name, "username": format!("{}_tg", name.to_lowercase()), "language_code": language })
    }

    fn chat(&self, id: i64) -> Value {
        let name = self.people.iter().find(|p| p.id == id).map_or("?", |p| p.name.as_str());
        json!({ "id": id, "type": "private", "first_name": name })
    }
}

/// Someone who talks with the bot.
#[derive(Debug, Clone)]
pub struct Person {
    server: Telegram,
    id: i64,
}

impl Person {
    /// Their Telegram id, which is their private chat's too.
    pub fn id(&self) -> i64 {
        self.id
    }

    fn message(&self, world: &mut World, text: &str) -> Value {
        let id = world.next_message;
        world.next_message += 1;
        let shown = Shown {
            id,
            from_bot: false,
            html: html::escape(text),
            text: text.to_owned(),
            rows: Vec::new(),
            edited: false,
        };
        world.chats.entry(self.id).or_default().push(shown);
        json!({ "message_id": id, "date": 1_790_000_000, "from": world.user(self.id), "chat": world.chat(self.id) })
    }

    fn post(&self, text: &str, more: &[(&str, Value)]) -> i64 {
        let mut world = self.server.world();
        let mut message = self.message(&mut world, text);
        let id = message["message_id"].as_i64().unwrap_or(0);
        for (name, value) in more {
            message[*name] = value.clone();
        }
        world.update("message", message);
        drop(world);
        self.server.change();
        id
    }

    /// Says something; returns the number of the message.
    pub fn says(&self, text: &str) -> i64 {
        self.post(text, &said(text))
    }

    /// Says something in reply to a message of the bot's.
    pub fn replies(&self, to: i64, text: &str) -> i64 {
        let replied = json!({ "message_id": to, "date": 1_790_000_000, "chat": self.server.world().chat(self.id), "text": "…",
            "from": { "id": BOT, "is_bot": true, "first_name": "ScheduleZAP" } });
        let mut more = said(text);
        more.push(("reply_to_message", replied));
        self.post(text, &more)
    }

    /// Opens a deep link of the bot's.
    pub fn opens(&self, payload: &str) -> i64 {
        self.says(&format!("/start {payload}"))
    }

    /// Shares a contact card.
    pub fn shares_contact(&self, phone: &str, name: &str) -> i64 {
        self.post(&format!("👤 {name} {phone}"), &[("contact", json!({ "phone_number": phone, "first_name": name }))])
    }

    /// Sends a sticker: something that no step takes.
    pub fn sends_sticker(&self) -> i64 {
        let sticker = json!({ "file_id": "a", "file_unique_id": "b", "type": "regular", "width": 1, "height": 1, "is_animated": false, "is_video": false });
        self.post("🙂", &[("sticker", sticker)])
    }

    /// Taps the newest key whose label has these words.
    pub fn taps(&self, label: &str) -> Result<(), String> {
        let chat = self.chat();
        let found = chat.iter().rev().filter(|m| m.from_bot).find_map(|m| {
            let button = m
                .rows
                .iter()
                .flatten()
                .find(|b| words(&b.label) == words(label))
                .or_else(|| m.rows.iter().flatten().find(|b| b.label.contains(label)))?;
            Some((m.id, button.data.clone()?))
        });
        let Some((message, data)) = found else { return Err(format!("no key says {label:?}")) };
        self.taps_data(message, &data);
        Ok(())
    }

    /// Sends a tap with any data, as a forger could.
    pub fn taps_data(&self, message: i64, data: &str) {
        let mut world = self.server.world();
        let query = format!("q{}", world.next_query);
        world.next_query += 1;
        world.open_queries.insert(query.clone(), self.id);
        let text = world
            .chats
            .get(&self.id)
            .and_then(|c| c.iter().find(|m| m.id == message))
            .map_or("…".to_owned(), |m| m.text.clone());
        let shown = json!({ "message_id": message, "date": 1_790_000_000, "chat": world.chat(self.id), "text": text,
            "from": { "id": BOT, "is_bot": true, "first_name": "ScheduleZAP" } });
        let body =
            json!({ "id": query, "from": world.user(self.id), "message": shown, "chat_instance": "1", "data": data });
        world.update("callback_query", body);
        drop(world);
        self.server.change();
    }

    /// The chat as it stands.
    pub fn chat(&self) -> Vec<Shown> {
        self.server.world().chats.get(&self.id).cloned().unwrap_or_default()
    }

    /// What taps were answered with.
    pub fn toasts(&self) -> Vec<String> {
        self.server.world().toasts.get(&self.id).cloned().unwrap_or_default()
    }

    /// Taps that were not answered yet.
    pub fn unanswered(&self) -> usize {
        self.server.world().open_queries.values().filter(|id| **id == self.id).count()
    }

    /// Blocks the bot, or lets it talk again.
    pub fn blocks(&self, blocked: bool) {
        let mut world = self.server.world();
        world.blocked.retain(|id| *id != self.id);
        if blocked {
            world.blocked.push(self.id);
        }
    }

    /// Returns the newest message of the bot's that has this text, as soon as there is one.
    pub async fn sees(&self, text: &str) -> Shown {
        loop {
            let seen = *self.server.changed.borrow();
            if let Some(shown) = self.chat().into_iter().rev().find(|m| m.from_bot && m.text.contains(text)) {
                return shown;
            }
            self.server.changed_after(seen).await;
        }
    }
}

/// A label without its emoji.
fn words(label: &str) -> &str {
    label.trim_start_matches(|c: char| !c.is_alphanumeric()).trim()
}

fn said(text: &str) -> Vec<(&'static str, Value)> {
    let mut more = vec![("text", json!(text))];
    if text.starts_with('/') {
        let length = text.split_whitespace().next().map_or(0, |word| word.encode_utf16().count());
        more.push(("entities", json!([{ "type": "bot_command", "offset": 0, "length": length }])));
    }
    more
}
