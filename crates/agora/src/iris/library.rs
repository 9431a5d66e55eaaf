//! The library file, opened.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use agora_sys::iris::Iris;

use crate::sdk::{Interface, Refusal, inspect};

/// Without this function a library is not Iris.
const FIRST: &str = "CreateIrisApiEngine";

/// What was opened so far, by file: opening one twice gives the same copy, in which only one engine may live.
static OPENED: LazyLock<Mutex<HashMap<PathBuf, Arc<Library>>>> = LazyLock::new(Mutex::default);

/// One copy of the library in this process. It stays open until the process ends; one engine at a time lives in it
/// (FACTS B2: one RtcEngine per process).
pub struct Library {
    iris: Iris,
    path: PathBuf,
    is_occupied: Mutex<bool>,
    freed: Condvar,
}

impl Library {
    /// Opens the library at `path`, a file or the folder that it lies in, unless that was done before. What lies there
    /// is looked at first; foreign code only runs if it seems to fit.
    ///
    /// # Errors
    /// Why it can't be used.
    pub fn load(path: &Path) -> Result<Arc<Self>, Refusal> {
        let fit = inspect(path)?;
        let file = fit.library.canonicalize().unwrap_or_else(|_| fit.library.clone());
        if fit.interface != Interface::Iris {
            return Err(Refusal::NotAgora { file, interface: Interface::Iris, lacks: FIRST });
        }
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = opened.get(&file) {
            return Ok(Arc::clone(library));
        }
        let siblings = fit.to_open_before();
        let siblings: Vec<&str> = siblings.iter().map(String::as_str).collect();
        // By the name that was given: the system's whole one begins with \\?\ on Windows, which not every library takes.
        // SAFETY: `inspect` has found Iris's functions in it, made for this machine, and everything that it needs.
        let library =
            unsafe { agora_sys::open(&fit.library, &siblings) }.map_err(|error| Refusal::of_loader(&error))?;
        // SAFETY: the library was opened just now and has these functions with the types of our header (FACTS B2).
        let iris = unsafe { Iris::from_library(library) }
            .map_err(|error| Refusal::CannotLoad { file: file.clone(), reason: error.to_string() })?;
        let library =
            Arc::new(Self { iris, path: file.clone(), is_occupied: Mutex::new(false), freed: Condvar::new() });
        opened.insert(file, Arc::clone(&library));
        Ok(library)
    }

    /// Which file it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The place of the one engine, if it is free.
    pub(super) fn occupy(library: &Arc<Self>) -> Option<Occupation> {
        let was_occupied = std::mem::replace(&mut *library.occupied(), true);
        (!was_occupied).then(|| Occupation(Arc::clone(library)))
    }

    /// Waits until the place of the one engine is free, for so long at most. Somebody else may take it first.
    pub(super) fn until_free(&self, limit: Duration) {
        let waiting = self.freed.wait_timeout_while(self.occupied(), limit, |is_occupied| *is_occupied);
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }

    fn occupied(&self) -> MutexGuard<'_, bool> {
        self.is_occupied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its functions.
    pub(super) fn iris(&self) -> &Iris {
        &self.iris
    }
}

/// Holds the place of the one engine while it lives.
pub(super) struct Occupation(Arc<Library>);

impl Occupation {
    pub(super) fn iris(&self) -> &Iris {
        &self.0.iris
    }

    pub(super) fn library(&self) -> &Arc<Library> {
        &self.0
    }
}

impl Drop for Occupation {
    fn drop(&mut self) {
        *self.0.occupied() = false;
        self.0.freed.notify_all();
    }
}
