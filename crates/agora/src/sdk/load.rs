//! Asking a library for its version, which only it knows. Its code runs, so this belongs in a process of its own.

use std::ffi::{CStr, c_char, c_int, c_void};

use agora_sys::{gateway, iris};
use serde::{Deserialize, Serialize};

use super::{Fit, Interface, OLDEST_IRIS, Refusal};
use crate::iris::{Api, is_new_enough, requests::engine::GetVersion};

/// What a library says of itself once it is loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// Such as `4.4.32.174`; `None` if it does not tell.
    pub version: Option<String>,
    /// Agora's number of the build.
    pub build: Option<i32>,
    /// The functions of our list that the loader found.
    pub found: usize,
    /// Those that it did not find; only ones that we can do without, or the library would not have fitted.
    pub missing: Vec<String>,
}

/// Loads the library and asks it. Nothing of it is unloaded again: its threads may run for as long as the process.
///
/// # Errors
/// What the system's loader said, or the functions that it did not find in spite of the file's own tables.
pub fn load(fit: &Fit) -> Result<Loaded, Refusal> {
    let (more, functions, optional) = match fit.interface {
        Interface::Gateway => (gateway::SIBLINGS, gateway::FUNCTIONS, gateway::OPTIONAL),
        Interface::Iris => ([].as_slice(), iris::FUNCTIONS, iris::OPTIONAL),
    };
    let siblings = fit.to_open_before();
    let siblings: Vec<&str> = siblings.iter().map(String::as_str).chain(more.iter().copied()).collect();
    if fit.interface == Interface::Gateway {
        // What calls go over has the last word.
        crate::gateway::Library::load(&fit.library)?;
    }
    // SAFETY: `inspect` has read that these are libraries for this machine that export Agora's interface.
    let library = unsafe { agora_sys::open(&fit.library, &siblings) }.map_err(|error| Refusal::of_loader(&error))?;
    let mut missing = Vec::new();
    for function in functions {
        // SAFETY: the symbol is only looked up, not used as anything.
        if unsafe { library.get::<*const c_void>(*function) }.is_err() {
            missing.push((*function).to_owned());
        }
    }
    let needed: Vec<String> = missing.iter().filter(|name| !optional.contains(&name.as_str())).cloned().collect();
    let told = version_in(&library);
    std::mem::forget(library);
    if !needed.is_empty() {
        let file = fit.library.clone();
        return Err(Refusal::MissingSymbol { file, interface: fit.interface, symbols: needed });
    }
    let told = match (fit.interface, told) {
        (Interface::Iris, None) => version_of_iris(fit)?,
        (_, told) => told,
    };
    if fit.interface == Interface::Iris
        && let Some((version, _)) = &told
        && !is_new_enough(version)
    {
        let (file, interface) = (fit.library.clone(), fit.interface);
        let found = format!("it says version {version}");
        return Err(Refusal::TooOld { file, interface, found, needed: OLDEST_IRIS });
    }
    let (version, build) = told.unzip();
    Ok(Loaded { version, build, found: functions.len() - missing.len(), missing })
}

/// What Iris answers, or, if it makes no engine here, the native library beside it.
fn version_of_iris(fit: &Fit) -> Result<Option<(String, i32)>, Refusal> {
    let asked = Api::create(&crate::iris::Library::load(&fit.library)?).and_then(|api| api.call(&GetVersion {}));
    match asked {
        Ok(version) => return Ok(Some((version.result, i32::try_from(version.build).unwrap_or_default()))),
        Err(error) => tracing::debug!(%error, "Iris does not tell its version"),
    }
    let native = fit.siblings.iter().find(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        name.contains("agora_rtc_sdk") || name.starts_with("agorartckit")
    });
    let Some(file) = native else { return Ok(None) };
    // SAFETY: `inspect` has read that it is a library for this machine; it was loaded with the wrapper already.
    let native = unsafe { agora_sys::open(file, &[]) }.map_err(|error| Refusal::of_loader(&error))?;
    let told = version_in(&native);
    std::mem::forget(native);
    Ok(told)
}

/// `const char *getAgoraSdkVersion(int *build)`, which all of Agora's native libraries export (gateway and desktop).
fn version_in(library: &libloading::Library) -> Option<(String, i32)> {
    type GetVersion = unsafe extern "C" fn(*mut c_int) -> *const c_char;
    // SAFETY: that is the function's type in the gateway's and the desktop SDK's headers alike.
    let get = unsafe { library.get::<GetVersion>("getAgoraSdkVersion") }.ok()?;
    let mut build = 0;
    // SAFETY: it writes one int and answers a string of its own that stays, or NULL; it may be called before all else.
    let text = unsafe { get(&raw mut build) };
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL, and ends with a zero.
    let text = unsafe { CStr::from_ptr(text) };
    let version: String = text.to_string_lossy().chars().filter(|c| !c.is_control()).take(64).collect();
    Some((version, build))
}
