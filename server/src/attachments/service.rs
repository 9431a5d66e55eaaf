//! Taking files in and giving them out.

use std::time::Duration;

use axum::{
    extract::{
        FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    http::header,
};
use bytes::BytesMut;
use parley_domain::{Attachment, AttachmentId, UserId, clean_file_name};
use parley_protocol::Code;
use parley_store::{NewAttachment, UnsentQuota};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    body::Source,
    files::{self, Slot},
    links,
    media_type::{self, Sniffer},
};
use crate::{
    auth::caller::Caller,
    limits::Kind,
    problem::{Outcome, Refusal},
    state::AppState,
};

/// What may stand around the file in a multipart body: headers, boundaries, small fields.
const AROUND_BYTES: u64 = 64 * 1024;
/// What is written at once.
const PIECE_BYTES: usize = 256 * 1024;
/// A body that says nothing for so long has stalled.
const IDLE: Duration = Duration::from_secs(30);
/// The largest file over a bad mobile line takes less.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// What one person may have waiting: several messages full of files.
const MAX_UNSENT_FILES: u32 = 50;
const MAX_UNSENT_BYTES: i64 = 512 * 1024 * 1024;
/// An image of so many pixels takes 200 MB once it is decoded; cameras make less.
const MAX_PIXELS: u64 = 50_000_000;

/// A field named `file` with a file name, of whatever type it says.
const FIELD: &str = "file";

/// Takes one file out of a multipart body. When this answers it is on disk; when it refuses nothing is left.
pub(crate) async fn upload(app: &AppState, caller: &Caller, request: Request) -> Outcome<Attachment> {
    app.limits.take_for(Kind::Upload, caller.id())?;
    let max = app.config.max_upload_bytes;
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let (parts, body) = request.into_parts();
    let source = Source::new(body);
    let received = async {
        if declared.is_some_and(|length: u64| length > max.saturating_add(AROUND_BYTES)) {
            return Err(too_large(max));
        }
        let unsent = app.store.unsent_attachments(caller.id()).await?;
        if !quota().has_room(unsent, 1) {
            return Err(quota_exceeded());
        }
        let slot = app.files.begin(AttachmentId(Uuid::now_v7()), caller.id())?;
        source.allow(AROUND_BYTES);
        let mut request = Request::from_parts(parts, source.paced());
        axum::extract::DefaultBodyLimit::disable().apply(&mut request);
        let parts = Multipart::from_request(request, app).await.map_err(|_| {
            Refusal::new(Code::UnsupportedMediaType, "Send the file as multipart/form-data, in a field named file.")
        })?;
        let reception = Reception { app, slot, source: &source, max };
        match tokio::time::timeout(LONGEST, reception.run(parts, caller.id())).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Refusal::new(Code::Malformed, "The upload took too long.")),
        }
    };
    let outcome = received.await;
    // A body that stalled or broke off has nothing left to be read.
    if outcome.as_ref().is_err_and(|refusal| refusal.code() != Code::Malformed) {
        source.drain().await;
    }
    let mut attachment = outcome?;
    links::sign(app, caller.id(), &mut attachment);
    Ok(attachment)
}

fn quota() -> UnsentQuota {
    UnsentQuota { files: MAX_UNSENT_FILES, bytes: MAX_UNSENT_BYTES }
}

pub(crate) fn quota_exceeded() -> Refusal {
    let message = format!(
        "is one too many: at most {MAX_UNSENT_FILES} files and {} MiB wait to be sent; send some first",
        MAX_UNSENT_BYTES / 1024 / 1024
    );
    Refusal::invalid("/file", message)
}

fn too_large(max: u64) -> Refusal {
    Refusal::new(Code::PayloadTooLarge, format!("A file has at most {max} bytes."))
}

/// One upload under way.
struct Reception<'a> {
    app: &'a AppState,
    slot: Slot,
    source: &'a Source,
    max: u64,
}

/// A file as it came in.
struct Received {
    size: u64,
    sha256: [u8; 32],
    media_type: &'static str,
}

impl Reception<'_> {
    async fn run(self, parts: Multipart, uploader: UserId) -> Outcome<Attachment> {
        let outcome = self.take(parts, uploader).await;
        if outcome.is_err() {
            // The file may have been whole already.
            self.app.files.remove(self.slot.id).await;
        }
        outcome
    }

    async fn take(&self, mut parts: Multipart, uploader: UserId) -> Outcome<Attachment> {
        let mut found = None;
        while let Some(field) = self.next(parts.next_field()).await? {
            if field.name() != Some(FIELD) {
                // Small fields are none of ours; what is large is refused by what may stand around the file.
                continue;
            }
            if found.is_some() {
                return Err(Refusal::invalid("/file", "stands there twice: one file an upload"));
            }
            let name = clean_file_name(&unescaped(field.file_name().unwrap_or_default()));
            self.source.allow(self.max.saturating_add(AROUND_BYTES));
            let received = self.receive(field).await?;
            self.source.allow(AROUND_BYTES);
            found = Some((name, received));
        }
        let missing = || Refusal::invalid("/file", "is missing: the file goes in a field of this name");
        let (name, received) = found.ok_or_else(missing)?;
        self.note(uploader, name, received).await
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
        let mut file = self.app.files.create(self.slot.id).await?;
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
        Ok(Received { size, sha256: hash.finalize().into(), media_type: sniffer.media_type() })
    }

    async fn note(&self, uploader: UserId, name: String, received: Received) -> Outcome<Attachment> {
        let mut media_type = received.media_type;
        if media_type::is_image(media_type) {
            match self.app.files.image_size(self.slot.id).await? {
                Some((width, height)) if width.saturating_mul(height) > MAX_PIXELS => {
                    let message = format!("is an image of {width} × {height}; at most {MAX_PIXELS} pixels are taken");
                    return Err(Refusal::invalid("/file", message));
                }
                Some(_) => {}
                // Nobody should try to show what doesn't even tell its size.
                None => media_type = media_type::UNKNOWN,
            }
        }
        let new = NewAttachment {
            id: self.slot.id,
            uploader,
            name,
            size: i64::try_from(received.size).map_err(Refusal::internal)?,
            media_type: media_type.to_owned(),
            sha256: received.sha256,
            quota: quota(),
        };
        Ok(self.app.store.create_attachment(new, self.app.now()).await?)
    }
}

/// Browsers write these three characters of a file name so (the form-data encoding of the HTML standard).
fn unescaped(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "").replace("%0A", "")
}

/// A file that this person may see.
pub(crate) async fn find(app: &AppState, reader: UserId, id: AttachmentId) -> Outcome<Attachment> {
    Ok(app.store.attachment(reader, id).await?)
}
