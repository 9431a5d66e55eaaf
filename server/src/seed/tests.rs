use serde_json::{Value, json};

use crate::{
    seed,
    testing::{Person, TestServer},
};

#[tokio::test]
async fn the_demo_is_the_same_however_often_it_is_seeded() {
    let server = TestServer::start().await;
    let first = seed::demo(&server.app).await.unwrap();
    assert_eq!(seed::demo(&server.app).await.unwrap(), first);
    let sign_in = async |email: &str| {
        let body = json!({ "email": email, "password": "parley-demo" });
        Person::signed_in(&server, &server.post("/api/auth/login", body).await.expect(200).body)
    };
    let client = sign_in("client@demo.test").await;
    let provider = sign_in("provider@demo.test").await;
    let projects = client.get("/projects").await.body["items"].clone();
    let by_status: Vec<_> =
        projects.as_array().unwrap().iter().map(|project| project["status"].as_str().unwrap()).collect();
    assert_eq!(by_status, ["ACTIVE", "COMPLETED"]);
    let requests = client.get("/requests").await.body["items"].clone();
    let open: Vec<&Value> = requests.as_array().unwrap().iter().filter(|request| request["status"] == "OPEN").collect();
    assert_eq!(open.len(), 1);
    let proposals = client.get(&format!("/requests/{}/proposals", open[0]["id"].as_str().unwrap())).await.body;
    assert_eq!(
        (&proposals["items"][0]["status"], proposals["items"].as_array().unwrap().len()),
        (&json!("PENDING"), 1)
    );
    let conversations = client.get("/conversations").await.body["items"].clone();
    assert_eq!((&conversations[0]["projectStatus"], &conversations[0]["unreadCount"]), (&json!("ACTIVE"), &json!(1)));
    let path = format!("/messages/conversation/{}?limit=100", conversations[0]["id"].as_str().unwrap());
    let lines = client.get(&path).await.body["items"].as_array().unwrap().len();
    assert!(lines > 20, "{lines}");
    let calls = provider.get("/meetings/me").await.body["items"].clone();
    assert_eq!((&calls[0]["endReason"], &calls[0]["duration"]), (&json!("ended"), &json!(1574)));
}

#[tokio::test]
async fn a_seed_that_was_cut_off_before_the_approval_is_finished_by_the_next() {
    let server = TestServer::start().await;
    let body = json!({
        "email": "provider@demo.test", "password": "parley-demo", "name": "Tomas Reyes", "role": "provider",
    });
    server.post("/api/auth/register", body).await.expect(201);
    seed::demo(&server.app).await.unwrap();
    let known = server.app.store().credentials_by_email("provider@demo.test").await.unwrap().unwrap();
    assert!(known.user.approved);
}

#[tokio::test]
async fn each_pair_of_the_bench_shares_its_conversation() {
    let server = TestServer::start().await;
    let bench = seed::bench(&server.app, 3).await.unwrap();
    assert_eq!((bench.users.len(), bench.conversations.len()), (6, 3));
    assert_eq!(seed::bench(&server.app, 3).await.unwrap(), bench);
    for (index, user) in bench.users.iter().enumerate() {
        let body = json!({ "email": user.email, "password": user.password });
        let person = Person::signed_in(&server, &server.post("/api/auth/login", body).await.expect(200).body);
        person.get(&format!("/conversations/{}", bench.conversations[index / 2])).await.expect(200);
    }
}
