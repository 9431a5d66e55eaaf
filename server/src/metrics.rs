//! What the server counts, and `/metrics` (Prometheus' text). Nothing is counted unless somebody can read it. Labels are
//! routes, methods, statuses and fixed words: never an id, an address or a name.

use std::{
    collections::HashMap,
    fs,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use parley_protocol::Code;
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use crate::{
    auth::caller::bearer_of,
    config::Config,
    problem::{Outcome, Refusal},
    state::{App, AppState},
};

/// From a warm read to the longest call there is, in seconds.
const SECONDS: &[f64] = &[0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];
/// How often the samples of histograms are taken together when nobody asks for them.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// Everything that is counted as it happens. What can be looked up is looked up when somebody asks.
pub(crate) struct Metrics {
    exporter: Option<Exporter>,
    requests: RwLock<HashMap<(Method, u16), ByRoute>>,
    /// Messages that were committed.
    pub(crate) messages: Counter,
    /// Events put into a socket's queue.
    pub(crate) events: Counter,
    /// Sockets that were cut because they lost an event.
    pub(crate) severed: Counter,
    /// Connections that were turned away.
    pub(crate) turned_away: Counter,
    /// TLS handshakes that failed or took too long.
    pub(crate) failed_handshakes: Counter,
    /// Answers 401.
    auth_failures: Counter,
    /// Reminders that went out.
    pub(crate) reminders: Counter,
}

/// How many calls of a route, and how long they took.
type ByRoute = HashMap<String, (Counter, Histogram)>;

struct Exporter {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Exporter {
    fn new() -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new().set_buckets(SECONDS)?.build_recorder();
        let handle = recorder.handle();
        Ok(Self { recorder, handle })
    }

    fn counter(&self, name: &'static str, what: &'static str) -> Counter {
        self.recorder.describe_counter(name.into(), None, what.into());
        self.recorder.register_counter(&Key::from_static_name(name), &METADATA)
    }

    /// A value that is looked up now.
    fn set(&self, name: &'static str, what: &'static str, value: f64) {
        self.recorder.describe_gauge(name.into(), None, what.into());
        self.recorder.register_gauge(&Key::from_static_name(name), &METADATA).set(value);
    }

    /// A count that somebody else keeps.
    fn total(&self, name: &'static str, what: &'static str, value: u64) {
        self.counter(name, what).absolute(value);
    }
}

impl Metrics {
    /// Counts if the settings let somebody read it.
    pub(crate) fn new(config: &Config) -> Self {
        let is_read = config.metrics_listen.is_some() || config.metrics_token.is_some();
        let exporter = if is_read { Exporter::new().inspect_err(unusable).ok() } else { None };
        let counter =
            |name, what| exporter.as_ref().map_or_else(Counter::noop, |exporter| exporter.counter(name, what));
        Self {
            messages: counter("parley_messages_total", "Messages committed."),
            events: counter("parley_socket_events_total", "Events put into the queues of sockets."),
            severed: counter(
                "parley_sockets_severed_total",
                "Sockets cut because they were too slow for their events.",
            ),
            turned_away: counter("parley_connections_refused_total", "Connections turned away by the bounds."),
            failed_handshakes: counter("parley_tls_failures_total", "TLS handshakes that failed or took too long."),
            auth_failures: counter("parley_auth_failures_total", "Calls answered with 401."),
            reminders: counter("parley_reminders_total", "Reminders sent."),
            requests: RwLock::default(),
            exporter,
        }
    }

    /// Whether anything is counted.
    pub(crate) fn is_on(&self) -> bool {
        self.exporter.is_some()
    }

    fn answered(&self, method: Method, route: &str, status: u16, took: Duration) {
        let Some(exporter) = &self.exporter else { return };
        if status == 401 {
            self.auth_failures.increment(1);
        }
        let key = (method, status);
        let known = {
            let requests = self.requests.read().unwrap_or_else(PoisonError::into_inner);
            requests.get(&key).and_then(|routes| routes.get(route)).cloned()
        };
        let (count, seconds) = known.unwrap_or_else(|| {
            let labels = |with_status: bool| {
                let mut labels =
                    vec![Label::new("method", key.0.as_str().to_owned()), Label::new("route", route.to_owned())];
                if with_status {
                    labels.push(Label::new("status", key.1.to_string()));
                }
                labels
            };
            let (total, seconds) = ("parley_http_requests_total", "parley_http_request_seconds");
            exporter.recorder.describe_counter(total.into(), None, "Calls answered.".into());
            exporter.recorder.describe_histogram(seconds.into(), None, "How long calls took.".into());
            let count = exporter.recorder.register_counter(&Key::from_parts(total, labels(true)), &METADATA);
            let seconds = exporter.recorder.register_histogram(&Key::from_parts(seconds, labels(false)), &METADATA);
            let made = (count, seconds);
            let mut requests = self.requests.write().unwrap_or_else(PoisonError::into_inner);
            requests.entry(key).or_default().insert(route.to_owned(), made.clone());
            made
        });
        count.increment(1);
        seconds.record(took.as_secs_f64());
    }

    /// Takes samples together now and then. Never ends.
    pub(crate) async fn keep(app: AppState) {
        loop {
            tokio::time::sleep(UPKEEP_EVERY).await;
            if let Some(exporter) = &app.metrics.exporter {
                exporter.handle.run_upkeep();
            }
        }
    }
}

fn unusable(error: &BuildError) {
    tracing::error!(%error, "metrics can't be kept");
}

/// Counts a call: its route as the router wrote it, so that no address that people invent becomes a label.
pub(crate) async fn observe(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let is_socket = request.uri().path().starts_with("/socket.io");
    let method = match request.method() {
        known @ (&Method::GET
        | &Method::POST
        | &Method::PATCH
        | &Method::PUT
        | &Method::DELETE
        | &Method::OPTIONS
        | &Method::HEAD) => known.clone(),
        // Methods can be invented, too.
        _ => Method::TRACE,
    };
    let started = Instant::now();
    let response = next.run(request).await;
    // A long poll takes as long as nothing happens.
    if !is_socket {
        let route = route.as_ref().map_or("none", MatchedPath::as_str);
        app.metrics.answered(method, route, response.status().as_u16(), started.elapsed());
    }
    response
}

/// `/metrics` on the main listener: with the token; without one in the settings it is not there.
pub(crate) async fn with_token(State(app): State<AppState>, headers: HeaderMap) -> Outcome<Response> {
    let Some(token) = &app.config.metrics_token else {
        return Err(Refusal::new(Code::NotFound, "This server serves nothing at that address."));
    };
    let given = bearer_of(&headers).unwrap_or_default();
    if !bool::from(given.as_bytes().ct_eq(token.expose().as_bytes())) {
        return Err(Refusal::new(Code::Unauthenticated, "Send Authorization: Bearer with the metrics token."));
    }
    Ok(page(&app).await)
}

/// What the listener of its own serves: metrics for everybody who reaches it, and nothing else.
pub(crate) fn router(app: &AppState) -> Router {
    let page = async |State(app): State<AppState>| page(&app).await;
    Router::new().route("/metrics", get(page)).with_state(AppState::clone(app))
}

async fn page(app: &App) -> Response {
    let Some(exporter) = &app.metrics.exporter else { return String::new().into_response() };
    let version = vec![Label::new("version", env!("CARGO_PKG_VERSION"))];
    exporter.recorder.describe_gauge("parley_build_info".into(), None, "The version that runs.".into());
    exporter.recorder.register_gauge(&Key::from_parts("parley_build_info", version), &METADATA).set(1.0);
    exporter.set("parley_sockets", "Sockets connected.", count(app.devices.count()));
    exporter.set("parley_connections", "Connections open.", count(app.bounds.open()));
    exporter.set("parley_password_hashes_waiting", "Sign-ins that wait for a core.", count(app.passwords.waiting()));
    let database = app.config.database();
    let size = |suffix: &str| {
        let mut path = database.clone().into_os_string();
        path.push(suffix);
        fs::metadata(path).map_or(0, |meta| meta.len())
    };
    exporter.set("parley_database_bytes", "Size of the database.", size("") as f64);
    exporter.set("parley_database_wal_bytes", "Size of its write-ahead log.", size("-wal") as f64);
    let oldest = app.store.next_due_at().await.ok().flatten();
    let lag = oldest.map_or(Duration::ZERO, |due| app.now().saturating_since(due));
    exporter.set("parley_due_lag_seconds", "How late the oldest thing is that is due and not done.", lag.as_secs_f64());
    let activity = app.store.activity();
    exporter.total("parley_store_commits_total", "Transactions committed.", activity.commits);
    exporter.total("parley_store_writes_total", "Writes in those transactions.", activity.writes);
    exporter.total(
        "parley_store_write_wait_microseconds_total",
        "How long writes waited for their turn, altogether.",
        activity.waited_micros,
    );
    exporter.total("parley_store_statements_total", "Statements that the database ran.", activity.statements);
    exporter.total(
        "parley_store_steps_total",
        "What those statements cost, in steps of the database's own machine.",
        activity.steps,
    );
    let text = exporter.handle.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn count(of: usize) -> f64 {
    of as f64
}

#[cfg(test)]
mod tests {
    use parley_domain::Role;
    use reqwest::Method;

    use crate::{
        config::Secret,
        testing::{Answer, TestServer},
    };

    async fn read(server: &TestServer, token: &str) -> Answer {
        Answer::of(server.call(Method::GET, "/metrics").bearer_auth(token)).await
    }

    #[tokio::test]
    async fn without_a_token_in_the_settings_there_are_no_metrics() {
        let server = TestServer::start().await;
        read(&server, "anything").await.refused(404, "NOT_FOUND");
        assert!(!server.app.metrics.is_on());
    }

    #[tokio::test]
    async fn the_token_opens_them_and_nothing_else_does() {
        let server = TestServer::start_with(|config| config.metrics_token = Some(Secret::new("scrape me"))).await;
        for wrong in ["", "scrape", "scrape me too"] {
            read(&server, wrong).await.refused(401, "UNAUTHENTICATED");
        }
        let pair = server.pair().await;
        let body = serde_json::json!({ "conversationId": pair.conversation, "content": "Hello", "type": "text" });
        pair.client.post("/messages", body).await.expect(201);
        pair.client.get(&format!("/conversations/{}", pair.conversation)).await.expect(200);
        pair.client.get("/no/such/thing/at/all").await.expect(404);
        let _socket = pair.client.socket().await;
        let page = read(&server, "scrape me").await;
        page.expect(200);
        let text = page.body.as_str().unwrap();
        for line in [
            "parley_http_requests_total{method=\"POST\",route=\"/api/v1/messages\",status=\"201\"} 1",
            "route=\"/api/v1/conversations/{id}\",status=\"200\"} 1",
            "route=\"none\",status=\"404\"}",
            "parley_messages_total 1",
            "parley_sockets 1",
            "parley_auth_failures_total 3",
            "parley_build_info{version=",
            "parley_http_request_seconds_bucket{method=\"POST\",route=\"/api/v1/messages\",le=\"30\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        let commits = text.lines().find_map(|line| line.strip_prefix("parley_store_commits_total ")).unwrap();
        assert!(commits.parse::<u64>().unwrap() > 0);
        for private in [&pair.conversation, &pair.client.id().to_string(), "no/such", "127.0.0.1", "maren"] {
            assert!(!text.to_lowercase().contains(private), "{private}");
        }
    }

    #[tokio::test]
    async fn a_listener_of_its_own_serves_metrics_without_a_token_and_nothing_else() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let server = TestServer::start_with(|config| config.metrics_listen = Some(port)).await;
        server.person("Maren Aldous", Role::Client).await;
        let get = async |path: &str| server.http.get(format!("http://{port}{path}")).send().await.unwrap();
        assert!(get("/metrics").await.text().await.unwrap().contains("parley_http_requests_total"));
        assert_eq!(get("/api/v1/users/me").await.status(), 404);
        read(&server, "").await.refused(404, "NOT_FOUND");
    }
}
