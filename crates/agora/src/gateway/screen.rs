//! Our shared screen: a participant of its own that sends pictures and receives nothing.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    connection::{Connection, Receiving},
    error::GatewayError,
    events::{Event, Track},
    outgoing::VideoOut,
    service::Service,
    shared::Shared,
    tracks::Prefer,
};
use crate::{
    codes::{ChangedReason, ErrorCode},
    course::{BEAT, JOIN_LIMIT},
};

/// Before it tries again, and twice as long each time …
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A screen that is being shared, while it lives.
pub(crate) struct ScreenShare {
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Why the screen is out of the channel.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Refused(#[from] GatewayError),
    #[error("{0}")]
    Told(ChangedReason),
    #[error("{0}")]
    Error(ErrorCode),
    #[error("no answer in time")]
    TimedOut,
    #[error("its token is past its time")]
    TokenExpired,
    #[error("the server gave no pass for a screen")]
    NoPass,
}

impl ScreenShare {
    /// Shares what the engine wants shared, in that channel.
    pub(crate) fn start(service: Arc<Service>, channel: String, shared: Arc<Shared>) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, of_join) = (Arc::clone(&stop), Arc::clone(&shared));
        let thread = Builder::new().name("agora-screen".to_owned()).spawn(move || {
            let sharing = Sharing { service, channel, shared: of_join, stop: stopped };
            sharing.run();
        })?;
        Ok(Self { shared, stop, thread: Some(thread) })
    }
}

impl Drop for ScreenShare {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.shared.screen_events.wake();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that shares the screen panicked");
        }
    }
}

struct Sharing {
    service: Arc<Service>,
    channel: String,
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
}

impl Sharing {
    fn run(&self) {
        let (mut pause, mut began) = (FIRST_PAUSE, Instant::now());
        while let Err(ended) = self.share() {
            if began.elapsed() > LONGEST_PAUSE {
                // It was shared in between.
                pause = FIRST_PAUSE;
            }
            tracing::warn!(%ended, "the screen is not shared for now");
            let (until, pass) = (Instant::now() + pause, self.shared.wanted().pass);
            pause = (pause * 2).min(LONGEST_PAUSE);
            // Another pass may be what it needs.
            while !self.is_stopped() && Instant::now() < until && self.shared.wanted().pass == pass {
                self.shared.screen_events.next(until);
            }
            began = Instant::now();
        }
    }

    /// Until it is no longer wanted.
    fn share(&self) -> Result<(), Ended> {
        let events = &self.shared.screen_events;
        events.clear();
        if self.is_stopped() {
            return Ok(());
        }
        let mut pass = self.shared.wanted().pass.ok_or(Ended::NoPass)?;
        let receiving = Receiving { events: Arc::clone(events), ..Receiving::default() };
        let mut connection = Connection::open(&self.service, receiving)?;
        connection.connect(&pass.token, &self.channel, pass.uid.get())?;
        let give_up = Instant::now() + JOIN_LIMIT;
        let (mut out, mut is_in) = (VideoOut::new(Prefer::Sharpness, Arc::clone(events)), false);
        while !self.is_stopped() {
            let event = events.next(Instant::now() + BEAT);
            let now = Instant::now();
            match event {
                Some(Event::Connected) => is_in = true,
                Some(Event::Disconnected(reason) | Event::Failed(reason)) => return Err(Ended::Told(reason)),
                Some(Event::TokenExpired) => return Err(Ended::TokenExpired),
                Some(Event::Error(code @ (ErrorCode::TokenExpired | ErrorCode::InvalidToken))) => {
                    return Err(Ended::Error(code));
                }
                Some(Event::Published(Track::Video)) => out.on_published(now),
                Some(Event::PublishFailed(Track::Video, code)) => {
                    tracing::warn!(%code, "the screen's pictures were refused");
                    out.on_refused(&mut connection, now);
                }
                _ => {}
            }
            if !is_in && now >= give_up {
                return Err(Ended::TimedOut);
            }
            let wanted = self.shared.wanted();
            if is_in {
                out.tend(&mut connection, wanted.screen.as_ref(), now);
            }
            if let Some(next) = wanted.pass.filter(|next| is_in && next.token != pass.token) {
                connection.renew_token(&next.token)?;
                pass = next;
            }
        }
        // The pump ends before the connection on every way out: it is declared after it.
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire) || self.shared.is_stopped()
    }
}
