//! The access token of a socket runs out; the client renews it in time and the line never breaks.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use parley_client::{Client, ClientEvent, ClientOptions, Credentials, MemorySecrets, SecretError, SecretStore};
use parley_protocol::app::ConnectionState;
use parley_server::config::Timing;
use parley_testkit::{CLIENT, Driver, PASSWORD, PATIENCE, PROVIDER, TestServer};
use tokio::{sync::watch, time::timeout};

/// Counts how often a session was kept: once a refresh.
struct Counting(MemorySecrets, watch::Sender<usize>);

impl SecretStore for Counting {
    fn load(&self) -> Result<Option<String>, SecretError> {
        self.0.load()
    }

    fn save(&self, secret: &str) -> Result<(), SecretError> {
        self.1.send_modify(|count| *count += 1);
        self.0.save(secret)
    }

    fn clear(&self) -> Result<(), SecretError> {
        self.0.clear()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn renewed_socket_stays() {
    let dir = tempfile::tempdir().unwrap();
    let timing =
        Timing { access_token: Duration::from_secs(2), socket_grace: Duration::from_secs(1), ..Timing::default() };
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = TestServer::start_at(&dir.path().join("server"), any, timing).await.unwrap();
    let (count, mut counted) = watch::channel(0);
    let secrets = Arc::new(Counting(MemorySecrets::default(), count));
    let options = ClientOptions::new(dir.path().join("listener"), Arc::clone(&secrets) as Arc<dyn SecretStore>);
    let credentials = Credentials {
        server: server.url(),
        allow_plain_http: false,
        email: CLIENT.to_owned(),
        password: PASSWORD.to_owned(),
    };
    let client = Client::sign_in(options, credentials).await.unwrap();
    let events = client.events();
    let mut listener = Driver { client, events, secrets };
    let conversation = listener.active_project().await.unwrap().conversation.id;
    // Five lives of a token at one second each: the first ones and their grace are long over.
    timeout(PATIENCE, counted.wait_for(|count| *count > 5)).await.unwrap().unwrap();

    let writer = Driver::sign_in(&server.url(), PROVIDER, &dir.path().join("writer")).await.unwrap();
    writer.active_project().await.unwrap();
    writer.client.send(conversation, "still there?".to_owned()).await.unwrap();
    listener
        .until("the message", |event| match event {
            ClientEvent::Connection(ConnectionState::Reconnecting | ConnectionState::Offline) => {
                panic!("the line broke")
            }
            ClientEvent::Message(message) if message.content == "still there?" => Some(()),
            _ => None,
        })
        .await
        .unwrap();
}
