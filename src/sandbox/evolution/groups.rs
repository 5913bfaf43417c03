//! The groups of the fake WhatsApp; every instance is in all of them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Call;
use super::answers::{bad, broken, failure};
use super::world::{Channel, Instance};

/// The groups that were recorded.
pub(super) fn known() -> Vec<Value> {
    let group = |id: &str, subject: &str, announce: bool, people: &[(&str, Option<&str>)]| {
        let people: Vec<_> =
            people.iter().map(|(n, a)| json!({ "id": format!("{n}@s.whatsapp.net"), "admin": a })).collect();
        json!({
            "id": id, "subject": subject, "subjectOwner": people[0]["id"], "subjectTime": 1_700_000_100, "pictureUrl": null,
            "size": people.len(), "creation": 1_700_000_000, "owner": people[0]["id"], "desc": "Grupo de teste local",
            "descId": "DESC1", "restrict": false, "announce": announce, "isCommunity": false,
            "isCommunityAnnounce": false, "participants": people,
        })
    };
    let three = [("5511999990001", Some("superadmin")), ("5511988887777", Some("admin")), ("5511977776666", None)];
    let two = [("5511988887777", Some("superadmin")), ("5511999990001", None)];
    vec![
        group("120363000000000001@g.us", "Equipe Teste", false, &three),
        group("120363000000000002@g.us", "Avisos só admins 📣", true, &two),
        group("5511988887777-1600000000@g.us", "Grupo antigo", false, &two),
    ]
}

fn refusal(call: &Call, instance: &Instance) -> Option<Response> {
    let socket = instance.socket(call.faults);
    match socket.state {
        _ if instance.channel == Channel::Evolution => Some(bad(&json!(["Method not available on Evolution Channel"]))),
        "open" => None,
        _ if !socket.started => Some(broken("Cannot convert undefined or null to object")),
        // WhatsApp does not answer: an empty list, no error (#117).
        "connecting" => Some(Json(json!([])).into_response()),
        _ => Some(broken("Connection Closed")),
    }
}

fn without(group: &Value, field: &str) -> Value {
    let mut group = group.clone();
    if let Some(fields) = group.as_object_mut() {
        fields.remove(field);
    }
    group
}

pub(super) fn list(call: &Call, instance: &Instance) -> Response {
    let Some(people) = call.param("getParticipants") else {
        return bad(&json!(["The getParticipants needs to be informed in the query"]));
    };
    if let Some(refusal) = refusal(call, instance) {
        return refusal;
    }
    let groups = call.world.groups.iter();
    let rows: Vec<_> = groups.map(|g| if people == "true" { g.clone() } else { without(g, "participants") }).collect();
    Json(rows).into_response()
}

pub(super) fn find(call: &Call, instance: &Instance) -> Response {
    if let Some(refusal) = refusal(call, instance) {
        return refusal;
    }
    let wanted = call.param("groupJid").unwrap_or_default();
    match call.world.groups.iter().find(|group| group["id"] == *wanted) {
        Some(group) => Json(group).into_response(),
        None => failure(StatusCode::NOT_FOUND, &json!(["Error fetching group", "Error: item-not-found"])),
    }
}
