//! The change log and the feed.

use std::{sync::Arc, time::Duration};

use parley_domain::MeetingStep;

use super::{DAY, Harness, World, at, drain, propose};
use crate::{Change, Committed, Retention, Revision, SyncCursor, SyncError};

fn kind(change: &Change) -> &'static str {
    match change {
        Change::Message(_) => "message",
        Change::Read(_) => "read",
        Change::Meeting(_) => "meeting",
        Change::Project(_) => "project",
        Change::Proposal(_) => "proposal",
        Change::Reminder(_) => "reminder",
    }
}

/// Both people get the same; a stranger gets nothing.
pub async fn changes_come_in_commit_order_to_those_concerned(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let start = store.sync(world.client, None, 10).await.unwrap();
    assert!(start.changes.is_empty() && !start.more);
    let since = start.next_cursor;

    let message = world.say(world.client, "Hello", 10).await;
    let read = store.mark_read(world.provider, world.conversation(), None, at(11)).await.unwrap();
    let meeting = world.make(world.instant(world.provider), 12).await.view.meeting.id;
    world.step(meeting, world.client, MeetingStep::Decline, 13).await.unwrap();
    propose(store, world.client, world.provider).await;
    store.close_project(world.client, world.project.id, crate::ProjectClosing::Complete, at(14)).await.unwrap();

    for viewer in [world.client, world.provider] {
        let page = store.sync(viewer, Some(since), 100).await.unwrap();
        let kinds: Vec<_> = page.changes.iter().map(kind).collect();
        assert_eq!(kinds, ["message", "read", "meeting", "meeting", "proposal", "project"]);
        let Change::Message(seen) = &page.changes[0] else { panic!("{:?}", page.changes) };
        assert_eq!((seen.id, seen.read_by.len()), (message.id, 1), "as it is now");
        assert_eq!(page.changes[1], Change::Read(read.state.clone()));
        let rest = store.sync(viewer, Some(page.next_cursor), 100).await.unwrap();
        assert!(rest.changes.is_empty());
    }
    let page = store.sync(world.stranger, Some(since), 100).await.unwrap();
    assert!(page.changes.is_empty());
}

/// In its place each time, and everybody's read marks apart.
pub async fn what_changed_several_times_comes_each_time_as_it_is_now(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let since = store.sync(world.client, None, 10).await.unwrap().next_cursor;
    let first = world.say(world.client, "frist", 10).await;
    store.mark_read(world.provider, world.conversation(), None, at(11)).await.unwrap();
    let second = world.say(world.provider, "second", 12).await;
    store.mark_read(world.client, world.conversation(), None, at(13)).await.unwrap();
    let edit = Revision::Edit("first".to_owned());
    store.revise_message(world.client, first.id, edit, at(14)).await.unwrap();
    store.mark_read(world.provider, world.conversation(), None, at(15)).await.unwrap();

    let found = store.sync(world.client, Some(since), 100).await.unwrap().changes;
    let message = |at: usize| match &found[at] {
        Change::Message(message) => (message.id, message.content.as_str(), message.read_by.len()),
        other => panic!("{other:?}"),
    };
    let mark = |at: usize| match &found[at] {
        Change::Read(state) => (state.user_id, state.last_read_seq),
        other => panic!("{other:?}"),
    };
    assert_eq!((found.len(), message(0), message(4)), (6, (first.id, "first", 1), (first.id, "first", 1)));
    assert_eq!(message(2), (second.id, "second", 1));
    assert_eq!([mark(1), mark(3), mark(5)], [(world.provider, 2), (world.client, 2), (world.provider, 2)]);
}

/// Nothing is left out and nothing comes twice, however small the pages.
pub async fn the_log_is_read_in_pages(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let mut since = world.store.sync(world.provider, None, 10).await.unwrap().next_cursor;
    for n in 1..=7 {
        world.say(world.client, &n.to_string(), n).await;
    }
    let mut numbers = Vec::new();
    loop {
        let page = world.store.sync(world.provider, Some(since), 3).await.unwrap();
        assert!(page.changes.len() <= 3);
        numbers.extend(page.changes.iter().map(|change| match change {
            Change::Message(message) => message.seq,
            other => panic!("{other:?}"),
        }));
        since = page.next_cursor.to_string().parse().unwrap();
        if !page.more {
            break;
        }
    }
    assert_eq!(numbers, (1..=7).collect::<Vec<_>>());
}

/// One that has seen everything stays good, however old.
pub async fn an_old_cursor_is_refused_after_a_sweep(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let early = store.sync(world.client, None, 10).await.unwrap().next_cursor;
    world.say(world.provider, "day 0", 10).await;
    let day = DAY.as_secs() as i64;
    let middle = store.sync(world.client, None, 10).await.unwrap().next_cursor;
    world.say(world.provider, "day 40", 40 * day).await;
    let retention = Retention { changes: 30 * DAY, idempotency_keys: DAY };

    store.sweep(retention, at(40 * day + 1)).await.unwrap();
    assert_eq!(store.sync(world.client, Some(early), 10).await, Err(SyncError::TooOld));
    let page = store.sync(world.client, Some(middle), 10).await.unwrap();
    assert_eq!(page.changes.len(), 1);

    store.sweep(retention, at(400 * day)).await.unwrap();
    assert_eq!(store.sync(world.client, Some(middle), 10).await, Err(SyncError::TooOld));
    assert!(store.sync(world.client, Some(page.next_cursor), 10).await.unwrap().changes.is_empty());
    world.say(world.provider, "day 400", 400 * day + 1).await;
    assert_eq!(store.sync(world.client, Some(page.next_cursor), 10).await.unwrap().changes.len(), 1);
}

/// Neither from another database nor from the future of a restored one.
pub async fn a_cursor_of_another_log_is_refused(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let now = world.store.sync(world.client, None, 10).await.unwrap().next_cursor;
    for cursor in [SyncCursor { log: now.log ^ 1, ..now }, SyncCursor { seen: now.seen + 1, ..now }] {
        assert_eq!(world.store.sync(world.client, Some(cursor), 10).await, Err(SyncError::TooOld));
    }
}

/// As the numbers have it, however the callers race.
pub async fn the_feed_has_the_order_of_commits(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let mut feed = world.store.subscribe();
    let writers: Vec<_> = (0..100)
        .map(|n| {
            let sender = [world.client, world.stranger][n % 2];
            let (store, message) = (Arc::clone(&world.store), world.message(sender, &n.to_string()));
            tokio::spawn(async move { store.append_message(message, at(5)).await.is_ok() })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let numbers: Vec<_> = drain(&mut feed)
        .iter()
        .map(|committed| match &**committed {
            Committed::Message { message, .. } => message.seq,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>(), "and what was refused is not in it");
    assert!(tokio::time::timeout(Duration::ZERO, feed.recv()).await.is_err());
}
