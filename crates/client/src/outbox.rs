//! Sends what was written: in order inside a conversation, side by side across conversations, until it has arrived or
//! was refused for good. Read marks go the same way.

#[cfg(test)]
mod tests;

use std::{collections::HashSet, sync::Arc};

use parley_domain::{ConversationId, MessageType};
use parley_protocol::{
    app::{AppError, ConnectionState},
    rest::NewMessage,
};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    ClientError, ClientEvent, OutboxEntry,
    cache::{ReadToSend, messages::Version},
    core::Core,
};

/// Sends until the session ends or the task is dropped.
pub(crate) async fn run(core: Arc<Core>) {
    let mut busy = HashSet::new();
    let mut workers = JoinSet::new();
    loop {
        match core.cache.run(|db| db.conversations_to_send()).await {
            Ok(conversations) => {
                for conversation in conversations {
                    if busy.insert(conversation) {
                        let core = core.clone();
                        workers.spawn(async move { (conversation, send_all(&core, conversation).await) });
                    }
                }
            }
            Err(ClientError::Closed) => return,
            Err(error) => tracing::warn!(%error, "the outbox can't be read"),
        }
        tokio::select! {
            () = core.outbox_poke.notified() => {}
            Some(done) = workers.join_next() => {
                let Ok((conversation, outcome)) = done else { return };
                busy.remove(&conversation);
                if let Err(error) = outcome {
                    tracing::warn!(%error, %conversation, "sending stopped");
                    sleep(core.timing.backoff(4)).await;
                }
            }
            () = core.session().until_ended() => return,
        }
    }
}

/// Sends what a conversation has to send; an error here is one of the local storage or the end of the session.
async fn send_all(core: &Core, conversation: ConversationId) -> Result<(), ClientError> {
    let mut failures = 0;
    loop {
        let (head, read) =
            core.cache.run(move |db| Ok((db.outbox_head(conversation)?, db.read_to_send(conversation)?))).await?;
        let outcome = if let Some(entry) = head {
            send(core, entry).await
        } else if let Some(read) = read {
            mark_read(core, conversation, read).await
        } else {
            return Ok(());
        };
        match outcome {
            Ok(()) => failures = 0,
            Err(error) if is_worth_waiting(&error) => {
                failures += 1;
                wait(core, failures, &error).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Sends a read mark; `Ok` when it is out of the way: taken, or refused for good.
async fn mark_read(core: &Core, conversation: ConversationId, read: ReadToSend) -> Result<(), ClientError> {
    match core.rest.mark_read(conversation, Some(read.message_id)).await {
        Ok(_) => {}
        Err(error @ ClientError::Refused(_)) if !is_worth_waiting(&error) => {}
        // The session or the storage ended, not the mark: it waits for the next one.
        Err(error) => return Err(error),
    }
    core.cache.run(move |db| db.forget_read_to_send(conversation, read.seq)).await
}

/// Sends one message; `Ok` when it is out of the way: arrived, or refused and set aside.
async fn send(core: &Core, entry: OutboxEntry) -> Result<(), ClientError> {
    let message = NewMessage {
        conversation_id: entry.conversation_id,
        content: entry.content,
        kind: MessageType::Text,
        client_id: Some(entry.client_id.clone()),
        attachment_ids: Vec::new(),
        reply_to_id: None,
    };
    match core.rest.post_message(&message).await {
        Ok(message) => {
            let events = core.cache.run(move |db| db.put_message(&message, Version::Later)).await?;
            core.tell_all(events);
            Ok(())
        }
        Err(error @ (ClientError::SignedOut(_) | ClientError::Storage(_) | ClientError::Closed)) => Err(error),
        Err(error) if is_worth_waiting(&error) => Err(error),
        Err(error) => {
            let (client_id, error) = (entry.client_id, AppError::from(error));
            let failed = core.cache.run(move |db| db.fail_in_outbox(&client_id, &error)).await?;
            core.tell_all(failed.map(ClientEvent::Outbox));
            Ok(())
        }
    }
}

/// What answers may be a proxy or a starting server: a message is not failed by that, nor by a token that a restarted
/// server does not know yet.
fn is_worth_waiting(error: &ClientError) -> bool {
    error.is_transient()
        || matches!(error, ClientError::NotAParleyServer(_))
        || error.refusal().is_some_and(|refusal| refusal.status == 401 && !matches!(error, ClientError::SignedOut(_)))
}

/// Waits for the next attempt: until the line comes up, or the delay that grows with the failures.
async fn wait(core: &Core, failures: u32, error: &ClientError) {
    let delay = core.timing.backoff(failures);
    if let Some(asked) = error.retry_after() {
        // The server named a time: the line coming up changes nothing about that.
        return sleep(asked.max(delay)).await;
    }
    let mut connection = core.connection.subscribe();
    connection.mark_unchanged();
    let line_up = async {
        while connection.changed().await.is_ok() {
            if *connection.borrow_and_update() == ConnectionState::Connected {
                return;
            }
        }
        std::future::pending().await
    };
    tokio::select! {
        () = sleep(delay) => {}
        () = line_up => {}
    }
}
