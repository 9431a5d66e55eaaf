//! The change log, as one person sees it.

use parley_protocol::rest::{Change, SyncPage};
use parley_store::SyncCursor;

use crate::{
    attachments::links,
    auth::caller::Caller,
    problem::{Outcome, Refusal},
    state::AppState,
};

/// What concerns the caller since that cursor, in commit order; without one, just the cursor of now.
pub(crate) async fn changes(app: &AppState, caller: &Caller, since: Option<&str>, limit: u32) -> Outcome<SyncPage> {
    let since = since
        .map(str::parse::<SyncCursor>)
        .transpose()
        .map_err(|_| Refusal::invalid("/since", "is not a cursor of this server"))?;
    let mut page = app.store.sync(caller.id(), since, limit).await?;
    for change in &mut page.changes {
        if let parley_store::Change::Message(message) = change {
            links::sign_messages(app, caller.id(), [message]);
        }
    }
    Ok(SyncPage {
        changes: page.changes.into_iter().filter_map(on_the_wire).collect(),
        next_cursor: page.next_cursor.to_string(),
        more: page.more,
    })
}

fn on_the_wire(change: parley_store::Change) -> Option<Change> {
    Some(match change {
        parley_store::Change::Message(message) => Change::Message { message },
        parley_store::Change::Read(state) => Change::Read {
            conversation_id: state.conversation_id,
            user_id: state.user_id,
            last_read_message_id: state.last_read_message_id?,
            last_read_seq: state.last_read_seq,
            read_at: state.read_at?,
        },
        parley_store::Change::Meeting(meeting) => Change::Meeting { meeting },
        parley_store::Change::Project(project) => Change::Project { project },
        parley_store::Change::Proposal(proposal) => Change::Proposal { proposal },
        parley_store::Change::Reminder(reminder) => Change::Reminder { reminder },
    })
}
