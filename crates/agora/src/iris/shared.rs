//! What the engine, its two threads and the SDK's threads have in common.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use parley_call::{AudioQueue, EngineEvent, I420Frame, LatestSlot, Outbox, ScreenPass, Token, VideoProfile};

use tokio::sync::mpsc;

use super::{devices::DeviceEvent, rtc::Rtc};
use crate::gateway::Events;

/// A source of pictures, and how they are sent.
pub(super) type Source = (Arc<LatestSlot<I420Frame>>, VideoProfile);

/// What is to be sent and received.
#[derive(Clone, Default)]
pub(super) struct Publication {
    pub(super) video: Option<Source>,
    pub(super) screen: Option<Source>,
    pub(super) audio: Option<Arc<AudioQueue>>,
    pub(super) wants_video: bool,
}

/// Something that is to be done with the SDK.
pub(super) type Task = Box<dyn FnOnce(&Rtc) + Send>;

/// What the engine asks of the thread of a join, since it looked last.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) publication: Option<Publication>,
    pub(super) token: Option<Token>,
    pub(super) screen: Option<ScreenPass>,
    pub(super) tasks: Vec<Task>,
}

/// The SDK captures and plays by itself, and tells what happens to its devices.
#[derive(Clone)]
pub struct OwnDevices {
    /// Where what happens to devices goes; what finds no room there is left out.
    pub events: mpsc::Sender<DeviceEvent>,
    /// Where the pictures of the SDK's own camera and screen capture go, while they are open.
    pub pictures: Arc<LatestSlot<I420Frame>>,
}

/// Between the engine and the thread of a join.
#[derive(Default)]
pub(super) struct Mailbox {
    asked: Mutex<Asked>,
    stopped: AtomicBool,
    /// What the SDK tells; the thread waits here.
    pub(super) events: Arc<Events>,
}

impl Mailbox {
    /// Asks for something, and wakes the thread.
    pub(super) fn ask(&self, ask: impl FnOnce(&mut Asked)) {
        ask(&mut self.lock());
        self.events.wake();
    }

    /// What was asked for since the last time.
    pub(super) fn take(&self) -> Asked {
        std::mem::take(&mut *self.lock())
    }

    /// Ends the thread.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.events.wake();
    }

    /// Whether it has to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Tells the engine's owner, unless the thread has to end: after a leave nothing is told.
    pub(super) fn tell(&self, outbox: &mut Outbox, event: EngineEvent) {
        if !self.is_stopped() {
            outbox.tell(event);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
