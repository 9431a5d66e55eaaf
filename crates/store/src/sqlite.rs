//! The store on SQLite: one thread writes and commits in groups, a few connections read, the file is in WAL mode.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use parley_domain::{
    Attachment, AttachmentId, Conversation, ConversationId, MailId, Meeting, MeetingId, MeetingLogEntry, MessageId,
    Project, ProjectId, Proposal, ProposalId, ReminderId, Request, RequestId, SearchQuery, SessionId, Timestamp, User,
    UserId,
};
use tokio::sync::broadcast;

use self::{effort::Total, readers::Readers, writer::Writer};
use crate::*;

mod acceptance;
mod accounts;
mod archive;
mod attachments;
mod call_log;
mod changes;
mod check;
mod conversations;
mod copy;
mod db;
mod due;
mod effort;
mod history;
mod idempotency;
mod lists;
mod mails;
mod market;
mod meetings;
mod messages;
mod open;
mod projects;
mod readers;
mod revisions;
mod search;
mod writer;

#[cfg(test)]
mod tests;

pub use archive::{drop_files, extract_files, put_files, verify_files};
pub use check::{Finding, findings, kept_files};
pub use copy::{Contents, copy, verify};
pub use open::pending_migrations;

/// How the database is opened.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// How many connections read at the same time.
    pub readers: usize,
    /// How long to wait for another process that holds the file, such as the command line beside the server.
    pub busy: Duration,
    /// How many committed changes a slow [`CommitFeed`] may lag behind.
    pub feed: usize,
    /// What becomes of the write-ahead log at the end.
    pub at_close: AtClose,
}

/// What a store does with the write-ahead log when it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtClose {
    /// Empties it, waiting for everybody who reads.
    Checkpoint,
    /// Leaves it to the server that runs beside: nobody is waited for. The last one to close empties it anyway.
    LeaveLog,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { readers: 4, busy: Duration::from_secs(5), feed: 8_192, at_close: AtClose::Checkpoint }
    }
}

/// A [`Store`] in one SQLite file. Close it with [`Store::close`]: dropping it lets the writer finish by itself, but
/// nobody waits for that.
pub struct SqliteStore {
    writer: Arc<Writer>,
    readers: Readers,
    feed: broadcast::Sender<Arc<Committed>>,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens the file, creates it where there is none, and brings its schema up to date. Blocks for a moment.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] for the file of a newer program, `Corrupt` for what is no database of Parley's,
    /// `ReadOnly`, `Io`, `Full` and `Busy` as the words say.
    pub fn open(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        let (feed, _) = broadcast::channel(options.feed.max(1));
        let total = Arc::new(Total::default());
        let conn = open::open_writer(&path, options.busy)?;
        let writer = Writer::start(conn, feed.clone(), options.at_close, Arc::clone(&total))?;
        let readers = Readers::new(path.clone(), options.readers.max(1), options.busy, total);
        Ok(Self { writer: Arc::new(writer), readers, feed, path })
    }

    /// How many transactions were committed so far: far fewer than writes when many of them wait.
    pub fn commits(&self) -> u64 {
        self.writer.activity().commits
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn create_account(&self, account: NewAccount, now: Timestamp) -> Result<User, AccountError> {
        self.writer.write(move |tx| accounts::create_account(tx, account, now)).await
    }

    async fn credentials_by_email(&self, email: &str) -> Result<Option<Credentials>, StoreError> {
        let email = email.to_owned();
        self.readers.read(move |db| accounts::credentials_by_email(db, &email)).await
    }

    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        self.readers.read(move |db| accounts::credentials(db, user)).await
    }

    async fn user(&self, user: UserId) -> Result<Option<User>, StoreError> {
        self.readers.read(move |db| accounts::user(db, user)).await
    }

    async fn update_account(&self, user: UserId, changes: AccountChanges) -> Result<User, AccountError> {
        self.writer.write(move |tx| accounts::update_account(tx, user, changes)).await
    }

    async fn set_approval(&self, provider: UserId, approved: bool) -> Result<User, AccountError> {
        self.writer.write(move |tx| accounts::set_approval(tx, provider, approved)).await
    }

    async fn change_password(
        &self,
        user: UserId,
        password_hash: String,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, AccountError> {
        self.writer.write(move |tx| accounts::change_password(tx, user, &password_hash, keep, now)).await
    }

    async fn create_session(&self, session: NewSession, now: Timestamp) -> Result<Session, AccountError> {
        self.writer.write(move |tx| accounts::create_session(tx, session, now)).await
    }

    async fn session(&self, session: SessionId) -> Result<Option<Session>, StoreError> {
        self.readers.read_here(move |db| accounts::session(db, session)).await
    }

    async fn ended_sessions(&self, sessions: Vec<SessionId>) -> Result<Vec<SessionId>, StoreError> {
        self.readers.read(move |db| accounts::ended_sessions(db, &sessions)).await
    }

    async fn rotate_refresh(&self, rotation: Rotation, now: Timestamp) -> Result<Session, SessionError> {
        self.writer.write(move |tx| accounts::rotate_refresh(tx, rotation, now)).await?
    }

    async fn end_session(&self, session: SessionId, now: Timestamp) -> Result<(), StoreError> {
        self.writer.write(move |tx| accounts::end_session(tx, session, now)).await
    }

    async fn contacts(&self, user: UserId) -> Result<Vec<Contact>, StoreError> {
        self.readers.read(move |db| accounts::contacts(db, user)).await
    }

    async fn set_last_seen(&self, user: UserId, at: Timestamp) -> Result<(), StoreError> {
        self.writer.write(move |tx| accounts::set_last_seen(tx, user, at)).await
    }

    async fn secret(&self, name: &str, candidate: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let name = name.to_owned();
        self.writer.write(move |tx| accounts::secret(tx, &name, &candidate)).await
    }

    async fn create_request(&self, request: NewRequest, now: Timestamp) -> Result<Created<Request>, MarketError> {
        self.writer.write(move |tx| market::create_request(tx, request, now)).await
    }

    async fn requests(&self, viewer: UserId, page: PageRequest) -> Result<Page<Request>, MarketError> {
        self.readers.read(move |db| market::requests(db, viewer, page)).await
    }

    async fn request(&self, viewer: UserId, request: RequestId) -> Result<Request, MarketError> {
        self.readers.read(move |db| market::request(db, viewer, request)).await
    }

    async fn cancel_request(&self, client: UserId, request: RequestId) -> Result<Request, MarketError> {
        self.writer.write(move |tx| market::cancel_request(tx, client, request)).await
    }

    async fn create_proposal(&self, proposal: NewProposal, now: Timestamp) -> Result<Created<Proposal>, MarketError> {
        self.writer.write(move |tx| market::create_proposal(tx, proposal, now)).await
    }

    async fn proposals(
        &self,
        viewer: UserId,
        request: RequestId,
        page: PageRequest,
    ) -> Result<Page<Proposal>, MarketError> {
        self.readers.read(move |db| market::proposals(db, viewer, request, page)).await
    }

    async fn accept_proposal(
        &self,
        client: UserId,
        proposal: ProposalId,
        now: Timestamp,
    ) -> Result<Acceptance, MarketError> {
        self.writer.write(move |tx| acceptance::accept_proposal(tx, client, proposal, now)).await
    }

    async fn reject_proposal(
        &self,
        client: UserId,
        proposal: ProposalId,
        now: Timestamp,
    ) -> Result<Proposal, MarketError> {
        self.writer.write(move |tx| market::decide(tx, client, proposal, market::Decision::Reject, now)).await
    }

    async fn withdraw_proposal(
        &self,
        provider: UserId,
        proposal: ProposalId,
        now: Timestamp,
    ) -> Result<Proposal, MarketError> {
        self.writer.write(move |tx| market::decide(tx, provider, proposal, market::Decision::Withdraw, now)).await
    }

    async fn projects(&self, viewer: UserId, page: PageRequest) -> Result<Page<Project>, MarketError> {
        self.readers.read(move |db| Ok(projects::projects(db, viewer, page)?)).await
    }

    async fn project(&self, viewer: UserId, project: ProjectId) -> Result<Project, MarketError> {
        self.readers.read(move |db| projects::project(db, viewer, project)).await
    }

    async fn close_project(
        &self,
        client: UserId,
        project: ProjectId,
        closing: ProjectClosing,
        now: Timestamp,
    ) -> Result<ClosedProject, MarketError> {
        self.writer.write(move |tx| acceptance::close_project(tx, client, project, closing, now)).await
    }

    async fn conversations(&self, viewer: UserId, page: PageRequest) -> Result<Page<Conversation>, ConversationError> {
        self.readers.read(move |db| Ok(conversations::conversations(db, viewer, page)?)).await
    }

    async fn conversation(&self, viewer: UserId, key: ConversationKey) -> Result<Conversation, ConversationError> {
        self.readers.read(move |db| conversations::conversation(db, viewer, key)).await
    }

    async fn conversation_ids(&self, user: UserId) -> Result<Vec<ConversationId>, StoreError> {
        self.readers.read(move |db| conversations::conversation_ids(db, user)).await
    }

    async fn participants(
        &self,
        viewer: UserId,
        conversation: ConversationId,
    ) -> Result<Vec<UserId>, ConversationError> {
        self.readers.read(move |db| conversations::participants(db, viewer, conversation)).await
    }

    async fn append_message(&self, message: NewMessage, now: Timestamp) -> Result<Appended, ConversationError> {
        self.writer.write(move |tx| messages::append_message(tx, message, now)).await
    }

    async fn messages(
        &self,
        viewer: UserId,
        conversation: ConversationId,
        page: PageRequest,
    ) -> Result<Page<Recorded>, ConversationError> {
        self.readers.read_here(move |db| history::messages(db, viewer, conversation, page)).await
    }

    async fn mark_read(
        &self,
        reader: UserId,
        conversation: ConversationId,
        up_to: Option<MessageId>,
        now: Timestamp,
    ) -> Result<Read, ConversationError> {
        self.writer.write(move |tx| messages::mark_read(tx, reader, conversation, up_to, now)).await
    }

    async fn revise_message(
        &self,
        author: UserId,
        message: MessageId,
        revision: Revision,
        now: Timestamp,
    ) -> Result<Revised, ConversationError> {
        self.writer.write(move |tx| revisions::revise_message(tx, author, message, revision, now)).await
    }

    async fn search_messages(
        &self,
        viewer: UserId,
        query: SearchQuery,
        conversation: Option<ConversationId>,
        page: PageRequest,
    ) -> Result<Page<Found>, ConversationError> {
        self.readers.read(move |db| search::search(db, viewer, &query, conversation, page)).await
    }

    async fn index_messages(&self, limit: u32) -> Result<u64, StoreError> {
        let left = self.readers.read(search::unindexed).await?;
        if left > 0 {
            self.writer.write(move |tx| search::index_messages(tx, limit)).await?;
        }
        Ok(left.saturating_sub(u64::from(limit)))
    }

    async fn create_attachment(
        &self,
        attachment: NewAttachment,
        now: Timestamp,
    ) -> Result<Attachment, AttachmentError> {
        self.writer.write(move |tx| attachments::create_attachment(tx, attachment, now)).await
    }

    async fn attachment(&self, viewer: UserId, attachment: AttachmentId) -> Result<Attachment, AttachmentError> {
        self.readers.read(move |db| attachments::attachment(db, viewer, attachment)).await
    }

    async fn unsent_attachments(&self, uploader: UserId) -> Result<Unsent, StoreError> {
        self.readers.read(move |db| attachments::unsent(db, uploader)).await
    }

    async fn forget_unsent_attachments(&self, before: Timestamp, limit: u32) -> Result<Vec<AttachmentId>, StoreError> {
        self.writer.write(move |tx| attachments::forget_unsent(tx, before, limit)).await
    }

    async fn known_attachments(&self, ids: Vec<AttachmentId>) -> Result<Vec<AttachmentId>, StoreError> {
        self.readers.read(move |db| attachments::known(db, &ids)).await
    }

    async fn create_meeting(
        &self,
        meeting: NewMeeting,
        now: Timestamp,
    ) -> Result<Created<MeetingChange>, MeetingError> {
        self.writer.write(move |tx| meetings::create_meeting(tx, meeting, now)).await
    }

    async fn meeting(&self, viewer: UserId, meeting: MeetingId) -> Result<MeetingView, MeetingError> {
        self.readers.read(move |db| meetings::meeting(db, viewer, meeting)).await
    }

    async fn meetings_of_project(
        &self,
        viewer: UserId,
        project: ProjectId,
        page: PageRequest,
    ) -> Result<Page<Meeting>, MeetingError> {
        self.readers.read(move |db| meetings::meetings_of_project(db, viewer, project, page)).await
    }

    async fn meetings(
        &self,
        viewer: UserId,
        filter: MeetingFilter,
        page: PageRequest,
    ) -> Result<Page<Meeting>, MeetingError> {
        self.readers.read(move |db| Ok(meetings::meetings(db, viewer, filter, page)?)).await
    }

    async fn move_meeting(&self, step: MeetingMove, now: Timestamp) -> Result<MeetingChange, MeetingError> {
        self.writer.write(move |tx| meetings::move_meeting(tx, step, now)).await
    }

    async fn end_meeting(&self, ending: MeetingEnding, now: Timestamp) -> Result<Option<MeetingChange>, StoreError> {
        self.writer.write(move |tx| meetings::end_meeting(tx, ending, now)).await
    }

    async fn live_meetings_of(&self, user: UserId) -> Result<Vec<MeetingView>, StoreError> {
        self.readers.read(move |db| meetings::live_meetings_of(db, user)).await
    }

    async fn live_meetings(&self) -> Result<Vec<MeetingView>, StoreError> {
        self.readers.read(meetings::live_meetings).await
    }

    async fn claim_expired_meetings(&self, claim: Claim) -> Result<Vec<MeetingId>, StoreError> {
        self.writer.write(move |tx| due::claim_expired_meetings(tx, claim)).await
    }

    async fn log_meeting(&self, meeting: MeetingId, entry: MeetingLogEntry) -> Result<(), StoreError> {
        self.writer.write(move |tx| call_log::log_meeting(tx, meeting, entry)).await
    }

    async fn meeting_log(
        &self,
        viewer: UserId,
        meeting: MeetingId,
        page: PageRequest,
    ) -> Result<Page<MeetingLogEntry>, MeetingError> {
        self.readers.read(move |db| call_log::meeting_log(db, viewer, meeting, page)).await
    }

    async fn claim_reminders(&self, claim: Claim) -> Result<Vec<DueReminder>, StoreError> {
        self.writer.write(move |tx| due::claim_reminders(tx, claim)).await
    }

    async fn finish_reminder(&self, reminder: ReminderId) -> Result<(), StoreError> {
        self.writer.write(move |tx| due::finish_reminder(tx, reminder)).await
    }

    async fn claim_mail(&self, claim: Claim) -> Result<Option<DueMail>, StoreError> {
        self.writer.write(move |tx| mails::claim_mail(tx, claim)).await
    }

    async fn finish_mail(&self, mail: MailId) -> Result<(), StoreError> {
        self.writer.write(move |tx| mails::finish_mail(tx, mail)).await
    }

    async fn delay_mail(&self, mail: MailId, due_at: Timestamp) -> Result<(), StoreError> {
        self.writer.write(move |tx| mails::delay_mail(tx, mail, due_at)).await
    }

    async fn next_mail_due_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(mails::next_mail_due_at).await
    }

    async fn next_due_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(due::next_due_at).await
    }

    async fn sync(&self, viewer: UserId, since: Option<SyncCursor>, limit: u32) -> Result<SyncPage, SyncError> {
        self.readers.read(move |db| changes::sync(db, viewer, since, limit)).await
    }

    fn subscribe(&self) -> CommitFeed {
        self.feed.subscribe()
    }

    fn activity(&self) -> Activity {
        self.writer.activity()
    }

    async fn begin_serving(&self, mailing: Mailing, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(move |tx| {
                call_log::empty_all_calls(tx, now)?;
                due::release_claims(tx)?;
                mails::begin(tx, mailing)
            })
            .await
    }

    async fn sweep(&self, retention: Retention, now: Timestamp) -> Result<(), StoreError> {
        self.writer.write(move |tx| changes::sweep(tx, retention, now)).await
    }

    async fn check_ready(&self) -> Result<(), StoreError> {
        self.readers.read(|db| db.one("SELECT 1 FROM counters", (), |_| Ok(())).map(drop)).await?;
        // Changes nothing, but is refused like any write by a file that can't be written.
        self.writer.write(|tx| tx.run("UPDATE counters SET value = value WHERE name = 'log'", ()).map(drop)).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.readers.close().await;
        let writer = Arc::clone(&self.writer);
        tokio::task::spawn_blocking(move || writer.close())
            .await
            .map_err(|error| StoreError::Internal(error.to_string()))?
    }
}
