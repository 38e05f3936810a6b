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
        let Some(accepted) = stopping.run_until_cancelled(listener.accept()).await else { break };
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

async fn serve_connection(stream: TcpStream, client: SocketAddr, router: Router, stopping: CancellationToken) {
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
    let gone = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionRefused];
    if !gone.contains(&error.kind()) {
        tracing::error!(%error, "a connection cannot be accepted");
        tokio::time::sleep(AFTER_REFUSAL).await;
    }
}
