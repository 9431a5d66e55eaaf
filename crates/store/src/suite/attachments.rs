//! Uploads, and the files of messages.

use parley_domain::{Attachment, AttachmentId, MessageType, UserId};
use uuid::Uuid;

use super::{Harness, World, at};
use crate::{
    AttachmentError, Change, Committed, ConversationError, ConversationKey, NewAttachment, NewMessage, Novelty,
    PageRequest, Revision, Unsent, UnsentQuota,
};

const QUOTA: UnsentQuota = UnsentQuota { files: 3, bytes: 1_000 };

fn upload(uploader: UserId, name: &str, size: i64) -> NewAttachment {
    NewAttachment {
        id: AttachmentId(Uuid::now_v7()),
        uploader,
        name: name.to_owned(),
        size,
        media_type: "text/plain".to_owned(),
        sha256: [0xab; 32],
        quota: QUOTA,
    }
}

async fn uploaded(world: &World, uploader: UserId, name: &str) -> Attachment {
    world.store.create_attachment(upload(uploader, name, 10), at(1)).await.unwrap()
}

fn file(world: &World, sender: UserId, files: &[&Attachment]) -> NewMessage {
    let attachments = files.iter().map(|file| file.id).collect();
    NewMessage { kind: MessageType::File, attachments, ..world.message(sender, "see file") }
}

/// Before it is sent it is its uploader's alone; then it is seen by everybody in the conversation and nobody else.
pub async fn an_upload_is_seen_by_those_whom_it_was_sent_to(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let seen = async |id| {
        let people = [world.client, world.provider, world.stranger];
        let mut seen = Vec::new();
        for person in people {
            match store.attachment(person, id).await {
                Ok(found) => seen.push(found.id == id),
                Err(error) => {
                    assert_eq!(error, AttachmentError::NotFound);
                    seen.push(false);
                }
            }
        }
        seen
    };
    let upload = uploaded(&world, world.client, "plan.txt").await;
    assert_eq!((upload.sha256.as_str(), upload.url.as_str()), ("ab".repeat(32).as_str(), ""));
    assert_eq!(seen(upload.id).await, [true, false, false]);
    store.append_message(file(&world, world.client, &[&upload]), at(2)).await.unwrap();
    assert_eq!(seen(upload.id).await, [true, true, false]);
    assert_eq!(seen(AttachmentId(Uuid::nil())).await, [false, false, false]);
}

/// History, lists, the change log, the feed and the repeated answer show the same files in the same order.
pub async fn a_file_message_has_its_files_everywhere(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let files = [uploaded(&world, world.client, "b").await, uploaded(&world, world.client, "a").await];
    let mut feed = store.subscribe();
    let since = store.sync(world.provider, None, 9).await.unwrap().next_cursor;
    let new = NewMessage { client_id: Some("c1".into()), ..file(&world, world.client, &[&files[0], &files[1]]) };
    let message = parley_domain::Message::clone(&store.append_message(new.clone(), at(2)).await.unwrap().message);
    assert_eq!((message.kind, message.attachments.as_slice()), (MessageType::File, files.as_slice()));
    world.say(world.provider, "thanks", 3).await;

    let told = super::drain(&mut feed);
    assert!(matches!(&*told[0], Committed::Message { message: told, .. } if ***told == message));
    let page =
        store.messages(world.provider, world.conversation(), PageRequest::first(9)).await.unwrap().read().unwrap();
    assert_eq!(page.items[0], message);
    assert!(page.items[1].attachments.is_empty());
    let changes = store.sync(world.provider, Some(since), 9).await.unwrap().changes;
    assert_eq!(changes[0], Change::Message(message.clone()));
    let again = store.append_message(new, at(4)).await.unwrap();
    assert_eq!((again.novelty, parley_domain::Message::clone(&again.message)), (Novelty::Same, message.clone()));

    let caption = Revision::Edit("the plan".to_owned());
    let edited = store.revise_message(world.client, message.id, caption, at(5)).await.unwrap();
    assert_eq!((edited.message.attachments, edited.removed), (files.to_vec(), vec![]), "a caption changes");
    let other = uploaded(&world, world.provider, "c").await;
    let last = parley_domain::Message::clone(
        &store.append_message(file(&world, world.provider, &[&other]), at(6)).await.unwrap().message,
    );
    let list = store.conversations(world.client, PageRequest::first(9)).await.unwrap().items;
    assert_eq!(list[0].last_message, Some(last));
}

/// Somebody else's, one that was sent, one that never was: the message is not written, and no number is lost.
pub async fn only_ones_own_unsent_uploads_are_sent(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let (mine, theirs) =
        (uploaded(&world, world.client, "mine").await, uploaded(&world, world.provider, "theirs").await);
    let refused = store.append_message(file(&world, world.client, &[&mine, &theirs]), at(2)).await;
    assert_eq!(refused, Err(ConversationError::UnknownAttachment(1)));
    let refused = store.append_message(file(&world, world.client, &[&mine, &mine]), at(2)).await;
    assert_eq!(refused, Err(ConversationError::UnknownAttachment(1)), "not twice in one message");
    let sent = parley_domain::Message::clone(
        &store.append_message(file(&world, world.client, &[&mine]), at(3)).await.unwrap().message,
    );
    assert_eq!(sent.seq, 1);
    let again = store.append_message(file(&world, world.client, &[&mine]), at(4)).await;
    assert_eq!(again, Err(ConversationError::UnknownAttachment(0)));
    let unknown = NewMessage { attachments: vec![AttachmentId(Uuid::nil())], ..file(&world, world.client, &[]) };
    assert_eq!(store.append_message(unknown, at(5)).await, Err(ConversationError::UnknownAttachment(0)));
    assert_eq!(world.say(world.client, "next", 6).await.seq, 2);
}

/// Nobody sees them any more, and it is told which they were.
pub async fn the_files_of_a_deleted_message_are_gone(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let upload = uploaded(&world, world.client, "oops").await;
    let message = parley_domain::Message::clone(
        &store.append_message(file(&world, world.client, &[&upload]), at(2)).await.unwrap().message,
    );
    let deleted = store.revise_message(world.client, message.id, Revision::Delete, at(3)).await.unwrap();
    assert_eq!((deleted.message.attachments, deleted.removed), (vec![], vec![upload.id]));
    assert_eq!(store.attachment(world.client, upload.id).await, Err(AttachmentError::NotFound));
    let key = ConversationKey::Id(world.conversation());
    let last = store.conversation(world.provider, key).await.unwrap().last_message.unwrap();
    assert!(last.attachments.is_empty() && last.deleted_at.is_some());
    assert!(store.known_attachments(vec![upload.id]).await.unwrap().is_empty());
}

/// By number and by bytes, each person alone; what was sent counts no more, what is old is forgotten.
pub async fn what_waits_to_be_sent_is_bounded_and_forgotten(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let add = |uploader, size, seconds| store.create_attachment(upload(uploader, "x", size), at(seconds));
    assert_eq!(add(world.client, 1_001, 1).await, Err(AttachmentError::QuotaExceeded));
    let first = add(world.client, 600, 1).await.unwrap();
    assert_eq!(add(world.client, 500, 1).await, Err(AttachmentError::QuotaExceeded));
    let second = add(world.client, 100, 2).await.unwrap();
    add(world.client, 100, 3).await.unwrap();
    assert_eq!(add(world.client, 1, 4).await, Err(AttachmentError::QuotaExceeded));
    assert_eq!(store.unsent_attachments(world.client).await.unwrap(), Unsent { files: 3, bytes: 800 });
    add(world.provider, 1_000, 4).await.unwrap();

    store.append_message(file(&world, world.client, &[&first]), at(5)).await.unwrap();
    assert_eq!(store.unsent_attachments(world.client).await.unwrap(), Unsent { files: 2, bytes: 200 });
    assert_eq!(store.forget_unsent_attachments(at(3), 9).await.unwrap(), [second.id]);
    assert!(store.forget_unsent_attachments(at(3), 9).await.unwrap().is_empty());
    assert_eq!(store.known_attachments(vec![second.id, first.id]).await.unwrap(), [first.id]);
    assert_eq!(store.forget_unsent_attachments(at(9), 1).await.unwrap().len(), 1, "no more than asked for");
}
