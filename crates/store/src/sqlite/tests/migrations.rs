//! What earlier programs wrote, as this one finds it.

use parley_domain::MessageType;
use uuid::Uuid;

use super::*;
use crate::{Change, SyncCursor, sqlite::open::create_at};

const CLIENT: u128 = 1;
const PROVIDER: u128 = 2;
const CONVERSATION: u128 = 6;

fn id<T: From<Uuid>>(n: u128) -> T {
    Uuid::from_u128(n).into()
}

/// Two people's conversation of a text, a file and a deleted text; the text has not been synchronized yet.
fn database_of_the_fourth_schema(harness: &SqliteHarness) {
    let sql = |n: u128| format!("x'{n:032x}'");
    let [client, provider, request, proposal, project, conversation] = [1, 2, 3, 4, 5, 6].map(sql);
    let [text, file, deleted, upload] = [11, 12, 13, 14].map(sql);
    create_at(&harness.path(), 4);
    let script = format!(
        "INSERT INTO users (id, email, password_hash, name, role, approved, created_at)
         VALUES ({client}, 'c@x.test', '', 'C', 'client', 1, 1), ({provider}, 'p@x.test', '', 'P', 'provider', 1, 1);
         INSERT INTO requests (id, client_id, title, description, status, created_at)
         VALUES ({request}, {client}, 't', 'd', 'CONVERTED', 1);
         INSERT INTO proposals (id, request_id, provider_id, price_amount, price_currency, scope, deadline, expires_at,
             status, created_at) VALUES ({proposal}, {request}, {provider}, 1, 'USD', 's', 1, 1, 'ACCEPTED', 1);
         INSERT INTO projects (id, request_id, proposal_id, client_id, title, price_amount, price_currency, scope,
             deadline, terms_hash, created_at)
         VALUES ({project}, {request}, {proposal}, {client}, 't', 1, 'USD', 's', 1, '', 1);
         INSERT INTO project_providers (project_id, place, user_id) VALUES ({project}, 0, {provider});
         INSERT INTO conversations (id, project_id, last_seq, activity, updated_at)
         VALUES ({conversation}, {project}, 3, 6, 1);
         INSERT INTO participants (conversation_id, user_id, place)
         VALUES ({conversation}, {client}, 0), ({conversation}, {provider}, 1);
         INSERT INTO messages (position, id, conversation_id, seq, sender_id, type, content, client_id, created_at,
             deleted_at, json)
         VALUES (5, {text}, {conversation}, 1, {client}, 'text', 'one', 'c1', 1, NULL, '{{\"kept\":1,\"readBy\":'),
                (6, {file}, {conversation}, 2, {provider}, 'file', '', NULL, 1, NULL, NULL),
                (9, {deleted}, {conversation}, 3, {provider}, 'text', '', NULL, 1, 1, NULL);
         INSERT INTO attachments (id, uploader_id, message_id, place, name, size, media_type, sha256, created_at)
         VALUES ({upload}, {provider}, {file}, 0, 'f', 1, 'text/plain', zeroblob(32), 1);
         INSERT INTO changes (user_id, number, kind, subject)
         VALUES ({client}, 1, 'message', {text}), ({provider}, 2, 'message', {text});
         UPDATE counters SET value = 6 WHERE name = 'last_change';"
    );
    harness.raw().execute_batch(&script).unwrap();
}

#[tokio::test]
async fn messages_of_the_fourth_schema_keep_their_files_their_json_and_who_has_not_heard_of_them() {
    let harness = fresh();
    database_of_the_fourth_schema(&harness);
    let log = harness.raw().query_row("SELECT value FROM counters WHERE name = 'log'", (), |row| row.get(0)).unwrap();
    let store = harness.open_store();
    let conversation = id(CONVERSATION);
    let page = store.messages(id(CLIENT), conversation, PageRequest::first(10)).await.unwrap();
    let Recorded::Json(text) = &page.items[0] else { panic!("its JSON is kept") };
    assert_eq!(text, r#"{"kept":1,"readBy":[]}"#);
    let file = page.items[1].clone().read().unwrap();
    assert_eq!(file[0].attachments.len(), 1);
    let listed = store.conversations(id(CLIENT), PageRequest::first(10)).await.unwrap();
    assert_eq!(listed.items[0].unread_count, 1, "the deleted one does not count");

    let message = NewMessage {
        sender: id(PROVIDER),
        conversation,
        kind: MessageType::Text,
        content: "two".to_owned(),
        client_id: None,
        reply_to: None,
        attachments: Vec::new(),
    };
    assert_eq!(store.append_message(message, at(2)).await.unwrap().message.seq, 4);
    for viewer in [CLIENT, PROVIDER] {
        let news = store.sync(id(viewer), Some(SyncCursor { log, seen: 0 }), 10).await.unwrap();
        let seqs: Vec<_> = news
            .changes
            .iter()
            .map(|change| match change {
                Change::Message(message) => message.seq,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(seqs, [1, 4]);
    }
    store.close().await.unwrap();
    let dangling: i64 =
        harness.raw().query_row("SELECT count(*) FROM pragma_foreign_key_check", (), |row| row.get(0)).unwrap();
    assert_eq!(dangling, 0);
}
