//! Taking files in and giving them out.

use axum::extract::Request;
use parley_domain::{Attachment, AttachmentId, UserId};
use parley_store::{NewAttachment, UnsentQuota};
use uuid::Uuid;

use super::{
    links,
    reception::{self, Received},
};
use crate::{
    auth::caller::Caller,
    limits::Kind,
    problem::{Outcome, Refusal},
    state::AppState,
};

/// What one person may have waiting: several messages full of files.
const MAX_UNSENT_FILES: u32 = 50;
const MAX_UNSENT_BYTES: i64 = 512 * 1024 * 1024;

/// Takes one file out of a multipart body. When this answers it is on disk; when it refuses nothing is left.
pub(crate) async fn upload(app: &AppState, caller: &Caller, request: Request) -> Outcome<Attachment> {
    app.limits.take_for(Kind::Upload, caller.id())?;
    let slot = async {
        let unsent = app.store.unsent_attachments(caller.id()).await?;
        if !quota().has_room(unsent, 1) {
            return Err(quota_exceeded());
        }
        app.files.begin(AttachmentId(Uuid::now_v7()), caller.id())
    };
    let (slot, received) = reception::take_in(&app.files, slot, request, app.config.max_upload_bytes).await?;
    let mut attachment = match note(app, slot.id, caller.id(), received).await {
        Ok(attachment) => attachment,
        Err(refusal) => {
            app.files.remove(slot.id).await;
            return Err(refusal);
        }
    };
    links::sign(app, caller.id(), &mut attachment);
    Ok(attachment)
}

async fn note(app: &AppState, id: AttachmentId, uploader: UserId, received: Received) -> Outcome<Attachment> {
    let new = NewAttachment {
        id,
        uploader,
        name: received.name,
        size: i64::try_from(received.size).map_err(Refusal::internal)?,
        media_type: received.media_type.to_owned(),
        sha256: received.sha256,
        quota: quota(),
    };
    Ok(app.store.create_attachment(new, app.now()).await?)
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

/// A file that this person may see.
pub(crate) async fn find(app: &AppState, reader: UserId, id: AttachmentId) -> Outcome<Attachment> {
    Ok(app.store.attachment(reader, id).await?)
}
