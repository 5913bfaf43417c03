//! The HTTP server on `HTTP_LISTEN`: health for now. It waits for nobody: a request's head must be there in 10 s, the
//! rest in 30 s, and more connections than it serves wait at the door (SECURITY.md T23).

pub mod health;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use health::Health;

/// How long the head of a request may take, and a connection stay without one.
const HEAD: Duration = Duration::from_secs(10);
/// How long a request may take with its body.
const WHOLE: Duration = Duration::from_secs(30);
/// The longest body, in bytes.
const BODY: usize = 256 * 1024;
/// How many connections are served at once.
const CONNECTIONS: usize = 512;
/// How long a stop waits for requests.
const FAREWELL: Duration = Duration::from_secs(5);

/// Every address that is answered.
pub fn router(health: Arc<Health>) -> Router {
    health::router(health)
        .layer(RequestBodyLimitLayer::new(BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, WHOLE))
        .layer(CatchPanicLayer::new())
}

/// Serves `router` until `stop`; requests that were begun are ended.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    serve_at_most(CONNECTIONS, listener, router, stop).await;
}

async fn serve_at_most(connections: usize, listener: TcpListener, router: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(connections));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (Ok(place), accepted) = (tokio::select! {
            () = stop.cancelled() => break,
            accepted = accepted => accepted,
        }) else {
            break;
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, or the peer is gone already: those that are served may end meanwhile.
                tracing::debug!(error = %error, "a connection could not be taken");
                let _ = tokio::time::timeout(Duration::from_millis(50), stop.cancelled()).await;
                continue;
            }
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // What a client does wrong is its own affair.
            let _ = connection.await;
            drop(place);
        });
    }
    let _ = tokio::time::timeout(FAREWELL, graceful.shutdown()).await;
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn panics() -> StatusCode {
        panic!("a test wants it so")
    }

    async fn door(connections: usize) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new()
            .route("/", axum::routing::get(|| async { "ok" }))
            .route("/panics", axum::routing::get(panics))
            .layer(RequestBodyLimitLayer::new(BODY))
            .layer(CatchPanicLayer::new());
        tokio::spawn(serve_at_most(connections, listener, router, stop.clone()));
        (address, stop)
    }

    async fn ask(stream: &mut TcpStream, head: &str) -> String {
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_ends_the_head_of_a_request_is_let_go() {
        let (address, stop) = door(8).await;
        let begun = tokio::time::Instant::now();
        let mut slow = TcpStream::connect(address).await.unwrap();
        let said = ask(&mut slow, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ").await;
        assert!(said.is_empty() || said.contains("408"), "{said}");
        assert!(begun.elapsed() >= HEAD && begun.elapsed() < HEAD * 2, "{:?}", begun.elapsed());
        stop.cancel();
    }

    #[tokio::test]
    async fn long_bodies_are_refused_and_a_panic_is_one_answer() {
        let (address, _stop) = door(8).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let said = ask(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 262145\r\n\r\n").await;
        assert!(said.starts_with("HTTP/1.1 413"), "{said}");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let said = ask(&mut stream, "GET /panics HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(said.starts_with("HTTP/1.1 500"), "{said}");
        let said = ask(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    }

    #[tokio::test]
    async fn more_connections_than_places_wait_at_the_door() {
        let (address, _stop) = door(2).await;
        let head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let mut first = TcpStream::connect(address).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut first, head).await.contains("200"));
        assert!(ask(&mut second, head).await.contains("200"));
        let mut third = TcpStream::connect(address).await.unwrap();
        let waits = tokio::time::timeout(Duration::from_millis(100), ask(&mut third, head)).await;
        assert!(waits.is_err(), "it waits");
        drop(first);
        let mut answer = [0; 64];
        assert!(third.read(&mut answer).await.unwrap() > 0);
    }
}
