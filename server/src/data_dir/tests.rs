use std::collections::BTreeMap;

use super::{backup, restore, *};
use crate::{App, Config, OpenError, config::Switch};

const EMAIL: &str = "kept@people.test";

/// A data directory with an account, the keys and an upload.
async fn lived_in(dir: &Path) -> Config {
    let config = Config { rate_limits: Switch::Off, ..Config::new(dir.join("data")) };
    let app = App::open(config.clone()).await.unwrap();
    add_account(&app, EMAIL).await;
    app.store.close().await.unwrap();
    app.unlock();
    fs::create_dir_all(config.data_dir.join("uploads/ab")).unwrap();
    fs::write(config.data_dir.join("uploads/ab/cd"), "a picture").unwrap();
    config
}

async fn add_account(app: &App, email: &str) {
    let account = parley_store::NewAccount {
        email: email.to_owned(),
        password_hash: "x".to_owned(),
        name: "K".to_owned(),
        role: parley_domain::Role::Client,
        time_zone: None,
    };
    app.store.create_account(account, app.now()).await.unwrap();
}

async fn has_account(config: &Config, email: &str) -> bool {
    let app = App::open(config.clone()).await.unwrap();
    let found = app.store.credentials_by_email(email).await.unwrap().is_some();
    app.store.close().await.unwrap();
    app.unlock();
    found
}

/// What the directory holds, but for the lock.
fn files(config: &Config, folders: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let all = folders.iter().flat_map(|folder| files_below(&config.data_dir, folder).unwrap());
    all.map(|name| (name.clone(), fs::read(config.data_dir.join(&name)).unwrap())).collect()
}

#[tokio::test]
async fn a_second_server_is_refused_and_told_who_has_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::new(dir.path().join("data"));
    let first = App::open(config.clone()).await.unwrap();
    let error = App::open(config.clone()).await.err().unwrap();
    let OpenError::Locked(LockError::Held { process, .. }) = &error else { panic!("{error:?}") };
    assert_eq!(*process, Some(std::process::id()));
    assert!(is_locked(&config.data_dir));
    App::open_beside(config.clone()).await.unwrap().store.close().await.unwrap();
    first.store.close().await.unwrap();
    first.unlock();
    assert!(!is_locked(&config.data_dir));
    App::open(config).await.unwrap().store.close().await.unwrap();
}

#[tokio::test]
async fn no_command_migrates_the_database_of_a_server_that_runs() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::new(dir.path().join("data"));
    let older = App::open(config.clone()).await.unwrap();
    let raw = rusqlite::Connection::open(config.database()).unwrap();
    let history =
        "DELETE FROM refinery_schema_history WHERE version = (SELECT max(version) FROM refinery_schema_history)";
    raw.execute_batch(history).unwrap();
    let refused = App::open_beside(config).await.err().unwrap();
    assert!(matches!(refused, OpenError::OlderServerRuns { .. }), "{refused:?}");
    older.store.close().await.unwrap();
}

#[tokio::test]
async fn a_backup_taken_beside_a_server_restores_database_keys_and_uploads() {
    let dir = tempfile::tempdir().unwrap();
    let config = lived_in(dir.path()).await;
    let server = App::open(config.clone()).await.unwrap();
    let target = dir.path().join("backup.parley");
    let held = backup::write(&config.data_dir, &target).unwrap();
    assert_eq!((held.contents.users, held.files), (1, 3));
    assert!(matches!(backup::write(&config.data_dir, &target), Err(backup::BackupError::Exists(_))));
    let kept = files(&config, &[KEYS, UPLOADS]);
    add_account(&server, "later@people.test").await;
    server.store.close().await.unwrap();
    server.unlock();
    fs::write(config.data_dir.join("uploads/ab/later"), "later").unwrap();
    fs::write(config.data_dir.join("keys/token-key"), "changed").unwrap();

    let restored = restore::restore(&config.data_dir, &target, config.clock.now()).unwrap();
    assert_eq!(files(&config, &[KEYS, UPLOADS]), kept);
    assert!(has_account(&config, EMAIL).await);
    assert!(!has_account(&config, "later@people.test").await);
    assert_eq!(fs::read(restored.aside.join("uploads/ab/later")).unwrap(), b"later", "nothing old is deleted");
    assert!(restored.aside.join(DATABASE).is_file());
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "no partial file stays: {left:?}");

    let elsewhere = Config::new(dir.path().join("elsewhere"));
    create_dir(&elsewhere);
    restore::restore(&elsewhere.data_dir, &target, elsewhere.clock.now()).unwrap();
    assert!(has_account(&elsewhere, EMAIL).await);
    assert_eq!(files(&elsewhere, &[KEYS, UPLOADS]), kept);
}

fn create_dir(config: &Config) {
    crate::secrets::create_private_dir(&config.data_dir).unwrap();
}

#[tokio::test]
async fn a_restore_that_breaks_off_anywhere_is_finished_by_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let config = lived_in(dir.path()).await;
    let target = dir.path().join("backup.parley");
    backup::write(&config.data_dir, &target).unwrap();
    let kept = files(&config, &[KEYS, UPLOADS]);
    // The moves in their order; the exchange breaks off after each of them.
    for stop_after in 0.. {
        let other = Config::new(dir.path().join(format!("other-{stop_after}")));
        let app = App::open(other.clone()).await.unwrap();
        add_account(&app, "old@people.test").await;
        app.store.close().await.unwrap();
        app.unlock();
        fs::create_dir_all(other.data_dir.join("uploads")).unwrap();
        fs::write(other.data_dir.join("uploads/old"), "old").unwrap();
        let broke_off = restore::restore_until(&other.data_dir, &target, other.clock.now(), stop_after);
        assert_eq!(restore::is_interrupted(&other.data_dir), broke_off);
        assert!(has_account(&other, EMAIL).await, "after {stop_after} moves");
        assert!(!has_account(&other, "old@people.test").await, "after {stop_after} moves");
        assert_eq!(files(&other, &[KEYS, UPLOADS]), kept, "after {stop_after} moves");
        if !broke_off {
            assert!(stop_after >= 6, "every move was tried: {stop_after}");
            return;
        }
    }
}

#[tokio::test]
async fn what_is_no_whole_backup_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let config = lived_in(dir.path()).await;
    let target = dir.path().join("backup.parley");
    backup::write(&config.data_dir, &target).unwrap();
    let whole = fs::read(&target).unwrap();
    let mut changed = whole.clone();
    let at = changed.windows(9).position(|window| window == b"a picture").unwrap();
    changed[at] ^= 1;
    let garbage: [&[u8]; 4] = [b"", b"garbage that is no database at all", &whole[..whole.len() / 2], &changed];
    let before = files(&config, &[KEYS, UPLOADS]);
    for bytes in garbage {
        let damaged = dir.path().join("damaged");
        fs::write(&damaged, bytes).unwrap();
        assert!(restore::restore(&config.data_dir, &damaged, config.clock.now()).is_err());
        assert_eq!(files(&config, &[KEYS, UPLOADS]), before);
        assert!(has_account(&config, EMAIL).await);
    }
    let plain = config.database();
    assert!(restore::restore(&config.data_dir, &plain, config.clock.now()).is_err(), "a bare database is no backup");
}

#[tokio::test]
async fn a_database_that_went_is_not_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let config = lived_in(dir.path()).await;
    let database = config.database();
    let whole = fs::read(&database).unwrap();
    for damage in [|path: &Path| fs::remove_file(path).unwrap(), |path: &Path| fs::write(path, "").unwrap()] {
        damage(&database);
        for opened in [App::open(config.clone()).await, App::open_beside(config.clone()).await] {
            assert!(matches!(opened, Err(OpenError::DatabaseGone { path }) if path == database));
        }
        assert_eq!(fs::metadata(&database).map_or(0, |file| file.len()), 0, "nothing was put in its place");
        fs::write(&database, &whole).unwrap();
        assert!(has_account(&config, EMAIL).await);
    }
}

#[test]
fn a_backup_of_nothing_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let outcome = backup::write(dir.path(), &dir.path().join("backup"));
    assert!(matches!(outcome, Err(backup::BackupError::NothingThere(_))));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_upload_that_is_missing_or_cut_short_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let config = lived_in(dir.path()).await;
    let raw = rusqlite::Connection::open(config.database()).unwrap();
    let insert = "INSERT INTO attachments (id, uploader_id, name, size, media_type, sha256, created_at)
        SELECT randomblob(16), id, 'a.txt', 9, 'text/plain', randomblob(32), 1 FROM users";
    raw.execute_batch(insert).unwrap();
    let [(id, 9)] = sqlite::kept_files(&config.database()).unwrap()[..] else { panic!("one file is kept") };
    let file = config.data_dir.join(UPLOADS).join(id.to_string());
    for (bytes, is_found) in [(None, true), (Some("a pictur"), true), (Some("a picture"), false)] {
        if let Some(bytes) = bytes {
            fs::write(&file, bytes).unwrap();
        }
        let found = upload_findings(&config.data_dir).unwrap();
        assert_eq!(found.iter().map(|finding| finding.subject.clone()).collect::<Vec<_>>(), {
            if is_found { vec![id.to_string()] } else { Vec::new() }
        });
    }
}
