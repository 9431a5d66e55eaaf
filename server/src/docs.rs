//! `/docs`: the OpenAPI description as a page for people. One answer, no script, nothing from elsewhere.

use std::{fmt::Write, sync::LazyLock};

use axum::{
    http::header,
    response::{Html, IntoResponse},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{openapi::Routes, router::openapi};

#[cfg(test)]
mod tests;

const STYLE: &str = include_str!("docs/style.css");

pub(crate) fn routes() -> Routes {
    Routes::of([utoipa_axum::routes!(page)])
}

/// This description as a page for people.
#[utoipa::path(
    get, path = "/docs", operation_id = "docs", tag = "server",
    security(()),
    responses((status = 200, body = String, content_type = "text/html"))
)]
async fn page() -> impl IntoResponse {
    static PAGE: LazyLock<(String, String)> = LazyLock::new(|| {
        let description = serde_json::from_str(openapi()).unwrap_or_default();
        let style = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors \
             'none'"
        );
        (policy, Page::of(&description).0)
    });
    let (policy, page) = &*PAGE;
    ([(header::CONTENT_SECURITY_POLICY, policy.as_str()), (header::CACHE_CONTROL, "no-cache")], Html(page.as_str()))
}

/// The page while it is written. Writing to a `String` can't fail, so the results of `write!` say nothing.
struct Page(String);

impl Page {
    fn of(description: &Value) -> Self {
        let mut page = Self(String::new());
        let title = format!("{} {}", text(description, "/info/title"), text(description, "/info/version"));
        let operations = operations(description);
        page.put("<!doctype html><html lang=en><head><meta charset=utf-8>");
        page.put("<meta name=viewport content='width=device-width,initial-scale=1'><title>");
        page.put(&escape(&title));
        page.put(&format!("</title><style>{STYLE}</style></head><body><nav><h2>Calls</h2>"));
        page.contents(&operations);
        page.put("<h2><a href='#schemas'>Shapes</a></h2></nav><main><h1>");
        page.put(&format!("{}</h1>{}", escape(&title), prose(text(description, "/info/description"))));
        page.put("<p>For programs: <a href='/api/openapi.json'>/api/openapi.json</a></p>");
        for operation in &operations {
            page.operation(operation, description);
        }
        page.put("<h2 id=schemas>Shapes</h2>");
        for (name, schema) in members(description.pointer("/components/schemas")) {
            page.schema(name, schema);
        }
        page.put("</main></body></html>");
        page
    }

    fn put(&mut self, html: &str) {
        self.0.push_str(html);
    }

    fn contents(&mut self, operations: &[Operation<'_>]) {
        let mut tag = "";
        for operation in operations {
            if operation.tag != tag {
                self.put(if tag.is_empty() { "" } else { "</ul>" });
                tag = operation.tag;
                self.put(&format!("<h3>{}</h3><ul>", escape(tag)));
            }
            let _ = write!(
                self.0,
                "<li><a href='#{}'><b class={}>{}</b> {}</a></li>",
                escape(operation.id()),
                operation.method,
                operation.method,
                escape(operation.path)
            );
        }
        self.put("</ul>");
    }

    fn operation(&mut self, operation: &Operation<'_>, description: &Value) {
        let Operation { method, path, body, .. } = operation;
        let _ = write!(
            self.0,
            "<article id='{}'><h2><b class={method}>{method}</b> <code>{}</code></h2>{}{}",
            escape(operation.id()),
            escape(path),
            prose(text(body, "/summary")),
            prose(text(body, "/description")),
        );
        if body.get("security").is_some() {
            self.put("<p class=open>Works without a token.</p>");
        }
        let parameters = body["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !parameters.is_empty() {
            self.put("<h3>Parameters</h3><table>");
            for parameter in parameters {
                let name = format!("{} ({})", text(parameter, "/name"), text(parameter, "/in"));
                self.row(&name, &kind(&parameter["schema"]), text(parameter, "/description"));
            }
            self.put("</table>");
        }
        if let Some(request) = body.get("requestBody") {
            let _ = write!(self.0, "<h3>Body</h3>{}", contents_of(request));
        }
        self.put("<h3>Answers</h3><table>");
        for (status, answer) in members(body.get("responses")) {
            let answer = resolve(answer, description);
            self.row(status, &contents_of(answer), text(answer, "/description"));
        }
        self.put("</table></article>");
    }

    fn schema(&mut self, name: &str, schema: &Value) {
        let name = escape(name);
        let _ = write!(self.0, "<article id='schema-{name}'><h3>{name}</h3>{}", prose(text(schema, "/description")));
        let parts = schema["allOf"].as_array().or(schema["oneOf"].as_array());
        for part in parts.map_or(std::slice::from_ref(schema), Vec::as_slice) {
            if part.get("properties").is_none() {
                let _ = write!(self.0, "<p>{}</p>", kind(part));
                continue;
            }
            self.put("<table>");
            let required = part["required"].as_array().map(Vec::as_slice).unwrap_or_default();
            for (field, shape) in members(part.get("properties")) {
                let is_optional = !required.iter().any(|name| name == field);
                let name = if is_optional { format!("{field}?") } else { field.clone() };
                self.row(&name, &kind(shape), text(shape, "/description"));
            }
            self.put("</table>");
        }
        self.put("</article>");
    }

    fn row(&mut self, name: &str, html: &str, about: &str) {
        let _ = write!(self.0, "<tr><th>{}</th><td>{html}</td><td>{}</td></tr>", escape(name), inline(about));
    }
}

struct Operation<'a> {
    tag: &'a str,
    method: &'a str,
    path: &'a str,
    body: &'a Value,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        text(self.body, "/operationId")
    }
}

/// All operations, those with one tag together, in the order of their paths.
fn operations(description: &Value) -> Vec<Operation<'_>> {
    let mut operations: Vec<_> = members(description.get("paths"))
        .flat_map(|(path, item)| members(Some(item)).map(move |(method, body)| (path, method, body)))
        .filter(|(_, _, body)| body.get("operationId").is_some())
        .map(|(path, method, body)| Operation { tag: text(body, "/tags/0"), method, path, body })
        .collect();
    operations.sort_by_key(|operation| (operation.tag, operation.path, operation.method));
    operations
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn resolve<'a>(value: &'a Value, description: &'a Value) -> &'a Value {
    let pointer = text(value, "/$ref").trim_start_matches('#');
    if pointer.is_empty() { value } else { description.pointer(pointer).unwrap_or(value) }
}

/// The media types and shapes of a body.
fn contents_of(holder: &Value) -> String {
    members(holder.get("content"))
        .map(|(media_type, content)| format!("{} <small>{}</small>", kind(&content["schema"]), escape(media_type)))
        .collect::<Vec<_>>()
        .join("<br>")
}

/// A shape in one line.
fn kind(schema: &Value) -> String {
    if let Some(name) = text(schema, "/$ref").rsplit('/').next().filter(|name| !name.is_empty()) {
        let name = escape(name);
        return format!("<a href='#schema-{name}'>{name}</a>");
    }
    for word in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[word].as_array() {
            let between = if word == "allOf" { " and " } else { " or " };
            return parts.iter().map(kind).collect::<Vec<_>>().join(between);
        }
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec!["anything"],
    };
    let mut line = escape(&types.join(" or "));
    if schema.get("items").is_some() {
        let _ = write!(line, " of {}", kind(&schema["items"]));
    }
    for (word, before) in [
        ("format", ", "),
        ("minimum", ", from "),
        ("maximum", ", to "),
        ("minLength", ", at least "),
        ("maxLength", ", at most "),
        ("default", ", else "),
    ] {
        match &schema[word] {
            Value::Null => {}
            Value::String(value) => line.push_str(&format!("{before}{}", escape(value))),
            value => line.push_str(&format!("{before}{}", escape(&value.to_string()))),
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> =
            words.iter().filter_map(Value::as_str).map(|word| format!("<code>{}</code>", escape(word))).collect();
        let _ = write!(line, ": {}", words.join(" "));
    }
    line
}

fn prose(text: &str) -> String {
    text.split("\n\n").filter(|part| !part.is_empty()).map(|part| format!("<p>{}</p>", inline(part))).collect()
}

/// Text with code between backticks.
fn inline(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 0 { escape(part) } else { format!("<code>{}</code>", escape(part)) }).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
