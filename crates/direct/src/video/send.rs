//! Takes the newest published picture, encodes it and hands it to the net thread.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use parley_call::{I420Frame, LatestSlot, MediaTime, VideoProfile};
use parley_media::h264::{Encoded, Encoder, EncoderSettings};

use crate::shared::{Command, Shared};

/// How long it looks for a picture, or for something to do, before it looks whether it has to end.
const TICK: Duration = Duration::from_millis(50);
/// Key frames follow each other no faster than this, however often they are asked for.
const KEY_FRAME_EVERY: Duration = Duration::from_millis(250);
/// A picture that comes a little early is not one too many.
const EARLY: f64 = 0.75;

/// Runs until the join ends.
pub(crate) fn run(shared: &Shared) {
    let mut stream: Option<Stream> = None;
    while !shared.is_stopped() {
        let publication = shared.publication();
        let Some((frames, profile)) = publication.video.filter(|_| shared.may_send_video()) else {
            // Whoever sees us again has nothing to build on.
            stream = None;
            shared.wait_for_change(TICK);
            continue;
        };
        let current = match stream.take() {
            Some(current) if current.is_for(&frames, profile) => current,
            _ => match Stream::new(Arc::clone(&frames), profile) {
                Ok(new) => new,
                Err(error) => {
                    tracing::error!(%error, "no video encoder");
                    shared.wait_for_change(TICK * 20);
                    continue;
                }
            },
        };
        let current = stream.insert(current);
        if let Some(frame) = frames.take_blocking(TICK) {
            current.send(&frame, shared);
        }
    }
}

struct Stream {
    frames: Arc<LatestSlot<I420Frame>>,
    profile: VideoProfile,
    encoder: Encoder,
    last_sent: Option<MediaTime>,
    last_key: Option<Instant>,
    key_due: bool,
}

impl Stream {
    fn new(frames: Arc<LatestSlot<I420Frame>>, profile: VideoProfile) -> Result<Self, parley_media::h264::CodecError> {
        let settings =
            EncoderSettings { max_bitrate: profile.max_bitrate.max(MIN_BITRATE), fps: profile.max_fps.max(1) };
        let encoder = Encoder::new(settings)?;
        Ok(Self { frames, profile, encoder, last_sent: None, last_key: None, key_due: false })
    }

    fn is_for(&self, frames: &Arc<LatestSlot<I420Frame>>, profile: VideoProfile) -> bool {
        Arc::ptr_eq(&self.frames, frames) && self.profile == profile
    }

    fn send(&mut self, frame: &I420Frame, shared: &Shared) {
        let least = Duration::from_secs_f64(EARLY / f64::from(self.profile.max_fps.max(1)));
        if self.last_sent.is_some_and(|last| frame.time.since(last) < least && frame.time > last) {
            return;
        }
        self.key_due |= shared.key_wanted.swap(false, Ordering::AcqRel);
        if self.key_due && self.last_key.is_none_or(|last| last.elapsed() >= KEY_FRAME_EVERY) {
            self.key_due = false;
            self.encoder.force_key_frame();
        }
        self.encoder.set_bitrate(shared.video_bitrate.load(Ordering::Acquire));
        let mut data = Vec::new();
        match self.encoder.encode(frame, &mut data) {
            Ok(Encoded::Skipped) => return,
            Ok(Encoded::Key) => self.last_key = Some(Instant::now()),
            Ok(Encoded::Delta) => {}
            Err(error) => {
                tracing::warn!(%error, "a picture could not be encoded");
                return;
            }
        }
        self.last_sent = Some(frame.time);
        // What follows a picture that was not sent can't be decoded.
        self.key_due |= !shared.send(Command::Video { data, captured: frame.time });
    }
}

/// Below this 720p is not worth sending.
pub(crate) const MIN_BITRATE: u32 = 100_000;
