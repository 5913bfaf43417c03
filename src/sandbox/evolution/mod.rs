//! An Evolution API server that answers as the recorded exchanges do, for the routes used so far, with a fake
//! WhatsApp behind it. Its delivery log is the truth in every test.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

/// A message that reached the fake WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// Through which instance.
    pub instance: String,
    /// To whom, as sent.
    pub number: String,
    /// What.
    pub text: String,
    /// `key.id`.
    pub id: String,
    /// When, in milliseconds.
    pub at: i64,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the page")]
pub struct Faults {
    /// 502 from the proxy in front.
    pub down: bool,
    /// Every answer takes three seconds.
    pub slow: bool,
    /// Every key is refused.
    pub wrong_key: bool,
    /// Every instance is disconnected.
    pub disconnected: bool,
    /// Messages are delivered, but their answer is cut off.
    pub answer_lost: bool,
}

#[derive(Debug, Clone)]
struct Instance {
    name: String,
    number: String,
    token: String,
    state: &'static str,
}

#[derive(Debug, Default)]
struct World {
    instances: Vec<Instance>,
    delivered: Vec<Delivered>,
    faults: Faults,
    not_on_whatsapp: Vec<String>,
    next: u64,
}

/// The server; cheap to clone.
#[derive(Debug, Clone)]
pub struct EvolutionServer {
    world: Arc<Mutex<World>>,
    key: Arc<str>,
    deliveries: Arc<watch::Sender<usize>>,
}

impl EvolutionServer {
    /// A server without instances, with this global key.
    pub fn new(key: &str) -> Self {
        Self { world: Arc::default(), key: key.into(), deliveries: Arc::new(watch::channel(0).0) }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an instance; returns its own key.
    pub fn add_instance(&self, name: &str, number: &str, connected: bool) -> String {
        let mut world = self.world();
        let token = format!("SIM-TOKEN-{}", name.to_uppercase());
        let state = if connected { "open" } else { "close" };
        world.instances.push(Instance {
            name: name.to_owned(),
            number: number.to_owned(),
            token: token.clone(),
            state,
        });
        token
    }

    /// Connects or disconnects an instance.
    pub fn set_connected(&self, name: &str, connected: bool) {
        for instance in self.world().instances.iter_mut().filter(|i| i.name == name) {
            instance.state = if connected { "open" } else { "close" };
        }
    }

    /// Makes a number one that has no WhatsApp.
    pub fn forget_number(&self, number: &str) {
        self.world().not_on_whatsapp.push(number.to_owned());
    }

    /// Switches what goes wrong.
    pub fn set_faults(&self, faults: Faults) {
        self.world().faults = faults;
    }

    /// Everything that was delivered, in order.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.world().delivered.clone()
    }

    /// Returns when at least `count` messages were delivered.
    pub async fn wait_for(&self, count: usize) {
        // The sender lives in `self`.
        let _ = self.deliveries.subscribe().wait_for(|n| *n >= count).await;
    }

    /// The routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/", get(root))
            .route("/verify-creds", post(verify))
            .route("/instance/fetchInstances", get(fetch))
            .route("/instance/connectionState/{name}", get(state))
            .route("/message/sendText/{name}", post(send))
            .route("/chat/findMessages/{name}", post(find))
            .route("/chat/whatsappNumbers/{name}", post(numbers))
            .fallback(unknown)
            .layer(from_fn_with_state(self.clone(), faults))
            .with_state(self.clone())
    }

    /// What the demo's page shows of the fake phone.
    pub fn page_router(&self, url: String) -> Router {
        let this = self.clone();
        Router::new()
            .route(
                "/sandbox/whatsapp",
                get(move |State(server): State<Self>| async move {
                    let world = server.world();
                    let instances: Vec<_> = world
                        .instances
                        .iter()
                        .map(|i| json!({ "name": i.name, "state": i.state, "number": i.number, "token": i.token }))
                        .collect();
                    Json(json!({ "url": url, "apiKey": &*server.key, "instances": instances, "delivered": world.delivered, "faults": world.faults }))
                }),
            )
            .route(
                "/sandbox/whatsapp/faults",
                post(|State(server): State<Self>, Json(faults): Json<Faults>| async move {
                    server.set_faults(faults);
                    Json(faults)
                }),
            )
            .with_state(this)
    }

    /// Existence is checked first, then the key (#105).
    fn admit(&self, name: &str, headers: &HeaderMap) -> Result<Instance, Box<Response>> {
        let world = self.world();
        let Some(instance) = world.instances.iter().find(|i| i.name == name) else {
            return Err(Box::new(failure(
                StatusCode::NOT_FOUND,
                "Not Found",
                &json!([format!("The \"{name}\" instance does not exist")]),
            )));
        };
        let key = header(headers);
        if world.faults.wrong_key || (key != &*self.key && key != instance.token) {
            return Err(Box::new(unauthorized()));
        }
        let mut instance = instance.clone();
        if world.faults.disconnected {
            instance.state = "close";
        }
        Ok(instance)
    }
}

fn header(headers: &HeaderMap) -> &str {
    headers.get("apikey").and_then(|key| key.to_str().ok()).unwrap_or_default()
}

fn failure(status: StatusCode, error: &str, message: &Value) -> Response {
    (status, Json(json!({ "status": status.as_u16(), "error": error, "response": { "message": message } })))
        .into_response()
}

fn unauthorized() -> Response {
    failure(StatusCode::UNAUTHORIZED, "Unauthorized", &json!("Unauthorized"))
}

#[expect(clippy::disallowed_methods, reason = "a simulated server is slow by the machine's clock")]
async fn faults(State(server): State<EvolutionServer>, request: Request, next: Next) -> Response {
    let faults = server.world().faults;
    if faults.down {
        return (StatusCode::BAD_GATEWAY, "Bad Gateway").into_response();
    }
    if faults.slow {
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    next.run(request).await
}

async fn unknown(request: Request) -> Response {
    let said = format!("Cannot {} {}", request.method(), request.uri().path());
    failure(StatusCode::NOT_FOUND, "Not Found", &json!([said]))
}

async fn root() -> Json<Value> {
    Json(json!({
        "status": 200, "message": "Welcome to the Evolution API, it is working!", "version": "2.3.6", "clientName": "sandbox",
        "manager": "http://localhost/manager", "documentation": "https://doc.evolution-api.com", "whatsappWebVersion": "2.3000.1023204200",
    }))
}

async fn verify(State(server): State<EvolutionServer>, headers: HeaderMap) -> Response {
    if header(&headers) != &*server.key || server.world().faults.wrong_key {
        return unauthorized();
    }
    Json(json!({ "status": 200, "message": "Credentials are valid" })).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    instance_name: Option<String>,
}

async fn fetch(State(server): State<EvolutionServer>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    let world = server.world();
    let key = header(&headers);
    let global = key == &*server.key;
    let known: Vec<_> = world.instances.iter().filter(|i| global || i.token == key).collect();
    if world.faults.wrong_key || (!global && known.is_empty()) {
        return unauthorized();
    }
    if let Some(name) = &wanted.instance_name
        && !world.instances.iter().any(|i| i.name == *name)
    {
        return failure(StatusCode::NOT_FOUND, "Not Found", &json!([format!("Instance \"{name}\" not found")]));
    }
    let rows: Vec<_> = known
        .into_iter()
        .filter(|i| wanted.instance_name.as_ref().is_none_or(|name| i.name == *name))
        .map(|i| {
            let state = if world.faults.disconnected { "close" } else { i.state };
            json!({ "id": i.name, "name": i.name, "connectionStatus": state, "ownerJid": format!("{}@s.whatsapp.net", i.number),
                "profileName": "Loja de Teste", "integration": "WHATSAPP-BAILEYS", "number": null, "token": i.token })
        })
        .collect();
    Json(rows).into_response()
}

async fn state(State(server): State<EvolutionServer>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match server.admit(&name, &headers) {
        Ok(i) => Json(json!({ "instance": { "instanceName": i.name, "state": i.state } })).into_response(),
        Err(refused) => *refused,
    }
}

async fn send(
    State(server): State<EvolutionServer>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let instance = match server.admit(&name, &headers) {
        Ok(instance) => instance,
        Err(refused) => return *refused,
    };
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let bad = |message: Value| failure(StatusCode::BAD_REQUEST, "Bad Request", &message);
    let (Some(number), Some(text)) = (body["number"].as_str(), body["text"].as_str()) else {
        let missing = if body["number"].is_string() { "text" } else { "number" };
        return bad(json!([[format!("instance requires property \"{missing}\"")]]));
    };
    if text.trim().is_empty() {
        return bad(json!(["Text is required"]));
    }
    if instance.state != "open" {
        return failure(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error", &json!("Connection Closed"));
    }
    let mut world = server.world();
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && number.len() >= 8;
    if !digits || world.not_on_whatsapp.iter().any(|n| n == number) {
        let jid = format!("{number}@s.whatsapp.net");
        return bad(json!([{ "jid": jid, "exists": false, "number": number }]));
    }
    world.next += 1;
    let id = format!("3EB0{:018X}", world.next);
    let at = now();
    world.delivered.push(Delivered {
        instance: name,
        number: number.to_owned(),
        text: text.to_owned(),
        id: id.clone(),
        at,
    });
    let (count, lost) = (world.delivered.len(), world.faults.answer_lost);
    drop(world);
    server.deliveries.send_replace(count);
    if lost {
        // The connection is cut in the middle of the answer.
        let cut = futures::stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("cut off"))]);
        return (StatusCode::CREATED, axum::body::Body::from_stream(cut)).into_response();
    }
    let answer = json!({
        "key": { "remoteJid": format!("{number}@s.whatsapp.net"), "fromMe": true, "id": id }, "pushName": "Você", "status": "PENDING",
        "message": { "conversation": text }, "messageType": "conversation", "messageTimestamp": at / 1000, "instanceId": instance.name, "source": "web",
    });
    (StatusCode::CREATED, Json(answer)).into_response()
}

async fn find(State(server): State<EvolutionServer>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    if let Err(refused) = server.admit(&name, &headers) {
        return *refused;
    }
    let world = server.world();
    let records: Vec<_> = world
        .delivered
        .iter()
        .rev()
        .filter(|d| d.instance == name)
        .map(|d| {
            json!({ "id": d.id, "key": { "id": d.id, "fromMe": true, "remoteJid": format!("{}@s.whatsapp.net", d.number) },
                "messageType": "conversation", "message": { "conversation": d.text }, "messageTimestamp": d.at / 1000 })
        })
        .collect();
    Json(json!({ "messages": { "total": records.len(), "pages": 1, "currentPage": 1, "records": records } }))
        .into_response()
}

async fn numbers(
    State(server): State<EvolutionServer>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if let Err(refused) = server.admit(&name, &headers) {
        return *refused;
    }
    let world = server.world();
    let asked = body["numbers"].as_array().cloned().unwrap_or_default();
    let rows: Vec<_> = asked
        .iter()
        .filter_map(Value::as_str)
        .map(|n| json!({ "jid": format!("{n}@s.whatsapp.net"), "exists": !world.not_on_whatsapp.iter().any(|x| x == n), "number": n }))
        .collect();
    Json(rows).into_response()
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
