use reqwest::Method;
use serde_json::{Value, json};

use super::Page;
use crate::testing::TestServer;

#[tokio::test]
async fn the_page_lists_every_operation_and_needs_nothing_from_elsewhere() {
    let server = TestServer::start().await;
    let response = server.call(Method::GET, "/docs").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-type").starts_with("text/html"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let page = response.text().await.unwrap();
    for forbidden in ["<script", " style=", "http:", "https:", "url(", "@import", " onclick"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let description: Value = serde_json::from_str(crate::openapi()).unwrap();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(page.contains(&format!("<article id='{id}'>")), "{method} {path}");
        }
    }
}

#[test]
fn what_a_description_says_is_text_and_never_markup() {
    let evil = "<script>alert('x')</script>";
    let description = json!({
        "info": { "title": evil, "version": "1", "description": evil },
        "paths": { evil: { "get": { "operationId": evil, "tags": [evil], "summary": evil, "responses": {
            "200": { "description": evil, "content": { evil: { "schema": { "type": evil, "enum": [evil] } } } } } } } },
        "components": { "schemas": { evil: { "properties": { evil: { "$ref": evil, "description": evil } } } } },
    });
    let page = Page::of(&description).0;
    assert!(!page.contains("<script"), "{page}");
    assert!(!page.contains("alert('"), "{page}");
}
