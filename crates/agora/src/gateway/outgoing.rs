//! Keeps what a connection sends as it is wanted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parley_call::{AudioQueue, VideoProfile};

use super::{
    connection::Connection,
    events::Events,
    pump::{PicturePump, SeenSize, SoundPump},
    shared::Pictures,
    tracks::{AudioSender, Encoding, Prefer, VideoSender},
};

/// Before the first picture its size is a guess.
const USUAL_SIZE: (u32, u32) = (1_280, 720);
/// Pictures that are pushed before the track is published get lost (FACTS G8), so they wait for the library's word;
/// but should it never say so, they wait no longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Between two tries to publish.
const RETRY: Duration = Duration::from_secs(1);

/// Pictures on their way out.
pub(crate) struct VideoOut {
    prefer: Prefer,
    /// Woken when the pictures' size is another one.
    events: Arc<Events>,
    sending: Option<SendingVideo>,
    retry_at: Option<Instant>,
}

struct SendingVideo {
    pictures: Pictures,
    sender: Arc<VideoSender>,
    encoding: Encoding,
    size: Arc<SeenSize>,
    starts_at: Instant,
    pump: Option<PicturePump>,
}

impl VideoOut {
    pub(crate) fn new(prefer: Prefer, events: Arc<Events>) -> Self {
        Self { prefer, events, sending: None, retry_at: None }
    }

    /// Brings what is sent in line with what is wanted. For a connection that is joined.
    pub(crate) fn tend(&mut self, connection: &mut Connection, wanted: Option<&Pictures>, now: Instant) {
        match (wanted, &mut self.sending) {
            (None, None) => {}
            (None, Some(_)) => {
                // Its pump first.
                self.sending = None;
                tell("take pictures back", connection.unpublish_video());
            }
            (Some(wanted), None) => self.begin(connection, wanted, now),
            (Some(wanted), Some(sending)) => {
                if !Arc::ptr_eq(&sending.pictures.frames, &wanted.frames) {
                    sending.pump = None;
                }
                sending.pictures = wanted.clone();
            }
        }
        if let Some(sending) = &mut self.sending {
            sending.follow(connection, self.prefer);
            if sending.pump.is_none() && sending.starts_at <= now {
                sending.start(&self.events);
            }
        }
    }

    fn begin(&mut self, connection: &mut Connection, wanted: &Pictures, now: Instant) {
        if self.retry_at.is_some_and(|at| now < at) {
            return;
        }
        let encoding = encoding(wanted.profile, USUAL_SIZE, self.prefer);
        match connection.publish_video(&encoding) {
            Ok(sender) => {
                self.sending = Some(SendingVideo {
                    pictures: wanted.clone(),
                    sender,
                    encoding,
                    size: Arc::default(),
                    starts_at: now + LONGEST_WAIT,
                    pump: None,
                });
            }
            Err(error) => {
                self.retry_at = Some(now + RETRY);
                tracing::warn!(%error, "pictures are not published yet");
            }
        }
    }

    /// The library says that the track is published.
    pub(crate) fn on_published(&mut self, now: Instant) {
        self.retry_at = None;
        if let Some(sending) = &mut self.sending {
            sending.starts_at = sending.starts_at.min(now);
        }
    }

    /// The library says that it could not be: it is tried again after a pause.
    pub(crate) fn on_refused(&mut self, connection: &mut Connection, now: Instant) {
        self.retry_at = Some(now + RETRY);
        self.sending = None;
        tell("take pictures back", connection.unpublish_video());
    }

    /// Ends the pump.
    pub(crate) fn stop(&mut self) {
        self.sending = None;
    }
}

impl SendingVideo {
    /// Encodes in the size in which the pictures come.
    fn follow(&mut self, connection: &mut Connection, prefer: Prefer) {
        let size = self.size.get().unwrap_or((self.encoding.width, self.encoding.height));
        let encoding = encoding(self.pictures.profile, size, prefer);
        if encoding != self.encoding {
            self.encoding = encoding;
            tell("encode in another size", connection.encode_video(&encoding));
        }
    }

    fn start(&mut self, events: &Arc<Events>) {
        let events = Arc::clone(events);
        let (frames, sender) = (Arc::clone(&self.pictures.frames), Arc::clone(&self.sender));
        match PicturePump::start(frames, sender, Arc::clone(&self.size), move || events.wake()) {
            Ok(pump) => self.pump = Some(pump),
            Err(error) => tracing::error!(%error, "no thread for sending pictures"),
        }
    }
}

fn encoding(profile: VideoProfile, (width, height): (u32, u32), prefer: Prefer) -> Encoding {
    Encoding { width, height, fps: profile.max_fps, bitrate: profile.max_bitrate, prefer }
}

/// Sound on its way out.
#[derive(Default)]
pub(crate) struct AudioOut {
    sending: Option<SendingAudio>,
    retry_at: Option<Instant>,
}

struct SendingAudio {
    blocks: Arc<AudioQueue>,
    sender: Arc<AudioSender>,
    pump: Option<SoundPump>,
}

impl AudioOut {
    /// Brings what is sent in line with what is wanted. For a connection that is joined.
    pub(crate) fn tend(&mut self, connection: &mut Connection, wanted: Option<&Arc<AudioQueue>>, now: Instant) {
        match (wanted, &mut self.sending) {
            (None, None) => {}
            (None, Some(_)) => {
                self.sending = None;
                tell("take sound back", connection.unpublish_audio());
            }
            (Some(wanted), None) => {
                if self.retry_at.is_none_or(|at| at <= now) {
                    match connection.publish_audio() {
                        Ok(sender) => {
                            self.sending = Some(SendingAudio { blocks: Arc::clone(wanted), sender, pump: None });
                        }
                        Err(error) => {
                            self.retry_at = Some(now + RETRY);
                            tracing::warn!(%error, "sound is not published yet");
                        }
                    }
                }
            }
            (Some(wanted), Some(sending)) => {
                if !Arc::ptr_eq(&sending.blocks, wanted) {
                    sending.pump = None;
                    sending.blocks = Arc::clone(wanted);
                }
            }
        }
        if let Some(sending) = self.sending.as_mut().filter(|sending| sending.pump.is_none()) {
            match SoundPump::start(Arc::clone(&sending.blocks), Arc::clone(&sending.sender)) {
                Ok(pump) => sending.pump = Some(pump),
                Err(error) => tracing::error!(%error, "no thread for sending sound"),
            }
        }
    }

    /// The library says that it could not be: it is tried again after a pause.
    pub(crate) fn on_refused(&mut self, connection: &mut Connection, now: Instant) {
        self.retry_at = Some(now + RETRY);
        self.sending = None;
        tell("take sound back", connection.unpublish_audio());
    }

    /// Ends the pump.
    pub(crate) fn stop(&mut self) {
        self.sending = None;
    }
}

/// What could not be taken back or changed does no harm.
fn tell(what: &str, done: Result<(), super::error::GatewayError>) {
    if let Err(error) = done {
        tracing::debug!(%error, "Agora's library did not {what}");
    }
}
