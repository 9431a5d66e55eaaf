//! Taking one file out of a multipart body: foreign bytes from the first to the last. Of what surrounds it this file
//! needs a folder to write to and a limit, so that it can be fuzzed as it is.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{
        DefaultBodyLimit, FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    http::{header, request::Parts},
};
use bytes::BytesMut;
use parley_domain::clean_file_name;
use parley_protocol::Code;
use sha2::{Digest, Sha256};

use super::{
    body::Source,
    files::{self, Files, Slot},
    media_type::{self, Sniffer},
};
use crate::problem::{Outcome, Refusal};

/// What may stand around the file in a multipart body: headers, boundaries, small fields.
const AROUND_BYTES: u64 = 64 * 1024;
/// What is written at once.
const PIECE_BYTES: usize = 256 * 1024;
/// A body that says nothing for so long has stalled.
const IDLE: Duration = Duration::from_secs(30);
/// The largest file over a bad mobile line takes less.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// An image of so many pixels takes 200 MB once it is decoded; cameras make less.
const MAX_PIXELS: u64 = 50_000_000;

/// A field named `file` with a file name, of whatever type it says.
const FIELD: &str = "file";

/// A file as it came in.
pub(super) struct Received {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) sha256: [u8; 32],
    pub(super) media_type: &'static str,
}

/// Takes the file in, into the place that `slot` gives: a check that comes before the first byte. When this answers the
/// file is on disk; when it refuses nothing is left of it. A file has at most `max` bytes.
pub(super) async fn take_in(
    files: &Files,
    slot: impl Future<Output = Outcome<Slot>>,
    request: Request,
    max: u64,
) -> Outcome<(Slot, Received)> {
    let (parts, body) = request.into_parts();
    let source = Source::new(body);
    let outcome = async {
        let declared = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: u64| length > max.saturating_add(AROUND_BYTES)) {
            return Err(too_large(max));
        }
        let slot = slot.await?;
        source.allow(AROUND_BYTES);
        let parts = parser(parts, source.paced()).await?;
        let reception = Reception { files, slot: &slot, source: &source, max };
        let received = match tokio::time::timeout(LONGEST, reception.take(parts)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Refusal::new(Code::Malformed, "The upload took too long.")),
        };
        match received {
            Ok(received) => Ok((slot, received)),
            Err(refusal) => {
                // The file may have been whole already.
                files.remove(slot.id).await;
                Err(refusal)
            }
        }
    }
    .await;
    // A body that stalled or broke off has nothing left to be read.
    if outcome.as_ref().is_err_and(|refusal: &Refusal| refusal.code() != Code::Malformed) {
        source.drain().await;
    }
    outcome
}

async fn parser(parts: Parts, body: Body) -> Outcome<Multipart> {
    let mut request = Request::from_parts(parts, body);
    DefaultBodyLimit::disable().apply(&mut request);
    Multipart::from_request(request, &()).await.map_err(|_| {
        Refusal::new(Code::UnsupportedMediaType, "Send the file as multipart/form-data, in a field named file.")
    })
}

fn too_large(max: u64) -> Refusal {
    Refusal::new(Code::PayloadTooLarge, format!("A file has at most {max} bytes."))
}

/// One upload under way.
struct Reception<'a> {
    files: &'a Files,
    slot: &'a Slot,
    source: &'a Source,
    max: u64,
}

impl Reception<'_> {
    async fn take(&self, mut parts: Multipart) -> Outcome<Received> {
        let mut found = None;
        while let Some(field) = self.next(parts.next_field()).await? {
            if field.name() != Some(FIELD) {
                // Small fields are none of ours; what is large is refused by what may stand around the file.
                continue;
            }
            if found.is_some() {
                return Err(Refusal::invalid("/file", "stands there twice: one file an upload"));
            }
            self.source.allow(self.max.saturating_add(AROUND_BYTES));
            found = Some(self.receive(field).await?);
            self.source.allow(AROUND_BYTES);
        }
        let missing = || Refusal::invalid("/file", "is missing: the file goes in a field of this name");
        self.bounded(found.ok_or_else(missing)?).await
    }

    /// Waits for the body, but not for one that has stalled.
    async fn next<T>(&self, step: impl Future<Output = Result<T, MultipartError>>) -> Outcome<T> {
        match tokio::time::timeout(IDLE, step).await {
            Ok(Ok(next)) => Ok(next),
            Ok(Err(_)) if self.source.is_over() => Err(too_large(self.max)),
            Ok(Err(error)) => Err(Refusal::new(Code::Malformed, format!("The body can't be read: {error}."))),
            Err(_) => Err(Refusal::new(Code::Malformed, "The upload has stalled.")),
        }
    }

    /// Writes the file piece by piece. Whatever goes wrong, the unfinished file goes with its writer.
    async fn receive(&self, mut field: Field<'_>) -> Outcome<Received> {
        let name = clean_file_name(&unescaped(field.file_name().unwrap_or_default()));
        let mut file = self.files.create(self.slot.id).await?;
        let (mut sniffer, mut hash, mut size) = (Sniffer::new(), Sha256::new(), 0_u64);
        let mut waiting = BytesMut::new();
        while let Some(piece) = self.next(field.chunk()).await? {
            size += piece.len() as u64;
            if size > self.max {
                return Err(too_large(self.max));
            }
            sniffer.see(&piece);
            hash.update(&piece);
            waiting.extend_from_slice(&piece);
            if waiting.len() >= PIECE_BYTES {
                files::put(&mut *file, waiting.split().freeze()).await?;
            }
        }
        if size == 0 {
            return Err(Refusal::invalid("/file", "is empty"));
        }
        if !waiting.is_empty() {
            files::put(&mut *file, waiting.freeze()).await?;
        }
        files::complete(&mut *file).await?;
        Ok(Received { name, size, sha256: hash.finalize().into(), media_type: sniffer.media_type() })
    }

    /// Refuses an image that whoever decodes it would suffer from.
    async fn bounded(&self, mut received: Received) -> Outcome<Received> {
        if media_type::is_image(received.media_type) {
            match self.files.image_size(self.slot.id).await? {
                Some((width, height)) if width.saturating_mul(height) > MAX_PIXELS => {
                    let message = format!("is an image of {width} × {height}; at most {MAX_PIXELS} pixels are taken");
                    return Err(Refusal::invalid("/file", message));
                }
                Some(_) => {}
                // Nobody should try to show what doesn't even tell its size.
                None => received.media_type = media_type::UNKNOWN,
            }
        }
        Ok(received)
    }
}

/// Browsers write these three characters of a file name so (the form-data encoding of the HTML standard).
fn unescaped(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "").replace("%0A", "")
}
