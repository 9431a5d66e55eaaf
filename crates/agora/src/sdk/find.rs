//! Which folder is meant, and which files in it are Agora's main libraries.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
};

use super::{Interface, Refusal};

/// The folder of an installed library, within the program's own folder.
pub const FOLDER: &str = "agora-sdk";

/// Deep enough for macOS' `…_FULL/libs/X.xcframework/macos-arm64_x86_64/X.framework/Versions/A/X`.
pub(super) const DEPTH: usize = 8;
/// More than any download has; a folder with more was chosen by mistake.
pub(super) const ENTRIES: usize = 20_000;

/// The file names of main libraries, as Agora gives them, with what they speak.
const MAIN: &[(&str, Interface)] = &[
    ("AgoraRtcWrapper.dll", Interface::Iris),
    ("libAgoraRtcWrapper.so", Interface::Iris),
    ("libagora_rtc_sdk.so", Interface::Gateway),
    ("libAgoraRtcKit.dylib", Interface::Gateway),
];
/// Iris for macOS is a file without an ending in a folder of this name, or in `Versions/A` of it.
const IRIS_FRAMEWORK: &str = "AgoraRtcWrapper.framework";
const IRIS_IN_FRAMEWORK: &str = "AgoraRtcWrapper";
/// With hyphens: the phone libraries and the small ones for devices, which export other interfaces.
const OTHER_PRODUCT: &str = "libagora-rtc-sdk.so";

/// The folder that is used, and why that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub dir: PathBuf,
    /// Who said so.
    pub source: Source,
}

/// Who named the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The program's settings.
    Setting,
    /// `AGORA_SDK_DIR`.
    Environment,
    /// Nobody: it is the one that [`install`](super::install) fills.
    Installed,
}

/// The folder to take Agora's library from: the setting's, else the environment's, else the installed one. A folder
/// that was named stays the answer even if nothing lies there, so that the mistake is told and not covered up.
/// `None`: nobody named one and none is installed.
pub fn place(setting: Option<&Path>, environment: Option<&Path>, data_dir: &Path) -> Option<Place> {
    let named = [(setting, Source::Setting), (environment, Source::Environment)];
    if let Some((dir, source)) = named.into_iter().find_map(|(dir, source)| Some((dir?, source))) {
        return Some(Place { dir: dir.to_owned(), source });
    }
    // The second is there while a newer library takes the first one's place, or when that was interrupted.
    [FOLDER.to_owned(), format!("{FOLDER}.old")]
        .into_iter()
        .map(|name| data_dir.join(name))
        .find(|dir| dir.is_dir())
        .map(|dir| Place { dir, source: Source::Installed })
}

/// The folder of [`place`] alone.
pub fn find(setting: Option<&Path>, environment: Option<&Path>, data_dir: &Path) -> Option<PathBuf> {
    place(setting, environment, data_dir).map(|place| place.dir)
}

/// The main libraries in a folder and below, Iris before the gateway (Iris brings a `libagora_rtc_sdk` of its own),
/// then those that lie higher. `dir` may also be a main library itself.
pub(super) fn candidates(dir: &Path) -> Result<Vec<(PathBuf, Interface)>, Refusal> {
    let unreadable =
        |file: &Path, error: std::io::Error| Refusal::Unreadable { file: file.to_owned(), reason: error.to_string() };
    let metadata = match fs::metadata(dir) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Refusal::NotFound { dir: dir.to_owned() });
        }
        Err(error) => return Err(unreadable(dir, error)),
    };
    if !metadata.is_dir() {
        // Whatever it is called: reading it says what it is.
        return Ok(vec![(dir.to_owned(), main_library(dir).unwrap_or(Interface::Gateway))]);
    }
    let mut found = Vec::new();
    let mut other_product = None;
    for file in files_below(dir).map_err(|(at, error)| unreadable(&at, error))? {
        if let Some(interface) = main_library(&file) {
            found.push((file, interface));
        } else if is_called(&file, OTHER_PRODUCT) {
            other_product.get_or_insert(file);
        }
    }
    found.sort_by_key(|(_, interface)| *interface == Interface::Gateway);
    match (found.is_empty(), other_product) {
        (true, Some(file)) => Err(Refusal::OtherProduct { file, product: "the phone or device SDK" }),
        (true, None) => Err(Refusal::NotFound { dir: dir.to_owned() }),
        (false, _) => Ok(found),
    }
}

/// What the file of that name speaks, if it is a main library's name.
pub(super) fn main_library(file: &Path) -> Option<Interface> {
    if let Some((_, interface)) = MAIN.iter().find(|(name, _)| is_called(file, name)) {
        return Some(*interface);
    }
    let in_framework = file.parent()?.components().any(|part| part.as_os_str().eq_ignore_ascii_case(IRIS_FRAMEWORK));
    (in_framework && is_called(file, IRIS_IN_FRAMEWORK)).then_some(Interface::Iris)
}

fn is_called(file: &Path, name: &str) -> bool {
    file.file_name().is_some_and(|own| own.eq_ignore_ascii_case(name))
}

/// The files in a folder and below, the higher ones first, each level by name. Links to folders are not followed, and
/// what lies too deep or beyond [`ENTRIES`] is left out.
pub(super) fn files_below(dir: &Path) -> Result<Vec<PathBuf>, (PathBuf, std::io::Error)> {
    let mut files = Vec::new();
    let mut waiting = VecDeque::from([(dir.to_owned(), 1)]);
    let mut seen = 0;
    while let Some((folder, depth)) = waiting.pop_front() {
        let mut entries = match fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
            Ok(entries) => entries,
            // A folder below that is closed to us does not hide what lies beside it.
            Err(_) if depth > 1 => continue,
            Err(error) => return Err((folder, error)),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            seen += 1;
            if seen > ENTRIES {
                return Ok(files);
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => {
                    if depth < DEPTH {
                        waiting.push_back((entry.path(), depth + 1));
                    }
                }
                // Links to folders are left alone; whatever else has a library's name is looked at and judged there.
                Ok(kind) if kind.is_symlink() && entry.path().is_dir() => {}
                Ok(_) => files.push(entry.path()),
                Err(_) => {}
            }
        }
    }
    Ok(files)
}
