//! Letting sockets in: a socket is authenticated before its first event, and all it needs is registered before it is
//! told that it is connected, so that nothing is lost in between.

use std::{
    fmt::Display,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, Weak, atomic::AtomicBool},
};

use axum::{
    extract::{OriginalUri, Request},
    http::HeaderValue,
    middleware::Next,
    response::{IntoResponse, Response},
};
use parley_domain::EngineKind;
use parley_protocol::Code;
use serde::Deserialize;
use socketioxide::{
    ParserConfig, SocketIo,
    adapter::LocalAdapter,
    extract::TryData,
    handler::{ConnectHandler, FromConnectParts, Value},
    socket::Socket,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::{ServiceExt, util::BoxCloneSyncService};

use super::{
    devices::{Device, MAX_DEVICES},
    presence,
    worker::{self, Enqueue},
};
use crate::{
    auth::caller::identify,
    config::Switch,
    connection::{Cuts, Engine, Line},
    limits::{EventBucket, Kind},
    problem::{Outcome, Refusal},
    state::AppState,
};

/// Packets that may wait for one socket. The default of 128 is lost in one burst; a socket that overflows this one
/// is made to reconnect.
const MAX_BUFFERED_PACKETS: usize = 4096;
/// The largest packet that is read, by polling, as a WebSocket message or as a binary attachment: a signal of 64 KiB
/// with its envelope.
const MAX_PACKET_BYTES: usize = 100_000;
/// What a WebSocket reads at once, and keeps as long as it lives. Most packets are much shorter.
const READ_BYTES: usize = 1_024;

/// What answers requests for Socket.IO, and the handle that closes it.
pub(crate) fn engine(app: &AppState, cuts: &Arc<Cuts>) -> (Engine, SocketIo) {
    // No event has an attachment.
    let parser = ParserConfig::common().max_incoming_binary_buf_size(MAX_PACKET_BYTES).max_incoming_binaries(1);
    let (engine, io) = SocketIo::builder()
        .with_parser(parser)
        .max_buffer_size(MAX_BUFFERED_PACKETS)
        .max_payload(MAX_PACKET_BYTES as u64)
        .ws_max_message_size(MAX_PACKET_BYTES)
        .ws_max_frame_size(MAX_PACKET_BYTES)
        .ws_read_buffer_size(READ_BYTES)
        .connect_timeout(app.config.timing.socket_sign_in)
        .build_svc();
    io.ns("/", Gate { app: Arc::clone(app), cuts: Arc::downgrade(cuts) });
    let engine: Engine =
        BoxCloneSyncService::new(ServiceExt::<Request>::map_response(engine, IntoResponse::into_response));
    cuts.close_through(engine.clone());
    (engine, io)
}

/// Gives a Socket.IO request copies of its address and headers, and no third one of the address. A socket keeps them as
/// long as it lives, and as hyper made them they are parts of the connection's read buffer, all 8 KiB of which would stay
/// with each socket.
pub(crate) async fn detach(mut request: Request, next: Next) -> Response {
    for value in request.headers_mut().values_mut() {
        let mut copy = HeaderValue::from_bytes(value.as_bytes()).expect("it is the value of a header already");
        copy.set_sensitive(value.is_sensitive());
        *value = copy;
    }
    *request.uri_mut() = request.uri().to_string().parse().expect("it is an address already");
    request.extensions_mut().remove::<OriginalUri>();
    next.run(request).await
}

/// `ConnectAuth` of the protocol, but with words for the engines: a newer client may have one that is not known here.
#[derive(Deserialize)]
struct Auth {
    token: String,
    #[serde(default)]
    engines: Option<Vec<String>>,
}

#[derive(Clone)]
struct Gate {
    app: AppState,
    cuts: Weak<Cuts>,
}

/// What the first half of letting in leaves for the second.
#[derive(Clone)]
struct Admitted {
    device: Arc<Device>,
    expires: Instant,
}

struct GateMarker;

impl ConnectHandler<LocalAdapter, GateMarker> for Gate {
    fn call_middleware<'a>(
        &'a self,
        socket: Arc<Socket<LocalAdapter>>,
        auth: &'a Option<Value>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Box<dyn Display + Send>>> + Send + 'a>> {
        Box::pin(async move {
            let Ok(TryData(auth)) = TryData::<Auth>::from_connect_parts(&socket, auth);
            let admitted = match auth {
                Ok(auth) => self.admit(&socket, auth).await,
                Err(_) => Err(Refusal::new(Code::Unauthenticated, "Connect with auth: { token }.")),
            };
            match admitted {
                Ok(admitted) => {
                    socket.extensions.insert(admitted);
                    Ok(())
                }
                Err(refusal) => {
                    tracing::debug!(code = refusal.code().as_str(), "a socket was refused");
                    if refusal.code() == Code::Unavailable {
                        self.send_away_for_now(&socket).await;
                    }
                    Err(Box::new(refusal.code().as_str()) as Box<dyn Display + Send>)
                }
            }
        })
    }

    fn call(&self, socket: Arc<Socket<LocalAdapter>>, _: Option<Value>) {
        let Some(Admitted { device, expires }) = socket.extensions.remove::<Admitted>() else { return };
        socket.join(format!("user_{}", device.user));
        let presence = self.app.devices.add(Arc::clone(&device));
        // The farewell of a connection that broke in this very moment may have come before the greeting.
        if device.gone.is_cancelled() {
            self.app.devices.remove(&device);
            return;
        }
        tokio::spawn(worker::run(Arc::clone(&self.app), device, presence, expires));
    }
}

impl Gate {
    /// Stock clients stay away for good after a refusal, and come back from a broken line by themselves.
    async fn send_away_for_now(&self, socket: &Socket<LocalAdapter>) {
        if let Some(cuts) = self.cuts.upgrade() {
            cuts.cut(&Line::of(socket));
        }
        // The refusal must not overtake that.
        tokio::time::sleep(self.app.config.timing.socket_farewell).await;
    }

    async fn admit(&self, socket: &Arc<Socket<LocalAdapter>>, auth: Auth) -> Outcome<Admitted> {
        let app = &self.app;
        if app.is_draining() {
            return Err(Refusal::new(Code::Unavailable, "The server is stopping."));
        }
        let (caller, claims) = identify(app, &auth.token).await?;
        app.limits.take_for(Kind::Connect, caller.id())?;
        let most = if app.config.rate_limits == Switch::On { MAX_DEVICES } else { u32::MAX };
        let seat = app.devices.seat(caller.id(), most).ok_or_else(|| Refusal::rate_limited(60))?;
        let (sender, inbox) = worker::queue(app.config.rate_limits);
        let device = Arc::new(Device {
            id: socket.id,
            user: caller.id(),
            session: caller.session,
            is_agora_ready: auth
                .engines
                .is_none_or(|engines| engines.iter().any(|word| word == EngineKind::Agora.as_str())),
            socket: Arc::downgrade(socket),
            line: Line::of(socket),
            cuts: Weak::clone(&self.cuts),
            events: app.metrics.events.clone(),
            severed: app.metrics.severed.clone(),
            seat: Mutex::new(Some(seat)),
            inbox: Mutex::new(Some(inbox)),
            gone: CancellationToken::new(),
            is_lossy: AtomicBool::new(false),
        });
        socket.on_fallback(Enqueue::new(sender, Arc::clone(&device), EventBucket::new(&app.limits)));
        let (app, leaving, farewell) = (Arc::downgrade(app), Arc::clone(&device), app.config.timing.socket_farewell);
        socket.on_disconnect(async move || {
            leaving.gone.cancel();
            if let Some(app) = app.upgrade() {
                let _token = app.farewells.token();
                presence::went(&app, &leaving).await;
            }
            // It has no business here any more, and whoever does not hang up is hung up on.
            tokio::time::sleep(farewell).await;
            leaving.cut();
        });
        let left = claims.expires_at.saturating_since(self.app.now());
        Ok(Admitted { device, expires: Instant::now() + left + self.app.config.timing.socket_grace })
    }
}
