//! Who may do what: every operation of the description × everybody, on real rows, under both prefixes.

use std::collections::BTreeSet;

use parley_domain::Role;
use parley_store::NewAccount;
use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{Answer, PASSWORD, Person, TestServer};

/// `client` and `provider` are the two whom the rows concern; the others are strangers to them. The second column says
/// what there is before the call: nothing (`-`), an open request with a pending proposal (`offer`), an accepted one with
/// a message and an upload (`project`), or one with a call that rings, runs or has a time.
const MATRIX: &str = "
operation                             given      nobody client provider client2 provider2 unapproved admin

GET    /health/live                   -          200    200    200      200     200       200        200
GET    /health/ready                  -          200    200    200      200     200       200        200
GET    /docs                          -          200    200    200      200     200       200        200
GET    /openapi.json                  -          200    200    200      200     200       200        200

POST   /auth/register                 -          201    201    201      201     201       201        201
POST   /auth/login                    -          200    200    200      200     200       200        200
POST   /auth/refresh                  -          200    200    200      200     200       200        200
POST   /auth/logout                   -          401    204    204      204     204       204        204
POST   /auth/password                 -          401    204    204      204     204       204        204
GET    /users/me                      -          401    200    200      200     200       200        200
PATCH  /users/me                      -          401    200    200      200     200       200        200
PATCH  /admin/providers/{id}/approval -          401    403    403      403     403       403        200

GET    /requests                      -          401    200    200      200     200       200        200
POST   /requests                      -          401    201    403      201     403       403        403
GET    /requests/{id}                 offer      401    200    200      404     200       200        200
GET    /requests/{id}                 project    401    200    200      404     404       404        200
PATCH  /requests/{id}                 offer      401    200    403      404     403       403        403
PATCH  /requests/{id}                 project    401    409    403      404     404       404        403
GET    /requests/{id}/proposals       offer      401    200    200      404     200       200        200
GET    /requests/{id}/proposals       project    401    200    200      404     404       404        200
POST   /requests/{id}/proposals       offer      401    403    201      403     201       403        403
POST   /requests/{id}/proposals       project    401    403    409      403     409       403        403

POST   /proposals/{id}/accept         offer      401    201    403      404     404       404        404
POST   /proposals/{id}/accept         project    401    409    403      404     404       404        404
POST   /proposals/{id}/reject         offer      401    200    403      404     404       404        404
POST   /proposals/{id}/withdraw       offer      401    403    200      404     404       404        404

GET    /projects                      project    401    200    200      200     200       200        200
GET    /projects/{id}                 project    401    200    200      404     404       404        404
PATCH  /projects/{id}/complete        project    401    200    403      404     404       404        404
PATCH  /projects/{id}/cancel          project    401    200    403      404     404       404        404

GET    /conversations                 project    401    200    200      200     200       200        200
GET    /conversations/{id}            project    401    200    200      404     404       404        404
GET    /conversations/project/{id}    project    401    200    200      404     404       404        404
GET    /messages/conversation/{id}    project    401    200    200      404     404       404        404
PATCH  /messages/conversation/{id}/read project  401    200    200      404     404       404        404
POST   /messages                      project    401    201    201      404     404       404        404
PATCH  /messages/{id}                 project    401    200    403      404     404       404        404
DELETE /messages/{id}                 project    401    204    403      404     404       404        404
GET    /messages/search               -          401    422    422      422     422       422        422
POST   /attachments                   -          401    415    415      415     415       415        415
GET    /attachments/{id}              project    401    200    200      404     404       404        404

GET    /meetings/me                   ringing    401    200    200      200     200       200        200
POST   /meetings                      project    401    201    201      404     404       404        404
POST   /meetings                      ringing    401    409    409      404     404       404        404
GET    /meetings/project/{id}         ringing    401    200    200      404     404       404        404
GET    /meetings/{id}                 ringing    401    200    200      404     404       404        404
GET    /meetings/{id}/token           ringing    401    200    200      404     404       404        404
GET    /meetings/{id}/token           scheduled  401    409    409      404     404       404        404
GET    /meetings/{id}/log             running    401    200    200      404     404       404        404
GET    /meetings/{id}/calendar.ics    scheduled  401    200    200      404     404       404        404
PATCH  /meetings/{id}                 scheduled  401    200    403      404     404       404        404
DELETE /meetings/{id}                 ringing    401    204    403      404     404       404        404
PATCH  /meetings/{id}/start           ringing    401    200    403      404     404       404        404
PATCH  /meetings/{id}/accept          ringing    401    403    200      404     404       404        404
PATCH  /meetings/{id}/decline         ringing    401    403    200      404     404       404        404
PATCH  /meetings/{id}/end             running    401    200    200      404     404       404        404
PATCH  /meetings/{id}/end             ringing    401    409    409      404     404       404        404

GET    /sync                          project    401    200    200      200     200       200        200
";

const PEOPLE: usize = 7;
const PREFIXES: [&str; 2] = ["/api/v1", "/api"];

struct Line {
    method: Method,
    path: &'static str,
    given: &'static str,
    expected: [u16; PEOPLE],
}

fn lines() -> impl Iterator<Item = Line> {
    MATRIX.lines().skip(2).filter(|line| !line.is_empty()).map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let expected: Vec<u16> = words[3..].iter().map(|status| status.parse().unwrap()).collect();
        let expected = expected.try_into().unwrap_or_else(|_| panic!("not {PEOPLE} statuses: {line}"));
        Line { method: words[0].parse().unwrap(), path: words[1], given: words[2], expected }
    })
}

#[test]
fn every_operation_of_the_description_has_a_line_and_every_line_an_operation() {
    let description: Value = serde_json::from_str(crate::openapi()).unwrap();
    let described: BTreeSet<String> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (path, method)))
        .map(|(path, method)| format!("{} {}", method.to_uppercase(), path.strip_prefix(PREFIXES[0]).unwrap_or(path)))
        .collect();
    let listed: BTreeSet<String> = lines().map(|line| format!("{} {}", line.method, line.path)).collect();
    let missing: Vec<_> = described.difference(&listed).collect();
    assert!(missing.is_empty(), "operations without a line in MATRIX: {missing:?}");
    let unknown: Vec<_> = listed.difference(&described).collect();
    assert!(unknown.is_empty(), "lines of MATRIX without an operation: {unknown:?}");
}

#[tokio::test]
async fn everybody_gets_what_the_matrix_says() {
    let mut market = Market::open().await;
    let mut wrong = Vec::new();
    for line in lines() {
        let is_at_root = line.path.starts_with("/health") || line.path == "/docs";
        let mut rows = market.make(line.given).await;
        for prefix in if is_at_root { &[""][..] } else { &PREFIXES[..] } {
            for person in 0..PEOPLE {
                if line.method != Method::GET && line.given != "-" {
                    rows = market.make(line.given).await;
                }
                let path = format!("{prefix}{}", line.path.replace("{id}", &rows.id_for(line.path, &market)));
                let mut call = market.server.call(line.method.clone(), &path);
                if let Some(person) = &market.people[person] {
                    call = call.bearer_auth(&person.access);
                }
                if let Some(body) = market.body(&line, &rows, person).await {
                    call = call.json(&body);
                }
                let answer = Answer::of(call).await;
                let expected = line.expected[person];
                if answer.status != expected {
                    let who = MATRIX.lines().nth(1).unwrap().split_whitespace().nth(2 + person).unwrap();
                    wrong.push(format!(
                        "{} {path} ({}), {who}: {} instead of {expected}: {}",
                        line.method, line.given, answer.status, answer.body
                    ));
                }
                if line.path == "/auth/logout" || line.path == "/auth/password" {
                    market.sign_in_again(person).await;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Seven who call, in the order of the columns; the first has no token.
struct Market {
    server: TestServer,
    people: [Option<Person>; PEOPLE],
    emails: [String; PEOPLE],
    count: u32,
}

/// What there is before a call.
#[derive(Default)]
struct Rows {
    request: String,
    proposal: String,
    project: String,
    conversation: String,
    message: String,
    attachment: String,
    meeting: String,
}

impl Market {
    async fn open() -> Self {
        let server = TestServer::start().await;
        let client = server.person("Maren", Role::Client).await;
        let provider = server.person("Tomas", Role::Provider).await;
        let client2 = server.person("Ines", Role::Client).await;
        let provider2 = server.person("Piotr", Role::Provider).await;
        let unapproved = server.person("Noor", Role::Provider).await;
        server.app.store().set_approval(unapproved.id(), false).await.unwrap();
        let password_hash = server.app.passwords.hash(PASSWORD.to_owned()).await.unwrap();
        let email = "admin@people.test".to_owned();
        let account = NewAccount {
            email: email.clone(),
            password_hash,
            name: "Ada".to_owned(),
            role: Role::Admin,
            time_zone: None,
        };
        server.app.store().create_account(account, server.app.now()).await.unwrap();
        let admin = sign_in(&server, &email).await;
        let people =
            [None, Some(client), Some(provider), Some(client2), Some(provider2), Some(unapproved), Some(admin)];
        let emails = people.each_ref().map(|person| person.as_ref().map_or(email.clone(), |p| p.user.email.clone()));
        Self { server, people, emails, count: 0 }
    }

    fn person(&self, at: usize) -> &Person {
        self.people[at].as_ref().unwrap()
    }

    async fn sign_in_again(&mut self, person: usize) {
        if self.people[person].is_some() {
            self.people[person] = Some(sign_in(&self.server, &self.emails[person]).await);
        }
    }

    async fn make(&self, given: &str) -> Rows {
        let mut rows = Rows::default();
        if given == "-" {
            return rows;
        }
        let (client, provider) = (self.person(1), self.person(2));
        let request = client.post("/requests", json!({ "title": "A site", "description": "Six pages." })).await;
        rows.request = request.expect(201).text("/id");
        let proposal = provider.post(&format!("/requests/{}/proposals", rows.request), proposal()).await;
        rows.proposal = proposal.expect(201).text("/id");
        if given == "offer" {
            return rows;
        }
        let accepted = client.post(&format!("/proposals/{}/accept", rows.proposal), json!({})).await;
        rows.project = accepted.expect(201).text("/project/id");
        rows.conversation = accepted.text("/conversation/id");
        let message = json!({ "conversationId": rows.conversation, "content": "Hello", "type": "text" });
        rows.message = client.post("/messages", message).await.expect(201).text("/id");
        rows.attachment = upload(client).await;
        let file = json!({
            "conversationId": rows.conversation, "content": "The plan", "type": "file",
            "attachmentIds": [rows.attachment],
        });
        client.post("/messages", file).await.expect(201);
        let meeting = match given {
            "project" => return rows,
            "scheduled" => {
                json!({ "projectId": rows.project, "type": "scheduled", "scheduledAt": "2099-01-01T00:00:00Z" })
            }
            _ => json!({ "projectId": rows.project, "type": "instant" }),
        };
        rows.meeting = client.post("/meetings", meeting).await.expect(201).text("/id");
        if given == "running" {
            provider.patch(&format!("/meetings/{}/accept", rows.meeting), json!({})).await.expect(200);
        }
        rows
    }

    async fn body(&mut self, line: &Line, rows: &Rows, person: usize) -> Option<Value> {
        self.count += 1;
        Some(match (line.method.as_str(), line.path) {
            ("POST", "/auth/register") => json!({
                "email": format!("new{}@people.test", self.count), "password": PASSWORD, "name": "New", "role": "client",
            }),
            ("POST", "/auth/login") => json!({ "email": self.emails[person], "password": PASSWORD }),
            ("POST", "/auth/refresh") => {
                json!({ "refreshToken": sign_in(&self.server, &self.emails[person]).await.refresh })
            }
            ("POST", "/auth/password") => json!({ "current": PASSWORD, "new": PASSWORD }),
            ("PATCH", "/users/me") => json!({ "timeZone": "Europe/Berlin" }),
            ("PATCH", "/admin/providers/{id}/approval") => json!({ "approved": false }),
            ("POST", "/requests") => json!({ "title": "A site", "description": "Six pages." }),
            ("PATCH", "/requests/{id}") => json!({ "status": "CANCELLED" }),
            ("POST", "/requests/{id}/proposals") => proposal(),
            ("POST", "/messages") => json!({ "conversationId": rows.conversation, "content": "Yes", "type": "text" }),
            ("PATCH", "/messages/{id}") => json!({ "content": "Changed" }),
            ("POST", "/meetings") => json!({ "projectId": rows.project, "type": "instant" }),
            ("PATCH", "/meetings/{id}") => json!({ "scheduledAt": "2098-01-01T00:00:00Z" }),
            _ => return None,
        })
    }
}

impl Rows {
    /// The id that stands in such a path.
    fn id_for(&self, path: &str, market: &Market) -> String {
        let before = path.split("/{id}").next().unwrap();
        match before {
            "/admin/providers" => market.person(5).id().to_string(),
            "/requests" => self.request.clone(),
            "/proposals" => self.proposal.clone(),
            "/projects" | "/conversations/project" | "/meetings/project" => self.project.clone(),
            "/conversations" | "/messages/conversation" => self.conversation.clone(),
            "/messages" => self.message.clone(),
            "/attachments" => self.attachment.clone(),
            "/meetings" => self.meeting.clone(),
            _ => String::new(),
        }
    }
}

pub(super) async fn upload(person: &Person) -> String {
    let part =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"plan.txt\"\r\n\r\nthe plan\r\n--b--\r\n";
    let call = person.call(Method::POST, "/attachments").header("content-type", "multipart/form-data; boundary=b");
    Answer::of(call.body(part)).await.expect(201).text("/id")
}

pub(super) fn proposal() -> Value {
    json!({
        "price": { "amountMinor": 125_000, "currency": "USD" }, "scope": "All of it.",
        "deadline": "2099-01-01T00:00:00Z", "expiresAt": "2098-01-01T00:00:00Z",
    })
}

async fn sign_in(server: &TestServer, email: &str) -> Person {
    let answer = server.post("/api/v1/auth/login", json!({ "email": email, "password": PASSWORD })).await;
    Person::signed_in(server, &answer.expect(200).body)
}
