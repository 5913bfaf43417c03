//! The bodies of the server's answers, read liberally (EVOLUTION_API.md section 3).

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::error::{CallError, SendError};
use super::{Answer, Found, Listed, Sent};
use crate::domain::instance::{ApiKey, Connection};

/// A time as the server's filters want it.
pub(super) fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The message of the error envelope: a string, or arrays of strings or objects.
fn message(body: &Value) -> Value {
    body.pointer("/response/message").or_else(|| body.get("message")).cloned().unwrap_or(Value::Null)
}

fn text(body: &Value) -> String {
    message(body).to_string().chars().take(300).collect()
}

/// The body of a success, or what the failure means.
pub(super) fn ok(answer: Answer) -> Result<Value, CallError> {
    let body = answer.body.unwrap_or(Value::Null);
    match answer.status {
        200..=299 if !body.is_null() => Ok(body),
        401 | 403 => Err(CallError::Refused),
        404 if text(&body).contains("instance") && (text(&body).contains("exist") || text(&body).contains("not found")) => Err(CallError::Missing),
        200..=404 => Err(CallError::NotEvolution),
        status => Err(CallError::Status { status, text: text(&body) }),
    }
}

/// Reads the answer of a send. Classified by text, not by status: the same cause comes with several.
pub(super) fn sent(answer: Answer) -> Result<Sent, SendError> {
    let status = answer.status;
    let Some(body) = answer.body else {
        return Err(match status {
            429 => SendError::TooMany,
            401 | 403 => SendError::Call(CallError::Refused),
            _ => SendError::Call(CallError::AnswerLost),
        });
    };
    if (200..300).contains(&status) {
        let id = body.pointer("/key/id").and_then(Value::as_str).filter(|id| !id.is_empty());
        return match id {
            Some(id) if status == 201 => Ok(Sent {
                remote_id: id.to_owned(),
                remote_jid: body.pointer("/key/remoteJid").and_then(Value::as_str).unwrap_or_default().to_owned(),
            }),
            None if body.get("code").is_some() || body.get("type").is_some() || body.get("message").is_some_and(Value::is_string) => Err(SendError::Channel),
            _ => Err(SendError::Call(CallError::AnswerLost)),
        };
    }
    let said = message(&body);
    let text = text(&body);
    let lower = text.to_lowercase();
    if body.to_string().contains("LICENSE_REQUIRED") {
        return Err(SendError::Licence);
    }
    match status {
        429 => return Err(SendError::TooMany),
        401 | 403 => return Err(SendError::Call(CallError::Refused)),
        404 if lower.contains("instance") && lower.contains("exist") => return Err(SendError::Call(CallError::Missing)),
        404 => return Err(SendError::Call(CallError::Missing)),
        _ => {}
    }
    if has_exists_false(&said) {
        return Err(SendError::NotOnWhatsApp);
    }
    // EVOLUTION_API.md section 5: all of these come before the socket write.
    const NOT_CONNECTED: [&str; 6] = [
        "connection closed",
        "(reading 'sendmessage')",
        "(reading 'onwhatsapp')",
        "(reading 'id')",
        "(reading 'find')",
        "not connected",
    ];
    if NOT_CONNECTED.iter().any(|known| lower.contains(known)) {
        return Err(SendError::NotConnected);
    }
    if lower.contains("[object object]") {
        return Err(SendError::GroupUnknown);
    }
    if lower.contains("requires property") || lower.contains("text is required") || lower.contains("is not of a type") || lower.contains("does not meet") {
        return Err(SendError::Invalid);
    }
    Err(SendError::Unclear(status))
}

fn has_exists_false(said: &Value) -> bool {
    match said {
        Value::Array(items) => items.iter().any(has_exists_false),
        Value::Object(object) => object.get("exists") == Some(&Value::Bool(false)),
        _ => false,
    }
}

/// A row of `fetchInstances`, of v2 or of v1.
pub(super) fn listed(row: &Value) -> Option<Listed> {
    let row = row.get("instance").unwrap_or(row);
    let field = |names: &[&str]| names.iter().find_map(|name| row.get(*name).and_then(Value::as_str)).filter(|text| !text.is_empty());
    let number = field(&["ownerJid", "owner"]).and_then(|jid| jid.split(['@', ':']).next()).map(str::to_owned);
    Some(Listed {
        name: field(&["name", "instanceName"])?.to_owned(),
        connection: Connection::parse(field(&["connectionStatus", "status"]).unwrap_or_default()),
        number: number.or_else(|| field(&["number"]).map(str::to_owned)),
        profile_name: field(&["profileName"]).map(str::to_owned),
        token: field(&["token", "apikey"]).and_then(|key| ApiKey::parse(key).ok()),
    })
}

/// A record of the history that has this text: its JID and what was found.
pub(super) fn found(record: &Value, text: &str) -> Option<(String, Found)> {
    let said = record.pointer("/message/conversation").or_else(|| record.pointer("/message/extendedTextMessage/text"))?;
    if said.as_str()? != text || record.pointer("/key/fromMe") != Some(&Value::Bool(true)) {
        return None;
    }
    let at = DateTime::from_timestamp(record.get("messageTimestamp")?.as_i64()?, 0)?;
    let jid = record.pointer("/key/remoteJid")?.as_str()?.to_owned();
    Some((jid, Found { remote_id: record.pointer("/key/id")?.as_str()?.to_owned(), at }))
}

#[cfg(test)]
mod tests {
    use super::super::error::{FailReason, HoldReason, Verdict};
    use super::*;
    use serde_json::json;

    fn verdict(status: u16, body: Value) -> Verdict {
        sent(Answer { status, body: Some(body) }).expect_err("a failure").verdict()
    }

    fn envelope(message: Value) -> Value {
        json!({ "status": 400, "error": "Bad Request", "response": { "message": message } })
    }

    #[test]
    fn every_row_of_the_answer_table_is_read() {
        let held = Verdict::Hold(HoldReason::Disconnected);
        assert_eq!(verdict(400, envelope(json!([{ "jid": "1@s.whatsapp.net", "exists": false, "number": "1" }]))), Verdict::GiveUp(FailReason::NotOnWhatsApp));
        assert_eq!(verdict(400, envelope(json!([["instance requires property \"text\""]]))), Verdict::GiveUp(FailReason::Invalid));
        assert_eq!(verdict(400, envelope(json!(["Text is required"]))), Verdict::GiveUp(FailReason::Invalid));
        assert_eq!(verdict(400, envelope(json!(["[object Object]"]))), Verdict::GiveUp(FailReason::GroupUnknown));
        assert_eq!(verdict(400, envelope(json!(["Error: Connection Closed"]))), held);
        assert_eq!(verdict(500, envelope(json!("Connection Closed"))), held);
        assert_eq!(verdict(400, envelope(json!(["TypeError: Cannot read properties of undefined (reading 'sendMessage')"]))), held);
        assert_eq!(verdict(500, envelope(json!("Cannot read properties of undefined (reading 'onWhatsApp')"))), held);
        assert_eq!(verdict(401, envelope(json!("Unauthorized"))), Verdict::Hold(HoldReason::KeyRefused));
        assert_eq!(verdict(404, envelope(json!(["The \"x\" instance does not exist"]))), Verdict::Hold(HoldReason::Missing));
        assert_eq!(verdict(503, json!({ "code": "LICENSE_REQUIRED" })), Verdict::Hold(HoldReason::Licence));
        assert_eq!(verdict(429, json!({})), Verdict::Retry);
        assert_eq!(verdict(201, json!({ "message": "bad", "type": "OAuthException", "code": 190 })), Verdict::GiveUp(FailReason::Channel));
        assert_eq!(verdict(400, envelope(json!(["PrismaClientKnownRequestError"]))), Verdict::Unknown { searchable: true });
        assert_eq!(verdict(500, envelope(json!("anything"))), Verdict::Unknown { searchable: true });
        assert!(matches!(sent(Answer { status: 201, body: None }), Err(SendError::Call(CallError::AnswerLost))));
    }
}
