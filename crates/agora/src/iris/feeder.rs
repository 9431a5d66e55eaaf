//! The thread that pushes our pictures and our sound into the SDK, and keeps the SDK's mixer going.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, Builder, JoinHandle},
    time::{Duration, Instant},
};

use parley_call::{
    AudioBlock, AudioQueue, FramePool, I420Frame, LatestSlot, MediaTime, VideoProfile,
    audio::{BLOCK_SAMPLES, SAMPLE_RATE},
};

use super::{
    Attachment, IrisError,
    requests::{
        engine::{
            Connection, Dimensions, GetCurrentMonotonicTimeInMs, SetVideoEncoderConfiguration,
            SetVideoEncoderConfigurationEx, VideoEncoderConfiguration,
        },
        media::{AudioFrame, ExternalVideoFrame, PullAudioFrame, PushAudioFrame, PushVideoFrame},
    },
    rtc::{Rtc, SoundPath},
};
use crate::gateway::frames;

/// One block of sound.
const BEAT: Duration = Duration::from_millis(10);
/// A thread that was held up for longer doesn't catch up.
const LATEST: Duration = Duration::from_millis(100);
/// The mixer may stand while we are joining; after five seconds of that something is wrong.
const MIXER_STANDS: u32 = 500;
/// Blocks that one beat may bring at most; more would only be late.
const BLOCKS_A_BEAT: usize = 10;

/// Plain bytes, planes of I420 (FACTS A7).
pub(super) const RAW: i32 = 1;
pub(super) const I420: i32 = 1;
pub(super) const PCM_16: i32 = 0;

/// Pictures for a track.
#[derive(Clone)]
pub(super) struct PictureFeed {
    pub(super) frames: Arc<LatestSlot<I420Frame>>,
    pub(super) profile: VideoProfile,
    pub(super) track: u32,
    /// Whose track, if it is not our first participant's.
    pub(super) connection: Option<Connection>,
}

/// Sound for a track.
#[derive(Clone)]
pub(super) struct SoundFeed {
    pub(super) blocks: Arc<AudioQueue>,
    pub(super) track: u32,
}

/// What is pushed at present.
#[derive(Clone, Default)]
pub(super) struct Feeds {
    pub(super) camera: Option<PictureFeed>,
    pub(super) screen: Option<PictureFeed>,
    pub(super) sound: Option<SoundFeed>,
}

/// The thread. Dropping it ends it.
pub(super) struct Feeder {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    feeds: Mutex<Feeds>,
    stopped: AtomicBool,
    /// Pushes that the SDK did not take.
    refused: AtomicU64,
}

impl Shared {
    fn feeds(&self) -> MutexGuard<'_, Feeds> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Feeder {
    /// Starts it, with nothing to push.
    pub(super) fn start(rtc: &Arc<Rtc>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (theirs, rtc) = (Arc::clone(&shared), Arc::clone(rtc));
        let thread = Builder::new().name("iris-media".to_owned()).spawn(move || {
            let work = AssertUnwindSafe(|| Worker::new(&rtc, &theirs).run());
            if catch_unwind(work).is_err() {
                tracing::error!("the thread that sends pictures and sound has panicked");
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Changes what is pushed. On return nothing else is pushed any more.
    pub(super) fn change(&self, change: impl FnOnce(&mut Feeds)) {
        change(&mut self.shared.feeds());
    }

    /// Pushes that the SDK did not take; the first ones on a new track are among them (FACTS G8).
    pub(super) fn refused_count(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic was caught and told in the thread itself.
            let _ = thread.join();
        }
    }
}

struct Worker<'a> {
    rtc: &'a Rtc,
    shared: &'a Shared,
    pool: FramePool,
    /// Milliseconds from our clock to the SDK's.
    ahead: i64,
    next: Instant,
    /// Track, size and limits that its encoder was set to.
    camera: Option<(u32, Dimensions, VideoProfile)>,
    screen: Option<(u32, Dimensions, VideoProfile)>,
    pulls: bool,
    /// Beats since the SDK's mixer moved.
    mixer_stands: u32,
}

impl<'a> Worker<'a> {
    fn new(rtc: &'a Rtc, shared: &'a Shared) -> Self {
        let ahead = rtc.api().call(&GetCurrentMonotonicTimeInMs {}).map(|theirs| theirs.result - ours());
        let ahead = ahead.unwrap_or_else(|error| {
            tracing::debug!(%error, "pictures and sound are stamped by our own clock");
            0
        });
        Self {
            rtc,
            shared,
            pool: FramePool::new(),
            ahead,
            next: Instant::now() + BEAT,
            camera: None,
            screen: None,
            pulls: rtc.sound() == SoundPath::Ours,
            mixer_stands: 0,
        }
    }

    fn run(&mut self) {
        while !self.shared.stopped.load(Ordering::Acquire) {
            let feeds = self.shared.feeds().clone();
            self.pictures(&feeds);
            let now = Instant::now();
            if now >= self.next {
                self.next = if now > self.next + LATEST { now + BEAT } else { self.next + BEAT };
                self.sound();
            }
        }
    }

    /// Until the next beat of sound.
    fn pictures(&mut self, feeds: &Feeds) {
        let rest = self.next.saturating_duration_since(Instant::now());
        let (first, second) = match (&feeds.camera, &feeds.screen) {
            (None, None) => {
                thread::park_timeout(rest);
                return;
            }
            (Some(camera), screen) => (camera, screen.as_ref()),
            (None, Some(screen)) => (screen, None),
        };
        if let Some(frame) = first.frames.take_blocking(rest) {
            self.push(first, &frame);
        }
        if let Some(second) = second
            && let Some(frame) = second.frames.try_take()
        {
            self.push(second, &frame);
        }
    }

    fn push(&mut self, feed: &PictureFeed, frame: &I420Frame) {
        let Some(frame) = frames::even(frame, &self.pool) else { return };
        let size = Dimensions { width: frame.width(), height: frame.height() };
        let set = if feed.connection.is_some() { &mut self.screen } else { &mut self.camera };
        let wanted = Some((feed.track, size, feed.profile));
        if *set != wanted {
            *set = wanted;
            if let Err(error) = configure(self.rtc, feed, size) {
                tracing::warn!(%error, "the SDK's encoder was not told the size of our pictures");
            }
        }
        let request = PushVideoFrame {
            frame: ExternalVideoFrame {
                r#type: RAW,
                format: I420,
                stride: frame.width(),
                height: frame.height(),
                rotation: 0,
                timestamp: self.stamp(frame.time),
            },
            video_track_id: feed.track,
        };
        // Kept during the push: whoever takes the feed away may destroy the track afterwards.
        let feeds = self.shared.feeds();
        let mut current = [&feeds.camera, &feeds.screen].into_iter().flatten();
        if !current.any(|current| current.track == feed.track && Arc::ptr_eq(&current.frames, &feed.frames)) {
            return;
        }
        let mut attachments = [
            Attachment::Bytes(frame.bytes()),
            Attachment::Bytes(&[]),
            Attachment::Bytes(&[]),
            Attachment::Bytes(&[]),
            Attachment::Bytes(&[]),
        ];
        self.count(self.rtc.api().call_with(&request, &mut attachments).map(drop));
    }

    fn sound(&mut self) {
        // As with pictures.
        let current = self.shared.feeds();
        if let Some(feed) = &current.sound {
            for block in std::iter::from_fn(|| feed.blocks.pop()).take(BLOCKS_A_BEAT) {
                let request = PushAudioFrame { frame: block_of(self.stamp(block.time)), track_id: feed.track };
                let bytes = bytes_of(&block);
                let outcome = self.rtc.api().call_with(&request, &mut [Attachment::Bytes(&bytes)]);
                self.count(outcome.map(drop));
            }
        }
        drop(current);
        if self.pulls {
            // The SDK has no loudspeaker, so its mixer moves only when it is asked. What we play is what the observer
            // brings, which says whose sound it is; the mix is left.
            let mut mixed = [0; BLOCK_SAMPLES * 2];
            let request = PullAudioFrame { frame: block_of(0) };
            let outcome = self.rtc.api().call_with(&request, &mut [Attachment::Space(&mut mixed)]);
            self.mixer_stands = if outcome.is_ok() { 0 } else { self.mixer_stands.saturating_add(1) };
            if let Err(error) = outcome {
                self.pulls = !matches!(error, IrisError::UnknownMethod { .. });
                if !self.pulls || self.mixer_stands == MIXER_STANDS {
                    tracing::warn!(%error, "the SDK's mixer does not move; without it nobody is heard");
                }
            }
        }
    }

    fn stamp(&self, time: MediaTime) -> i64 {
        milliseconds(time).saturating_add(self.ahead)
    }

    fn count(&self, outcome: Result<(), IrisError>) {
        if let Err(error) = outcome
            && self.shared.refused.fetch_add(1, Ordering::Relaxed) == 0
        {
            tracing::debug!(%error, "the SDK did not take a picture or a block of sound; more are only counted");
        }
    }
}

fn configure(rtc: &Rtc, feed: &PictureFeed, dimensions: Dimensions) -> Result<(), IrisError> {
    let config = VideoEncoderConfiguration {
        dimensions,
        frame_rate: feed.profile.max_fps,
        bitrate: feed.profile.max_bitrate / 1_000,
        orientation_mode: 0,
    };
    match &feed.connection {
        None => rtc.api().call(&SetVideoEncoderConfiguration { config }).map(drop),
        Some(connection) => {
            let connection = connection.clone();
            rtc.api().call(&SetVideoEncoderConfigurationEx { config, connection }).map(drop)
        }
    }
}

fn block_of(render_time_ms: i64) -> AudioFrame {
    AudioFrame {
        r#type: PCM_16,
        samples_per_channel: SAMPLE_RATE / 100,
        bytes_per_sample: 2,
        channels: 1,
        samples_per_sec: SAMPLE_RATE,
        render_time_ms,
    }
}

fn bytes_of(block: &AudioBlock) -> [u8; BLOCK_SAMPLES * 2] {
    let mut bytes = [0; BLOCK_SAMPLES * 2];
    for (to, sample) in bytes.chunks_exact_mut(2).zip(block.samples) {
        to.copy_from_slice(&sample.to_ne_bytes());
    }
    bytes
}

fn ours() -> i64 {
    milliseconds(MediaTime::now())
}

fn milliseconds(time: MediaTime) -> i64 {
    i64::try_from(time.0 / 1_000).unwrap_or(i64::MAX)
}
