//! The Bot API's methods, as far as we call them, with their rules.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{BOT, Button, Shown, Telegram, html};

/// A refusal: status and description.
type Refused = (u16, String);

pub(super) fn router(server: &Telegram) -> Router {
    Router::new().route("/{bot}/{method}", any(call)).with_state(server.clone())
}

async fn call(State(server): State<Telegram>, Path((bot, method)): Path<(String, String)>, body: Bytes) -> Response {
    if server.world().down {
        return (StatusCode::BAD_GATEWAY, "Bad Gateway").into_response();
    }
    if bot.strip_prefix("bot") != Some(&*server.token) {
        return answer(Err((401, "Unauthorized".to_owned())));
    }
    let params: Value = if body.is_empty() { json!({}) } else { serde_json::from_slice(&body).unwrap_or(Value::Null) };
    if !params.is_object() {
        return answer(Err((400, "Bad Request: can't parse JSON".to_owned())));
    }
    let name = method.to_lowercase();
    let outcome = if name == "getupdates" { Ok(updates(&server, &params).await) } else { one(&server, &name, &params) };
    if let Err((400, why)) = &outcome
        && !["not modified", "not found", "too old"].iter().any(|normal| why.contains(normal))
    {
        server.world().violations.push(format!("{method}: {why}"));
    }
    if name != "getupdates" {
        server.change();
    }
    answer(outcome)
}

fn answer(outcome: Result<Value, Refused>) -> Response {
    match outcome {
        Ok(result) => Json(json!({ "ok": true, "result": result })).into_response(),
        Err((status, description)) => {
            let code = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            (code, Json(json!({ "ok": false, "error_code": status, "description": description }))).into_response()
        }
    }
}

/// The offset confirms; then what is there, or what comes within the time.
async fn updates(server: &Telegram, params: &Value) -> Value {
    let offset = params["offset"].as_i64().unwrap_or(0);
    let patience = Duration::from_secs(params["timeout"].as_u64().unwrap_or(0));
    server.world().updates.retain(|(id, _)| *id >= offset);
    let waited = tokio::time::timeout(patience, async {
        loop {
            let seen = *server.changed.borrow();
            if !server.world().updates.is_empty() {
                return;
            }
            server.changed_after(seen).await;
        }
    });
    // Nothing came: an empty list is an answer too.
    let _ = waited.await;
    let limit = usize::try_from(params["limit"].as_u64().unwrap_or(100)).unwrap_or(100);
    server.world().updates.iter().take(limit).map(|(_, update)| update.clone()).collect()
}

fn bad(why: &str) -> Refused {
    (400, format!("Bad Request: {why}"))
}

fn one(server: &Telegram, name: &str, params: &Value) -> Result<Value, Refused> {
    let chat = params["chat_id"].as_i64().unwrap_or(0);
    let message = params["message_id"].as_i64().unwrap_or(0);
    let mut world = server.world();
    match name {
        "getme" => Ok(json!({ "id": BOT, "is_bot": true, "first_name": "ScheduleZAP", "username": &*server.username,
            "can_join_groups": true, "can_read_all_group_messages": false, "supports_inline_queries": false,
            "can_connect_to_business": false, "has_main_web_app": false })),
        "getwebhookinfo" => Ok(json!({ "url": "", "has_custom_certificate": false, "pending_update_count": 0 })),
        "deletewebhook" | "sendchataction" => Ok(json!(true)),
        "setmycommands" => {
            let language = params["language_code"].as_str().unwrap_or_default().to_owned();
            world.commands.insert(language, params["commands"].clone());
            Ok(json!(true))
        }
        "sendmessage" => {
            if world.blocked.contains(&chat) {
                return Err((403, "Forbidden: bot was blocked by the user".to_owned()));
            }
            if !world.chats.contains_key(&chat) {
                return Err(bad("chat not found"));
            }
            let mut shown = read(params)?;
            shown.id = world.next_message;
            world.next_message += 1;
            let id = shown.id;
            let text = shown.text.clone();
            world.chats.entry(chat).or_default().push(shown);
            Ok(json!({ "message_id": id, "date": 1_790_000_000, "chat": world.chat(chat), "text": text }))
        }
        "editmessagetext" => {
            let fresh = read(params)?;
            let card = world.chat(chat);
            let messages = world.chats.get_mut(&chat).ok_or_else(|| bad("chat not found"))?;
            let old = messages.iter_mut().find(|m| m.id == message).ok_or_else(|| bad("message to edit not found"))?;
            if !old.from_bot {
                return Err(bad("message can't be edited"));
            }
            if old.html == fresh.html && old.rows == fresh.rows {
                return Err(bad(
                    "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
                ));
            }
            *old = Shown { id: message, edited: true, ..fresh };
            Ok(json!({ "message_id": message, "date": 1_790_000_000, "chat": card, "text": old.text }))
        }
        "deletemessage" => {
            let messages = world.chats.get_mut(&chat).ok_or_else(|| bad("chat not found"))?;
            let before = messages.len();
            messages.retain(|m| m.id != message);
            if messages.len() == before { Err(bad("message to delete not found")) } else { Ok(json!(true)) }
        }
        "answercallbackquery" => {
            let query = params["callback_query_id"].as_str().unwrap_or_default();
            let Some(person) = world.open_queries.remove(query) else {
                return Err(bad("query is too old and response timeout expired or query ID is invalid"));
            };
            if let Some(text) = params["text"].as_str() {
                if text.encode_utf16().count() > 200 {
                    return Err(bad("MESSAGE_TOO_LONG"));
                }
                world.toasts.entry(person).or_default().push(text.to_owned());
            }
            Ok(json!(true))
        }
        _ => Err((404, "Not Found".to_owned())),
    }
}

fn read(params: &Value) -> Result<Shown, Refused> {
    let html = params["text"].as_str().unwrap_or_default();
    let text = match params["parse_mode"].as_str() {
        Some("HTML") => html::plain(html).map_err(|why| (400, why))?,
        _ => html.to_owned(),
    };
    let html = if params["parse_mode"].is_string() { html.to_owned() } else { html::escape(html) };
    match text.trim().encode_utf16().count() {
        0 => return Err(bad("message text is empty")),
        n if n > 4096 => return Err(bad("message is too long")),
        _ => {}
    }
    let mut rows = Vec::new();
    for row in params["reply_markup"]["inline_keyboard"].as_array().into_iter().flatten() {
        let mut keys = Vec::new();
        for key in row.as_array().into_iter().flatten() {
            let word = |value: &Value| value.as_str().map(str::to_owned);
            let button = Button {
                label: word(&key["text"]).unwrap_or_default(),
                data: word(&key["callback_data"]),
                url: word(&key["url"]),
                copy: word(&key["copy_text"]["text"]),
            };
            if button.label.is_empty() {
                return Err(bad("text buttons must have text"));
            }
            if button.data.as_ref().is_some_and(|data| !(1..=64).contains(&data.len())) {
                return Err(bad("BUTTON_DATA_INVALID"));
            }
            if button.data.is_none() && button.url.is_none() && button.copy.is_none() {
                return Err(bad("BUTTON_TYPE_INVALID"));
            }
            keys.push(button);
        }
        rows.push(keys);
    }
    Ok(Shown { id: 0, from_bot: true, html, text, rows, edited: false })
}
