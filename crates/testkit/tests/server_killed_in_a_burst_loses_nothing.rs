//! SIGKILL during a burst: what was answered is there, once, and the client sends the rest by itself.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{path::Path, sync::Arc};

use parley_client::ClientEvent;
use parley_testkit::{CLIENT, Driver, PROVIDER, ServerProcess};

const MESSAGES: usize = 120;
/// Arrivals before each kill.
const KILLS: [usize; 2] = [15, 60];

#[tokio::test(flavor = "multi_thread")]
async fn every_message_arrives_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_parley-test-server"));
    let mut server = ServerProcess::start(program, &dir.path().join("server")).await.unwrap();
    let mut writer = Driver::sign_in(&server.url(), CLIENT, &dir.path().join("writer")).await.unwrap();
    let project = writer.active_project().await.unwrap();
    let (conversation, before) =
        (project.conversation.id, project.conversation.last_message.map_or(0, |message| message.seq));

    let client = Arc::new(writer.client);
    let typing = Arc::clone(&client);
    let burst = tokio::spawn(async move {
        for number in 0..MESSAGES {
            typing.send(conversation, format!("message {number}")).await.unwrap();
        }
    });
    let mut answered = Vec::new();
    while answered.len() < MESSAGES {
        match writer.events.next().await.unwrap() {
            ClientEvent::Message(message) if message.conversation_id == conversation => {
                answered.push((message.seq, message.id));
                if KILLS.contains(&answered.len()) {
                    server.kill().unwrap();
                    server.start_again().await.unwrap();
                }
            }
            _ => {}
        }
    }
    burst.await.unwrap();

    let reader = Driver::sign_in(&server.url(), PROVIDER, &dir.path().join("reader")).await.unwrap();
    let mut kept = Vec::new();
    loop {
        let after = before + i64::try_from(kept.len()).unwrap();
        let page = reader.client.rest().messages_after(conversation, after, 100).await.unwrap();
        if page.is_empty() {
            break;
        }
        kept.extend(page);
    }
    let contents: Vec<_> = kept.iter().map(|message| message.content.clone()).collect();
    let written: Vec<_> = (0..MESSAGES).map(|number| format!("message {number}")).collect();
    assert_eq!(contents, written);
    let kept: Vec<_> = kept.iter().map(|message| (message.seq, message.id)).collect();
    assert_eq!(answered, kept, "what was answered is what is there");
}
