//! A real server on port 0 for tests, people who use it over HTTP, and a Socket.IO client of a few lines that speaks
//! the protocol by itself.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use parley_domain::{Role, Timestamp, User, UserId};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, net::TcpStream, task::JoinHandle};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::{
    App, AppState, Config,
    clock::{Clock, SystemClock},
    config::Switch,
    serve_app,
};

/// Longer than anything here takes, short enough to fail while somebody watches.
const PATIENCE: Duration = Duration::from_secs(20);

/// The password of everybody.
pub(crate) const PASSWORD: &str = "a password of tests";

pub(crate) struct TestServer {
    pub(crate) app: AppState,
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    config: Config,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
    dir: Option<tempfile::TempDir>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with settings of its own. Rate limits are off unless turned on again.
    pub(crate) async fn start_with(set: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(dir.path().join("data"));
        config.rate_limits = Switch::Off;
        set(&mut config);
        Self::run(config, Some(dir)).await
    }

    async fn run(config: Config, dir: Option<tempfile::TempDir>) -> Self {
        let app = App::open(config.clone()).await.unwrap();
        let state = app.clone();
        Self::around(app, config, dir, |listener, stopped| async move {
            serve_app(state, listener, stopped).await.unwrap();
        })
        .await
    }

    async fn around<S: Future<Output = ()> + Send + 'static>(
        app: AppState,
        config: Config,
        dir: Option<tempfile::TempDir>,
        serve: impl FnOnce(TcpListener, WaitForCancellationFutureOwned) -> S,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(listener, stop.clone().cancelled_owned()));
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { app, base, http, config, stop, task: Some(task), dir }
    }

    /// Answers calls and does nothing else: no timer, no publishing and no upkeep asks the database for anything.
    pub(crate) async fn start_bare() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(dir.path().join("data"));
        config.rate_limits = Switch::Off;
        let app = App::open(config.clone()).await.unwrap();
        let router = crate::router(&app);
        Self::around(app, config, Some(dir), |listener, stopped| async move {
            axum::serve(listener, router).with_graceful_shutdown(stopped).await.unwrap();
        })
        .await
    }

    /// Stops it to its end and starts another one on the same data.
    pub(crate) async fn restart(mut self) -> Self {
        self.stop().await;
        Self::run(self.config.clone(), self.dir.take()).await
    }

    /// What a kill at this moment leaves behind, and a server started on it. The one that was not killed goes on.
    pub(crate) async fn restart_after_crash(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = self.config.clone();
        config.data_dir = dir.path().join("data");
        copy_dir(&self.config.data_dir, &config.data_dir);
        Self::run(config, Some(dir)).await
    }

    /// The settings for the next start.
    pub(crate) fn config(&mut self) -> &mut Config {
        &mut self.config
    }

    /// The path of the database.
    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.config.database()
    }

    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            within(task).await.unwrap();
        }
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.call(Method::POST, path).json(&body)).await
    }

    /// Signs up somebody with an address made of the name; providers are approved.
    pub(crate) async fn person(&self, name: &str, role: Role) -> Person {
        let email = format!("{}@people.test", name.to_lowercase().replace(' ', "."));
        let body = json!({ "email": email, "password": PASSWORD, "name": name, "role": role });
        let answer = self.post("/api/v1/auth/register", body).await;
        answer.expect(201);
        let person = Person::signed_in(self, &answer.body);
        if role == Role::Provider {
            self.app.store().set_approval(person.user.id, true).await.unwrap();
        }
        person
    }

    /// A client and a provider with an active project.
    pub(crate) async fn pair(&self) -> Pair {
        let client = self.person("Maren Aldous", Role::Client).await;
        let provider = self.person("Tomas Reyes", Role::Provider).await;
        let proposal = offer(&client, &provider).await;
        let accepted = client.post(&format!("/proposals/{proposal}/accept"), json!({})).await;
        accepted.expect(201);
        Pair {
            project: accepted.text("/project/id"),
            conversation: accepted.text("/conversation/id"),
            client,
            provider,
        }
    }
}

fn copy_dir(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A request of the client's with a proposal of the provider's; gives the proposal's id.
pub(crate) async fn offer(client: &Person, provider: &Person) -> String {
    let request = client.post("/requests", json!({ "title": "A site", "description": "Six pages." })).await;
    let path = format!("/requests/{}/proposals", request.expect(201).text("/id"));
    let proposal = json!({
        "price": { "amountMinor": 125_000, "currency": "USD" }, "scope": "All of it.",
        "deadline": "2099-01-01T00:00:00Z", "expiresAt": "2098-01-01T00:00:00+02:00",
    });
    provider.post(&path, proposal).await.expect(201).text("/id")
}

pub(crate) struct Pair {
    pub(crate) client: Person,
    pub(crate) provider: Person,
    pub(crate) project: String,
    pub(crate) conversation: String,
}

impl Pair {
    /// An instant call by the client; gives the meeting's id.
    pub(crate) async fn ring(&self) -> String {
        self.client
            .post("/meetings", json!({ "projectId": self.project, "type": "instant" }))
            .await
            .expect(201)
            .text("/id")
    }

    pub(crate) async fn send(&self, by: &Person, content: &str) -> Answer {
        by.post("/messages", json!({ "conversationId": self.conversation, "content": content, "type": "text" })).await
    }
}

/// Somebody who is signed in.
pub(crate) struct Person {
    pub(crate) user: User,
    pub(crate) access: String,
    pub(crate) refresh: String,
    http: reqwest::Client,
    base: String,
}

impl Person {
    pub(crate) fn signed_in(server: &TestServer, body: &Value) -> Self {
        Self {
            user: serde_json::from_value(body["user"].clone()).unwrap(),
            access: body["accessToken"].as_str().unwrap().to_owned(),
            refresh: body["refreshToken"].as_str().unwrap().to_owned(),
            http: server.http.clone(),
            base: server.base.clone(),
        }
    }

    pub(crate) fn id(&self) -> UserId {
        self.user.id
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&self.access)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.call(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.call(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.call(Method::PATCH, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.call(Method::DELETE, path)).await
    }

    pub(crate) async fn socket(&self) -> Socket {
        Socket::connect(&self.base, json!({ "token": self.access })).await.expect("the socket is let in")
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    /// Asserts a whole problem document.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> &Self {
        self.expect(status);
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.body);
        assert_eq!(self.body["code"], code, "{}", self.body);
        assert_eq!(self.body["status"], status, "{}", self.body);
        for member in ["type", "title", "detail"] {
            assert!(self.body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {}", self.body);
        }
        self
    }

    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> String {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer}: {}", self.body))
            .to_owned()
    }
}

/// Waits, but not for ever.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it takes no longer than the patience of a test")
}

/// Socket.IO v5 over Engine.IO v4 over a WebSocket, text packets only.
pub(crate) struct Socket {
    line: WebSocketStream<MaybeTlsStream<TcpStream>>,
    events: VecDeque<(String, Value)>,
    answers: HashMap<u64, Value>,
    next_id: u64,
}

impl Socket {
    /// Connects; the error is the message of the `connect_error`.
    pub(crate) async fn connect(base: &str, auth: Value) -> Result<Self, String> {
        let url = format!("{}/socket.io/?EIO=4&transport=websocket", base.replace("http", "ws"));
        let (line, _) = within(connect_async(url)).await.unwrap();
        let mut socket = Self { line, events: VecDeque::new(), answers: HashMap::new(), next_id: 0 };
        assert!(socket.packet().await.unwrap().starts_with('0'));
        socket.write(format!("40{auth}")).await;
        loop {
            let packet = socket.packet().await.unwrap();
            if let Some(error) = packet.strip_prefix("44") {
                let error: Value = serde_json::from_str(error).unwrap();
                return Err(error["message"].as_str().unwrap().to_owned());
            }
            if packet.starts_with("40") {
                return Ok(socket);
            }
            socket.take(&packet);
        }
    }

    /// Begins by polling and goes over to a WebSocket, as stock clients do.
    pub(crate) async fn upgrade(server: &TestServer, token: &str) -> Self {
        let polling = Poller::connect(server, token).await;
        let sid = polling.address.rsplit('=').next().unwrap();
        let url = format!("{}/socket.io/?EIO=4&transport=websocket&sid={sid}", server.base.replace("http", "ws"));
        let (line, _) = within(connect_async(url)).await.unwrap();
        let mut socket = Self { line, events: VecDeque::new(), answers: HashMap::new(), next_id: 0 };
        socket.write("2probe".to_owned()).await;
        // What was polled for meanwhile comes over the new line, or with the poll that the server ends.
        while socket.packet().await.unwrap() != "3probe" {}
        socket.write("5".to_owned()).await;
        socket
    }

    pub(crate) async fn write(&mut self, packet: String) {
        self.line.send(Message::text(packet)).await.unwrap();
    }

    /// Writes to a line that may be closed.
    pub(crate) async fn try_write(&mut self, packet: String) -> Result<(), ()> {
        self.line.send(Message::text(packet)).await.map_err(drop)
    }

    /// The next packet but pings; `None` when the line is closed.
    async fn packet(&mut self) -> Option<String> {
        loop {
            match within(self.line.next()).await {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => self.write("3".to_owned()).await,
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    fn take(&mut self, packet: &str) {
        let (kind, rest) = packet.split_at(2.min(packet.len()));
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (id, body) = rest.split_at(digits);
        match kind {
            "42" => {
                let mut event: Vec<Value> = serde_json::from_str(body).unwrap();
                let payload = event.pop().unwrap();
                self.events.push_back((event[0].as_str().unwrap().to_owned(), payload));
            }
            "43" => {
                let mut answer: Vec<Value> = serde_json::from_str(body).unwrap();
                self.answers.insert(id.parse().unwrap(), answer.remove(0));
            }
            "1" | "41" => self.events.push_back(("disconnect".to_owned(), Value::Null)),
            _ => panic!("an unknown packet: {packet}"),
        }
    }

    /// Sends an event and waits for its acknowledgement.
    pub(crate) async fn ask(&mut self, event: &str, payload: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        self.write(format!("42{id}{}", json!([event, payload]))).await;
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return answer;
            }
            let packet = self.packet().await.expect("the line stays open until the answer");
            self.take(&packet);
        }
    }

    /// Waits for the acknowledgements of events that were written by hand.
    pub(crate) async fn answers_to(&mut self, ids: std::ops::Range<u64>) -> Vec<Value> {
        let mut answers = Vec::new();
        for id in ids {
            while !self.answers.contains_key(&id) {
                let packet = self.packet().await.expect("the line stays open until the answer");
                self.take(&packet);
            }
            answers.extend(self.answers.remove(&id));
        }
        answers
    }

    /// The next event of that name; others are kept.
    pub(crate) async fn next(&mut self, event: &str) -> Value {
        loop {
            if let Some(at) = self.events.iter().position(|(name, _)| name == event) {
                return self.events.remove(at).unwrap().1;
            }
            let packet = self.packet().await.unwrap_or_else(|| panic!("the line closed before {event}"));
            self.take(&packet);
        }
    }

    /// Asserts that no such event has come. What the server sent before its next answer has come by then.
    pub(crate) async fn has_not_heard(&mut self, event: &str) {
        self.ask("leave", json!({ "conversationId": uuid::Uuid::nil() })).await;
        assert!(!self.events.iter().any(|(name, _)| name == event), "{event} came: {:?}", self.events);
    }

    /// Waits until the server has closed the line or said farewell.
    pub(crate) async fn closed(&mut self) {
        loop {
            match self.packet().await {
                None => return,
                Some(packet) => self.take(&packet),
            }
            if self.events.iter().any(|(name, _)| name == "disconnect") {
                return;
            }
        }
    }

    /// Waits until the connection itself is closed, whatever was said before.
    pub(crate) async fn line_closed(&mut self) {
        while self.packet().await.is_some() {}
    }

    /// Goes away without a word.
    pub(crate) async fn drop_line(mut self) {
        self.line.close(None).await.ok();
    }
}

/// Socket.IO v5 over Engine.IO v4 by long polling only.
pub(crate) struct Poller {
    http: reqwest::Client,
    address: String,
}

impl Poller {
    /// Opens a session, without signing in.
    pub(crate) async fn open(server: &TestServer) -> Self {
        let address = format!("{}/socket.io/?EIO=4&transport=polling", server.base);
        let open = server.http.get(&address).send().await.unwrap().text().await.unwrap();
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        Self { http: server.http.clone(), address: format!("{address}&sid={}", open["sid"].as_str().unwrap()) }
    }

    /// Opens a session and signs in.
    pub(crate) async fn connect(server: &TestServer, token: &str) -> Self {
        let poller = Self::open(server).await;
        poller.send(&format!("40{}", json!({ "token": token }))).await.expect("the session is open");
        let first = poller.hear("4").await;
        assert!(first.starts_with("40"), "{first}");
        poller
    }

    pub(crate) async fn send(&self, packet: &str) -> Result<(), StatusCode> {
        let answer = self.http.post(&self.address).body(packet.to_owned()).send().await.unwrap();
        if answer.status().is_success() { Ok(()) } else { Err(answer.status()) }
    }

    /// Polls for the first packet that begins like this.
    pub(crate) async fn hear(&self, beginning: &str) -> String {
        loop {
            let packets = self.poll().await.expect("the session is open");
            if let Some(packet) = packets.into_iter().find(|packet| packet.starts_with(beginning)) {
                return packet;
            }
        }
    }

    /// The packets of one poll; pings are answered.
    pub(crate) async fn poll(&self) -> Result<Vec<String>, StatusCode> {
        let answer = self.http.get(&self.address).send().await.unwrap();
        if !answer.status().is_success() {
            return Err(answer.status());
        }
        let text = answer.text().await.unwrap();
        let packets: Vec<_> = text.split('\u{1e}').map(str::to_owned).collect();
        if packets.iter().any(|packet| packet == "2") {
            self.send("3").await?;
        }
        Ok(packets)
    }

    /// Polls until the session is unknown; gives what came before.
    pub(crate) async fn closed(&self) -> Vec<String> {
        let mut heard = Vec::new();
        within(async {
            loop {
                match self.poll().await {
                    Ok(packets) => heard.extend(packets),
                    Err(status) => {
                        assert_eq!(status, StatusCode::BAD_REQUEST);
                        return;
                    }
                }
                // A server that closed nothing is asked again, but not in a busy loop.
                tokio::task::yield_now().await;
            }
        })
        .await;
        heard
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct StillClock(AtomicI64);

impl StillClock {
    pub(crate) fn at_now() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(SystemClock.now().as_millis())))
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
