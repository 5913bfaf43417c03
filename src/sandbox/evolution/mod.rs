//! An Evolution API server that answers as the recorded exchanges of version 2.3.6 do, with a fake WhatsApp behind
//! it. Its delivery log is the truth in every test.
//!
//! What it leaves out: webhooks are stored but never called, the fixed waits of the real server (5 s in `create`,
//! 60 s while a QR code is on screen) are not waited, and the Business channel cannot be created.

mod answers;
mod groups;
mod instances;
mod messages;
mod numbers;
mod world;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::answers::{failure, unauthorized};
use self::world::{Channel, Instance, Stored, World};
use crate::domain::clock::Clock;
use crate::domain::recipient::phone;

/// The server reads no longer bodies (#318).
const BODY_CAP: usize = 136 << 20;

/// A message that reached the fake WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// Through which instance.
    pub instance: String,
    /// To whom, as sent.
    pub number: String,
    /// To whom, as WhatsApp calls them.
    pub jid: String,
    /// What.
    pub text: String,
    /// `key.id`.
    pub id: String,
    /// When, in milliseconds.
    pub at: i64,
}

/// What is kept over a restart of the demo: the instances, and what reached WhatsApp.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    instances: Vec<KeptInstance>,
    delivered: Vec<Delivered>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptInstance {
    name: String,
    token: String,
    /// Once it was paired.
    number: Option<String>,
    profile: String,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the page")]
pub struct Faults {
    /// Nothing listens at its own port; behind another server's, that answers 502 as a proxy does.
    pub down: bool,
    /// Every answer takes three seconds, or what `set_slowness` says.
    pub slow: bool,
    /// Every key is refused.
    pub wrong_key: bool,
    /// Every instance is disconnected.
    pub disconnected: bool,
    /// Messages are delivered, but their answer is cut off.
    pub answer_lost: bool,
}

/// Some of the switches, as the page sends them.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Switches {
    down: Option<bool>,
    slow: Option<bool>,
    wrong_key: Option<bool>,
    disconnected: Option<bool>,
    answer_lost: Option<bool>,
}

impl Switches {
    fn over(self, old: Faults) -> Faults {
        Faults {
            down: self.down.unwrap_or(old.down),
            slow: self.slow.unwrap_or(old.slow),
            wrong_key: self.wrong_key.unwrap_or(old.wrong_key),
            disconnected: self.disconnected.unwrap_or(old.disconnected),
            answer_lost: self.answer_lost.unwrap_or(old.answer_lost),
        }
    }
}

/// The server; cheap to clone.
#[derive(Debug, Clone)]
pub struct EvolutionServer {
    world: Arc<World>,
}

impl EvolutionServer {
    /// A server without instances, with this global key.
    pub fn new(key: &str) -> Self {
        Self { world: Arc::new(World::new(key)) }
    }

    /// Adds a paired instance; returns its own key.
    pub fn add_instance(&self, name: &str, number: &str, connected: bool) -> String {
        let token = format!("SIM-TOKEN-{}", name.to_uppercase());
        let state = if connected { "open" } else { "close" };
        self.world.add(Instance::paired(name, &token, number, state));
        token
    }

    /// Adds a paired and connected instance with a WhatsApp profile of its own.
    pub fn add_profile(&self, name: &str, number: &str, profile: &str) {
        let token = format!("SIM-TOKEN-{}", name.to_uppercase());
        self.world.add(Instance::paired(name, &token, number, "open").with_profile(profile));
    }

    /// What is to be kept over a restart.
    pub fn keep(&self) -> Kept {
        let kept = |instance: &Arc<Instance>| KeptInstance {
            name: instance.name.clone(),
            token: instance.token.clone(),
            number: instance.number.clone(),
            profile: instance.profile.clone(),
        };
        let instances = self.world.list().iter().filter(|i| i.channel == Channel::Baileys).map(kept).collect();
        Kept { instances, delivered: self.delivered() }
    }

    /// Goes on from what was kept, histories too.
    pub fn restore(&self, kept: Kept) {
        for KeptInstance { name, token, number, profile } in kept.instances {
            let instance = match number {
                Some(number) => Instance::paired(&name, &token, &number, "open"),
                None => Instance::new(&name, &token, Channel::Baileys),
            };
            self.world.add(instance.with_profile(&profile));
        }
        for message in kept.delivered {
            if let Some(instance) = self.world.find(&message.instance) {
                let (id, jid, text) = (message.id.clone(), message.jid.clone(), message.text.clone());
                instance.stored().push(Stored { id, jid, text, at: message.at });
            }
            self.world.know(&message.jid);
            self.world.deliver(message, false);
        }
    }

    /// Listens at an own port for as long as the server is not down; meanwhile nothing does, and a call is refused as by
    /// a machine on which no server runs.
    pub async fn serve(self, listener: TcpListener) {
        let Ok(address) = listener.local_addr() else { return };
        let mut listener = Some(listener);
        let mut is_told = false;
        let mut down = self.world.down.subscribe();
        loop {
            // The sender lives in `self`.
            let _ = down.wait_for(|down| !*down).await;
            let again = TcpListener::bind(address);
            let listener = match listener.take() {
                Some(listener) => Ok(listener),
                None => again.await,
            };
            match listener {
                Ok(listener) => {
                    is_told = false;
                    let mut ends = down.clone();
                    let (closed, told) = oneshot::channel();
                    let served = axum::serve(listener, self.router()).with_graceful_shutdown(async move {
                        let _ = ends.wait_for(|down| *down).await;
                        let _ = closed.send(());
                    });
                    // A request that is under way is brought to its end; connections that rest are closed.
                    tokio::spawn(served.into_future());
                    // Told by the one that closes: it may be up again before this looks.
                    let _ = told.await;
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_told, true) {
                        tracing::warn!(error = %error, "the simulated server cannot listen again yet");
                    }
                    pause().await;
                }
            }
        }
    }

    /// Adds an instance of the channel that accepts everything and sends nothing; returns its own key.
    pub fn add_evolution_channel(&self, name: &str) -> String {
        let token = format!("SIM-TOKEN-{}", name.to_uppercase());
        self.world.add(Instance::new(name, &token, Channel::Evolution));
        token
    }

    /// Stores messages with the moments of this clock.
    pub fn set_clock(&self, clock: Clock) {
        *self.world.clock.write().unwrap_or_else(PoisonError::into_inner) = clock;
    }

    /// Connects or disconnects an instance.
    pub fn set_connected(&self, name: &str, connected: bool) {
        self.set_state(name, if connected { "open" } else { "close" });
    }

    /// Sets an instance's state: `open`, `connecting` or `close`; it has been paired from then on.
    pub fn set_state(&self, name: &str, state: &'static str) {
        if let Some(instance) = self.world.find(name) {
            instance.set(state);
        }
    }

    /// Makes a number one that has no WhatsApp. Those that end in 0000 have none anyway.
    pub fn forget_number(&self, number: &str) {
        self.world.not_on_whatsapp(number);
    }

    /// Puts a number into the server's cache of those that are on WhatsApp.
    pub fn know_number(&self, number: &str) {
        self.world.know(&numbers::look_up(number, &self.world).jid);
    }

    /// Switches what goes wrong.
    pub fn set_faults(&self, faults: Faults) {
        self.world.set_faults(faults);
    }

    /// How long answers take while `slow` is on.
    pub fn set_slowness(&self, time: Duration) {
        self.world.slowness.store(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Delivers and stores the next `count` messages, and cuts their answers off.
    pub fn lose_next_answers(&self, count: usize) {
        self.world.lose.store(count, Relaxed);
    }

    /// Takes the next `count` messages, delivers none of them, and answers with words that say nothing certain.
    pub fn swallow_next(&self, count: usize) {
        self.world.swallow.store(count, Relaxed);
    }

    /// Whether what is sent is kept in the history.
    pub fn set_storing(&self, storing: bool) {
        self.world.forgetful.store(!storing, Relaxed);
    }

    /// Delivers and stores messages, and never answers.
    pub fn set_hanging(&self, hanging: bool) {
        self.world.hanging.store(hanging, Relaxed);
    }

    /// Whether the links died without a word: each says that it is open, and takes nothing.
    pub fn set_dead(&self, dead: bool) {
        self.world.dead.store(dead, Relaxed);
    }

    /// Whether `findMessages` works.
    pub fn set_searchable(&self, searchable: bool) {
        self.world.unsearchable.store(!searchable, Relaxed);
    }

    /// Keeps no texts and no history from now on: for trials of speed. Deliveries are counted all the same.
    pub fn keep_nothing(&self) {
        self.world.bare.store(true, Relaxed);
    }

    /// Everything that was delivered, in order.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.world.delivered()
    }

    /// How many messages were delivered.
    pub fn count(&self) -> usize {
        *self.world.deliveries.borrow()
    }

    /// How many requests have come.
    pub fn calls(&self) -> usize {
        self.world.calls.load(Relaxed)
    }

    /// Returns when at least `count` messages were delivered.
    pub async fn wait_for(&self, count: usize) {
        // The sender lives in `self`.
        let _ = self.world.deliveries.subscribe().wait_for(|n| *n >= count).await;
    }

    /// The delivery with this place in the log, from 0, when it comes within `patience`.
    pub async fn next_delivery(&self, after: usize, patience: Duration) -> Option<Delivered> {
        tokio::time::timeout(patience, self.wait_for(after + 1)).await.ok()?;
        self.delivered().into_iter().nth(after)
    }

    /// The routes; they may be nested under a prefix.
    pub fn router(&self) -> Router {
        Router::new().route("/", any(handle)).route("/{*path}", any(handle)).fallback(handle).with_state(self.clone())
    }

    /// What the demo's page shows of the fake phone.
    pub fn page_router(&self, url: String) -> Router {
        Router::new()
            .route("/sandbox/whatsapp", get(move |State(server): State<Self>| async move { Json(server.page(&url)) }))
            .route(
                "/sandbox/whatsapp/faults",
                post(|State(server): State<Self>, Json(switches): Json<Switches>| async move {
                    let faults = switches.over(server.world.faults());
                    server.set_faults(faults);
                    Json(faults)
                }),
            )
            .with_state(self.clone())
    }

    fn page(&self, url: &str) -> Value {
        let faults = self.world.faults();
        let instances: Vec<_> = self
            .world
            .list()
            .iter()
            .map(|i| json!({ "name": i.name, "state": i.state(faults), "number": i.number, "token": i.token }))
            .collect();
        let delivered: Vec<_> = self
            .delivered()
            .into_iter()
            .map(|m| json!({ "instance": m.instance, "number": shown(&m.number), "text": m.text, "at": m.at }))
            .collect();
        json!({ "url": url, "apiKey": self.world.key, "instances": instances, "delivered": delivered, "faults": faults })
    }
}

#[expect(clippy::disallowed_methods, reason = "the demo runs by the machine's clock")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}

/// To whom a message went, as people read it; a group stays as it is addressed.
fn shown(to: &str) -> String {
    if to.contains('@') { to.to_owned() } else { phone(to) }
}

/// A request, read.
struct Call {
    world: Arc<World>,
    faults: Faults,
    key: String,
    query: Vec<(String, String)>,
    body: Value,
}

impl Call {
    fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn is_global(&self) -> bool {
        !self.faults.wrong_key && self.key == self.world.key
    }

    /// Existence is checked first, then the key (#105). Then a query may name another instance (#066).
    fn admit(&self, name: &str) -> Result<Arc<Instance>, Box<Response>> {
        let missing = |name: &str| {
            Box::new(failure(StatusCode::NOT_FOUND, &json!([format!("The \"{name}\" instance does not exist")])))
        };
        let instance = self.world.find(name).ok_or_else(|| missing(name))?;
        if !self.is_global() && (self.faults.wrong_key || self.key != instance.token) {
            return Err(Box::new(unauthorized()));
        }
        match self.param("instanceName") {
            None => Ok(instance),
            Some(other) => self.world.find(other).ok_or_else(|| missing(other)),
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A request is brought to its end even when its caller has gone away, as the real server does.
async fn handle(State(server): State<EvolutionServer>, request: Request) -> Response {
    let handled = tokio::spawn(serve(server.world, request)).await;
    handled.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

#[expect(clippy::disallowed_methods, reason = "a simulated server is slow by the machine's clock")]
async fn serve(world: Arc<World>, request: Request) -> Response {
    world.calls.fetch_add(1, Relaxed);
    let faults = world.faults();
    if faults.down {
        return (StatusCode::BAD_GATEWAY, "Bad Gateway").into_response();
    }
    // Half before and half after what is done.
    let slowness = Duration::from_millis(if faults.slow { world.slowness.load(Relaxed) } else { 0 }) / 2;
    if !slowness.is_zero() {
        tokio::time::sleep(slowness).await;
    }
    let (head, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_CAP).await else {
        return answers::express(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large");
    };
    // Without this type the body is taken for empty (#215).
    let is_json = header(&head.headers, "content-type").starts_with("application/json");
    let body = match serde_json::from_slice(&bytes) {
        _ if !is_json || bytes.is_empty() => Value::Null,
        Ok(body) => body,
        Err(_) => return answers::express(StatusCode::BAD_REQUEST, "Unexpected end of JSON input"),
    };
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let key = header(&head.headers, "apikey").to_owned();
    let call = Call { world, faults, key, query, body };
    let answer = route(&call, &head.method, head.uri.path()).await;
    if !slowness.is_zero() {
        tokio::time::sleep(slowness).await;
    }
    answer
}

async fn route(call: &Call, method: &Method, path: &str) -> Response {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let unknown = || failure(StatusCode::NOT_FOUND, &json!([format!("Cannot {method} {path}")]));
    let (group, verb, name) = match (method.as_str(), parts.as_slice()) {
        ("GET", [""]) => return Json(answers::root()).into_response(),
        ("POST", ["verify-creds"]) if call.is_global() => return Json(answers::verified()).into_response(),
        ("POST", ["verify-creds"]) => return unauthorized(),
        ("POST", ["instance", "create"]) => return instances::create(call),
        ("GET", ["instance", "fetchInstances"]) => return instances::fetch(call),
        (_, [group, verb, name]) => (*group, *verb, *name),
        _ => return unknown(),
    };
    let Some(name) = answers::decoded(name) else {
        return answers::express(StatusCode::BAD_REQUEST, &format!("Failed to decode param '{name}'"));
    };
    let admitted = call.admit(&name);
    macro_rules! admitted {
        ($answer:expr) => {
            match admitted {
                Ok(instance) => $answer(call, &instance),
                Err(refused) => *refused,
            }
        };
    }
    match (method.as_str(), group, verb) {
        ("POST", "message", "sendText") => match admitted {
            Ok(instance) => messages::send(call, &instance).await,
            Err(refused) => *refused,
        },
        ("POST", "chat", "findMessages") => admitted!(messages::find),
        ("POST", "chat", "whatsappNumbers") => admitted!(messages::numbers),
        ("GET", "instance", "connectionState") => admitted!(instances::state),
        ("GET", "instance", "connect") => admitted!(instances::connect),
        ("POST", "instance", "restart") => admitted!(instances::restart),
        ("DELETE", "instance", "logout") => admitted!(instances::logout),
        ("DELETE", "instance", "delete") => admitted!(instances::delete),
        ("GET", "settings", "find") => admitted!(instances::settings),
        ("POST", "settings", "set") => admitted!(instances::set_settings),
        ("GET", "webhook", "find") => admitted!(instances::webhook),
        ("POST", "webhook", "set") => admitted!(instances::set_webhook),
        ("GET", "group", "fetchAllGroups") => admitted!(groups::list),
        ("GET", "group", "findGroupInfos") => admitted!(groups::find),
        _ => unknown(),
    }
}
