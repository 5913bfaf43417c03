//! The simulator answers each recorded request as the real server did: the same status, the same fields, the same
//! texts of errors. Ids, times and names of servers are its own.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use reqwest::{Client, Method};
use schedulezap::sandbox::evolution::EvolutionServer;
use serde_json::{Value, json};

use super::{KEY, recording, serve};

/// Where the values are the server's own.
const FREE: &[&str] = &[
    "id",
    "instanceId",
    "hash",
    "code",
    "base64",
    "pairingCode",
    "count",
    "messageTimestamp",
    "low",
    "createdAt",
    "updatedAt",
    "clientName",
    "manager",
    "whatsappWebVersion",
    "profileName",
    "ownerJid",
    "disconnectionReasonCode",
    "disconnectionObject",
    "disconnectionAt",
    "token",
    "Message",
    "Contact",
    "Chat",
    "number",
    "total",
    "pages",
    "subjectTime",
    "creation",
    "desc",
    "descId",
    "subjectOwner",
    "owner",
];

struct Replay {
    server: EvolutionServer,
    client: Client,
    address: SocketAddr,
}

impl Replay {
    async fn new() -> Self {
        let server = EvolutionServer::new(KEY);
        let address = serve(server.router()).await;
        Self { server, client: Client::builder().no_proxy().build().unwrap(), address }
    }

    async fn answer(&self, request: &Value) -> (u16, Value) {
        let method = Method::from_bytes(request["method"].as_str().unwrap().as_bytes()).unwrap();
        let url = format!("http://{}{}", self.address, request["path"].as_str().unwrap());
        let mut call = self.client.request(method, url);
        for (name, value) in request["headers"].as_object().unwrap() {
            call = call.header(name, value.as_str().unwrap());
        }
        call = match &request["body"] {
            Value::Null => call,
            body => call.body(body["_raw"].as_str().map_or_else(|| body.to_string(), str::to_owned)),
        };
        let answer = call.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Sends the recorded requests in this order and compares the answers.
    async fn plays(&self, names: &[&str]) {
        for name in names {
            let recording = recording(name);
            let (status, body) = self.answer(&recording["request"]).await;
            let wanted = &recording["response"];
            assert_eq!(Some(u64::from(status)), wanted["status"].as_u64(), "{name}: {body}");
            same(name, "", &wanted["body"], &body);
        }
    }

    /// Creates an instance as the recordings' lab did.
    async fn creates(&self, name: &str, token: &str, integration: &str) {
        let body = json!({ "instanceName": name, "token": token, "integration": integration, "qrcode": false });
        let headers = json!({ "apikey": KEY, "Content-Type": "application/json" });
        let request = json!({ "method": "POST", "path": "/instance/create", "headers": headers, "body": body });
        assert_eq!(self.answer(&request).await.0, 201);
    }
}

/// Compares a recorded value with an answered one.
fn same(name: &str, place: &str, wanted: &Value, got: &Value) {
    let field = place.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or_default();
    let is_error = place.contains("/response/message");
    match (wanted, got) {
        (Value::Object(a), Value::Object(b)) => {
            let (mine, theirs): (BTreeSet<_>, BTreeSet<_>) = (b.keys().collect(), a.keys().collect());
            assert_eq!(mine, theirs, "{name}: the fields of {place:?}");
            for (field, value) in a {
                same(name, &format!("{place}/{field}"), value, &b[field]);
            }
        }
        // Receipts come from WhatsApp.
        _ if field == "MessageUpdate" => {}
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{name}: the length of {place:?} in {got}");
            for (at, (value, other)) in a.iter().zip(b).enumerate() {
                same(name, &format!("{place}/{at}"), value, other);
            }
        }
        _ if FREE.contains(&field) && !is_error => {}
        _ => assert_eq!(got, wanted, "{name}: {place}"),
    }
}

#[tokio::test]
async fn an_empty_server_answers_as_recorded() {
    let replay = Replay::new().await;
    replay
        .plays(&[
            "001_root",
            "002_verify_creds",
            "003_verify_creds_wrong",
            "004_unknown_route",
            "010_fetch_empty",
            "011_fetch_no_key",
            "012_fetch_wrong_key",
            "013_fetch_unknown_name",
            "014_fetch_unknown_id",
            "020_create_no_key",
            "021_create_wrong_key",
            "022_create_empty_body",
            "023_create_no_integration",
            "024_create_bad_integration",
        ])
        .await;
}

#[tokio::test]
async fn instances_are_created_and_listed_as_recorded() {
    let replay = Replay::new().await;
    replay.plays(&["025_create_baileys_noqr", "026_create_baileys_qr", "027_create_duplicate"]).await;
    replay
        .plays(&[
            "028_create_evolution",
            "034_fetch_instance_key",
            "036_fetch_instance_key_other_name",
            "038_fetch_one_global",
            "039_create_with_instance_key",
            "041_create_empty_name",
            "042_create_missing_name",
            "044_create_duplicate_wrong_key",
            "045_create_duplicate_no_key",
        ])
        .await;
}

#[tokio::test]
async fn any_name_is_one_segment_of_the_path() {
    let replay = Replay::new().await;
    replay
        .plays(&[
            "050_create_name_spaces",
            "051_state_name_spaces",
            "052_create_name_unicode",
            "053_state_name_unicode",
            "054_create_name_slash",
            "055_state_name_slash_raw",
            "056_state_name_slash_enc",
            "057_create_name_special",
            "058_state_name_special",
            "060_state_case",
            "065_percent_bad",
        ])
        .await;
}

#[tokio::test]
async fn a_query_names_another_instance_after_the_key_was_checked() {
    let replay = Replay::new().await;
    replay.creates("lab-evo", "FAKE-TOKEN-EVO", "EVOLUTION").await;
    replay.creates("lab-sametoken", "FAKE-TOKEN-B1", "EVOLUTION").await;
    replay.plays(&["066_query_override", "067_query_override_check"]).await;
    assert_eq!(replay.server.delivered()[0].instance, "lab-sametoken");
}

#[tokio::test]
async fn existence_is_checked_before_the_key() {
    let replay = Replay::new().await;
    replay.creates("lab-b1", "FAKE-TOKEN-B1", "WHATSAPP-BAILEYS").await;
    replay.creates("lab-b2", "FAKE-TOKEN-B2", "WHATSAPP-BAILEYS").await;
    replay
        .plays(&[
            "100_state_baileys_never_started",
            "101_state_unknown",
            "102_state_instance_key",
            "103_state_other_instance_key",
            "104_state_no_key",
            "105_state_unknown_wrong_key",
        ])
        .await;
}

#[tokio::test]
async fn an_instance_that_never_started_fails_as_recorded() {
    let replay = Replay::new().await;
    replay.creates("lab-never", "FAKE-TOKEN-NEVER", "WHATSAPP-BAILEYS").await;
    replay.server.know_number("5511988887777");
    replay
        .plays(&[
            "106_send_never_started_cached",
            "106a_send_never_started_uncached",
            "106b_group_never_started",
            "107_groups_never_started",
            "108_numbers_never_started",
            "108a_numbers_never_started_cached",
        ])
        .await;
}

#[tokio::test]
async fn an_instance_that_shows_a_code_fails_as_recorded() {
    let replay = Replay::new().await;
    replay.creates("lab-b1", "FAKE-TOKEN-B1", "WHATSAPP-BAILEYS").await;
    replay.creates("lab-never", "FAKE-TOKEN-NEVER", "WHATSAPP-BAILEYS").await;
    replay.server.know_number("5511988887777");
    replay.server.know_number(recording("118_numbers_connecting")["request"]["body"]["numbers"][0].as_str().unwrap());
    replay.server.set_state("lab-never", "connecting");
    replay.plays(&["109_restart_close", "110_restart_put", "111_logout_close"]).await;
    replay
        .plays(&[
            "112_connect_close_to_qr",
            "113_state_connecting",
            "114_connect_again",
            "115_fetch_connecting",
            "116_send_connecting_uncached",
            "116a_send_connecting_cached",
            "117_group_connecting",
            "118_numbers_connecting",
            "119_restart_connecting",
            "119b_connect_after_restart",
            "120_logout_connecting",
            "121_state_after_logout",
            "122_connect_with_number",
            "128_connect_unknown",
        ])
        .await;
}

#[tokio::test]
async fn a_closed_instance_fails_as_recorded() {
    let replay = Replay::new().await;
    // Started once, never paired.
    replay.creates("lab-closed", "FAKE-TOKEN-CLOSED", "WHATSAPP-BAILEYS").await;
    let headers = json!({ "apikey": KEY });
    for (method, verb) in [("GET", "connect"), ("DELETE", "logout")] {
        let path = format!("/instance/{verb}/lab-closed");
        let request = json!({ "method": method, "path": path, "headers": headers, "body": null });
        assert_eq!(replay.answer(&request).await.0, 200);
    }
    replay.server.know_number("5511988887777");
    replay
        .plays(&[
            "109b_send_closed_uncached",
            "109c_send_closed_cached",
            "109d_send_closed_group",
            "109e_numbers_closed_uncached",
            "109f_groups_closed",
        ])
        .await;
    // Paired once, WhatsApp out of reach.
    replay.server.add_instance("lab-b1", "5511999990001", false);
    replay
        .plays(&[
            "460_wa_down_send",
            "461_wa_down_numbers",
            "462_wa_down_send_uncached",
            "483_send_device_removed",
            "483b_numbers_device_removed",
            "484_restart_device_removed",
        ])
        .await;
}

#[tokio::test]
async fn an_open_instance_sends_as_recorded() {
    let replay = Replay::new().await;
    replay.creates("lab-b1", "FAKE-TOKEN-B1", "WHATSAPP-BAILEYS").await;
    replay.creates("lab-evo", "FAKE-TOKEN-EVO", "EVOLUTION").await;
    replay.server.set_state("lab-b1", "open");
    replay
        .plays(&[
            "161_state_open",
            "162_fetch_open",
            "163_connect_when_open",
            "126_connect_evolution",
            "200_send_text_ok",
            "201_send_text_global_key",
            "202_send_number_not_on_whatsapp",
            "203_send_missing_number",
            "204_send_missing_text",
            "205_send_missing_both",
            "206_send_number_as_int",
            "207_send_empty_text",
            "208_send_blank_text",
            "209_send_empty_number",
            "210_send_letters_number",
            "211_send_short_number",
            "212_send_v1_body",
            "213_send_both_bodies",
            "214_send_invalid_json",
            "215_send_no_content_type",
            "216_send_array_body",
            "217_send_unknown_instance",
            "218_send_wrong_key",
            "220_send_no_key",
            "221_send_bearer",
            "223_send_delay_string",
            "224_send_delay_negative",
            "238_send_caller_id",
            "480_restart_open",
        ])
        .await;
    assert_eq!(replay.server.count(), 5);
}

#[tokio::test]
async fn numbers_and_groups_are_addressed_as_recorded() {
    let replay = Replay::new().await;
    replay.creates("lab-b1", "FAKE-TOKEN-B1", "WHATSAPP-BAILEYS").await;
    replay.creates("lab-evo", "FAKE-TOKEN-EVO", "EVOLUTION").await;
    replay.server.set_state("lab-b1", "open");
    replay
        .plays(&[
            "225_send_group_jid",
            "226_send_group_bare",
            "227_send_group_unknown",
            "228_send_group_old",
            "229_send_lid",
            "230_send_br_ddd31",
            "231_send_br_ddd11_without9",
            "232_send_mx",
            "233_send_ar",
            "234_send_newsletter",
            "235_send_broadcast",
            "290_br_formatted_false_negative",
            "291_br_digits_ok",
            "292_br_digits_without9_ok",
            "262_groups_no_query",
            "264_group_info_unknown",
            "265_groups_evolution",
            "267_groups_unknown",
            "270_numbers",
            "271_numbers_empty",
            "272_numbers_missing",
            "273_numbers_ints",
            "350_evo_send",
            "351_evo_send_any_number",
            "352_evo_send_empty",
            "550_send_nul_char",
            "414_find_jid_wrong_form",
            "415_find_jid_stored_form",
            "418_find_ts_epoch_seconds",
            "423_find_unknown",
        ])
        .await;
}

#[tokio::test]
async fn histories_are_paged_and_filtered_as_recorded() {
    let replay = Replay::new().await;
    replay.creates("lab-b1", "FAKE-TOKEN-B1", "WHATSAPP-BAILEYS").await;
    replay.server.set_state("lab-b1", "open");
    let send = recording("200_send_text_ok")["request"].clone();
    for _ in 0..33 {
        assert_eq!(replay.answer(&send).await.0, 201);
    }
    for name in [
        "410_find_all",
        "411_find_page2",
        "412_find_fromme_true",
        "413_find_fromme_false",
        "416_find_ts_only_gte",
        "418_find_ts_epoch_seconds",
        "420_find_text_filter",
        "421_find_no_body_where",
        "422_find_no_body",
        "424_find_instance_key",
    ] {
        let recording = recording(name);
        let (status, body) = replay.answer(&recording["request"]).await;
        assert_eq!(status, 200, "{name}");
        let wanted = &recording["response"]["body"]["messages"];
        for field in ["total", "pages", "currentPage"] {
            assert_eq!(body["messages"][field], wanted[field], "{name}: {field}");
        }
        assert_eq!(
            body["messages"]["records"].as_array().map(Vec::len),
            wanted["records"].as_array().map(Vec::len),
            "{name}"
        );
    }
    let (status, _) = replay.answer(&recording("425_find_bad_page")["request"]).await;
    assert_eq!(status, 500);
}

#[tokio::test]
async fn settings_webhooks_and_the_end_of_an_instance_are_as_recorded() {
    let replay = Replay::new().await;
    replay.creates("lab-b1", "FAKE-TOKEN-B1", "WHATSAPP-BAILEYS").await;
    replay.creates("lab-evo", "FAKE-TOKEN-EVO", "EVOLUTION").await;
    replay.creates("lab-del", "FAKE-TOKEN-DEL", "WHATSAPP-BAILEYS").await;
    replay
        .plays(&[
            "500_settings_find",
            "501_settings_set_partial",
            "502_settings_set",
            "503_update_instance_route",
            "150_webhook_find_none",
            "151_webhook_set_bad",
            "152_webhook_set_bad_event",
            "153_webhook_set_no_events",
            "153b_webhook_set_empty_events",
            "154_webhook_set",
            "155_webhook_find",
        ])
        .await;
    replay.server.set_state("lab-b1", "open");
    replay.server.set_state("lab-del", "open");
    replay
        .plays(&[
            "487_logout_open",
            "489_state_after_logout",
            "523_delete_wrong_key",
            "524_delete_open",
            "525_state_right_after_delete",
            "526_create_right_after_delete",
        ])
        .await;
    while replay.answer(&recording("527_fetch_after_delete")["request"]).await.0 == 200 {
        tokio::task::yield_now().await;
    }
    replay.plays(&["527_fetch_after_delete", "528_delete_again", "530_delete_unknown"]).await;
}
