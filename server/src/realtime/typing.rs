//! Who is typing where. Never stored; ends by itself.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use parley_domain::{ConversationId, UserId};
use parley_protocol::socket::{TypingBy, event};
use tokio::time::Instant;

use crate::{conversations, problem::Outcome, state::AppState, timers::Timers};

/// Going on typing is told again at most so often.
const REPEAT: Duration = Duration::from_secs(2);

type Key = (ConversationId, UserId);

/// Everybody who types.
#[derive(Default)]
pub(crate) struct Typing {
    ends: Timers<Key>,
    started: Mutex<HashMap<Key, Started>>,
}

struct Started {
    others: Vec<UserId>,
    told_at: Instant,
}

impl Typing {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Started>> {
        self.started.lock().expect("no thread panics while it holds who types")
    }

    /// Whom to tell that the person goes on: nobody, if that was told a moment ago. `None` when it only begins now.
    fn go_on(&self, key: &Key) -> Option<Vec<UserId>> {
        let mut started = self.lock();
        let typing = started.get_mut(key)?;
        if typing.told_at.elapsed() < REPEAT {
            return Some(Vec::new());
        }
        typing.told_at = Instant::now();
        Some(typing.others.clone())
    }
}

/// A person begins, goes on or stops.
pub(crate) async fn set(app: &AppState, person: UserId, conversation: ConversationId, is_typing: bool) -> Outcome<()> {
    let key = (conversation, person);
    if !is_typing {
        stop(app, person, conversation);
        return Ok(());
    }
    let others = match app.typing.go_on(&key) {
        Some(others) => others,
        None => {
            let others = conversations::service::listeners(app, person, conversation).await?;
            app.typing.lock().insert(key, Started { others: others.clone(), told_at: Instant::now() });
            others
        }
    };
    let late = std::sync::Arc::downgrade(app);
    app.typing.ends.arm(key, app.config.timing.typing, async move {
        if let Some(app) = late.upgrade() {
            stop(&app, person, conversation);
        }
    });
    tell(app, &others, key, true);
    Ok(())
}

/// The person stopped, sent the message, went away or said nothing for a while.
pub(crate) fn stop(app: &AppState, person: UserId, conversation: ConversationId) {
    let key = (conversation, person);
    app.typing.ends.disarm(&key);
    let started = app.typing.lock().remove(&key);
    if let Some(started) = started {
        tell(app, &started.others, key, false);
    }
}

/// The conversation's project was closed: nobody can write there any more.
pub(crate) fn close(app: &AppState, conversation: ConversationId) {
    let who: Vec<_> = app.typing.lock().keys().filter(|key| key.0 == conversation).map(|key| key.1).collect();
    for person in who {
        stop(app, person, conversation);
    }
}

/// The person's last device went.
pub(crate) fn stop_everywhere(app: &AppState, person: UserId) {
    let where_: Vec<_> = app.typing.lock().keys().filter(|key| key.1 == person).map(|key| key.0).collect();
    for conversation in where_ {
        stop(app, person, conversation);
    }
}

fn tell(app: &AppState, others: &[UserId], (conversation_id, user_id): Key, is_typing: bool) {
    app.devices.emit(others, event::CONVERSATION_TYPING, &TypingBy { conversation_id, is_typing, user_id });
}
