//! The Bot API's door: the token, how parameters come, switched faults, polling, and what a call is answered with.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::{Call, Fault, Telegram, rules, spec};

/// A refusal as the server words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub status: u16,
    pub description: String,
    pub retry_after: Option<u64>,
    /// The chat that the asked one has become.
    pub moved_to: Option<i64>,
}

impl Refused {
    pub(super) fn new(status: u16, description: &str) -> Self {
        Self { status, description: description.to_owned(), retry_after: None, moved_to: None }
    }

    /// 400 with the server's usual beginning.
    pub(super) fn bad(why: &str) -> Self {
        Self::new(400, &format!("Bad Request: {why}"))
    }
}

/// How many calls the log keeps.
const KEPT: usize = 10_000;
/// Refusals that happen to a bot that breaks no rule.
const NORMAL: [&str; 7] = [
    "not modified",
    "to edit not found",
    "to delete not found",
    "query is too old",
    "chat not found",
    "can't be deleted",
    "was upgraded to a supergroup",
];

pub(super) fn router(server: &Telegram) -> Router {
    Router::new().route("/{bot}/{method}", any(call)).with_state(server.clone())
}

async fn call(
    State(server): State<Telegram>,
    Path((bot, method)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if server.world().down {
        return (StatusCode::BAD_GATEWAY, "Bad Gateway").into_response();
    }
    let Some(token) = bot.strip_prefix("bot") else { return answer(Err(Refused::new(404, "Not Found"))) };
    if token != &*server.token {
        return answer(Err(Refused::new(401, "Unauthorized")));
    }
    let Some(name) = spec::method(&method) else {
        server.world().violations.push(format!("{method}: no such method"));
        return answer(Err(Refused::new(404, "Not Found")));
    };
    let fault = server.world().take_fault(name);
    if let Some(Fault::ServerError(status)) = fault {
        let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (code, "Internal Server Error").into_response();
    }
    let params = match params(name, query, &headers, &body) {
        Ok(params) => params,
        Err(refused) => return answer(Err(refused)),
    };
    let checked = server.world().check(name, &params);
    let outcome = match checked {
        Err(refused) => Err(refused),
        Ok(()) if name == "getUpdates" => updates(&server, &params).await,
        Ok(()) => rules::apply(&mut server.world(), name, &Value::Object(params.clone())),
    };
    server.world().log(name, params, &outcome);
    if name != "getUpdates" {
        server.change();
    }
    if outcome.is_ok()
        && name.starts_with("deleteMessage")
        && let Some(hook) = server.deleted.get()
    {
        (hook.0)();
    }
    match fault {
        Some(Fault::AnswerLost) => lost(),
        _ => dated(&server, answer(outcome)),
    }
}

/// Every answer tells the time.
fn dated(server: &Telegram, mut answer: Response) -> Response {
    let clock = server.world().clock.clone();
    let date = clock.map(|clock| clock.now().utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    if let Some(date) = date.and_then(|date| HeaderValue::from_str(&date).ok()) {
        answer.headers_mut().insert(header::DATE, date);
    }
    answer
}

/// An answer that breaks off before it begins to say anything.
fn lost() -> Response {
    let cut = std::io::Error::other("the answer is lost");
    Body::from_stream(futures::stream::iter([Err::<Bytes, _>(cut)])).into_response()
}

/// Parameters come as JSON, as a form, in the address, or in both; the body wins.
fn params(
    name: &str,
    query: HashMap<String, String>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Map<String, Value>, Refused> {
    let mut params = spec::from_form(name, query);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if body.is_empty() {
        return Ok(params);
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        let form = std::str::from_utf8(body).ok().and_then(|body| format!("/?{body}").parse::<Uri>().ok());
        let form = form.and_then(|uri| Query::<HashMap<String, String>>::try_from_uri(&uri).ok());
        params.extend(spec::from_form(name, form.ok_or_else(|| Refused::bad("can't parse the form"))?.0));
        return Ok(params);
    }
    match serde_json::from_slice(body) {
        // The server takes a null for a parameter that is not there.
        Ok(Value::Object(body)) => params.extend(body.into_iter().filter(|(_, value)| !value.is_null())),
        _ => return Err(Refused::bad("can't parse JSON object")),
    }
    Ok(params)
}

fn answer(outcome: Result<Value, Refused>) -> Response {
    match outcome {
        Ok(result) => Json(json!({ "ok": true, "result": result })).into_response(),
        Err(Refused { status, description, retry_after, moved_to }) => {
            let code = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            let mut body = json!({ "ok": false, "error_code": status, "description": description });
            if let Some(seconds) = retry_after {
                body["parameters"] = json!({ "retry_after": seconds });
            }
            if let Some(chat) = moved_to {
                body["parameters"] = json!({ "migrate_to_chat_id": chat });
            }
            (code, Json(body)).into_response()
        }
    }
}

impl super::World {
    fn take_fault(&mut self, method: &str) -> Option<Fault> {
        let at = self.faults.iter().position(|(name, _)| name.eq_ignore_ascii_case(method))?;
        Some(self.faults.remove(at).1)
    }

    /// Checks a call against the description of the Bot API.
    fn check(&mut self, name: &str, params: &Map<String, Value>) -> Result<(), Refused> {
        let mut refused = Ok(());
        for problem in spec::problems(name, params) {
            match problem {
                spec::Problem::Unknown(field) => self.violations.push(format!("{name}: there is no parameter {field}")),
                spec::Problem::Wrong(why) => refused = Err(Refused::bad(&why)),
            }
        }
        refused
    }

    fn log(&mut self, name: &'static str, params: Map<String, Value>, outcome: &Result<Value, Refused>) {
        let error = outcome.as_ref().err().map(|refused| refused.description.clone());
        if let Err(refused) = outcome
            && refused.status == 400
            && !NORMAL.iter().any(|normal| refused.description.contains(normal))
        {
            self.violations.push(format!("{name}: {}", refused.description));
        }
        if self.calls.len() == KEPT {
            self.calls.pop_front();
        }
        let params = Value::Object(params);
        self.calls.push_back(Call { method: name.to_owned(), params, at: SystemTime::now(), error });
    }

    /// What a poll takes: the offset confirms all before it, a negative one all but the last so many.
    fn batch(&mut self, offset: i64, limit: usize) -> Vec<Value> {
        if offset < 0 {
            let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let skip = self.updates.len().saturating_sub(keep);
            self.updates.drain(..skip);
        } else {
            let kept = self.updates.partition_point(|(id, _)| *id < offset);
            self.confirmed.extend(self.updates.drain(..kept).map(|(_, update)| update));
            while self.confirmed.len() > 8 {
                self.confirmed.pop_front();
            }
        }
        let batch: Vec<_> = self.updates.iter().take(limit).map(|(_, update)| update.clone()).collect();
        if self.echoes && !batch.is_empty() { echoed(self.confirmed.iter().cloned().chain(batch)) } else { batch }
    }
}

/// Each update three times, each time moved by up to three places.
fn echoed(updates: impl Iterator<Item = Value>) -> Vec<Value> {
    let thrice = updates.enumerate().flat_map(|(at, update)| (0..3).map(move |_| (at, update.clone())));
    let mut moved: Vec<_> = thrice.map(|(at, update)| (at + rand::random_range(0..=3), update)).collect();
    moved.sort_by_key(|(at, _)| *at);
    moved.into_iter().map(|(_, update)| update).collect()
}

/// Long polling. A second poll ends the first with a conflict, as the real server does.
async fn updates(server: &Telegram, params: &Map<String, Value>) -> Result<Value, Refused> {
    let number = |name: &str| params.get(name).and_then(Value::as_i64);
    let offset = number("offset").unwrap_or(0);
    let limit = usize::try_from(number("limit").unwrap_or(100)).unwrap_or(0).clamp(1, 100);
    let patience = Duration::from_secs(u64::try_from(number("timeout").unwrap_or(0)).unwrap_or(0).min(50));
    let mine = {
        let mut world = server.world();
        if !world.webhook.is_empty() {
            return Err(Refused::new(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            ));
        }
        if let Some(kinds) = params.get("allowed_updates").and_then(Value::as_array) {
            world.allowed = kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
        world.polls += 1;
        world.polls
    };
    server.change();
    let wait = async {
        loop {
            let seen = server.revision();
            {
                let mut world = server.world();
                if world.down {
                    return Err(Refused::new(502, "Bad Gateway"));
                }
                if world.polls != mine {
                    return Err(Refused::new(
                        409,
                        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                    ));
                }
                let batch = world.batch(offset, limit);
                if !batch.is_empty() {
                    return Ok(Value::Array(batch));
                }
            }
            server.changed_after(seen).await;
        }
    };
    tokio::time::timeout(patience, wait).await.unwrap_or(Ok(json!([])))
}
