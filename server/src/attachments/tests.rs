use std::time::Duration;

use parley_domain::Role;
use reqwest::{
    Method, RequestBuilder,
    header::{HeaderMap, RANGE},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::sweep;
use crate::testing::{Answer, Pair, Person, StillClock, TestServer, within};

const BOUNDARY: &str = "----a boundary";

/// A multipart body as browsers write it.
fn form(parts: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, name, bytes) in parts {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: image/png\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn posted(person: &Person, body: Vec<u8>) -> RequestBuilder {
    person
        .call(Method::POST, "/attachments")
        .header("content-type", format!("multipart/form-data; boundary=\"{BOUNDARY}\""))
        .body(body)
}

async fn upload(person: &Person, name: &str, bytes: &[u8]) -> Answer {
    Answer::of(posted(person, form(&[("file", name, bytes)]))).await
}

async fn send(pair: &Pair, by: &Person, ids: &[&str]) -> Answer {
    let body = json!({ "conversationId": pair.conversation, "content": "see", "type": "file", "attachmentIds": ids });
    by.post("/messages", body).await
}

/// Status, headers and bytes of whatever is at that path.
async fn load(request: RequestBuilder) -> (u16, HeaderMap, Vec<u8>) {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, response.bytes().await.unwrap().to_vec())
}

fn kept(server: &TestServer) -> Vec<String> {
    let folder = server.app.config.data_dir.join("uploads");
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Waits until the folder holds that many files: what a dropped upload leaves goes right after it.
async fn keeps(server: &TestServer, files: usize) {
    within(async {
        while kept(server).len() != files {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_sent() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let bytes: Vec<u8> = (0..700_000_u32).flat_map(|n| n.to_le_bytes()).collect();
    let file = upload(&pair.client, "../Übersicht %22A%22.bin", &bytes).await;
    let file = &file.expect(201).body;
    assert_eq!(file["name"], "Übersicht \"A\".bin");
    assert_eq!((&file["size"], &file["mediaType"]), (&json!(bytes.len()), &json!("application/octet-stream")));
    assert_eq!(file["sha256"], hex::encode(Sha256::digest(&bytes)));
    assert_eq!(kept(&server), [file["id"].as_str().unwrap()]);

    let path = format!("/attachments/{}", file["id"].as_str().unwrap());
    let (status, headers, got) = load(pair.client.call(Method::GET, &path)).await;
    assert_eq!((status, got == bytes), (200, true));
    for (name, value) in [
        ("content-type", "application/octet-stream"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "bytes"),
        ("content-length", "2800000"),
        (
            "content-disposition",
            "attachment; filename=\"_bersicht _A_.bin\"; filename*=UTF-8''%C3%9Cbersicht%20%22A%22.bin",
        ),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("sandbox"));

    let part = |range: &str| load(pair.client.call(Method::GET, &path).header(RANGE, range));
    let (status, headers, got) = part("bytes=100-199").await;
    assert_eq!((status, &got[..]), (206, &bytes[100..200]));
    assert_eq!(headers["content-range"], format!("bytes 100-199/{}", bytes.len()));
    assert_eq!(part("bytes=-5").await.2, bytes[bytes.len() - 5..]);
    let (status, headers, _) = part("bytes=2800000-").await;
    assert_eq!((status, &headers["content-range"]), (416, &"bytes */2800000".parse().unwrap()));
    let tag = headers.get("etag").cloned();
    assert_eq!(tag, None, "an error has no tag");
    let other = pair.client.call(Method::GET, &path).header(RANGE, "bytes=0-9").header("if-range", "\"other\"");
    assert_eq!(load(other).await.2.len(), bytes.len());
    let head = load(pair.client.call(Method::HEAD, &path)).await;
    assert_eq!((head.0, head.1["content-length"].to_str().unwrap(), head.2.len()), (200, "2800000", 0));
}

#[tokio::test]
async fn a_file_is_seen_by_those_whom_it_was_sent_to() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let stranger = server.person("Someone Else", Role::Provider).await;
    let mut sockets = [pair.client.socket().await, pair.provider.socket().await];
    let id = upload(&pair.client, "a.txt", "Grüße".as_bytes()).await.text("/id");
    let path = format!("/attachments/{id}");
    assert_eq!(pair.client.get(&path).await.expect(200).headers["content-type"], "text/plain; charset=utf-8");
    pair.provider.get(&path).await.refused(404, "NOT_FOUND");
    send(&pair, &pair.provider, &[&id]).await.refused(422, "INVALID");

    let sent = send(&pair, &pair.client, &[&id]).await;
    assert_eq!(sent.expect(201).body["attachments"][0]["id"], id);
    pair.provider.get(&path).await.expect(200);
    stranger.get(&path).await.refused(404, "NOT_FOUND");
    Answer::of(server.call(Method::GET, &format!("/api{path}"))).await.refused(401, "UNAUTHENTICATED");
    assert_eq!(
        send(&pair, &pair.client, &[&id]).await.refused(422, "INVALID").body["errors"][0]["pointer"],
        "/attachmentIds/0"
    );

    // Everybody gets a link of its own, wherever the message is shown.
    let urls = |message: &Value, person: &Person| {
        let url = message["attachments"][0]["url"].as_str().unwrap().to_owned();
        assert!(url.contains(&format!("user={}", person.id())), "{url}");
        url
    };
    let mut found = Vec::new();
    for (person, socket) in [&pair.client, &pair.provider].into_iter().zip(&mut sockets) {
        found.push(urls(&socket.next("message:new").await, person));
        let history = person.get(&format!("/messages/conversation/{}", pair.conversation)).await.body;
        found.push(urls(&history["items"][0], person));
        let list = person.get("/conversations").await.body;
        found.push(urls(&list["items"][0]["lastMessage"], person));
        let search = person.get("/messages/search?q=se").await.body;
        found.push(urls(&search["items"][0]["message"], person));
    }
    for url in found {
        let (status, _, bytes) = load(server.call(Method::GET, &url)).await;
        assert_eq!((status, bytes), (200, "Grüße".as_bytes().to_vec()), "{url}");
    }
}

#[tokio::test]
async fn a_link_works_for_five_minutes_and_as_it_was_signed() {
    let clock = StillClock::at_now();
    let server = TestServer::start_with(|config| config.clock = clock.clone()).await;
    let pair = server.pair().await;
    let file = upload(&pair.client, "a.txt", b"text").await;
    let url = file.text("/url");
    assert_eq!(load(server.call(Method::GET, &url)).await.0, 200);
    let other = upload(&pair.client, "b.txt", b"other").await;
    let (id, other) = (file.text("/id"), other.text("/id"));
    let (client, provider) = (pair.client.id().to_string(), pair.provider.id().to_string());
    for forged in [
        url.replace(&id, &other),
        url.replace(&client, &provider),
        url.replace("expires=", "expires=1"),
        url.replace("signature=", "signature=00"),
        url.replace("signature=", "signature=zz"),
        url.replace("user=", "nobody="),
    ] {
        Answer::of(server.call(Method::GET, &forged)).await.refused(403, "FORBIDDEN");
    }
    for unreadable in [url.replace("expires=", "expires=x"), url.replace("user=", "user=x")] {
        Answer::of(server.call(Method::GET, &unreadable)).await.refused(422, "INVALID");
    }
    // Beside a token they are not needed, but what can't be read is told all the same.
    let path = format!("/attachments/{id}");
    pair.client.get(&format!("{path}?expires=-3.17e-226")).await.refused(422, "INVALID");
    assert_eq!(load(pair.client.call(Method::GET, &format!("{path}?expires=1"))).await.0, 200);
    clock.advance(Duration::from_secs(299));
    assert_eq!(load(server.call(Method::GET, &url)).await.0, 200);
    clock.advance(Duration::from_secs(1));
    Answer::of(server.call(Method::GET, &url)).await.refused(410, "LINK_EXPIRED");
}

#[tokio::test]
async fn what_is_no_proper_upload_is_refused_and_leaves_nothing() {
    let server = TestServer::start_with(|config| config.max_upload_bytes = 100_000).await;
    let pair = server.pair().await;
    let client = &pair.client;
    upload(client, "empty", b"").await.refused(422, "INVALID");
    upload(client, "big", &[7; 100_001]).await.refused(413, "PAYLOAD_TOO_LARGE");
    upload(client, "huge", &vec![7; 30_000_000]).await.refused(413, "PAYLOAD_TOO_LARGE");
    Answer::of(posted(client, form(&[("other", "a", b"x")]))).await.refused(422, "INVALID");
    Answer::of(posted(client, form(&[]))).await.refused(422, "INVALID");
    Answer::of(posted(client, form(&[("file", "a", b"x"), ("file", "b", b"y")]))).await.refused(422, "INVALID");
    Answer::of(posted(client, form(&[("other", "a", &[7; 80_000]), ("file", "b", b"y")])))
        .await
        .refused(413, "PAYLOAD_TOO_LARGE");
    let whole = form(&[("file", "a", b"some text")]);
    Answer::of(posted(client, whole[..whole.len() - 30].to_vec())).await.refused(400, "MALFORMED");
    client.post("/attachments", json!({ "file": "x" })).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    Answer::of(server.call(Method::POST, "/api/attachments").body("x")).await.refused(401, "UNAUTHENTICATED");
    keeps(&server, 0).await;
    upload(client, "just right", &[7; 100_000]).await.expect(201);
}

/// The header of a PNG that says that it is so large.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend_from_slice(&width.to_be_bytes());
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.extend_from_slice(b"\x08\x06\0\0\0rest of it, which nobody looks at");
    bytes
}

#[tokio::test]
async fn the_type_is_that_of_the_content_and_images_are_bounded() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    for (name, bytes, kind) in [
        ("picture.txt", png(640, 480), "image/png"),
        ("page.png", b"<html><script>alert(1)</script>".to_vec(), "application/octet-stream"),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "application/octet-stream"),
        ("broken.png", b"\x89PNG\r\n\x1a\n".to_vec(), "application/octet-stream"),
        ("note.html", b"just a note".to_vec(), "text/plain"),
    ] {
        let file = upload(&pair.client, name, &bytes).await;
        assert_eq!(file.expect(201).body["mediaType"], kind, "{name}");
        let got = pair.client.get(&format!("/attachments/{}", file.text("/id"))).await;
        assert!(got.headers["content-disposition"].to_str().unwrap().starts_with("attachment; "), "{name}");
        assert!(got.headers["content-type"].to_str().unwrap().starts_with(kind), "{name}");
    }
    let before = kept(&server).len();
    let refused = upload(&pair.client, "bomb.png", &png(50_000, 50_000)).await;
    let error = &refused.refused(422, "INVALID").body["errors"][0];
    assert!(error["message"].as_str().unwrap().contains("50000 × 50000"), "{error}");
    keeps(&server, before).await;
}

#[tokio::test]
async fn a_file_message_carries_one_to_ten_uploads_of_its_sender() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut ids = Vec::new();
    for n in 0..11 {
        ids.push(upload(&pair.client, &format!("{n}"), b"x").await.text("/id"));
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    send(&pair, &pair.client, &[]).await.refused(422, "INVALID");
    send(&pair, &pair.client, &ids).await.refused(422, "INVALID");
    send(&pair, &pair.client, &[ids[0], ids[0]]).await.refused(422, "INVALID");
    let text =
        json!({ "conversationId": pair.conversation, "content": "x", "type": "text", "attachmentIds": [ids[0]] });
    pair.client.post("/messages", text).await.refused(422, "INVALID");
    let sent = send(&pair, &pair.client, &ids[1..]).await;
    let names: Vec<_> =
        sent.expect(201).body["attachments"].as_array().unwrap().iter().map(|f| f["name"].clone()).collect();
    assert_eq!(names, (1..=10).map(|n| json!(n.to_string())).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_deleted_message_takes_its_files_along() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let id = upload(&pair.client, "a", b"x").await.text("/id");
    let message = send(&pair, &pair.client, &[&id]).await.text("/id");
    pair.client.delete(&format!("/messages/{message}")).await.expect(204);
    pair.client.get(&format!("/attachments/{id}")).await.refused(404, "NOT_FOUND");
    assert!(kept(&server).is_empty());
}

#[tokio::test]
async fn what_belongs_to_nothing_is_swept_out() {
    let clock = StillClock::at_now();
    let server = TestServer::start_with(|config| config.clock = clock.clone()).await;
    let pair = server.pair().await;
    let sent = upload(&pair.client, "sent", b"x").await.text("/id");
    send(&pair, &pair.client, &[&sent]).await.expect(201);
    upload(&pair.client, "unsent", b"x").await.expect(201);
    let folder = server.app.config.data_dir.join("uploads");
    let rowless = uuid::Uuid::now_v7().to_string();
    std::fs::write(folder.join(&rowless), "x").unwrap();
    std::fs::write(folder.join(format!("{}#1", uuid::Uuid::now_v7())), "half").unwrap();
    std::fs::write(folder.join("somebody's note"), "not ours").unwrap();

    sweep::sweep(&server.app).await.unwrap();
    assert_eq!(kept(&server).len(), 4, "the half one is gone, the others are too young");
    clock.advance(Duration::from_secs(2 * 3600));
    sweep::sweep(&server.app).await.unwrap();
    assert_eq!(kept(&server).len(), 3);
    assert!(!kept(&server).contains(&rowless));
    clock.advance(Duration::from_secs(23 * 3600));
    sweep::sweep(&server.app).await.unwrap();
    assert_eq!(kept(&server), [sent.clone(), "somebody's note".to_owned()]);
    let restarted = server.restart().await;
    assert_eq!(kept(&restarted).len(), 2);
}

/// Writes to a server by hand; what it gets to read is the answer.
async fn by_hand(server: &TestServer, person: &Person, length: usize) -> tokio::net::TcpStream {
    let address = server.base.trim_start_matches("http://").to_owned();
    let mut line = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /api/v1/attachments HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nbegin",
        person.access
    );
    line.write_all(head.as_bytes()).await.unwrap();
    line
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_and_frees_its_place() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    for _ in 0..5 {
        let line = by_hand(&server, &pair.client, 1_000_000).await;
        keeps(&server, 1).await;
        drop(line);
        keeps(&server, 0).await;
    }
    upload(&pair.client, "a", b"x").await.expect(201);
}

#[tokio::test]
async fn one_person_has_a_few_uploads_under_way_and_others_are_not_held_up() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut lines = Vec::new();
    for n in 1..=4 {
        lines.push(by_hand(&server, &pair.client, 1_000_000).await);
        keeps(&server, n).await;
    }
    upload(&pair.client, "fifth", b"x").await.refused(429, "RATE_LIMITED");
    upload(&pair.provider, "other", b"x").await.expect(201);
    drop(lines);
    keeps(&server, 1).await;
    upload(&pair.client, "fifth", b"x").await.expect(201);
}

#[tokio::test]
async fn a_header_without_end_is_not_collected() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut body = format!("--{BOUNDARY}\r\nX: ").into_bytes();
    body.resize(200_000, b'x');
    Answer::of(posted(&pair.client, body)).await.refused(413, "PAYLOAD_TOO_LARGE");
    keeps(&server, 0).await;
}

#[tokio::test]
async fn a_broken_file_system_is_an_answer_and_leaves_nothing() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    // Its folder is gone, and a file in its place keeps it from coming back.
    let folder = server.app.config.data_dir.join("uploads");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    let refused = upload(&pair.client, "a", b"x").await;
    refused.refused(500, "INTERNAL");
    assert!(!refused.body.to_string().contains("uploads"), "{}", refused.body);
    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    upload(&pair.client, "a", b"x").await.expect(201);
}

#[tokio::test]
async fn a_body_that_stalls_is_ended_and_a_slow_one_is_not() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut line = by_hand(&server, &pair.client, 1_000_000).await;
    keeps(&server, 1).await;
    let wait = async |seconds| {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
    };
    for _ in 0..3 {
        wait(25).await;
        line.write_all(b"more").await.unwrap();
        // Once a later call is answered, this has been read too: the patience began anew before the clock moves on.
        pair.client.get("/users/me").await.expect(200);
    }
    assert_eq!(kept(&server).len(), 1, "75 seconds are no reason to end it");
    wait(31).await;
    let mut answer = [0; 12];
    within(line.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
    keeps(&server, 0).await;
}
