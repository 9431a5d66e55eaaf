//! SIGKILL in the middle of a burst: whatever was answered is there afterwards, once, and numbered without gaps.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use parley_domain::{ConversationId, Money, Role, Timestamp, UserId};
use parley_store::{
    Cursor, NewAccount, NewMessage, NewProposal, NewRequest, PageRequest, SqliteOptions, SqliteStore, Store,
};

const FOLDER: &str = "PARLEY_TEST_KILL_FOLDER";

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_750_000_000_000 + millis)
}

fn open(folder: &Path) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(folder.join("parley.db"), &SqliteOptions::default()).unwrap())
}

async fn account(store: &SqliteStore, name: &str, role: Role) -> UserId {
    let email = format!("{name}@parley.test");
    let new = NewAccount { email, password_hash: "x".into(), name: name.into(), role, time_zone: None };
    let user = store.create_account(new, at(0)).await.unwrap().id;
    if role == Role::Provider {
        store.set_approval(user, true).await.unwrap();
    }
    user
}

async fn talk(store: &SqliteStore) -> (UserId, ConversationId) {
    let client = account(store, "cleo", Role::Client).await;
    let provider = account(store, "pat", Role::Provider).await;
    let request = NewRequest {
        client,
        title: "Site".into(),
        description: "All".into(),
        budget: None,
        deadline: None,
        idempotency: None,
    };
    let request = store.create_request(request, at(0)).await.unwrap().into_inner().id;
    let proposal = NewProposal {
        provider,
        request,
        price: Money { amount_minor: 1, currency: "USD".parse().unwrap() },
        scope: "All".into(),
        deadline: at(9),
        expires_at: at(9),
        idempotency: None,
    };
    let proposal = store.create_proposal(proposal, at(0)).await.unwrap().into_inner().id;
    (client, store.accept_proposal(client, proposal, at(0)).await.unwrap().conversation.id)
}

/// Run by the test below in a process of its own; alone it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writer_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = open(Path::new(&folder));
    let (client, conversation) = talk(&store).await;
    println!("conversation {client} {conversation}");
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for n in 0.. {
                    let client_id = format!("{writer}-{n}");
                    let message = NewMessage {
                        kind: parley_domain::MessageType::Text,
                        attachments: Vec::new(),
                        sender: client,
                        conversation,
                        content: "x".repeat(500),
                        client_id: Some(client_id.clone()),
                        reply_to: None,
                    };
                    store.append_message(message, at(n)).await.unwrap();
                    writeln!(std::io::stdout().lock(), "answered {client_id}").unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn every_answered_message_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer_that_is_killed", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let talk = lines.find_map(|line| line.split_once("conversation ").map(|(_, ids)| ids.to_owned())).unwrap();
    let (client, conversation) = talk.split_once(' ').unwrap();
    let mut answered: Vec<String> = lines.by_ref().take(300).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had said before it died counts too. Its last line may be cut off; what is left of it names another
    // message of the same writer, or none.
    answered.extend(lines);
    let answered: HashSet<_> = answered
        .iter()
        .filter_map(|line| line.strip_prefix("answered "))
        .filter(|id| id.split_once('-').is_some_and(|(_, n)| !n.is_empty()))
        .map(str::to_owned)
        .collect();
    assert!(answered.len() >= 290);

    let store = open(folder.path());
    let (client, conversation) = (client.parse().unwrap(), conversation.parse().unwrap());
    let mut kept = Vec::new();
    let mut page = PageRequest { limit: 100, cursor: Some(Cursor::after(0)) };
    loop {
        let got = store.messages(client, conversation, page).await.unwrap().read().unwrap();
        kept.extend(got.items);
        let Some(cursor) = got.next_cursor else { break };
        page.cursor = Some(cursor);
    }
    let numbers: Vec<_> = kept.iter().map(|message| message.seq).collect();
    assert_eq!(numbers, (1..=kept.len() as i64).collect::<Vec<_>>());
    let names: Vec<_> = kept.into_iter().filter_map(|message| message.client_id).collect();
    let distinct: HashSet<_> = names.iter().cloned().collect();
    assert_eq!(distinct.len(), names.len());
    let lost: Vec<_> = answered.difference(&distinct).collect();
    assert!(lost.is_empty(), "lost {lost:?}");
    store.close().await.unwrap();
}
