//! Opening a library and what lies beside it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use libloading::Library;

/// The system's loader refused a file.
#[derive(Debug)]
pub struct OpenError {
    /// Which one.
    pub file: PathBuf,
    /// What the loader said.
    pub source: libloading::Error,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} can't be opened", self.file.display())
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Opens `library`, and before it those of `siblings` that lie in the same folder, so that the loader finds them there
/// whatever its search path says. All of them stay open for the life of the process: the library's threads may outlive
/// any moment at which closing it would be safe.
///
/// # Errors
/// When the loader refuses one of the files.
///
/// # Safety
/// The files' initialisers run in this process. The caller has seen that they are what they should be.
pub unsafe fn open(library: &Path, siblings: &[&str]) -> Result<Library, OpenError> {
    let folder = library.parent().unwrap_or(Path::new(""));
    for sibling in siblings.iter().map(|name| folder.join(name)).filter(|file| file.is_file()) {
        // SAFETY: the caller's promise covers the library's siblings.
        std::mem::forget(unsafe { open_one(&sibling) }?);
    }
    // SAFETY: the caller's promise.
    unsafe { open_one(library) }
}

/// # Safety
/// As [`open`].
unsafe fn open_one(file: &Path) -> Result<Library, OpenError> {
    // An absolute name: the loader must not search, and on Windows only then looks for siblings beside the file.
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    // SAFETY: the caller's promise.
    let opened = unsafe { with_flags(&absolute) };
    opened.map_err(|source| OpenError { file: absolute, source })
}

/// # Safety
/// As [`open`].
#[cfg(unix)]
unsafe fn with_flags(file: &Path) -> Result<Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

    // SAFETY: the caller's promise.
    unsafe { Library::open(Some(file), RTLD_NOW | RTLD_GLOBAL) }.map(Into::into)
}

/// # Safety
/// As [`open`].
#[cfg(windows)]
unsafe fn with_flags(file: &Path) -> Result<Library, libloading::Error> {
    use libloading::os::windows::{LOAD_WITH_ALTERED_SEARCH_PATH, Library};

    // SAFETY: the caller's promise.
    unsafe { Library::load_with_flags(file, LOAD_WITH_ALTERED_SEARCH_PATH) }.map(Into::into)
}
