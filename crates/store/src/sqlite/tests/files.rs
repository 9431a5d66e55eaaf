//! The file as an operator handles it: copies, snapshots, checks, faults.

use super::*;
use crate::sqlite::{
    Finding, copy, findings,
    open::{create_at, known_schema},
    pending_migrations, verify,
};

async fn lived_in() -> SqliteHarness {
    let harness = fresh();
    let world = World::new(&harness).await;
    for n in 0..3 {
        world.say(world.client, "Good morning.", n).await;
    }
    world.store.close().await.unwrap();
    harness
}

fn checks(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|finding| finding.check).collect()
}

#[tokio::test]
async fn a_copy_taken_beside_a_writing_store_is_whole() {
    let harness = fresh();
    let world = World::new(&harness).await;
    let target = harness.folder.path().join("copy.db");
    let (from, to) = (harness.path(), target.clone());
    let writing = async {
        for n in 0..200 {
            world.say(world.client, "While it is copied.", n).await;
        }
    };
    let copying = async { tokio::task::spawn_blocking(move || copy(&from, &to)).await.unwrap().unwrap() };
    tokio::join!(writing, copying);
    let contents = verify(&target).unwrap();
    assert!(contents.projects == 1 && contents.users >= 2 && contents.messages <= 200, "{contents:?}");
    assert_eq!(findings(&target).unwrap(), []);
    assert!(
        matches!(copy(&harness.path(), &target), Err(StoreError::Io(_))),
        "a file that is there is not overwritten"
    );
}

#[tokio::test]
async fn a_damaged_copy_does_not_stand_the_proof() {
    let harness = lived_in().await;
    let target = harness.folder.path().join("copy.db");
    copy(&harness.path(), &target).unwrap();
    let whole = std::fs::read(&target).unwrap();
    std::fs::write(&target, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(verify(&target), Err(StoreError::Corrupt(_))));
    std::fs::write(&target, &whole[..50]).unwrap();
    assert!(matches!(verify(&target), Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn what_store_and_domain_write_has_no_findings() {
    assert_eq!(findings(&lived_in().await.path()).unwrap(), []);
}

#[tokio::test]
async fn each_broken_promise_is_found() {
    let damages = [
        ("DELETE FROM messages WHERE seq = 2", "message_seq"),
        ("UPDATE conversations SET last_seq = 9", "message_seq"),
        ("DELETE FROM participants WHERE place = 1", "project_participants"),
        ("UPDATE messages SET deleted_at = 1", "deleted_message"),
        ("UPDATE participants SET last_read_seq = 50 WHERE place = 0", "read_mark"),
        ("UPDATE requests SET status = 'OPEN'", "project_request"),
        ("UPDATE counters SET value = 0 WHERE name = 'last_change'", "change_log"),
        ("DROP TRIGGER project_terms_are_locked; UPDATE projects SET price_amount = price_amount + 1", "terms_hash"),
        ("DROP TRIGGER project_terms_are_locked; UPDATE projects SET scope = 'more'", "project_terms"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM users WHERE role = 'provider'", "file"),
    ];
    for (sql, check) in damages {
        let harness = lived_in().await;
        harness.raw().execute_batch(sql).unwrap();
        let found = findings(&harness.path()).unwrap();
        assert!(checks(&found).contains(&check), "{sql}: {found:?}");
    }
}

#[tokio::test]
async fn a_meeting_in_an_impossible_state_is_found() {
    let insert = |status: &str, started: &str, ended: &str, duration: &str, reason: &str| {
        format!(
            "INSERT INTO meetings (id, project_id, host_id, guest_id, channel_name, type, status, engine, created_at,
                 updated_at, host_uid, guest_uid, host_screen_uid, guest_screen_uid, started_at, ended_at, duration,
                 end_reason)
             SELECT randomblob(16), p.id, p.client_id, v.user_id, 'c', 'instant', '{status}', 'direct', 1, 1, 1, 2, 3, 4,
                 {started}, {ended}, {duration}, {reason}
             FROM projects p JOIN project_providers v ON v.project_id = p.id"
        )
    };
    let cases = [
        (insert("ACTIVE", "NULL", "NULL", "NULL", "NULL"), true),
        (insert("ACTIVE", "1", "NULL", "NULL", "NULL"), false),
        (insert("PENDING", "1", "NULL", "NULL", "NULL"), true),
        (insert("PENDING", "NULL", "NULL", "NULL", "NULL"), false),
        (insert("COMPLETED", "1", "NULL", "NULL", "'ended'"), true),
        (insert("COMPLETED", "1", "2", "0", "'ended'"), false),
        (insert("CANCELLED", "1", "2", "1", "'missed'"), true),
        (insert("CANCELLED", "NULL", "2", "NULL", "'missed'"), false),
    ];
    for (sql, is_impossible) in cases {
        let harness = lived_in().await;
        harness.raw().execute_batch(&sql).unwrap();
        let found = findings(&harness.path()).unwrap();
        assert_eq!(checks(&found) == ["meeting_state"], is_impossible, "{sql}: {found:?}");
        assert!(is_impossible || found.is_empty(), "{found:?}");
    }
}

fn snapshots(harness: &SqliteHarness) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(harness.folder.path()).unwrap();
    let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with("before-migration-"));
    found
}

#[tokio::test]
async fn a_database_that_needs_no_migration_gets_no_snapshot() {
    let harness = lived_in().await;
    assert_eq!(pending_migrations(&harness.path()).unwrap(), None);
    harness.open_store().close().await.unwrap();
    assert_eq!(snapshots(&harness), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn a_snapshot_is_proven_and_only_the_last_few_are_kept() {
    let harness = lived_in().await;
    let conn = harness.raw();
    for _ in 0..5 {
        let made = super::super::copy::snapshot(&conn, &harness.path(), 1).unwrap();
        assert_eq!(verify(&made).unwrap().messages, 3);
        assert!(snapshots(&harness).contains(&made), "the newest one stays");
    }
    assert_eq!(snapshots(&harness).len(), 3);
}

#[tokio::test]
async fn an_older_database_is_migrated_after_a_proven_snapshot() {
    let harness = fresh();
    create_at(&harness.path(), 1);
    assert_eq!(pending_migrations(&harness.path()).unwrap(), Some((1, known_schema())));
    harness.open_store().close().await.unwrap();
    let [snapshot] = &snapshots(&harness)[..] else { panic!("one snapshot is made") };
    assert!(snapshot.to_str().unwrap().contains("before-migration-v1-"));
    assert_eq!(pending_migrations(snapshot).unwrap(), Some((1, known_schema())), "it is as it was before");
    assert_eq!(pending_migrations(&harness.path()).unwrap(), None);
    assert_eq!(findings(&harness.path()).unwrap(), []);
}

#[tokio::test]
async fn a_reminder_from_before_keeps_its_time_when_the_file_is_brought_up_to_date() {
    let harness = fresh();
    create_at(&harness.path(), 1);
    let old = "
        INSERT INTO users (id, email, password_hash, name, role, approved, created_at)
        VALUES (x'03', 'a', '', 'A', 'client', 0, 0), (x'04', 'b', '', 'B', 'provider', 1, 0);
        INSERT INTO requests (id, client_id, title, description, status, created_at)
        VALUES (x'06', x'03', 'Site', 'x', 'CONVERTED', 0);
        INSERT INTO proposals (id, request_id, provider_id, price_amount, price_currency, scope, deadline, expires_at,
            status, created_at)
        VALUES (x'07', x'06', x'04', 1, 'USD', 'x', 0, 0, 'ACCEPTED', 0);
        INSERT INTO projects (id, request_id, proposal_id, client_id, title, price_amount, price_currency, scope,
            deadline, terms_hash, created_at)
        VALUES (x'02', x'06', x'07', x'03', 'Site', 1, 'USD', 'x', 0, '', 0);
        INSERT INTO meetings (id, project_id, host_id, guest_id, channel_name, type, engine, scheduled_at, created_at,
            updated_at, host_uid, guest_uid, host_screen_uid, guest_screen_uid)
        VALUES (x'01', x'02', x'03', x'04', 'c', 'scheduled', 'direct', 5000, 1, 1, 1, 2, 3, 4),
            (x'08', x'02', x'03', x'04', 'd', 'scheduled', 'direct', 9000, 1, 1, 1, 2, 3, 4);
        INSERT INTO reminders (id, meeting_id, due_at) VALUES (x'05', x'01', 4000), (x'09', x'08', 4000);";
    harness.raw().execute_batch(old).unwrap();
    harness.open_store().close().await.unwrap();
    let raw = harness.raw();
    let sql = "SELECT r.scheduled_at, m.sequence FROM reminders r JOIN meetings m ON m.id = r.meeting_id ORDER BY r.id";
    let mut statement = raw.prepare(sql).unwrap();
    let kept = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(kept.map(Result::unwrap).collect::<Vec<(i64, i64)>>(), [(5_000, 0), (9_000, 0)]);
}

#[tokio::test]
async fn no_schema_is_changed_when_its_snapshot_fails() {
    let harness = fresh();
    create_at(&harness.path(), 1);
    // SQLite opens the file, but the proof of the snapshot finds a row that points nowhere.
    let orphan = "PRAGMA foreign_keys = OFF; INSERT INTO sessions VALUES (x'01', x'02', 1, NULL)";
    harness.raw().execute_batch(orphan).unwrap();
    assert!(matches!(refusal(&harness), StoreError::Corrupt(_)));
    assert_eq!(pending_migrations(&harness.path()).unwrap(), Some((1, known_schema())));
    assert_eq!(snapshots(&harness), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn a_truncated_database_is_refused_and_left_alone() {
    let harness = lived_in().await;
    let whole = std::fs::read(harness.path()).unwrap();
    for length in [whole.len() / 2, 4_096, 100] {
        std::fs::write(harness.path(), &whole[..length]).unwrap();
        assert!(matches!(refusal(&harness), StoreError::Corrupt(_)), "cut to {length}");
        assert_eq!(std::fs::read(harness.path()).unwrap(), &whole[..length]);
    }
}

/// A disk that is full after so many pages.
async fn limit_pages(store: &SqliteStore, pages: i64) {
    let pragma = format!("PRAGMA max_page_count = {pages}");
    store.writer.write(move |tx| tx.one(&pragma, (), |_| Ok(())).map(drop)).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_writes_until_there_is_space_and_loses_nothing() {
    let harness = fresh();
    let world = World::new(&harness).await;
    let store = harness.open_store();
    let pages: i64 = harness.raw().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    limit_pages(&store, pages + 4).await;
    let long = "x".repeat(8_000);
    let mut confirmed = Vec::new();
    let refused = loop {
        match store.append_message(world.message(world.client, &long), at(1)).await {
            Ok(sent) => confirmed.push(sent.message.id),
            Err(error) => break error,
        }
        assert!(confirmed.len() < 100, "the limit holds");
    };
    assert!(matches!(refused, ConversationError::Store(StoreError::Full)), "{refused:?}");
    let page =
        store.messages(world.client, world.conversation(), PageRequest::first(100)).await.unwrap().read().unwrap();
    assert_eq!(
        page.items.iter().map(|message| message.id).collect::<Vec<_>>(),
        confirmed,
        "what was answered is there"
    );
    limit_pages(&store, 1_000_000).await;
    store.append_message(world.message(world.client, &long), at(2)).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(findings(&harness.path()).unwrap(), []);
}
