//! TCP connections that can be cut from the inside. A socket that has lost a packet must reconnect, and a Socket.IO
//! disconnect can't tell it so: the packet would have to go through the very queue that is full, and stock clients do
//! not come back after one. Cutting the transport makes every client come back by itself.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, Weak},
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    http::{StatusCode, Uri, header},
    middleware::Next,
    response::Response,
};
use socketioxide::{adapter::LocalAdapter, socket::Socket};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tower::{ServiceExt, util::BoxCloneSyncService};

use crate::listener::bounds::Place;

/// Who is at the other end of a request, and the means to cut the connection that it came on.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The address of the client, behind trusted proxies the one that they vouch for.
    pub(crate) client: IpAddr,
    cut: Weak<CancellationToken>,
}

/// What answers every request for Socket.IO.
pub(crate) type Engine = BoxCloneSyncService<Request, Response, Infallible>;

/// Cuts the transports of sockets: the TCP connection of a WebSocket, the session of one that polls.
#[derive(Default)]
pub(crate) struct Cuts {
    /// Which connection carries which socket, for those that began by polling and were upgraded to a WebSocket later:
    /// the socket itself only knows the request that it began with.
    upgraded: Mutex<HashMap<String, Weak<CancellationToken>>>,
    engine: OnceLock<Engine>,
}

/// What it takes to cut a socket's transport, also after the socket itself has gone.
#[derive(Clone)]
pub(crate) struct Line {
    sid: String,
    /// The connection of one that began as a WebSocket.
    websocket: Option<Weak<CancellationToken>>,
}

impl Line {
    pub(crate) fn of(socket: &Socket<LocalAdapter>) -> Self {
        let parts = socket.req_parts();
        let began_as_websocket = engine_query(&parts.uri).0 == Some("websocket");
        let peer = parts.extensions.get::<ConnectInfo<Peer>>().filter(|_| began_as_websocket);
        Self { sid: socket.id.to_string(), websocket: peer.map(|peer| peer.0.cut.clone()) }
    }
}

/// Forgotten connections are swept out when there are so many.
const SWEEP_AT: usize = 1024;
/// Engine.IO's ids have 16 characters; nothing much longer is one.
const MAX_SID_CHARS: usize = 64;

impl Cuts {
    /// Remembers the connection of an upgrade once the Socket.IO layer has agreed to it: what anybody may send must
    /// not fill the memory.
    pub(crate) async fn remember(self: Arc<Self>, request: Request, next: Next) -> Response {
        let upgrade = match (engine_query(request.uri()), request.extensions().get::<ConnectInfo<Peer>>()) {
            ((Some("websocket"), Some(sid)), Some(peer)) if sid.len() <= MAX_SID_CHARS => {
                Some((sid.to_owned(), peer.0.cut.clone()))
            }
            _ => None,
        };
        let response = next.run(request).await;
        if let Some((sid, cut)) = upgrade
            && response.status() == StatusCode::SWITCHING_PROTOCOLS
        {
            let mut upgraded = self.upgraded.lock().expect("no thread panics while it holds the connections");
            if upgraded.len() % SWEEP_AT == SWEEP_AT - 1 {
                upgraded.retain(|_, cut| cut.strong_count() > 0);
            }
            upgraded.insert(sid, cut);
        }
        response
    }

    /// Sets what answers requests for Socket.IO, so that sessions can be closed through it.
    pub(crate) fn close_through(&self, engine: Engine) {
        // Set once, when the router is made.
        let _ = self.engine.set(engine);
    }

    /// Cuts the transport of a socket. Its client sees a broken connection, which stock clients come back from by
    /// themselves. Does nothing if it is broken already.
    pub(crate) fn cut(&self, line: &Line) {
        if let Some(websocket) = &line.websocket {
            if let Some(cut) = websocket.upgrade() {
                cut.cancel();
            }
            return;
        }
        let upgraded = self.upgraded.lock().expect("no thread panics while it holds the connections").remove(&line.sid);
        if let Some(cut) = upgraded.and_then(|cut| cut.upgrade()) {
            cut.cancel();
        }
        self.close_session(line.sid.clone());
    }

    /// Closes the session of a client that polls, as it would do so itself: Engine.IO offers the server no other way.
    /// Its next poll is answered that the session is unknown. One that is carried by a WebSocket refuses this.
    fn close_session(&self, sid: String) {
        let Some(engine) = self.engine.get().cloned() else { return };
        tokio::spawn(async move {
            let close = Request::post(format!("/socket.io/?EIO=4&transport=polling&sid={sid}"))
                .header(header::CONTENT_TYPE, "text/plain;charset=UTF-8")
                .body(Body::from("1"))
                .expect("a session's id makes an address");
            let Ok(answer) = engine.oneshot(close).await;
            tracing::trace!(status = answer.status().as_u16(), "a session was asked to close");
        });
    }
}

/// `transport` and `sid` of an address of Engine.IO.
pub(crate) fn engine_query(uri: &Uri) -> (Option<&str>, Option<&str>) {
    let query = uri.query().unwrap_or_default();
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    (value("transport"), value("sid"))
}

/// A stream that fails once it is cut.
pub(crate) struct Stream {
    tcp: TcpStream,
    /// The only strong one: what outlives the connection holds weak ones.
    cut: Arc<CancellationToken>,
    is_cut: Pin<Box<WaitForCancellationFutureOwned>>,
    done: bool,
    /// Counted among the connections for as long as it is open, as a WebSocket too.
    _place: Place,
}

impl Stream {
    pub(crate) fn new(tcp: TcpStream, place: Place) -> Self {
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::trace!(%error, "no TCP_NODELAY");
        }
        let cut = Arc::new(CancellationToken::new());
        let is_cut = Box::pin(CancellationToken::clone(&cut).cancelled_owned());
        Self { tcp, cut, is_cut, done: false, _place: place }
    }

    /// Waits until the client has sent something.
    pub(crate) async fn first_byte(&self) -> io::Result<()> {
        self.tcp.peek(&mut [0]).await.map(drop)
    }

    /// Who is at the other end, as far as the connection tells.
    pub(crate) fn peer(&self, address: SocketAddr) -> Peer {
        Peer { client: address.ip().to_canonical(), cut: Arc::downgrade(&self.cut) }
    }
}

impl Stream {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if !self.done {
            self.done = self.is_cut.as_mut().poll(context).is_ready();
        }
        if self.done { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.tcp).poll_read(context, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.tcp).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware::from_fn, routing::get};
    use tower::ServiceExt;

    use super::*;

    async fn remembered_after(status: StatusCode, sid: &str) -> usize {
        let cuts = Arc::new(Cuts::default());
        let layer = Arc::clone(&cuts);
        let router = Router::new()
            .route("/", get(move || async move { status }))
            .layer(from_fn(move |request, next| Arc::clone(&layer).remember(request, next)));
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = format!("/?EIO=4&transport=websocket&sid={sid}").parse().unwrap();
        let client = IpAddr::from([127, 0, 0, 1]);
        request.extensions_mut().insert(ConnectInfo(Peer { client, cut: Weak::new() }));
        router.oneshot(request).await.unwrap();
        let upgraded = cuts.upgraded.lock().unwrap();
        upgraded.len()
    }

    #[tokio::test]
    async fn only_an_upgrade_that_was_agreed_to_is_remembered() {
        assert_eq!(remembered_after(StatusCode::BAD_REQUEST, "made-up").await, 0);
        assert_eq!(remembered_after(StatusCode::OK, "made-up").await, 0);
        assert_eq!(remembered_after(StatusCode::SWITCHING_PROTOCOLS, &"x".repeat(65)).await, 0);
        assert_eq!(remembered_after(StatusCode::SWITCHING_PROTOCOLS, "AAAAAAAAAAAAAAAA").await, 1);
    }
}
