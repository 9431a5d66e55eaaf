//! What becomes due by the wall clock: expiries and reminders. They are rows, claimed under a lease, so that a restart
//! neither loses nor doubles one.

use std::time::Duration;

use parley_domain::MeetingClosing;
use parley_store::{Claim, MeetingEnding, Retention, StoreError};

use crate::state::AppState;

/// How long claimed rows are this process's.
const LEASE: Duration = Duration::from_secs(30);
/// How many rows are taken at once.
const BATCH: u32 = 100;
/// The wall clock may jump, so nothing is waited for longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// A row that can't be claimed yet (another holds its lease) must not make this spin.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);
/// How often old rows are swept out.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// Works until it is dropped.
pub(crate) async fn run(app: AppState) {
    let mut swept_at = None;
    loop {
        let wait = match work(&app).await {
            Ok(wait) => wait,
            // Nothing is due any more; `/health/ready` tells that the store is gone.
            Err(StoreError::Closed) => std::future::pending().await,
            Err(error) => {
                tracing::error!(%error, "what is due could not be done");
                LONGEST_WAIT
            }
        };
        if swept_at.is_none_or(|at: tokio::time::Instant| at.elapsed() >= SWEEP_EVERY) {
            if let Err(error) = app.store.sweep(Retention::default(), app.now()).await {
                tracing::error!(%error, "old rows could not be swept out");
            }
            swept_at = Some(tokio::time::Instant::now());
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.due_changed.notified() => {}
        }
    }
}

async fn work(app: &AppState) -> Result<Duration, StoreError> {
    let claim = Claim { now: app.now(), lease: LEASE, limit: BATCH };
    for meeting in app.store.claim_expired_meetings(claim).await? {
        let ending = MeetingEnding { meeting, closing: MeetingClosing::Expired };
        // Once only: the end of the lease brings the row back, and the others must not wait for this one.
        if let Err(error) = app.store.end_meeting(ending, app.now()).await {
            tracing::error!(%error, %meeting, "a meeting could not be closed");
        }
    }
    // The commit of the claim publishes them, and whoever emitted them says that they are done.
    app.store.claim_reminders(claim).await?;
    let next = app.store.next_due_at().await?;
    Ok(next.map_or(LONGEST_WAIT, |at| at.saturating_since(app.now()).clamp(SHORTEST_WAIT, LONGEST_WAIT)))
}
