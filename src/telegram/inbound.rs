//! Inbound: Telegram's update, read into an [`Event`]. dptree does the coarse routing; what a dialogue makes of an
//! event is decided elsewhere.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use dptree::Handler;
use serde::Deserialize;
use teloxide::dispatching::{DpHandlerDescription, UpdateFilterExt};
use teloxide::types::{
    CallbackQuery, ChatMemberUpdated, MaybeInaccessibleMessage, Message, MessageEntity, MessageEntityKind, Update, User,
};

use super::api::Me;
use super::event::{Event, Input, Who};
use super::tap::Tap;
use crate::domain::ids::{ChatId, Subject, TelegramMessageId, TelegramUserId, UpdateId};

/// What an update is to us.
#[derive(Debug, Clone)]
pub enum Incoming {
    /// Something a person did.
    Event(Box<Event>),
    /// The chat threw us out or blocked us.
    Gone(ChatId),
    /// A group has become another chat.
    Moved {
        /// Which it was.
        from: ChatId,
        /// Which it is.
        to: ChatId,
    },
    /// Nothing.
    Nothing,
}

type Schema = Handler<'static, Incoming, DpHandlerDescription>;

/// Reads the text of an update.
pub async fn read(me: &Me, raw: &str) -> Incoming {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    // From a value it would not work: teloxide reads an update's kind from text alone.
    let Ok(update) = serde_json::from_str::<Update>(raw) else { return Incoming::Nothing };
    match SCHEMA.get_or_init(schema).dispatch(dptree::deps![update, me.clone()]).await {
        ControlFlow::Break(incoming) => incoming,
        ControlFlow::Continue(_) => Incoming::Nothing,
    }
}

/// The coarse routes.
pub fn schema() -> Schema {
    dptree::entry()
        .branch(Update::filter_message().filter_map(moved).endpoint(follow))
        .branch(Update::filter_message().filter_map(said).endpoint(event))
        .branch(Update::filter_edited_message().filter_map(edited).endpoint(event))
        .branch(Update::filter_callback_query().map(tapped).endpoint(event))
        .branch(Update::filter_my_chat_member().endpoint(membership))
}

async fn event(event: Event) -> Incoming {
    Incoming::Event(Box::new(event))
}

async fn follow((from, to): (ChatId, ChatId)) -> Incoming {
    Incoming::Moved { from, to }
}

/// A group that became a supergroup, as the old or the new chat tells it.
#[expect(clippy::needless_pass_by_value, reason = "dptree injects by value")]
fn moved(message: Message) -> Option<(ChatId, ChatId)> {
    let here = ChatId(message.chat.id.0);
    let to = message.migrate_to_chat_id().map(|to| (here, ChatId(to.0)));
    to.or_else(|| message.migrate_from_chat_id().map(|from| (ChatId(from.0), here)))
}

async fn membership(change: ChatMemberUpdated) -> Incoming {
    if change.new_chat_member.kind.is_present() { Incoming::Nothing } else { Incoming::Gone(ChatId(change.chat.id.0)) }
}

#[expect(clippy::needless_pass_by_value, reason = "dptree injects by value")]
fn said(update: Update, message: Message, me: Me) -> Option<Event> {
    let user = person(&message)?;
    let private = message.chat.is_private();
    let reply_to = message.reply_to_message().filter(|to| to.from.as_ref().is_some_and(|from| is_us(from, &me)));
    let input = match (message.text(), message.contact()) {
        (Some(text), _) if text.starts_with('/') => command(text, &me, private)?,
        (Some(text), _) => {
            Input::Text { plain: text.to_owned(), marked: with_marks(text, message.entities().unwrap_or_default()) }
        }
        (None, Some(contact)) => Input::Contact {
            phone: contact.phone_number.clone(),
            name: full_name(&contact.first_name, contact.last_name.as_deref()),
        },
        // Joins, pins and the like are no one's words.
        (None, None) if !matches!(message.kind, teloxide::types::MessageKind::Common(_)) => return None,
        (None, None) => Input::Other,
    };
    // In a group only commands and replies are meant for us; of the rest nothing is kept.
    let is_ours = private || reply_to.is_some() || matches!(input, Input::Command { .. });
    let input = if is_ours { input } else { Input::Overheard };
    Some(Event {
        update: update_id(&update),
        subject: subject(message.chat.id, user),
        who: who(user),
        private,
        message: Some(TelegramMessageId(message.id.0.into())),
        reply_to: reply_to.map(|to| TelegramMessageId(to.id.0.into())),
        query: None,
        input,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "dptree injects by value")]
fn edited(update: Update, message: Message) -> Option<Event> {
    let user = person(&message)?;
    if !message.chat.is_private() {
        return None;
    }
    let text = message.text()?;
    Some(Event {
        update: update_id(&update),
        subject: subject(message.chat.id, user),
        who: who(user),
        private: true,
        message: Some(TelegramMessageId(message.id.0.into())),
        reply_to: None,
        query: None,
        input: Input::Edited {
            plain: text.to_owned(),
            marked: with_marks(text, message.entities().unwrap_or_default()),
        },
    })
}

#[expect(clippy::needless_pass_by_value, reason = "dptree injects by value")]
fn tapped(update: Update, query: CallbackQuery, me: Me) -> Event {
    let message = query.message.as_ref();
    // A key of a message that is not ours, or of one that was sent inline, is none of ours.
    let is_ours = match message {
        Some(MaybeInaccessibleMessage::Regular(message)) => message.from.as_ref().is_some_and(|from| is_us(from, &me)),
        Some(MaybeInaccessibleMessage::Inaccessible(_)) => true,
        None => false,
    };
    let tap = query.data.as_deref().filter(|_| is_ours).and_then(Tap::decode);
    let input = tap.map_or(Input::StaleTap, Input::Tap);
    let chat = message.map_or(query.from.id.into(), |message| message.chat().id);
    Event {
        update: update_id(&update),
        subject: subject(chat, &query.from),
        who: who(&query.from),
        private: message.is_none_or(|message| message.chat().is_private()),
        message: message.map(|message| TelegramMessageId(MaybeInaccessibleMessage::id(message).0.into())),
        reply_to: None,
        query: Some(query.id.0.clone()),
        input,
    }
}

/// The person who said it. Channels, anonymous administrators, other bots and what came by way of a bot are no one.
fn person(message: &Message) -> Option<&User> {
    if message.sender_chat.is_some() || message.via_bot.is_some() || message.chat.is_channel() {
        return None;
    }
    message.from.as_ref().filter(|user| !user.is_bot)
}

fn is_us(user: &User, me: &Me) -> bool {
    i64::try_from(user.id.0).is_ok_and(|id| id == me.id.0)
}

fn update_id(update: &Update) -> UpdateId {
    UpdateId(update.id.0.into())
}

fn subject(chat: teloxide::types::ChatId, user: &User) -> Subject {
    Subject { chat: ChatId(chat.0), user: TelegramUserId(i64::try_from(user.id.0).unwrap_or(i64::MAX)) }
}

fn who(user: &User) -> Who {
    Who {
        first_name: user.first_name.clone(),
        username: user.username.clone(),
        language_code: user.language_code.clone(),
    }
}

fn full_name(first: &str, last: Option<&str>) -> String {
    last.map_or_else(|| first.to_owned(), |last| format!("{first} {last}"))
}

/// Reads `/name@bot args`; `None` when it is for another bot. In private there is no other: it may be a secret that
/// looks so, and is a command that nobody knows.
fn command(text: &str, me: &Me, private: bool) -> Option<Input> {
    let (head, args) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (name, bot) = head
        .trim_start_matches('/')
        .split_once('@')
        .map_or((head.trim_start_matches('/'), None), |(name, bot)| (name, Some(bot)));
    if bot.is_some_and(|bot| !bot.eq_ignore_ascii_case(&me.username)) {
        let name = head.trim_start_matches('/').to_lowercase();
        return private.then(|| Input::Command { name, args: args.trim().to_owned() });
    }
    Some(Input::Command { name: name.to_lowercase(), args: args.trim().to_owned() })
}

/// Turns Telegram's bold, italic, strike and mono into WhatsApp's marks. WhatsApp wants its marks close to the words
/// and, but for mono, on one line.
pub fn with_marks(text: &str, entities: &[MessageEntity]) -> String {
    let mut spans: Vec<(usize, usize, &str)> = Vec::new();
    for entity in entities {
        let mark = match entity.kind {
            MessageEntityKind::Bold => "*",
            MessageEntityKind::Italic => "_",
            MessageEntityKind::Strikethrough => "~",
            MessageEntityKind::Code | MessageEntityKind::Pre { .. } => "```",
            _ => continue,
        };
        let start = byte_at(text, entity.offset);
        let end = byte_at(text, entity.offset.saturating_add(entity.length));
        let Some(part) = text.get(start..end) else { continue };
        let pieces: Vec<&str> = if mark == "```" { vec![part] } else { part.split('\n').collect() };
        let mut at = start;
        for piece in pieces {
            let inner = piece.trim();
            if !inner.is_empty() {
                let from = at + (piece.len() - piece.trim_start().len());
                spans.push((from, from + inner.len(), mark));
            }
            at += piece.len() + 1;
        }
    }
    // At one place: first what closes, the inner before the outer; then what opens, the outer before the inner.
    let mut marks: Vec<(usize, bool, usize, usize, &str)> = Vec::with_capacity(spans.len() * 2);
    for (order, (start, end, mark)) in spans.into_iter().enumerate() {
        marks.push((end, false, usize::MAX - start, usize::MAX - order, mark));
        marks.push((start, true, usize::MAX - end, order, mark));
    }
    marks.sort_unstable();
    let mut out = String::with_capacity(text.len() + marks.len() * 3);
    let mut done = 0;
    for (at, _, _, _, mark) in marks {
        out.push_str(&text[done..at]);
        out.push_str(mark);
        done = at;
    }
    out.push_str(&text[done..]);
    out
}

/// The byte at which a UTF-16 offset stands; the end when it lies behind, the next character when within one.
fn byte_at(text: &str, offset: usize) -> usize {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        if units >= offset {
            return at;
        }
        units += c.len_utf16();
    }
    text.len()
}

#[derive(Deserialize)]
struct Bare {
    message: Option<BareMessage>,
    edited_message: Option<BareMessage>,
    my_chat_member: Option<BareMessage>,
    callback_query: Option<BareQuery>,
}

#[derive(Deserialize)]
struct BareMessage {
    chat: BareId,
    from: Option<BareId>,
}

#[derive(Deserialize)]
struct BareQuery {
    from: BareId,
    message: Option<BareMessage>,
}

#[derive(Deserialize)]
struct BareId {
    id: i64,
}

/// The lane of an update: `chat:user`, and `0:0` for what has neither.
pub fn lane_of(raw: &str) -> String {
    let ids = serde_json::from_str::<Bare>(raw).ok().and_then(|bare| {
        if let Some(query) = bare.callback_query {
            return Some((query.message.map_or(query.from.id, |message| message.chat.id), query.from.id));
        }
        let message = bare.message.or(bare.edited_message).or(bare.my_chat_member)?;
        Some((message.chat.id, message.from.map_or(0, |from| from.id)))
    });
    let (chat, user) = ids.unwrap_or_default();
    format!("{chat}:{user}")
}

/// The chat of a lane, when it has one.
pub fn chat_of_lane(lane: &str) -> Option<ChatId> {
    let (chat, _) = lane.split_once(':')?;
    chat.parse().ok().filter(|id| *id != 0).map(ChatId)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Me {
        Me { id: TelegramUserId(99), username: "ZapBot".to_owned() }
    }

    fn message(more: &str) -> String {
        format!(
            r#"{{"update_id":7,"message":{{"message_id":5,"date":1700000000,
            "from":{{"id":11,"is_bot":false,"first_name":"Ana","language_code":"pt-br"}},
            "chat":{{"id":11,"type":"private","first_name":"Ana"}},{more}}}}}"#
        )
    }

    async fn event(raw: &str) -> Option<Event> {
        match read(&me(), raw).await {
            Incoming::Event(event) => Some(*event),
            _ => None,
        }
    }

    #[tokio::test]
    async fn a_text_is_read_with_its_marks() {
        let raw = message(r#""text":"oi Ana","entities":[{"type":"bold","offset":3,"length":3}]"#);
        let event = event(&raw).await.unwrap();
        assert_eq!(event.update, UpdateId(7));
        assert_eq!(event.subject, Subject { chat: ChatId(11), user: TelegramUserId(11) });
        assert_eq!(event.who.language_code.as_deref(), Some("pt-br"));
        assert!(matches!(event.input, Input::Text { plain, marked } if plain == "oi Ana" && marked == "oi *Ana*"));
        assert_eq!(lane_of(&raw), "11:11");
        assert_eq!(chat_of_lane("-5:11"), Some(ChatId(-5)));
    }

    #[tokio::test]
    async fn commands_lose_their_bot_and_those_of_others_are_not_ours() {
        let read = event(&message(r#""text":"/Start@zapbot  abc ""#)).await.unwrap();
        assert!(matches!(read.input, Input::Command { name, args } if name == "start" && args == "abc"));
        let other = event(&message(r#""text":"/start@other""#)).await.unwrap();
        assert!(matches!(other.input, Input::Command { name, .. } if name == "start@other"));
        let group = message(r#""text":"/start@other""#).replace("\"private\"", "\"group\",\"title\":\"x\"");
        assert!(event(&group).await.is_none());
    }

    #[tokio::test]
    async fn contacts_and_strange_things_are_read() {
        let contact = message(r#""contact":{"phone_number":"+5511","first_name":"Bia","last_name":"S"}"#);
        let read = event(&contact).await.unwrap();
        assert!(matches!(read.input, Input::Contact { phone, name } if phone == "+5511" && name == "Bia S"));
        let place = message(r#""location":{"latitude":1.0,"longitude":2.0}"#);
        assert!(matches!(event(&place).await.unwrap().input, Input::Other));
        assert!(event(r#"{"update_id":1,"something_new":{}}"#).await.is_none());
        assert!(event("no json").await.is_none());
    }

    #[tokio::test]
    async fn an_unknown_key_is_stale_and_a_block_is_seen() {
        let raw = r#"{"update_id":8,"callback_query":{"id":"q","chat_instance":"1","data":"never:heard:of",
            "from":{"id":11,"is_bot":false,"first_name":"Ana"},
            "message":{"message_id":6,"date":1700000000,"chat":{"id":11,"type":"private","first_name":"Ana"},
            "from":{"id":99,"is_bot":true,"first_name":"Zap"},"text":"x"}}}"#;
        let read_tap = event(raw).await.unwrap();
        assert!(matches!(read_tap.input, Input::StaleTap));
        assert_eq!(read_tap.query.as_deref(), Some("q"));
        let kicked = r#"{"update_id":9,"my_chat_member":{"chat":{"id":11,"type":"private","first_name":"Ana"},
            "from":{"id":11,"is_bot":false,"first_name":"Ana"},"date":1700000000,
            "old_chat_member":{"user":{"id":99,"is_bot":true,"first_name":"Zap"},"status":"member"},
            "new_chat_member":{"user":{"id":99,"is_bot":true,"first_name":"Zap"},"status":"kicked","until_date":0}}}"#;
        assert!(matches!(read(&me(), kicked).await, Incoming::Gone(ChatId(11))));
    }

    #[test]
    fn marks_stand_close_to_words_and_lines() {
        let bold = |offset, length| MessageEntity::bold(offset, length);
        assert_eq!(with_marks("a b c", &[bold(1, 3)]), "a *b* c");
        assert_eq!(with_marks("a\nb", &[bold(0, 3)]), "*a*\n*b*");
        assert_eq!(with_marks("😀 ab", &[bold(3, 2)]), "😀 *ab*");
        assert_eq!(with_marks("ab", &[bold(0, 2), MessageEntity::italic(0, 2)]), "*_ab_*");
        assert_eq!(with_marks("ab", &[bold(0, 1), MessageEntity::italic(1, 1)]), "*a*_b_");
        assert_eq!(with_marks("ab", &[bold(0, 99)]), "*ab*");
        assert_eq!(with_marks("ab", &[bold(7, 2)]), "ab");
        let code = MessageEntity { kind: MessageEntityKind::Code, offset: 0, length: 2 };
        assert_eq!(with_marks("ab", &[code]), "```ab```");
    }
}
