//! Creating, listing, connecting and deleting instances, their settings and webhooks.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Call;
use super::answers::{bad, broken, failure, iso, lacks, unauthorized, uuid};
use super::world::{Channel, Instance, Socket};

/// For this long a deleted instance is still there (#525, #526).
const DELETING: Duration = Duration::from_millis(150);
/// A picture of one dot.
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/// What a webhook may be told.
const EVENTS: [&str; 31] = [
    "APPLICATION_STARTUP",
    "QRCODE_UPDATED",
    "MESSAGES_SET",
    "MESSAGES_UPSERT",
    "MESSAGES_EDITED",
    "MESSAGES_UPDATE",
    "MESSAGES_DELETE",
    "SEND_MESSAGE",
    "SEND_MESSAGE_UPDATE",
    "CONTACTS_SET",
    "CONTACTS_UPSERT",
    "CONTACTS_UPDATE",
    "PRESENCE_UPDATE",
    "CHATS_SET",
    "CHATS_UPSERT",
    "CHATS_UPDATE",
    "CHATS_DELETE",
    "GROUPS_UPSERT",
    "GROUP_UPDATE",
    "GROUP_PARTICIPANTS_UPDATE",
    "CONNECTION_UPDATE",
    "LABELS_EDIT",
    "LABELS_ASSOCIATION",
    "CALL",
    "TYPEBOT_START",
    "TYPEBOT_CHANGE_STATUS",
    "REMOVE_INSTANCE",
    "LOGOUT_INSTANCE",
    "INSTANCE_CREATE",
    "INSTANCE_DELETE",
    "STATUS_INSTANCE",
];

pub(super) fn create(call: &Call) -> Response {
    let world = &call.world;
    let name = call.body["instanceName"].as_str();
    // The name is checked before the key (#044); without one, any instance is a namesake (#042).
    let exists = name.map_or_else(|| !world.list().is_empty(), |name| world.find(name).is_some());
    if exists {
        let said = format!("This name \"{}\" is already in use.", name.unwrap_or("undefined"));
        return failure(StatusCode::FORBIDDEN, &json!([said]));
    }
    if !call.is_global() {
        return unauthorized();
    }
    let channel = match call.body["integration"].as_str() {
        Some("WHATSAPP-BAILEYS") => Channel::Baileys,
        Some("EVOLUTION") => Channel::Evolution,
        _ => return bad(&json!(["Invalid integration"])),
    };
    let token = call.body["token"].as_str().map_or_else(|| uuid().to_uppercase(), str::to_owned);
    let instance = world.add(Instance::new(name.unwrap_or_default(), &token, channel));
    let code = (channel == Channel::Baileys && call.body["qrcode"] == true).then(|| show_code(&instance, None));
    let mut answer = json!({
        "instance": {
            "instanceName": instance.name, "instanceId": instance.id, "integration": channel.as_str(),
            "webhookWaBusiness": null, "accessTokenWaBusiness": "", "status": instance.state(call.faults),
        },
        "hash": token, "webhook": {}, "websocket": {}, "rabbitmq": {}, "nats": {}, "sqs": {},
        "settings": *instance.settings(),
    });
    if let Some(code) = code {
        answer["qrcode"] = code;
    }
    (StatusCode::CREATED, Json(answer)).into_response()
}

pub(super) fn fetch(call: &Call) -> Response {
    let all = call.world.list();
    let mine: Vec<_> = all.iter().filter(|i| call.is_global() || i.token == call.key).collect();
    if call.faults.wrong_key || (!call.is_global() && mine.is_empty()) {
        return unauthorized();
    }
    let asked = call.param("instanceName").map(|name| (name, true));
    let asked = asked.or_else(|| call.param("instanceId").map(|id| (id, false)));
    let Some((wanted, by_name)) = asked else {
        return Json(mine.into_iter().map(|i| row(call, i)).collect::<Vec<_>>()).into_response();
    };
    let rows = mine.into_iter().filter(|i| if by_name { i.name == wanted } else { i.id == wanted });
    let rows: Vec<_> = rows.map(|i| row(call, i)).collect();
    match rows.is_empty() {
        false => Json(rows).into_response(),
        true if call.is_global() => {
            failure(StatusCode::NOT_FOUND, &json!([format!("Instance \"{wanted}\" not found")]))
        }
        true => unauthorized(),
    }
}

fn row(call: &Call, instance: &Instance) -> Value {
    let created = iso(instance.created);
    let mut settings = instance.settings().clone();
    for (field, value) in
        [("id", &instance.id), ("createdAt", &created), ("updatedAt", &created), ("instanceId", &instance.id)]
    {
        settings[field] = value.as_str().into();
    }
    let socket = instance.socket(call.faults);
    json!({
        "id": instance.id, "name": instance.name, "connectionStatus": socket.state,
        "ownerJid": instance.number.as_ref().map(|number| format!("{number}@s.whatsapp.net")),
        "profileName": instance.number.as_ref().map(|_| &instance.profile), "profilePicUrl": null,
        "integration": instance.channel.as_str(), "number": null, "businessId": null, "token": instance.token,
        "clientName": "sandbox", "disconnectionReasonCode": socket.reason, "disconnectionObject": null,
        "disconnectionAt": null, "createdAt": created, "updatedAt": created, "Chatwoot": null, "Proxy": null,
        "Rabbitmq": null, "Nats": null, "Sqs": null, "Websocket": null, "Setting": settings,
        "_count": { "Message": instance.stored().len(), "Contact": 0, "Chat": 0 },
    })
}

fn shape(name: &str, state: &str) -> Response {
    Json(json!({ "instance": { "instanceName": name, "state": state } })).into_response()
}

pub(super) fn state(call: &Call, instance: &Instance) -> Response {
    shape(&instance.name, instance.state(call.faults))
}

/// Shows the next code; with a number, a pairing code too.
fn show_code(instance: &Instance, number: Option<&str>) -> Value {
    let mut count = 0;
    instance.change(|socket| {
        *socket = Socket { state: "connecting", started: true, codes: socket.codes + 1, ..*socket };
        count = socket.codes;
    });
    code(instance, count, number)
}

fn code(instance: &Instance, count: u32, number: Option<&str>) -> Value {
    let pairing = number.map(|number| format!("{:0>8}", &number[number.len().saturating_sub(4)..]));
    json!({ "pairingCode": pairing, "code": format!("2@{}-{count}", instance.id), "base64": PICTURE, "count": count })
}

pub(super) fn connect(call: &Call, instance: &Instance) -> Response {
    let socket = instance.socket(call.faults);
    match socket.state {
        "open" => shape(&instance.name, "open"),
        "connecting" => Json(code(instance, socket.codes, None)).into_response(),
        _ if instance.channel == Channel::Evolution => Json(json!({})).into_response(),
        _ => Json(show_code(instance, call.param("number"))).into_response(),
    }
}

pub(super) fn restart(call: &Call, instance: &Instance) -> Response {
    let socket = instance.socket(call.faults);
    match socket.state {
        // It answers the state from before, and is open again in a moment.
        "open" => shape(&instance.name, "open"),
        "connecting" => {
            // The code that it answers is dead already (#119).
            let old = code(instance, socket.codes, None);
            instance.change(|socket| socket.codes += 1);
            Json(old).into_response()
        }
        _ => Json(json!({ "error": true, "message": "[object Object]" })).into_response(),
    }
}

fn done(message: &str) -> Response {
    Json(json!({ "status": "SUCCESS", "error": false, "response": { "message": message } })).into_response()
}

pub(super) fn logout(call: &Call, instance: &Instance) -> Response {
    if instance.state(call.faults) == "close" {
        return bad(&json!([format!("The \"{}\" instance is not connected", instance.name)]));
    }
    instance.change(|socket| *socket = Socket { state: "close", paired: false, reason: Some(401), ..*socket });
    done("Instance logged out")
}

#[expect(clippy::disallowed_methods, reason = "the real server takes a moment of the machine's clock")]
pub(super) fn delete(call: &Call, instance: &Instance) -> Response {
    instance.change(|socket| socket.state = "close");
    let (world, name) = (Arc::clone(&call.world), instance.name.clone());
    tokio::spawn(async move {
        tokio::time::sleep(DELETING).await;
        world.remove(&name);
    });
    done("Instance deleted")
}

pub(super) fn settings(_: &Call, instance: &Instance) -> Response {
    Json(instance.settings().clone()).into_response()
}

pub(super) fn set_settings(call: &Call, instance: &Instance) -> Response {
    let needed = ["rejectCall", "groupsIgnore", "alwaysOnline", "readMessages", "readStatus", "syncFullHistory"];
    if let Some(refusal) = lacks(&call.body, &needed) {
        return refusal;
    }
    let mut settings = instance.settings();
    let mut set = json!({});
    for field in needed.into_iter().chain(["msgCall"]).filter(|field| call.body.get(*field).is_some()) {
        settings[field] = call.body[field].clone();
        set[field] = call.body[field].clone();
    }
    let answer = json!({ "settings": { "instanceName": instance.name, "settings": set } });
    (StatusCode::CREATED, Json(answer)).into_response()
}

pub(super) fn webhook(_: &Call, instance: &Instance) -> Response {
    Json(instance.webhook().clone()).into_response()
}

pub(super) fn set_webhook(call: &Call, instance: &Instance) -> Response {
    if let Some(refusal) = lacks(&call.body, &["webhook"]) {
        return refusal;
    }
    let hook = &call.body["webhook"];
    let Some(events) = hook["events"].as_array() else {
        return broken("Cannot read properties of undefined (reading 'length')");
    };
    let unknown = |event: &Value| !event.as_str().is_some_and(|event| EVENTS.contains(&event));
    if let Some(place) = events.iter().position(unknown) {
        let said = format!("webhook.events[{place}] is not one of enum values: {}", EVENTS.join(","));
        return bad(&json!([[said]]));
    }
    let at = iso(super::answers::now());
    let events = match (hook["enabled"] == false, events.is_empty()) {
        (true, _) => json!([]),
        (false, true) => json!(EVENTS),
        (false, false) => json!(events),
    };
    let row = json!({
        "id": instance.id, "url": hook["url"], "headers": hook["headers"], "enabled": hook["enabled"], "events": events,
        "webhookByEvents": hook["byEvents"] == true, "webhookBase64": hook["base64"] == true, "createdAt": at,
        "updatedAt": at, "instanceId": instance.id,
    });
    *instance.webhook() = row.clone();
    (StatusCode::CREATED, Json(row)).into_response()
}
