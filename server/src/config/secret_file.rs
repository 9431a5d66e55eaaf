//! Secrets that lie in files: the first line of one.

use std::{fs, io, io::BufRead, io::Read, path::Path};

use super::Secret;

/// Nothing longer is a secret of this server.
const MAX_BYTES: u64 = 64 * 1024;

/// What was found in the file of a secret.
pub(super) struct Found {
    pub(super) secret: Secret,
    /// Whether everybody on the machine can read it.
    pub(super) is_open_to_all: bool,
}

/// Reads the first line, without its end.
pub(super) fn read(path: &Path) -> io::Result<Found> {
    let file = fs::File::open(path)?;
    let is_open_to_all = is_open_to_all(&file)?;
    let mut line = String::new();
    io::BufReader::new(file.take(MAX_BYTES)).read_line(&mut line)?;
    Ok(Found { secret: Secret::new(line.trim_end_matches(['\r', '\n'])), is_open_to_all })
}

#[cfg(unix)]
fn is_open_to_all(file: &fs::File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o004 != 0)
}

/// Elsewhere rights are lists, which this does not read.
#[cfg(not(unix))]
fn is_open_to_all(_: &fs::File) -> io::Result<bool> {
    Ok(false)
}
