use std::time::Instant;

use rusqlite::Connection;

use super::*;
use crate::{
    SqliteOptions, SqliteStore, Store,
    suite::{Harness, World},
};

struct Folder(tempfile::TempDir);

#[async_trait::async_trait]
impl Harness for Folder {
    async fn open(&self) -> std::sync::Arc<dyn Store> {
        std::sync::Arc::new(SqliteStore::open(self.0.path().join("parley.db"), &SqliteOptions::default()).unwrap())
    }
}

impl Folder {
    fn new() -> Self {
        Self(tempfile::TempDir::new().unwrap())
    }

    fn raw(&self) -> Connection {
        Connection::open(self.0.path().join("parley.db")).unwrap()
    }
}

fn plan(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let lines = statement.query_map(["\"a\"", "9", "", ""], |row| row.get(3)).unwrap();
    lines.map(Result::unwrap).collect()
}

#[tokio::test]
async fn the_index_leads_and_nothing_is_sorted_or_read_through() {
    let folder = Folder::new();
    folder.open().await.close().await.unwrap();
    let conn = folder.raw();
    let indexed = plan(&conn, INDEXED);
    assert!(indexed[0].starts_with("SCAN i VIRTUAL TABLE"), "{indexed:?}");
    assert!(indexed[1].starts_with("SEARCH m USING INTEGER PRIMARY KEY"), "{indexed:?}");
    let unindexed = plan(&conn, UNINDEXED);
    assert!(unindexed[0].starts_with("SEARCH m USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"), "{unindexed:?}");
    for line in indexed.iter().chain(&unindexed) {
        assert!(!line.contains("TEMP B-TREE"), "{line}");
    }
}

#[tokio::test]
async fn a_position_that_is_given_again_is_indexed_again() {
    let folder = Folder::new();
    let world = World::new(&folder).await;
    for n in 0..3 {
        world.say(world.client, "early", n).await;
    }
    assert_eq!(world.store.index_messages(10).await.unwrap(), 0);
    folder.raw().execute_batch("DELETE FROM messages WHERE position = (SELECT max(position) FROM messages)").unwrap();
    let again = "INSERT INTO messages (id, conversation_id, seq, sender_id, type, content, created_at)
        SELECT randomblob(16), conversation_id, 3, sender_id, 'text', 'late', 0 FROM messages LIMIT 1";
    folder.raw().execute_batch(again).unwrap();
    while world.store.index_messages(10).await.unwrap() > 0 {}
    let search = |word: &str| {
        let query = SearchQuery::new(word).unwrap();
        world.store.search_messages(world.provider, query, None, PageRequest::first(9))
    };
    assert_eq!(search("late").await.unwrap().items.len(), 1);
    assert_eq!(search("early").await.unwrap().items.len(), 2);
}

/// Prints what searching costs in a conversation of 100,000 messages among others:
/// `cargo test -p parley-store -- --ignored --nocapture searches_among_many`.
#[ignore = "a measurement"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_among_many() {
    const MESSAGES: i64 = 100_000;
    let folder = Folder::new();
    let world = World::new(&folder).await;
    let conn = folder.raw();
    conn.execute_batch(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MESSAGES}),
              w(k, t) AS (VALUES (0, 'alpha beta gamma'), (1, '会議は明日の九時'), (2, 'the quick brown fox'), (3, 'lorem ips psu sum'))
         INSERT INTO messages (id, conversation_id, seq, sender_id, type, content, created_at)
         SELECT randomblob(16), c.id, i, pt.user_id, 'text',
                t || ' ' || hex(randomblob(8)) || CASE WHEN i = 17 THEN ' 針 needle' ELSE '' END, 0
         FROM n JOIN w ON w.k = i % 4 JOIN conversations c
         JOIN participants pt ON pt.conversation_id = c.id AND pt.place = 0;
         UPDATE conversations SET last_seq = {MESSAGES};"
    ))
    .unwrap();
    let search = async |text: &str| {
        let query = SearchQuery::new(text).unwrap();
        let began = Instant::now();
        let (conversation, page) = (Some(world.conversation()), PageRequest::first(50));
        let page = world.store.search_messages(world.provider, query, conversation, page).await.unwrap();
        println!("{text}: {} found in {:?}", page.items.len(), began.elapsed());
    };
    println!("before any is indexed");
    for text in ["needle", "会議", "nothing of the kind"] {
        search(text).await;
    }
    let began = Instant::now();
    while world.store.index_messages(256).await.unwrap() > 0 {}
    let each = began.elapsed() / u32::try_from(MESSAGES).unwrap();
    let bytes: i64 = conn.query_row("SELECT sum(length(block)) FROM message_index_data", (), |row| row.get(0)).unwrap();
    println!("indexed at {each:?} a message, {} bytes a message", bytes / MESSAGES);
    for text in ["needle", "針", "ne", "会議", "会", "quick fox", "e", "zq", "nothing of the kind", "針 nothing"] {
        search(text).await;
    }
    println!("all of its pieces are in every fourth message, itself in none");
    search("ipsum").await;
}
