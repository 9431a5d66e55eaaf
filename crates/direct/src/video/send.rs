//! Takes the newest published picture, encodes it and hands it to the net thread.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use parley_call::{I420Frame, LatestSlot, MediaTime, VideoProfile};
use parley_media::h264::{CodecError, Encoded, Encoder, EncoderSettings};

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
            _ => match Stream::new(Arc::clone(&frames), profile, shared.video_bitrate.load(Ordering::Acquire)) {
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

/// Which ceiling the encoder is built with. Its first key frame, and what it makes of a cut, have the size that suits
/// the ceiling, whatever lower rate is set later: on a narrow line they would block it for a second. Another ceiling
/// costs a key frame, so it is changed only when it pays.
struct Ceiling {
    /// The rungs are this, half and a quarter.
    highest: u32,
    current: u32,
    /// Since when it has been too low or too high.
    off_since: Option<Instant>,
    last_lowered: Option<Instant>,
}

/// Ceilings are not lowered below this.
const LOWEST_CEILING: u32 = 300_000;
/// So long a ceiling must have been a little too low before it is raised.
const RAISE_AFTER: Duration = Duration::from_secs(2);
/// So long it must have been far too high before it is lowered.
const LOWER_AFTER: Duration = Duration::from_secs(1);
/// A line that was too narrow for a ceiling is not trusted again for so long.
const DISTRUST: Duration = Duration::from_secs(10);

impl Ceiling {
    /// The ceiling that suits `allowed` bits a second.
    fn new(highest: u32, allowed: u32) -> Self {
        let fits = |rung: &u32| *rung <= allowed.saturating_add(allowed / 4);
        let current = Self::rungs(highest).into_iter().find(fits).unwrap_or(highest / 4);
        Self { highest, current: current.max(LOWEST_CEILING.min(highest)), off_since: None, last_lowered: None }
    }

    fn rungs(highest: u32) -> [u32; 3] {
        [highest, highest / 2, highest / 4]
    }

    /// Whether another ceiling is due now that `allowed` bits a second may be sent.
    fn follow(&mut self, allowed: u32, now: Instant) -> bool {
        let next = Self::new(self.highest, allowed).current;
        let is_off = next > self.current || allowed < self.current * 2 / 5;
        if next == self.current || !is_off {
            self.off_since = None;
            return false;
        }
        let off_for = now.duration_since(*self.off_since.get_or_insert(now));
        let distrusted = self.last_lowered.is_some_and(|last| now < last + DISTRUST);
        let due = match next > self.current {
            // The line turned out to be a wide one: the sooner the better.
            true => !distrusted && (has_room(allowed, self.highest) || off_for >= RAISE_AFTER),
            false => off_for >= LOWER_AFTER,
        };
        if due {
            if next < self.current {
                self.last_lowered = Some(now);
            }
            self.current = next;
            self.off_since = None;
        }
        due
    }
}

/// Bits that may be spent ahead of time when the line has room: a cut has ten times the bits of an ordinary picture,
/// and without credit the encoder would skip the next 200 ms for it.
struct Credit {
    left: Duration,
    last: Option<Instant>,
}

/// The most that can be saved.
const MAX_CREDIT: Duration = Duration::from_millis(400);
/// Saved in a second: so much above its rate the stream may be on average.
const SAVING: f64 = 0.06;
/// Spent at once.
const LOAN: Duration = Duration::from_millis(50);

impl Credit {
    fn new() -> Self {
        Self { left: MAX_CREDIT, last: None }
    }

    fn save(&mut self, now: Instant) {
        let passed = self.last.replace(now).map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.left = (self.left + passed.mul_f64(SAVING)).min(MAX_CREDIT);
    }

    fn take_loan(&mut self) -> bool {
        let left = self.left.checked_sub(LOAN);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}

/// Whether a line on which `allowed` bits a second may be sent carries a stream of `highest` and its bursts.
fn has_room(allowed: u32, highest: u32) -> bool {
    allowed >= highest.saturating_add(highest / 3)
}

struct Stream {
    frames: Arc<LatestSlot<I420Frame>>,
    profile: VideoProfile,
    encoder: Encoder,
    ceiling: Ceiling,
    credit: Credit,
    last_sent: Option<MediaTime>,
    last_key: Option<Instant>,
    key_due: bool,
}

impl Stream {
    fn new(frames: Arc<LatestSlot<I420Frame>>, profile: VideoProfile, allowed: u32) -> Result<Self, CodecError> {
        let ceiling = Ceiling::new(profile.max_bitrate.max(MIN_BITRATE), allowed);
        let encoder = encoder(&ceiling, profile)?;
        let (last_sent, last_key, key_due) = (None, None, false);
        Ok(Self { frames, profile, encoder, ceiling, credit: Credit::new(), last_sent, last_key, key_due })
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
        let allowed = shared.video_bitrate.load(Ordering::Acquire);
        let now = Instant::now();
        self.credit.save(now);
        if self.ceiling.follow(allowed, now) {
            match encoder(&self.ceiling, self.profile) {
                Ok(encoder) => self.encoder = encoder,
                Err(error) => tracing::error!(%error, "no video encoder for another bitrate"),
            }
        }
        self.encoder.set_bitrate(allowed);
        let mut data = Vec::new();
        match self.encode(frame, &mut data, has_room(allowed, self.profile.max_bitrate)) {
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

    /// Encodes; on a line with room to spare a picture that would be skipped is paid from the credit.
    fn encode(&mut self, frame: &I420Frame, data: &mut Vec<u8>, has_room: bool) -> Result<Encoded, CodecError> {
        loop {
            let encoded = self.encoder.encode(frame, data)?;
            if encoded != Encoded::Skipped || !has_room || !self.credit.take_loan() {
                return Ok(encoded);
            }
            self.encoder.lend(LOAN);
        }
    }
}

fn encoder(ceiling: &Ceiling, profile: VideoProfile) -> Result<Encoder, CodecError> {
    Encoder::new(EncoderSettings { max_bitrate: ceiling.current, fps: profile.max_fps.max(1) })
}

/// Below this 720p is not worth sending.
pub(crate) const MIN_BITRATE: u32 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u32 = 1_500_000;

    fn after(begun: Instant, ms: u64) -> Instant {
        begun + Duration::from_millis(ms)
    }

    #[test]
    fn the_first_ceiling_suits_the_line() {
        for (allowed, ceiling) in [(u32::MAX, MAX), (MAX, MAX), (750_000, 750_000), (300_000, 375_000), (0, 375_000)] {
            assert_eq!(Ceiling::new(MAX, allowed).current, ceiling, "{allowed}");
        }
        assert_eq!(Ceiling::new(200_000, 0).current, 200_000);
    }

    #[test]
    fn a_wide_line_raises_the_ceiling_at_once_and_a_fair_one_after_a_while() {
        let begun = Instant::now();
        let mut wide = Ceiling::new(MAX, 750_000);
        assert!(wide.follow(4_000_000, begun));
        assert_eq!(wide.current, MAX);
        let mut fair = Ceiling::new(MAX, 750_000);
        assert!(!fair.follow(1_400_000, begun));
        assert!(!fair.follow(1_400_000, after(begun, 1_900)));
        assert!(fair.follow(1_400_000, after(begun, 2_000)));
    }

    #[test]
    fn a_line_that_narrows_lowers_it_and_is_not_trusted_again_soon() {
        let begun = Instant::now();
        let mut ceiling = Ceiling::new(MAX, MAX);
        assert!(!ceiling.follow(500_000, begun));
        assert!(!ceiling.follow(900_000, after(begun, 500)), "a dip is no reason");
        assert!(!ceiling.follow(500_000, after(begun, 600)));
        assert!(ceiling.follow(500_000, after(begun, 1_600)));
        assert_eq!(ceiling.current, 375_000);
        assert!(!ceiling.follow(9_000_000, after(begun, 11_000)));
        assert!(ceiling.follow(9_000_000, after(begun, 11_700)));
    }

    #[test]
    fn credit_is_bounded_and_comes_back_slowly() {
        let begun = Instant::now();
        let mut credit = Credit::new();
        credit.save(begun);
        assert_eq!((0..20).filter(|_| credit.take_loan()).count(), 8);
        credit.save(after(begun, 1_000));
        assert_eq!((0..20).filter(|_| credit.take_loan()).count(), 1);
    }
}
