//! Hearing of everything that happened while nobody listened: `/sync`, or everything anew where that is too long ago.

use std::collections::HashSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use parley_domain::{Conversation, ConversationId, Request, RequestId, RequestStatus, Role};
use parley_protocol::{Code, rest::Change};

use crate::{ClientError, ClientEvent, cache::projects::Lists, core::Core};

/// Messages that are fetched of a conversation before anyone opens it.
const FIRST_STRETCH: u32 = 50;
/// Conversations whose newest messages are fetched at the first load, so that they open at once and without a network.
const WARM_CONVERSATIONS: usize = 20;
/// Requests to the server at the same time.
const AT_ONCE: usize = 4;

/// Brings the cache up to the server's now and tells what changed.
pub(crate) async fn catch_up(core: &Core) -> Result<(), ClientError> {
    let _one_at_a_time = core.syncing.lock().await;
    let Some(mut cursor) = core.cache.run(|db| db.cursor()).await? else { return load(core).await };
    loop {
        let page = match core.rest.sync(Some(&cursor)).await {
            Err(ClientError::Refused(refusal)) if is_of_no_use(refusal.code) => return load(core).await,
            outcome => outcome?,
        };
        let finished = !page.more || page.next_cursor == cursor;
        let extra = referred_to(core, &page.changes).await?;
        cursor = page.next_cursor.clone();
        if page.changes.is_empty() && finished {
            let cursor = page.next_cursor;
            core.cache.run(move |db| db.put_changes(&Lists::default(), &[], &cursor)).await?;
            return Ok(());
        }
        let events = core.cache.run(move |db| db.put_changes(&extra, &page.changes, &page.next_cursor)).await?;
        core.tell_all(events);
        if finished {
            return Ok(());
        }
    }
}

/// The cursor is too old, or of another database.
fn is_of_no_use(code: Code) -> bool {
    matches!(code, Code::SyncTooOld | Code::Malformed | Code::Invalid)
}

/// Reads everything anew. The cursor is taken first: what happens meanwhile comes again by `/sync`, and twice is once.
async fn load(core: &Core) -> Result<(), ClientError> {
    let rest = &core.rest;
    let cursor = rest.sync(None).await?.next_cursor;
    let (mut projects, mut conversations, mut requests, mut meetings) =
        tokio::try_join!(rest.projects(), rest.conversations(), rest.requests(), rest.meetings())?;
    let open = requests.iter().filter(|request| request.status == RequestStatus::Open).map(|request| request.id);
    let proposals: Vec<Vec<_>> = stream::iter(open.collect::<Vec<_>>())
        .map(|id| async move { or_none(rest.proposals(id).await).map(Option::unwrap_or_default) })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let messages: Vec<Vec<_>> = stream::iter(
        conversations.iter().take(WARM_CONVERSATIONS).map(|row| row.id).collect::<Vec<_>>(),
    )
    .map(|id| async move { or_none(rest.newest_messages(id, FIRST_STRETCH).await).map(Option::unwrap_or_default) })
    .buffered(AT_ONCE)
    .try_collect()
    .await?;
    // Lists come newest first; positions here grow with time.
    projects.reverse();
    conversations.reverse();
    requests.reverse();
    meetings.reverse();
    let mut proposals: Vec<_> = proposals.into_iter().flatten().collect();
    proposals.reverse();
    let messages = messages.into_iter().flatten().collect();
    let lists = Lists { projects, conversations, requests, proposals, meetings, messages };
    core.cache.run(move |db| db.load(&lists, &cursor)).await?;
    core.tell(ClientEvent::Loaded);
    Ok(())
}

/// Rows that changes speak of and that are not here yet.
async fn referred_to(core: &Core, changes: &[Change]) -> Result<Lists, ClientError> {
    let mut conversations = HashSet::new();
    let mut requests = HashSet::new();
    for change in changes {
        match change {
            Change::Message { message } => drop(conversations.insert(message.conversation_id)),
            Change::Project { project } => drop(conversations.insert(project.conversation_id)),
            Change::Proposal { proposal } => drop(requests.insert(proposal.request_id)),
            _ => {}
        }
    }
    let (conversations, requests) = core
        .cache
        .run(move |db| {
            let mut unknown: (Vec<ConversationId>, Vec<RequestId>) = (Vec::new(), Vec::new());
            for id in conversations {
                if db.conversation(id)?.is_none() {
                    unknown.0.push(id);
                }
            }
            for id in requests {
                if !db.has_request(id)? {
                    unknown.1.push(id);
                }
            }
            Ok(unknown)
        })
        .await?;
    let mut lists = Lists::default();
    for id in conversations {
        add_conversation(core, id, &mut lists).await?;
    }
    for id in requests {
        lists.requests.extend(or_none(core.rest.request(id).await)?);
    }
    Ok(lists)
}

/// A conversation that is new here, with its project and its newest messages.
async fn add_conversation(core: &Core, id: ConversationId, lists: &mut Lists) -> Result<(), ClientError> {
    let Some(conversation) = or_none(core.rest.conversation(id).await)? else { return Ok(()) };
    let Some(project) = or_none(core.rest.project(conversation.project_id).await)? else { return Ok(()) };
    lists.messages.extend(or_none(core.rest.newest_messages(id, FIRST_STRETCH).await)?.unwrap_or_default());
    lists.conversations.push(conversation);
    lists.projects.push(project);
    Ok(())
}

/// Takes in a project that came by another call's answer, with what belongs to it.
pub(crate) async fn adopt(
    core: &Core,
    project: parley_domain::Project,
    conversation: Conversation,
) -> Result<(), ClientError> {
    let request: Option<Request> = match core.session().user().role {
        Role::Client => or_none(core.rest.request(project.request_id).await)?,
        _ => None,
    };
    let proposals = or_none(core.rest.proposals(project.request_id).await)?.unwrap_or_default();
    let lists = Lists {
        projects: vec![project],
        conversations: vec![conversation],
        requests: request.into_iter().collect(),
        proposals,
        ..Lists::default()
    };
    let events = core.cache.run(move |db| db.put_lists(&lists)).await?;
    core.tell_all(events);
    Ok(())
}

/// A row that is not ours to see is no reason to stop.
fn or_none<T>(outcome: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match outcome {
        Ok(row) => Ok(Some(row)),
        Err(ClientError::Refused(refusal)) if matches!(refusal.status, 403 | 404 | 409 | 410 | 501) => Ok(None),
        Err(error) => Err(error),
    }
}
