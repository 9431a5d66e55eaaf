//! Putting a downloaded library into its place, whole or not at all, and taking it away.
//!
//! A download is unpacked into a fresh folder beside the place, looked at there, and only what fits takes the place of
//! the library before. Until then, and whenever something is refused or interrupted, the earlier one stays as it was.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::{Fit, Machine, Refusal, inspect, unpack::Unpacking};

/// Beside the libraries: the names of the downloads that they came from, one a line.
const DOWNLOADS: &str = "downloads.txt";
/// A program that this process starts at the same moment has its lock, too, until it begins to run.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
const LOCK_LOOK: Duration = Duration::from_millis(20);

/// Why a download was not installed, or an installed library not removed. What was there before is still there.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The download can't be read.
    #[error("{} can't be read ({reason})", file.display())]
    Unreadable {
        /// Which file or folder.
        file: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The download is no zip, or one that was cut off or changed on the way.
    #[error("{} is not a whole zip file ({what}); download it again", file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Parts of it can be read with a password only.
    #[error("{} is encrypted ({entry}); Agora's own downloads are not, take one of those", file.display())]
    Encrypted {
        /// Which file.
        file: PathBuf,
        /// Which entry.
        entry: String,
    },
    /// A way of compressing that Agora's downloads don't use.
    #[error("{} is compressed in a way that is not read here ({entry}); unpack it and choose the folder", file.display())]
    Compression {
        /// Which file.
        file: PathBuf,
        /// Which entry.
        entry: String,
    },
    /// An entry that would be written somewhere else than into its own folder.
    #[error("{} has an entry that points outside of it ({entry}); nothing of it was used", file.display())]
    UnsafeName {
        /// Which file.
        file: PathBuf,
        /// Which entry.
        entry: String,
    },
    /// A link, which could point anywhere.
    #[error("{} has a link in it ({entry}); unpack it and choose the folder", file.display())]
    Link {
        /// Which file.
        file: PathBuf,
        /// Which entry.
        entry: String,
    },
    /// More entries, more bytes or a smaller zip than a library of Agora's can have.
    #[error("{} is too large to be a library of Agora's ({what}); nothing of it was used", file.display())]
    TooLarge {
        /// Which file.
        file: PathBuf,
        /// What was counted.
        what: String,
    },
    /// Two different libraries of one name, for this machine both.
    #[error("{} has two different libraries called {name}; choose the folder of the right one", file.display())]
    Clash {
        /// Which file or folder.
        file: PathBuf,
        /// The name, as the second has it.
        name: String,
    },
    /// What was unpacked would not work here.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No room.
    #[error("the disk of {} is full; the library needs about 300 MiB", dir.display())]
    DiskFull {
        /// Where it should have gone.
        dir: PathBuf,
    },
    /// The place can't be written to.
    #[error("{} can't be changed ({reason}); if Parley has called over it since it was started, start Parley again and then try again", dir.display())]
    Place {
        /// Which folder.
        dir: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Somebody else installs at this moment.
    #[error("{} is being changed by another Parley; try again when it has finished", dir.display())]
    Busy {
        /// Which folder.
        dir: PathBuf,
    },
}

/// Unpacks what is needed of `downloads` (zip files or folders; Iris comes as two) and puts it at `place`, instead of
/// what was there. Blocks for seconds. What `trial` refuses of what fits by its tables is not installed either
/// ([`super::load_apart`] loads it, which only then shows whether this system has all that it needs).
///
/// # Errors
/// Why not; then `place` is as it was.
pub fn install(
    downloads: &[&Path],
    place: &Path,
    trial: impl FnOnce(&Fit) -> Result<(), Refusal>,
) -> Result<Fit, InstallError> {
    let around = Around::of(place)?;
    let _lock = around.lock()?;
    around.tidy()?;
    fs::create_dir(&around.new).map_err(|error| around.failed(&error))?;
    let outcome = fill(downloads, &around, trial).and_then(|fit| {
        around.take_place()?;
        Ok(fit)
    });
    if outcome.is_err() {
        // What stays behind in spite of this is cleared away by the next attempt.
        let _ = fs::remove_dir_all(&around.new);
    }
    outcome
}

/// Takes the installed library away. A process that has loaded it keeps what it has.
///
/// # Errors
/// When the folder can't be changed; on Windows that is so while a process runs that has loaded the library.
pub fn remove(place: &Path) -> Result<(), InstallError> {
    let around = Around::of(place)?;
    let _lock = around.lock()?;
    around.tidy()?;
    match fs::rename(place, &around.gone) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(around.failed(&error)),
        Ok(()) => fs::remove_dir_all(&around.gone).map_err(|error| around.failed(&error)),
    }
}

/// The names of the downloads that the library at `place` was installed from, for people; empty if nobody noted them.
pub fn downloads(place: &Path) -> Vec<String> {
    let noted = fs::read_to_string(place.join(DOWNLOADS)).unwrap_or_default();
    noted.lines().take(8).map(|line| line.chars().take(200).collect()).collect()
}

/// Fills the fresh folder and looks at it. The answer speaks of the place where it will lie.
fn fill(
    downloads: &[&Path],
    around: &Around,
    trial: impl FnOnce(&Fit) -> Result<(), Refusal>,
) -> Result<Fit, InstallError> {
    let mut unpacking = Unpacking::into(&around.new);
    for download in downloads {
        unpacking.take(download)?;
    }
    let refused = unpacking.refused;
    let named = downloads.first().copied().unwrap_or(&around.place);
    let mut fit = inspect(&around.new).map_err(|refusal| match (refusal, refused) {
        // Nothing was left, because what there was is not for this machine: that is the news.
        (Refusal::NotFound { .. }, Some(refusal)) => refusal,
        (refusal, _) => refusal.moved(&around.new, named),
    })?;
    trial(&fit).map_err(|refusal| refusal.moved(&around.new, named))?;
    let names: String =
        downloads.iter().filter_map(|path| Some(format!("{}\n", path.file_name()?.display()))).collect();
    let noted = File::create(around.new.join(DOWNLOADS)).and_then(|mut file| {
        file.write_all(names.as_bytes())?;
        file.sync_all()
    });
    noted.map_err(|error| around.failed(&error))?;
    let at_its_place = |file: &Path| around.place.join(file.strip_prefix(&around.new).unwrap_or(file));
    fit.library = at_its_place(&fit.library);
    fit.siblings = fit.siblings.iter().map(|file| at_its_place(file)).collect();
    debug_assert_eq!(fit.machine, Machine::ours());
    Ok(fit)
}

/// The place and the folders beside it that stand for the steps of a change.
struct Around {
    place: PathBuf,
    /// Being filled.
    new: PathBuf,
    /// The one before, while the new one takes its place; [`super::place`] finds it meanwhile.
    old: PathBuf,
    /// Being removed.
    gone: PathBuf,
    lock: PathBuf,
}

impl Around {
    fn of(place: &Path) -> Result<Self, InstallError> {
        let beside = |ending: &str| {
            let mut name = place.file_name().unwrap_or_default().to_owned();
            name.push(ending);
            place.with_file_name(name)
        };
        let around = Self {
            place: place.to_owned(),
            new: beside(".new"),
            old: beside(".old"),
            gone: beside(".gone"),
            lock: beside(".lock"),
        };
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(|error| around.failed(&error))?;
        }
        Ok(around)
    }

    fn lock(&self) -> Result<File, InstallError> {
        let file = File::create(&self.lock).map_err(|error| self.failed(&error))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_PATIENCE => thread::sleep(LOCK_LOOK),
                Err(TryLockError::WouldBlock) => return Err(InstallError::Busy { dir: self.place.clone() }),
                Err(TryLockError::Error(error)) => return Err(self.failed(&error)),
            }
        }
    }

    /// Clears away what an interrupted change left, and finishes it the safe way: the library before comes back.
    fn tidy(&self) -> Result<(), InstallError> {
        if self.old.is_dir() && !self.place.exists() {
            fs::rename(&self.old, &self.place).map_err(|error| self.failed(&error))?;
        }
        for folder in [&self.new, &self.old, &self.gone] {
            match fs::remove_dir_all(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.failed(&error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn take_place(&self) -> Result<(), InstallError> {
        let had_one = match fs::rename(&self.place, &self.old) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(self.failed(&error)),
        };
        if let Err(error) = fs::rename(&self.new, &self.place) {
            if had_one {
                // If even this fails, the next change finds the old one and brings it back.
                let _ = fs::rename(&self.old, &self.place);
            }
            return Err(self.failed(&error));
        }
        if had_one {
            // It works without; the next change clears it away.
            let _ = fs::remove_dir_all(&self.old);
        }
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> InstallError {
        write_error(&self.place, error)
    }
}

/// What a failed write to `dir` is to a person.
pub(super) fn write_error(dir: &Path, error: &io::Error) -> InstallError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => InstallError::DiskFull { dir: dir.to_owned() },
        _ => InstallError::Place { dir: dir.to_owned(), reason: error.to_string() },
    }
}
