//! Group chats: several people, one bot, and what only happens there.

use serde_json::{Value, json};

use super::{BOT, DATE, Person, Shown, Telegram, html};

/// The account behind which a group's administrators are anonymous.
const ANONYMOUS: i64 = 1_087_968_824;

#[derive(Debug, Clone)]
pub(super) struct Row {
    pub id: i64,
    pub title: String,
    pub moved_to: Option<i64>,
    /// Whether the bot may delete what others said.
    pub may_delete: bool,
}

impl Row {
    pub(super) fn json(&self) -> Value {
        let kind = if self.id < -1_000_000_000_000 { "supergroup" } else { "group" };
        json!({ "id": self.id, "type": kind, "title": self.title })
    }
}

/// A group that the bot is in; it reads everything that is said there.
#[derive(Debug, Clone)]
pub struct Group {
    server: Telegram,
    id: i64,
}

impl Telegram {
    /// A group with the bot in it.
    pub fn group(&self, title: &str, may_delete: bool) -> Group {
        let mut world = self.world();
        let id = -2001 - i64::try_from(world.groups.len()).unwrap_or(0);
        world.groups.push(Row { id, title: title.to_owned(), moved_to: None, may_delete });
        Group { server: self.clone(), id }
    }
}

impl Group {
    fn post(&self, author: i64, text: &str, reply_to: Option<i64>) -> i64 {
        let mut world = self.server.world();
        let id = world.next_message;
        world.next_message += 1;
        let shown = Shown {
            id,
            from_bot: false,
            html: html::escape(text),
            text: text.to_owned(),
            rows: Vec::new(),
            edited: false,
            entities: super::commands_in(text),
            reply_to,
            author: Some(author),
        };
        let mut message = world.message(self.id, &shown);
        if author == ANONYMOUS {
            message["from"] =
                json!({ "id": ANONYMOUS, "is_bot": true, "first_name": "Group", "username": "GroupAnonymousBot" });
            message["sender_chat"] = world.chat(self.id);
        }
        world.chats.entry(self.id).or_default().push(shown);
        world.update("message", message);
        drop(world);
        self.server.change();
        id
    }

    /// Someone says something.
    pub fn says(&self, person: &Person, text: &str) -> i64 {
        self.post(person.id, text, None)
    }

    /// Someone answers a message.
    pub fn replies(&self, person: &Person, to: i64, text: &str) -> i64 {
        self.post(person.id, text, Some(to))
    }

    /// An administrator says something without showing who they are.
    pub fn says_anonymously(&self, text: &str) -> i64 {
        self.post(ANONYMOUS, text, None)
    }

    /// Someone taps a key under a message here, with any data.
    pub fn taps(&self, person: &Person, message: i64, data: &str) {
        let mut world = self.server.world();
        let query = format!("q{}", world.next_query);
        world.next_query += 1;
        world.open_queries.insert(query.clone(), person.id);
        let shown = world.told(self.id, message);
        let body =
            json!({ "id": query, "from": world.user(person.id), "message": shown, "chat_instance": "2", "data": data });
        world.update("callback_query", body);
        drop(world);
        self.server.change();
    }

    /// The group as it stands.
    pub fn chat(&self) -> Vec<Shown> {
        self.server.world().chats.get(&self.id).cloned().unwrap_or_default()
    }

    /// Returns the newest message of the bot's that has this text, as soon as there is one.
    pub async fn sees(&self, text: &str) -> Shown {
        loop {
            let seen = self.server.revision();
            if let Some(shown) = self.chat().into_iter().rev().find(|m| m.from_bot && m.text.contains(text)) {
                return shown;
            }
            self.server.changed_after(seen).await;
        }
    }

    /// Becomes a supergroup: another chat, of which the bot is told where `told`.
    pub fn becomes_a_supergroup(&self, told: bool) -> Self {
        let mut world = self.server.world();
        let to = -1_002_000_000_000 + self.id;
        let old = world.groups.iter().find(|group| group.id == self.id).cloned();
        let title = old.map(|group| group.title).unwrap_or_default();
        world.groups.push(Row { id: to, title, moved_to: None, may_delete: true });
        for group in world.groups.iter_mut().filter(|group| group.id == self.id) {
            group.moved_to = Some(to);
        }
        if told {
            let id = world.next_message;
            world.next_message += 1;
            let from = json!({ "id": BOT + 1, "is_bot": false, "first_name": "Telegram" });
            let message = json!({ "message_id": id, "date": DATE, "from": from, "chat": world.chat(self.id),
                "migrate_to_chat_id": to });
            world.update("message", message);
        }
        drop(world);
        self.server.change();
        Self { server: self.server.clone(), id: to }
    }
}
