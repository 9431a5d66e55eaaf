//! Letting connections in: bounds, TLS, the limits of a request's head, and a clean end.

use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::{
    connection::{Peer, Stream},
    proxies::TrustedProxies,
    state::AppState,
    tls::Certificates,
};

pub(crate) mod bounds;

/// The request line with all headers. Tokens and cookies of neighbours on the same host fit in it several times.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// How long to wait when the system has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(500);

/// What one listener needs to know about connections.
pub(crate) struct Front {
    tls: Option<Arc<Certificates>>,
    proxies: TrustedProxies,
    app: AppState,
}

impl Front {
    pub(crate) fn new(app: &AppState, tls: Option<Arc<Certificates>>) -> Self {
        Self { tls, proxies: TrustedProxies::new(app.config.trusted_proxies.clone()), app: Arc::clone(app) }
    }

    /// Lets connections in until `stop`, then lets the requests that run end, until `cut`.
    pub(crate) async fn run(
        self,
        listener: TcpListener,
        router: Router,
        stop: CancellationToken,
        cut: CancellationToken,
    ) {
        let front = Arc::new(self);
        let connections = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((tcp, address)) => front.admit(tcp, address, &router, &stop, &cut, &connections),
                Err(error) => wait_for_room(&error).await,
            }
        }
        drop(listener);
        connections.close();
        connections.wait().await;
    }

    fn admit(
        self: &Arc<Self>,
        tcp: TcpStream,
        address: SocketAddr,
        router: &Router,
        stop: &CancellationToken,
        cut: &CancellationToken,
        connections: &TaskTracker,
    ) {
        let Some(place) = self.app.bounds.enter(address.ip()) else {
            self.app.metrics.turned_away.increment(1);
            tracing::debug!("a connection too many is turned away");
            return;
        };
        let stream = Stream::new(tcp, place);
        let visit = Visit { front: Arc::clone(self), router: router.clone(), stop: stop.clone() };
        let cut = cut.clone();
        connections.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                () = visit.attend(stream, address) => {}
            }
        });
    }
}

/// A connection that broke before it was taken up is nothing to wait for; a lack of file handles is.
async fn wait_for_room(error: &io::Error) {
    let is_peers_fault = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    );
    if !is_peers_fault {
        tracing::error!(%error, "no connection can be taken up for a moment");
        tokio::time::sleep(NO_ROOM).await;
    }
}

/// One connection from its beginning to its end, or until it becomes a WebSocket.
struct Visit {
    front: Arc<Front>,
    router: Router,
    stop: CancellationToken,
}

impl Visit {
    async fn attend(self, stream: Stream, address: SocketAddr) {
        let peer = stream.peer(address);
        let Some(certificates) = self.front.tls.clone() else {
            return self.converse(stream, peer, address).await;
        };
        let greeting = tokio::time::timeout(self.front.app.config.timing.handshake, certificates.accept(stream));
        let greeted = tokio::select! {
            () = self.stop.cancelled() => return,
            greeted = greeting => greeted,
        };
        let why = match greeted {
            Ok(Ok(stream)) => return self.converse(stream, peer, address).await,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        self.front.app.metrics.failed_handshakes.increment(1);
        tracing::debug!(why, "a TLS handshake failed");
    }

    async fn converse(self, io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer, address: SocketAddr) {
        let has_asked = Arc::new(AtomicBool::new(false));
        let (router, proxies, asked) = (self.router, self.front.proxies.clone(), Arc::clone(&has_asked));
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            let mut request = request.map(Body::new);
            let mut peer = peer.clone();
            peer.client = proxies.client(address.ip(), request.headers());
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.front.app.config.timing.request_head)
            .max_header_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(io), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                // Who has asked nothing yet is not waited for.
                if !has_asked.load(Ordering::Relaxed) {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::trace!(%error, "a connection broke");
        }
    }
}

#[cfg(test)]
mod tests;
