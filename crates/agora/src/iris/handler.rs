//! The library's own object that carries events to a listener of ours.

use std::{ffi::c_void, ptr::NonNull, sync::Arc};

use super::{
    IrisError,
    library::Library,
    slots::{Listener, Slot},
};

/// An event handler. Register it with the engine to hear of something, and take it back in the order that
/// [`EventHandler::close`] describes.
pub struct EventHandler {
    handle: NonNull<c_void>,
    slot: Slot,
    library: Arc<Library>,
}

// SAFETY: the handle is only handed back to the library, which has no thread that it belongs to (FACTS B2).
unsafe impl Send for EventHandler {}
// SAFETY: as above; shared use only reads the pointer.
unsafe impl Sync for EventHandler {}

impl EventHandler {
    /// Makes one whose events go to `listener`.
    ///
    /// # Errors
    /// [`IrisError::TooMany`], [`IrisError::NotMade`].
    pub fn create(library: &Arc<Library>, listener: &Arc<dyn Listener>) -> Result<Self, IrisError> {
        let slot = Slot::take(listener).ok_or(IrisError::TooMany)?;
        // SAFETY: the structure and the function in it stay for good.
        let handle = unsafe { library.iris().CreateIrisEventHandler(slot.table()) };
        let Some(handle) = NonNull::new(handle) else {
            slot.empty();
            slot.free();
            return Err(IrisError::NotMade("event handler"));
        };
        Ok(Self { handle, slot, library: Arc::clone(library) })
    }

    /// The first step of ending it: what comes from now on is not heard. Then it is to be unregistered wherever it was
    /// registered, and dropped.
    pub fn close(&self) {
        self.slot.close();
    }

    /// Takes the listener out and waits until no callback is inside; on return the listener is no longer used.
    /// `false`: one of them hangs in the library.
    pub fn empty(&self) -> bool {
        self.slot.empty()
    }

    /// Callbacks that panicked so far.
    pub fn panics(&self) -> u64 {
        self.slot.panics()
    }

    /// Callbacks that came after [`EventHandler::close`].
    pub fn late(&self) -> u64 {
        self.slot.late()
    }

    pub(super) fn as_ptr(&self) -> *mut c_void {
        self.handle.as_ptr()
    }
}

impl Drop for EventHandler {
    fn drop(&mut self) {
        if !self.slot.empty() {
            // Its seat is never given away and the handle never destroyed: better lost than used after its end.
            tracing::error!("a callback of Agora's library does not return; its handler is left to it");
            return;
        }
        if self.panics() > 0 {
            tracing::error!(panics = self.panics(), "callbacks of Agora's library panicked");
        }
        // SAFETY: the handle came from `CreateIrisEventHandler` and is destroyed here only.
        unsafe { self.library.iris().DestroyIrisEventHandler(self.handle.as_ptr()) };
        self.slot.free();
    }
}
