use parley_domain::Role;
use serde_json::json;

use crate::testing::TestServer;

#[tokio::test]
async fn closing_a_project_ends_its_call_and_its_chat() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let stranger = server.person("Someone Else", Role::Client).await;
    let path = format!("/projects/{}", pair.project);
    stranger.get(&path).await.refused(404, "NOT_FOUND");
    stranger.patch(&format!("{path}/complete"), json!({})).await.refused(404, "NOT_FOUND");
    pair.provider.patch(&format!("{path}/complete"), json!({})).await.refused(403, "FORBIDDEN");

    let mut socket = pair.provider.socket().await;
    let meeting = pair.ring().await;
    assert_eq!(socket.next("meeting:invite").await["meetingId"], meeting);
    let closed = pair.client.patch(&format!("{path}/complete"), json!({})).await;
    assert_eq!(closed.expect(200).body["status"], "COMPLETED");
    let ended = socket.next("meeting:ended").await;
    assert_eq!((&ended["endReason"], &ended["status"]), (&json!("project_closed"), &json!("CANCELLED")));
    assert_eq!(socket.next("project:updated").await["status"], "COMPLETED");

    pair.client.patch(&format!("{path}/cancel"), json!({})).await.refused(409, "PROJECT_NOT_ACTIVE");
    pair.send(&pair.client, "too late").await.refused(409, "PROJECT_NOT_ACTIVE");
    let body = json!({ "projectId": pair.project, "type": "instant" });
    pair.client.post("/meetings", body).await.refused(409, "PROJECT_NOT_ACTIVE");
    pair.client.get(&format!("/messages/conversation/{}", pair.conversation)).await.expect(200);
}
