//! The page that is the chat, and the few calls it makes.

use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Person, Telegram};

pub(super) fn router(server: &Telegram) -> Router {
    Router::new()
        .route("/", get(|| async { Html(include_str!("page/index.html")) }))
        .route("/style.css", get(|| async { ([(CONTENT_TYPE, "text/css")], include_str!("page/style.css")) }))
        .route("/page.js", get(|| async { ([(CONTENT_TYPE, "text/javascript")], include_str!("page/page.js")) }))
        .route("/sandbox/people", get(people).post(add))
        .route("/sandbox/chat/{id}", get(chat))
        .route("/sandbox/chat/{id}/{act}", post(act))
        .with_state(server.clone())
}

async fn people(State(server): State<Telegram>) -> Json<Value> {
    let world = server.world();
    let rows: Vec<_> =
        world.people.iter().map(|p| json!({ "id": p.id, "name": p.name, "language": p.language })).collect();
    Json(json!({ "bot": &*server.username, "people": rows }))
}

#[derive(Deserialize)]
struct NewPerson {
    name: String,
    language: String,
}

async fn add(State(server): State<Telegram>, Json(new): Json<NewPerson>) -> Json<Value> {
    let person = server.person(new.name.trim(), &new.language);
    Json(json!({ "id": person.id() }))
}

#[derive(Deserialize)]
struct Seen {
    #[serde(default)]
    after: u64,
}

/// The chat as it stands; waits up to 20 s for something newer than what the page has.
async fn chat(State(server): State<Telegram>, Path(id): Path<i64>, Query(seen): Query<Seen>) -> Json<Value> {
    let newer = tokio::time::timeout(std::time::Duration::from_secs(20), server.changed_after(seen.after));
    if seen.after > 0 {
        // Nothing newer: the page asks again.
        let _ = newer.await;
    }
    let revision = (*server.changed.borrow()).max(1);
    let world = server.world();
    let language = world.people.iter().find(|p| p.id == id).map_or("", |p| p.language.get(..2).unwrap_or_default());
    let scopes = [format!("chat:{id}:null"), "all_private_chats:null:null".to_owned(), "default:null:null".to_owned()];
    let menus = scopes.iter().flat_map(|scope| [language, ""].map(|language| (scope.clone(), language.to_owned())));
    let commands = menus.into_iter().find_map(|menu| world.commands.get(&menu)).cloned().unwrap_or(json!([]));
    let toasts = world.toasts.get(&id).map(Vec::as_slice).unwrap_or_default();
    Json(json!({
        "revision": revision,
        "messages": world.chats.get(&id).cloned().unwrap_or_default(),
        "toasts": toasts.iter().map(|(text, _)| text).collect::<Vec<_>>(),
        "alerts": toasts.iter().map(|(_, alert)| alert).collect::<Vec<_>>(),
        "typing": world.typing.get(&id).copied().unwrap_or(0),
        "commands": commands,
    }))
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Act {
    text: String,
    message: i64,
    data: String,
    reply_to: Option<i64>,
    phone: String,
    name: String,
}

async fn act(
    State(server): State<Telegram>,
    Path((id, what)): Path<(i64, String)>,
    Json(act): Json<Act>,
) -> Json<Value> {
    let person = Person { server, id };
    match (what.as_str(), act.reply_to) {
        ("say", Some(to)) => {
            person.replies(to, &act.text);
        }
        ("say", None) => {
            person.says(&act.text);
        }
        ("edit", _) => person.edits(act.message, &act.text),
        ("tap", _) => person.taps_data(act.message, &act.data),
        ("contact", _) => {
            person.shares_contact(&act.phone, &act.name);
        }
        _ => {}
    }
    Json(json!({ "ok": true }))
}
