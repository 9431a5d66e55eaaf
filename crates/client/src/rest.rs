//! Every HTTP call of the contract that the app uses, typed.

pub(crate) mod http;

use std::sync::Arc;

use http::{Http, Method};
use parley_domain::{
    Conversation, ConversationId, Meeting, MeetingId, Message, MessageId, Project, ProjectId, Proposal, ProposalId,
    Request, RequestId, RequestStatus, User, UserId,
};
use parley_protocol::{
    Code,
    rest::{
        Accepted, Approval, CreatedMeeting, Login, MarkRead, MeetingToken, NewMeeting, NewMessage, NewProposal,
        NewRequest, Page, ReadMark, Register, SignedIn, SyncPage, UpdateRequest,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{ClientError, ServerAddress, session::Session};

/// No body.
const NONE: Option<&()> = None;
/// Rows of one page, the most that the contract allows.
pub(crate) const PAGE: u32 = 100;

pub(crate) async fn login(http: &Http, address: &ServerAddress, body: &Login) -> Result<SignedIn, ClientError> {
    http.send(Method::POST, address.api("auth/login"), None, Some(body), None).await
}

pub(crate) async fn register(http: &Http, address: &ServerAddress, body: &Register) -> Result<SignedIn, ClientError> {
    http.send(Method::POST, address.api("auth/register"), None, Some(body), None).await
}

/// The calls, in the name of the person who is signed in. A token that is past its time is renewed on the way.
#[derive(Clone)]
pub struct Rest(pub(crate) Arc<Session>);

/// Each call fails with [`ClientError`].
impl Rest {
    async fn call<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        idempotency_key: Option<&str>,
    ) -> Result<T, ClientError> {
        let url = self.0.address().api(path);
        let access = self.0.access().await?;
        let http = &self.0.http;
        match http.send(method.clone(), url.clone(), Some(&access.token), body, idempotency_key).await {
            Err(ClientError::Refused(refusal)) if refusal.status == 401 => {
                // The clock of this machine or a server's restart can make a token old before its time.
                let access = self.0.refresh(access.generation).await?;
                http.send(method, url, Some(&access.token), body, idempotency_key).await
            }
            outcome => outcome,
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, NONE, None).await
    }

    async fn patch<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::PATCH, path, NONE, None).await
    }

    async fn create<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, ClientError> {
        let key = Uuid::now_v7().to_string();
        match self.call(Method::POST, path, Some(body), Some(&key)).await {
            // The first may have arrived: the key makes the second harmless.
            Err(ClientError::TimedOut | ClientError::Unreachable(_)) => {
                self.call(Method::POST, path, Some(body), Some(&key)).await
            }
            outcome => outcome,
        }
    }

    /// Every row of a list, page by page, in the server's order.
    async fn all<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ClientError> {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut url = format!("{path}?limit={PAGE}");
            if let Some(cursor) = &cursor {
                url.push_str("&cursor=");
                url.extend(url::form_urlencoded::byte_serialize(cursor.as_bytes()));
            }
            let page: Page<T> = self.get(&url).await?;
            let stuck = page.items.is_empty() || page.next_cursor == cursor;
            rows.extend(page.items);
            match page.next_cursor {
                Some(next) if !stuck => cursor = Some(next),
                _ => return Ok(rows),
            }
        }
    }

    /// `POST /auth/logout`.
    pub async fn logout(&self) -> Result<(), ClientError> {
        self.call(Method::POST, "auth/logout", NONE, None).await
    }

    /// `GET /users/me`.
    pub async fn me(&self) -> Result<User, ClientError> {
        self.get("users/me").await
    }

    /// `PATCH /admin/providers/:id/approval`.
    pub async fn approve_provider(&self, id: UserId, approved: bool) -> Result<serde_json::Value, ClientError> {
        self.call(Method::PATCH, &format!("admin/providers/{id}/approval"), Some(&Approval { approved }), None).await
    }

    /// `POST /requests`.
    pub async fn create_request(&self, request: &NewRequest) -> Result<Request, ClientError> {
        self.create("requests", request).await
    }

    /// `GET /requests`: own ones; for providers the open ones.
    pub async fn requests(&self) -> Result<Vec<Request>, ClientError> {
        self.all("requests").await
    }

    /// `GET /requests/:id`.
    pub async fn request(&self, id: RequestId) -> Result<Request, ClientError> {
        self.get(&format!("requests/{id}")).await
    }

    /// `PATCH /requests/:id` to CANCELLED.
    pub async fn cancel_request(&self, id: RequestId) -> Result<Request, ClientError> {
        let body = UpdateRequest { status: RequestStatus::Cancelled };
        self.call(Method::PATCH, &format!("requests/{id}"), Some(&body), None).await
    }

    /// `POST /requests/:id/proposals`.
    pub async fn propose(&self, id: RequestId, proposal: &NewProposal) -> Result<Proposal, ClientError> {
        self.create(&format!("requests/{id}/proposals"), proposal).await
    }

    /// `GET /requests/:id/proposals`.
    pub async fn proposals(&self, id: RequestId) -> Result<Vec<Proposal>, ClientError> {
        self.all(&format!("requests/{id}/proposals")).await
    }

    /// `POST /proposals/:id/accept`.
    pub async fn accept_proposal(&self, id: ProposalId) -> Result<Accepted, ClientError> {
        self.call(Method::POST, &format!("proposals/{id}/accept"), NONE, None).await
    }

    /// `POST /proposals/:id/reject`.
    pub async fn reject_proposal(&self, id: ProposalId) -> Result<Proposal, ClientError> {
        self.call(Method::POST, &format!("proposals/{id}/reject"), NONE, None).await
    }

    /// `POST /proposals/:id/withdraw`.
    pub async fn withdraw_proposal(&self, id: ProposalId) -> Result<Proposal, ClientError> {
        self.call(Method::POST, &format!("proposals/{id}/withdraw"), NONE, None).await
    }

    /// `GET /projects`.
    pub async fn projects(&self) -> Result<Vec<Project>, ClientError> {
        self.all("projects").await
    }

    /// `GET /projects/:id`.
    pub async fn project(&self, id: ProjectId) -> Result<Project, ClientError> {
        self.get(&format!("projects/{id}")).await
    }

    /// `PATCH /projects/:id/complete`.
    pub async fn complete_project(&self, id: ProjectId) -> Result<Project, ClientError> {
        self.patch(&format!("projects/{id}/complete")).await
    }

    /// `PATCH /projects/:id/cancel`.
    pub async fn cancel_project(&self, id: ProjectId) -> Result<Project, ClientError> {
        self.patch(&format!("projects/{id}/cancel")).await
    }

    /// `GET /conversations`, newest activity first.
    pub async fn conversations(&self) -> Result<Vec<Conversation>, ClientError> {
        self.all("conversations").await
    }

    /// `GET /conversations/:id`.
    pub async fn conversation(&self, id: ConversationId) -> Result<Conversation, ClientError> {
        self.get(&format!("conversations/{id}")).await
    }

    /// The newest messages, oldest first.
    pub async fn newest_messages(&self, id: ConversationId, limit: u32) -> Result<Vec<Message>, ClientError> {
        let page: Page<Message> = self.get(&format!("messages/conversation/{id}?limit={limit}")).await?;
        Ok(page.items)
    }

    /// The messages that came after that number, oldest first.
    pub async fn messages_after(&self, id: ConversationId, seq: i64, limit: u32) -> Result<Vec<Message>, ClientError> {
        let page: Page<Message> =
            self.get(&format!("messages/conversation/{id}?after={}&limit={limit}", seq.max(0))).await?;
        Ok(page.items)
    }

    /// `POST /messages`, once; the outbox repeats it.
    pub async fn post_message(&self, message: &NewMessage) -> Result<Message, ClientError> {
        self.call(Method::POST, "messages", Some(message), None).await
    }

    /// `PATCH /messages/conversation/:id/read`.
    pub async fn mark_read(
        &self,
        id: ConversationId,
        up_to_message_id: Option<MessageId>,
    ) -> Result<ReadMark, ClientError> {
        let body = MarkRead { up_to_message_id };
        self.call(Method::PATCH, &format!("messages/conversation/{id}/read"), Some(&body), None).await
    }

    /// `GET /sync`; without a cursor it gives the one of now.
    pub async fn sync(&self, since: Option<&str>) -> Result<SyncPage, ClientError> {
        let mut path = format!("sync?limit={PAGE}");
        if let Some(since) = since {
            path.push_str("&since=");
            path.extend(url::form_urlencoded::byte_serialize(since.as_bytes()));
        }
        self.get(&path).await
    }

    /// `POST /meetings`.
    pub async fn create_meeting(&self, meeting: &NewMeeting) -> Result<Meeting, ClientError> {
        self.create("meetings", meeting).await.map(|created: CreatedMeeting| created.meeting)
    }

    /// `GET /meetings/me`, newest first.
    pub async fn meetings(&self) -> Result<Vec<Meeting>, ClientError> {
        self.all("meetings/me").await
    }

    /// `GET /meetings/:id`.
    pub async fn meeting(&self, id: MeetingId) -> Result<Meeting, ClientError> {
        self.get(&format!("meetings/{id}")).await
    }

    /// `GET /meetings/:id/token`.
    pub async fn meeting_token(&self, id: MeetingId) -> Result<MeetingToken, ClientError> {
        self.get(&format!("meetings/{id}/token")).await
    }

    /// `PATCH /meetings/:id/start`.
    pub async fn start_meeting(&self, id: MeetingId) -> Result<Meeting, ClientError> {
        self.patch(&format!("meetings/{id}/start")).await
    }

    /// `PATCH /meetings/:id/accept`.
    pub async fn accept_meeting(&self, id: MeetingId) -> Result<Meeting, ClientError> {
        self.patch(&format!("meetings/{id}/accept")).await
    }

    /// `PATCH /meetings/:id/decline`.
    pub async fn decline_meeting(&self, id: MeetingId) -> Result<Meeting, ClientError> {
        self.patch(&format!("meetings/{id}/decline")).await
    }

    /// `PATCH /meetings/:id/end`.
    pub async fn end_meeting(&self, id: MeetingId) -> Result<Meeting, ClientError> {
        self.patch(&format!("meetings/{id}/end")).await
    }

    /// `DELETE /meetings/:id`.
    pub async fn cancel_meeting(&self, id: MeetingId) -> Result<(), ClientError> {
        match self.call(Method::DELETE, &format!("meetings/{id}"), NONE, None).await {
            // Deleting is over when it is gone, whoever did it.
            Err(ClientError::Refused(refusal)) if refusal.code == Code::NotFound => Ok(()),
            outcome => outcome,
        }
    }
}
