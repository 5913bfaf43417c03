//! The Evolution client and simulator, held against the exchanges that were recorded with a real 2.3.6.

mod client;
mod replay;

use std::net::SocketAddr;

use axum::Router;
use schedulezap::domain::instance::{ApiKey, InstanceName, ServerUrl};
use schedulezap::evolution::Evolution;
use schedulezap::evolution::policy::AllowHosts;
use schedulezap::sandbox::evolution::EvolutionServer;
use serde_json::Value;
use tokio::net::TcpListener;

/// The global key of the recordings.
const KEY: &str = "evo-global-key";

/// A recorded exchange.
fn recording(name: &str) -> Value {
    let path = format!("{}/tests/evolution/contract/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// Serves `router` on a free port of this machine.
async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A client that may reach this machine.
fn client() -> Evolution {
    Evolution::new(AllowHosts::parse("loopback").unwrap()).unwrap()
}

fn url(address: SocketAddr) -> ServerUrl {
    ServerUrl::parse(&format!("http://{address}")).unwrap()
}

fn key(text: &str) -> ApiKey {
    ApiKey::parse(text).unwrap()
}

fn name(text: &str) -> InstanceName {
    InstanceName::parse(text).unwrap()
}

/// A simulator at the root of a port.
async fn simulator() -> (EvolutionServer, ServerUrl) {
    let server = EvolutionServer::new(KEY);
    let address = serve(server.router()).await;
    (server, url(address))
}
