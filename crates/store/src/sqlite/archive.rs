//! Files inside a copy of the database: what makes a copy a backup of a whole data directory. One table more, each file
//! in parts, each part with its hash.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Component, Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, params};
use sha2::{Digest, Sha256};

use super::{
    copy::{io_error, open_still},
    db::error_of,
};
use crate::StoreError;

/// Files are cut into parts of this size: far below SQLite's largest value.
const PART_BYTES: usize = 4 * 1024 * 1024;

/// Puts files into a copy of the database, under relative names. A file that went away meanwhile is left out; answers
/// how many are in.
///
/// # Errors
/// `Full`, `Io` and what else writing the copy or reading a file says.
pub fn put_files(copy: &Path, root: &Path, names: &[String]) -> Result<u64, StoreError> {
    let mut conn = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(error_of)?;
    conn.pragma_update(None, "synchronous", "FULL").map_err(error_of)?;
    let tx = conn.transaction().map_err(error_of)?;
    tx.execute_batch(
        "CREATE TABLE backup_files (
             path TEXT NOT NULL, part INTEGER NOT NULL, sha256 BLOB NOT NULL, content BLOB NOT NULL,
             PRIMARY KEY (path, part)) STRICT",
    )
    .map_err(error_of)?;
    let mut count = 0;
    for name in names {
        let path = root.join(name);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io_error(&path, &error)),
        };
        let mut part = 0_i64;
        loop {
            let mut content = Vec::new();
            (&mut file).take(PART_BYTES as u64).read_to_end(&mut content).map_err(|error| io_error(&path, &error))?;
            if content.is_empty() && part > 0 {
                break;
            }
            let hash = Sha256::digest(&content);
            tx.prepare_cached("INSERT INTO backup_files (path, part, sha256, content) VALUES (?1, ?2, ?3, ?4)")
                .and_then(|mut statement| statement.execute(params![name, part, hash.as_slice(), content]))
                .map_err(error_of)?;
            if content.len() < PART_BYTES {
                break;
            }
            part += 1;
        }
        count += 1;
    }
    tx.commit().map_err(error_of)?;
    conn.close().map_err(|(_, error)| error_of(error))?;
    Ok(count)
}

/// Reads every file of a backup, checks each part and hands it to `take` with its place in the file.
fn read_files(
    backup: &Path,
    mut take: impl FnMut(&str, i64, &[u8]) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let conn = open_still(backup)?;
    let has_files: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'backup_files'", (), |row| row.get(0))
        .map_err(error_of)?;
    if has_files == 0 {
        return Err(StoreError::Corrupt("this is a database, but no backup: it holds no files".into()));
    }
    let mut statement =
        conn.prepare("SELECT path, part, sha256, content FROM backup_files ORDER BY path, part").map_err(error_of)?;
    let mut rows = statement.query(()).map_err(error_of)?;
    let mut parts: BTreeMap<String, i64> = BTreeMap::new();
    while let Some(row) = rows.next().map_err(error_of)? {
        let (path, part): (String, i64) = (row.get(0).map_err(error_of)?, row.get(1).map_err(error_of)?);
        let (hash, content): (Vec<u8>, Vec<u8>) = (row.get(2).map_err(error_of)?, row.get(3).map_err(error_of)?);
        let expected = parts.entry(path.clone()).or_default();
        if part != *expected || Sha256::digest(&content).as_slice() != hash {
            return Err(StoreError::Corrupt(format!("the file {path} in the backup is damaged")));
        }
        *expected += 1;
        take(&path, part, &content)?;
    }
    Ok(parts.len() as u64)
}

/// Checks every file of a backup; answers how many there are.
///
/// # Errors
/// `Corrupt` for a damaged part or for what is no backup.
pub fn verify_files(backup: &Path) -> Result<u64, StoreError> {
    read_files(backup, |path, _, _| inside(Path::new(""), path).map(drop))
}

/// Writes the files of a backup below an empty directory, readable by their owner only, each on the disk.
///
/// # Errors
/// As [`verify_files`], and what writing says.
pub fn extract_files(backup: &Path, root: &Path) -> Result<u64, StoreError> {
    let mut current: Option<(String, File)> = None;
    let count = read_files(backup, |path, part, content| {
        let target = inside(root, path)?;
        let failed = |error: io::Error| io_error(&target, &error);
        if part == 0 {
            finish(current.take())?;
            if let Some(folder) = target.parent() {
                create_private_folder(folder).map_err(failed)?;
            }
            current = Some((path.to_owned(), create_private_file(&target).map_err(failed)?));
        }
        match &mut current {
            Some((_, file)) => file.write_all(content).map_err(failed),
            None => Err(StoreError::Corrupt(format!("the file {path} in the backup has no beginning"))),
        }
    })?;
    finish(current)?;
    Ok(count)
}

fn finish(file: Option<(String, File)>) -> Result<(), StoreError> {
    file.map_or(Ok(()), |(path, file)| file.sync_all().map_err(|error| io_error(Path::new(&path), &error)))
}

/// Takes the files out of a backup that was copied into its place, so that only the database is left.
///
/// # Errors
/// What writing says.
pub fn drop_files(copy: &Path) -> Result<(), StoreError> {
    let conn = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(error_of)?;
    conn.execute_batch("DROP TABLE backup_files; VACUUM").map_err(error_of)?;
    conn.close().map_err(|(_, error)| error_of(error))
}

/// The place of a file of a backup. Names that lead elsewhere are damage, or worse.
fn inside(root: &Path, name: &str) -> Result<PathBuf, StoreError> {
    let path = Path::new(name);
    let is_plain = !name.contains('\\') && path.components().all(|part| matches!(part, Component::Normal(_)));
    if is_plain && path.components().next().is_some() {
        Ok(root.join(path))
    } else {
        Err(StoreError::Corrupt(format!("the backup holds a file with the name {name:?}")))
    }
}

#[cfg(unix)]
fn create_private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private_file(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SqliteOptions, SqliteStore, Store, sqlite::copy};

    async fn backup(folder: &Path, files: &[(&str, Vec<u8>)]) -> PathBuf {
        let store = SqliteStore::open(folder.join("db"), &SqliteOptions::default()).unwrap();
        store.close().await.unwrap();
        let made = folder.join("backup");
        copy(&folder.join("db"), &made).unwrap();
        for (name, content) in files {
            let path = folder.join("data").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let mut names: Vec<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
        names.push("uploads/went-away".to_owned());
        assert_eq!(put_files(&made, &folder.join("data"), &names).unwrap(), files.len() as u64);
        made
    }

    #[tokio::test]
    async fn files_come_back_as_they_went_in() {
        let folder = tempfile::tempdir().unwrap();
        let large: Vec<u8> = (0..PART_BYTES * 2).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let files = [("keys/a", b"secret".to_vec()), ("uploads/x/empty", Vec::new()), ("uploads/y/large", large)];
        let made = backup(folder.path(), &files).await;
        assert_eq!(verify_files(&made).unwrap(), 3);
        let out = folder.path().join("out");
        assert_eq!(extract_files(&made, &out).unwrap(), 3);
        for (name, content) in files {
            assert!(fs::read(out.join(name)).unwrap() == content, "{name}");
        }
        drop_files(&made).unwrap();
        assert!(matches!(verify_files(&made), Err(StoreError::Corrupt(_))));
        crate::sqlite::verify(&made).unwrap();
        assert!(fs::metadata(&made).unwrap().len() < PART_BYTES as u64, "the room of the files is given back");
    }

    #[tokio::test]
    async fn a_changed_byte_and_a_missing_part_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let made = backup(folder.path(), &[("uploads/a", vec![7; PART_BYTES + 1])]).await;
        for damage in
            ["UPDATE backup_files SET content = x'00' WHERE part = 1", "DELETE FROM backup_files WHERE part = 0"]
        {
            let copied = folder.path().join("damaged");
            fs::copy(&made, &copied).unwrap();
            Connection::open(&copied).unwrap().execute_batch(damage).unwrap();
            assert!(matches!(verify_files(&copied), Err(StoreError::Corrupt(_))), "{damage}");
            assert!(extract_files(&copied, &folder.path().join("out")).is_err());
            fs::remove_dir_all(folder.path().join("out")).ok();
        }
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        for name in ["", "/etc/passwd", "../x", "keys/../../x", "a/./b/../c", "..\\x"] {
            assert!(inside(Path::new("/data"), name).is_err(), "{name}");
        }
        assert_eq!(inside(Path::new("/data"), "keys/a").unwrap(), Path::new("/data/keys/a"));
    }
}
