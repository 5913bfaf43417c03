//! The bodies of the server's answers, read liberally (`EVOLUTION_API.md` section 3).

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::{CallError, SendError, is_gateway};
use super::{Answer, Created, Found, Listed, Looked, Sent};
use crate::domain::instance::{ApiKey, Connection};
use crate::domain::message::RefusedField;

/// A time as the server's filters want it.
pub(super) fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The message of the error envelope: a string, or arrays of strings or objects. Some routes have no envelope.
fn message(body: &Value) -> &Value {
    ["/response/message", "/message", "/output/payload/message"]
        .iter()
        .find_map(|place| body.pointer(place))
        .unwrap_or(&Value::Null)
}

/// The texts of a message, however deep they stand.
fn texts(said: &Value) -> Vec<&str> {
    match said {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// Whether the server says that it does not know the instance.
fn is_missing(said: &Value) -> bool {
    texts(said).iter().any(|text| {
        text.ends_with("instance does not exist") || (text.starts_with("Instance ") && text.ends_with("not found"))
    })
}

/// The body of a success, or what the failure means.
pub(super) fn ok(answer: &Answer) -> Result<Value, CallError> {
    let body = answer.body();
    match answer.status {
        200..=299 if !body.is_null() => Ok(body),
        401 | 403 => Err(CallError::Refused),
        404 if is_missing(message(&body)) => Err(CallError::Missing),
        // What stands before the server may say so in any words.
        status if is_gateway(status) => Err(CallError::Status { status, text: String::new() }),
        400 | 405..=599 if !body.is_null() => Err(CallError::Status {
            status: answer.status,
            text: texts(message(&body)).join(" · ").chars().take(300).collect(),
        }),
        _ => Err(CallError::NotEvolution),
    }
}

/// Reads the answer of a send. Classified by text, not by status: the same cause comes with several. Each text is
/// read as a whole, for the server may quote what was sent.
pub(super) fn sent(answer: &Answer) -> Result<Sent, SendError> {
    let status = answer.status;
    if status == 201
        && let Some(Key { id, remote_jid }) = key_of(&answer.bytes).filter(|key| !key.id.is_empty())
    {
        return Ok(Sent { remote_id: id, remote_jid });
    }
    let body = answer.body();
    match status {
        200..=299 => return handed_over(status, &body),
        429 => return Err(SendError::TooMany),
        401 | 403 => return Err(SendError::Call(CallError::Refused)),
        404 if body.is_object() => return Err(SendError::Call(CallError::Missing)),
        503 if body.to_string().contains("LICENSE_REQUIRED") => return Err(SendError::Licence),
        _ => {}
    }
    let said = message(&body);
    let texts = texts(said);
    if has_exists_false(said) {
        Err(SendError::NotOnWhatsApp)
    } else if texts.iter().any(|text| is_before_the_socket(text)) {
        Err(SendError::NotConnected)
    } else if texts.contains(&"[object Object]") {
        Err(SendError::GroupUnknown)
    } else if is_schema(said) {
        Err(SendError::Invalid(texts.iter().find_map(|text| refused_field(text))))
    } else if texts.contains(&"TypeError: Cannot read properties of undefined (reading 'message')") {
        // The Business channel lost Meta's answer, and stores nothing (#363, #364).
        Err(SendError::Call(CallError::AnswerLost))
    } else {
        Err(SendError::Unclear(status))
    }
}

/// What is sent.
#[derive(Serialize)]
pub(super) struct Text<'a> {
    pub number: &'a str,
    pub text: &'a str,
}

/// What nearly every answer says, read without the rest.
fn key_of(bytes: &[u8]) -> Option<Key> {
    #[derive(Deserialize)]
    struct Handed<'a> {
        #[serde(borrow)]
        key: &'a RawValue,
    }
    // Else a list would do for an object.
    let is_object = |text: &[u8]| text.trim_ascii_start().starts_with(b"{");
    let Handed { key } = is_object(bytes).then(|| serde_json::from_slice(bytes).ok())??;
    is_object(key.get().as_bytes()).then(|| serde_json::from_str(key.get()).ok())?
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    id: String,
    #[serde(default)]
    remote_jid: String,
}

/// A success has a key; without one it is Meta's refusal, passed on with a 201 (#361, #362).
fn handed_over(status: u16, body: &Value) -> Result<Sent, SendError> {
    let id = body.pointer("/key/id").and_then(Value::as_str).filter(|id| !id.is_empty());
    match (id, body.get("code").and_then(Value::as_i64)) {
        (Some(id), _) if status == 201 => Ok(Sent {
            remote_id: id.to_owned(),
            remote_jid: body.pointer("/key/remoteJid").and_then(Value::as_str).unwrap_or_default().to_owned(),
        }),
        // The token has expired or lacks a right.
        (None, Some(0 | 3 | 10 | 190 | 200..=299)) => Err(SendError::Call(CallError::Refused)),
        // Too fast, or Meta is out of order for a moment.
        (None, Some(1 | 2 | 4 | 80007 | 130_429 | 131_016 | 131_048 | 131_056)) => Err(SendError::TooMany),
        (None, code) if code.is_some() || body.get("type").is_some() => Err(SendError::Channel),
        _ => Err(SendError::Call(CallError::AnswerLost)),
    }
}

/// The failures that come before anything is written to WhatsApp (`EVOLUTION_API.md` section 5).
fn is_before_the_socket(text: &str) -> bool {
    let text = text.strip_prefix("Error: ").or_else(|| text.strip_prefix("TypeError: ")).unwrap_or(text);
    let unread = text.strip_prefix("Cannot read properties of undefined (reading '");
    let unread = unread.and_then(|rest| rest.strip_suffix("')"));
    text == "Connection Closed" || matches!(unread, Some("sendMessage" | "onWhatsApp" | "id" | "find"))
}

/// A list of lists is what the check of the body's shape says (#204).
fn is_schema(said: &Value) -> bool {
    let items = said.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().any(|item| item.is_array() || item.as_str() == Some("Text is required"))
}

/// The field that a text of that check names (#203 to #207).
fn refused_field(text: &str) -> Option<RefusedField> {
    if text == "Text is required" {
        return RefusedField::parse("text");
    }
    let required = text.strip_prefix("instance requires property \"").and_then(|rest| rest.strip_suffix('"'));
    let (name, _) = required.map(|name| (name, "")).or_else(|| {
        let ends =
            [" is required", " is not of a type", " does not match pattern", " does not meet ", " is not one of "];
        ends.iter().find_map(|end| text.split_once(end))
    })?;
    RefusedField::parse(name.strip_prefix("instance.").unwrap_or(name))
}

fn has_exists_false(said: &Value) -> bool {
    match said {
        Value::Array(items) => items.iter().any(has_exists_false),
        Value::Object(object) => object.get("exists") == Some(&Value::Bool(false)),
        _ => false,
    }
}

/// The answer of `connectionState`; a state that is left out belongs to an instance that is not loaded.
pub(super) fn state(body: &Value) -> Result<Connection, CallError> {
    let instance = body.get("instance").filter(|instance| instance.is_object()).ok_or(CallError::NotEvolution)?;
    Ok(instance.get("state").and_then(Value::as_str).map_or(Connection::Close, Connection::parse))
}

/// The answer of `create`: v2's `hash` is the key, v1's holds it.
pub(super) fn created(body: &Value) -> Result<Created, CallError> {
    let hash = body.get("hash").ok_or(CallError::NotEvolution)?;
    let token = hash.as_str().or_else(|| hash.get("apikey")?.as_str()).ok_or(CallError::NotEvolution)?;
    let connection = body.pointer("/instance/status").and_then(Value::as_str).unwrap_or_default();
    Ok(Created {
        token: ApiKey::parse(token).map_err(|_| CallError::NotEvolution)?,
        connection: Connection::parse(connection),
    })
}

/// The answer of `whatsappNumbers`: groups come first, so rows are told apart by their number.
pub(super) fn looked(body: &Value) -> Result<Vec<Looked>, CallError> {
    let rows = body.as_array().ok_or(CallError::NotEvolution)?;
    let row = |row: &Value| {
        Some(Looked {
            number: row.get("number")?.as_str()?.to_owned(),
            jid: row.get("jid")?.as_str()?.to_owned(),
            exists: row.get("exists")?.as_bool()?,
        })
    };
    Ok(rows.iter().filter_map(row).collect())
}

/// The answer of `fetchInstances`: an array, or v1's one object.
pub(super) fn list(body: &Value) -> Result<Vec<Listed>, CallError> {
    match body {
        Value::Array(rows) => Ok(rows.iter().filter_map(listed).collect()),
        Value::Object(object) if object.contains_key("instance") => Ok(listed(body).into_iter().collect()),
        _ => Err(CallError::NotEvolution),
    }
}

/// A row of `fetchInstances`, of v2 or of v1.
fn listed(row: &Value) -> Option<Listed> {
    let row = row.get("instance").unwrap_or(row);
    let field = |names: &[&str]| {
        names.iter().find_map(|name| row.get(*name).and_then(Value::as_str)).filter(|text| !text.is_empty())
    };
    let number = field(&["ownerJid", "owner"]).and_then(|jid| jid.split(['@', ':']).next()).map(str::to_owned);
    Some(Listed {
        name: field(&["name", "instanceName"])?.to_owned(),
        connection: Connection::parse(field(&["connectionStatus", "status"]).unwrap_or_default()),
        number: number.or_else(|| field(&["number"]).map(str::to_owned)),
        profile_name: field(&["profileName"]).map(str::to_owned),
        token: field(&["token", "apikey"]).and_then(|key| ApiKey::parse(key).ok()),
        disconnect_code: row.get("disconnectionReasonCode").and_then(Value::as_i64),
    })
}

/// A record of the history that has a wanted text and is ours.
pub(super) fn found(record: &Value, is_wanted: &(dyn Fn(&str) -> bool + Sync)) -> Option<Found> {
    let said =
        record.pointer("/message/conversation").or_else(|| record.pointer("/message/extendedTextMessage/text"))?;
    let said = said.as_str()?;
    if !is_wanted(said) || record.pointer("/key/fromMe") != Some(&Value::Bool(true)) {
        return None;
    }
    Some(Found {
        remote_id: record.pointer("/key/id")?.as_str()?.to_owned(),
        remote_jid: record.pointer("/key/remoteJid")?.as_str()?.to_owned(),
        other_jid: record.pointer("/key/remoteJidAlt").and_then(Value::as_str).map(str::to_owned),
        text: said.to_owned(),
        at: DateTime::from_timestamp(record.get("messageTimestamp")?.as_i64()?, 0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::error::{FailReason, HoldReason, Verdict};
    use super::*;
    use serde_json::json;

    fn said(status: u16, text: &str) -> Result<Sent, SendError> {
        sent(&Answer { status, bytes: text.as_bytes().to_vec() })
    }

    fn verdict(status: u16, body: &Value) -> Verdict {
        said(status, &body.to_string()).expect_err("a failure").verdict()
    }

    fn envelope(message: impl Into<Value>) -> Value {
        json!({ "status": 400, "error": "Bad Request", "response": { "message": message.into() } })
    }

    #[test]
    fn every_row_of_the_answer_table_is_read() {
        let held = Verdict::Hold(HoldReason::Disconnected);
        assert_eq!(
            verdict(400, &envelope(json!([{ "jid": "1@s.whatsapp.net", "exists": false, "number": "1" }]))),
            Verdict::GiveUp(FailReason::NotOnWhatsApp)
        );
        assert_eq!(
            verdict(400, &envelope(json!([["instance requires property \"text\""]]))),
            Verdict::GiveUp(FailReason::Invalid)
        );
        assert_eq!(verdict(400, &envelope(json!(["Text is required"]))), Verdict::GiveUp(FailReason::Invalid));
        assert_eq!(verdict(400, &envelope(json!(["[object Object]"]))), Verdict::GiveUp(FailReason::GroupUnknown));
        assert_eq!(verdict(400, &envelope(json!(["Error: Connection Closed"]))), held);
        assert_eq!(verdict(500, &envelope(json!("Connection Closed"))), held);
        assert_eq!(
            verdict(400, &envelope(json!(["TypeError: Cannot read properties of undefined (reading 'sendMessage')"]))),
            held
        );
        assert_eq!(verdict(500, &envelope(json!("Cannot read properties of undefined (reading 'onWhatsApp')"))), held);
        assert_eq!(verdict(401, &envelope(json!("Unauthorized"))), Verdict::Hold(HoldReason::KeyRefused));
        assert_eq!(
            verdict(404, &envelope(json!(["The \"x\" instance does not exist"]))),
            Verdict::Hold(HoldReason::Missing)
        );
        assert_eq!(verdict(503, &json!({ "code": "LICENSE_REQUIRED" })), Verdict::Hold(HoldReason::Licence));
        assert_eq!(verdict(429, &json!({})), Verdict::Retry);
        assert_eq!(
            verdict(201, &json!({ "message": "bad", "type": "OAuthException", "code": 131_030 })),
            Verdict::GiveUp(FailReason::Channel)
        );
        assert_eq!(
            verdict(400, &envelope(json!(["PrismaClientKnownRequestError"]))),
            Verdict::Unknown { searchable: true }
        );
        assert_eq!(verdict(500, &envelope(json!("anything"))), Verdict::Unknown { searchable: true });
        assert_eq!(
            verdict(201, &json!({ "message": "expired", "type": "OAuthException", "code": 190 })),
            Verdict::Hold(HoldReason::KeyRefused)
        );
        assert_eq!(verdict(200, &json!({ "key": { "id": "1" } })), Verdict::Unknown { searchable: false });
        // What the server quotes of a text says nothing about its fate.
        assert_eq!(
            verdict(400, &envelope(json!(["Invalid value: \"Connection Closed (reading 'id')\""]))),
            Verdict::Unknown { searchable: true }
        );
        // The Business channel stores nothing when Meta's answer is lost (#364).
        let lost = json!(["TypeError: Cannot read properties of undefined (reading 'message')"]);
        assert_eq!(verdict(400, &envelope(lost)), Verdict::Unknown { searchable: false });
        assert!(matches!(said(502, "<html>"), Err(SendError::Unclear(502))));
        assert!(matches!(said(201, ""), Err(SendError::Call(CallError::AnswerLost))));
    }

    #[test]
    fn the_field_that_was_refused_is_named_in_a_plain_word_or_not_at_all() {
        let field = |message: Value| match said(400, &envelope(message).to_string()) {
            Err(SendError::Invalid(field)) => field.map(|field| field.as_str().to_owned()),
            other => panic!("{other:?}"),
        };
        for (text, named) in [
            ("instance requires property \"number\"", Some("number")),
            ("instance.text is not of a type(s) string", Some("text")),
            ("number does not match pattern \"^\\d+$\"", Some("number")),
            ("numbers does not meet minimum length of 1", Some("numbers")),
            ("token is required", Some("token")),
            ("Invalid format", None),
            ("Enter a value in milliseconds", None),
            ("<b>Olá</b> is required", None),
            ("instance requires property \"a b\"", None),
            ("instance requires property \"\"", None),
        ] {
            assert_eq!(field(json!([[text]])).as_deref(), named, "{text}");
        }
        assert_eq!(field(json!(["Text is required"])).as_deref(), Some("text"));
        let both = ["instance requires property \"number\"", "instance requires property \"text\""];
        assert_eq!(field(json!([both])).as_deref(), Some("number"), "the first of them");
        assert_eq!(field(json!([[format!("{} is required", "a".repeat(41))]])), None);
    }

    #[test]
    fn a_key_is_found_in_whatever_comes_with_it() {
        let sent = |key: &str| said(201, &format!(r#"{{"message":{{"key":{{"id":"no"}}}},"key":{key},"code":190}}"#));
        let is = |jid: &str| Ok(Sent { remote_id: "A1".to_owned(), remote_jid: jid.to_owned() });
        assert_eq!(sent(r#"{"remoteJid":"5@lid","fromMe":true,"id":"A1"}"#), is("5@lid"));
        assert_eq!(sent(r#"{"id":"A1","remoteJid":null}"#), is(""));
        assert_eq!(sent(r#"{"id":"A1"}"#), is(""));
        let refused = Err(SendError::Call(CallError::Refused));
        assert_eq!(sent(r#"{"id":"","remoteJid":"5@lid"}"#), refused);
        assert_eq!(sent(r#"{"id":7}"#), refused);
        assert_eq!(sent("null"), refused);
        assert_eq!(sent(r#"["A1","5@lid"]"#), refused);
        assert_eq!(said(201, r#"[{"id":"A1"}]"#), Err(SendError::Call(CallError::AnswerLost)));
    }
}
