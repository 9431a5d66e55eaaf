//! The routes of files.

use axum::{
    Json,
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use parley_domain::{Attachment, AttachmentId};
use parley_protocol::Code;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    links,
    media_type::content_type,
    range::{self, Wanted},
    service,
};
use crate::{
    auth::caller::Caller,
    extract::{Id, Query},
    openapi::Routes,
    problem::{Outcome, Refusal},
    state::AppState,
};

pub(crate) fn routes() -> Routes {
    Routes::of([routes!(upload), routes!(download)])
}

/// The form of an upload.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a body that is read as a stream")]
struct UploadForm {
    /// The file, with its name; at least one byte.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// What a signed address carries.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what the link's check reads")]
struct Signed {
    /// For whom it was signed; with `expires` and `signature` instead of a token.
    #[param(required = false)]
    user: parley_domain::UserId,
    /// Until when it works; seconds since 1970.
    #[param(required = false)]
    expires: i64,
    /// The server's signature.
    #[param(required = false)]
    signature: String,
}

/// Upload a file, to be sent with a message within a day. Its type is decided by its content.
#[utoipa::path(
    post, path = "/attachments", operation_id = "uploadAttachment", tag = "attachments",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = Attachment),
        (status = 503, description = "`UNAVAILABLE`: too many uploads at once, or the disk is full.")
    )
)]
async fn upload(
    State(app): State<AppState>,
    caller: Caller,
    request: Request,
) -> Outcome<(StatusCode, Json<Attachment>)> {
    let attachment = service::upload(&app, &caller, request).await?;
    Ok((StatusCode::CREATED, Json(attachment)))
}

/// A file's bytes, whole or one `Range` of them, always as a download. By a token, or by the signed `url` of an attachment.
#[utoipa::path(
    get, path = "/attachments/{id}", operation_id = "getAttachment", tag = "attachments",
    params(("id" = AttachmentId, Path), Signed),
    security(("bearer" = []), ()),
    responses(
        (status = 200, description = "The file.", body = Vec<u8>, content_type = "*/*"),
        (status = 206, description = "The part.", body = Vec<u8>, content_type = "*/*"),
        (status = 401, description = "`UNAUTHENTICATED` or `TOKEN_EXPIRED`: neither a token nor a signature."),
        (status = 403, description = "`FORBIDDEN`: this server did not sign that."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 410, description = "`LINK_EXPIRED`."),
        (status = 416, description = "`RANGE_NOT_SATISFIABLE`."),
        (status = 429, description = "`RATE_LIMITED`.")
    )
)]
async fn download(
    State(app): State<AppState>,
    Id(id): Id<AttachmentId>,
    query: Query,
    request: Request,
) -> Outcome<Response> {
    let (mut parts, _) = request.into_parts();
    let reader = match links::reader(&app, id, &query)? {
        Some(reader) => reader,
        None => Caller::from_request_parts(&mut parts, &app).await?.id(),
    };
    let file = service::find(&app, reader, id).await?;
    let size = u64::try_from(file.size).map_err(Refusal::internal)?;
    let tag = format!("\"{}\"", file.sha256);
    let (status, part) = match range::wanted(&parts.headers, size, &tag) {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Outside => {
            let detail = format!("The file has {size} bytes.");
            let refusal = Refusal::new(Code::RangeNotSatisfiable, detail);
            return Ok(outside(refusal, size));
        }
    };
    let mut headers = headers_of(&file, &tag)?;
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&range).map_err(Refusal::internal)?);
    }
    let Some(bytes) = app.files.read(id, part).await? else {
        tracing::error!(attachment = %id, "the bytes of a file are missing");
        return Err(Refusal::not_found("file"));
    };
    let mut response = Response::new(Body::from_stream(bytes));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

fn outside(refusal: Refusal, size: u64) -> Response {
    let mut response = axum::response::IntoResponse::into_response(refusal);
    if let Ok(range) = HeaderValue::from_str(&format!("bytes */{size}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    response
}

/// A file is somebody's word against somebody else's browser: it is only ever saved, never shown in this origin.
fn headers_of(file: &Attachment, tag: &str) -> Outcome<HeaderMap> {
    const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    let value = |text: &str| HeaderValue::from_str(text).map_err(Refusal::internal);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, value(&content_type(&file.media_type))?);
    headers.insert(header::CONTENT_DISPOSITION, value(&disposition(&file.name))?);
    headers.insert(header::ETAG, value(tag)?);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'"),
    );
    headers.insert(CORP, HeaderValue::from_static("cross-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(headers)
}

/// RFC 6266: the name for old programs in ASCII, and as it is (RFC 8187).
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' { c } else { '_' })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}
