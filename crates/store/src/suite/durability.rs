//! What stays, and what a closed store says.

use std::sync::Arc;

use parley_domain::MeetingTimes;

use super::{Harness, World, at, drain};
use crate::{ConversationError, ConversationKey, NewMessage, Novelty, PageRequest, StoreError};

/// Rows, numbers, due times, cursors and client ids.
pub async fn what_was_answered_survives_reopening(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let named = NewMessage { client_id: Some("c1".into()), ..world.message(world.client, "Hello") };
    let message =
        parley_domain::Message::clone(&world.store.append_message(named.clone(), at(10)).await.unwrap().message);
    let ringing = world.make(world.instant(world.provider), 11).await.view;
    let since = world.store.sync(world.client, None, 1).await.unwrap().next_cursor;
    world.store.close().await.unwrap();

    let store = harness.open().await;
    assert_eq!(store.project(world.client, world.project.id).await.unwrap(), world.project);
    let page =
        store.messages(world.provider, world.conversation(), PageRequest::first(9)).await.unwrap().read().unwrap();
    assert_eq!(page.items, [message]);
    assert_eq!(store.append_message(named, at(12)).await.unwrap().novelty, Novelty::Same);
    assert_eq!(store.append_message(world.message(world.client, "2"), at(13)).await.unwrap().message.seq, 2);
    assert_eq!(store.live_meetings().await.unwrap(), std::slice::from_ref(&ringing));
    assert_eq!(ringing.ring_due_at, Some(at(11) + MeetingTimes::default().ring));
    assert_eq!(store.sync(world.client, Some(since), 9).await.unwrap().changes.len(), 1);
    store.close().await.unwrap();
}

/// To every caller, also to those who race with the closing; and closing twice is fine.
pub async fn a_closed_store_says_so(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let writers: Vec<_> = (0..50)
        .map(|n| {
            let (store, message) = (Arc::clone(&world.store), world.message(world.client, &n.to_string()));
            tokio::spawn(async move { store.append_message(message, at(5)).await })
        })
        .collect();
    world.store.close().await.unwrap();
    world.store.close().await.unwrap();
    let mut kept = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(_) => kept += 1,
            Err(error) => assert_eq!(error, ConversationError::Store(StoreError::Closed)),
        }
    }
    let late = world.store.conversation(world.client, ConversationKey::Project(world.project.id)).await;
    assert_eq!(late, Err(StoreError::Closed.into()));
    let store = harness.open().await;
    let page =
        store.messages(world.client, world.conversation(), PageRequest::first(100)).await.unwrap().read().unwrap();
    assert_eq!(page.items.len(), kept);
    store.close().await.unwrap();
}

/// Once taken up it is committed, and the feed tells of it.
pub async fn a_caller_that_goes_away_leaves_its_write(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let mut feed = world.store.subscribe();
    let write = world.store.append_message(world.message(world.client, "gone"), at(5));
    // Polled once, so that it is queued, and dropped before its answer can be taken.
    let queued = futures_poll_once(write).await;
    let after = world.say(world.provider, "after", 6).await;
    let numbers = drain(&mut feed).len();
    assert_eq!((numbers, after.seq), (2, 2), "queued: {queued}");
}

async fn futures_poll_once<F: Future>(future: F) -> bool {
    let mut future = Box::pin(future);
    std::future::poll_fn(|context| {
        let _ = future.as_mut().poll(context);
        std::task::Poll::Ready(true)
    })
    .await
}
