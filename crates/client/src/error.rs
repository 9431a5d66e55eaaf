//! Why something could not be done, as one small enum with one code each.

use std::time::Duration;

use parley_domain::MeetingId;
use parley_protocol::{Code, FieldProblem, Problem, app::AppError, socket::Ack};

/// What a call of the client comes to when it fails.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// The server said no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The session is over: the refresh token is no longer taken. Sign in again.
    #[error("the sign-in is over: {0}")]
    SignedOut(Box<Refusal>),
    /// No network, no server, or the line broke.
    #[error("the server can't be reached: {0}")]
    Unreachable(String),
    /// Nothing came in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// What answered speaks something else.
    #[error("what answered is not a Parley server: {0}")]
    NotAParleyServer(String),
    /// The address is no address.
    #[error("{0}")]
    BadAddress(String),
    /// Plain http to another machine without the person's consent.
    #[error("{0} is not encrypted; use https, or allow plain http for this server")]
    PlainHttpRefused(String),
    /// The local database or the store of secrets can't be used.
    #[error("the local storage can't be used: {0}")]
    Storage(String),
    /// The client was closed meanwhile.
    #[error("the client is closed")]
    Closed,
}

/// What the server said no with.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// HTTP status; 0 for a refused event.
    pub status: u16,
    /// What to decide on.
    pub code: Code,
    /// For people.
    pub detail: String,
    /// Which fields.
    pub errors: Vec<FieldProblem>,
    /// The running call, with `MEETING_IN_PROGRESS`.
    pub meeting_id: Option<MeetingId>,
    /// Finds a 5xx in the server's log.
    pub request_id: Option<String>,
    /// When to ask again, with 429 and 503.
    pub retry_after: Option<Duration>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.detail.is_empty() { self.code.title() } else { &self.detail })
    }
}

impl Refusal {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            status: code.status(),
            code,
            detail: detail.into(),
            errors: Vec::new(),
            meeting_id: None,
            request_id: None,
            retry_after: None,
        }
    }

    pub(crate) fn from_problem(problem: Problem) -> Self {
        let text = |name: &str| problem.more.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        Self {
            status: problem.status,
            code: problem.code,
            meeting_id: text("meetingId").and_then(|id| id.parse().ok()),
            request_id: text("requestId"),
            detail: problem.detail,
            errors: problem.errors,
            retry_after: None,
        }
    }
}

impl ClientError {
    /// The code to decide on.
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code,
            Self::SignedOut(_) => Code::Unauthenticated,
            Self::Unreachable(_) | Self::TimedOut | Self::Closed => Code::ServerUnreachable,
            Self::NotAParleyServer(_) | Self::BadAddress(_) => Code::NotAParleyServer,
            Self::PlainHttpRefused(_) => Code::PlainHttpRefused,
            Self::Storage(_) => Code::LocalStorage,
        }
    }

    /// Whether the same call can succeed later without anyone's doing.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut => true,
            // 501 is a decision, the other 5xx are accidents.
            Self::Refused(refusal) => {
                matches!(refusal.status, 408 | 425 | 429) || (refusal.status >= 500 && refusal.status != 501)
            }
            _ => false,
        }
    }

    /// How long the server asked us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }

    /// The refusal, if the server said no.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) | Self::SignedOut(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The error of an acknowledgement that says no; `Ok` with the acknowledgement otherwise.
    pub(crate) fn from_ack(ack: Ack) -> Result<Ack, Self> {
        if ack.ok {
            return Ok(ack);
        }
        let mut refusal = Refusal::new(ack.code.unwrap_or(Code::Internal), ack.detail.unwrap_or_default());
        refusal.meeting_id = ack.more.get("meetingId").and_then(|id| id.as_str()).and_then(|id| id.parse().ok());
        Err(Self::Refused(Box::new(refusal)))
    }
}

impl From<ClientError> for AppError {
    fn from(error: ClientError) -> Self {
        let mut detail = error.to_string();
        if let Some(first) = detail.get(..1).map(str::to_uppercase) {
            detail.replace_range(..1, &first);
        }
        if !detail.ends_with('.') {
            detail.push('.');
        }
        let refusal = error.refusal();
        Self {
            code: error.code(),
            errors: refusal.map(|refusal| refusal.errors.clone()).unwrap_or_default(),
            meeting_id: refusal.and_then(|refusal| refusal.meeting_id),
            detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_accidents_are_tried_again() {
        let refused = |status, code| {
            let mut refusal = Refusal::new(code, "");
            refusal.status = status;
            ClientError::Refused(Box::new(refusal))
        };
        assert!(refused(503, Code::Unavailable).is_transient());
        assert!(refused(429, Code::RateLimited).is_transient());
        assert!(ClientError::TimedOut.is_transient());
        for definite in [
            refused(422, Code::Invalid),
            refused(501, Code::NotImplemented),
            refused(409, Code::ProjectNotActive),
            ClientError::SignedOut(Box::new(Refusal::new(Code::Unauthenticated, ""))),
        ] {
            assert!(!definite.is_transient(), "{definite:?}");
        }
    }

    #[test]
    fn the_running_call_is_named_in_the_apps_error() {
        let mut problem = Problem::new(Code::MeetingInProgress, "a call is running");
        let id = uuid::Uuid::now_v7();
        problem.more.insert("meetingId".to_owned(), id.to_string().into());
        let error = AppError::from(ClientError::Refused(Box::new(Refusal::from_problem(problem))));
        assert_eq!(error.meeting_id, Some(MeetingId(id)));
        assert_eq!(error.detail, "A call is running.");
    }
}
