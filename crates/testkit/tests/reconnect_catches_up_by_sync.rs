//! What happened while the line was cut is there before the client says that it is connected: in order, and once.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use parley_client::ClientEvent;
use parley_protocol::app::ConnectionState;
use parley_testkit::{CLIENT, CuttableLine, Driver, PROVIDER, TestServer};

#[tokio::test(flavor = "multi_thread")]
async fn missed_messages_and_reads_come_before_connected() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(&dir.path().join("server")).await.unwrap();
    let line = CuttableLine::to(server.address()).await.unwrap();
    let mut away = Driver::sign_in(&line.url(), CLIENT, &dir.path().join("away")).await.unwrap();
    let conversation = away.active_project().await.unwrap().conversation.id;
    let mut here = Driver::sign_in(&server.url(), PROVIDER, &dir.path().join("here")).await.unwrap();
    here.active_project().await.unwrap();

    line.cut();
    let is_gone = |event: &ClientEvent| matches!(event, ClientEvent::Connection(ConnectionState::Reconnecting));
    away.until("the break", |event| is_gone(event).then_some(())).await.unwrap();
    for word in ["first", "second", "third"] {
        here.client.send(conversation, word.to_owned()).await.unwrap();
    }
    here.all_sent().await.unwrap();
    line.mend();

    let mut heard = Vec::new();
    away.until("the line", |event| match event {
        ClientEvent::Message(message) => {
            heard.push(message.content.clone());
            None
        }
        ClientEvent::Connection(ConnectionState::Connected) => Some(()),
        _ => None,
    })
    .await
    .unwrap();
    assert_eq!(heard, ["first", "second", "third"]);

    // Over the mended line events come again, and what came by `/sync` does not come twice.
    here.client.send(conversation, "fourth".to_owned()).await.unwrap();
    assert_eq!(away.next_message(conversation).await.unwrap().content, "fourth");
}

#[tokio::test(flavor = "multi_thread")]
async fn read_mark_made_offline_reaches_the_other_side_later() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(&dir.path().join("server")).await.unwrap();
    let line = CuttableLine::to(server.address()).await.unwrap();
    let mut reader = Driver::sign_in(&line.url(), CLIENT, &dir.path().join("reader")).await.unwrap();
    let conversation = reader.active_project().await.unwrap().conversation.id;
    let mut writer = Driver::sign_in(&server.url(), PROVIDER, &dir.path().join("writer")).await.unwrap();
    writer.active_project().await.unwrap();
    writer.client.send(conversation, "read me".to_owned()).await.unwrap();
    let seq = reader.next_message(conversation).await.unwrap().seq;

    line.cut();
    reader.client.mark_read(conversation, seq).await.unwrap();
    assert_eq!(reader.client.cache().run(|db| db.projects()).await.unwrap()[0].unread, 0, "counted here at once");
    line.mend();
    let me = reader.client.user().id;
    let read = writer
        .until("the read mark", |event| match event {
            ClientEvent::Read { user_id, seq, .. } if *user_id == me => Some(*seq),
            _ => None,
        })
        .await
        .unwrap();
    assert_eq!(read, seq);
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_proposal_appears_on_the_other_side_with_its_conversation() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(&dir.path().join("server")).await.unwrap();
    let client = Driver::sign_in(&server.url(), CLIENT, &dir.path().join("client")).await.unwrap();
    let mut provider = Driver::sign_in(&server.url(), PROVIDER, &dir.path().join("provider")).await.unwrap();
    client.active_project().await.unwrap();
    provider.active_project().await.unwrap();
    let offers = client.client.cache().run(|db| db.offers()).await.unwrap();
    let proposal = offers.first().unwrap().0.id;
    assert_eq!(provider.client.cache().run(|db| db.offers()).await.unwrap()[0].0.id, proposal);

    let accepted = client.client.accept_proposal(proposal).await.unwrap();
    assert!(client.client.cache().run(|db| db.offers()).await.unwrap().is_empty());
    let project = provider
        .until("the project", |event| match event {
            ClientEvent::Project(project) => Some((**project).clone()),
            _ => None,
        })
        .await
        .unwrap();
    assert_eq!(project, accepted.project);
    client.client.send(accepted.conversation.id, "Welcome".to_owned()).await.unwrap();
    assert_eq!(provider.next_message(accepted.conversation.id).await.unwrap().content, "Welcome");
    assert!(client.client.accept_proposal(proposal).await.is_err(), "a proposal is accepted once");
}
