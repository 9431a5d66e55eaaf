//! What every answer has: a request id, and a problem document if it is an error, whoever made the error.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use parley_protocol::{Code, Problem};
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    problem::{PROBLEM_JSON, Refusal, Unfinished, code_of_status, respond},
    state::AppState,
};

/// Echoed or made, on every answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A longer one from outside is replaced: it goes into the log.
const MAX_REQUEST_ID: usize = 128;
/// The longest path with its query, in bytes: far more than any cursor.
const MAX_ADDRESS: usize = 8 * 1024;
/// No call takes longer; a client has given up by then.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The outermost layer.
pub(crate) async fn wrap(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let method = request.method().clone();
    let is_socket = request.uri().path().starts_with("/socket.io");
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default(), %method);
    let started = Instant::now();
    let mut response = if request.uri().path_and_query().is_some_and(|asked| asked.as_str().len() > MAX_ADDRESS) {
        Refusal::new(Code::Malformed, "The address is longer than 8 KiB.").into_response()
    } else {
        next.run(request).instrument(span.clone()).await
    };
    if !is_socket {
        let _entered = span.enter();
        response = finish(response, &id);
        tracing::debug!(
            status = response.status().as_u16(),
            micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
    }
    guard(response.headers_mut());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn request_id(request: &Request) -> HeaderValue {
    let given = request.headers().get(&REQUEST_ID).filter(|value| {
        let text = value.as_bytes();
        (1..=MAX_REQUEST_ID).contains(&text.len()) && text.iter().all(|byte| byte.is_ascii_graphic())
    });
    given
        .cloned()
        .unwrap_or_else(|| HeaderValue::from_str(&Uuid::now_v7().to_string()).expect("a UUID is a header value"))
}

fn finish(mut response: Response, id: &HeaderValue) -> Response {
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let unfinished = response.extensions_mut().remove::<Unfinished>();
        let is_problem =
            response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes() == PROBLEM_JSON.as_bytes());
        match unfinished {
            Some(Unfinished { mut problem, cause }) if status.is_server_error() => {
                if let Some(cause) = cause {
                    tracing::error!(code = problem.code.as_str(), cause, "a call failed");
                }
                let id = id.to_str().unwrap_or_default().to_owned();
                problem.more.insert("requestId".to_owned(), id.into());
                response = with_headers_of(response, respond(&problem));
            }
            None if !is_problem => {
                let code = code_of_status(status);
                let mut problem = Problem::new(code, detail_of(status));
                problem.status = status.as_u16();
                if status.is_server_error() {
                    problem.more.insert("requestId".to_owned(), id.to_str().unwrap_or_default().into());
                }
                response = with_headers_of(response, respond(&problem));
            }
            _ => {}
        }
    }
    response
}

/// What every answer says to a browser: keep nothing, guess nothing, run nothing, show it in no frame, tell nobody the
/// address. A page that the server itself serves says otherwise where it has to.
fn guard(headers: &mut HeaderMap) {
    let defaults = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
}

/// The new answer keeps what layers and the first answer said besides the body, such as `Allow` or `Retry-After`.
fn with_headers_of(before: Response, mut after: Response) -> Response {
    for (name, value) in before.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            after.headers_mut().insert(name, value.clone());
        }
    }
    after
}

fn detail_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "This server serves nothing at that address.",
        StatusCode::METHOD_NOT_ALLOWED => "Allow lists the methods of this address.",
        StatusCode::PAYLOAD_TOO_LARGE => "The body is too large.",
        status if status.is_server_error() => "This is the server's fault; its log knows more under the request id.",
        _ => "The request can't be read.",
    }
}

/// Ends what takes too long, inside the Socket.IO layer, so that long polls live.
pub(crate) async fn limit_time(State(app): State<AppState>, request: Request, next: Next) -> Response {
    if app.is_draining() {
        return Refusal::new(Code::Unavailable, "The server is stopping.").into_response();
    }
    // A file over a slow line takes longer; its reception has limits of its own.
    if request.method() == Method::POST && request.uri().path().ends_with("/attachments") {
        return next.run(request).await;
    }
    match tokio::time::timeout(TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::new(Code::Unavailable, "This took too long; try again.").into_response(),
    }
}
