//! Throws away what belongs to nothing: uploads that nobody sent, bytes whose row is gone, pieces that a kill left.

use std::{sync::Arc, time::Duration};

use futures_util::TryStreamExt;
use parley_domain::AttachmentId;

use crate::{
    problem::{Outcome, Refusal},
    state::AppState,
};

/// How often.
const EVERY: Duration = Duration::from_secs(3600);
/// How long an upload waits for its message.
const UNSENT: Duration = Duration::from_secs(24 * 3600);
/// Bytes get their row right after they are on disk; younger ones are left alone all the same.
const ROWLESS: Duration = Duration::from_secs(3600);
/// How many rows are taken at once.
const BATCH: usize = 200;

/// Works until it is dropped.
pub(crate) async fn run(app: AppState) {
    loop {
        if let Err(refusal) = sweep(&app).await {
            tracing::error!(%refusal, "files could not be swept out");
        }
        tokio::time::sleep(EVERY).await;
    }
}

pub(super) async fn sweep(app: &AppState) -> Outcome<()> {
    let shared = Arc::clone(app);
    let unfinished = tokio::task::spawn_blocking(move || shared.files.remove_unfinished());
    let unfinished = unfinished.await.map_err(Refusal::internal)?.map_err(Refusal::internal)?;
    let mut unsent = 0;
    loop {
        let ids = app.store.forget_unsent_attachments(app.now() - UNSENT, BATCH as u32).await?;
        for id in &ids {
            app.files.remove(*id).await;
        }
        unsent += ids.len();
        if ids.len() < BATCH {
            break;
        }
    }
    let rowless = remove_rowless(app).await?;
    if unfinished > 0 || unsent > 0 || rowless > 0 {
        tracing::info!(unfinished, unsent, rowless, "files were swept out");
    }
    Ok(())
}

async fn remove_rowless(app: &AppState) -> Outcome<usize> {
    let mut kept = app.files.kept_before(app.now() - ROWLESS).try_chunks(BATCH);
    let mut removed = 0;
    while let Some(ids) = kept.try_next().await.map_err(Refusal::internal)? {
        let known = app.store.known_attachments(ids.clone()).await?;
        let rowless: Vec<AttachmentId> = ids.into_iter().filter(|id| !known.contains(id)).collect();
        for id in &rowless {
            app.files.remove(*id).await;
        }
        removed += rowless.len();
    }
    Ok(removed)
}
