//! The bytes of uploads, each under its id: a folder of the data directory by default, whatever `object_store` reaches
//! behind the same calls. What was kept is on disk: the store is told to sync files and their folder.

use std::{
    collections::HashMap,
    error::Error as _,
    fs, io,
    io::BufReader,
    ops::Range,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use object_store::{
    Error, GetOptions, GetRange, GetResultPayload, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload,
    local::LocalFileSystem, path::Path,
};
use parley_domain::{AttachmentId, Timestamp, UserId};
use parley_protocol::Code;

use crate::{
    problem::{Outcome, Refusal},
    secrets::create_private_dir,
};

/// So many uploads run at the same time: each holds a piece in memory and a file open.
const MAX_RUNNING: usize = 32;
/// So many of one person.
const MAX_RUNNING_EACH: usize = 4;
/// How much of an image is read for its size, where the store is not a folder.
const IMAGE_HEAD_BYTES: u64 = 1024 * 1024;

/// Keeps and gives back the bytes.
pub(crate) struct Files {
    store: Arc<dyn ObjectStore>,
    /// Where the store's unfinished files lie.
    folder: PathBuf,
    running: Arc<Mutex<HashMap<AttachmentId, UserId>>>,
}

/// The right to upload one file. What is under its id is not swept away while it lasts.
pub(super) struct Slot {
    pub(super) id: AttachmentId,
    running: Arc<Mutex<HashMap<AttachmentId, UserId>>>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        lock(&self.running).remove(&self.id);
    }
}

fn lock(running: &Mutex<HashMap<AttachmentId, UserId>>) -> MutexGuard<'_, HashMap<AttachmentId, UserId>> {
    running.lock().expect("no thread panics while it holds the running uploads")
}

impl Files {
    /// Uses that folder; makes it if need be.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        create_private_dir(&folder)?;
        let store = LocalFileSystem::new_with_prefix(&folder).map_err(io::Error::other)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folder, running: Arc::default() })
    }

    /// Begins an upload. 429 and 503 when too many run.
    pub(super) fn begin(&self, id: AttachmentId, uploader: UserId) -> Outcome<Slot> {
        let mut running = lock(&self.running);
        if running.values().filter(|other| **other == uploader).count() >= MAX_RUNNING_EACH {
            return Err(Refusal::rate_limited(1));
        }
        if running.len() >= MAX_RUNNING {
            return Err(Refusal::new(Code::Unavailable, "Too many uploads are under way; try again in a moment."));
        }
        running.insert(id, uploader);
        Ok(Slot { id, running: Arc::clone(&self.running) })
    }

    /// A new file. Dropped before it is completed it leaves nothing.
    pub(super) async fn create(&self, id: AttachmentId) -> Outcome<Box<dyn MultipartUpload>> {
        self.store.put_multipart(&place(id)).await.map_err(refusal)
    }

    /// What is in there from `range.start` up to `range.end`; `None` if nothing is kept under that id.
    pub(super) async fn read(
        &self,
        id: AttachmentId,
        range: Range<u64>,
    ) -> Outcome<Option<BoxStream<'static, Result<Bytes, Error>>>> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        match self.store.get_opts(&place(id), options).await {
            Ok(found) => Ok(Some(found.into_stream())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(refusal(error)),
        }
    }

    /// Width and height of an image, read from its headers; `None` if they can't be made out.
    pub(super) async fn image_size(&self, id: AttachmentId) -> Outcome<Option<(u64, u64)>> {
        let found = self.store.get(&place(id)).await.map_err(refusal)?;
        let size = match found.payload {
            GetResultPayload::File(file, _) => {
                let measure = move || imagesize::reader_size(BufReader::new(file)).ok();
                tokio::task::spawn_blocking(measure).await.map_err(Refusal::internal)?
            }
            _ => {
                let head = 0..found.meta.size.min(IMAGE_HEAD_BYTES);
                let head = self.store.get_range(&place(id), head).await.map_err(refusal)?;
                imagesize::blob_size(&head).ok()
            }
        };
        Ok(size.map(|size| (size.width as u64, size.height as u64)))
    }

    /// Throws the bytes away. What fails is left to the sweep.
    pub(crate) async fn remove(&self, id: AttachmentId) {
        match self.store.delete(&place(id)).await {
            Ok(()) | Err(Error::NotFound { .. }) => {}
            Err(error) => tracing::warn!(%error, attachment = %id, "a file could not be removed"),
        }
    }

    /// What was kept before that time and is not being uploaded, in no order.
    pub(super) fn kept_before(&self, before: Timestamp) -> BoxStream<'_, Result<AttachmentId, Error>> {
        let found = self.store.list(None).filter_map(move |found| async move {
            let found = match found {
                Ok(found) => found,
                Err(error) => return Some(Err(error)),
            };
            let id: AttachmentId = found.location.filename()?.parse().ok()?;
            let is_old = found.last_modified.timestamp_millis() < before.as_millis();
            (is_old && !self.is_running(id)).then_some(Ok(id))
        });
        found.boxed()
    }

    fn is_running(&self, id: AttachmentId) -> bool {
        lock(&self.running).contains_key(&id)
    }

    /// Removes what uploads left behind that a kill has cut short. Blocks.
    pub(super) fn remove_unfinished(&self) -> io::Result<u32> {
        let mut removed = 0;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            // The store writes to `NAME#1` and renames it at the end.
            let Some((id, _)) = name.to_str().and_then(|name| name.split_once('#')) else { continue };
            if id.parse().is_ok_and(|id| !self.is_running(id)) {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// A piece for [`MultipartUpload::put_part`].
pub(super) async fn put(upload: &mut dyn MultipartUpload, piece: Bytes) -> Outcome<()> {
    upload.put_part(PutPayload::from(piece)).await.map_err(refusal)
}

/// Closes the file; from here on it is on disk.
pub(super) async fn complete(upload: &mut dyn MultipartUpload) -> Outcome<()> {
    upload.complete().await.map(drop).map_err(refusal)
}

fn place(id: AttachmentId) -> Path {
    Path::from(id.to_string())
}

/// A disk that is full or can't be written passes; anything else is the server's own failure.
fn refusal(error: Error) -> Refusal {
    let mut cause = error.source();
    while let Some(source) = cause {
        let kind = source.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(
            kind,
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem)
        ) {
            tracing::error!(%error, "an upload can't be written");
            return Refusal::new(Code::Unavailable, "The server's disk can't take this file now; try again later.");
        }
        cause = source.source();
    }
    Refusal::internal(error)
}
