//! Requests, proposals, projects, conversations; the first load and every page of `/sync`.

use parley_domain::{
    Conversation, ConversationId, Meeting, Message, Project, ProjectId, ProjectStatus, Proposal, ProposalStatus,
    Request,
};
use parley_protocol::rest::Change;
use rusqlite::Transaction;

use super::{
    CacheResult, Db,
    db::{bodies, body, set_cursor},
    meetings,
    messages::{self, Version},
    outbox,
};
use crate::ClientEvent;

/// Everything that concerns a person, as the server listed it.
#[derive(Default)]
pub struct Lists {
    /// Oldest first.
    pub projects: Vec<Project>,
    /// Quietest first.
    pub conversations: Vec<Conversation>,
    /// Oldest first.
    pub requests: Vec<Request>,
    /// Oldest first.
    pub proposals: Vec<Proposal>,
    /// Oldest first.
    pub meetings: Vec<Meeting>,
    /// Newest stretches of history, each oldest first.
    pub messages: Vec<Message>,
}

/// A project with its conversation as it stands here.
#[derive(Clone, Debug)]
pub struct ProjectRow {
    /// The agreement.
    pub project: Project,
    /// Its conversation with the newest message.
    pub conversation: Conversation,
    /// Others' undeleted messages after our read mark.
    pub unread: u32,
    /// Its meetings, oldest first.
    pub meetings: Vec<Meeting>,
}

impl Db {
    /// Replaces everything but the outbox by what the server listed; `/sync` goes on at `cursor`.
    pub fn load(&mut self, lists: &Lists, cursor: &str) -> CacheResult<()> {
        self.write(|transaction, me| {
            transaction.execute_batch(
                "DELETE FROM projects; DELETE FROM requests; DELETE FROM proposals; DELETE FROM meetings;
                 DELETE FROM conversations; DELETE FROM messages; DELETE FROM reads;",
            )?;
            put_lists(transaction, lists)?;
            outbox::apply_reads_to_send(transaction, me)?;
            set_cursor(transaction, cursor)
        })
    }

    /// Takes in one page of `/sync`, with the rows that it refers to and that were not here; `/sync` goes on at
    /// `cursor`.
    pub fn put_changes(&mut self, extra: &Lists, changes: &[Change], cursor: &str) -> CacheResult<Vec<ClientEvent>> {
        self.write(|transaction, _| {
            let mut events = put_lists(transaction, extra)?;
            for change in changes {
                put_change(transaction, change, &mut events)?;
            }
            set_cursor(transaction, cursor)?;
            Ok(events)
        })
    }

    /// Takes in what another call of ours brought.
    pub fn put_lists(&mut self, lists: &Lists) -> CacheResult<Vec<ClientEvent>> {
        self.write(|transaction, _| put_lists(transaction, lists))
    }

    /// Whether everything was loaded once.
    pub fn is_loaded(&self) -> CacheResult<bool> {
        Ok(self.cursor()?.is_some())
    }

    /// The conversation of that id, if it is here.
    pub fn conversation(&self, id: ConversationId) -> CacheResult<Option<Conversation>> {
        body(self.connection(), "SELECT body FROM conversations WHERE id = ?1", [id.to_string()])
    }

    /// Others' undeleted messages after our read mark; 0 for a conversation that is not here.
    pub fn unread_in(&self, id: ConversationId) -> CacheResult<u32> {
        self.conversation(id)?.map_or(Ok(0), |conversation| self.unread(&conversation))
    }

    /// Whether the request of that id is here.
    pub fn has_request(&self, id: parley_domain::RequestId) -> CacheResult<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM requests WHERE id = ?1)";
        Ok(self.connection().prepare_cached(sql)?.query_row([id.to_string()], |row| row.get(0))?)
    }

    /// The project of that id, if it is here with its conversation.
    pub fn project(&self, id: ProjectId) -> CacheResult<Option<ProjectRow>> {
        let sql = "SELECT body FROM projects WHERE id = ?1";
        let project: Option<Project> = body(self.connection(), sql, [id.to_string()])?;
        project.map_or(Ok(None), |project| self.row(project))
    }

    /// Every project, newest activity first.
    pub fn projects(&self) -> CacheResult<Vec<ProjectRow>> {
        let sql = "SELECT p.body FROM projects p JOIN conversations c ON c.project_id = p.id ORDER BY c.activity DESC";
        let projects: Vec<Project> = bodies(self.connection(), sql, [])?;
        let rows: CacheResult<Vec<_>> = projects.into_iter().map(|project| self.row(project)).collect();
        Ok(rows?.into_iter().flatten().collect())
    }

    /// Proposals that wait, with what was asked for, newest first.
    pub fn offers(&self) -> CacheResult<Vec<(Proposal, Request)>> {
        let sql = "SELECT body FROM proposals WHERE status = 'PENDING' ORDER BY position DESC";
        let mut offers = Vec::new();
        for proposal in bodies::<Proposal>(self.connection(), sql, [])? {
            let sql = "SELECT body FROM requests WHERE id = ?1";
            if let Some(request) = body(self.connection(), sql, [proposal.request_id.to_string()])? {
                offers.push((proposal, request));
            }
        }
        Ok(offers)
    }

    fn row(&self, project: Project) -> CacheResult<Option<ProjectRow>> {
        let Some(conversation) = self.conversation(project.conversation_id)? else { return Ok(None) };
        let unread = self.unread(&conversation)?;
        let sql = "SELECT body FROM meetings WHERE project_id = ?1 ORDER BY position";
        let meetings = bodies(self.connection(), sql, [project.id.to_string()])?;
        Ok(Some(ProjectRow { project, conversation, unread, meetings }))
    }

    /// Counted here when everything after the read mark is here, else as the server last said.
    fn unread(&self, conversation: &Conversation) -> CacheResult<u32> {
        let me = self.me();
        let mark = conversation.participants.iter().find(|who| who.user_id == me).map_or(0, |who| who.last_read_seq);
        let newest = conversation.last_message.as_ref().map_or(0, |message| message.seq);
        let sql = "SELECT COUNT(*), COUNT(*) FILTER (WHERE sender_id <> ?3 AND NOT deleted) FROM messages
                   WHERE conversation_id = ?1 AND seq > ?2";
        let (here, unread): (i64, u32) = self
            .connection()
            .prepare_cached(sql)?
            .query_row((conversation.id.to_string(), mark, me.to_string()), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let all = here >= newest.saturating_sub(mark);
        Ok(if all { unread } else { unread.max(u32::try_from(conversation.unread_count).unwrap_or(0)) })
    }
}

fn put_lists(transaction: &Transaction<'_>, lists: &Lists) -> CacheResult<Vec<ClientEvent>> {
    let mut events = Vec::new();
    for request in &lists.requests {
        put_request(transaction, request)?;
    }
    for conversation in &lists.conversations {
        put_conversation(transaction, conversation)?;
    }
    for project in &lists.projects {
        events.extend(put_project(transaction, project)?);
    }
    for proposal in &lists.proposals {
        events.extend(put_proposal(transaction, proposal)?);
    }
    for meeting in &lists.meetings {
        events.extend(meetings::put(transaction, meeting)?);
    }
    for message in &lists.messages {
        events.extend(messages::put(transaction, message, Version::Later)?);
    }
    Ok(events)
}

fn put_change(transaction: &Transaction<'_>, change: &Change, events: &mut Vec<ClientEvent>) -> CacheResult<()> {
    match change {
        Change::Message { message } => events.extend(messages::put(transaction, message, Version::Later)?),
        Change::Read { conversation_id, user_id, last_read_seq, read_at, .. } => {
            events.extend(messages::read_event(transaction, *conversation_id, *user_id, *last_read_seq, *read_at)?);
        }
        Change::Meeting { meeting } => events.extend(meetings::put(transaction, meeting)?),
        Change::Project { project } => events.extend(put_project(transaction, project)?),
        Change::Proposal { proposal } => events.extend(put_proposal(transaction, proposal)?),
        Change::Reminder { reminder } => {
            let sql = "INSERT OR IGNORE INTO reminders_shown (id) VALUES (?1)";
            if transaction.execute(sql, [reminder.reminder_id.to_string()])? == 1 {
                events.push(ClientEvent::Reminder(reminder.clone()));
            }
        }
    }
    Ok(())
}

fn put_request(transaction: &Transaction<'_>, request: &Request) -> CacheResult<()> {
    transaction
        .prepare_cached("INSERT INTO requests (id, body) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET body = ?2")?
        .execute((request.id.to_string(), serde_json::to_string(request)?))?;
    Ok(())
}

fn put_conversation(transaction: &Transaction<'_>, conversation: &Conversation) -> CacheResult<()> {
    let mut conversation = conversation.clone();
    if let Some(old) = messages::conversation(transaction, conversation.id)? {
        // A read mark never goes back, whichever answer came last.
        for participant in &mut conversation.participants {
            if let Some(known) = old.participants.iter().find(|known| known.user_id == participant.user_id) {
                participant.last_read_seq = participant.last_read_seq.max(known.last_read_seq);
            }
        }
        let newest = |conversation: &Conversation| conversation.last_message.as_ref().map_or(0, |last| last.seq);
        if newest(&old) > newest(&conversation) {
            conversation.last_message = old.last_message;
        }
    }
    messages::store_conversation(transaction, &conversation, false)
}

fn put_project(transaction: &Transaction<'_>, project: &Project) -> CacheResult<Option<ClientEvent>> {
    let old: Option<Project> = body(transaction, "SELECT body FROM projects WHERE id = ?1", [project.id.to_string()])?;
    if let Some(old) = old
        && (old == *project || (old.status != ProjectStatus::Active && project.status == ProjectStatus::Active))
    {
        return Ok(None);
    }
    transaction
        .prepare_cached("INSERT INTO projects (id, body) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET body = ?2")?
        .execute((project.id.to_string(), serde_json::to_string(project)?))?;
    Ok(Some(ClientEvent::Project(Box::new(project.clone()))))
}

fn put_proposal(transaction: &Transaction<'_>, proposal: &Proposal) -> CacheResult<Option<ClientEvent>> {
    let old: Option<Proposal> =
        body(transaction, "SELECT body FROM proposals WHERE id = ?1", [proposal.id.to_string()])?;
    if let Some(old) = old
        && (old == *proposal || (old.status != ProposalStatus::Pending && proposal.status == ProposalStatus::Pending))
    {
        return Ok(None);
    }
    transaction
        .prepare_cached(
            "INSERT INTO proposals (id, request_id, status, body) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET status = ?3, body = ?4",
        )?
        .execute((
            proposal.id.to_string(),
            proposal.request_id.to_string(),
            proposal.status.as_str(),
            serde_json::to_string(proposal)?,
        ))?;
    Ok(Some(ClientEvent::Proposal(Box::new(proposal.clone()))))
}
