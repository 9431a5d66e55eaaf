//! Searching.

use parley_domain::{ConversationId, SearchQuery, UserId};

use super::{Harness, World, at};
use crate::{ConversationError, PageRequest, Revision};

/// The contents of what is found, newest first.
async fn found(world: &World, viewer: UserId, query: &str) -> Vec<String> {
    let query = SearchQuery::new(query).unwrap();
    let page = world.store.search_messages(viewer, query, None, PageRequest::first(100)).await.unwrap();
    page.items.into_iter().map(|found| found.message.content).collect()
}

async fn index_all(world: &World) {
    while world.store.index_messages(2).await.unwrap() > 0 {}
}

/// One character is enough; what looks like syntax is text.
pub async fn a_message_is_found_by_any_part_of_a_word_in_any_script(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let contents = [
        "The INVOICE is \"paid\" (50% off)",
        "明日の会議は九時からです",
        "请查看附件中的合同草案",
        "พรุ่งนี้มีการประชุมตอนเก้าโมง",
        "a-b_c 'd' AND *",
        "🎉",
    ];
    for content in contents {
        world.say(world.client, content, 1).await;
    }
    for _ in 0..2 {
        for (query, expected) in [
            ("voic", 0),
            ("v", 0),
            ("paid invoice", 0),
            ("\"paid\"", 0),
            ("0%", 0),
            ("(5", 0),
            ("会議", 1),
            ("明", 1),
            ("九時から", 1),
            ("合同", 2),
            ("ประชุม", 3),
            ("ุม", 3),
            ("-b_c", 4),
            ("'", 4),
            ("*", 4),
            ("🎉", 5),
        ] {
            assert_eq!(found(&world, world.provider, query).await, [contents[expected]], "{query}");
        }
        for query in ["voix", "paid OR", "NOT", "会 合同", "in0000000000000001", "\" OR \"", "100%"] {
            assert_eq!(found(&world, world.provider, query).await, Vec::<String>::new(), "{query}");
        }
        index_all(&world).await;
    }
}

/// Also when one half of what matches is in the index and the other isn't.
pub async fn a_message_is_found_before_and_after_it_is_indexed(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let mut expected = Vec::new();
    for n in 0..6 {
        let content = format!("word number {n}");
        world.say(world.client, &content, n).await;
        expected.insert(0, content);
        assert_eq!(found(&world, world.provider, "word").await, expected);
        if n == 3 {
            index_all(&world).await;
            assert_eq!(world.store.index_messages(2).await.unwrap(), 0);
        }
    }
    index_all(&world).await;
    assert_eq!(found(&world, world.provider, "word").await, expected);
}

/// Whether it was indexed before or not.
pub async fn what_was_edited_or_deleted_is_found_as_it_is_now(harness: &dyn Harness) {
    let world = World::new(harness).await;
    for is_indexed in [false, true] {
        let edited = world.say(world.client, "the early apple", 1).await;
        let deleted = world.say(world.client, "the early pear", 2).await;
        if is_indexed {
            index_all(&world).await;
        }
        let edit = Revision::Edit("the late plum".to_owned());
        world.store.revise_message(world.client, edited.id, edit, at(3)).await.unwrap();
        world.store.revise_message(world.client, deleted.id, Revision::Delete, at(3)).await.unwrap();
        for _ in 0..2 {
            assert_eq!(found(&world, world.provider, "early").await, Vec::<String>::new());
            assert_eq!(found(&world, world.provider, "plum").await, ["the late plum"]);
            index_all(&world).await;
        }
        world.store.revise_message(world.client, edited.id, Revision::Delete, at(4)).await.unwrap();
        assert_eq!(found(&world, world.provider, "plum").await, Vec::<String>::new());
    }
}

/// Neither by a conversation's id nor among their own.
pub async fn strangers_find_nothing(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let other = super::agree(&*world.store, world.stranger, world.provider).await.project.conversation_id;
    world.say(world.client, "secret", 1).await;
    let there = crate::NewMessage { conversation: other, ..world.message(world.provider, "no secret") };
    world.store.append_message(there, at(2)).await.unwrap();
    let search = |viewer, conversation: Option<ConversationId>| {
        let query = SearchQuery::new("secret").unwrap();
        world.store.search_messages(viewer, query, conversation, PageRequest::first(9))
    };
    for _ in 0..2 {
        assert_eq!(found(&world, world.stranger, "secret").await, ["no secret"]);
        assert_eq!(found(&world, world.client, "secret").await, ["secret"]);
        assert_eq!(found(&world, world.provider, "secret").await, ["no secret", "secret"]);
        let only = search(world.provider, Some(world.conversation())).await.unwrap();
        assert_eq!(only.items.iter().map(|found| found.message.seq).collect::<Vec<_>>(), [1]);
        let refused = search(world.stranger, Some(world.conversation())).await;
        assert_eq!(refused, Err(ConversationError::NotFound));
        index_all(&world).await;
    }
}

/// Each message as history shows it, with the readers that it has.
pub async fn what_is_found_comes_in_pages_newest_first(harness: &dyn Harness) {
    let world = World::new(harness).await;
    for n in 1..=7 {
        let sender = if n % 2 == 0 { world.provider } else { world.client };
        world.say(sender, &format!("word {n}"), n).await;
        world.say(sender, "nothing", n).await;
        if n == 4 {
            index_all(&world).await;
        }
    }
    world.store.mark_read(world.provider, world.conversation(), None, at(20)).await.unwrap();
    let mut page = PageRequest::first(3);
    let mut pages = Vec::new();
    let mut messages = Vec::new();
    loop {
        let query = SearchQuery::new("word").unwrap();
        let got = world.store.search_messages(world.client, query, None, page).await.unwrap();
        pages.push(got.items.iter().map(|found| found.snippet.text.clone()).collect::<Vec<_>>());
        messages.extend(got.items.into_iter().map(|found| found.message));
        let Some(cursor) = got.next_cursor else { break };
        page.cursor = Some(cursor.to_string().parse().unwrap());
    }
    assert_eq!(pages, [vec!["word 7", "word 6", "word 5"], vec!["word 4", "word 3", "word 2"], vec!["word 1"]]);
    let history = world
        .store
        .messages(world.client, world.conversation(), PageRequest::first(100))
        .await
        .unwrap()
        .read()
        .unwrap();
    for message in messages {
        assert_eq!(history.items[message.seq as usize - 1], message);
    }
}
