//! Messages, history and read marks.

use std::sync::Arc;

use parley_domain::{MessageId, ProjectStatus};

use super::{Harness, World, at, drain};
use crate::{
    Committed, ConversationError, ConversationKey, Cursor, NewMessage, Novelty, PageRequest, Posted, ProjectClosing,
};

/// Beginning with 1; everybody in the conversation is to hear it, its sender too.
pub async fn a_message_is_numbered_and_published(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let mut feed = world.store.subscribe();
    let first = world.say(world.client, "Hello", 10).await;
    let mut second = world.message(world.provider, "Hi");
    second.reply_to = Some(first.id);
    let second = world.store.append_message(second, at(11)).await.unwrap();
    assert_eq!((first.seq, second.message.seq), (1, 2));
    assert_eq!(second.message.reply_to_id, Some(first.id));
    assert_eq!(second.participants, [world.client, world.provider]);

    let told = drain(&mut feed);
    let to = vec![world.client, world.provider];
    let first = Arc::new(Posted::new(first).unwrap());
    assert_eq!(*told[0], Committed::Message { message: first, to: to.clone() });
    assert_eq!(*told[1], Committed::Message { message: second.message, to });

    let mut lost = world.message(world.client, "?");
    lost.reply_to = Some(MessageId(uuid::Uuid::nil()));
    assert_eq!(world.store.append_message(lost, at(12)).await, Err(ConversationError::UnknownReply));
}

/// For ever: not at the same moment, not after the project has closed. Another sender has names of its own.
pub async fn the_same_client_id_never_makes_a_second_message(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let mut feed = world.store.subscribe();
    let named = |sender, content: &str| NewMessage { client_id: Some("c1".into()), ..world.message(sender, content) };
    let racers: Vec<_> = (0..8)
        .map(|n| {
            let (store, message) = (Arc::clone(&world.store), named(world.client, &format!("try {n}")));
            tokio::spawn(async move { store.append_message(message, at(n)).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for racer in racers {
        answers.push(racer.await.unwrap());
    }
    assert_eq!(answers.iter().filter(|answer| answer.novelty == Novelty::New).count(), 1);
    assert!(answers.iter().all(|answer| answer.message == answers[0].message));
    assert_eq!(drain(&mut feed).len(), 1, "told once");

    let other = world.store.append_message(named(world.provider, "mine"), at(9)).await.unwrap();
    assert_eq!((other.novelty, other.message.seq), (Novelty::New, 2));
    world.store.close_project(world.client, world.project.id, ProjectClosing::Complete, at(10)).await.unwrap();
    let again = world.store.append_message(named(world.client, "again"), at(11)).await.unwrap();
    assert_eq!((again.novelty, again.message), (Novelty::Same, answers.swap_remove(0).message));
}

/// Two hundred at once, refused ones among them.
pub async fn numbers_have_no_gaps_under_racing_writers(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let writers: Vec<_> = (0..200)
        .map(|n| {
            let sender = [world.client, world.provider, world.stranger][n % 3];
            let (store, message) = (Arc::clone(&world.store), world.message(sender, &n.to_string()));
            tokio::spawn(async move { store.append_message(message, at(5)).await.map(|done| done.message.seq) })
        })
        .collect();
    let mut numbers = Vec::new();
    for writer in writers {
        numbers.extend(writer.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=134).collect::<Vec<i64>>());
}

/// What was written stays readable.
pub async fn strangers_and_closed_projects_take_no_message(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (store, conversation) = (&*world.store, world.conversation());
    world.say(world.client, "Hello", 1).await;
    let intruding = store.append_message(world.message(world.stranger, "x"), at(2)).await;
    assert_eq!(intruding, Err(ConversationError::NotFound));
    let page = PageRequest::first(9);
    assert_eq!(store.messages(world.stranger, conversation, page).await, Err(ConversationError::NotFound));
    assert_eq!(store.participants(world.stranger, conversation).await, Err(ConversationError::NotFound));
    let key = ConversationKey::Id(conversation);
    assert_eq!(store.conversation(world.stranger, key).await, Err(ConversationError::NotFound));
    let read = store.mark_read(world.stranger, conversation, None, at(2)).await;
    assert_eq!(read, Err(ConversationError::NotFound));

    store.close_project(world.client, world.project.id, ProjectClosing::Cancel, at(3)).await.unwrap();
    let late = store.append_message(world.message(world.client, "x"), at(4)).await;
    assert_eq!(late, Err(ConversationError::ProjectNotActive(ProjectStatus::Cancelled)));
    assert_eq!(store.messages(world.provider, conversation, page).await.unwrap().read().unwrap().items.len(), 1);
    assert!(store.mark_read(world.provider, conversation, None, at(5)).await.unwrap().moved);
}

/// Back from the newest, or on from a number; without holes and repeats.
pub async fn history_comes_in_pages_oldest_first_inside(harness: &dyn Harness) {
    let world = World::new(harness).await;
    for n in 1..=5 {
        world.say(world.client, &n.to_string(), n).await;
    }
    let walk = async |mut page: PageRequest| {
        let mut pages = Vec::new();
        loop {
            let got = world.store.messages(world.provider, world.conversation(), page).await.unwrap().read().unwrap();
            pages.push(got.items.iter().map(|message| message.seq).collect::<Vec<_>>());
            let Some(cursor) = got.next_cursor else { return pages };
            page.cursor = Some(cursor.to_string().parse().unwrap());
        }
    };
    assert_eq!(walk(PageRequest::first(2)).await, [vec![4, 5], vec![2, 3], vec![1]]);
    assert_eq!(walk(PageRequest::first(5)).await, [vec![1, 2, 3, 4, 5]]);
    let after = |seq| PageRequest { limit: 2, cursor: Some(Cursor::after(seq)) };
    assert_eq!(walk(after(1)).await, [vec![2, 3], vec![4, 5]]);
    assert_eq!(walk(after(5)).await, [Vec::<i64>::new()]);
}

/// Not by an older message, not by a late call; only what moved is told.
pub async fn read_marks_never_go_back(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (store, conversation) = (&*world.store, world.conversation());
    let nothing = store.mark_read(world.provider, conversation, None, at(1)).await.unwrap();
    assert_eq!((nothing.moved, nothing.state.last_read_message_id), (false, None));
    let first = world.say(world.client, "1", 2).await;
    let second = world.say(world.client, "2", 3).await;
    let mut feed = store.subscribe();

    let read = store.mark_read(world.provider, conversation, Some(second.id), at(4)).await.unwrap();
    assert!(read.moved);
    assert_eq!((read.state.last_read_seq, read.state.last_read_message_id), (2, Some(second.id)));
    for (up_to, seconds) in [(Some(first.id), 5), (Some(second.id), 6), (None, 7)] {
        let again = store.mark_read(world.provider, conversation, up_to, at(seconds)).await.unwrap();
        assert_eq!((again.moved, &again.state), (false, &read.state));
    }
    let told = drain(&mut feed);
    assert_eq!(told.len(), 1);
    let to = vec![world.client, world.provider];
    assert_eq!(*told[0], Committed::Read { state: read.state, up_to: Some(second.id), to });
    let unknown = Some(MessageId(uuid::Uuid::nil()));
    let refused = store.mark_read(world.provider, conversation, unknown, at(8)).await;
    assert_eq!(refused, Err(ConversationError::NotFound));
}

/// Sending moves no mark; lists show the newest activity first.
pub async fn unread_messages_are_those_of_others(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let other = super::agree(store, world.client, world.provider).await.project.conversation_id;
    world.say(world.client, "1", 1).await;
    world.say(world.provider, "2", 2).await;
    let last = world.say(world.client, "3", 3).await;

    let list = store.conversations(world.provider, PageRequest::first(9)).await.unwrap().items;
    assert_eq!(list.iter().map(|c| c.id).collect::<Vec<_>>(), [world.conversation(), other]);
    assert_eq!(list.iter().map(|c| c.unread_count).collect::<Vec<_>>(), [2, 0]);
    assert_eq!(list[0].last_message.as_ref(), Some(&last));
    assert_eq!(list[1].last_message, None);
    assert!(list[0].participants.iter().all(|participant| participant.last_read_seq == 0));

    store.mark_read(world.provider, world.conversation(), Some(last.id), at(4)).await.unwrap();
    let read = store.conversation(world.provider, ConversationKey::Id(world.conversation())).await.unwrap();
    assert_eq!(read.unread_count, 0);
    assert_eq!(read.participants.iter().map(|p| p.last_read_seq).collect::<Vec<_>>(), [0, 3]);
    let readers: Vec<_> = read.last_message.unwrap().read_by.iter().map(|r| (r.user_id, r.read_at)).collect();
    assert_eq!(readers, [(world.provider, at(4))]);
    assert_eq!(
        store.conversation(world.client, ConversationKey::Id(world.conversation())).await.unwrap().unread_count,
        1
    );

    let mut page = PageRequest::first(1);
    let first = store.conversations(world.client, page).await.unwrap();
    page.cursor = first.next_cursor;
    let second = store.conversations(world.client, page).await.unwrap();
    assert_eq!((first.items[0].id, second.items[0].id, second.next_cursor), (world.conversation(), other, None));
}

/// The first step of a mark past a message says when; one's own messages have no reader but others.
pub async fn who_read_a_message_and_when_stays_true(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let mut ids = Vec::new();
    for n in 1..=4 {
        let sender = if n == 3 { world.provider } else { world.client };
        ids.push(world.say(sender, &n.to_string(), n).await.id);
    }
    for (n, seconds) in [(0, 10), (2, 20)] {
        world.store.mark_read(world.provider, world.conversation(), Some(ids[n]), at(seconds)).await.unwrap();
    }
    world.store.mark_read(world.client, world.conversation(), None, at(30)).await.unwrap();
    let page =
        world.store.messages(world.client, world.conversation(), PageRequest::first(9)).await.unwrap().read().unwrap();
    let read_at: Vec<Vec<_>> =
        page.items.iter().map(|m| m.read_by.iter().map(|r| (r.user_id, r.read_at)).collect()).collect();
    let (provider, client) = (world.provider, world.client);
    assert_eq!(read_at, [vec![(provider, at(10))], vec![(provider, at(20))], vec![(client, at(30))], vec![]]);
    let newest = PageRequest::first(1);
    let page = world.store.messages(world.client, world.conversation(), newest).await.unwrap().read().unwrap();
    assert!(page.items[0].read_by.is_empty());
}
