//! Sending, looking numbers up, and searching a history.

use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answers::{bad, broken, lacks, uuid};
use super::numbers::{is_group, look_up};
use super::world::{Channel, Instance, Stored};
use super::{Call, Delivered};

fn unread(field: &str) -> String {
    format!("Cannot read properties of undefined (reading '{field}')")
}

/// What keeps a message from being sent, in the server's order.
fn refusal(call: &Call, instance: &Instance, number: &str, text: &str) -> Option<Response> {
    if text.trim().is_empty() {
        return Some(bad(&json!(["Text is required"])));
    }
    let address = look_up(number, &call.world);
    let socket = instance.socket(call.faults);
    let known = call.world.knows(&address.jid);
    if is_group(&address.jid) {
        return (socket.state != "open" || !address.exists).then(|| bad(&json!(["[object Object]"])));
    }
    let type_error = |field| bad(&json!([format!("TypeError: {}", unread(field))]));
    match (socket.state, known) {
        ("open", true) if call.world.dead.load(Relaxed) => Some(bad(&json!(["Error: Connection Closed"]))),
        ("open", _) if address.exists => None,
        ("open", _) => Some(bad(&json!([{ "jid": address.jid, "exists": false, "number": number }]))),
        _ if !socket.started && known => Some(type_error("sendMessage")),
        _ if !socket.started => Some(broken(&unread("onWhatsApp"))),
        ("connecting", true) => Some(type_error("id")),
        ("connecting", false) => Some(broken(&unread("find"))),
        (_, true) if socket.paired => Some(bad(&json!(["Error: Connection Closed"]))),
        (_, true) => Some(type_error("id")),
        (_, false) => Some(broken("Connection Closed")),
    }
}

pub(super) async fn send(call: &Call, instance: &Instance) -> Response {
    let body = &call.body;
    if let Some(refusal) = lacks(body, &["number", "text"]) {
        return refusal;
    }
    let Some(number) = body["number"].as_str() else { return bad(&json!([["Invalid format"]])) };
    let Some(text) = body["text"].as_str() else {
        return bad(&json!([["instance.text is not of a type(s) string"]]));
    };
    if body.get("delay").is_some_and(|delay| !delay.is_number()) {
        return bad(&json!([["Enter a value in milliseconds"]]));
    }
    let baileys = instance.channel == Channel::Baileys;
    if baileys && let Some(refusal) = refusal(call, instance, number, text) {
        return refusal;
    }
    let world = &call.world;
    if world.swallow.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
        return broken("Internal error");
    }
    let jid = if baileys { look_up(number, world).jid } else { number.to_owned() };
    if baileys {
        world.know(&jid);
    }
    let id = if baileys { format!("3EB0{:018X}", world.next.fetch_add(1, Relaxed)) } else { uuid() };
    let at = world.clock.read().unwrap_or_else(PoisonError::into_inner).now().0;
    // The store refuses NUL after the message has gone (#550).
    let stored = !text.contains('\0');
    let bare = world.bare.load(Relaxed);
    let kept = Stored { id, jid, text: text.to_owned(), at };
    let answer = answer(instance, &kept);
    let delivered = Delivered {
        instance: instance.name.clone(),
        number: number.to_owned(),
        jid: kept.jid.clone(),
        text: text.to_owned(),
        id: kept.id.clone(),
        at,
    };
    if stored && !bare && !world.forgetful.load(Relaxed) {
        instance.stored().push(kept);
    }
    world.deliver(delivered, bare);
    if !stored {
        return bad(&json!(["DriverAdapterError: unsupported Unicode escape sequence"]));
    }
    if world.hanging.load(Relaxed) {
        return std::future::pending().await;
    }
    let lost = world.lose.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok();
    if lost || call.faults.answer_lost {
        // The connection is cut in the middle of the answer.
        let cut = futures::stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("cut off"))]);
        return (StatusCode::CREATED, Body::from_stream(cut)).into_response();
    }
    (StatusCode::CREATED, Json(answer)).into_response()
}

fn context(jid: &str, at: i64) -> Value {
    if is_group(jid) {
        return Value::Null;
    }
    json!({
        "mentionedJid": [], "groupMentions": [], "disappearingMode": { "initiator": 0 },
        "ephemeralSettingTimestamp": { "low": at / 1000 - 172_800, "high": 0, "unsigned": false },
    })
}

fn answer(instance: &Instance, kept: &Stored) -> Value {
    let key = json!({ "remoteJid": kept.jid, "fromMe": true, "id": kept.id });
    let message = json!({ "conversation": kept.text });
    let seconds = kept.at / 1000;
    if instance.channel == Channel::Evolution {
        return json!({
            "key": key, "message": message, "messageType": "conversation", "messageTimestamp": seconds,
            "source": "unknown", "instanceId": instance.id,
        });
    }
    let mut answer = json!({
        "key": key, "pushName": "Você", "status": "PENDING", "message": message, "messageType": "conversation",
        "messageTimestamp": seconds, "instanceId": instance.id, "source": "web",
    });
    let context = context(&kept.jid, kept.at);
    if !context.is_null() {
        answer["contextInfo"] = context;
    }
    answer
}

pub(super) fn numbers(call: &Call, instance: &Instance) -> Response {
    let plain = |message: Value| {
        let body = json!({ "status": 400, "error": "Bad Request", "message": message });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    };
    let refused = |body: Value| (StatusCode::BAD_REQUEST, Json(body)).into_response();
    let Some(asked) = call.body["numbers"].as_array() else { return refused(json!({})) };
    if asked.is_empty() {
        return plain(json!([["numbers does not meet minimum length of 1"]]));
    }
    let Some(asked) = asked.iter().map(Value::as_str).collect::<Option<Vec<_>>>() else {
        return plain(json!([["\"numbers\" must be an array of numeric strings"]]));
    };
    if instance.channel == Channel::Evolution {
        return bad(&json!(["Method not available on Evolution Channel"]));
    }
    let world = &call.world;
    let found: Vec<_> = asked.into_iter().map(|number| (number, look_up(number, world))).collect();
    let socket = instance.socket(call.faults);
    if socket.state != "open" && !found.iter().all(|(_, address)| world.knows(&address.jid)) {
        let closed = json!({ "statusCode": 428, "error": "Precondition Required", "message": "Connection Closed" });
        let output = json!({ "statusCode": 428, "payload": closed, "headers": {} });
        let boom = json!({ "data": null, "isBoom": true, "isServer": false, "output": output });
        return refused(if socket.state == "close" && socket.started { boom } else { json!({}) });
    }
    let (groups, people): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, address)| is_group(&address.jid));
    let rows: Vec<_> = groups
        .into_iter()
        .chain(people)
        .map(|(number, address)| {
            if address.exists && address.jid.ends_with("@s.whatsapp.net") {
                world.know(&address.jid);
            }
            let mut row = json!({ "jid": address.jid, "exists": address.exists, "number": number });
            if let Some(group) = world.groups.iter().find(|group| group["id"] == *address.jid) {
                row["name"] = group["subject"].clone();
            } else if address.jid.ends_with("@lid") {
                row["lid"] = "lid".into();
            }
            row
        })
        .collect();
    Json(rows).into_response()
}

/// A moment of a filter, in seconds: text, or milliseconds since 1970.
fn moment(value: &Value) -> Option<i64> {
    let millis = match value {
        Value::String(text) => chrono::DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis(),
        _ => value.as_i64()?,
    };
    Some(millis.div_euclid(1000))
}

pub(super) fn find(call: &Call, instance: &Instance) -> Response {
    let (body, wanted) = (&call.body, &call.body["where"]);
    let whole = |field: &str, otherwise: usize| match &body[field] {
        Value::Null => Some(otherwise),
        number => number.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0),
    };
    let (Some(page), Some(size)) = (whole("page", 1), whole("offset", 50)) else {
        return broken("\nInvalid `this.prismaRepository.message.findMany()` invocation in\n");
    };
    if call.world.unsearchable.load(Relaxed) {
        return broken("Can't reach database server");
    }
    // One bound alone is no filter (#416), nor is a text (#420) or `fromMe: false` (#413).
    let span = &wanted["messageTimestamp"];
    let span = moment(&span["gte"]).zip(moment(&span["lte"]));
    let (id, jid) = (wanted["key"]["id"].as_str(), wanted["key"]["remoteJid"].as_str());
    let fits = |m: &&Stored| {
        id.is_none_or(|id| m.id == id)
            && jid.is_none_or(|jid| m.jid == jid)
            && span.is_none_or(|(from, to)| (from..=to).contains(&(m.at / 1000)))
    };
    let stored = instance.stored();
    let found: Vec<_> = stored.iter().rev().filter(fits).collect();
    let records: Vec<_> = found.iter().skip((page - 1) * size).take(size).map(|m| record(instance, m)).collect();
    let (total, pages) = (found.len(), found.len().div_ceil(size));
    Json(json!({ "messages": { "total": total, "pages": pages, "currentPage": page, "records": records } }))
        .into_response()
}

fn record(instance: &Instance, message: &Stored) -> Value {
    let baileys = instance.channel == Channel::Baileys;
    json!({
        "id": message.id.to_lowercase(),
        "key": { "id": message.id, "fromMe": true, "remoteJid": message.jid },
        "pushName": baileys.then_some("Você"),
        "messageType": "conversation",
        "message": { "conversation": message.text },
        "messageTimestamp": message.at / 1000,
        "instanceId": instance.id,
        "source": if baileys { "web" } else { "unknown" },
        "contextInfo": if baileys { context(&message.jid, message.at) } else { Value::Null },
        "MessageUpdate": [],
    })
}
