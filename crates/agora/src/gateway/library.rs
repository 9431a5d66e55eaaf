//! The library in memory: opened once, checked once, never closed.

use std::{
    ffi::{CStr, c_char},
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use agora_sys::gateway::{FUNCTIONS, Gateway, OPTIONAL, PROBES, SIBLINGS};

use crate::sdk::{Fit, Interface, OLDEST_GATEWAY, Refusal, inspect};

/// Without this one it is no library of this interface at all.
const CORNERSTONE: &str = "agora_service_create";
/// The oldest version by its own words. Its functions decide; but one that says it is older is not believed either.
const OLDEST: [u32; 3] = [4, 4, 32];
/// A version's text is looked at no further.
const LONGEST_VERSION: usize = 200;

/// Those that are open. They stay so: the library's threads may outlive any moment at which closing would be safe.
static LOADED: Mutex<Vec<(PathBuf, Arc<Library>)>> = Mutex::new(Vec::new());

/// What a library says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// As it says it, "unknown" when it says nothing.
    pub text: String,
    /// The number of the build, 0 when it says nothing.
    pub build: i32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (build {})", self.text, self.build)
    }
}

impl Version {
    /// Whether it names three numbers that are below [`OLDEST`].
    fn is_too_old(&self) -> bool {
        let words = self.text.split(|letter: char| !letter.is_ascii_digit()).filter(|word| !word.is_empty());
        let mut numbers = words.map_while(|word| word.parse::<u32>().ok());
        let three = [numbers.next(), numbers.next(), numbers.next()];
        matches!(three, [Some(major), Some(minor), Some(patch)] if [major, minor, patch] < OLDEST)
    }
}

/// Agora's server-gateway library, open in this process, with every function that we call.
pub struct Library {
    functions: Gateway,
    version: Version,
    file: PathBuf,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Library({} {})", self.file.display(), self.version)
    }
}

impl Library {
    /// Opens the library at `path` (the file, or the folder in which it lies) with its siblings. What lies there is
    /// looked at first; foreign code only runs if it seems to fit. The same file again gives the same library. It stays
    /// open for the life of the process.
    ///
    /// # Errors
    /// Why it can't be used.
    pub fn load(path: &Path) -> Result<Arc<Self>, Refusal> {
        let fit = inspect(path)?;
        let file = fit.library.canonicalize().unwrap_or_else(|_| fit.library.clone());
        if fit.interface != Interface::Gateway {
            return Err(Refusal::NotAgora { file, interface: Interface::Gateway, lacks: CORNERSTONE });
        }
        // Held while it opens, so that two threads can't open the same file twice.
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, library)) = loaded.iter().find(|(known, _)| *known == file) {
            return Ok(Arc::clone(library));
        }
        let library = Arc::new(Self::open(&file, &fit)?);
        loaded.push((file, Arc::clone(&library)));
        tracing::info!(version = %library.version, "Agora's library is open");
        Ok(library)
    }

    fn open(file: &Path, fit: &Fit) -> Result<Self, Refusal> {
        // Those that others need come first, then those that it opens by itself while it runs.
        let needed = fit.siblings.iter().filter_map(|sibling| sibling.file_name()?.to_str());
        let siblings: Vec<&str> = needed.chain(SIBLINGS.iter().copied()).collect();
        // SAFETY: `inspect` has found the gateway's functions in it, made for this machine, and everything that it needs.
        let opened = unsafe { agora_sys::open(file, &siblings) };
        let opened = opened.map_err(|error| Refusal::of_loader(&error))?;
        match examine(&opened, file) {
            Ok(version) => {
                // SAFETY: both probes were found, so each function has the form that our header declares (FACTS A6).
                let functions = unsafe { Gateway::from_library(opened) };
                let functions = functions
                    .map_err(|error| Refusal::CannotLoad { file: file.to_owned(), reason: error.to_string() })?;
                Ok(Self { functions, version, file: file.to_owned() })
            }
            Err(refusal) => {
                // Its initialisers may have started threads, so it stays in memory.
                std::mem::forget(opened);
                Err(refusal)
            }
        }
    }

    /// What it says about itself.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Which file it is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Its functions; each that is needed is there.
    pub(crate) fn functions(&self) -> &Gateway {
        &self.functions
    }
}

/// The library's version, once everything that we call is there.
fn examine(library: &libloading::Library, file: &Path) -> Result<Version, Refusal> {
    let (file, interface) = (file.to_owned(), Interface::Gateway);
    let missing: Vec<&str> = FUNCTIONS.iter().copied().filter(|name| !has(library, name)).collect();
    if missing.contains(&CORNERSTONE) {
        return Err(Refusal::NotAgora { file, interface, lacks: CORNERSTONE });
    }
    let version = version_of(library);
    let probe = missing.iter().find(|name| PROBES.contains(name));
    if probe.is_some() || version.is_too_old() {
        let found = probe.map_or_else(|| version.to_string(), |probe| format!("{version}, without {probe}"));
        return Err(Refusal::TooOld { file, interface, found, needed: OLDEST_GATEWAY });
    }
    let symbols: Vec<String> = missing.into_iter().filter(|name| !OPTIONAL.contains(name)).map(str::to_owned).collect();
    if symbols.is_empty() { Ok(version) } else { Err(Refusal::MissingSymbol { file, interface, symbols }) }
}

fn has(library: &libloading::Library, name: &str) -> bool {
    // SAFETY: only asked for; nothing is called through it.
    unsafe { library.get::<*const ()>(name) }.is_ok()
}

fn version_of(library: &libloading::Library) -> Version {
    let unknown = Version { text: "unknown".to_owned(), build: 0 };
    // SAFETY: the function's form is the same in every version (FACTS A3.1).
    let function = unsafe { library.get::<unsafe extern "C" fn(*mut i32) -> *const c_char>("getAgoraSdkVersion") };
    let Ok(function) = function else { return unknown };
    let mut build = 0;
    // SAFETY: it writes one number to where it is told and may be called before anything else (FACTS A3.1).
    let text = unsafe { function(&raw mut build) };
    if text.is_null() {
        return Version { build, ..unknown };
    }
    // SAFETY: not null, and a constant of the library that ends with a zero (FACTS A3.1).
    let text = unsafe { CStr::from_ptr(text) };
    let text = text.to_string_lossy().chars().take(LONGEST_VERSION).collect();
    Version { text, build }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version { text: text.to_owned(), build: 0 }
    }

    #[test]
    fn a_version_below_the_oldest_is_too_old_and_one_that_says_nothing_is_not() {
        for old in ["4.4.31", "4.2.6.999", "3.9.0", "4.4.31-beta", "0.0.0"] {
            assert!(version(old).is_too_old(), "{old}");
        }
        for fine in ["4.4.32", "4.4.32.174", "4.5.0", "5.0.0", "unknown", "", "4.4", "v9"] {
            assert!(!version(fine).is_too_old(), "{fine}");
        }
    }
}
