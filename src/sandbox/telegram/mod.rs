//! A Bot API server that enforces the Bot API's rules on what we call, and the page that is the chat.

pub mod groups;
mod html;
mod methods;
mod page;
mod rules;
mod spec;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use axum::Router;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::domain::clock::Clock;

/// A key under a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Its marks as `MessageEntity` objects.
    #[serde(skip)]
    pub entities: Vec<Value>,
    /// The message that it answers.
    pub reply_to: Option<i64>,
    /// Who said it, where that is not the chat's own person.
    #[serde(skip)]
    pub author: Option<i64>,
}

/// What a call of the Bot API meets, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is done, but the answer breaks off.
    AnswerLost,
    /// It is not done; the server answers with this status and no JSON.
    ServerError(u16),
}

/// A call of the Bot API, as the log keeps it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method, spelled as in the Bot API.
    pub method: String,
    /// Its parameters.
    pub params: Value,
    /// When it was answered.
    pub at: SystemTime,
    /// Why it was refused.
    pub error: Option<String>,
}

/// What is kept over a restart of the demo: people, their chats, and what the bot has not taken yet.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    people: Vec<PersonRow>,
    chats: HashMap<i64, Vec<Shown>>,
    updates: Vec<(i64, Value)>,
    next_update: i64,
    next_message: i64,
}

/// How many messages of a chat are kept over a restart.
const KEPT_MESSAGES: usize = 300;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct PersonRow {
    id: i64,
    name: String,
    language: String,
}

#[derive(Debug, Default)]
struct World {
    people: Vec<PersonRow>,
    groups: Vec<groups::Row>,
    chats: HashMap<i64, Vec<Shown>>,
    blocked: Vec<i64>,
    updates: Vec<(i64, Value)>,
    next_update: i64,
    next_message: i64,
    next_query: i64,
    open_queries: HashMap<String, i64>,
    toasts: HashMap<i64, Vec<(String, bool)>>,
    /// By scope and language.
    commands: HashMap<(String, String), Value>,
    /// How often the bot began to type since it last said something.
    typing: HashMap<i64, u64>,
    floods: HashMap<i64, u64>,
    faults: Vec<(String, Fault)>,
    calls: VecDeque<Call>,
    violations: Vec<String>,
    username: String,
    webhook: String,
    /// The kinds of updates asked for; empty is all.
    allowed: Vec<String>,
    polls: u64,
    /// The machine's clock when there is none.
    clock: Option<Clock>,
    down: bool,
    /// Deliver updates more than once and out of order; those confirmed last come again too.
    echoes: bool,
    confirmed: VecDeque<Value>,
}

/// The server; cheap to clone.
#[derive(Debug, Clone)]
pub struct Telegram {
    world: Arc<Mutex<World>>,
    token: Arc<str>,
    username: Arc<str>,
    changed: Arc<watch::Sender<u64>>,
    deleted: Arc<OnceLock<Hook>>,
}

/// What is done after messages were deleted, before that is answered.
struct Hook(Box<dyn Fn() + Send + Sync>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// The text that the Bot API shows of HTML, or its complaint.
pub fn text_of(html: &str) -> Result<String, String> {
    html::parse(html).map(|parsed| parsed.text)
}

/// The bot's own id.
const BOT: i64 = 7_000_001;
/// How long a story waits for what it wants to see.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(180);
/// When everything was said: nothing may hang on it.
const DATE: i64 = 1_790_000_000;

impl Button {
    fn json(&self) -> Value {
        let mut key = json!({ "text": self.label });
        for (name, value) in [("callback_data", &self.data), ("url", &self.url)] {
            if let Some(value) = value {
                key[name] = json!(value);
            }
        }
        if let Some(text) = &self.copy {
            key["copy_text"] = json!({ "text": text });
        }
        key
    }
}

impl Telegram {
    /// A server for one bot.
    pub fn new(token: &str, username: &str) -> Self {
        let username_there = username.to_owned();
        let world =
            World { next_update: 1, next_message: 1, next_query: 1, username: username_there, ..World::default() };
        Self {
            world: Arc::new(Mutex::new(world)),
            token: token.into(),
            username: username.into(),
            changed: Arc::new(watch::channel(0).0),
            deleted: Arc::default(),
        }
    }

    /// Numbers updates, messages and taps from here on. A bot that remembers an earlier server takes smaller numbers for
    /// what it has seen already, and answers nothing.
    pub fn count_from(&self, first: i64) {
        let mut world = self.world();
        world.next_update = world.next_update.max(first);
        world.next_message = world.next_message.max(first);
        world.next_query = world.next_query.max(first);
    }

    /// What is to be kept over a restart.
    pub fn keep(&self) -> Kept {
        let world = self.world();
        let newest = |chat: &Vec<Shown>| chat[chat.len().saturating_sub(KEPT_MESSAGES)..].to_vec();
        Kept {
            people: world.people.clone(),
            chats: world.chats.iter().map(|(id, chat)| (*id, newest(chat))).collect(),
            updates: world.updates.iter().filter(|(_, update)| !world.is_of_deleted(update)).cloned().collect(),
            next_update: world.next_update,
            next_message: world.next_message,
        }
    }

    /// Goes on from what was kept. What the bot had not taken yet comes to it now.
    pub fn restore(&self, kept: Kept) {
        let mut world = self.world();
        (world.people, world.chats, world.updates) = (kept.people, kept.chats, kept.updates);
        (world.next_update, world.next_message) = (kept.next_update, kept.next_message);
        drop(world);
        self.change();
    }

    /// Does this after messages were deleted, before the bot is told that they are gone; the first one given stays.
    pub fn on_deleted(&self, hook: impl Fn() + Send + Sync + 'static) {
        let _ = self.deleted.set(Hook(Box::new(hook)));
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

    /// Tells the time of this clock in its answers.
    pub fn set_clock(&self, clock: Clock) {
        self.world().clock = Some(clock);
    }

    /// Every call that broke a rule of the Bot API.
    pub fn violations(&self) -> Vec<String> {
        self.world().violations.clone()
    }

    /// Telegram answers 502 while it is down.
    pub fn set_down(&self, down: bool) {
        self.world().down = down;
        self.change();
    }

    /// How many updates wait to be taken.
    pub fn pending(&self) -> usize {
        self.world().updates.len()
    }

    /// Delivers each update three times, moved by up to three places, and what was confirmed once more.
    pub fn set_echoes(&self, echoes: bool) {
        self.world().echoes = echoes;
    }

    /// Every call that was let in, the oldest first; the log keeps the last ten thousand.
    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.iter().cloned().collect()
    }

    /// The next call of this method fails so.
    pub fn fail_next(&self, method: &str, fault: Fault) {
        self.world().faults.push((method.to_owned(), fault));
    }

    /// Answers 429 in this chat with so many seconds to wait, until it is called with none.
    pub fn set_flood(&self, chat: i64, retry_after: Option<u64>) {
        let mut world = self.world();
        match retry_after {
            Some(seconds) => world.floods.insert(chat, seconds),
            None => world.floods.remove(&chat),
        };
    }

    /// How many taps were not answered yet.
    pub fn unanswered(&self) -> usize {
        self.world().open_queries.len()
    }

    /// Every tap that waits for an answer becomes too old for one.
    pub fn forget_queries(&self) {
        self.world().open_queries.clear();
    }

    /// A number that grows with every change anywhere.
    pub fn revision(&self) -> u64 {
        *self.changed.borrow()
    }

    /// Returns at the next change after `seen`.
    pub async fn changed_after(&self, seen: u64) -> u64 {
        let mut changed = self.changed.subscribe();
        let _ = changed.wait_for(|n| *n > seen).await;
        *self.changed.borrow()
    }
}

impl World {
    /// Whether an update tells what was said in a message that is deleted by now.
    fn is_of_deleted(&self, update: &Value) -> bool {
        let told = ["message", "edited_message"].into_iter().find_map(|kind| update.get(kind));
        let number = |value: Option<&Value>| value.and_then(Value::as_i64);
        let Some((told, chat)) = told.and_then(|told| Some((told, number(told["chat"].get("id"))?))) else {
            return false;
        };
        let id = number(told.get("message_id"));
        !self.chats.get(&chat).is_some_and(|chat| chat.iter().any(|shown| Some(shown.id) == id))
    }

    fn update(&mut self, kind: &str, body: Value) {
        if !self.allowed.is_empty() && !self.allowed.iter().any(|allowed| allowed == kind) {
            return;
        }
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
        if let Some(group) = self.groups.iter().find(|group| group.id == id) {
            return group.json();
        }
        let name = self.people.iter().find(|p| p.id == id).map_or("?", |p| p.name.as_str());
        json!({ "id": id, "type": "private", "first_name": name })
    }

    fn bot(&self) -> Value {
        json!({ "id": BOT, "is_bot": true, "first_name": "ScheduleZAP", "username": self.username })
    }

    /// A message as the Bot API tells it; the message that it answers is told without its own.
    fn message(&self, chat: i64, shown: &Shown) -> Value {
        let from = if shown.from_bot { self.bot() } else { self.user(shown.author.unwrap_or(chat)) };
        let mut message = json!({ "message_id": shown.id, "date": DATE, "from": from, "chat": self.chat(chat),
            "text": shown.text });
        if shown.edited {
            message["edit_date"] = json!(DATE);
        }
        if !shown.entities.is_empty() {
            message["entities"] = json!(shown.entities);
        }
        if !shown.rows.is_empty() {
            let rows: Vec<Vec<_>> = shown.rows.iter().map(|row| row.iter().map(Button::json).collect()).collect();
            message["reply_markup"] = json!({ "inline_keyboard": rows });
        }
        if let Some(to) = shown.reply_to {
            let mut replied = self.told(chat, to);
            if let Some(replied) = replied.as_object_mut() {
                replied.remove("reply_to_message");
            }
            message["reply_to_message"] = replied;
        }
        message
    }

    /// A message by its number; one that is gone is told as Telegram tells what it cannot reach.
    fn told(&self, chat: i64, id: i64) -> Value {
        let found = self.chats.get(&chat).and_then(|messages| messages.iter().find(|m| m.id == id));
        found.map_or_else(
            || json!({ "message_id": id, "date": 0, "chat": self.chat(chat) }),
            |shown| self.message(chat, shown),
        )
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

    /// Posts a message; `more` is what it has instead of a text, if that is what it is.
    fn post(&self, text: &str, reply_to: Option<i64>, more: Option<(&str, Value)>) -> i64 {
        let mut world = self.server.world();
        let id = world.next_message;
        world.next_message += 1;
        let entities = if more.is_none() { commands_in(text) } else { Vec::new() };
        let (html, text) = (html::escape(text), text.to_owned());
        let shown = Shown {
            id,
            from_bot: false,
            html,
            text,
            rows: Vec::new(),
            edited: false,
            entities,
            reply_to,
            author: None,
        };
        let mut message = world.message(self.id, &shown);
        if let Some((name, value)) = more
            && let Some(message) = message.as_object_mut()
        {
            message.remove("text");
            message.insert(name.to_owned(), value);
        }
        world.chats.entry(self.id).or_default().push(shown);
        world.update("message", message);
        drop(world);
        self.server.change();
        id
    }

    /// Returns the newest message of the bot's that fits, as soon as there is one.
    pub async fn sees_one(&self, fits: impl Fn(&Shown) -> bool) -> Shown {
        loop {
            let seen = *self.server.changed.borrow();
            if let Some(shown) = self.chat().into_iter().rev().find(|m| m.from_bot && fits(m)) {
                return shown;
            }
            self.server.changed_after(seen).await;
        }
    }

    /// Says something; returns the number of the message.
    pub fn says(&self, text: &str) -> i64 {
        self.post(text, None, None)
    }

    /// Says something in reply to a message of the bot's.
    pub fn replies(&self, to: i64, text: &str) -> i64 {
        self.post(text, Some(to), None)
    }

    /// Changes what they said before.
    pub fn edits(&self, message: i64, text: &str) {
        let mut world = self.server.world();
        let mine = |m: &&mut Shown| m.id == message && !m.from_bot;
        let Some(shown) = world.chats.get_mut(&self.id).and_then(|chat| chat.iter_mut().find(mine)) else { return };
        shown.html = html::escape(text);
        text.clone_into(&mut shown.text);
        shown.entities = commands_in(text);
        shown.edited = true;
        let shown = shown.clone();
        let told = world.message(self.id, &shown);
        world.update("edited_message", told);
        drop(world);
        self.server.change();
    }

    /// Opens a deep link of the bot's.
    pub fn opens(&self, payload: &str) -> i64 {
        self.says(&format!("/start {payload}"))
    }

    /// Shares a contact card.
    pub fn shares_contact(&self, phone: &str, name: &str) -> i64 {
        let card = json!({ "phone_number": phone, "first_name": name });
        self.post(&format!("👤 {name} {phone}"), None, Some(("contact", card)))
    }

    /// Sends a sticker: something that no step takes.
    pub fn sends_sticker(&self) -> i64 {
        let sticker = json!({ "file_id": "a", "file_unique_id": "b", "type": "regular", "width": 1, "height": 1, "is_animated": false, "is_video": false });
        self.post("🙂", None, Some(("sticker", sticker)))
    }

    /// Sends a photo.
    pub fn sends_photo(&self) -> i64 {
        let size = json!({ "file_id": "c", "file_unique_id": "d", "width": 90, "height": 60, "file_size": 1200 });
        self.post("🖼", None, Some(("photo", json!([size]))))
    }

    /// Sends a voice message.
    pub fn sends_voice(&self) -> i64 {
        let voice = json!({ "file_id": "e", "file_unique_id": "f", "duration": 2, "mime_type": "audio/ogg" });
        self.post("🎤", None, Some(("voice", voice)))
    }

    /// Sends a place.
    pub fn sends_location(&self) -> i64 {
        self.post("📍", None, Some(("location", json!({ "latitude": -23.55, "longitude": -46.63 }))))
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
        let shown = world.told(self.id, message);
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
        self.server.world().toasts.get(&self.id).into_iter().flatten().map(|(text, _)| text.clone()).collect()
    }

    /// Taps that were not answered yet.
    pub fn unanswered(&self) -> usize {
        self.server.world().open_queries.values().filter(|id| **id == self.id).count()
    }

    /// Cannot be reached any more, of which the bot is not told.
    pub fn vanishes(&self) {
        self.server.world().blocked.push(self.id);
    }

    /// Blocks the bot, or lets it talk again.
    pub fn blocks(&self, blocked: bool) {
        let mut world = self.server.world();
        world.blocked.retain(|id| *id != self.id);
        if blocked {
            world.blocked.push(self.id);
        }
        let member = |is: bool| {
            let mut member = json!({ "user": world.bot(), "status": if is { "member" } else { "kicked" } });
            if !is {
                member["until_date"] = json!(0);
            }
            member
        };
        let body = json!({ "chat": world.chat(self.id), "from": world.user(self.id), "date": DATE,
            "old_chat_member": member(blocked), "new_chat_member": member(!blocked) });
        world.update("my_chat_member", body);
        drop(world);
        self.server.change();
    }

    /// Returns the newest message of the bot's that has this text, as soon as there is one.
    pub async fn sees(&self, text: &str) -> Shown {
        self.waits(text, self.sees_one(|m| m.text.contains(text))).await
    }

    /// Returns the last message of the bot's once it has this text.
    pub async fn sees_now(&self, text: &str) -> Shown {
        let last = async {
            loop {
                let seen = *self.server.changed.borrow();
                let last = self.chat().into_iter().rev().find(|m| m.from_bot);
                if let Some(shown) = last.filter(|m| m.text.contains(text)) {
                    return shown;
                }
                self.server.changed_after(seen).await;
            }
        };
        self.waits(text, last).await
    }

    async fn waits(&self, text: &str, seen: impl Future<Output = Shown>) -> Shown {
        // A story that waits in vain says what was shown instead.
        match tokio::time::timeout(PATIENCE, seen).await {
            Ok(shown) => shown,
            Err(_) => {
                let chat: Vec<_> = self.chat().into_iter().rev().take(4).map(|m| m.text).collect();
                panic!("{text:?} was never shown, but, the newest first: {chat:#?}, and {:?}", self.toasts())
            }
        }
    }
}

/// A label without its emoji.
fn words(label: &str) -> &str {
    label.trim_start_matches(|c: char| !c.is_alphanumeric()).trim()
}

/// The entities that Telegram makes of commands: at the front or after white space.
fn commands_in(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c == '/' && before.is_whitespace() {
            let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '@';
            let length = text[at + 1..].find(|c| !name(c)).unwrap_or(text.len() - at - 1);
            if (1..=64).contains(&length) {
                let offset = text[..at].encode_utf16().count();
                found.push(json!({ "type": "bot_command", "offset": offset, "length": length + 1 }));
            }
        }
        before = c;
    }
    found
}
