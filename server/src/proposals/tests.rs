use parley_domain::Role;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::testing::{Answer, Person, TestServer, offer};
use reqwest::Method;

#[tokio::test]
async fn a_proposal_is_accepted_once_and_its_terms_are_provable() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let tomas = server.person("Tomas", Role::Provider).await;
    let proposal = offer(&maren, &tomas).await;
    let accept = format!("/proposals/{proposal}/accept");
    let stranger = server.person("Someone Else", Role::Client).await;
    stranger.post(&accept, json!({})).await.refused(404, "NOT_FOUND");
    tomas.post(&accept, json!({})).await.refused(403, "FORBIDDEN");
    let accepted = maren.post(&accept, json!({})).await;
    let project = &accepted.expect(201).body["project"];
    maren.post(&accept, json!({})).await.refused(409, "PROPOSAL_NOT_PENDING");

    let mut terms = serde_json::Map::new();
    for name in ["clientId", "deadline", "price", "proposalId", "providerIds", "scope"] {
        terms.insert(name.to_owned(), project[name].clone());
    }
    terms.insert("projectId".to_owned(), project["id"].clone());
    // serde_json's map is sorted and none of these values needs escaping: this is their canonical form.
    let canonical = Value::Object(terms).to_string();
    assert_eq!(project["termsHash"], hex::encode(Sha256::digest(canonical)));
    assert_eq!(project["deadline"], "2099-01-01T00:00:00.000Z");
    assert_eq!(accepted.body["conversation"]["participants"].as_array().unwrap().len(), 2);
}

/// As a command beside the server does it: nothing tells the running one.
async fn approve(server: &TestServer, provider: &Person, approved: bool) {
    server.app.store().set_approval(provider.id(), approved).await.unwrap();
}

#[tokio::test]
async fn only_approved_providers_propose_and_are_accepted() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let tomas = server.person("Tomas", Role::Provider).await;
    let proposal = offer(&maren, &tomas).await;
    approve(&server, &tomas, false).await;
    let accept = format!("/proposals/{proposal}/accept");
    maren.post(&accept, json!({})).await.refused(409, "PROVIDER_NOT_APPROVED");
    let request = maren.post("/requests", json!({ "title": "T", "description": "D" })).await.text("/id");
    let body = json!({
        "price": { "amountMinor": 1, "currency": "USD" }, "scope": "S",
        "deadline": "2099-01-01T00:00:00Z", "expiresAt": "2099-01-01T00:00:00Z",
    });
    let path = format!("/requests/{request}/proposals");
    tomas.post(&path, body.clone()).await.refused(403, "PROVIDER_NOT_APPROVED");
    maren.post(&path, body.clone()).await.refused(403, "FORBIDDEN");
    approve(&server, &tomas, true).await;
    let mut bad = body;
    bad["price"]["amountMinor"] = json!(-1);
    bad["expiresAt"] = json!("2001-01-01T00:00:00Z");
    let errors = tomas.post(&path, bad).await.refused(422, "INVALID").body["errors"].clone();
    assert_eq!(errors[0]["pointer"], "/price/amountMinor");
    assert_eq!(errors[1]["pointer"], "/expiresAt");
}

#[tokio::test]
async fn a_proposal_is_turned_down_by_the_client_or_taken_back_by_the_provider() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let tomas = server.person("Tomas", Role::Provider).await;
    let proposal = offer(&maren, &tomas).await;
    let rejected = maren.post(&format!("/proposals/{proposal}/reject"), json!({})).await;
    assert_eq!(rejected.expect(200).body["status"], "REJECTED");
    tomas.post(&format!("/proposals/{proposal}/withdraw"), json!({})).await.refused(409, "PROPOSAL_NOT_PENDING");
    let proposal = offer(&maren, &tomas).await;
    let withdrawn = tomas.post(&format!("/proposals/{proposal}/withdraw"), json!({})).await;
    assert_eq!(withdrawn.expect(200).body["status"], "WITHDRAWN");
    maren.post(&format!("/proposals/{proposal}/accept"), json!({})).await.refused(409, "PROPOSAL_NOT_PENDING");
}

#[tokio::test]
async fn a_cancelled_request_takes_no_proposals() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let tomas = server.person("Tomas", Role::Provider).await;
    let proposal = offer(&maren, &tomas).await;
    let requests = maren.get("/requests").await;
    let path = format!("/requests/{}", requests.text("/items/0/id"));
    maren.patch(&path, json!({ "status": "OPEN" })).await.refused(422, "INVALID");
    let cancelled = maren.patch(&path, json!({ "status": "CANCELLED" })).await;
    assert_eq!(cancelled.expect(200).body["status"], "CANCELLED");
    maren.post(&format!("/proposals/{proposal}/accept"), json!({})).await.refused(409, "REQUEST_NOT_OPEN");
}

#[tokio::test]
async fn an_idempotency_key_gives_the_same_answer_and_refuses_another_body() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let post = |body: Value| maren.call(Method::POST, "/requests").header("idempotency-key", "once").json(&body);
    let first = Answer::of(post(json!({ "title": "A", "description": "B" }))).await;
    let again = Answer::of(post(json!({ "title": "A", "description": "B" }))).await;
    assert_eq!(first.expect(201).body, again.expect(201).body);
    Answer::of(post(json!({ "title": "Other", "description": "B" }))).await.refused(422, "IDEMPOTENCY_KEY_REUSED");
    let long = maren.call(Method::POST, "/requests").header("idempotency-key", "x".repeat(129)).json(&json!({}));
    Answer::of(long).await.refused(422, "INVALID");
    assert_eq!(maren.get("/requests").await.body["items"].as_array().unwrap().len(), 1);
}
