//! What the threads of one join have in common.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use parley_call::{AudioQueue, I420Frame, LatestSlot, VideoProfile};
use tokio::sync::{Notify, mpsc};

use crate::{delay::LipSync, signal::Tracks};

/// What is to be sent.
#[derive(Clone, Default)]
pub(crate) struct Publication {
    /// Pictures, and how.
    pub(crate) video: Option<(Arc<LatestSlot<I420Frame>>, VideoProfile)>,
    /// Sound.
    pub(crate) audio: Option<Arc<AudioQueue>>,
    /// Whether the other side's pictures are looked at.
    pub(crate) wants_video: bool,
}

impl Publication {
    /// What the other side is told about it.
    pub(crate) fn tracks(&self) -> Tracks {
        Tracks { video: self.video.is_some(), audio: self.audio.is_some(), wants_video: self.wants_video }
    }
}

/// What the other threads ask of the net thread.
#[derive(Debug)]
pub(crate) enum Command {
    /// From the other side's engine.
    Signal(String),
    /// An encoded picture; when it was captured, on the 90 kHz clock.
    Video { data: Vec<u8>, captured: parley_call::MediaTime },
    /// An Opus packet; the position of its first sample, and when that was captured.
    Audio { data: Vec<u8>, position: u64, captured: parley_call::MediaTime },
    /// The decoder needs a key frame.
    AskForKeyFrame,
    /// What is published or wanted has changed.
    TracksChanged,
}

/// Commands that may wait. At 30 pictures and 50 packets a second the net thread would have to stand still for
/// seconds to fill it.
pub(crate) const COMMANDS: usize = 256;

/// Shared by the threads of one join.
pub(crate) struct Shared {
    publication: Mutex<Publication>,
    changed: Condvar,
    stopped: AtomicBool,
    stopping: Notify,
    failed: AtomicBool,
    commands: mpsc::Sender<Command>,
    /// Bits a second that the encoder may use.
    pub(crate) video_bitrate: AtomicU32,
    /// The other side needs a key frame.
    pub(crate) key_wanted: AtomicBool,
    /// The path is up.
    pub(crate) connected: AtomicBool,
    /// The other side looks at our pictures.
    pub(crate) video_wanted: AtomicBool,
    /// Pictures decoded since the join.
    pub(crate) pictures: AtomicU64,
    /// Gaps of more than 200 ms between two of them.
    pub(crate) freezes: AtomicU64,
    /// Keeps sound and pictures in step.
    pub(crate) lip_sync: LipSync,
}

impl Shared {
    pub(crate) fn new(publication: Publication, commands: mpsc::Sender<Command>) -> Self {
        Self {
            publication: Mutex::new(publication),
            changed: Condvar::new(),
            stopped: AtomicBool::new(false),
            stopping: Notify::new(),
            failed: AtomicBool::new(false),
            commands,
            video_bitrate: AtomicU32::new(u32::MAX),
            key_wanted: AtomicBool::new(false),
            connected: AtomicBool::new(false),
            video_wanted: AtomicBool::new(true),
            pictures: AtomicU64::new(0),
            freezes: AtomicU64::new(0),
            lip_sync: LipSync::default(),
        }
    }

    /// What is to be sent now.
    pub(crate) fn publication(&self) -> Publication {
        self.publication.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces it, and tells everyone.
    pub(crate) fn publish(&self, publication: Publication) {
        *self.publication.lock().unwrap_or_else(PoisonError::into_inner) = publication;
        self.changed.notify_all();
        self.send(Command::TracksChanged);
    }

    /// Asks the net thread; `false` when it stands still or has ended.
    pub(crate) fn send(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }

    /// Whether the threads have to end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Ends the threads, and their waits.
    pub(crate) fn stop(&self) {
        // Under the lock, so that nobody begins to wait between its look and this.
        let _publication = self.publication.lock().unwrap_or_else(PoisonError::into_inner);
        self.stopped.store(true, Ordering::Release);
        self.changed.notify_all();
        self.stopping.notify_one();
    }

    /// Waits for [`Self::stop`]; for the net thread only.
    pub(crate) async fn stopping(&self) {
        self.stopping.notified().await;
    }

    /// A thread panicked.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// Whether a thread panicked.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// The path came up or went down, or the other side looks (or looks away): wakes the encoder.
    pub(crate) fn wake(&self) {
        let _publication = self.publication.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.notify_all();
    }

    /// Whether encoded pictures have somewhere to go.
    pub(crate) fn may_send_video(&self) -> bool {
        self.connected.load(Ordering::Acquire) && self.video_wanted.load(Ordering::Acquire)
    }

    /// Waits up to `timeout` for a change of anything.
    pub(crate) fn wait_for_change(&self, timeout: Duration) {
        let publication = self.publication.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_stopped() {
            drop(self.changed.wait_timeout(publication, timeout).unwrap_or_else(PoisonError::into_inner));
        }
    }
}
