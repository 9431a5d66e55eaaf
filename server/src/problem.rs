//! Error answers. Whatever goes wrong leaves the server as one RFC 9457 document with a stable code (`CONTRACT.md` §1).

use std::fmt;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use parley_protocol::{Code, FieldProblem, Problem, socket::Ack};

/// The media type of every error answer.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Why a call was not done; becomes a problem document or a refusing acknowledgement.
#[derive(Debug)]
pub(crate) struct Refusal {
    problem: Box<Problem>,
    retry_after_seconds: Option<u64>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The answer of everything that can be refused.
pub(crate) type Outcome<T> = Result<T, Refusal>;

impl Refusal {
    /// That code with its usual status. `detail` is for people and holds nothing secret.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { problem: Box::new(Problem::new(code, detail)), retry_after_seconds: None, source: None }
    }

    /// The server's own failure: the source is logged where the request ends, the caller learns a request id.
    pub(crate) fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut refusal =
            Self::new(Code::Internal, "This is the server's fault; its log knows more under the request id.");
        refusal.source = Some(source.into());
        refusal
    }

    /// Unknown, or not the caller's to know of.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}, or it is not yours."))
    }

    /// One invalid field; `pointer` is an RFC 6901 pointer into the body.
    pub(crate) fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Code::Invalid, "See errors for the fields.").with_field(pointer, message)
    }

    /// Too many; the caller may come back after that many seconds.
    pub(crate) fn rate_limited(retry_after_seconds: u64) -> Self {
        let mut refusal =
            Self::new(Code::RateLimited, format!("Too many at once; try again in {retry_after_seconds} s."));
        refusal.retry_after_seconds = Some(retry_after_seconds);
        refusal
    }

    /// Names a further field.
    pub(crate) fn with_field(mut self, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        self.problem.errors.push(FieldProblem { pointer: pointer.into(), message: message.into() });
        self
    }

    /// Answers with another status than the code's usual one.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.problem.status = status.as_u16();
        self
    }

    /// Adds a top-level member.
    pub(crate) fn with_member(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.problem.more.insert(name.to_owned(), value.into());
        self
    }

    /// What a client decides on.
    pub(crate) fn code(&self) -> Code {
        self.problem.code
    }

    /// The same refusal as an acknowledgement of a socket event. An internal cause is logged here, since no
    /// response will carry it outwards.
    pub(crate) fn into_ack(self) -> Ack {
        if let Some(source) = &self.source {
            tracing::error!(error = %source, "a socket event failed");
        }
        Ack { more: self.problem.more, ..Ack::refused(self.problem.code, self.problem.detail) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.problem.code.as_str(), self.problem.detail)
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// What the outermost layer needs to finish an error answer: it knows the request's id, the handler does not.
#[derive(Clone)]
pub(crate) struct Unfinished {
    pub(crate) problem: Problem,
    pub(crate) cause: Option<String>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let cause = self.source.as_deref().map(causes);
        let mut response = respond(&self.problem);
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.problem.code == Code::Unauthenticated || self.problem.code == Code::TokenExpired {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Unfinished { problem: *self.problem, cause });
        response
    }
}

fn causes(source: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    let mut text = source.to_string();
    let mut next = source.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// A problem as a response, with its own status.
pub(crate) fn respond(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(problem)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    response
}

/// The code for a bare status, such as those that axum and its layers answer with by themselves.
pub(crate) fn code_of_status(status: StatusCode) -> Code {
    match status {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::Forbidden,
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Code::PayloadTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        StatusCode::UNPROCESSABLE_ENTITY => Code::Invalid,
        StatusCode::TOO_MANY_REQUESTS => Code::RateLimited,
        StatusCode::NOT_IMPLEMENTED => Code::NotImplemented,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => {
            Code::Unavailable
        }
        status if status.is_server_error() => Code::Internal,
        _ => Code::Malformed,
    }
}
