//! The body of an upload on its way to the multipart parser. The parser takes in whatever has arrived before it looks
//! at it, and waits for the end of a part's headers however long they are, so it is given one piece at a time and no
//! more than its caller expects.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};

/// What of a refused upload is read and thrown away, so that its sender sees the answer instead of a broken line.
const DRAIN_BYTES: u64 = 64 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// So much is given at once. What arrives together may hold the head of a part and all of its file, and how much may
/// come is only said once the head was read.
const PIECE_BYTES: usize = 16 * 1024;

/// The body, whoever reads it.
#[derive(Clone)]
pub(super) struct Source(Arc<Shared>);

struct Shared {
    stream: Mutex<BodyDataStream>,
    /// How many bytes may still come.
    left: AtomicU64,
    is_over: AtomicBool,
}

impl Source {
    pub(super) fn new(body: Body) -> Self {
        let stream = Mutex::new(body.into_data_stream());
        Self(Arc::new(Shared { stream, left: AtomicU64::new(0), is_over: AtomicBool::new(false) }))
    }

    /// So many bytes may come from here on.
    pub(super) fn allow(&self, bytes: u64) {
        self.0.left.store(bytes, Ordering::Relaxed);
    }

    /// Whether more came than was allowed.
    pub(super) fn is_over(&self) -> bool {
        self.0.is_over.load(Ordering::Relaxed)
    }

    /// The body for the parser.
    pub(super) fn paced(&self) -> Body {
        Body::from_stream(Paced { source: self.clone(), has_given: false, rest: Bytes::new() })
    }

    /// Reads what is left and throws it away, within reason.
    pub(super) async fn drain(&self) {
        self.0.is_over.store(false, Ordering::Relaxed);
        self.allow(DRAIN_BYTES);
        let mut rest = Paced { source: self.clone(), has_given: false, rest: Bytes::new() };
        let all = async { while let Some(Ok(_)) = rest.next().await {} };
        if tokio::time::timeout(DRAIN_TIME, all).await.is_err() {
            tracing::debug!("a refused upload goes on and on");
        }
    }
}

/// Gives one piece at a time: after each it is not ready once, so that whoever takes in all that is ready stops.
struct Paced {
    source: Source,
    has_given: bool,
    /// What of the last piece has not been given yet.
    rest: Bytes,
}

impl Stream for Paced {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.has_given) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let shared = Arc::clone(&self.source.0);
        if self.rest.is_empty() {
            let next = shared.stream.lock().expect("no thread panics while it reads a body").poll_next_unpin(context);
            self.rest = match next {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                Poll::Ready(Some(Ok(piece))) => piece,
            };
        }
        let most = self.rest.len().min(PIECE_BYTES);
        let piece = self.rest.split_to(most);
        let Some(left) = shared.left.load(Ordering::Relaxed).checked_sub(piece.len() as u64) else {
            shared.is_over.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(io::Error::other("more than was allowed"))));
        };
        shared.left.store(left, Ordering::Relaxed);
        self.has_given = true;
        Poll::Ready(Some(Ok(piece)))
    }
}
