//! The Bot API's description, reduced to the methods used here: names, types and which parameters must be there.
//! Taken from a machine-readable copy of it under the licence in `LICENSE.api-spec`.

use std::sync::LazyLock;

use serde_json::{Map, Value};

static SPEC: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("bot_api.json")).unwrap_or(Value::Null));

/// What is wrong with a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The server passes over what it does not know, so a wrong name is noted but not refused.
    Unknown(String),
    /// Not there though it must be, or of another type.
    Wrong(String),
}

/// The method's name as the description spells it; any case is accepted.
pub(super) fn method(name: &str) -> Option<&'static str> {
    SPEC["methods"].as_object()?.keys().find(|known| known.eq_ignore_ascii_case(name)).map(String::as_str)
}

/// Turns the texts of a form into what the method's parameters are.
pub(super) fn from_form(method: &str, pairs: impl IntoIterator<Item = (String, String)>) -> Map<String, Value> {
    let read = |(name, text): (String, String)| {
        let is_text = SPEC["methods"][method][&name]["types"].as_array().is_some_and(|types| types == &["String"]);
        let value = if is_text { None } else { serde_json::from_str(&text).ok() };
        (name, value.unwrap_or(Value::String(text)))
    };
    pairs.into_iter().map(read).collect()
}

/// Everything that is wrong with a call's parameters.
pub(super) fn problems(method: &str, params: &Map<String, Value>) -> Vec<Problem> {
    let mut found = Vec::new();
    fields(&SPEC["methods"][method], params, "", &mut found);
    found
}

fn fields(known: &Value, given: &Map<String, Value>, path: &str, found: &mut Vec<Problem>) {
    for (name, value) in given {
        match known.get(name) {
            None => found.push(Problem::Unknown(format!("{path}{name}"))),
            Some(field) => of_any(&field["types"], value, &format!("{path}{name}"), found),
        }
    }
    for (name, field) in known.as_object().into_iter().flatten() {
        if field["required"] == true && !given.contains_key(name) {
            found.push(Problem::Wrong(format!("{path}{name} is missing")));
        }
    }
}

/// Takes the type that fits best: with the fewest problems.
fn of_any(types: &Value, value: &Value, path: &str, found: &mut Vec<Problem>) {
    let tries = types.as_array().into_iter().flatten().filter_map(Value::as_str).map(|name| {
        let mut found = Vec::new();
        of(name, value, path, &mut found);
        found
    });
    found.extend(tries.min_by_key(Vec::len).unwrap_or_default());
}

fn of(name: &str, value: &Value, path: &str, found: &mut Vec<Problem>) {
    let fits = match name {
        "String" | "InputFile" => value.is_string(),
        "Integer" => value.is_i64(),
        "Float" => value.is_number(),
        "Boolean" => value.is_boolean(),
        "True" => *value == true,
        _ => {
            if let Some(inner) = name.strip_prefix("Array of ") {
                let Some(items) = value.as_array() else {
                    return found.push(Problem::Wrong(format!("{path} is not an array")));
                };
                for (at, item) in items.iter().enumerate() {
                    of(inner, item, &format!("{path}[{at}]"), found);
                }
                return;
            }
            let known = &SPEC["types"][name];
            if known["any_of"].is_array() {
                return of_any(&known["any_of"], value, path, found);
            }
            match value.as_object() {
                Some(given) if known["fields"].is_object() => {
                    return fields(&known["fields"], given, &format!("{path}."), found);
                }
                Some(_) => true,
                None => false,
            }
        }
    };
    if !fits {
        found.push(Problem::Wrong(format!("{path} is not of type {name}")));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Problem, from_form, method, problems};

    fn of(name: &str, params: &Value) -> Vec<Problem> {
        problems(name, params.as_object().unwrap())
    }

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(method("SendMessage"), Some("sendMessage"));
        assert_eq!(method("sendNothing"), None);
    }

    #[test]
    fn wrong_names_and_types_are_found_at_any_depth() {
        assert_eq!(of("sendMessage", &json!({ "chat_id": 1, "text": "a" })), []);
        assert_eq!(of("sendMessage", &json!({ "chat_id": 1 })), [Problem::Wrong("text is missing".to_owned())]);
        assert_eq!(
            of("sendMessage", &json!({ "chat_id": 1, "text": "a", "reply_to": 2 })),
            [Problem::Unknown("reply_to".to_owned())]
        );
        let keys = json!({ "inline_keyboard": [[{ "text": "a", "callback": "b" }]] });
        assert_eq!(
            of("sendMessage", &json!({ "chat_id": 1, "text": "a", "reply_markup": keys })),
            [Problem::Unknown("reply_markup.inline_keyboard[0][0].callback".to_owned())]
        );
        assert_eq!(of("deleteMessage", &json!({ "chat_id": 1, "message_id": "x" })).len(), 1);
    }

    #[test]
    fn forms_are_read_by_type() {
        let pairs = [("chat_id", "1"), ("text", "12")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(Value::Object(from_form("sendMessage", pairs)), json!({ "chat_id": 1, "text": "12" }));
    }
}
