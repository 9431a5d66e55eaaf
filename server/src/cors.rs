//! Which web pages may call from a browser: those of the origins that were named in full, and nothing for the rest. The
//! app is no browser and needs none of this.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use parley_protocol::Code;

use crate::{problem::Refusal, state::AppState};

/// How long a browser may remember a preflight.
const MAX_AGE_SECONDS: &str = "600";

/// Answers preflights, and lets the pages of allowed origins read the answers. A foreign page's preflight is refused;
/// what it sends without one is answered as anybody's, but the browser does not show it the answer.
pub(crate) async fn apply(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.clone().filter(|origin| is_allowed(&app.config.allowed_origins, origin));
    let is_preflight = *request.method() == Method::OPTIONS
        && origin.is_some()
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match (is_preflight, &allowed) {
        (false, _) => next.run(request).await,
        (true, Some(_)) => StatusCode::NO_CONTENT.into_response(),
        (true, None) => {
            Refusal::new(Code::Forbidden, "Pages of this origin may not call; see --allowed-origin.").into_response()
        }
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if is_preflight {
            preflight(headers);
        } else {
            let exposed = "x-request-id, retry-after, content-disposition";
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
        }
    }
    response
}

fn is_allowed(origins: &[String], origin: &HeaderValue) -> bool {
    origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
}

fn preflight(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PATCH, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, idempotency-key, range, x-request-id"),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Whether the text is an origin as browsers send it: scheme and authority, nothing after.
pub(crate) fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, authority)| {
        !scheme.is_empty()
            && scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
            && !authority.is_empty()
            && authority
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_and_authority() {
        for origin in ["https://app.example.org", "http://localhost:5173", "tauri://localhost", "http://[::1]:8080"] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in ["*", "null", "", "https://", "https://a.test/", "https://A.test", "https://*.a.test", "a.test"] {
            assert!(!is_origin(other), "{other}");
        }
    }
}
