//! What was written without a network is sent after the app was closed and opened again: in order, and once.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::sync::Arc;

use parley_client::ClientEvent;
use parley_testkit::{CLIENT, CuttableLine, Driver, PROVIDER, TestServer};

#[tokio::test(flavor = "multi_thread")]
async fn written_while_offline_is_sent_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(&dir.path().join("server")).await.unwrap();
    let line = CuttableLine::to(server.address()).await.unwrap();
    let writer = Driver::sign_in(&line.url(), CLIENT, &dir.path().join("writer")).await.unwrap();
    let conversation = writer.active_project().await.unwrap().conversation.id;
    let mut reader = Driver::sign_in(&server.url(), PROVIDER, &dir.path().join("reader")).await.unwrap();
    reader.active_project().await.unwrap();

    line.cut();
    for word in ["one", "two", "three"] {
        writer.client.send(conversation, word.to_owned()).await.unwrap();
    }
    let secrets = Arc::clone(&writer.secrets);
    drop(writer);
    line.mend();

    let mut writer = Driver::restore(&dir.path().join("writer"), secrets).await.unwrap();
    for word in ["one", "two", "three"] {
        assert_eq!(reader.next_message(conversation).await.unwrap().content, word);
    }
    writer.all_sent().await.unwrap();
    assert!(writer.client.cache().run(move |db| db.outbox_of(conversation)).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn message_whose_answer_was_lost_is_sent_again_and_stays_one() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(&dir.path().join("server")).await.unwrap();
    let line = CuttableLine::to(server.address()).await.unwrap();
    let writer = Driver::sign_in(&line.url(), CLIENT, &dir.path().join("writer")).await.unwrap();
    let conversation = writer.active_project().await.unwrap().conversation.id;
    let mut reader = Driver::sign_in(&server.url(), PROVIDER, &dir.path().join("reader")).await.unwrap();
    reader.active_project().await.unwrap();

    line.make_deaf();
    let written = writer.client.send(conversation, "heard once".to_owned()).await.unwrap();
    let arrived = reader.next_message(conversation).await.unwrap();
    assert_eq!(arrived.client_id.as_ref(), Some(&written.client_id));
    // The writer has heard nothing of that; it closes, and opens again.
    assert_eq!(writer.client.cache().run(|db| db.outbox_waiting()).await.unwrap(), 1);
    let secrets = Arc::clone(&writer.secrets);
    drop(writer);
    line.cut();
    line.mend();
    let mut writer = Driver::restore(&dir.path().join("writer"), secrets).await.unwrap();
    writer.all_sent().await.unwrap();
    writer.client.send(conversation, "after it".to_owned()).await.unwrap();
    let next = reader.next_message(conversation).await.unwrap();
    assert_eq!((next.content.as_str(), next.seq), ("after it", arrived.seq + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_message_waits_for_the_person_and_holds_nothing_up() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(&dir.path().join("server")).await.unwrap();
    let mut writer = Driver::sign_in(&server.url(), CLIENT, &dir.path().join("writer")).await.unwrap();
    let conversation = writer.active_project().await.unwrap().conversation.id;

    let refused = writer.client.send(conversation, "\u{7}bell".to_owned()).await.unwrap();
    writer.client.send(conversation, "fine".to_owned()).await.unwrap();
    let failed = writer
        .until("a failure", |event| match event {
            ClientEvent::Outbox(entry) if entry.state != parley_client::OutboxState::Waiting => Some(entry.clone()),
            _ => None,
        })
        .await
        .unwrap();
    assert_eq!(failed.client_id, refused.client_id);
    assert_eq!(writer.next_message(conversation).await.unwrap().content, "fine");
    assert!(writer.client.discard(conversation, &refused.client_id).await.unwrap());
    assert!(!writer.client.discard(conversation, &refused.client_id).await.unwrap());
}
