//! Error codes and the problem document (RFC 9457). A code is stable; clients decide on it, never on text.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $word:literal, $status:literal, $title:literal;)+) => {
        /// Every code that a person or a program acts on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
        pub enum Code { $($(#[$doc])+ #[serde(rename = $word)] $name),+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// The HTTP status that carries it; 0 for what only happens inside the app.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),+ }
            }

            /// A short sentence, the same at every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            /// The code of that word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

codes! {
    /// The request can't be read: broken JSON, a path that is no id.
    Malformed = "MALFORMED", 400, "The request can't be read";
    /// No token, or one that is not known.
    Unauthenticated = "UNAUTHENTICATED", 401, "Sign in first";
    /// The access token is past its time; refresh it.
    TokenExpired = "TOKEN_EXPIRED", 401, "The sign-in is past its time";
    /// Unknown address or wrong password.
    InvalidCredentials = "INVALID_CREDENTIALS", 401, "Address or password is wrong";
    /// Known to you but not allowed to you.
    Forbidden = "FORBIDDEN", 403, "This is not allowed to you";
    /// An administrator has not approved this provider (403 for proposing, 409 for accepting).
    ProviderNotApproved = "PROVIDER_NOT_APPROVED", 403, "The provider is not approved";
    /// Unknown, or not yours to know of.
    NotFound = "NOT_FOUND", 404, "Not found";
    /// The path exists, the method does not.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405, "This method is not served here";
    /// An account with that address exists.
    EmailTaken = "EMAIL_TAKEN", 409, "An account with this address exists";
    /// The proposal was accepted, rejected or withdrawn before.
    ProposalNotPending = "PROPOSAL_NOT_PENDING", 409, "The proposal is no longer pending";
    /// The request was converted or cancelled before.
    RequestNotOpen = "REQUEST_NOT_OPEN", 409, "The request is no longer open";
    /// The project is completed or cancelled.
    ProjectNotActive = "PROJECT_NOT_ACTIVE", 409, "The project is not active";
    /// A message can no longer be edited or deleted; say it in a new one.
    EditWindowOver = "EDIT_WINDOW_OVER", 409, "The message can no longer be changed";
    /// The message was deleted; show it so.
    MessageDeleted = "MESSAGE_DELETED", 409, "The message was deleted";
    /// A call of this project is ringing or running; `meetingId` says which.
    MeetingInProgress = "MEETING_IN_PROGRESS", 409, "A call is in progress in this project";
    /// The meeting is in a state from which this move is not possible.
    MeetingState = "MEETING_STATE", 409, "The meeting can't do that now";
    /// No token yet, or no longer.
    MeetingNotOpen = "MEETING_NOT_OPEN", 409, "The meeting is not open";
    /// The proposal's time is over.
    ProposalExpired = "PROPOSAL_EXPIRED", 410, "The proposal has expired";
    /// The signed address of a file is past its time; ask for its message again.
    LinkExpired = "LINK_EXPIRED", 410, "This link is past its time";
    /// The sync cursor is too old; start anew.
    SyncTooOld = "SYNC_TOO_OLD", 410, "Too much has happened since; start anew";
    /// The body or a header is too large.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", 413, "Too large";
    /// Not JSON where JSON is read.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", 415, "This media type is not read here";
    /// The file ends before the wanted range; load it from its start.
    RangeNotSatisfiable = "RANGE_NOT_SATISFIABLE", 416, "The file has no such range";
    /// Well-formed but invalid; `errors` lists the fields.
    Invalid = "INVALID", 422, "Some fields are not valid";
    /// The same `Idempotency-Key` came with another body.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", 422, "This Idempotency-Key was used with another body";
    /// Too many; `Retry-After` says when again.
    RateLimited = "RATE_LIMITED", 429, "Too many requests";
    /// The server failed; the request id finds it in the log.
    Internal = "INTERNAL", 500, "The server failed";
    /// An older server that does not serve this yet.
    NotImplemented = "NOT_IMPLEMENTED", 501, "Not served yet";
    /// The server is stopping or its disk can't be written.
    Unavailable = "UNAVAILABLE", 503, "The server can't do this now";

    /// In the app: the server can't be reached.
    ServerUnreachable = "SERVER_UNREACHABLE", 0, "The server can't be reached";
    /// In the app: what answered is not a Parley server.
    NotAParleyServer = "NOT_A_PARLEY_SERVER", 0, "This is not a Parley server";
    /// In the app: plain http to another machine, which the person did not allow.
    PlainHttpRefused = "PLAIN_HTTP_REFUSED", 0, "This address is not encrypted";
    /// In the app: there is no camera.
    NoCamera = "NO_CAMERA", 0, "No camera was found";
    /// In the app: the camera is used by something else or forbidden.
    CameraUnavailable = "CAMERA_UNAVAILABLE", 0, "The camera can't be opened";
    /// In the app: there is no microphone.
    NoMicrophone = "NO_MICROPHONE", 0, "No microphone was found";
    /// In the app: there is nothing to play sound on.
    NoSpeaker = "NO_SPEAKER", 0, "No sound output was found";
    /// In the app: the call needs an engine that is not here.
    EngineMissing = "ENGINE_MISSING", 0, "The call's engine is not installed";
    /// In the app: what was chosen is not a library of Agora's that works here; `detail` says why, for people.
    LibraryRefused = "LIBRARY_REFUSED", 0, "This library can't be used here";
    /// In the app: the media path did not come up or was lost for good.
    CallFailed = "CALL_FAILED", 0, "The call could not be connected";
    /// In the app: what the server signs for a call is refused by the network that carries it.
    CallNotAdmitted = "CALL_NOT_ADMITTED", 0, "The call's network refused the server";
    /// In the app: no call is running.
    NoCall = "NO_CALL", 0, "There is no call";
    /// In the app: a local file or the local database can't be used.
    LocalStorage = "LOCAL_STORAGE", 0, "The app's own storage can't be used";
}

/// An error answer: `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `urn:parley:problem:CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code's sentence.
    pub title: String,
    /// The HTTP status again.
    #[cfg_attr(feature = "openapi", schema(minimum = 400, maximum = 599))]
    pub status: u16,
    /// What to decide on.
    pub code: Code,
    /// What happened this time, for people.
    pub detail: String,
    /// Which fields, where fields are the problem.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// Further members, such as `meetingId` or `requestId`.
    #[cfg_attr(feature = "openapi", schema(ignore))]
    #[serde(flatten)]
    pub more: serde_json::Map<String, serde_json::Value>,
}

impl Problem {
    /// The problem of that code, with its usual status.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:parley:problem:{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail: detail.into(),
            errors: Vec::new(),
            more: serde_json::Map::new(),
        }
    }
}

/// One field that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldProblem {
    /// JSON pointer into the body (RFC 6901), such as `/price/currency`.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub message: String,
}
