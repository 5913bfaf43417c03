//! The rules, as a bot meets them over HTTP.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Fault, Telegram};

struct Bot {
    address: std::net::SocketAddr,
}

impl Bot {
    async fn of(server: &Telegram) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = server.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address }
    }

    /// The status and the body of an answer.
    async fn raw(&self, path: &str, kind: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }

    async fn calls(&self, method: &str, params: Value) -> Value {
        let (_, body) = self.raw(&format!("/bot1:a/{method}"), "application/json", &params.to_string()).await;
        serde_json::from_str(&body).unwrap()
    }

    /// What the call is refused with; empty when it is not.
    async fn refused(&self, method: &str, params: Value) -> String {
        self.calls(method, params).await["description"].as_str().unwrap_or_default().to_owned()
    }
}

async fn world() -> (Telegram, super::Person, Bot) {
    let server = Telegram::new("1:a", "a_bot");
    let ana = server.person("Ana", "pt-br");
    let bot = Bot::of(&server).await;
    (server, ana, bot)
}

#[tokio::test]
async fn nobody_is_written_to_who_never_wrote_or_who_blocked() {
    let (_, ana, bot) = world().await;
    let hello = || json!({ "chat_id": ana.id(), "text": "a" });
    assert_eq!(bot.refused("sendMessage", json!({ "chat_id": 5, "text": "a" })).await, "Bad Request: chat not found");
    let first = "Forbidden: bot can't initiate conversation with a user";
    assert_eq!(bot.refused("sendMessage", hello()).await, first);
    ana.says("/start");
    assert_eq!(bot.refused("sendMessage", hello()).await, "");
    ana.blocks(true);
    assert_eq!(bot.refused("SendMessage", hello()).await, "Forbidden: bot was blocked by the user");
}

#[tokio::test]
async fn texts_and_keys_keep_to_the_limits() {
    let (server, ana, bot) = world().await;
    ana.says("/start");
    let text = |text: String| json!({ "chat_id": ana.id(), "text": text, "parse_mode": "HTML" });
    assert_eq!(bot.refused("sendMessage", text("<b> </b>".to_owned())).await, "Bad Request: message text is empty");
    assert_eq!(bot.refused("sendMessage", text(format!("<b>{}</b>", "😀".repeat(2048)))).await, "");
    assert_eq!(bot.refused("sendMessage", text("😀".repeat(2049))).await, "Bad Request: message is too long");
    let keys = |key: Value| json!({ "chat_id": ana.id(), "text": "a", "reply_markup": { "inline_keyboard": [[key]] } });
    let tap = |label: &str, length: usize| keys(json!({ "text": label, "callback_data": "x".repeat(length) }));
    assert_eq!(bot.refused("sendMessage", tap("a", 64)).await, "");
    assert_eq!(server.violations().len(), 2);
    for (params, why) in [
        (tap("a", 65), "BUTTON_DATA_INVALID"),
        (tap("a", 0), "BUTTON_DATA_INVALID"),
        (tap(" ", 1), "inline keyboard button text must be non-empty"),
        (keys(json!({ "text": "a" })), "BUTTON_TYPE_INVALID"),
        (keys(json!({ "text": "a", "url": "a" })), "inline keyboard button URL 'a' is invalid: Wrong HTTP URL"),
        (json!({ "chat_id": ana.id() }), "text is missing"),
    ] {
        assert_eq!(bot.refused("sendMessage", params).await, format!("Bad Request: {why}"));
    }
    assert_eq!(server.violations().len(), 8);
}

#[tokio::test]
async fn an_edit_must_change_something_of_the_bots_own() {
    let (server, ana, bot) = world().await;
    let said = ana.says("/start");
    let sent = bot.calls("sendMessage", json!({ "chat_id": ana.id(), "text": "<b>a</b>", "parse_mode": "HTML" })).await;
    let id = sent["result"]["message_id"].as_i64().unwrap();
    let edit =
        |id: i64, html: &str| json!({ "chat_id": ana.id(), "message_id": id, "text": html, "parse_mode": "HTML" });
    let same = bot.refused("editMessageText", edit(id, "<strong>a</strong> ")).await;
    assert!(same.starts_with("Bad Request: message is not modified: "), "{same}");
    assert_eq!(bot.refused("editMessageText", edit(id, "a")).await, "");
    assert_eq!(bot.refused("editMessageText", edit(said, "a")).await, "Bad Request: message can't be edited");
    assert_eq!(bot.refused("editMessageText", edit(99, "a")).await, "Bad Request: message to edit not found");
    let gone = json!({ "chat_id": ana.id(), "message_id": 99 });
    assert_eq!(bot.refused("deleteMessage", gone).await, "Bad Request: message to delete not found");
    assert_eq!(server.violations(), ["editMessageText: Bad Request: message can't be edited"]);
}

#[tokio::test]
async fn what_is_deleted_is_kept_no_more_before_that_is_answered() {
    let (server, ana, bot) = world().await;
    let kept = |server: &Telegram| serde_json::to_string(&server.keep()).unwrap();
    let secret = ana.says("the password");
    ana.says("something else");
    assert!(kept(&server).contains("the password"));
    let (told, seen) = std::sync::mpsc::channel();
    server.on_deleted({
        let server = server.clone();
        move || told.send(kept(&server)).unwrap()
    });
    let delete = |id: i64| json!({ "chat_id": ana.id(), "message_id": id });
    assert!(bot.refused("deleteMessage", delete(99)).await.contains("not found"));
    assert!(seen.try_recv().is_err());
    assert_eq!(bot.refused("deleteMessage", delete(secret)).await, "");
    let written = seen.try_recv().unwrap();
    // The update that told it may wait still: it is not kept either.
    assert!(!written.contains("the password") && written.contains("something else"), "{written}");
}

#[tokio::test]
async fn a_tap_is_answered_once_and_in_time() {
    let (server, ana, bot) = world().await;
    let old = "Bad Request: query is too old and response timeout expired or query ID is invalid";
    ana.taps_data(1, "x");
    ana.taps_data(1, "x");
    let answer = |id: &str| json!({ "callback_query_id": id, "text": "done" });
    assert_eq!(bot.refused("answerCallbackQuery", answer("q1")).await, "");
    assert_eq!(bot.refused("answerCallbackQuery", answer("q1")).await, old);
    assert_eq!((ana.toasts(), ana.unanswered()), (vec!["done".to_owned()], 1));
    server.forget_queries();
    assert_eq!(bot.refused("answerCallbackQuery", answer("q2")).await, old);
}

#[tokio::test]
async fn the_offset_confirms_and_a_second_poll_ends_the_first() {
    let (_, ana, bot) = world().await;
    for text in ["a", "b", "c"] {
        ana.says(text);
    }
    let ids = |answer: Value| -> Vec<i64> {
        answer["result"].as_array().unwrap().iter().map(|update| update["update_id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(bot.calls("getUpdates", json!({ "limit": 2 })).await), [1, 2]);
    assert_eq!(ids(bot.calls("getUpdates", json!({ "offset": 2 })).await), [2, 3]);
    assert_eq!(ids(bot.calls("getUpdates", json!({})).await), [2, 3]);
    assert_eq!(ids(bot.calls("getUpdates", json!({ "offset": -1 })).await), [3]);
    // The first asks for what is not there yet, until the second comes.
    let first = bot.calls("getUpdates", json!({ "offset": 4, "timeout": 30 }));
    let second = async {
        // The first has been let in once it confirmed everything.
        while bot.calls("getWebhookInfo", json!({})).await["result"]["pending_update_count"] != 0 {}
        bot.calls("getUpdates", json!({ "offset": 4 })).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first["error_code"].as_i64(), ids(second)), (Some(409), vec![]));
}

#[tokio::test]
async fn faults_come_when_they_are_switched() {
    let (server, ana, bot) = world().await;
    ana.says("/start");
    let hello = json!({ "chat_id": ana.id(), "text": "a" });
    server.set_flood(ana.id(), Some(7));
    let flood = bot.calls("sendMessage", hello.clone()).await;
    assert_eq!((flood["error_code"].as_i64(), flood["parameters"]["retry_after"].as_i64()), (Some(429), Some(7)));
    server.set_flood(ana.id(), None);
    server.fail_next("sendMessage", Fault::AnswerLost);
    let (_, body) = bot.raw("/bot1:a/sendMessage", "application/json", &hello.to_string()).await;
    assert!(!body.contains("message_id"), "{body}");
    assert_eq!(ana.chat().len(), 2);
    server.fail_next("sendMessage", Fault::ServerError(500));
    assert_eq!(bot.raw("/bot1:a/sendMessage", "application/json", &hello.to_string()).await.0, 500);
    assert_eq!(ana.chat().len(), 2);
    server.set_down(true);
    assert_eq!(bot.raw("/bot1:a/getMe", "application/json", "").await.0, 502);
    server.set_down(false);
    assert_eq!(bot.raw("/bot1:b/getMe", "application/json", "").await.0, 401);
    assert_eq!(server.violations(), [""; 0]);
}

#[tokio::test]
async fn parameters_come_in_forms_too_and_wrong_names_are_noted() {
    let (server, ana, bot) = world().await;
    ana.says("/start");
    let form = format!("chat_id={}&text=a%20b", ana.id());
    assert_eq!(bot.raw("/bot1:a/sendMessage", "application/x-www-form-urlencoded", &form).await.0, 200);
    assert_eq!(bot.raw(&format!("/bot1:a/sendMessage?{form}"), "", "").await.0, 200);
    assert_eq!(ana.chat()[2].text, "a b");
    assert_eq!(bot.refused("sendMessage", json!({ "chat_id": ana.id(), "text": "a", "markup": 1 })).await, "");
    assert_eq!(bot.refused("sendNothing", json!({})).await, "Not Found");
    assert_eq!(server.violations(), ["sendMessage: there is no parameter markup", "sendNothing: no such method"]);
}

#[tokio::test]
async fn people_edit_reply_and_leave_as_telegram_tells_it() {
    let (_, ana, bot) = world().await;
    let said = ana.says("/start abc");
    ana.edits(said, "/help");
    ana.replies(said, "yes");
    ana.sends_photo();
    ana.blocks(true);
    let updates = bot.calls("getUpdates", json!({})).await["result"].clone();
    assert_eq!(updates[0]["message"]["entities"], json!([{ "type": "bot_command", "offset": 0, "length": 6 }]));
    assert_eq!(updates[1]["edited_message"]["text"], "/help");
    assert_eq!(updates[2]["message"]["reply_to_message"]["text"], "/help");
    assert!(updates[3]["message"]["photo"].is_array() && updates[3]["message"]["text"].is_null());
    assert_eq!(updates[4]["my_chat_member"]["new_chat_member"]["status"], "kicked");
}
