//! Pictures to the web view: a WebSocket on the loopback interface, one viewer at a time (`protocol::frames`).
//!
//! A picture is copied once between its slot and the socket. The viewer's acknowledgements bound what is in flight,
//! so a slow viewer sees fewer pictures and never old ones.

use std::{collections::HashSet, io, net::Ipv4Addr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use parley_call::{I420Frame, LatestSlot};
use parley_protocol::frames::{FrameHeader, HEADER_LEN, Stream, WINDOW};
use serde::Deserialize;
use subtle::ConstantTimeEq;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
        protocol::{
            WebSocketConfig,
            frame::{
                Frame,
                coding::{Data, OpCode},
            },
        },
    },
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// The origins of the app's own web view: on Linux and macOS, on Windows, and on Windows with https.
const OWN_ORIGINS: [&str; 3] = ["tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"];
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(5);
/// The viewer only acknowledges and says what it sees.
const LONGEST_FROM_VIEWER: usize = 1024;

/// Which streams are looked at. Nothing is, while no viewer is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Watched {
    pub(crate) remote: bool,
    pub(crate) local: bool,
}

/// The socket, and the slots that feed it. Dropping it closes the socket.
pub(crate) struct Pictures {
    url: String,
    shared: Arc<Shared>,
    watched: watch::Receiver<Watched>,
    _accepting: AbortOnDropHandle<()>,
}

struct Shared {
    path: String,
    origins: HashSet<String>,
    remote: Arc<LatestSlot<I420Frame>>,
    local: Arc<LatestSlot<I420Frame>>,
    watched: watch::Sender<Watched>,
}

impl Pictures {
    /// Opens the socket on a free port, with a secret of 128 random bits in its path.
    ///
    /// # Errors
    /// When the loopback interface can't be listened on.
    pub(crate) async fn open(extra_origins: &[String]) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let path = format!("/{:032x}", rand::random::<u128>());
        let url = format!("ws://{}{path}", listener.local_addr()?);
        let (sender, watched) = watch::channel(Watched::default());
        let origins = OWN_ORIGINS.into_iter().map(str::to_owned).chain(extra_origins.iter().cloned()).collect();
        let shared = Arc::new(Shared {
            path,
            origins,
            remote: Arc::new(LatestSlot::new()),
            local: Arc::new(LatestSlot::new()),
            watched: sender,
        });
        let accepting = AbortOnDropHandle::new(tokio::spawn(accept(listener, Arc::clone(&shared))));
        Ok(Self { url, shared, watched, _accepting: accepting })
    }

    /// `ws://127.0.0.1:PORT/SECRET`, for our own web view only.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where the other person's pictures go.
    pub(crate) fn remote(&self) -> Arc<LatestSlot<I420Frame>> {
        Arc::clone(&self.shared.remote)
    }

    /// Where our own small pictures go (at most 640×360).
    pub(crate) fn local(&self) -> Arc<LatestSlot<I420Frame>> {
        Arc::clone(&self.shared.local)
    }

    /// Which streams are looked at, now and later.
    pub(crate) fn watched(&self) -> watch::Receiver<Watched> {
        self.watched.clone()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut current = CancellationToken::new();
    let mut viewer = None;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a viewer of pictures could not connect");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // One handshake at a time: nobody but our own window has the secret, and it opens one socket.
        let Ok(Some(socket)) = timeout(HANDSHAKE_WITHIN, handshake(stream, &shared)).await else { continue };
        current.cancel();
        current = CancellationToken::new();
        viewer = Some(AbortOnDropHandle::new(tokio::spawn(serve(
            socket,
            Arc::clone(&shared),
            viewer.take(),
            current.clone(),
        ))));
    }
}

#[allow(clippy::result_large_err, reason = "the shape is the library's")]
async fn handshake(stream: TcpStream, shared: &Shared) -> Option<WebSocketStream<TcpStream>> {
    stream.set_nodelay(true).ok()?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(LONGEST_FROM_VIEWER))
        .max_frame_size(Some(LONGEST_FROM_VIEWER));
    let admit =
        |request: &Request, response: Response| if admits(shared, request) { Ok(response) } else { Err(refusal()) };
    tokio_tungstenite::accept_hdr_async_with_config(stream, admit, Some(config)).await.ok()
}

fn admits(shared: &Shared, request: &Request) -> bool {
    let has_secret = request.uri().path().as_bytes().ct_eq(shared.path.as_bytes());
    let origin = request.headers().get("origin").and_then(|origin| origin.to_str().ok());
    bool::from(has_secret) && origin.is_some_and(|origin| shared.origins.contains(origin))
}

fn refusal() -> ErrorResponse {
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

/// What a viewer says in text.
#[derive(Deserialize)]
struct Visibility {
    stream: VisibleStream,
    visible: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum VisibleStream {
    Remote,
    Local,
}

/// Serves one viewer, once the one before it has let go of the slots.
async fn serve(
    mut socket: WebSocketStream<TcpStream>,
    shared: Arc<Shared>,
    before: Option<AbortOnDropHandle<()>>,
    superseded: CancellationToken,
) {
    if let Some(before) = before {
        before.await.ok();
    }
    let mut watched = Watched { remote: true, local: true };
    shared.watched.send_replace(watched);
    let (mut sent, mut acknowledged) = (0_u64, 0_u64);
    loop {
        let has_room = sent - acknowledged < WINDOW;
        tokio::select! {
            () = superseded.cancelled() => break,
            said = socket.next() => match said {
                Some(Ok(Message::Binary(bytes))) => {
                    // An acknowledgement of what was never sent, or of another length, is a broken viewer.
                    let Ok(sequence) = <[u8; 8]>::try_from(bytes.as_ref()).map(u64::from_le_bytes) else { break };
                    if sequence > sent { break }
                    acknowledged = acknowledged.max(sequence);
                }
                Some(Ok(Message::Text(text))) => {
                    let Ok(said) = serde_json::from_str::<Visibility>(&text) else { break };
                    match said.stream {
                        VisibleStream::Remote => watched.remote = said.visible,
                        VisibleStream::Local => watched.local = said.visible,
                    }
                    shared.watched.send_replace(watched);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
            },
            frame = shared.remote.take(), if has_room && watched.remote => {
                sent += 1;
                if send(&mut socket, Stream::Remote, sent, frame).await.is_err() { break }
            }
            frame = shared.local.take(), if has_room && watched.local => {
                sent += 1;
                if send(&mut socket, Stream::Local, sent, frame).await.is_err() { break }
            }
        }
    }
    shared.watched.send_replace(Watched::default());
    timeout(HANDSHAKE_WITHIN, socket.close(None)).await.ok();
}

/// Sends a picture as one message of two fragments (RFC 6455 §5.4), so that header and planes need not be put together.
async fn send(
    socket: &mut WebSocketStream<TcpStream>,
    stream: Stream,
    sequence: u64,
    frame: I420Frame,
) -> Result<(), tungstenite::Error> {
    let header = FrameHeader { stream, width: frame.width(), height: frame.height(), sequence, time_us: frame.time.0 };
    let header: [u8; HEADER_LEN] = header.to_bytes();
    socket.feed(Message::Frame(Frame::message(header.to_vec(), OpCode::Data(Data::Binary), false))).await?;
    let planes = Bytes::from_owner(Planes(frame));
    socket.send(Message::Frame(Frame::message(planes, OpCode::Data(Data::Continue), true))).await
}

/// A frame's bytes, kept until they are on their way.
struct Planes(I420Frame);

impl AsRef<[u8]> for Planes {
    fn as_ref(&self) -> &[u8] {
        self.0.bytes()
    }
}

#[cfg(test)]
mod tests {
    use parley_call::{FramePool, MediaTime};
    use tokio_tungstenite::{MaybeTlsStream, connect_async, tungstenite::client::IntoClientRequest};

    use super::*;

    type Viewer = WebSocketStream<MaybeTlsStream<TcpStream>>;

    async fn connect(url: &str, origin: Option<&str>) -> Result<Viewer, tungstenite::Error> {
        let mut request = url.into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        connect_async(request).await.map(|(viewer, _)| viewer)
    }

    fn frame(luma: u8) -> I420Frame {
        FramePool::new().frame(6, 4, MediaTime(u64::from(luma)), |y, u, v| {
            y.fill(luma);
            u.fill(1);
            v.fill(2);
        })
    }

    async fn next_picture(viewer: &mut Viewer) -> Vec<u8> {
        loop {
            match timeout(Duration::from_secs(10), viewer.next()).await.unwrap().unwrap().unwrap() {
                Message::Binary(bytes) => return bytes.to_vec(),
                _ => continue,
            }
        }
    }

    async fn until(pictures: &Pictures, expected: Watched) {
        let mut watched = pictures.watched();
        timeout(Duration::from_secs(10), watched.wait_for(|now| *now == expected)).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn stranger_without_the_secret_or_the_origin_is_refused() {
        let pictures = Pictures::open(&["http://127.0.0.1:4173".to_owned()]).await.unwrap();
        let wrong_path = format!("{}0", pictures.url());
        assert!(connect(&wrong_path, Some("tauri://localhost")).await.is_err());
        assert!(connect(pictures.url(), Some("https://evil.example")).await.is_err());
        assert!(connect(pictures.url(), None).await.is_err());
        assert!(connect(pictures.url(), Some("tauri://localhost")).await.is_ok());
        assert!(connect(pictures.url(), Some("http://127.0.0.1:4173")).await.is_ok());
    }

    #[tokio::test]
    async fn picture_arrives_as_header_and_planes() {
        let pictures = Pictures::open(&[]).await.unwrap();
        let mut viewer = connect(pictures.url(), Some("tauri://localhost")).await.unwrap();
        pictures.remote().put(frame(200));
        let message = next_picture(&mut viewer).await;
        let header = FrameHeader { stream: Stream::Remote, width: 6, height: 4, sequence: 1, time_us: 200 };
        assert_eq!(message[..HEADER_LEN], header.to_bytes());
        assert_eq!(&message[HEADER_LEN..], frame(200).bytes());
    }

    #[tokio::test]
    async fn slow_viewer_gets_the_window_and_then_only_the_newest() {
        let pictures = Pictures::open(&[]).await.unwrap();
        let mut viewer = connect(pictures.url(), Some("tauri://localhost")).await.unwrap();
        for luma in 1..=3 {
            pictures.remote().put(frame(luma));
            assert_eq!(next_picture(&mut viewer).await[HEADER_LEN], luma);
        }
        for luma in 4..=9 {
            pictures.remote().put(frame(luma));
        }
        viewer.send(Message::binary(1_u64.to_le_bytes().to_vec())).await.unwrap();
        let message = next_picture(&mut viewer).await;
        assert_eq!(message[HEADER_LEN], 9, "what came while the window was full is old");
        assert_eq!(message[16..24], 4_u64.to_le_bytes());
    }

    #[tokio::test]
    async fn hidden_stream_is_not_sent() {
        let pictures = Pictures::open(&[]).await.unwrap();
        let mut viewer = connect(pictures.url(), Some("tauri://localhost")).await.unwrap();
        until(&pictures, Watched { remote: true, local: true }).await;
        viewer.send(Message::text(r#"{"stream":"remote","visible":false}"#)).await.unwrap();
        until(&pictures, Watched { remote: false, local: true }).await;
        pictures.remote().put(frame(1));
        pictures.local().put(frame(2));
        assert_eq!(next_picture(&mut viewer).await[HEADER_LEN], 2);
        drop(viewer);
        until(&pictures, Watched::default()).await;
    }

    #[tokio::test]
    async fn viewer_that_speaks_nonsense_is_let_go() {
        let pictures = Pictures::open(&[]).await.unwrap();
        let nonsense = [
            Message::text("{"),
            Message::text(r#"{"stream":"other","visible":true}"#),
            Message::binary(vec![1, 2, 3]),
            Message::binary(9_u64.to_le_bytes().to_vec()),
            Message::binary(vec![0; LONGEST_FROM_VIEWER + 1]),
        ];
        for said in nonsense {
            let mut viewer = connect(pictures.url(), Some("tauri://localhost")).await.unwrap();
            viewer.send(said).await.unwrap();
            let end = timeout(Duration::from_secs(10), async { while let Some(Ok(_)) = viewer.next().await {} }).await;
            assert!(end.is_ok());
        }
    }

    #[tokio::test]
    async fn reloaded_window_takes_over() {
        let pictures = Pictures::open(&[]).await.unwrap();
        let mut first = connect(pictures.url(), Some("tauri://localhost")).await.unwrap();
        pictures.remote().put(frame(1));
        next_picture(&mut first).await;
        let mut second = connect(pictures.url(), Some("tauri://localhost")).await.unwrap();
        let end = timeout(Duration::from_secs(10), async { while let Some(Ok(_)) = first.next().await {} }).await;
        assert!(end.is_ok(), "the first viewer is told to go");
        pictures.remote().put(frame(2));
        assert_eq!(next_picture(&mut second).await[HEADER_LEN], 2);
    }
}
