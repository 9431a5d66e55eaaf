//! The contract of a store.

use async_trait::async_trait;
use parley_domain::{
    Attachment, AttachmentId, Conversation, ConversationId, MailId, Meeting, MeetingId, MeetingLogEntry, MessageId,
    Project, ProjectId, Proposal, ProposalId, ReminderId, Request, RequestId, SearchQuery, SessionId, Timestamp, User,
    UserId,
};

use crate::{
    Acceptance, AccountChanges, AccountError, Activity, Appended, AttachmentError, Claim, ClosedProject, CommitFeed,
    Contact, ConversationError, ConversationKey, Created, Credentials, DueMail, DueReminder, Found, Mailing,
    MarketError, MeetingChange, MeetingEnding, MeetingError, MeetingFilter, MeetingMove, MeetingView, NewAccount,
    NewAttachment, NewMeeting, NewMessage, NewProposal, NewRequest, NewSession, Page, PageRequest, ProjectClosing,
    Read, Recorded, Retention, Revised, Revision, Rotation, Session, SessionError, StoreError, SyncCursor, SyncError,
    SyncPage, Unsent,
};

/// Keeps everything, each method in one transaction.
///
/// - A write is answered after its commit only; what it answered survives a kill of the process or the machine.
/// - Dropping a call's future does not undo it: a write that was taken up is committed and comes out of
///   [`Store::subscribe`] all the same.
/// - Times come in as `now`; the store has no clock. Ids, channel names and uids are drawn by the store.
/// - Methods that name a caller (`viewer`, `client`, …) check in the same transaction that this person may see and do
///   it: `NotFound` for what isn't that person's to know of, `Forbidden` for what is known but not allowed.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    // --- accounts and sessions ---

    /// Makes an account; a provider is not approved yet.
    async fn create_account(&self, account: NewAccount, now: Timestamp) -> Result<User, AccountError>;

    /// What proves the password of the account with that (lower-case) address.
    async fn credentials_by_email(&self, email: &str) -> Result<Option<Credentials>, StoreError>;

    /// What proves that person's password.
    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, StoreError>;

    /// That person.
    async fn user(&self, user: UserId) -> Result<Option<User>, StoreError>;

    /// Changes one's own account.
    async fn update_account(&self, user: UserId, changes: AccountChanges) -> Result<User, AccountError>;

    /// Approves a provider or withdraws it. `NotFound` for anybody who is not a provider.
    async fn set_approval(&self, provider: UserId, approved: bool) -> Result<User, AccountError>;

    /// Sets a new password and ends all sessions but `keep`; answers with the ended ones.
    async fn change_password(
        &self,
        user: UserId,
        password_hash: String,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, AccountError>;

    /// Stores a sign-in.
    async fn create_session(&self, session: NewSession, now: Timestamp) -> Result<Session, AccountError>;

    /// The session, unless it has ended. Asked at every call, so that a log-out works at once.
    async fn session(&self, session: SessionId) -> Result<Option<Session>, StoreError>;

    /// Those of the sessions that have ended, or never were. Asked about all connected sockets at once.
    async fn ended_sessions(&self, sessions: Vec<SessionId>) -> Result<Vec<SessionId>, StoreError>;

    /// Uses a refresh token: once, or again within the grace with the same successor; later the family ends.
    async fn rotate_refresh(&self, rotation: Rotation, now: Timestamp) -> Result<Session, SessionError>;

    /// Ends a session. Ending one that has ended, or never was, is no error.
    async fn end_session(&self, session: SessionId, now: Timestamp) -> Result<(), StoreError>;

    /// People who share an active project with that person.
    async fn contacts(&self, user: UserId) -> Result<Vec<Contact>, StoreError>;

    /// Remembers when a person's last device went.
    async fn set_last_seen(&self, user: UserId, at: Timestamp) -> Result<(), StoreError>;

    /// The secret of that name: the stored one, or `candidate`, stored now. Of two racing calls one candidate wins.
    async fn secret(&self, name: &str, candidate: Vec<u8>) -> Result<Vec<u8>, StoreError>;

    // --- requests and proposals ---

    /// Makes a request. `Forbidden` unless `client` is a client.
    async fn create_request(&self, request: NewRequest, now: Timestamp) -> Result<Created<Request>, MarketError>;

    /// A client's own requests, or the open ones for a provider; newest first.
    async fn requests(&self, viewer: UserId, page: PageRequest) -> Result<Page<Request>, MarketError>;

    /// One request: the client's own; for a provider an open one, or one that it has a proposal for.
    async fn request(&self, viewer: UserId, request: RequestId) -> Result<Request, MarketError>;

    /// OPEN → CANCELLED. Its proposals stay as they are; they can no longer be accepted.
    async fn cancel_request(&self, client: UserId, request: RequestId) -> Result<Request, MarketError>;

    /// Makes a proposal. `Forbidden` unless `provider` is a provider.
    async fn create_proposal(&self, proposal: NewProposal, now: Timestamp) -> Result<Created<Proposal>, MarketError>;

    /// The proposals for a request, newest first: all for its client, a provider's own for a provider.
    async fn proposals(
        &self,
        viewer: UserId,
        request: RequestId,
        page: PageRequest,
    ) -> Result<Page<Proposal>, MarketError>;

    /// Everything or nothing: the project with its locked terms, its conversation with client and provider in it, the
    /// request CONVERTED, the siblings REJECTED. Of two accepts at the same moment exactly one wins.
    async fn accept_proposal(
        &self,
        client: UserId,
        proposal: ProposalId,
        now: Timestamp,
    ) -> Result<Acceptance, MarketError>;

    /// PENDING → REJECTED, by the request's client.
    async fn reject_proposal(
        &self,
        client: UserId,
        proposal: ProposalId,
        now: Timestamp,
    ) -> Result<Proposal, MarketError>;

    /// PENDING → WITHDRAWN, by its provider.
    async fn withdraw_proposal(
        &self,
        provider: UserId,
        proposal: ProposalId,
        now: Timestamp,
    ) -> Result<Proposal, MarketError>;

    // --- projects and conversations ---

    /// The viewer's projects, newest first.
    async fn projects(&self, viewer: UserId, page: PageRequest) -> Result<Page<Project>, MarketError>;

    /// One project of the viewer's.
    async fn project(&self, viewer: UserId, project: ProjectId) -> Result<Project, MarketError>;

    /// Closes an active project, its meetings and their reminders. The client only.
    async fn close_project(
        &self,
        client: UserId,
        project: ProjectId,
        closing: ProjectClosing,
        now: Timestamp,
    ) -> Result<ClosedProject, MarketError>;

    /// The viewer's conversations, newest activity first.
    async fn conversations(&self, viewer: UserId, page: PageRequest) -> Result<Page<Conversation>, ConversationError>;

    /// One conversation of the viewer's.
    async fn conversation(&self, viewer: UserId, key: ConversationKey) -> Result<Conversation, ConversationError>;

    /// All the conversations that a person is in: the rooms of its sockets.
    async fn conversation_ids(&self, user: UserId) -> Result<Vec<ConversationId>, StoreError>;

    /// Everybody in a conversation of the viewer's, the viewer included.
    async fn participants(
        &self,
        viewer: UserId,
        conversation: ConversationId,
    ) -> Result<Vec<UserId>, ConversationError>;

    // --- messages ---

    /// Writes a message, or finds the one that this sender wrote with that `client_id` before.
    async fn append_message(&self, message: NewMessage, now: Timestamp) -> Result<Appended, ConversationError>;

    /// A page of messages, oldest first inside the page. The first page holds the newest and cursors lead to older
    /// ones; a page that began with [`crate::Cursor::after`] leads to later ones.
    async fn messages(
        &self,
        viewer: UserId,
        conversation: ConversationId,
        page: PageRequest,
    ) -> Result<Page<Recorded>, ConversationError>;

    /// Moves the reader's mark up to a message, or up to the newest one; never back.
    async fn mark_read(
        &self,
        reader: UserId,
        conversation: ConversationId,
        up_to: Option<MessageId>,
        now: Timestamp,
    ) -> Result<Read, ConversationError>;

    /// Edits or deletes a message, by its author, within [`parley_domain::EDIT_WINDOW`], while the project is active.
    /// Deleting what is deleted, and an edit that changes nothing, give the message as it is and tell nobody.
    async fn revise_message(
        &self,
        author: UserId,
        message: MessageId,
        revision: Revision,
        now: Timestamp,
    ) -> Result<Revised, ConversationError>;

    /// The viewer's messages that match, newest first, in one conversation or in all. A message is found as soon as it
    /// is written; a deleted one is not.
    async fn search_messages(
        &self,
        viewer: UserId,
        query: SearchQuery,
        conversation: Option<ConversationId>,
        page: PageRequest,
    ) -> Result<Page<Found>, ConversationError>;

    /// Takes the next messages into the search index, at most so many; answers how many are left, about. To be called
    /// while little else is to be done: what is not in the index makes searching slower, no more.
    async fn index_messages(&self, limit: u32) -> Result<u64, StoreError>;

    // --- attachments ---
    // The store leaves `url` empty: it is signed for each reader where it leaves the server.

    /// Notes an upload whose bytes are on disk.
    async fn create_attachment(&self, attachment: NewAttachment, now: Timestamp)
    -> Result<Attachment, AttachmentError>;

    /// An upload: its uploader's until it is sent, then everybody's in the conversation.
    async fn attachment(&self, viewer: UserId, attachment: AttachmentId) -> Result<Attachment, AttachmentError>;

    /// What of that person waits to be sent.
    async fn unsent_attachments(&self, uploader: UserId) -> Result<Unsent, StoreError>;

    /// Forgets uploads that were not sent since that time, at most so many; answers which. Their bytes are free.
    async fn forget_unsent_attachments(&self, before: Timestamp, limit: u32) -> Result<Vec<AttachmentId>, StoreError>;

    /// Which of these are known: the bytes of the others belong to nothing.
    async fn known_attachments(&self, ids: Vec<AttachmentId>) -> Result<Vec<AttachmentId>, StoreError>;

    // --- meetings ---

    /// Makes a meeting. `InProgress` names the call that is already there.
    async fn create_meeting(&self, meeting: NewMeeting, now: Timestamp)
    -> Result<Created<MeetingChange>, MeetingError>;

    /// One meeting of the viewer's: host or guest only.
    async fn meeting(&self, viewer: UserId, meeting: MeetingId) -> Result<MeetingView, MeetingError>;

    /// The viewer's meetings of a project, newest first.
    async fn meetings_of_project(
        &self,
        viewer: UserId,
        project: ProjectId,
        page: PageRequest,
    ) -> Result<Page<Meeting>, MeetingError>;

    /// The viewer's meetings of all projects, newest first.
    async fn meetings(
        &self,
        viewer: UserId,
        filter: MeetingFilter,
        page: PageRequest,
    ) -> Result<Page<Meeting>, MeetingError>;

    /// Takes one person's step, as one conditional write: of two racing steps one wins.
    async fn move_meeting(&self, step: MeetingMove, now: Timestamp) -> Result<MeetingChange, MeetingError>;

    /// Closes a meeting by the server's own hand. `None` when it was answered, started or ended in between.
    async fn end_meeting(&self, ending: MeetingEnding, now: Timestamp) -> Result<Option<MeetingChange>, StoreError>;

    /// That person's meetings that ring or run: what a socket is sent at once when it connects.
    async fn live_meetings_of(&self, user: UserId) -> Result<Vec<MeetingView>, StoreError>;

    /// Everybody's meetings that ring or run: what timers are armed for after a restart.
    async fn live_meetings(&self) -> Result<Vec<MeetingView>, StoreError>;

    /// Scheduled meetings whose expiry is due, claimed for the caller. End them with [`Store::end_meeting`].
    async fn claim_expired_meetings(&self, claim: Claim) -> Result<Vec<MeetingId>, StoreError>;

    /// Writes a line of a meeting's log, unless the log says so already or the meeting is over: who joined can't join
    /// again before leaving, and leaving ends sharing the screen. The end of a meeting takes everybody out by itself.
    async fn log_meeting(&self, meeting: MeetingId, entry: MeetingLogEntry) -> Result<(), StoreError>;

    /// A meeting's log, oldest first; cursors lead to later lines. Host or guest only.
    async fn meeting_log(
        &self,
        viewer: UserId,
        meeting: MeetingId,
        page: PageRequest,
    ) -> Result<Page<MeetingLogEntry>, MeetingError>;

    /// Reminders that are due, claimed for the caller and written to the change log. Each is given again after its
    /// lease until [`Store::finish_reminder`] says that it was sent.
    async fn claim_reminders(&self, claim: Claim) -> Result<Vec<DueReminder>, StoreError>;

    /// The reminder was sent.
    async fn finish_reminder(&self, reminder: ReminderId) -> Result<(), StoreError>;

    /// The mail that has waited longest, claimed for the caller. It is given again after its lease until
    /// [`Store::finish_mail`] says that it was sent. What a meeting's new state makes pointless is not given any more.
    async fn claim_mail(&self, claim: Claim) -> Result<Option<DueMail>, StoreError>;

    /// The mail was sent, or is given up.
    async fn finish_mail(&self, mail: MailId) -> Result<(), StoreError>;

    /// The mail was not sent; it is to be tried again then.
    async fn delay_mail(&self, mail: MailId, due_at: Timestamp) -> Result<(), StoreError>;

    /// When the next mail is due; `None` when none waits.
    async fn next_mail_due_at(&self) -> Result<Option<Timestamp>, StoreError>;

    /// When the next expiry or reminder is due; `None` when nothing waits.
    async fn next_due_at(&self) -> Result<Option<Timestamp>, StoreError>;

    // --- changes ---

    /// What happened to the viewer since a cursor, in commit order; without one, just the cursor of now.
    async fn sync(&self, viewer: UserId, since: Option<SyncCursor>, limit: u32) -> Result<SyncPage, SyncError>;

    /// Everything that this process commits from now on, in commit order. A receiver that falls behind by more than a
    /// few thousand changes is told that it missed some (`Lagged`): disconnect everybody, `/sync` heals it.
    fn subscribe(&self) -> CommitFeed;

    /// What this process has done so far.
    fn activity(&self) -> Activity;

    // --- upkeep ---

    /// What a server does before anything else, since the one before it may have been killed: everybody has left every
    /// meeting that is not over (when they really did is not known), and what was claimed is given again at once.
    /// `mailing` holds from now on. Whoever runs several servers on one database must not start one this way.
    async fn begin_serving(&self, mailing: Mailing, now: Timestamp) -> Result<(), StoreError>;

    /// Drops what nobody needs any more: old changes, old idempotency keys, sessions past their time.
    async fn sweep(&self, retention: Retention, now: Timestamp) -> Result<(), StoreError>;

    /// Whether a write and a read can be done now: `/health/ready`.
    async fn check_ready(&self) -> Result<(), StoreError>;

    /// Finishes the writes that were taken up and closes; everything afterwards is `Closed`. May be called twice.
    async fn close(&self) -> Result<(), StoreError>;
}
