//! The OpenAPI description. A route is added together with its operation, so that nothing is served that the
//! description leaves out; what the extractors and layers can answer is added here, by what an operation takes.

use axum::{Router, extract::DefaultBodyLimit};
use http::StatusCode;
use parley_domain::MAX_KEY_CHARS;
use parley_protocol::Problem;
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        Components, ContentBuilder, Header, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref,
        RefOr, Required, Response, ResponseBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem},
        schema::{Array, OneOf, Schema, SchemaType, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::{problem::PROBLEM_JSON, state::AppState};

#[cfg(test)]
mod tests;

/// Where everything is served that is not at the root; `/api` serves the same.
const PREFIX: &str = "/api/v1";
const SHORT_PREFIX: &str = "/api";

/// The name of the security scheme.
const BEARER: &str = "bearer";

const ABOUT: &str = "\
Accounts, projects, chat and meetings of one Parley server. Every path below `/api/v1` is served below `/api` too.

JSON is UTF-8 and camelCase; a JSON body is also read as `text/plain`. Instants are RFC 3339 in UTC with milliseconds; \
any offset is read. Errors are RFC 9457 documents with a stable `code`; a 5xx carries a `requestId`. Lists are pages \
with an opaque `nextCursor`. `X-Request-Id` is echoed or made. Fields may be added.";

/// Routes with their operations. There is no way to add one without the other.
#[derive(Clone)]
pub(crate) struct Routes(OpenApiRouter<AppState>);

impl Routes {
    /// One `routes!` for each path, with all of that path's handlers.
    pub(crate) fn of(paths: impl IntoIterator<Item = UtoipaMethodRouter<AppState>>) -> Self {
        Self(paths.into_iter().fold(OpenApiRouter::new(), |router, path| {
            // `routes!` would serve all its handlers at each of its paths.
            assert_eq!(path.1.paths.len(), 1, "the handlers of one routes!() have one path");
            router.routes(path)
        }))
    }

    /// Reads no longer bodies for these.
    pub(crate) fn with_bodies_up_to(self, bytes: usize) -> Self {
        Self(self.0.layer(DefaultBodyLimit::max(bytes)))
    }

    /// These and those.
    pub(crate) fn and(self, others: Self) -> Self {
        Self(self.0.merge(others.0))
    }
}

/// The whole router, `api` under both prefixes, and what describes it.
pub(crate) fn mount(root: Routes, api: Routes) -> (Router<AppState>, OpenApi) {
    let again = Router::from(api.0.clone());
    let (router, mut description) =
        OpenApiRouter::with_openapi(head()).merge(root.0).nest(PREFIX, api.0).split_for_parts();
    description.paths.paths.values_mut().flat_map(operations).for_each(complete);
    if let Some(components) = &mut description.components {
        name_rows(components);
    }
    (router.nest(SHORT_PREFIX, again), description)
}

/// A page's rows are written out in its shape; their own name says it shorter.
fn name_rows(components: &mut Components) {
    for (name, page) in &mut components.schemas {
        let Some(row) = name.strip_prefix("Page_") else { continue };
        if let RefOr::T(Schema::Object(page)) = page {
            page.properties.insert("items".to_owned(), RefOr::T(Array::new(Ref::from_schema_name(row)).into()));
        }
    }
}

fn head() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Parley")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("AGPL-3.0-or-later").identifier(Some("AGPL-3.0-or-later")).build()))
        .build();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The `accessToken` of register, login or refresh."))
        .build();
    let mut components = Components::new();
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    for answer in COMMON {
        components.responses.insert(answer.name.to_owned(), problem(answer.status, answer.codes).into());
    }
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([SecurityRequirement::new(BEARER, Vec::<String>::new())]))
        .build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.patch, &mut item.put, &mut item.delete].into_iter().flatten()
}

/// An answer that an extractor or a layer gives, the same wherever it stands.
struct Common {
    name: &'static str,
    status: StatusCode,
    codes: &'static str,
    /// Whether an operation can give it.
    applies: fn(&Operation) -> bool,
}

const COMMON: &[Common] = &[
    Common {
        name: "Malformed",
        status: StatusCode::BAD_REQUEST,
        codes: "`MALFORMED`: the body, the query or the path can't be read.",
        applies: |operation| {
            operation.request_body.is_some() || has(operation, &ParameterIn::Query) || has_id(operation)
        },
    },
    Common {
        name: "Unauthenticated",
        status: StatusCode::UNAUTHORIZED,
        codes: "`UNAUTHENTICATED` or `TOKEN_EXPIRED`.",
        applies: is_protected,
    },
    Common {
        name: "PayloadTooLarge",
        status: StatusCode::PAYLOAD_TOO_LARGE,
        codes: "`PAYLOAD_TOO_LARGE`.",
        applies: |operation| operation.request_body.is_some(),
    },
    Common {
        name: "UnsupportedMediaType",
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        codes: "`UNSUPPORTED_MEDIA_TYPE`.",
        applies: |operation| operation.request_body.is_some(),
    },
    Common {
        name: "Invalid",
        status: StatusCode::UNPROCESSABLE_ENTITY,
        codes: "`INVALID`: `errors` lists the fields.",
        applies: |operation| operation.request_body.is_some() || has(operation, &ParameterIn::Query),
    },
    Common {
        name: "RateLimited",
        status: StatusCode::TOO_MANY_REQUESTS,
        codes: "`RATE_LIMITED`.",
        applies: is_protected,
    },
    Common {
        name: "Internal",
        status: StatusCode::INTERNAL_SERVER_ERROR,
        codes: "`INTERNAL`: the request id finds it in the server's log.",
        applies: |_| true,
    },
    Common {
        name: "Unavailable",
        status: StatusCode::SERVICE_UNAVAILABLE,
        codes: "`UNAVAILABLE`: the server stops, or its disk can't be written.",
        applies: |_| true,
    },
];

fn is_protected(operation: &Operation) -> bool {
    operation.security.is_none()
}

fn has(operation: &Operation, place: &ParameterIn) -> bool {
    parameters(operation).any(|parameter| parameter.parameter_in == *place)
}

/// The only parameter of a path is an id.
fn has_id(operation: &Operation) -> bool {
    has(operation, &ParameterIn::Path)
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

fn complete(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(Parameter { schema: Some(schema), .. }) = parameter {
            *schema = without_null(schema.clone());
        }
    }
    let common: Vec<_> = COMMON.iter().filter(|answer| (answer.applies)(operation)).collect();
    let answers = &mut operation.responses.responses;
    for answer in common {
        answers
            .entry(answer.status.as_u16().to_string())
            .or_insert_with(|| RefOr::Ref(Ref::from_response_name(answer.name)));
    }
    for (status, answer) in answers {
        let Ok(status) = status.parse::<StatusCode>() else { continue };
        if let RefOr::T(answer) = answer {
            if status.as_u16() >= 400 {
                *answer = problem(status, &answer.description);
            } else if answer.description.is_empty() {
                answer.description = status.canonical_reason().unwrap_or_default().to_owned();
            }
        }
    }
}

fn problem(status: StatusCode, codes: &str) -> Response {
    let document = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
    let answer = ResponseBuilder::new().description(codes).content(PROBLEM_JSON, document);
    let header = |kind: Type, description: &str| {
        let mut header = Header::new(ObjectBuilder::new().schema_type(kind).build());
        header.description = Some(description.to_owned());
        header
    };
    match status {
        StatusCode::UNAUTHORIZED => answer.header("WWW-Authenticate", header(Type::String, "`Bearer`")),
        StatusCode::TOO_MANY_REQUESTS => answer.header("Retry-After", header(Type::Integer, "Seconds to wait.")),
        _ => answer,
    }
    .build()
}

/// A parameter that may be absent is not one that may be null.
fn without_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            if let SchemaType::Array(kinds) = &mut object.schema_type {
                kinds.retain(|kind| *kind != Type::Null);
                if let [only] = &kinds[..] {
                    object.schema_type = SchemaType::Type(only.clone());
                }
            }
            object.into()
        }
        RefOr::T(Schema::OneOf(OneOf { items, .. })) => {
            let is_null = |item: &RefOr<Schema>| matches!(item, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null));
            let mut others: Vec<_> = items.into_iter().filter(|item| !is_null(item)).collect();
            match others.len() {
                1 => others.remove(0),
                _ => RefOr::T(Schema::OneOf(OneOf { items: others, ..OneOf::new() })),
            }
        }
        other => other,
    }
}

/// `?limit=`.
pub(crate) struct Limit;

/// `?limit=` and `?cursor=`.
pub(crate) struct Paging;

/// `?after=` of messages.
pub(crate) struct After;

/// The header `Idempotency-Key`.
pub(crate) struct IdempotencyKey;

impl IntoParams for Limit {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(100))
            .default(Some(50.into()))
            .build();
        vec![parameter("limit", ParameterIn::Query, "How many at most.", schema)]
    }
}

impl IntoParams for Paging {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[np][0-9a-f]{1,16}$")).build();
        let mut parameters = Limit::into_params(place);
        parameters.push(parameter("cursor", ParameterIn::Query, "The `nextCursor` of the page before.", schema));
        parameters
    }
}

impl IntoParams for After {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).build();
        let about = "What came after that `seq`, oldest first; not together with `cursor`.";
        vec![parameter("after", ParameterIn::Query, about, schema)]
    }
}

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX_KEY_CHARS))
            .pattern(Some("^[!-~]([ -~]*[!-~])?$"))
            .build();
        let about = "The same key with the same body gives the same answer for 24 hours, with another body \
                     `IDEMPOTENCY_KEY_REUSED`.";
        vec![parameter("Idempotency-Key", ParameterIn::Header, about, schema)]
    }
}

fn parameter(name: &str, place: ParameterIn, about: &str, schema: utoipa::openapi::Object) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}
