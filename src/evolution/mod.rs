//! The calls we make to Evolution API servers (EVOLUTION_API.md), and what their answers mean.

pub mod doctor;
pub mod error;
pub mod policy;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Method, Response, redirect};
use serde_json::{Value, json};
use url::Url;

use self::error::{CallError, SendError};
use self::policy::{AllowHosts, GuardedResolver, Refused};
use crate::domain::instance::{ApiKey, Connection, InstanceName, ServerUrl};

/// A body longer than this is not read (SECURITY.md T14).
const BODY_CAP: usize = 1 << 20;
/// What a send may take: the server's own 60 s, and a margin.
const SEND_TOTAL: Duration = Duration::from_secs(90);
/// What any other call may take.
const CALL_TOTAL: Duration = Duration::from_secs(15);

/// Talks to Evolution API servers; cheap to clone.
#[derive(Debug, Clone)]
pub struct Evolution {
    client: Client,
    allow: Arc<AllowHosts>,
}

/// A message that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// `key.id`.
    pub remote_id: String,
    /// `key.remoteJid`: the real address.
    pub remote_jid: String,
}

/// A row of `fetchInstances`.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The database's view of its state.
    pub connection: Connection,
    /// Its number, in digits.
    pub number: Option<String>,
    /// Its WhatsApp profile name.
    pub profile_name: Option<String>,
    /// Its own key.
    pub token: Option<ApiKey>,
}

/// A message found in an instance's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `key.id`.
    pub remote_id: String,
    /// When the server stored it.
    pub at: DateTime<Utc>,
}

/// An answer, read.
pub(crate) struct Answer {
    pub status: u16,
    pub body: Option<Value>,
}

impl Evolution {
    /// Makes a client that reaches only what `allow` and the rule for public addresses let it.
    pub fn new(allow: AllowHosts) -> Result<Self, reqwest::Error> {
        let allow = Arc::new(allow);
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(SEND_TOTAL)
            // The server closes idle connections after 5 s (EVOLUTION_API.md section 1).
            .pool_idle_timeout(Duration::from_secs(3))
            .tcp_nodelay(true)
            .dns_resolver(Arc::new(GuardedResolver::new(Arc::clone(&allow))))
            .build()?;
        Ok(Self { client, allow })
    }

    /// Whether policy lets an instance point there, as far as the address itself tells.
    pub fn check_policy(&self, server: &ServerUrl) -> Result<(), Refused> {
        self.allow.check(&server.url())
    }

    /// Segments are appended one by one: nothing a user typed can become a path or a query (T15).
    fn url(server: &ServerUrl, segments: &[&str]) -> Url {
        let mut url = server.url();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    async fn call(&self, method: Method, url: Url, key: Option<&ApiKey>, body: Option<&Value>, total: Duration) -> Result<Answer, CallError> {
        self.allow.check(&url).map_err(|_| CallError::Policy)?;
        let mut request = self.client.request(method, url).timeout(total);
        if let Some(key) = key {
            let mut value = HeaderValue::from_str(key.expose()).map_err(|_| CallError::Refused)?;
            value.set_sensitive(true);
            request = request.headers(HeaderMap::from_iter([(reqwest::header::HeaderName::from_static("apikey"), value)]));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| CallError::of(&error))?;
        let status = response.status().as_u16();
        let bytes = read(response).await?;
        Ok(Answer { status, body: serde_json::from_slice(&bytes).ok() })
    }

    async fn get(&self, server: &ServerUrl, key: Option<&ApiKey>, segments: &[&str]) -> Result<Answer, CallError> {
        self.call(Method::GET, Self::url(server, segments), key, None, CALL_TOTAL).await
    }

    /// Sends a text. Only a 201 with a non-empty `key.id` is a success.
    pub async fn send_text(&self, server: &ServerUrl, key: &ApiKey, instance: &InstanceName, number: &str, text: &str) -> Result<Sent, SendError> {
        let url = Self::url(server, &["message", "sendText", instance.as_str()]);
        let body = json!({ "number": number, "text": text });
        let answer = self.call(Method::POST, url, Some(key), Some(&body), SEND_TOTAL).await.map_err(SendError::Call)?;
        wire::sent(answer)
    }

    /// The live state of an instance.
    pub async fn connection_state(&self, server: &ServerUrl, key: &ApiKey, instance: &InstanceName) -> Result<Connection, CallError> {
        let answer = self.get(server, Some(key), &["instance", "connectionState", instance.as_str()]).await?;
        let body = wire::ok(answer)?;
        let word = body.pointer("/instance/state").and_then(Value::as_str).unwrap_or("close");
        Ok(Connection::parse(word))
    }

    /// The instances that the key can list.
    pub async fn list_instances(&self, server: &ServerUrl, key: &ApiKey) -> Result<Vec<Listed>, CallError> {
        let answer = self.get(server, Some(key), &["instance", "fetchInstances"]).await?;
        let body = wire::ok(answer)?;
        Ok(body.as_array().ok_or(CallError::NotEvolution)?.iter().filter_map(wire::listed).collect())
    }

    /// Whether the key is the server's own.
    pub async fn verify_global_key(&self, server: &ServerUrl, key: &ApiKey) -> Result<bool, CallError> {
        let url = Self::url(server, &["verify-creds"]);
        let answer = self.call(Method::POST, url, Some(key), Some(&json!({})), CALL_TOTAL).await?;
        Ok(answer.status == 200)
    }

    /// The server's version, as `GET /` tells it; slow where the server's own internet is bad.
    pub async fn version(&self, server: &ServerUrl) -> Result<String, CallError> {
        let answer = self.call(Method::GET, Self::url(server, &[""]), None, None, Duration::from_secs(6)).await?;
        let body = answer.body.ok_or(CallError::NotEvolution)?;
        let version = body.get("version").and_then(Value::as_str).ok_or(CallError::NotEvolution)?;
        Ok(version.chars().filter(|c| !c.is_control()).take(32).collect())
    }

    /// Searches an instance's history for a text of ours between two moments (EVOLUTION_API.md section 8).
    pub async fn find_sent(&self, server: &ServerUrl, key: &ApiKey, instance: &InstanceName, text: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<(String, Found)>, CallError> {
        let url = Self::url(server, &["chat", "findMessages", instance.as_str()]);
        let mut found = Vec::new();
        for page in 1..=20 {
            let body = json!({
                "where": { "key": { "fromMe": true }, "messageTimestamp": { "gte": wire::iso(from), "lte": wire::iso(to) } },
                "page": page, "offset": 100,
            });
            let answer = self.call(Method::POST, url.clone(), Some(key), Some(&body), CALL_TOTAL).await?;
            let answer = wire::ok(answer)?;
            let records = answer.pointer("/messages/records").and_then(Value::as_array).ok_or(CallError::NotEvolution)?;
            found.extend(records.iter().filter_map(|record| wire::found(record, text)));
            let pages = answer.pointer("/messages/pages").and_then(Value::as_u64).unwrap_or(0);
            if pages <= page {
                break;
            }
        }
        Ok(found)
    }
}

async fn read(response: Response) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| CallError::AnswerLost)?;
        if bytes.len() + chunk.len() > BODY_CAP {
            return Err(CallError::AnswerLost);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
