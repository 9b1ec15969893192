//! How does a connection become requests?
//!
//! Our own accept loop, because bounds on headers, their time and the number of connections belong to the connection.

use std::{future::Future, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tower_service::Service;

const HEADERS_TIME: Duration = Duration::from_secs(15);
const HEADERS_BYTES: usize = 64 << 10;
const HEADERS: usize = 128;
const CONNECTIONS: usize = 2048;
/// For requests that are being answered when the server stops.
const FAREWELL: Duration = Duration::from_secs(3);

/// Serves until `stop` is ready, then lets go of idle connections and waits a moment for busy ones.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let (farewell, said) = watch::channel(false);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match (accepted, room.clone().try_acquire_owned()) {
            (Ok((stream, _)), Ok(permit)) => drop(tokio::spawn(answer(stream, router.clone(), said.clone(), permit))),
            // Full: closing at once is the answer.
            (Ok(_), Err(_)) => tracing::warn!("More than {CONNECTIONS} connections: one was closed"),
            (Err(error), _) => {
                tracing::warn!("A connection could not be taken: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop((listener, said));
    farewell.send_replace(true);
    let _ = tokio::time::timeout(FAREWELL, farewell.closed()).await;
}

async fn answer(stream: TcpStream, router: Router, mut said: watch::Receiver<bool>, permit: OwnedSemaphorePermit) {
    // Log lines and key strokes are small and should not wait for each other.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let mut router = router.clone();
        async move { router.call(request.map(Body::new)).await }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS_TIME).max_buf_size(HEADERS_BYTES).max_headers(HEADERS);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = is_said(&mut said) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // A connection that breaks is the browser's to try again.
    if let Err(error) = ended {
        tracing::debug!("A connection ended: {error}");
    }
    drop(permit);
}

async fn is_said(said: &mut watch::Receiver<bool>) {
    // The sender lives until all connections have ended.
    let _ = said.wait_for(|said| *said).await;
}
