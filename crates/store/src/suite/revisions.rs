//! Editing and deleting.

use std::time::Duration;

use parley_domain::{ContentProblem, EDIT_WINDOW, MessageId, ProjectStatus, Timestamp};

use super::{Harness, World, at, drain};
use crate::{
    Change, Committed, ConversationError, ConversationKey, NewMessage, Novelty, PageRequest, ProjectClosing, Revision,
};

fn edit(content: &str) -> Revision {
    Revision::Edit(content.to_owned())
}

/// It is told to both, is in the change log, and every way to the message shows it as it is now.
pub async fn an_edited_message_is_the_same_everywhere(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let first = world.say(world.client, "Helo", 10).await;
    let since = store.sync(world.provider, None, 9).await.unwrap().next_cursor;
    let mut feed = store.subscribe();

    let edited = store.revise_message(world.client, first.id, edit("Hello\r\nyou"), at(20)).await.unwrap().message;
    let expected =
        parley_domain::Message { content: "Hello\nyou".to_owned(), edited_at: Some(at(20)), ..first.clone() };
    assert_eq!(edited, expected);
    let to = vec![world.client, world.provider];
    assert_eq!(*drain(&mut feed)[0], Committed::MessageUpdated { message: expected.clone(), to });
    let page =
        store.messages(world.provider, world.conversation(), PageRequest::first(9)).await.unwrap().read().unwrap();
    assert_eq!(page.items, std::slice::from_ref(&expected));
    let changes = store.sync(world.provider, Some(since), 9).await.unwrap().changes;
    assert_eq!(changes, [Change::Message(expected.clone())]);
    let conversation = store.conversation(world.provider, ConversationKey::Id(world.conversation())).await.unwrap();
    assert_eq!((conversation.unread_count, conversation.last_message), (1, Some(expected.clone())));

    let again = store.revise_message(world.client, first.id, edit("Hello\nyou"), at(30)).await.unwrap().message;
    assert_eq!(again, expected, "an edit that changes nothing");
    assert!(drain(&mut feed).is_empty());
}

/// It counts as unread no more; its number stays.
pub async fn a_deleted_message_leaves_an_empty_row(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let named = NewMessage { client_id: Some("c1".into()), ..world.message(world.client, "oops") };
    let first = parley_domain::Message::clone(&store.append_message(named.clone(), at(10)).await.unwrap().message);
    world.say(world.client, "kept", 11).await;
    let mut feed = store.subscribe();

    let deleted = store.revise_message(world.client, first.id, Revision::Delete, at(20)).await.unwrap().message;
    assert_eq!((deleted.content.as_str(), deleted.deleted_at, deleted.seq), ("", Some(at(20)), 1));
    assert!(matches!(&*drain(&mut feed)[0], Committed::MessageUpdated { message, .. } if *message == deleted));
    let conversation = store.conversation(world.provider, ConversationKey::Id(world.conversation())).await.unwrap();
    assert_eq!(conversation.unread_count, 1);
    let page =
        store.messages(world.provider, world.conversation(), PageRequest::first(9)).await.unwrap().read().unwrap();
    assert_eq!(page.items[0], deleted);

    let again = store.revise_message(world.client, first.id, Revision::Delete, at(9_999)).await.unwrap().message;
    assert_eq!(again, deleted, "whoever lost the answer asks again, however late");
    let late = store.revise_message(world.client, first.id, edit("back"), at(21)).await;
    assert_eq!(late, Err(ConversationError::Deleted));
    let repeated = store.append_message(named, at(22)).await.unwrap();
    assert_eq!((repeated.novelty, &**repeated.message), (Novelty::Same, &deleted), "and what was said is gone");
    assert!(drain(&mut feed).is_empty());
    assert_eq!(world.say(world.provider, "next", 23).await.seq, 3);
}

/// Only its author, only for a quarter of an hour, only while the project is active, only with a content that could
/// have been sent.
pub async fn a_message_is_revised_by_its_author_for_a_while(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let message = world.say(world.client, "Hello", 0).await;
    let last_moment: Timestamp = at(0) + EDIT_WINDOW;
    let too_late = last_moment + Duration::from_millis(1);
    for revision in [edit("x"), Revision::Delete] {
        let revise = |caller, now| store.revise_message(caller, message.id, revision.clone(), now);
        assert_eq!(revise(world.stranger, at(1)).await, Err(ConversationError::NotFound));
        assert_eq!(revise(world.provider, at(1)).await, Err(ConversationError::NotTheAuthor));
        assert_eq!(revise(world.client, too_late).await, Err(ConversationError::EditWindowOver));
        let unknown = store.revise_message(world.client, MessageId(uuid::Uuid::nil()), revision, at(1)).await;
        assert_eq!(unknown, Err(ConversationError::NotFound));
    }
    let refused = store.revise_message(world.client, message.id, edit(" \n"), at(1)).await;
    assert_eq!(refused, Err(ConversationError::Content(ContentProblem::Empty)));
    let kept =
        store.messages(world.client, world.conversation(), PageRequest::first(9)).await.unwrap().read().unwrap().items;
    assert_eq!(kept, std::slice::from_ref(&message));
    store.revise_message(world.client, message.id, edit("Hello!"), last_moment).await.unwrap();

    store.close_project(world.client, world.project.id, ProjectClosing::Complete, at(2)).await.unwrap();
    for revision in [edit("x"), Revision::Delete] {
        let closed = store.revise_message(world.client, message.id, revision, at(3)).await;
        assert_eq!(closed, Err(ConversationError::ProjectNotActive(ProjectStatus::Completed)));
    }
}
