//! The library's service: one in a process, for one App ID, for as long as anybody holds it.

use std::{
    ffi::CString,
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use agora_sys::gateway::{Gateway, agora_service_config};

use super::{
    error::{GatewayError, Handle, c_text, check},
    library::Library,
};

/// The regions of the whole world (FACTS A7).
const EVERYWHERE: u32 = 0xFFFF_FFFF;
/// Live broadcasting: the profile of every public program for this interface. All in a channel have to use the same.
pub(crate) const CHANNEL_PROFILE: i32 = 1;
/// The library writes no log: there are names of channels and numbers of people in it.
const NO_LOG: u32 = 0;
/// So long the service of an earlier call may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The one service of this process.
static SLOT: Mutex<Slot> = Mutex::new(Slot::Empty);
static FREED: Condvar = Condvar::new();

enum Slot {
    Empty,
    /// Whether it lives or is just ending, the weak pointer knows.
    Taken(Weak<Service>),
}

/// The library at work for one App ID. Connections hold it; it ends when the last of them is gone.
pub struct Service {
    library: Arc<Library>,
    handle: Handle,
    /// The library keeps the pointer, so the text lives as long as the handle (FACTS A3.3).
    app_id: CString,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

impl Service {
    /// The service of this process for that App ID; starts it if there is none.
    ///
    /// # Errors
    /// While one lives for another App ID, and when the library doesn't start. May wait for the end of an earlier one,
    /// 20 seconds at most.
    pub fn acquire(library: &Arc<Library>, app_id: &str) -> Result<Arc<Self>, GatewayError> {
        let app_id = c_text("the App ID", app_id)?;
        let deadline = Instant::now() + PATIENCE;
        let mut slot = lock();
        while let Slot::Taken(taken) = &*slot {
            if let Some(service) = taken.upgrade() {
                // Before anything is dropped: the last one's end needs the slot.
                drop(slot);
                let fits = service.app_id == app_id && Arc::ptr_eq(&service.library, library);
                return if fits { Ok(service) } else { Err(GatewayError::OtherAppId) };
            }
            let left = deadline.checked_duration_since(Instant::now()).ok_or(GatewayError::StillEnding)?;
            slot = FREED.wait_timeout(slot, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let service = Arc::new(Self::start(Arc::clone(library), app_id)?);
        *slot = Slot::Taken(Arc::downgrade(&service));
        Ok(service)
    }

    fn start(library: Arc<Library>, app_id: CString) -> Result<Self, GatewayError> {
        let functions = library.functions();
        // SAFETY: needs nothing; no other service lives, the slot is locked (FACTS A3.2).
        let handle = unsafe { functions.agora_service_create() };
        let handle = Handle::made("service", handle)?;
        let started = Self::initialize(functions, handle, &app_id);
        if let Err(error) = started {
            // SAFETY: made above and given to nobody (FACTS A3.16).
            unsafe { functions.agora_service_release(handle.raw()) };
            return Err(error);
        }
        Ok(Self { library, handle, app_id })
    }

    fn initialize(functions: &Gateway, handle: Handle, app_id: &CString) -> Result<(), GatewayError> {
        let config = agora_service_config {
            // Without it no audio track is made (FACTS A3.3).
            enable_audio_processor: 1,
            // Devices are ours: the library has none on Linux.
            enable_audio_device: 0,
            enable_video: 1,
            app_id: app_id.as_ptr(),
            area_code: EVERYWHERE,
            channel_profile: CHANNEL_PROFILE,
            // Our numbers are decimal.
            use_string_uid: 0,
            ..agora_service_config::default()
        };
        // SAFETY: a new service, and the longest known structure with zeroes behind; the App ID lives on (FACTS A6).
        let answer = unsafe { functions.agora_service_initialize(handle.raw(), &raw const config) };
        check("start", answer)?;
        // SAFETY: an initialised service; the filter is a number (FACTS A3.4).
        let answer = unsafe { functions.agora_service_set_log_filter(handle.raw(), NO_LOG) };
        if let Err(error) = check("keep no log", answer) {
            tracing::debug!(%error, "Agora's own log stays as it is");
        }
        Ok(())
    }

    /// The library that it runs in.
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }

    pub(crate) fn functions(&self) -> &Gateway {
        self.library.functions()
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // SAFETY: the last holder is gone, and connections hold it, so nothing of it is in use (FACTS A3.16).
        let answer = unsafe { self.functions().agora_service_release(self.handle.raw()) };
        if let Err(error) = check("end", answer) {
            tracing::warn!(%error, "Agora's service did not end well");
        }
        *lock() = Slot::Empty;
        FREED.notify_all();
    }
}

fn lock() -> MutexGuard<'static, Slot> {
    SLOT.lock().unwrap_or_else(PoisonError::into_inner)
}
