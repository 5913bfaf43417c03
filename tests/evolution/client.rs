//! The client against the simulator, and against servers that answer anything: each row of the table in
//! `RELIABILITY.md` section 2, and what the doctor finds out.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use axum::routing::any;
use chrono::{DateTime, Utc};
use schedulezap::domain::instance::{ApiKey, Connection, InstanceName, KeyKind, ServerUrl};
use schedulezap::evolution::doctor::{CheckName, Diagnosis};
use schedulezap::evolution::error::{CallError, FailReason, HoldReason, SendError, Verdict};
use schedulezap::evolution::policy::AllowHosts;
use schedulezap::evolution::{Evolution, Stretch};
use schedulezap::sandbox::evolution::Faults;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{KEY, client, key, name, recording, serve, simulator, url};

const ANA: &str = "5511988887777";

/// A server that answers everything with this.
async fn answers(status: u16, body: impl Into<Body>) -> ServerUrl {
    let body = axum::body::to_bytes(body.into(), usize::MAX).await.unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    let json = [("content-type", "application/json")];
    let answer = move || async move { (status, json, body).into_response() };
    url(serve(Router::new().fallback(any(answer))).await)
}

/// A server that answers everything as recorded.
async fn records(name: &str) -> ServerUrl {
    let wanted = &recording(name)["response"];
    answers(u16::try_from(wanted["status"].as_u64().unwrap()).unwrap(), wanted["body"].to_string()).await
}

async fn verdict(server: &ServerUrl, instance: &str) -> Verdict {
    client().send_text(server, &key(KEY), &name(instance), ANA, "Olá").await.unwrap_err().verdict()
}

#[tokio::test]
async fn what_never_reached_a_server_is_tried_again() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(verdict(&url(gone), "loja").await, Verdict::Retry);
    assert_eq!(verdict(&ServerUrl::parse("https://evolution.invalid").unwrap(), "loja").await, Verdict::Retry);
    let (_, plain) = simulator().await;
    let secure = ServerUrl::parse(&plain.as_str().replace("http:", "https:")).unwrap();
    assert_eq!(verdict(&secure, "loja").await, Verdict::Retry);
    assert_eq!(verdict(&answers(429, "{}").await, "loja").await, Verdict::Retry);
    assert_eq!(verdict(&answers(429, "slow down").await, "loja").await, Verdict::Retry);
}

#[tokio::test]
async fn what_was_handed_over_has_an_id() {
    let (server, url) = simulator().await;
    server.add_instance("lab/ção?a=1&b#c%", ANA, true);
    let sent =
        client().send_text(&url, &key(KEY), &name("lab/ção?a=1&b#c%"), "5531987654321", "Olá ✅\n<b>").await.unwrap();
    let delivered = server.delivered();
    assert_eq!((delivered.len(), delivered[0].text.as_str()), (1, "Olá ✅\n<b>"));
    assert_eq!(sent.remote_id, delivered[0].id);
    assert_eq!(sent.remote_jid, "553187654321@s.whatsapp.net");
}

#[tokio::test]
async fn a_graph_error_in_a_success_is_a_refusal() {
    assert_eq!(verdict(&records("361_wb_send_graph_401").await, "x").await, Verdict::Hold(HoldReason::KeyRefused));
    assert_eq!(verdict(&records("362_wb_send_graph_131030").await, "x").await, Verdict::GiveUp(FailReason::Channel));
}

#[tokio::test]
async fn what_the_server_refuses_for_good_is_given_up() {
    for (name, reason) in [
        ("202_send_number_not_on_whatsapp", FailReason::NotOnWhatsApp),
        ("209_send_empty_number", FailReason::NotOnWhatsApp),
        ("203_send_missing_number", FailReason::Invalid),
        ("204_send_missing_text", FailReason::Invalid),
        ("206_send_number_as_int", FailReason::Invalid),
        ("207_send_empty_text", FailReason::Invalid),
        ("223_send_delay_string", FailReason::Invalid),
        ("227_send_group_unknown", FailReason::GroupUnknown),
    ] {
        assert_eq!(verdict(&records(name).await, "x").await, Verdict::GiveUp(reason), "{name}");
    }
}

#[tokio::test]
async fn what_a_person_can_mend_is_held() {
    for (name, reason) in [
        ("218_send_wrong_key", HoldReason::KeyRefused),
        ("220_send_no_key", HoldReason::KeyRefused),
        ("217_send_unknown_instance", HoldReason::Missing),
        ("106_send_never_started_cached", HoldReason::Disconnected),
        ("106a_send_never_started_uncached", HoldReason::Disconnected),
        ("109b_send_closed_uncached", HoldReason::Disconnected),
        ("109c_send_closed_cached", HoldReason::Disconnected),
        ("116_send_connecting_uncached", HoldReason::Disconnected),
        ("116a_send_connecting_cached", HoldReason::Disconnected),
        ("450_mute_send_uncached", HoldReason::Disconnected),
        ("451_mute_send_cached_known", HoldReason::Disconnected),
        ("460_wa_down_send", HoldReason::Disconnected),
        ("462_wa_down_send_uncached", HoldReason::Disconnected),
        ("483_send_device_removed", HoldReason::Disconnected),
    ] {
        assert_eq!(verdict(&records(name).await, "x").await, Verdict::Hold(reason), "{name}");
    }
    let forbidden = answers(403, "{}").await;
    assert_eq!(verdict(&forbidden, "x").await, Verdict::Hold(HoldReason::KeyRefused));
    let licence = answers(503, json!({ "error": "LICENSE_REQUIRED", "message": "activate" }).to_string()).await;
    assert_eq!(verdict(&licence, "x").await, Verdict::Hold(HoldReason::Licence));
}

#[tokio::test]
async fn any_other_failure_says_nothing_and_the_history_may_tell() {
    for name in ["550_send_nul_char", "551_send_lone_surrogate", "425_find_bad_page"] {
        assert_eq!(verdict(&records(name).await, "x").await, Verdict::Unknown { searchable: true }, "{name}");
    }
    for status in [400, 500, 502, 504] {
        let server = answers(status, "<html>").await;
        assert_eq!(verdict(&server, "x").await, Verdict::Unknown { searchable: true }, "{status}");
    }
    let late = SendError::Call(CallError::TimedOut);
    assert_eq!(late.verdict(), Verdict::Unknown { searchable: true });
}

#[tokio::test]
async fn a_lost_answer_is_no_proof_of_anything() {
    let lost = Verdict::Unknown { searchable: false };
    for name in ["363_wb_send_graph_500", "364_wb_send_graph_drop"] {
        assert_eq!(verdict(&records(name).await, "x").await, lost, "{name}");
    }
    for (status, body) in
        [(201, "not json"), (201, ""), (201, "{}"), (200, r#"{"key":{"id":"1"}}"#), (201, r#"{"key":{"id":""}}"#)]
    {
        assert_eq!(verdict(&answers(status, body).await, "x").await, lost, "{status} {body}");
    }
    // The connection breaks after the request has left.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    assert_eq!(verdict(&url(address), "x").await, lost);
    // The answer is longer than we read.
    assert_eq!(verdict(&answers(201, Bytes::from(vec![b' '; 2 << 20])).await, "x").await, lost);
}

fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

#[tokio::test]
async fn what_went_out_without_an_answer_is_found_in_the_history() {
    let (server, url) = simulator().await;
    server.add_instance("loja", "5511912345678", true);
    let (evolution, key, loja) = (client(), key(KEY), name("loja"));
    for _ in 0..60 {
        evolution.send_text(&url, &key, &loja, ANA, "outra").await.unwrap();
    }
    server.lose_next_answers(1);
    let lost = evolution.send_text(&url, &key, &loja, ANA, "Olá").await;
    assert_eq!(lost, Err(SendError::Call(CallError::AnswerLost)));
    for _ in 0..60 {
        evolution.send_text(&url, &key, &loja, ANA, "outra").await.unwrap();
    }
    let delivered = server.next_delivery(60, std::time::Duration::from_secs(5)).await.unwrap();
    let then = Stretch { from: moment(delivered.at / 1000 - 60), to: moment(delivered.at / 1000 + 60) };
    let (hello, other) = (|text: &str| text == "Olá", |text: &str| text == "outra");
    let jid = format!("{ANA}@s.whatsapp.net");
    for jid in [None, Some(jid.as_str())] {
        let found = evolution.find_sent(&url, &key, &loja, jid, &hello, then).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].remote_id, delivered.id);
    }
    assert_eq!(evolution.find_sent(&url, &key, &loja, None, &other, then).await.unwrap().len(), 120);
    let long_ago = Stretch { from: moment(0), to: moment(1) };
    let before = evolution.find_sent(&url, &key, &loja, None, &hello, long_ago).await.unwrap();
    assert_eq!(before, []);
    let elsewhere = evolution.find_sent(&url, &key, &loja, Some("1@lid"), &hello, then).await.unwrap();
    assert_eq!(elsewhere, []);
    server.set_searchable(false);
    let broken = evolution.find_sent(&url, &key, &loja, None, &hello, then).await;
    assert!(matches!(broken, Err(CallError::Status { status: 500, .. })));
}

#[tokio::test]
async fn the_key_follows_no_redirect_and_leaves_only_for_allowed_addresses() {
    let (server, url_) = simulator().await;
    server.add_instance("loja", ANA, true);
    let target = url_.as_str().to_owned();
    let redirect = move || async move { Redirect::temporary(&target) };
    let elsewhere = url(serve(Router::new().fallback(any(redirect))).await);
    let state = client().connection_state(&elsewhere, &key(KEY), &name("loja")).await;
    assert_eq!(state, Err(CallError::NotEvolution));
    let strict = Evolution::new(AllowHosts::default()).unwrap();
    let sent = strict.send_text(&url_, &key(KEY), &name("loja"), ANA, "Olá").await;
    assert_eq!(sent, Err(SendError::Call(CallError::Policy)));
    assert_eq!(server.calls(), 0);
}

#[tokio::test]
async fn instances_are_created_listed_and_deleted() {
    let (_server, url) = simulator().await;
    let (evolution, global, loja) = (client(), key(KEY), name("loja-1"));
    let created = evolution.create_instance(&url, &global, &loja, None).await.unwrap();
    assert_eq!(created.connection, Connection::Close);
    let row = evolution.find_instance_row(&url, &created.token, &loja).await.unwrap().unwrap();
    assert_eq!(row.token.unwrap().expose(), created.token.expose());
    assert_eq!(evolution.verify_global_key(&url, &global).await, Ok(true));
    assert_eq!(evolution.verify_global_key(&url, &created.token).await, Ok(false));
    assert_eq!(
        evolution.create_instance(&url, &created.token, &name("loja-2"), None).await.unwrap_err(),
        CallError::Refused
    );
    evolution.delete_instance(&url, &global, &loja).await.unwrap();
    while evolution.connection_state(&url, &global, &loja).await != Err(CallError::Missing) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn numbers_are_looked_up() {
    let (server, url) = simulator().await;
    server.add_instance("loja", ANA, true);
    server.forget_number("5511911112222");
    let asked = ["5531987654321", "5511911112222"];
    let found = client().whatsapp_numbers(&url, &key(KEY), &name("loja"), &asked).await.unwrap();
    assert_eq!((found[0].jid.as_str(), found[0].exists), ("553187654321@s.whatsapp.net", true));
    assert_eq!((found[1].number.as_str(), found[1].exists), ("5511911112222", false));
    server.set_connected("loja", false);
    let closed = client().whatsapp_numbers(&url, &key(KEY), &name("loja"), &["5511933334444"]).await;
    assert!(matches!(closed, Err(CallError::Status { status: 400, text }) if text == "Connection Closed"));
}

async fn examined(server: &ServerUrl, key: &ApiKey, instance: &InstanceName) -> (Diagnosis, Option<CheckName>) {
    let mut heard = Vec::new();
    let found = client().examine(server, key, instance, |check| heard.push(check)).await;
    let failed = found.checks.iter().find(|check| !check.ok).map(|check| check.name);
    assert_eq!(heard.last(), found.checks.last());
    (found, failed)
}

#[tokio::test]
async fn the_doctor_tells_the_causes_apart() {
    let (server, url) = simulator().await;
    let token = server.add_instance("loja", "5511912345678", true);
    server.add_instance("outra", "5511955556666", false);
    let (global, token) = (key(KEY), key(&token));

    let (found, failed) = examined(&url, &global, &name("loja")).await;
    assert_eq!((found.connection, failed, found.key_kind), (Connection::Open, None, Some(KeyKind::Global)));
    assert_eq!((found.version.as_deref(), found.number.as_deref()), (Some("2.3.6"), Some("5511912345678")));
    assert_eq!(found.names, ["loja", "outra"]);
    let text = serde_json::to_string(&found).unwrap();
    assert!(!text.contains(KEY) && !text.contains(token.expose()), "{text}");

    let (found, failed) = examined(&url, &token, &name("loja")).await;
    assert_eq!((found.connection, failed, found.key_kind), (Connection::Open, None, Some(KeyKind::Instance)));

    let (found, failed) = examined(&url, &global, &name("outra")).await;
    assert_eq!((found.connection, failed), (Connection::Close, Some(CheckName::Connection)));
    server.set_state("outra", "connecting");
    assert_eq!(examined(&url, &global, &name("outra")).await.0.connection, Connection::Connecting);

    let (found, failed) = examined(&url, &global, &name("ghost")).await;
    assert_eq!((found.connection, failed), (Connection::Missing, Some(CheckName::Instance)));
    assert_eq!(found.names, ["loja", "outra"]);

    for (wrong, instance) in [(&key("wrong"), "loja"), (&key("wrong"), "ghost"), (&token, "outra")] {
        let (found, failed) = examined(&url, wrong, &name(instance)).await;
        assert_eq!((found.connection, failed), (Connection::Refused, Some(CheckName::Key)), "{instance}");
    }
    server.set_faults(Faults { disconnected: true, ..Faults::default() });
    assert_eq!(examined(&url, &global, &name("loja")).await.0.connection, Connection::Close);
}

#[tokio::test]
async fn the_doctor_tells_what_is_no_evolution_api() {
    let (global, loja) = (key(KEY), name("loja"));
    for (status, body) in [(200, "<html>"), (200, "{}"), (200, "[]"), (404, "not here"), (301, ""), (502, "")] {
        let (_, failed) = examined(&answers(status, body).await, &global, &loja).await;
        assert_eq!(failed, Some(CheckName::Evolution), "{status} {body}");
    }
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(examined(&url(gone), &global, &loja).await.1, Some(CheckName::Connect));
    let nowhere = ServerUrl::parse("http://evolution.invalid").unwrap();
    assert_eq!(examined(&nowhere, &global, &loja).await.1, Some(CheckName::Dns));
    let (_, plain) = simulator().await;
    let secure = ServerUrl::parse(&plain.as_str().replace("http:", "https:")).unwrap();
    assert_eq!(examined(&secure, &global, &loja).await.1, Some(CheckName::Tls));
    let inner = ServerUrl::parse("http://169.254.169.254").unwrap();
    let (found, failed) = examined(&inner, &global, &loja).await;
    assert_eq!(failed, Some(CheckName::Policy));
    assert!(!found.is_savable());
    // What speaks no HTTP at all.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await;
        }
    });
    assert!(examined(&url(address), &global, &loja).await.1.is_some());
}

#[tokio::test]
async fn the_simulator_stands_under_a_prefix_too() {
    let (server, _) = simulator().await;
    server.add_instance("loja", ANA, true);
    let address = serve(Router::new().nest("/evolution", server.router())).await;
    let url = ServerUrl::parse(&format!("http://{address}/evolution")).unwrap();
    let (found, failed) = examined(&url, &key(KEY), &name("loja")).await;
    assert_eq!((failed, found.version.as_deref()), (None, Some("2.3.6")));
}
