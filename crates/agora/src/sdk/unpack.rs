//! Taking the libraries out of a download, and nothing else: foreign bytes, of which no name and no number is believed.
//!
//! A library lands in the folder under its file name alone (below a macOS framework under its path in that), so that
//! what belongs together lies together. What is not for this machine is left out.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

// `zip` leaves open what inflates its entries; naming this crate chooses the one in Rust.
use flate2 as _;
use zip::{CompressionMethod, ZipArchive, result::ZipError};

use super::{InstallError, Machine, Refusal, System, binary, find, install::write_error};

/// More bytes than all libraries of a download have.
const LARGEST: u64 = 2 << 30;
/// Libraries shrink to a third or so. What shrinks to a hundredth was made to fill disks.
const RATIO: u64 = 100;
/// Below this nobody looks at the ratio.
const SMALL: u64 = 1 << 20;
const LONGEST_NAME: usize = 1024;

/// Fills one folder from downloads.
pub(super) struct Unpacking<'a> {
    into: &'a Path,
    /// Bytes that may still be written.
    left: u64,
    /// Why the first main library that was met was left out.
    pub(super) refused: Option<Refusal>,
}

/// What an entry is to us.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// A library, with the path that it gets.
    Library(PathBuf),
    /// Belongs to a framework or is the licence: taken as it is.
    Companion(PathBuf),
    /// Headers, examples, import libraries, programs.
    Nothing,
}

/// One file of a download that is needed.
struct Piece<T> {
    /// Where it comes from.
    source: T,
    /// Its path in the download.
    name: String,
    part: Part,
    /// It lies in another folder than the download's main library, so it may belong to something else in there.
    is_stray: bool,
}

impl<'a> Unpacking<'a> {
    pub(super) fn into(folder: &'a Path) -> Self {
        Self { into: folder, left: LARGEST, refused: None }
    }

    /// Takes what is needed out of a zip file or a folder.
    pub(super) fn take(&mut self, download: &Path) -> Result<(), InstallError> {
        let unreadable =
            |error: io::Error| InstallError::Unreadable { file: download.to_owned(), reason: error.to_string() };
        let metadata = fs::metadata(download).map_err(unreadable)?;
        if metadata.is_dir() {
            return self.take_folder(download);
        }
        if !metadata.is_file() {
            return Err(InstallError::Damaged { file: download.to_owned(), what: "no file".to_owned() });
        }
        self.take_zip(download, File::open(download).map_err(unreadable)?, metadata.len())
    }

    fn take_folder(&mut self, folder: &Path) -> Result<(), InstallError> {
        let unreadable = |file: PathBuf, error: io::Error| InstallError::Unreadable { file, reason: error.to_string() };
        let mut wanted = Vec::new();
        for file in find::files_below(folder).map_err(|(at, error)| unreadable(at, error))? {
            let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            // Names of a person's own disk: what is odd about them is no attack, and no library of Agora's.
            let part = part_of(&name).unwrap_or(Part::Nothing);
            if part != Part::Nothing && file.is_file() {
                wanted.push(Piece { source: file, name, part, is_stray: false });
            }
        }
        put_strays_last(&mut wanted);
        for piece in wanted {
            let mut source = File::open(&piece.source).map_err(|error| unreadable(piece.source.clone(), error))?;
            self.keep(folder, &piece, u64::MAX, &mut source)?;
        }
        Ok(())
    }

    fn take_zip(&mut self, file: &Path, opened: File, length: u64) -> Result<(), InstallError> {
        let mut zip = ZipArchive::new(opened).map_err(|error| zip_error(file, "", error))?;
        if zip.len() > find::ENTRIES {
            let what = format!("{} entries, at most {} are read", zip.len(), find::ENTRIES);
            return Err(InstallError::TooLarge { file: file.to_owned(), what });
        }
        // Every name is looked at before the first byte is written.
        let mut wanted = Vec::new();
        for index in 0..zip.len() {
            let entry = zip.by_index_data(index).map_err(|error| zip_error(file, "", error))?;
            let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
            let Some(part) = part_of(&name) else {
                return Err(InstallError::UnsafeName { file: file.to_owned(), entry: shown(&name) });
            };
            let is_plain = entry.unix_mode().is_none_or(|mode| matches!(mode & 0o170_000, 0 | 0o040_000 | 0o100_000));
            if !is_plain {
                // Frameworks are made of links by custom; the files that they lead to are there as well.
                if part_in_framework(&name) {
                    continue;
                }
                return Err(InstallError::Link { file: file.to_owned(), entry: shown(&name) });
            }
            if part == Part::Nothing || entry.is_dir() {
                continue;
            }
            if entry.encrypted() {
                return Err(InstallError::Encrypted { file: file.to_owned(), entry: shown(&name) });
            }
            if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
                return Err(InstallError::Compression { file: file.to_owned(), entry: shown(&name) });
            }
            wanted.push(Piece { source: index, name, part, is_stray: false });
        }
        put_strays_last(&mut wanted);
        let mut budget = length.saturating_mul(RATIO).max(SMALL);
        for piece in wanted {
            let mut entry = zip.by_index(piece.source).map_err(|error| zip_error(file, &piece.name, error))?;
            let written = self.keep(file, &piece, budget, &mut entry)?;
            budget = budget.saturating_sub(written);
        }
        Ok(())
    }

    /// Writes one part of a download, if it is for this machine. Answers how many bytes it had.
    fn keep<T>(
        &mut self,
        download: &Path,
        piece: &Piece<T>,
        budget: u64,
        source: &mut impl Read,
    ) -> Result<u64, InstallError> {
        let name = &piece.name;
        let (target, is_library) = match &piece.part {
            Part::Library(target) => (target, true),
            Part::Companion(target) => (target, false),
            Part::Nothing => return Ok(0),
        };
        let failed = |error: &io::Error| write_error(self.into, error);
        let fresh = self.into.join(".unpacking");
        let mut file = File::create(&fresh).map_err(|error| failed(&error))?;
        let allowed = budget.min(self.left);
        let written = match copy(source, &mut file, allowed) {
            Ok(written) => written,
            Err(Copying::Reading(error)) => {
                let what = format!("{}: {error}", shown(name));
                return Err(InstallError::Damaged { file: download.to_owned(), what });
            }
            Err(Copying::Writing(error)) => return Err(failed(&error)),
            Err(Copying::TooMuch) => {
                let what = format!("{} unpacks to more than {} MiB", shown(name), allowed >> 20);
                return Err(InstallError::TooLarge { file: download.to_owned(), what });
            }
        };
        file.sync_all().map_err(|error| failed(&error))?;
        drop(file);
        self.left -= written;
        if is_library && let Err(refusal) = binary::read(&fresh, Machine::ours()) {
            if find::main_library(target).is_some() {
                self.refused.get_or_insert(refusal.moved(&fresh, &download.join(name)));
            }
            return fs::remove_file(&fresh).map_err(|error| failed(&error)).map(|()| written);
        }
        let place = self.into.join(target);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(|error| failed(&error))?;
        }
        if let Some(earlier) = namesake(&place).map_err(|error| failed(&error))? {
            let is_same = same_content(&earlier, &fresh).map_err(|error| failed(&error))?;
            if is_library && !is_same && !piece.is_stray {
                let name = target.display().to_string();
                return Err(InstallError::Clash { file: download.to_owned(), name });
            }
            return fs::remove_file(&fresh).map_err(|error| failed(&error)).map(|()| written);
        }
        fs::rename(&fresh, &place).map_err(|error| failed(&error))?;
        if is_library
            && let Some(short) = short_path(target).map(|short| self.into.join(short))
            && !short.exists()
        {
            // In the download a link leads there, and some libraries ask for their siblings by it.
            fs::hard_link(&place, &short).map_err(|error| failed(&error))?;
        }
        Ok(written)
    }
}

/// What lies beside a main library goes before what lies elsewhere: some downloads hold another product, with libraries
/// of the same names and other content.
fn put_strays_last<T>(wanted: &mut [Piece<T>]) {
    let folder = |name: &str| name.rsplit_once(['/', '\\']).map_or(String::new(), |(folder, _)| folder.to_owned());
    let is_main = |piece: &&Piece<T>| matches!(&piece.part, Part::Library(to) if find::main_library(to).is_some());
    let homes: Vec<String> = wanted.iter().filter(is_main).map(|piece| folder(&piece.name)).collect();
    for piece in wanted.iter_mut() {
        piece.is_stray = !homes.is_empty() && !homes.contains(&folder(&piece.name));
    }
    wanted.sort_by_key(|piece| piece.is_stray);
}

/// `X.framework/X` for `X.framework/Versions/A/X`.
fn short_path(target: &Path) -> Option<PathBuf> {
    let steps: Vec<_> = target.iter().collect();
    match steps[..] {
        [framework, versions, _, own] if versions == "Versions" => Some(Path::new(framework).join(own)),
        _ => None,
    }
}

/// What an entry of that name is to us. `None`: it would lead out of its folder, or could on some system.
fn part_of(name: &str) -> Option<Part> {
    let is_unsafe = name.is_empty()
        || name.len() > LONGEST_NAME
        || name.starts_with(['/', '\\'])
        || name.contains(|c: char| c == ':' || c.is_control())
        || name.split(['/', '\\']).any(|step| step == "..");
    if is_unsafe {
        return None;
    }
    let steps: Vec<&str> = name.split(['/', '\\']).filter(|step| !matches!(*step, "" | ".")).collect();
    let Some(own) = steps.last() else { return Some(Part::Nothing) };
    let is_dust = steps.contains(&"__MACOSX") || own.starts_with('.');
    let framework = steps.iter().position(|step| is_framework(step));
    // Only these become names on this disk; the folders above may be called as a person likes.
    let kept = &steps[framework.unwrap_or(steps.len() - 1)..];
    if is_dust || name.ends_with(['/', '\\']) || !kept.iter().all(|step| is_plain(step)) {
        return Some(Part::Nothing);
    }
    if let Some(at) = framework {
        let path: PathBuf = kept.iter().collect();
        if steps[at].strip_suffix(".framework") == Some(own) {
            return Some(Part::Library(path));
        }
        let is_for_compilers = steps.iter().any(|step| matches!(*step, "Headers" | "PrivateHeaders" | "Modules"));
        let is_wanted = Machine::ours().system == System::MacOs && !is_for_compilers;
        return Some(if is_wanted { Part::Companion(path) } else { Part::Nothing });
    }
    let lower = own.to_ascii_lowercase();
    let is_library = [".so", ".dll", ".dylib"].iter().any(|ending| lower.ends_with(ending)) || lower.contains(".so.");
    let is_licence = lower.starts_with("license") || lower.starts_with("licence");
    Some(match (is_library, is_licence) {
        (true, _) => Part::Library(PathBuf::from(own)),
        (false, true) => Part::Companion(PathBuf::from(own)),
        (false, false) => Part::Nothing,
    })
}

fn part_in_framework(name: &str) -> bool {
    name.split(['/', '\\']).any(is_framework)
}

fn is_framework(step: &str) -> bool {
    step.strip_suffix(".framework").is_some_and(|stem| !stem.is_empty())
}

/// A name that every system takes literally.
fn is_plain(step: &str) -> bool {
    const DEVICES: &[&str] = &["con", "prn", "aux", "nul"];
    let stem = step.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_numbered_device = ["com", "lpt"].iter().any(|device| {
        stem.strip_prefix(device).is_some_and(|number| number.len() == 1 && number.chars().all(|c| c.is_ascii_digit()))
    });
    step.len() <= 128
        && !step.ends_with(['.', ' '])
        && step.chars().all(|c| c.is_ascii_alphanumeric() || "._+- ()@".contains(c))
        && !DEVICES.contains(&stem.as_str())
        && !is_numbered_device
}

enum Copying {
    Reading(io::Error),
    Writing(io::Error),
    TooMuch,
}

fn copy(source: &mut impl Read, target: &mut impl Write, allowed: u64) -> Result<u64, Copying> {
    let mut buffer = vec![0; 128 * 1024];
    let mut written = 0;
    loop {
        let read = match source.read(&mut buffer) {
            Ok(0) => return Ok(written),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Copying::Reading(error)),
        };
        written += read as u64;
        if written > allowed {
            return Err(Copying::TooMuch);
        }
        target.write_all(&buffer[..read]).map_err(Copying::Writing)?;
    }
}

/// A file that is already there under this name, capitals aside: on Windows and macOS they would be one file.
fn namesake(place: &Path) -> io::Result<Option<PathBuf>> {
    let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else { return Ok(None) };
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().eq_ignore_ascii_case(name) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

fn same_content(one: &Path, other: &Path) -> io::Result<bool> {
    if !one.is_file() || fs::metadata(one)?.len() != fs::metadata(other)?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut here, mut there) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let read = one.read(&mut here)?;
        if read == 0 {
            return Ok(true);
        }
        other.read_exact(&mut there[..read])?;
        if here[..read] != there[..read] {
            return Ok(false);
        }
    }
}

/// An entry's name for people: of any bytes, but short and on one line.
fn shown(name: &str) -> String {
    let mut text: String = name.chars().take(120).flat_map(char::escape_debug).collect();
    if name.chars().count() > 120 {
        text.push('…');
    }
    text
}

fn zip_error(file: &Path, entry: &str, error: ZipError) -> InstallError {
    let file = file.to_owned();
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            InstallError::Encrypted { file, entry: shown(entry) }
        }
        other => InstallError::Damaged { file, what: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn full_disk_is_told_as_such() {
        let room = tempfile::tempdir().unwrap();
        let download = room.path().join("download");
        fs::create_dir(&download).unwrap();
        fs::write(download.join("libaosl.so"), "something").unwrap();
        let into = room.path().join("into");
        fs::create_dir(&into).unwrap();
        // Whatever is written to it finds no room.
        std::os::unix::fs::symlink("/dev/full", into.join(".unpacking")).unwrap();
        let error = Unpacking::into(&into).take(&download).unwrap_err();
        assert!(matches!(error, InstallError::DiskFull { .. }), "{error:?}");
    }

    #[test]
    fn entries_are_sorted_into_what_is_needed_and_what_is_not() {
        let library = |path: &str| Some(Part::Library(path.into()));
        assert_eq!(part_of("agora_sdk/libaosl.so"), library("libaosl.so"));
        assert_eq!(part_of("./x64//Release/AgoraRtcWrapper.dll"), library("AgoraRtcWrapper.dll"));
        assert_eq!(part_of("x64\\Release\\AgoraRtcWrapper.dll"), library("AgoraRtcWrapper.dll"));
        assert_eq!(part_of("lib/libx.so.1.2"), library("libx.so.1.2"));
        assert_eq!(
            part_of("libs/A.xcframework/macos-arm64_x86_64/A.framework/Versions/A/A"),
            library("A.framework/Versions/A/A")
        );
        assert_eq!(part_of("声网 [x64]/agora_sdk/libaosl.so"), library("libaosl.so"));
        assert_eq!(part_of("téléchargé/A.framework/A"), library("A.framework/A"));
        assert_eq!(part_of("sdk/LICENSE"), Some(Part::Companion("LICENSE".into())));
        for name in [
            "agora_sdk/",
            "agora_sdk/include/agora.h",
            "x64/Release/AgoraRtcWrapper.lib",
            "setup.exe",
            "__MACOSX/._libaosl.so",
            "._libaosl.so",
            "con.dll",
            "COM1.so",
            "lib\u{202e}x.so",
            "libx.so. ",
            "A.framework/声网/A",
            "a/.",
        ] {
            assert_eq!(part_of(name), Some(Part::Nothing), "{name:?}");
        }
        for name in ["", "..", "/x.so", "a/..", "a\\..\\b.so", "d:x.so", "a\nb.so", &"x".repeat(2000)] {
            assert_eq!(part_of(name), None, "{name:?}");
        }
    }

    #[test]
    fn names_are_shown_on_one_short_line() {
        assert_eq!(shown("a\nb\u{7}"), "a\\nb\\u{7}");
        assert!(shown(&"x".repeat(5000)).chars().count() <= 121);
    }
}
