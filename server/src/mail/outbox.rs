//! Sends what waits. Rows are claimed one at a time, right before each is sent: so that none is sent that a cancelled
//! meeting took back, and a second node has its share.

use std::time::Duration;

use futures_util::future::join_all;
use parley_store::{Claim, DueMail, StoreError};

use super::{
    letter,
    smtp::{Failure, Postman, Smtp},
};
use crate::state::AppState;

/// How many mails are on their way at once.
const LANES: usize = 4;
/// A row is this process's for so much longer than the mail server may take.
const LEASE_MARGIN: Duration = Duration::from_secs(60);
/// The wall clock may jump, so nothing is waited for longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// A row that can't be claimed yet must not make this spin.
const SHORTEST_WAIT: Duration = Duration::from_millis(200);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Works until it is dropped; without a mail server it waits.
pub(crate) async fn run(app: AppState) {
    let Some(smtp) = app.config.smtp.clone() else { return std::future::pending().await };
    let postman = match Postman::new(&smtp, app.config.timing.mail_patience) {
        Ok(postman) => postman,
        Err(error) => {
            tracing::error!(%error, "no mail can be sent; is there a store of trusted certificates?");
            return std::future::pending().await;
        }
    };
    let office = Office { app, smtp, postman };
    loop {
        let wait = match office.work().await {
            Ok(wait) => wait,
            Err(StoreError::Closed) => std::future::pending().await,
            Err(error) => {
                tracing::error!(%error, "mails could not be taken up");
                LONGEST_WAIT
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = office.app.mail_changed.notified() => {}
        }
    }
}

struct Office {
    app: AppState,
    smtp: Smtp,
    postman: Postman,
}

impl Office {
    /// Sends all that is due; answers how long to wait for more.
    async fn work(&self) -> Result<Duration, StoreError> {
        for lane in join_all((0..LANES).map(|_| self.drain())).await {
            lane?;
        }
        let next = self.app.store.next_mail_due_at().await?;
        Ok(next.map_or(LONGEST_WAIT, |at| at.saturating_since(self.app.now()).clamp(SHORTEST_WAIT, LONGEST_WAIT)))
    }

    async fn drain(&self) -> Result<(), StoreError> {
        // A server that stops waits for what is on its way.
        while !self.app.is_draining() {
            let _token = self.app.farewells.token();
            let lease = self.app.config.timing.mail_patience + LEASE_MARGIN;
            let claim = Claim { now: self.app.now(), lease, limit: 1 };
            let Some(mail) = self.app.store.claim_mail(claim).await? else { return Ok(()) };
            self.send(&mail).await?;
        }
        Ok(())
    }

    async fn send(&self, mail: &DueMail) -> Result<(), StoreError> {
        let now = self.app.now();
        let id = mail.id;
        if mail.expires_at <= now {
            tracing::warn!(mail = %id, user = %mail.to.id, "a mail is given up: its time is over");
            return self.app.store.finish_mail(id).await;
        }
        let letter = match letter::write(mail, &self.smtp.from, &self.app.config.timing.meeting.reminders, now) {
            Ok(letter) => letter,
            Err(error) => {
                tracing::warn!(%error, mail = %id, user = %mail.to.id, "a mail is given up");
                return self.app.store.finish_mail(id).await;
            }
        };
        match self.postman.hand_over(letter).await {
            Ok(()) => {
                tracing::debug!(mail = %id, user = %mail.to.id, "a mail was sent");
                self.app.store.finish_mail(id).await
            }
            Err(error @ Failure::Refused(_)) => {
                tracing::warn!(%error, mail = %id, user = %mail.to.id, "a mail is given up");
                self.app.store.finish_mail(id).await
            }
            Err(error) => {
                let attempts = mail.attempts;
                tracing::warn!(%error, mail = %id, user = %mail.to.id, attempts, "a mail waits for another try");
                self.app.store.delay_mail(id, self.app.now() + self.pause_after(attempts)).await
            }
        }
    }

    /// Twice as long each time.
    fn pause_after(&self, attempts: u32) -> Duration {
        let doubled = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        self.app.config.timing.mail_retry.saturating_mul(doubled).min(LONGEST_PAUSE)
    }
}
