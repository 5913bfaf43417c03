//! The shapes that many answers share.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The common envelope of errors.
pub(super) fn failure(status: StatusCode, message: &Value) -> Response {
    let error = status.canonical_reason().unwrap_or_default();
    let body = json!({ "status": status.as_u16(), "error": error, "response": { "message": message } });
    (status, Json(body)).into_response()
}

/// A 400 with one or more messages.
pub(super) fn bad(message: &Value) -> Response {
    failure(StatusCode::BAD_REQUEST, message)
}

/// A 500 with its text.
pub(super) fn broken(message: &str) -> Response {
    failure(StatusCode::INTERNAL_SERVER_ERROR, &message.into())
}

/// What Express itself refuses is called an internal error, whatever its status (#214).
pub(super) fn express(status: StatusCode, message: &str) -> Response {
    let body = json!({
        "status": status.as_u16(), "error": "Internal Server Error", "response": { "message": message }
    });
    (status, Json(body)).into_response()
}

/// The key is not one that opens this.
pub(super) fn unauthorized() -> Response {
    failure(StatusCode::UNAUTHORIZED, &"Unauthorized".into())
}

/// The fields that a body lacks, as the check of its shape tells them.
pub(super) fn lacks(body: &Value, fields: &[&str]) -> Option<Response> {
    let missing = fields.iter().filter(|field| body.get(**field).is_none());
    let missing: Vec<_> = missing.map(|field| format!("instance requires property \"{field}\"")).collect();
    (!missing.is_empty()).then(|| bad(&json!([missing])))
}

/// The welcome.
pub(super) fn root() -> Value {
    json!({
        "status": 200, "message": "Welcome to the Evolution API, it is working!", "version": "2.3.6",
        "clientName": "sandbox", "manager": "http://localhost/manager",
        "documentation": "https://doc.evolution-api.com", "whatsappWebVersion": "2.3000.1027934701",
    })
}

/// The global key is right.
pub(super) fn verified() -> Value {
    json!({ "status": 200, "message": "Credentials are valid" })
}

/// A path segment without its percent signs.
pub(super) fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%' {
            let (hex, tail) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The machine's clock, in milliseconds.
pub(super) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A time as the server writes it.
pub(super) fn iso(at: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default();
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// A `UUIDv4`.
pub(super) fn uuid() -> String {
    let number = (rand::random::<u128>() & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
    let mut text = format!("{number:032x}");
    for dash in [20, 16, 12, 8] {
        text.insert(dash, '-');
    }
    text
}
