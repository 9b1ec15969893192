//! How does a connection become requests?
//!
//! Our own accept loop, because bounds on headers, their time and the number of connections belong to the connection.

use std::{
    future::{self, Future},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tower_service::Service;

const PATIENCE: Patience = Patience { first: Duration::from_secs(15), next: Duration::from_secs(620) };
const HEADERS_BYTES: usize = 64 << 10;
const HEADERS: usize = 128;
const CONNECTIONS: usize = 2048;
/// For requests that are being answered when the server stops.
const FAREWELL: Duration = Duration::from_secs(3);

/// How long a connection may take to the end of its next request's headers.
#[derive(Clone, Copy)]
struct Patience {
    /// From when it was made.
    first: Duration,
    /// From the answer before. Longer than browsers and proxies keep a connection that rests (a load balancer may keep it
    /// for 600 s): who closes it under a request that is on its way makes an error of it.
    next: Duration,
}

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
            (Ok((stream, _)), Ok(permit)) => {
                let answering = answer(stream, router.clone(), PATIENCE, said.clone());
                tokio::spawn(async move {
                    answering.await;
                    drop(permit);
                });
            }
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

async fn answer(stream: TcpStream, router: Router, patience: Patience, mut said: watch::Receiver<bool>) {
    // Log lines and key strokes are small and should not wait for each other.
    let _ = stream.set_nodelay(true);
    let has_asked = AtomicBool::new(false);
    let service = service_fn(|request: http::Request<Incoming>| {
        has_asked.store(true, Ordering::Relaxed);
        let mut router = router.clone();
        async move { router.call(request.map(Body::new)).await }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(patience.next)
        .max_buf_size(HEADERS_BYTES)
        .max_headers(HEADERS);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let silent = async {
        tokio::time::sleep(patience.first).await;
        if has_asked.load(Ordering::Relaxed) {
            future::pending().await
        }
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = silent => return tracing::debug!("A connection asked nothing"),
        () = is_said(&mut said) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // A connection that breaks is the browser's to try again.
    if let Err(error) = ended {
        tracing::debug!("A connection ended: {error}");
    }
}

async fn is_said(said: &mut watch::Receiver<bool>) {
    // The sender lives until all connections have ended.
    let _ = said.wait_for(|said| *said).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// The way to a server that waits so long.
    async fn connected(patience: Patience) -> (TcpStream, watch::Sender<bool>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (farewell, said) = watch::channel(false);
        let router = Router::new().route("/", get(|| async { "well" }));
        tokio::spawn(answer(listener.accept().await.unwrap().0, router, patience, said));
        (stream, farewell)
    }

    async fn ask(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn a_connection_that_asks_nothing_is_closed() {
        let patience = Patience { first: Duration::from_millis(100), next: Duration::from_secs(3600) };
        let (mut stream, _farewell) = connected(patience).await;
        stream.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        assert_eq!(stream.read(&mut [0; 64]).await.unwrap_or(0), 0);
    }

    #[tokio::test]
    async fn a_connection_that_rests_longer_than_a_new_one_may_is_still_answered() {
        let patience = Patience { first: Duration::from_millis(100), next: Duration::from_secs(3600) };
        let (mut stream, _farewell) = connected(patience).await;
        assert!(ask(&mut stream).await.ends_with("well"));
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(ask(&mut stream).await.ends_with("well"));
    }
}
