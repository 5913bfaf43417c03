//! The calls we make to Evolution API servers (`EVOLUTION_API.md`), and what their answers mean.

pub mod doctor;
pub mod error;
pub mod policy;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use reqwest::header::HeaderValue;
use reqwest::{Client, Method, Response, redirect};
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use self::error::{CallError, SendError};
use self::policy::{AllowHosts, GuardedResolver, Refused};
use crate::domain::instance::{ApiKey, Connection, InstanceName, ServerUrl};

/// How long a call may take, and how many bytes of its answer are read (`SECURITY.md` T14).
#[derive(Debug, Clone, Copy)]
struct Limits {
    total: Duration,
    cap: usize,
}

/// A send: the server's own 60 s, and a margin.
const SEND: Limits = Limits { total: Duration::from_secs(90), cap: 1 << 20 };
/// Any other call.
const CALL: Limits = Limits { total: Duration::from_secs(15), cap: 1 << 20 };
/// A list: of instances, or of a history with long texts.
const LIST: Limits = Limits { total: Duration::from_secs(15), cap: 8 << 20 };
/// `GET /` makes the server ask web.whatsapp.com first: not worth a long wait.
const ROOT: Limits = Limits { total: Duration::from_secs(6), cap: 1 << 16 };
/// A body that stops coming is given up after this.
const STALL: Duration = Duration::from_secs(30);
/// The records asked for at once: even the longest texts stay below the cap.
const PAGE: usize = 25;
/// A history with more pages than this is not read to its end.
const PAGES: u64 = 400;

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
    /// Why WhatsApp ended its last session; 401 is an unpaired one, but it stays after a new pairing.
    pub disconnect_code: Option<i64>,
}

/// An instance that was created.
#[derive(Debug, Clone)]
pub struct Created {
    /// Its own key.
    pub token: ApiKey,
    /// Its state right after.
    pub connection: Connection,
}

/// What the server says of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// As asked.
    pub number: String,
    /// Its address on WhatsApp.
    pub jid: String,
    /// Whether it is on WhatsApp.
    pub exists: bool,
}

/// A message found in an instance's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `key.id`.
    pub remote_id: String,
    /// `key.remoteJid`, as stored.
    pub remote_jid: String,
    /// `key.remoteJidAlt`: the same person by WhatsApp's other kind of address, where the server knows it.
    pub other_jid: Option<String>,
    /// What was said.
    pub text: String,
    /// When the server stored it.
    pub at: DateTime<Utc>,
}

/// A stretch of a history; both ends are in it.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "its ends")]
pub struct Stretch {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub status: u16,
    pub bytes: Vec<u8>,
}

impl Answer {
    /// What it says; null where that is no JSON.
    pub fn body(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }
}

/// Where an instance's texts go: what is the same for all of them, made once.
#[derive(Debug, Clone)]
pub struct Sender {
    url: Url,
    key: HeaderValue,
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
            // The server closes idle connections after 5 s (`EVOLUTION_API.md` section 1).
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

    async fn call(
        &self,
        method: Method,
        url: Url,
        key: Option<HeaderValue>,
        body: Option<&(impl Serialize + Sync)>,
        limits: Limits,
    ) -> Result<Answer, CallError> {
        self.allow.check(&url).map_err(|Refused| CallError::Policy)?;
        let mut request = self.client.request(method, url).timeout(limits.total);
        if let Some(key) = key {
            request = request.header("apikey", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| CallError::of(&error))?;
        let status = response.status().as_u16();
        Ok(Answer { status, bytes: read(response, limits.cap).await? })
    }

    async fn get(
        &self,
        server: &ServerUrl,
        key: &ApiKey,
        segments: &[&str],
        limits: Limits,
    ) -> Result<Answer, CallError> {
        self.call(Method::GET, Self::url(server, segments), Some(header(key)?), NOTHING, limits).await
    }

    async fn post(
        &self,
        server: &ServerUrl,
        key: &ApiKey,
        segments: &[&str],
        body: &Value,
        limits: Limits,
    ) -> Result<Answer, CallError> {
        self.call(Method::POST, Self::url(server, segments), Some(header(key)?), Some(body), limits).await
    }

    /// What [`Self::send`] is done with.
    pub fn sender(server: &ServerUrl, key: &ApiKey, instance: &InstanceName) -> Result<Sender, CallError> {
        Ok(Sender { url: Self::url(server, &["message", "sendText", instance.as_str()]), key: header(key)? })
    }

    /// Sends a text. Only a 201 with a non-empty `key.id` is a success.
    pub async fn send(&self, through: &Sender, number: &str, text: &str) -> Result<Sent, SendError> {
        let Sender { url, key } = through;
        let answer =
            self.call(Method::POST, url.clone(), Some(key.clone()), Some(&wire::Text { number, text }), SEND).await;
        wire::sent(&answer.map_err(SendError::Call)?)
    }

    /// [`Self::send`], where nothing was made for it before.
    pub async fn send_text(
        &self,
        server: &ServerUrl,
        key: &ApiKey,
        instance: &InstanceName,
        number: &str,
        text: &str,
    ) -> Result<Sent, SendError> {
        let sender = Self::sender(server, key, instance).map_err(SendError::Call)?;
        self.send(&sender, number, text).await
    }

    /// The live state of an instance.
    pub async fn connection_state(
        &self,
        server: &ServerUrl,
        key: &ApiKey,
        instance: &InstanceName,
    ) -> Result<Connection, CallError> {
        let answer = self.get(server, key, &["instance", "connectionState", instance.as_str()], CALL).await?;
        wire::state(&wire::ok(&answer)?)
    }

    /// The instances that the key can list. Their states are the database's view, which can lag.
    pub async fn list_instances(&self, server: &ServerUrl, key: &ApiKey) -> Result<Vec<Listed>, CallError> {
        let answer = self.get(server, key, &["instance", "fetchInstances"], LIST).await?;
        wire::list(&wire::ok(&answer)?)
    }

    /// One row of the list. It is picked here: no name of a person's goes into a query (T15).
    pub async fn find_instance_row(
        &self,
        server: &ServerUrl,
        key: &ApiKey,
        instance: &InstanceName,
    ) -> Result<Option<Listed>, CallError> {
        let rows = self.list_instances(server, key).await?;
        Ok(rows.into_iter().find(|row| row.name == instance.as_str()))
    }

    /// Whether the key is the server's own.
    pub async fn verify_global_key(&self, server: &ServerUrl, key: &ApiKey) -> Result<bool, CallError> {
        match wire::ok(&self.post(server, key, &["verify-creds"], &json!({}), CALL).await?) {
            Ok(_) => Ok(true),
            Err(CallError::Refused) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The server's version, as `GET /` tells it; slow where the server's own internet is bad.
    pub async fn version(&self, server: &ServerUrl) -> Result<String, CallError> {
        match self.version_at(Self::url(server, &[""])).await {
            // Behind a prefix, proxies differ in whether its root ends in a slash.
            Err(CallError::NotEvolution) => self.version_at(server.url()).await,
            told => told,
        }
    }

    async fn version_at(&self, url: Url) -> Result<String, CallError> {
        let body = self.call(Method::GET, url, None, NOTHING, ROOT).await?.body();
        let version = body.get("version").and_then(Value::as_str).ok_or(CallError::NotEvolution)?;
        Ok(version.chars().filter(|c| !c.is_control()).take(32).collect())
    }

    /// Creates an instance, with `token` as its own key where one is given. Two at once of one name destroy each
    /// other (#560): one call per name at a time.
    pub async fn create_instance(
        &self,
        server: &ServerUrl,
        key: &ApiKey,
        instance: &InstanceName,
        token: Option<&ApiKey>,
    ) -> Result<Created, CallError> {
        let mut body = json!({ "instanceName": instance.as_str(), "integration": "WHATSAPP-BAILEYS", "qrcode": false });
        if let Some(token) = token {
            body["token"] = token.expose().into();
        }
        let answer = self.post(server, key, &["instance", "create"], &body, CALL).await?;
        wire::created(&wire::ok(&answer)?)
    }

    /// Deletes an instance with its history; the server does so a moment after it has answered.
    pub async fn delete_instance(
        &self,
        server: &ServerUrl,
        key: &ApiKey,
        instance: &InstanceName,
    ) -> Result<(), CallError> {
        let delete = || Self::url(server, &["instance", "delete", instance.as_str()]);
        match wire::ok(&self.call(Method::DELETE, delete(), Some(header(key)?), NOTHING, CALL).await?) {
            // Older servers want it disconnected first.
            Err(CallError::Status { status: 400, .. }) => {
                let logout = Self::url(server, &["instance", "logout", instance.as_str()]);
                self.call(Method::DELETE, logout, Some(header(key)?), NOTHING, CALL).await?;
                wire::ok(&self.call(Method::DELETE, delete(), Some(header(key)?), NOTHING, CALL).await?).map(drop)
            }
            done => done.map(drop),
        }
    }

    /// Asks which numbers are on WhatsApp. A number that the server has cached is answered without a connection.
    pub async fn whatsapp_numbers(
        &self,
        server: &ServerUrl,
        key: &ApiKey,
        instance: &InstanceName,
        numbers: &[&str],
    ) -> Result<Vec<Looked>, CallError> {
        let body = json!({ "numbers": numbers });
        let answer = self.post(server, key, &["chat", "whatsappNumbers", instance.as_str()], &body, CALL).await?;
        wire::looked(&wire::ok(&answer)?)
    }

    /// Searches a stretch of an instance's history for texts of ours (`EVOLUTION_API.md` section 8).
    /// `remote_jid` is the stored address; without it every chat is searched.
    pub async fn find_sent(
        &self,
        server: &ServerUrl,
        key: &ApiKey,
        instance: &InstanceName,
        remote_jid: Option<&str>,
        is_wanted: &(dyn Fn(&str) -> bool + Sync),
        stretch: Stretch,
    ) -> Result<Vec<Found>, CallError> {
        let mut which = json!({ "fromMe": true });
        if let Some(jid) = remote_jid {
            which["remoteJid"] = jid.into();
        }
        let span = json!({ "gte": wire::iso(stretch.from), "lte": wire::iso(stretch.to) });
        let mut found = Vec::new();
        for page in 1..=PAGES {
            let body = json!({ "where": { "key": which, "messageTimestamp": span }, "page": page, "offset": PAGE });
            let answer = self.post(server, key, &["chat", "findMessages", instance.as_str()], &body, LIST).await?;
            let answer = wire::ok(&answer)?;
            let records =
                answer.pointer("/messages/records").and_then(Value::as_array).ok_or(CallError::NotEvolution)?;
            found.extend(records.iter().filter_map(|record| wire::found(record, is_wanted)));
            if answer.pointer("/messages/pages").and_then(Value::as_u64).unwrap_or(0) <= page {
                return Ok(found);
            }
        }
        // What was not read to its end proves nothing.
        Err(CallError::TooLong)
    }
}

/// No body.
const NOTHING: Option<&Value> = None;

/// A key as the header that carries it, which no log shows.
fn header(key: &ApiKey) -> Result<HeaderValue, CallError> {
    let mut value = HeaderValue::from_str(key.expose()).map_err(|_| CallError::Refused)?;
    value.set_sensitive(true);
    Ok(value)
}

async fn read(response: Response, cap: usize) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(chunk) = tokio::time::timeout(STALL, stream.next()).await.map_err(|_| CallError::AnswerLost)? {
        let chunk = chunk.map_err(|_| CallError::AnswerLost)?;
        if bytes.len() + chunk.len() > cap {
            return Err(CallError::AnswerLost);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
