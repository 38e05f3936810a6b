//! The accept loop: bounded in connections, header size and time, and certain to end.
//!
//! axum's own loop sets no timers, so that a client which never finishes its headers would hold a
//! connection, and the end of the process, for ever.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::limits;

/// Pause after the system refused a connection, for instance because no file handle is left.
const AFTER_REFUSAL: Duration = Duration::from_millis(500);

/// Serves until `stopping` is cancelled, then gives requests in flight [`limits::GRACE`] to end and
/// drops those that don't. The address of the client is in the request extension [`ConnectInfo`].
pub async fn serve(listener: TcpListener, router: Router, stopping: CancellationToken) {
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS));
    let connections = TaskTracker::new();
    // The semaphore is never closed, so this ends by `stopping` only.
    while let Some(Ok(place)) = stopping.run_until_cancelled(places.clone().acquire_owned()).await {
        let Some(accepted) = stopping.run_until_cancelled(listener.accept()).await else {
            break;
        };
        match accepted {
            Ok((stream, client)) => {
                let serving = serve_connection(stream, client, router.clone(), stopping.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(place);
                });
            }
            Err(error) => pause_after(&error).await,
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn serve_connection(
    stream: TcpStream,
    client: SocketAddr,
    router: Router,
    stopping: CancellationToken,
) {
    // Answers are written whole; waiting to fill packets only delays them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(client));
        router.clone().call(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::HEAD_TIME)
            .max_header_size(limits::HEAD_BYTES)
            .max_headers(limits::HEADERS)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = match stopping.run_until_cancelled(connection.as_mut()).await {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(limits::GRACE, connection).await {
                Ok(ended) => ended,
                Err(_) => return tracing::warn!("a request did not end in time and was dropped"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A client that went away before it was accepted is no reason to pause.
async fn pause_after(error: &io::Error) {
    let gone = [
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionRefused,
    ];
    if !gone.contains(&error.kind()) {
        tracing::error!(%error, "a connection cannot be accepted");
        tokio::time::sleep(AFTER_REFUSAL).await;
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    struct Running {
        address: SocketAddr,
        stopping: CancellationToken,
        server: tokio::task::JoinHandle<()>,
    }

    async fn start() -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = |ConnectInfo(client): ConnectInfo<SocketAddr>| async move { client.ip().to_string() };
        let router = Router::new()
            .route("/", get(client))
            .route("/soon", get(|| tokio::time::sleep(Duration::from_millis(300))))
            .route("/never", get(std::future::pending::<()>));
        let stopping = CancellationToken::new();
        let server = tokio::spawn(serve(listener, router, stopping.clone()));
        Running {
            address,
            stopping,
            server,
        }
    }

    async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    async fn rest(mut stream: TcpStream) -> String {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn requests_are_answered_with_the_clients_address_known() {
        let running = start().await;
        let mut stream = send(running.address, REQUEST).await;
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("127.0.0.1"),
            "{answer}"
        );
    }

    #[tokio::test]
    async fn oversized_heads_are_refused() {
        let running = start().await;
        let long = format!(
            "GET / HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n",
            "c".repeat(limits::HEAD_BYTES)
        );
        let answer = rest(send(running.address, long.as_bytes()).await).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
        let many: String = (0..=limits::HEADERS).map(|n| format!("X-{n}: 1\r\n")).collect();
        let answer = rest(
            send(
                running.address,
                format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes(),
            )
            .await,
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }

    #[tokio::test]
    async fn half_sent_and_idle_connections_are_closed() {
        let running = start().await;
        let started = Instant::now();
        let half = send(running.address, &REQUEST[..20]).await;
        let idle = send(running.address, REQUEST).await;
        let silent = send(running.address, b"").await;
        tokio::join!(rest(half), rest(idle), rest(silent));
        let took = started.elapsed();
        assert!(
            took >= limits::HEAD_TIME && took < limits::HEAD_TIME * 2,
            "{took:?}"
        );
    }

    #[tokio::test]
    async fn a_stop_lets_requests_end_and_does_not_wait_for_the_idle() {
        let running = start().await;
        let working = send(running.address, b"GET /soon HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let idle = send(running.address, REQUEST).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        running.stopping.cancel();
        let started = Instant::now();
        let (working, _, ended) = tokio::join!(rest(working), rest(idle), running.server);
        ended.unwrap();
        assert!(working.starts_with("HTTP/1.1 200"), "{working}");
        assert!(
            started.elapsed() < Duration::from_secs(2),
            "{:?}",
            started.elapsed()
        );
        assert!(
            TcpStream::connect(running.address).await.is_err(),
            "nobody listens any more"
        );
    }

    #[tokio::test]
    async fn a_stop_ends_in_time_whatever_clients_do() {
        let running = start().await;
        let _half = send(running.address, &REQUEST[..20]).await;
        let _stuck = send(running.address, b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        running.stopping.cancel();
        let started = Instant::now();
        running.server.await.unwrap();
        let took = started.elapsed();
        assert!(
            took >= limits::GRACE && took < limits::GRACE + Duration::from_secs(2),
            "{took:?}"
        );
    }
}
