//! What each method does to the world, and the rules that the Bot API holds it to.

use serde_json::{Value, json};

use super::html::{self, Parsed};
use super::methods::Refused;
use super::{BOT, Button, Shown, World};

/// Does one call. `name` is as the description spells it, and the parameters fit the description.
pub(super) fn apply(world: &mut World, name: &str, params: &Value) -> Result<Value, Refused> {
    let message = params["message_id"].as_i64().unwrap_or(0);
    match name {
        "getMe" => Ok(json!({ "id": BOT, "is_bot": true, "first_name": "ScheduleZAP", "username": world.username,
            "can_join_groups": true, "can_read_all_group_messages": false, "supports_inline_queries": false,
            "can_connect_to_business": false, "has_main_web_app": false })),
        "getWebhookInfo" => Ok(json!({ "url": world.webhook, "has_custom_certificate": false,
            "pending_update_count": world.updates.len() })),
        "setWebhook" | "deleteWebhook" => {
            params["url"].as_str().unwrap_or_default().clone_into(&mut world.webhook);
            if params["drop_pending_updates"] == true {
                world.updates.clear();
            }
            Ok(json!(true))
        }
        "setMyCommands" => set_commands(world, params),
        "getMyCommands" => {
            let scope = scope(params);
            let language = params["language_code"].as_str().unwrap_or_default().to_owned();
            Ok(world.commands.get(&(scope, language)).cloned().unwrap_or(json!([])))
        }
        "deleteMyCommands" => {
            let language = params["language_code"].as_str().unwrap_or_default().to_owned();
            world.commands.remove(&(scope(params), language));
            Ok(json!(true))
        }
        "setMyDescription" => short_enough(&params["description"], 512),
        "setMyShortDescription" => short_enough(&params["short_description"], 120),
        "sendMessage" => send(world, params),
        "editMessageText" | "editMessageReplyMarkup" => edit(world, name, params, message),
        "deleteMessage" => delete(world, params, message),
        "deleteMessages" => {
            for id in params["message_ids"].as_array().into_iter().flatten().filter_map(Value::as_i64) {
                // Those that are not there are passed over.
                let _ = delete(world, params, id);
            }
            Ok(json!(true))
        }
        "answerCallbackQuery" => answer_query(world, params),
        "sendChatAction" => {
            let chat = reachable(world, params)?;
            *world.typing.entry(chat).or_default() += 1;
            Ok(json!(true))
        }
        "setMessageReaction" => {
            let chat = known(world, params)?;
            let there = world.chats.get(&chat).is_some_and(|messages| messages.iter().any(|m| m.id == message));
            if there { Ok(json!(true)) } else { Err(Refused::bad("message to react not found")) }
        }
        "getChat" => known(world, params).map(|chat| world.chat(chat)),
        _ => Err(Refused::new(404, "Not Found")),
    }
}

/// The chat of a call, if anyone ever opened it.
fn known(world: &World, params: &Value) -> Result<i64, Refused> {
    let chat = params["chat_id"].as_i64().ok_or_else(|| Refused::bad("chat not found"))?;
    if let Some(group) = world.groups.iter().find(|group| group.id == chat) {
        return match group.moved_to {
            None => Ok(chat),
            Some(to) => {
                Err(Refused { moved_to: Some(to), ..Refused::bad("group chat was upgraded to a supergroup chat") })
            }
        };
    }
    if !world.people.iter().any(|person| person.id == chat) {
        return Err(Refused::bad("chat not found"));
    }
    if !world.chats.contains_key(&chat) {
        return Err(Refused::new(403, "Forbidden: bot can't initiate conversation with a user"));
    }
    Ok(chat)
}

/// The chat of a call, if something can be sent there now.
fn reachable(world: &World, params: &Value) -> Result<i64, Refused> {
    let chat = known(world, params)?;
    if world.blocked.contains(&chat) {
        return Err(Refused::new(403, "Forbidden: bot was blocked by the user"));
    }
    if let Some(seconds) = world.floods.get(&chat) {
        let description = format!("Too Many Requests: retry after {seconds}");
        return Err(Refused { status: 429, description, retry_after: Some(*seconds), moved_to: None });
    }
    Ok(chat)
}

fn short_enough(text: &Value, limit: usize) -> Result<Value, Refused> {
    if text.as_str().unwrap_or_default().encode_utf16().count() > limit {
        return Err(Refused::bad("description is too long"));
    }
    Ok(json!(true))
}

/// A scope of commands as a key of the map: its kind and whom it is for.
fn scope(params: &Value) -> String {
    let scope = &params["scope"];
    format!("{}:{}:{}", scope["type"].as_str().unwrap_or("default"), scope["chat_id"], scope["user_id"])
}

fn set_commands(world: &mut World, params: &Value) -> Result<Value, Refused> {
    let language = params["language_code"].as_str().unwrap_or_default();
    if !matches!(language.as_bytes(), [] | [b'a'..=b'z', b'a'..=b'z']) {
        return Err(Refused::bad("invalid language code specified"));
    }
    let commands = params["commands"].as_array().map(Vec::as_slice).unwrap_or_default();
    if commands.len() > 100 {
        return Err(Refused::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    for command in commands {
        let name = command["command"].as_str().unwrap_or_default().trim_start_matches('/');
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !(1..=32).contains(&name.len()) || !name.bytes().all(fits) {
            return Err(Refused::bad("BOT_COMMAND_INVALID"));
        }
        if !(1..=256).contains(&command["description"].as_str().unwrap_or_default().encode_utf16().count()) {
            return Err(Refused::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
    }
    world.commands.insert((scope(params), language.to_owned()), params["commands"].clone());
    Ok(json!(true))
}

fn send(world: &mut World, params: &Value) -> Result<Value, Refused> {
    let chat = reachable(world, params)?;
    let Parsed { text, entities } = text(params)?;
    let rows = keys(&params["reply_markup"])?;
    let reply_to = params["reply_parameters"]["message_id"].as_i64();
    let there = |id: i64| world.chats.get(&chat).is_some_and(|messages| messages.iter().any(|m| m.id == id));
    let lenient = params["reply_parameters"]["allow_sending_without_reply"] == true;
    if reply_to.is_some_and(|id| !there(id)) && !lenient {
        return Err(Refused::bad("message to be replied not found"));
    }
    let html = shown_html(params);
    let id = world.next_message;
    world.next_message += 1;
    let reply_to = reply_to.filter(|id| there(*id));
    let shown = Shown { id, from_bot: true, html, text, rows, edited: false, entities, reply_to, author: None };
    let sent = world.message(chat, &shown);
    world.chats.entry(chat).or_default().push(shown);
    world.typing.remove(&chat);
    Ok(sent)
}

fn edit(world: &mut World, name: &str, params: &Value, message: i64) -> Result<Value, Refused> {
    const SAME: &str = "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";
    let chat = reachable(world, params)?;
    let not_found = || Refused::bad("message to edit not found");
    let old = world.chats.get(&chat).and_then(|messages| messages.iter().find(|m| m.id == message));
    let old = old.ok_or_else(not_found)?.clone();
    if !old.from_bot {
        return Err(Refused::bad("message can't be edited"));
    }
    let rows = keys(&params["reply_markup"])?;
    let mut fresh = Shown { rows, ..old.clone() };
    if name == "editMessageText" {
        let parsed = text(params)?;
        fresh = Shown { html: shown_html(params), text: parsed.text, entities: parsed.entities, edited: true, ..fresh };
    }
    if (&old.text, &old.entities, &old.rows) == (&fresh.text, &fresh.entities, &fresh.rows) {
        return Err(Refused::bad(SAME));
    }
    let sent = world.message(chat, &fresh);
    let place = world.chats.get_mut(&chat).and_then(|messages| messages.iter_mut().find(|m| m.id == message));
    *place.ok_or_else(not_found)? = fresh;
    Ok(sent)
}

fn delete(world: &mut World, params: &Value, message: i64) -> Result<Value, Refused> {
    let chat = known(world, params)?;
    if world.groups.iter().any(|group| group.id == chat && !group.may_delete) {
        return Err(Refused::bad("message can't be deleted"));
    }
    let messages = world.chats.entry(chat).or_default();
    let before = messages.len();
    messages.retain(|m| m.id != message);
    if messages.len() == before { Err(Refused::bad("message to delete not found")) } else { Ok(json!(true)) }
}

fn answer_query(world: &mut World, params: &Value) -> Result<Value, Refused> {
    let query = params["callback_query_id"].as_str().unwrap_or_default();
    let text = params["text"].as_str().unwrap_or_default();
    if text.encode_utf16().count() > 200 {
        return Err(Refused::bad("MESSAGE_TOO_LONG"));
    }
    let Some(person) = world.open_queries.remove(query) else {
        return Err(Refused::bad("query is too old and response timeout expired or query ID is invalid"));
    };
    if !text.is_empty() {
        let alert = params["show_alert"] == true;
        world.toasts.entry(person).or_default().push((text.to_owned(), alert));
    }
    Ok(json!(true))
}

/// What the page shows: HTML as it came, anything else made harmless.
fn shown_html(params: &Value) -> String {
    let text = params["text"].as_str().unwrap_or_default();
    if params["parse_mode"].is_string() { text.to_owned() } else { html::escape(text) }
}

/// The text as it is kept, of 1 to 4096 UTF-16 units after its marks are parsed.
fn text(params: &Value) -> Result<Parsed, Refused> {
    let text = params["text"].as_str().unwrap_or_default();
    let parsed = match params["parse_mode"].as_str().unwrap_or_default() {
        "" => html::trimmed(text, params["entities"].as_array().cloned().unwrap_or_default()),
        mode if mode.eq_ignore_ascii_case("HTML") => html::parse(text).map_err(|why| Refused::new(400, &why))?,
        // The product writes HTML only; another mode here is a mistake.
        _ => return Err(Refused::bad("unsupported parse_mode")),
    };
    match parsed.text.encode_utf16().count() {
        0 => Err(Refused::bad("message text is empty")),
        1..=4096 => Ok(parsed),
        _ => Err(Refused::bad("message is too long")),
    }
}

/// The inline keyboard, if its keys are what the server takes.
fn keys(markup: &Value) -> Result<Vec<Vec<Button>>, Refused> {
    let mut rows = Vec::new();
    for row in markup["inline_keyboard"].as_array().into_iter().flatten() {
        let keys = row.as_array().into_iter().flatten().map(key).collect::<Result<Vec<_>, _>>()?;
        // The server drops rows without keys.
        if !keys.is_empty() {
            rows.push(keys);
        }
    }
    if rows.iter().map(Vec::len).sum::<usize>() > 100 {
        return Err(Refused::bad("reply markup is too long"));
    }
    Ok(rows)
}

fn key(key: &Value) -> Result<Button, Refused> {
    let word = |value: &Value| value.as_str().map(str::to_owned);
    let button = Button {
        label: word(&key["text"]).unwrap_or_default(),
        data: word(&key["callback_data"]),
        url: word(&key["url"]),
        copy: word(&key["copy_text"]["text"]),
    };
    if button.label.trim().is_empty() {
        return Err(Refused::bad("inline keyboard button text must be non-empty"));
    }
    if button.data.as_ref().is_some_and(|data| !(1..=64).contains(&data.len())) {
        return Err(Refused::bad("BUTTON_DATA_INVALID"));
    }
    if button.copy.as_ref().is_some_and(|text| !(1..=256).contains(&text.encode_utf16().count())) {
        return Err(Refused::bad("BUTTON_COPY_TEXT_INVALID"));
    }
    if let Some(url) = &button.url
        && !["http://", "https://", "tg://"].iter().any(|start| url.starts_with(start))
    {
        return Err(Refused::bad(&format!("inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")));
    }
    let kinds = [button.data.is_some(), button.url.is_some(), button.copy.is_some()];
    if kinds.iter().filter(|is| **is).count() != 1 {
        return Err(Refused::bad("BUTTON_TYPE_INVALID"));
    }
    Ok(button)
}
