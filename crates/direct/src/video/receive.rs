//! Decodes what comes, and shows it when its time has come: evenly, and in step with the sound.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering, mpsc},
    time::{Duration, Instant, SystemTime},
};

use parley_call::{I420Frame, LatestSlot};
use parley_media::h264::Decoder;

use crate::{
    delay::Unevenness,
    shared::{Command, Shared},
};

/// What the net thread hands over.
pub(crate) enum Incoming {
    /// A picture as it came.
    Picture(Picture),
    /// Another path begins: nothing that comes builds on what was.
    Reset,
    /// A gap that follows is intended.
    Pause,
}

/// One access unit.
pub(crate) struct Picture {
    /// Annex B.
    pub(crate) data: Arc<[u8]>,
    /// Whether it can be decoded by itself.
    pub(crate) is_key: bool,
    /// Whether nothing is missing between the one before and this one.
    pub(crate) contiguous: bool,
    /// When it was captured, on the stream's own clock.
    pub(crate) position: Duration,
    /// When it was captured, on the sender's wall clock, once the sender has told.
    pub(crate) captured: Option<SystemTime>,
    /// When its last packet came.
    pub(crate) arrived: Instant,
}

/// Pictures that may wait for the decoder: half a second.
pub(crate) const WAITING: usize = 16;
/// A key frame is asked for no more often than this.
const ASK_EVERY: Duration = Duration::from_millis(300);
/// How long the thread waits for something to come before it looks whether it has to end.
const TICK: Duration = Duration::from_millis(50);
/// A gap of more than this between two pictures is a freeze.
const FREEZE: Duration = Duration::from_millis(200);
/// Unevenness below this can't be seen at 30 pictures a second, and costs nothing to leave.
const UNSEEN: Duration = Duration::from_millis(15);
/// Beyond this the delay is worse than the unevenness.
const MAX_HOLD: Duration = Duration::from_millis(250);
/// Pictures that became due together are shown this far apart; a backlog still shrinks four times faster than it grows.
const SPACING: Duration = Duration::from_millis(8);
/// Decoded pictures that may wait for their time (1.4 MB each).
const MAX_HELD: usize = 12;

/// Runs until the join ends.
pub(crate) fn run(shared: &Shared, incoming: &mpsc::Receiver<Incoming>, screen: &LatestSlot<I420Frame>) {
    let mut receiver = match Receiver::new() {
        Ok(receiver) => receiver,
        Err(error) => return tracing::error!(%error, "no video decoder"),
    };
    while !shared.is_stopped() {
        let wait = receiver.next_due().map_or(TICK, |due| due.saturating_duration_since(Instant::now()).min(TICK));
        match incoming.recv_timeout(wait) {
            Ok(Incoming::Picture(picture)) => receiver.take(&picture, shared),
            Ok(Incoming::Reset) => receiver.reset(),
            Ok(Incoming::Pause) => receiver.last_decoded = None,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        receiver.show(screen, Instant::now());
    }
}

struct Receiver {
    decoder: Decoder,
    /// Nothing can be decoded before the next key frame.
    needs_key: bool,
    last_asked: Option<Instant>,
    last_decoded: Option<Instant>,
    unevenness: Unevenness,
    hold: Duration,
    held: VecDeque<(Instant, I420Frame)>,
    /// The screen takes the newest picture only: one that follows too closely would hide the one before.
    not_before: Option<Instant>,
}

impl Receiver {
    fn new() -> Result<Self, parley_media::h264::CodecError> {
        Ok(Self {
            decoder: Decoder::new()?,
            needs_key: true,
            last_asked: None,
            last_decoded: None,
            unevenness: Unevenness::new(150),
            hold: Duration::ZERO,
            held: VecDeque::new(),
            not_before: None,
        })
    }

    fn reset(&mut self) {
        self.needs_key = true;
        self.last_decoded = None;
        self.unevenness = Unevenness::new(150);
        self.hold = Duration::ZERO;
        self.held.clear();
    }

    fn take(&mut self, picture: &Picture, shared: &Shared) {
        if let Some(uneven) = self.unevenness.add(picture.arrived, picture.position) {
            self.hold = if uneven < UNSEEN { Duration::ZERO } else { uneven.min(MAX_HOLD) };
        }
        self.needs_key |= !picture.contiguous;
        if self.needs_key && !picture.is_key {
            return self.ask(shared);
        }
        match self.decoder.decode(&picture.data) {
            Ok(Some(frame)) => {
                self.needs_key = false;
                self.count(shared);
                let due = self.due(picture, shared);
                self.held.push_back((due, frame));
            }
            // Parameters without a picture.
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "a picture could not be decoded");
                self.needs_key = true;
                self.ask(shared);
            }
        }
    }

    fn ask(&mut self, shared: &Shared) {
        if self.last_asked.is_none_or(|last| last.elapsed() >= ASK_EVERY) {
            self.last_asked = Some(Instant::now());
            shared.send(Command::AskForKeyFrame);
        }
    }

    fn count(&mut self, shared: &Shared) {
        let now = Instant::now();
        if self.last_decoded.replace(now).is_some_and(|last| now.duration_since(last) > FREEZE) {
            shared.freezes.fetch_add(1, Ordering::Relaxed);
        }
        shared.pictures.fetch_add(1, Ordering::Release);
    }

    /// When the picture is to be seen.
    fn due(&self, picture: &Picture, shared: &Shared) -> Instant {
        let late = self.unevenness.lateness(picture.arrived, picture.position);
        let own = picture.arrived + self.hold.saturating_sub(late);
        let in_step = picture.captured.map_or(own, |captured| own + shared.lip_sync.on_picture(captured, own));
        self.held.back().map_or(in_step, |(last, _)| in_step.max(*last))
    }

    fn next_due(&self) -> Option<Instant> {
        let (due, _) = self.held.front()?;
        Some(self.not_before.map_or(*due, |earliest| earliest.max(*due)))
    }

    fn show(&mut self, screen: &LatestSlot<I420Frame>, now: Instant) {
        while self.held.len() > MAX_HELD || self.next_due().is_some_and(|due| due <= now) {
            let Some((_, frame)) = self.held.pop_front() else { return };
            self.not_before = Some(now + SPACING);
            screen.put(frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use parley_call::MediaTime;
    use parley_media::{
        card::Card,
        h264::{Encoder, EncoderSettings},
    };
    use tokio::sync::mpsc as commands;

    use super::*;
    use crate::shared::{COMMANDS, Publication};

    struct Bench {
        shared: Shared,
        asked: commands::Receiver<Command>,
        receiver: Receiver,
        encoder: Encoder,
        begun: Instant,
        number: u32,
    }

    impl Bench {
        fn new() -> Self {
            let (sender, asked) = commands::channel(COMMANDS);
            Self {
                shared: Shared::new(Publication::default(), sender),
                asked,
                receiver: Receiver::new().unwrap(),
                encoder: Encoder::new(EncoderSettings { max_bitrate: 1_000_000, fps: 30 }).unwrap(),
                begun: Instant::now(),
                number: 0,
            }
        }

        fn next(&mut self) -> Picture {
            let position = Duration::from_millis(u64::from(self.number) * 33);
            let time = MediaTime(position.as_micros() as u64 + 1);
            let frame = Card::new("TEST", 640, 360).draw(self.number, time);
            let mut data = Vec::new();
            let is_key = self.encoder.encode(&frame, &mut data).unwrap() == parley_media::h264::Encoded::Key;
            self.number += 1;
            let arrived = self.begun + position;
            Picture { data: Arc::from(data), is_key, contiguous: true, position, captured: None, arrived }
        }

        fn pictures(&self) -> u64 {
            self.shared.pictures.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn after_garbage_and_after_a_gap_it_waits_for_a_key_frame_and_asks_once() {
        let mut bench = Bench::new();
        let first = bench.next();
        bench.receiver.take(&first, &bench.shared);
        assert_eq!(bench.pictures(), 1);
        let lost = Picture { contiguous: false, ..bench.next() };
        bench.receiver.take(&lost, &bench.shared);
        let garbage = Picture { data: Arc::from([0, 0, 0, 1, 0x65, 1, 2, 3]), is_key: true, ..bench.next() };
        bench.receiver.take(&garbage, &bench.shared);
        for _ in 0..5 {
            let delta = bench.next();
            assert!(!delta.is_key);
            bench.receiver.take(&delta, &bench.shared);
        }
        assert_eq!(bench.pictures(), 1);
        assert!(matches!(bench.asked.try_recv(), Ok(Command::AskForKeyFrame)));
        assert!(bench.asked.try_recv().is_err(), "it asks no more than once in 300 ms");
        bench.encoder.force_key_frame();
        let key = bench.next();
        assert!(key.is_key);
        bench.receiver.take(&key, &bench.shared);
        assert_eq!(bench.pictures(), 2);
    }

    #[test]
    fn pictures_that_are_due_together_do_not_hide_each_other_and_a_backlog_is_bounded() {
        let mut bench = Bench::new();
        let picture = bench.next();
        bench.receiver.take(&picture, &bench.shared);
        let (_, frame) = bench.receiver.held.pop_back().unwrap();
        let (screen, now) = (LatestSlot::new(), Instant::now());
        bench.receiver.held.extend((0..3).map(|_| (now, frame.clone())));
        for step in 0..3 {
            bench.receiver.show(&screen, now + SPACING * step);
            assert!(screen.try_take().is_some(), "step {step}");
        }
        assert_eq!(screen.dropped_count(), 0);
        let far = now + Duration::from_secs(60);
        bench.receiver.held.extend((0..40).map(|_| (far, frame.clone())));
        bench.receiver.show(&screen, now + Duration::from_secs(1));
        assert_eq!(bench.receiver.held.len(), MAX_HELD);
    }

    #[test]
    fn an_even_stream_is_shown_at_once_and_an_uneven_one_is_evened_out() {
        for (late, evened) in [(0, false), (60, true)] {
            let mut bench = Bench::new();
            let mut dues = Vec::new();
            for number in 0..60 {
                let mut picture = bench.next();
                picture.arrived += Duration::from_millis(if number % 3 == 0 { late } else { 0 });
                bench.receiver.take(&picture, &bench.shared);
                if let Some((due, _)) = bench.receiver.held.pop_back() {
                    dues.push((due, due.saturating_duration_since(picture.arrived)));
                }
            }
            let last = &dues[dues.len() - 10..];
            if evened {
                let gaps: Vec<_> = last.windows(2).map(|two| two[1].0 - two[0].0).collect();
                assert!(gaps.iter().all(|gap| gap.as_millis().abs_diff(33) <= 2), "{gaps:?}");
            } else {
                assert!(last.iter().all(|(_, waits)| waits.is_zero()), "{last:?}");
            }
        }
    }
}
