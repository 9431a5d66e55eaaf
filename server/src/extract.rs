//! Reading requests: JSON bodies, path and query parameters. What can't be read is refused with a problem document.

use std::str::FromStr;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use parley_protocol::Code;
use serde::de::DeserializeOwned;

use crate::problem::{Outcome, Refusal};

/// A JSON body, also when it comes as `text/plain`, as plain `fetch` sends it.
///
/// 415 for another media type, 400 for what is no JSON, 422 for JSON of another shape.
pub(crate) struct Body<T>(pub(crate) T);

/// A JSON body that may be absent, or `null`.
pub(crate) struct MaybeBody<T>(pub(crate) T);

/// The bytes of a body that claims to be JSON.
pub(crate) struct RawBody(pub(crate) Bytes);

/// The single parameter of the path, such as an id.
pub(crate) struct Id<T>(pub(crate) T);

/// The query of the address, read by [`Query::get`].
pub(crate) struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Outcome<Self> {
        require_json(request.headers())?;
        read(request, state).await.map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Outcome<Self> {
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for MaybeBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Outcome<Self> {
        let is_json = require_json(request.headers());
        let bytes = read(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        is_json?;
        parse::<Option<T>>(&bytes).map(|body| Self(body.unwrap_or_default()))
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Outcome<Bytes> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(Code::PayloadTooLarge, "The body is too large."),
        _ => Refusal::new(Code::Malformed, "The body broke off."),
    })
}

/// 415 for what is no JSON by its header, or not in UTF-8, or packed.
fn require_json(headers: &HeaderMap) -> Outcome<()> {
    let unsupported = |detail: &str| Err(Refusal::new(Code::UnsupportedMediaType, detail));
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(|part| part.trim().to_ascii_lowercase());
    let essence = parts.next().unwrap_or_default();
    if essence != "application/json" && essence != "text/plain" && !essence.ends_with("+json") {
        return unsupported("Send JSON, as application/json.");
    }
    let charset = parts.find_map(|part| part.strip_prefix("charset=").map(|name| name.trim_matches('"').to_owned()));
    if charset.is_some_and(|name| !matches!(name.as_str(), "utf-8" | "utf8" | "us-ascii")) {
        return unsupported("Send JSON in UTF-8.");
    }
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding.as_bytes() != b"identity" => unsupported("Send the body unpacked."),
        _ => Ok(()),
    }
}

/// No body of the contract is half as deep.
const MAX_DEPTH: usize = 32;

/// Whether JSON is nested deeper than is read. Counts brackets outside of strings, also in members that nobody reads.
fn is_too_deep(bytes: &[u8]) -> bool {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'[' | b'{' if !is_text => depth += 1,
            b']' | b'}' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

/// Reads JSON; the refusal points at the member that does not fit.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Outcome<T> {
    if is_too_deep(bytes) {
        return Err(Refusal::new(Code::Malformed, format!("JSON is read {MAX_DEPTH} levels deep, no deeper.")));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => Refusal::invalid(pointer, without_position(&inner)),
            _ => Refusal::new(Code::Malformed, format!("The body is not JSON: {inner}.")),
        }
    })?;
    reader.end().map_err(|error| Refusal::new(Code::Malformed, format!("The body is not JSON: {error}.")))?;
    // Without their names, serde takes a list's items for the members of a shape, in order of declaration.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Refusal::invalid("", "is an object and not a list"));
    }
    Ok(value)
}

fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ").map_or(text.clone(), |end| text[..end].to_owned())
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Id<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Outcome<Self> {
        let unreadable = || Refusal::new(Code::Malformed, "The path holds no such id; an id is a UUID.");
        let axum::extract::Path(text) =
            axum::extract::Path::<String>::from_request_parts(parts, state).await.map_err(|_| unreadable())?;
        text.parse().map(Self).map_err(|_| unreadable())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Outcome<Self> {
        axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(pairs)| Self(pairs))
            .map_err(|_| Refusal::new(Code::Malformed, "The query can't be read."))
    }
}

/// How many rows a page holds when nobody says.
const DEFAULT_LIMIT: u32 = 50;
/// How many rows a page holds at most.
const MAX_LIMIT: u32 = 100;

impl Query {
    /// A parameter's text, if it is there. An empty one is there: a client that lost its cursor is told so, and does not
    /// begin anew without noticing.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter, if it is there. 422 when it has another shape.
    pub(crate) fn get<T: FromStr>(&self, name: &str, expected: &str) -> Outcome<Option<T>> {
        self.text(name)
            .map(|text| text.parse().map_err(|_| Refusal::invalid(format!("/{name}"), format!("is {expected}"))))
            .transpose()
    }

    /// `?limit=`: 1…100, 50 when absent.
    pub(crate) fn limit(&self) -> Outcome<u32> {
        let expected = "a number from 1 to 100";
        match self.get::<u32>("limit", expected)? {
            None => Ok(DEFAULT_LIMIT),
            Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            Some(_) => Err(Refusal::invalid("/limit", format!("is {expected}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parley_protocol::rest::{MarkRead, NewProposal, NewRequest, Register, UpdateMe};

    fn code<T>(outcome: Outcome<T>) -> Code {
        outcome.err().expect("it is refused").code()
    }

    #[test]
    fn broken_json_is_malformed_and_json_of_another_shape_is_invalid() {
        for broken in ["", "{", "{\"email\":}", "{} {}", "nonsense"] {
            assert_eq!(code(parse::<serde_json::Value>(broken.as_bytes())), Code::Malformed, "{broken}");
        }
        for wrong in ["{}", "[]", "null", "\"text\"", "{\"email\":1}"] {
            assert_eq!(code(parse::<Register>(wrong.as_bytes())), Code::Invalid, "{wrong}");
        }
    }

    #[test]
    fn a_list_is_not_taken_for_the_members_of_an_object() {
        for list in ["[\"Maren\",null]", " \r\n\t[]", "[null,null]"] {
            assert_eq!(code(parse::<UpdateMe>(list.as_bytes())), Code::Invalid, "{list}");
        }
        assert_eq!(code(parse::<Option<MarkRead>>(b"[null]")), Code::Invalid);
    }

    #[test]
    fn a_sum_is_an_object_with_both_members_once() {
        let with = |budget: &str| {
            parse::<NewRequest>(format!(r#"{{"title":"","description":"","budget":{budget}}}"#).as_bytes())
        };
        let read = with(r#"{"note":[{}],"currency":"USD","amountMinor":125000}"#).unwrap().budget.unwrap();
        assert_eq!((read.amount_minor, read.currency.as_str()), (125_000, "USD"));
        for other in [
            r#"[125000,"USD"]"#,
            r#"{"amountMinor":125000}"#,
            r#"{"currency":"USD"}"#,
            r#"{"amountMinor":1,"amountMinor":2,"currency":"USD"}"#,
            r#"{"amountMinor":1.5,"currency":"USD"}"#,
            "125000",
        ] {
            assert_eq!(code(with(other)), Code::Invalid, "{other}");
        }
    }

    #[test]
    fn depth_counts_brackets_outside_of_strings() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(!is_too_deep(nested(MAX_DEPTH).as_bytes()));
        assert!(is_too_deep(nested(MAX_DEPTH + 1).as_bytes()));
        assert!(!is_too_deep(format!("[\"{}\\\"{}\"]", "[".repeat(99), "{".repeat(99)).as_bytes()));
        assert!(!is_too_deep("[{}],".repeat(999).as_bytes()));
        assert!(is_too_deep(format!("\"\\\\\"{}", nested(99)).as_bytes()));
    }

    #[test]
    fn the_refusal_points_at_the_member() {
        let body = br#"{"price":{"amountMinor":1,"currency":"usd"},"scope":"","deadline":"2026-01-01T00:00:00Z",
            "expiresAt":"2026-01-01T00:00:00Z"}"#;
        let axum_response = axum::response::IntoResponse::into_response(parse::<NewProposal>(body).err().unwrap());
        let unfinished = axum_response.extensions().get::<crate::problem::Unfinished>().unwrap();
        assert_eq!(unfinished.problem.errors[0].pointer, "/price/currency");
    }
}
