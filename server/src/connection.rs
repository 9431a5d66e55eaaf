//! Connections that can be cut from the inside. A socket that has lost a packet must reconnect, and a Socket.IO
//! disconnect can't tell it so: the packet would have to go through the very queue that is full, and stock clients do
//! not come back after one. Cutting the transport makes every client come back by itself. A WebSocket's transport is
//! its TCP connection; a polling client has a new one whenever it likes, so its session is condemned instead: its next
//! request ends the session and is answered like any other of an unknown session.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, Weak},
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, connect_info::Connected},
    http::{Method, StatusCode, Uri},
    middleware::Next,
    response::Response,
    serve::IncomingStream,
};
use socketioxide::{TransportType, adapter::LocalAdapter, socket::Socket};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Who is at the other end of a request, and the means to cut the connection that it came on.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    cut: Weak<CancellationToken>,
}

/// What it takes to cut a socket: which connection carries those that began by polling and were upgraded to a WebSocket
/// later (the socket itself only knows the request that it began with), and which polling ones are condemned.
#[derive(Default)]
pub(crate) struct Cuts {
    upgraded: Mutex<HashMap<String, Weak<CancellationToken>>>,
    condemned: Mutex<HashMap<String, Weak<Socket<LocalAdapter>>>>,
}

/// Forgotten connections are swept out when there are so many.
const SWEEP_AT: usize = 1024;
/// Engine.IO's ids have 16 characters; nothing much longer is one.
const MAX_SID_CHARS: usize = 64;
/// Engine.IO's packet by which a client says that it goes.
const CLOSE_PACKET: &str = "1";

impl Cuts {
    /// Around the Socket.IO layer: carries out the sentence on condemned sessions, and remembers the connection of an
    /// upgrade once the layer has agreed to it (what anybody may send must not fill the memory).
    pub(crate) async fn watch(self: Arc<Self>, request: Request, next: Next) -> Response {
        let (transport, sid) = engine_query(request.uri());
        let Some(sid) = sid.filter(|sid| sid.len() <= MAX_SID_CHARS).map(str::to_owned) else {
            return next.run(request).await;
        };
        let upgrade = match (transport, request.extensions().get::<ConnectInfo<Peer>>()) {
            (Some("websocket"), Some(peer)) => Some(peer.0.cut.clone()),
            _ => None,
        };
        if self.condemned().remove(&sid).is_some() {
            next.clone().run(farewell(request.uri(), &sid)).await;
        }
        let response = next.run(request).await;
        if let Some(cut) = upgrade.filter(|_| response.status() == StatusCode::SWITCHING_PROTOCOLS) {
            let mut upgraded = self.upgraded();
            if upgraded.len() % SWEEP_AT == SWEEP_AT - 1 {
                upgraded.retain(|_, cut| cut.strong_count() > 0);
            }
            upgraded.insert(sid, cut);
        }
        response
    }

    /// Makes the client of a socket reconnect.
    pub(crate) fn cut(&self, socket: &Arc<Socket<LocalAdapter>>) {
        let parts = socket.req_parts();
        if engine_query(&parts.uri).0 == Some("websocket") {
            if let Some(cut) = parts.extensions.get::<ConnectInfo<Peer>>().and_then(|peer| peer.0.cut.upgrade()) {
                cut.cancel();
            }
            return;
        }
        // One that is just being upgraded loses the new connection, and polls once more.
        let sid = socket.id.to_string();
        if let Some(cut) = self.upgraded().remove(&sid).and_then(|cut| cut.upgrade()) {
            cut.cancel();
        }
        if socket.transport_type() == TransportType::Polling {
            let mut condemned = self.condemned();
            if condemned.len() % SWEEP_AT == SWEEP_AT - 1 {
                condemned.retain(|_, socket| socket.strong_count() > 0);
            }
            condemned.insert(sid, Arc::downgrade(socket));
        }
    }

    fn upgraded(&self) -> MutexGuard<'_, HashMap<String, Weak<CancellationToken>>> {
        self.upgraded.lock().expect("no thread panics while it holds the connections")
    }

    fn condemned(&self) -> MutexGuard<'_, HashMap<String, Weak<Socket<LocalAdapter>>>> {
        self.condemned.lock().expect("no thread panics while it holds the condemned")
    }
}

/// What a polling client would send to say goodbye: it alone closes a session whose queue is full.
fn farewell(uri: &Uri, sid: &str) -> Request {
    let mut request = Request::new(Body::from(CLOSE_PACKET));
    *request.method_mut() = Method::POST;
    let uri = format!("{}?EIO=4&transport=polling&sid={sid}", uri.path());
    // It was part of an address a moment ago.
    if let Ok(uri) = uri.parse() {
        *request.uri_mut() = uri;
    }
    request
}

fn engine_query(uri: &Uri) -> (Option<&str>, Option<&str>) {
    let query = uri.query().unwrap_or_default();
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    (value("transport"), value("sid"))
}

/// Accepts connections that can be cut.
pub(crate) struct Listener(pub(crate) TcpListener);

/// A stream that fails once it is cut.
pub(crate) struct Stream {
    tcp: TcpStream,
    /// The only strong one: what outlives the connection holds weak ones.
    _cut: Arc<CancellationToken>,
    is_cut: Pin<Box<WaitForCancellationFutureOwned>>,
    done: bool,
}

impl axum::serve::Listener for Listener {
    type Io = Stream;
    type Addr = Peer;

    async fn accept(&mut self) -> (Stream, Peer) {
        let (tcp, address) = axum::serve::Listener::accept(&mut self.0).await;
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::trace!(%error, "no TCP_NODELAY");
        }
        let cut = Arc::new(CancellationToken::new());
        let peer = Peer { address, cut: Arc::downgrade(&cut) };
        let is_cut = Box::pin(CancellationToken::clone(&cut).cancelled_owned());
        (Stream { tcp, _cut: cut, is_cut, done: false }, peer)
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { address: self.0.local_addr()?, cut: Weak::new() })
    }
}

impl Connected<IncomingStream<'_, Listener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.remote_addr().clone()
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
    use axum::{Router, middleware::from_fn, routing::get};
    use tower::ServiceExt;

    use super::*;

    async fn remembered_after(status: StatusCode, sid: &str) -> usize {
        let cuts = Arc::new(Cuts::default());
        let layer = Arc::clone(&cuts);
        let router = Router::new()
            .route("/", get(move || async move { status }))
            .layer(from_fn(move |request, next| Arc::clone(&layer).watch(request, next)));
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = format!("/?EIO=4&transport=websocket&sid={sid}").parse().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        request.extensions_mut().insert(ConnectInfo(Peer { address, cut: Weak::new() }));
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
