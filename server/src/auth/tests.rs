use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use parley_domain::{Role, Timestamp};
use reqwest::Method;
use serde_json::json;

use crate::{
    clock::{Clock, SystemClock},
    config::Switch,
    testing::{Answer, PASSWORD, Person, Socket, TestServer},
};

/// Real time, and what the test adds.
#[derive(Debug, Default)]
struct MovableClock(AtomicI64);

impl MovableClock {
    fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + Duration::from_millis(u64::try_from(self.0.load(Ordering::SeqCst)).unwrap())
    }
}

async fn login(server: &TestServer, email: &str, password: &str) -> Answer {
    server.post("/api/v1/auth/login", json!({ "email": email, "password": password })).await
}

async fn refresh(server: &TestServer, token: &str) -> Answer {
    server.post("/api/v1/auth/refresh", json!({ "refreshToken": token })).await
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let wrong = login(&server, &maren.user.email, "not her password").await;
    let unknown = login(&server, "nobody@people.test", PASSWORD).await;
    wrong.refused(401, "INVALID_CREDENTIALS");
    assert_eq!(wrong.body, unknown.body);
    let headers = |answer: &Answer| {
        let kept = answer.headers.iter().filter(|(name, _)| *name != "x-request-id" && *name != "date");
        kept.map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(headers(&wrong), headers(&unknown));
    // They take the same, because the same is done: one check of the same cost each.
    let hashes = || server.app.passwords.hashes.load(Ordering::SeqCst);
    for (email, password) in
        [(maren.user.email.as_str(), "not hers"), ("nobody@people.test", "not hers"), ("no address", "")]
    {
        let before = hashes();
        login(&server, email, password).await.refused(401, "INVALID_CREDENTIALS");
        assert_eq!(hashes() - before, 1, "{email}");
    }
    let long = "x".repeat(2_000);
    let before = hashes();
    for email in [maren.user.email.as_str(), "nobody@people.test"] {
        login(&server, email, &long).await.refused(401, "INVALID_CREDENTIALS");
    }
    assert_eq!(hashes() - before, 2);
    login(&server, "  Maren@People.Test ", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn no_foreign_mangled_or_expired_token_opens_anything() {
    let server = TestServer::start().await;
    let elsewhere = TestServer::start().await;
    let mut maren = server.person("Maren", Role::Client).await;
    let stranger = elsewhere.person("Maren", Role::Client).await;
    let own = std::mem::take(&mut maren.access);
    for token in ["", "nonsense", &own[1..], &format!("{own}A"), &stranger.access] {
        let call = server.call(Method::GET, "/api/v1/users/me").header("authorization", format!("Bearer {token}"));
        Answer::of(call).await.refused(401, "UNAUTHENTICATED");
        let refused = Socket::connect(&server.base, json!({ "token": token })).await.err();
        assert_eq!(refused.as_deref(), Some("UNAUTHENTICATED"));
    }
    let basic = server.call(Method::GET, "/api/v1/users/me").header("authorization", format!("Basic {own}"));
    Answer::of(basic).await.refused(401, "UNAUTHENTICATED");
    assert_eq!(Socket::connect(&server.base, json!(null)).await.err().as_deref(), Some("UNAUTHENTICATED"));

    let hasty = TestServer::start_with(|config| config.timing.access_token = Duration::ZERO).await;
    let late = hasty.person("Maren", Role::Client).await;
    late.get("/users/me").await.refused(401, "TOKEN_EXPIRED");
    let refused = Socket::connect(&hasty.base, json!({ "token": late.access })).await.err();
    assert_eq!(refused.as_deref(), Some("TOKEN_EXPIRED"));
}

#[tokio::test]
async fn accounts_are_checked_field_by_field() {
    let server = TestServer::start().await;
    let bad = json!({ "email": "no address", "password": "short", "name": " ", "role": "admin" });
    let answer = server.post("/api/v1/auth/register", bad).await;
    let pointers: Vec<_> = answer.refused(422, "INVALID").body["errors"].as_array().unwrap().iter().collect();
    let pointers: Vec<_> = pointers.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/email", "/password", "/name", "/role"]);
    server.person("Maren", Role::Client).await;
    let again = json!({ "email": "MAREN@people.test", "password": PASSWORD, "name": "M", "role": "client" });
    server.post("/api/v1/auth/register", again).await.refused(409, "EMAIL_TAKEN");
}

#[tokio::test]
async fn a_lost_answer_to_a_refresh_can_be_asked_for_again() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let first = refresh(&server, &maren.refresh).await;
    let again = refresh(&server, &maren.refresh).await;
    assert_eq!(first.expect(200).text("/refreshToken"), again.expect(200).text("/refreshToken"));
    Person::signed_in(&server, &again.body).get("/users/me").await.expect(200);
    maren.get("/users/me").await.expect(200);
    refresh(&server, &first.text("/refreshToken")).await.expect(200);
    for bad in ["", "nonsense", &maren.access] {
        refresh(&server, bad).await.refused(401, "UNAUTHENTICATED");
    }
}

/// Many windows of one app, all with the same token, at the same moment.
#[tokio::test]
async fn refreshes_at_the_same_moment_all_get_the_same_successor() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let answers = join_all((0..8).map(|_| refresh(&server, &maren.refresh))).await;
    let successors: HashSet<_> = answers.iter().map(|answer| answer.expect(200).text("/refreshToken")).collect();
    assert_eq!(successors.len(), 1);
    Person::signed_in(&server, &answers[0].body).get("/users/me").await.expect(200);
}

#[tokio::test]
async fn a_refresh_repeated_across_a_restart_gives_the_same_successor() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let first = refresh(&server, &maren.refresh).await.expect(200).text("/refreshToken");
    let server = server.restart().await;
    let again = refresh(&server, &maren.refresh).await;
    assert_eq!(again.expect(200).text("/refreshToken"), first);
    let next = refresh(&server, &first).await;
    Person::signed_in(&server, &next.expect(200).body).get("/users/me").await.expect(200);
}

/// Whoever stole a token some time ago comes with an ancestor of the one that is in use.
#[tokio::test]
async fn an_ancestor_that_comes_back_later_ends_the_family_and_its_sockets_only() {
    let clock = Arc::new(MovableClock::default());
    let server = TestServer::start_with(|config| config.clock = Arc::clone(&clock) as _).await;
    let maren = server.person("Maren", Role::Client).await;
    let elsewhere = Person::signed_in(&server, &login(&server, &maren.user.email, PASSWORD).await.body);
    let (mut socket, mut other) = (maren.socket().await, elsewhere.socket().await);
    let mut newest = maren.refresh.clone();
    for _ in 0..3 {
        newest = refresh(&server, &newest).await.expect(200).text("/refreshToken");
    }
    clock.advance(Duration::from_secs(15));
    refresh(&server, &maren.refresh).await.expect(200);
    clock.advance(Duration::from_secs(16));
    refresh(&server, &maren.refresh).await.refused(401, "UNAUTHENTICATED");
    refresh(&server, &newest).await.refused(401, "UNAUTHENTICATED");
    maren.get("/users/me").await.refused(401, "UNAUTHENTICATED");
    socket.closed().await;
    elsewhere.get("/users/me").await.expect(200);
    other.has_not_heard("disconnect").await;
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_its_family() {
    let server = TestServer::start_with(|config| config.timing.refresh_grace = Duration::ZERO).await;
    let maren = server.person("Maren", Role::Client).await;
    let mut socket = maren.socket().await;
    let next = Person::signed_in(&server, &refresh(&server, &maren.refresh).await.expect(200).body);
    refresh(&server, &maren.refresh).await.refused(401, "UNAUTHENTICATED");
    next.get("/users/me").await.refused(401, "UNAUTHENTICATED");
    refresh(&server, &next.refresh).await.refused(401, "UNAUTHENTICATED");
    socket.closed().await;
}

#[tokio::test]
async fn logging_out_works_at_once_and_closes_this_sessions_sockets_only() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let other = Person::signed_in(&server, &login(&server, &maren.user.email, PASSWORD).await.body);
    let (mut here, mut there) = (maren.socket().await, other.socket().await);
    Answer::of(maren.call(Method::POST, "/auth/logout")).await.expect(204);
    maren.get("/users/me").await.refused(401, "UNAUTHENTICATED");
    refresh(&server, &maren.refresh).await.refused(401, "UNAUTHENTICATED");
    here.closed().await;
    other.get("/users/me").await.expect(200);
    there.has_not_heard("disconnect").await;
}

#[tokio::test]
async fn another_password_ends_the_other_sessions() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let other = Person::signed_in(&server, &login(&server, &maren.user.email, PASSWORD).await.body);
    let mut socket = other.socket().await;
    let change = |current: &str, new: &str| json!({ "current": current, "new": new });
    maren.post("/auth/password", change("not this one", "the next password")).await.refused(403, "INVALID_CREDENTIALS");
    maren.post("/auth/password", change(PASSWORD, "short")).await.refused(422, "INVALID");
    maren.post("/auth/password", change(PASSWORD, "the next password")).await.expect(204);
    maren.get("/users/me").await.expect(200);
    other.get("/users/me").await.refused(401, "UNAUTHENTICATED");
    socket.closed().await;
    login(&server, &maren.user.email, PASSWORD).await.refused(401, "INVALID_CREDENTIALS");
    login(&server, &maren.user.email, "the next password").await.expect(200);
}

#[tokio::test]
async fn people_change_their_own_name_and_time_zone() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    maren.patch("/users/me", json!({ "timeZone": "Not a zone" })).await.refused(422, "INVALID");
    let changed = maren.patch("/users/me", json!({ "name": "Maren A.", "timeZone": "Europe/London" })).await;
    assert_eq!(changed.expect(200).body["timeZone"], "Europe/London");
    maren.patch("/users/me", json!({ "timeZone": null })).await.expect(200);
    let me = maren.get("/users/me").await;
    assert_eq!((&me.body["name"], &me.body["timeZone"]), (&json!("Maren A."), &json!(null)));
}

#[tokio::test]
async fn only_an_administrator_approves_and_only_providers() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let tomas = server.person("Tomas", Role::Provider).await;
    let path = format!("/admin/providers/{}/approval", tomas.id());
    for person in [&maren, &tomas] {
        person.patch(&path, json!({ "approved": true })).await.refused(403, "FORBIDDEN");
    }
    let admin = admin(&server).await;
    let answer = admin.patch(&path, json!({ "approved": false })).await;
    assert_eq!(answer.expect(200).body["approved"], false);
    let path = format!("/admin/providers/{}/approval", maren.id());
    admin.patch(&path, json!({ "approved": true })).await.refused(404, "NOT_FOUND");
}

async fn admin(server: &TestServer) -> Person {
    let account = parley_store::NewAccount {
        email: "admin@people.test".to_owned(),
        password_hash: server.app.passwords.hash(PASSWORD.to_owned()).await.unwrap(),
        name: "Admin".to_owned(),
        role: Role::Admin,
        time_zone: None,
    };
    server.app.store().create_account(account, server.app.now()).await.unwrap();
    Person::signed_in(server, &login(server, "admin@people.test", PASSWORD).await.expect(200).body)
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let server = TestServer::start_with(|config| config.rate_limits = Switch::On).await;
    let mut refused = None;
    for _ in 0..12 {
        let answer = login(&server, "maren@people.test", "a guess a guess").await;
        if answer.status.as_u16() == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("the eleventh guess is refused");
    let seconds: u64 = refused.refused(429, "RATE_LIMITED").headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds));
}

/// Telling whether an address has an account is the price of a helpful registration; it is told slowly.
#[tokio::test]
async fn accounts_are_made_and_asked_for_slowly() {
    let server = TestServer::start_with(|config| config.rate_limits = Switch::On).await;
    let body = json!({ "email": "maren@people.test", "password": PASSWORD, "name": "Maren", "role": "client" });
    server.post("/api/v1/auth/register", body.clone()).await.expect(201);
    let mut taken = 0;
    let refused = loop {
        let answer = server.post("/api/v1/auth/register", body.clone()).await;
        if answer.status == 429 {
            break answer;
        }
        answer.refused(409, "EMAIL_TAKEN");
        taken += 1;
        assert!(taken < 60, "nobody counted");
    };
    assert!(refused.refused(429, "RATE_LIMITED").headers.contains_key("retry-after"));
    // Signing in is another matter.
    login(&server, "maren@people.test", PASSWORD).await.expect(200);
}

/// A stolen access token is no way to the password.
#[tokio::test]
async fn guessing_the_current_password_is_slowed_down_for_whoever_is_signed_in_too() {
    let server = TestServer::start_with(|config| config.rate_limits = Switch::On).await;
    let maren = server.person("Maren", Role::Client).await;
    let change = json!({ "current": "a guess a guess", "new": "the next password" });
    for _ in 0..5 {
        maren.post("/auth/password", change.clone()).await.refused(403, "INVALID_CREDENTIALS");
    }
    let refused = maren.post("/auth/password", change).await;
    assert!(refused.refused(429, "RATE_LIMITED").headers.contains_key("retry-after"));
}

/// A token that was renewed elsewhere does not keep this socket; one past its time neither.
#[tokio::test]
async fn only_a_token_of_the_same_sign_in_renews_a_socket() {
    let clock = Arc::new(MovableClock::default());
    let server = TestServer::start_with(|config| config.clock = Arc::clone(&clock) as _).await;
    let maren = server.person("Maren", Role::Client).await;
    let elsewhere = Person::signed_in(&server, &login(&server, &maren.user.email, PASSWORD).await.body);
    let mut socket = maren.socket().await;
    assert_eq!(socket.ask("auth:renew", json!({ "token": elsewhere.access })).await["code"], "FORBIDDEN");
    let renewed = socket.ask("auth:renew", json!({ "token": maren.access })).await;
    assert!((14 * 60..=15 * 60).contains(&renewed["expiresIn"].as_u64().unwrap()), "{renewed}");
    clock.advance(Duration::from_secs(15 * 60 + 1));
    assert_eq!(socket.ask("auth:renew", json!({ "token": maren.access })).await["code"], "TOKEN_EXPIRED");
    let next = refresh(&server, &maren.refresh).await.text("/accessToken");
    assert_eq!(socket.ask("auth:renew", json!({ "token": next })).await["ok"], true);
}

#[tokio::test]
async fn a_socket_outlives_its_token_by_the_grace_only_unless_it_is_renewed() {
    let server = TestServer::start_with(|config| {
        config.timing.access_token = Duration::from_secs(2);
        config.timing.socket_grace = Duration::ZERO;
    })
    .await;
    let maren = server.person("Maren", Role::Client).await;
    let other = server.person("Tomas", Role::Client).await;
    let mut socket = maren.socket().await;
    let foreign = socket.ask("auth:renew", json!({ "token": other.access })).await;
    assert_eq!(foreign["code"], "FORBIDDEN");
    let wrong = socket.ask("auth:renew", json!({ "token": "nonsense" })).await;
    assert_eq!(wrong["code"], "UNAUTHENTICATED");
    let next = refresh(&server, &maren.refresh).await.text("/accessToken");
    assert_eq!(socket.ask("auth:renew", json!({ "token": next })).await["ok"], true);
    socket.closed().await;
}
