//! The contract on SQLite, and what is SQLite's own: the file, the writer, the locks in the schema.

use std::sync::{Arc, mpsc};

use async_trait::async_trait;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::suite::{Harness, World, at};

mod files;
mod migrations;
mod steps;

struct SqliteHarness {
    folder: TempDir,
}

impl SqliteHarness {
    fn path(&self) -> PathBuf {
        self.folder.path().join("parley.db")
    }

    fn open_store(&self) -> SqliteStore {
        SqliteStore::open(self.path(), &SqliteOptions::default()).unwrap()
    }

    /// The file as an operator would open it.
    fn raw(&self) -> Connection {
        let conn = Connection::open(self.path()).unwrap();
        conn.pragma_update(None, "foreign_keys", true).unwrap();
        conn
    }
}

#[async_trait]
impl Harness for SqliteHarness {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.open_store())
    }
}

fn fresh() -> SqliteHarness {
    SqliteHarness { folder: TempDir::new().unwrap() }
}

mod contract {
    crate::store_suite!(crate::sqlite::tests::fresh);
}

fn refusal(harness: &SqliteHarness) -> StoreError {
    SqliteStore::open(harness.path(), &SqliteOptions::default()).err().unwrap()
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let harness = fresh();
    std::fs::write(harness.path(), "not a database, but longer than a header of one hundred bytes. ".repeat(9))
        .unwrap();
    let before = std::fs::read(harness.path()).unwrap();
    assert!(matches!(refusal(&harness), StoreError::Corrupt(_)));
    assert_eq!(std::fs::read(harness.path()).unwrap(), before);
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let harness = fresh();
    harness.raw().execute_batch("CREATE TABLE theirs (x); PRAGMA application_id = 7").unwrap();
    assert_eq!(refusal(&harness), StoreError::Corrupt("this is another program's database".into()));
    let tables: i64 = harness.raw().query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn a_start_that_was_killed_before_its_first_migration_is_taken_up_again() {
    let harness = fresh();
    let history = "CREATE TABLE refinery_schema_history (version int4 PRIMARY KEY, name VARCHAR(255),
        applied_on VARCHAR(255), checksum VARCHAR(255))";
    harness.raw().execute_batch(history).unwrap();
    assert!(SqliteStore::open(harness.path(), &SqliteOptions::default()).is_ok());
}

#[test]
fn two_programs_may_open_a_new_file_at_the_same_moment() {
    for _ in 0..10 {
        let harness = fresh();
        std::thread::scope(|scope| {
            let opening: Vec<_> = (0..8).map(|_| scope.spawn(|| drop(harness.open_store()))).collect();
            for opened in opening {
                opened.join().unwrap();
            }
        });
    }
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let harness = fresh();
    let path = harness.folder.path().join("no/such/parley.db");
    assert!(matches!(SqliteStore::open(path, &SqliteOptions::default()).err(), Some(StoreError::Io(_))));
}

#[tokio::test]
async fn an_older_program_refuses_a_newer_file_and_says_what_to_do() {
    let harness = fresh();
    harness.open_store().close().await.unwrap();
    let newer = "INSERT INTO refinery_schema_history VALUES (999, 'later', '2030-01-01T00:00:00Z', '1')";
    harness.raw().execute_batch(newer).unwrap();
    let error = refusal(&harness);
    assert!(matches!(error, StoreError::NewerSchema { found: 999, known: 1..999 }), "{error}");
    assert!(error.to_string().contains("use a newer program"));
}

#[tokio::test]
async fn the_database_itself_locks_what_was_agreed() {
    let harness = fresh();
    let world = World::new(&harness).await;
    let raw = harness.raw();
    for (sql, said) in [
        ("UPDATE projects SET price_amount = 1", "the terms of a project are locked"),
        ("UPDATE projects SET price_currency = 'EUR'", "the terms of a project are locked"),
        ("UPDATE projects SET scope = 'less'", "the terms of a project are locked"),
        ("UPDATE projects SET deadline = deadline + 1", "the terms of a project are locked"),
        ("UPDATE projects SET terms_hash = ''", "the terms of a project are locked"),
        ("UPDATE project_providers SET place = 7", "the terms of a project are locked"),
        ("DELETE FROM project_providers", "the terms of a project are locked"),
        ("UPDATE proposals SET scope = 'less'", "an accepted proposal is locked"),
        ("UPDATE proposals SET status = 'REJECTED'", "an accepted proposal is locked"),
        ("INSERT INTO meetings (status) VALUES ('WRONG')", "constraint failed"),
    ] {
        let error = raw.execute_batch(sql).unwrap_err().to_string();
        assert!(error.contains(said), "{sql}: {error}");
    }
    assert_eq!(world.store.project(world.client, world.project.id).await.unwrap(), world.project);
}

#[tokio::test]
async fn a_deleted_project_takes_its_meetings_and_messages_along() {
    let harness = fresh();
    let world = World::new(&harness).await;
    world.make(world.scheduled(world.client, 500), 1).await;
    world.say(world.client, "Hello", 2).await;
    let raw = harness.raw();
    raw.execute_batch("DELETE FROM projects").unwrap();
    for table in ["meetings", "reminders", "conversations", "participants", "messages", "project_providers"] {
        let left: i64 = raw.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{table}");
    }
    let start = world.store.sync(world.client, None, 1).await.unwrap().next_cursor;
    let page = world.store.sync(world.client, Some(SyncCursor { seen: 0, ..start }), 100).await.unwrap();
    assert!(page.changes.iter().all(|change| matches!(change, Change::Proposal(_))), "{page:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_leaves_one_file_and_no_journal() {
    let harness = fresh();
    let world = World::new(&harness).await;
    world.say(world.client, "Hello", 2).await;
    world.store.close().await.unwrap();
    let files: Vec<_> =
        std::fs::read_dir(harness.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["parley.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_in_the_files_before_the_store_is_closed() {
    let harness = fresh();
    let world = World::new(&harness).await;
    let message = world.say(world.client, "Hello", 2).await;
    // The files as a kill would leave them: nothing is flushed, nothing is closed.
    let killed = fresh();
    for name in ["parley.db", "parley.db-wal"] {
        std::fs::copy(harness.folder.path().join(name), killed.folder.path().join(name)).unwrap();
    }
    let store = killed.open_store();
    let page = store.messages(world.client, world.conversation(), PageRequest::first(9)).await.unwrap().read().unwrap();
    assert_eq!(page.items, [message]);
}

/// Holds the writer inside a group until the returned sender is dropped, so that the next writes wait together.
fn hold_writer(store: &Arc<SqliteStore>) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), StoreError>>) {
    let (release, held) = mpsc::channel::<()>();
    let store = Arc::clone(store);
    let held = tokio::spawn(async move {
        store
            .writer
            .write(move |_| {
                let _ = held.recv();
                Ok(())
            })
            .await
    });
    (release, held)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_or_panicking_write_undoes_itself_and_not_its_group() {
    let harness = fresh();
    let world = World::new(&harness).await;
    let store = Arc::new(harness.open_store());
    let (release, held) = hold_writer(&store);
    let write = |name: &'static str| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            store
                .writer
                .write(move |tx| {
                    tx.run("INSERT INTO secrets (name, value) VALUES (?1, x'00')", [name])?;
                    match name {
                        "refused" => Err(StoreError::Internal("refused".into())),
                        "panics" => panic!("as asked"),
                        _ => Ok(()),
                    }
                })
                .await
        })
    };
    let writes = ["one", "refused", "panics", "two"].map(write);
    drop(release);
    held.await.unwrap().unwrap();
    let mut outcomes = Vec::new();
    for write in writes {
        outcomes.push(write.await.unwrap().is_ok());
    }
    assert_eq!(outcomes, [true, false, false, true]);
    let mut names: Vec<String> = store
        .readers
        .read(|db| db.all("SELECT name FROM secrets", (), |row| row.get(0)))
        .await
        .map_err(|error: StoreError| error)
        .unwrap();
    names.sort();
    assert_eq!(names, ["one", "two"]);
    assert!(world.store.check_ready().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_an_error_that_keeps_what_was_answered_and_passes() {
    let harness = fresh();
    let world = World::new(&harness).await;
    world.store.close().await.unwrap();
    let store = Arc::new(harness.open_store());
    let limit_pages = async |pages: u32| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        let limited: Result<_, StoreError> = store.writer.write(move |tx| tx.one(&sql, (), |_| Ok(()))).await;
        limited.unwrap();
    };
    limit_pages(1).await;
    let mut kept = 0;
    let full = loop {
        let message = world.message(world.client, &"long ".repeat(1_000));
        match store.append_message(message, at(5)).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full, ConversationError::Store(StoreError::Full));
    let again = store.append_message(world.message(world.client, &"long ".repeat(1_000)), at(6)).await;
    assert_eq!(again, Err(ConversationError::Store(StoreError::Full)));

    limit_pages(100_000).await;
    let next = store.append_message(world.message(world.client, "short"), at(7)).await.unwrap();
    assert_eq!(next.message.seq, kept + 1, "no number was lost");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_program_may_write_beside_the_first() {
    let harness = fresh();
    let world = World::new(&harness).await;
    let beside = harness.open_store();
    for n in 0..20 {
        let writer: &dyn Store = if n % 2 == 0 { &*world.store } else { &beside };
        let appended = writer.append_message(world.message(world.client, "x"), at(n)).await.unwrap();
        assert_eq!(appended.message.seq, n + 1);
    }
    let start = SyncCursor { seen: 0, ..beside.sync(world.client, None, 1).await.unwrap().next_cursor };
    let page = beside.sync(world.client, Some(start), 100).await.unwrap();
    let messages = page.changes.iter().filter(|change| matches!(change, Change::Message(_))).count();
    assert_eq!(messages, 20, "both number changes from the same counter");
    beside.close().await.unwrap();
    world.store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_held_by_another_program_is_busy_and_then_works() {
    let harness = fresh();
    let world = World::new(&harness).await;
    let options = SqliteOptions { busy: Duration::from_millis(20), ..SqliteOptions::default() };
    let store = SqliteStore::open(harness.path(), &options).unwrap();
    let raw = harness.raw();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = store.append_message(world.message(world.client, "x"), at(1)).await.unwrap_err();
    assert_eq!(busy, ConversationError::Store(StoreError::Busy));
    raw.execute_batch("COMMIT").unwrap();
    assert!(store.append_message(world.message(world.client, "x"), at(1)).await.is_ok());
}

#[tokio::test]
async fn waiting_writes_share_a_commit() {
    let harness = fresh();
    let store = Arc::new(harness.open_store());
    let (release, held) = hold_writer(&store);
    let writes: Vec<_> = (0..50)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.secret(&n.to_string(), vec![n]).await })
        })
        .collect();
    // On this one thread every write above is queued before this task goes on.
    tokio::task::yield_now().await;
    drop(release);
    held.await.unwrap().unwrap();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    assert!(store.commits() <= 2, "{} commits", store.commits());
}

/// Prints what this machine does: `cargo test -p parley-store -- --ignored --nocapture sends_a_second`.
#[ignore = "a measurement"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_a_second() {
    let harness = fresh();
    let world = Arc::new(World::new(&harness).await);
    let store = Arc::new(harness.open_store());
    let (writers, each) = (200, 100);
    let start = std::time::Instant::now();
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let (world, store) = (Arc::clone(&world), Arc::clone(&store));
            tokio::spawn(async move {
                for n in 0..each {
                    let message = world.message(world.client, "A message of usual length, as people write them.");
                    store.append_message(message, at(n)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let sent = f64::from(writers) * each as f64;
    println!(
        "{:.0} durable sends/s, {:.3} commits a message",
        sent / start.elapsed().as_secs_f64(),
        store.commits() as f64 / sent
    );
    let start = std::time::Instant::now();
    let list = store.conversations(world.provider, PageRequest::first(50)).await.unwrap();
    println!("a list with {} unread in {:?}", list.items[0].unread_count, start.elapsed());
}
