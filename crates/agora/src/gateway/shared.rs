//! What the engine wants of the thread that carries a join out.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use parley_call::{AudioQueue, I420Frame, LatestSlot, ScreenPass, Token, VideoProfile};

use super::events::Events;

/// Pictures, and how they are to be sent.
#[derive(Clone)]
pub(crate) struct Pictures {
    pub(crate) frames: Arc<LatestSlot<I420Frame>>,
    pub(crate) profile: VideoProfile,
}

/// What is wanted now. The newest wish counts; how it came about doesn't matter.
#[derive(Clone, Default)]
pub(crate) struct Wanted {
    /// Our camera.
    pub(crate) video: Option<Pictures>,
    /// Our sound.
    pub(crate) audio: Option<Arc<AudioQueue>>,
    /// Our screen.
    pub(crate) screen: Option<Pictures>,
    /// The other person's picture is not looked at.
    pub(crate) is_hidden: bool,
    /// The next token, until the library has it.
    pub(crate) token: Option<Token>,
    /// The newest pass for our screen.
    pub(crate) pass: Option<ScreenPass>,
}

/// Between the engine and the threads of one join.
pub(crate) struct Shared {
    wanted: Mutex<Wanted>,
    stopped: AtomicBool,
    /// What happens to the person's connection; woken when something else is wanted.
    pub(crate) events: Arc<Events>,
    /// The same for the screen's connection.
    pub(crate) screen_events: Arc<Events>,
}

impl Shared {
    pub(crate) fn new(wanted: Wanted) -> Self {
        Self {
            wanted: Mutex::new(wanted),
            stopped: AtomicBool::new(false),
            events: Arc::default(),
            screen_events: Arc::default(),
        }
    }

    /// What is wanted now.
    pub(crate) fn wanted(&self) -> Wanted {
        self.lock().clone()
    }

    /// Takes the next token, if there is one.
    pub(crate) fn take_token(&self) -> Option<Token> {
        self.lock().token.take()
    }

    /// Wants something else.
    pub(crate) fn want(&self, change: impl FnOnce(&mut Wanted)) {
        change(&mut self.lock());
        self.wake();
    }

    /// Whether the threads have to end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Ends the threads.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        self.events.wake();
        self.screen_events.wake();
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
