//! The rules by which rows replace each other, whichever way and in whichever order they come.

use parley_domain::{
    Conversation, ConversationId, EngineKind, Meeting, MeetingStatus, MeetingType, Message, MessageType, Participant,
    ProjectStatus, Role, Timestamp, UserId,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    Cache, Db, OutboxEntry,
    messages::Version,
    open::{self, Account},
    projects::Lists,
};
use crate::ClientEvent;

const ME: UserId = UserId(Uuid::from_u128(1));
const OTHER: UserId = UserId(Uuid::from_u128(2));
const ROOM: ConversationId = ConversationId(Uuid::from_u128(3));

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn participant(user_id: UserId, role: Role) -> Participant {
    Participant { user_id, name: "N".to_owned(), role, last_read_seq: 0, time_zone: None }
}

fn message(seq: i64, sender: UserId) -> Message {
    Message {
        id: Uuid::from_u128(1000 + u128::try_from(seq).unwrap()).into(),
        seq,
        conversation_id: ROOM,
        sender_id: sender,
        kind: MessageType::Text,
        content: format!("message {seq}"),
        attachments: Vec::new(),
        reply_to_id: None,
        client_id: None,
        created_at: at(seq),
        edited_at: None,
        deleted_at: None,
        read_by: Vec::new(),
    }
}

/// A copy with one conversation; the directory keeps it.
fn copy() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let account = Account { server: "https://a.example".to_owned(), user_id: ME };
    let (mut db, _) = open::open(dir.path(), &account).unwrap();
    let conversation = Conversation {
        id: ROOM,
        project_id: Uuid::from_u128(4).into(),
        project_title: "T".to_owned(),
        project_status: ProjectStatus::Active,
        participants: vec![participant(ME, Role::Client), participant(OTHER, Role::Provider)],
        last_message: None,
        unread_count: 0,
        updated_at: at(0),
    };
    db.load(&Lists { conversations: vec![conversation], ..Lists::default() }, "c0").unwrap();
    (dir, db)
}

fn here(db: &Db) -> Vec<Message> {
    db.messages_between(ROOM, 1, i64::MAX).unwrap()
}

#[test]
fn late_copy_of_a_message_changes_nothing_and_is_not_told() {
    let (_dir, mut db) = copy();
    let first = message(1, OTHER);
    assert_eq!(db.put_message(&first, Version::First).unwrap().len(), 1);
    assert!(db.put_message(&first, Version::First).unwrap().is_empty());
    assert!(db.put_message(&first, Version::Later).unwrap().is_empty());
    let edited = Message { content: "edited".to_owned(), edited_at: Some(at(9)), ..first.clone() };
    assert_eq!(db.put_message(&edited, Version::Later).unwrap().len(), 1);
    for old in [Version::First, Version::Later] {
        assert!(db.put_message(&first, old).unwrap().is_empty(), "{old:?}");
    }
    let deleted = Message { content: String::new(), deleted_at: Some(at(10)), ..edited.clone() };
    db.put_message(&deleted, Version::Later).unwrap();
    assert!(db.put_message(&edited, Version::Later).unwrap().is_empty(), "what is deleted stays so");
    assert_eq!(here(&db), [deleted]);
}

#[test]
fn arrival_takes_the_place_in_the_outbox_whichever_way_it_comes() {
    let (_dir, mut db) = copy();
    let entry = db.write_to_outbox(OutboxEntry::new(ROOM, "hi".to_owned(), at(1))).unwrap();
    let arrived = Message { client_id: Some(entry.client_id.clone()), ..message(1, ME) };
    let events = db.put_message(&arrived, Version::First).unwrap();
    assert!(matches!(
        &events[..],
        [ClientEvent::Message(_), ClientEvent::OutboxGone { sent: true, client_id, .. }] if *client_id == entry.client_id
    ));
    assert_eq!(db.outbox_waiting().unwrap(), 0);
    assert!(db.put_message(&arrived, Version::Later).unwrap().is_empty());
}

#[test]
fn failed_message_keeps_its_place_when_it_is_tried_again() {
    let (_dir, mut db) = copy();
    let entries: Vec<_> =
        ["a", "b"].map(|text| db.write_to_outbox(OutboxEntry::new(ROOM, text.to_owned(), at(1))).unwrap()).into();
    let error = parley_protocol::app::AppError::new(parley_protocol::Code::ProjectNotActive, "closed");
    db.fail_in_outbox(&entries[0].client_id, &error).unwrap();
    assert_eq!(db.outbox_head(ROOM).unwrap().unwrap().content, "b");
    assert!(!db.discard_from_outbox(&entries[1].client_id).unwrap(), "one that waits may be on its way");
    db.retry_in_outbox(&entries[0].client_id).unwrap();
    assert_eq!(db.outbox_head(ROOM).unwrap().unwrap().content, "a");
}

#[test]
fn own_read_mark_is_kept_until_the_server_knows_and_a_later_one_replaces_it() {
    let (_dir, mut db) = copy();
    assert!(db.mark_read(ROOM, 3, at(1)).unwrap().is_none(), "nothing is here to be read");
    for seq in 1..=3 {
        db.put_message(&message(seq, OTHER), Version::First).unwrap();
    }
    assert!(db.mark_read(ROOM, 2, at(1)).unwrap().is_some());
    assert!(db.mark_read(ROOM, 1, at(2)).unwrap().is_none(), "a mark never goes back");
    assert!(db.mark_read(ROOM, 99, at(3)).unwrap().is_some());
    assert_eq!(db.read_to_send(ROOM).unwrap().unwrap().seq, 3);
    db.forget_read_to_send(ROOM, 2).unwrap();
    assert_eq!(db.read_to_send(ROOM).unwrap().unwrap().seq, 3, "an answer to the earlier one comes late");
    let conversation = db.conversation(ROOM).unwrap().unwrap();
    let stale = Conversation { participants: vec![participant(ME, Role::Client)], ..conversation };
    db.load(&Lists { conversations: vec![stale], ..Lists::default() }, "c1").unwrap();
    assert_eq!(db.conversation(ROOM).unwrap().unwrap().participants[0].last_read_seq, 3, "read here stays read");
    db.forget_read_to_send(ROOM, 3).unwrap();
    assert_eq!(db.read_to_send(ROOM).unwrap(), None);
}

#[test]
fn meeting_that_is_over_stays_over() {
    let (_dir, mut db) = copy();
    let row = |status, updated| Meeting {
        id: Uuid::from_u128(7).into(),
        project_id: Uuid::from_u128(4).into(),
        host_id: ME,
        guest_id: OTHER,
        channel_name: "x".to_owned(),
        kind: MeetingType::Instant,
        status,
        engine: EngineKind::Direct,
        scheduled_at: None,
        accepted_at: None,
        started_at: None,
        ended_at: None,
        duration: None,
        end_reason: None,
        created_at: at(1),
        updated_at: at(updated),
    };
    assert!(db.put_meeting(&row(MeetingStatus::Active, 2)).unwrap().is_some());
    assert!(db.put_meeting(&row(MeetingStatus::Pending, 1)).unwrap().is_none(), "older");
    assert!(db.put_meeting(&row(MeetingStatus::Completed, 3)).unwrap().is_some());
    assert!(db.put_meeting(&row(MeetingStatus::Active, 9)).unwrap().is_none(), "an end is an end");
}

#[tokio::test]
async fn jobs_run_in_the_order_of_their_calls() {
    let dir = tempfile::tempdir().unwrap();
    let account = Account { server: "https://a.example".to_owned(), user_id: ME };
    let (cache, _) = Cache::open(dir.path().to_owned(), account).await.unwrap();
    let jobs = (0..50)
        .map(|number| cache.run(move |db| db.write_to_outbox(OutboxEntry::new(ROOM, number.to_string(), at(number)))));
    futures_util::future::try_join_all(jobs).await.unwrap();
    let written = cache.run(|db| db.outbox_of(ROOM)).await.unwrap();
    let expected: Vec<_> = (0..50).map(|number: i64| number.to_string()).collect();
    assert_eq!(written.into_iter().map(|entry| entry.content).collect::<Vec<_>>(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// However events and `/sync` interleave and repeat, the copy ends the same, and unread counts what is unread.
    #[test]
    fn any_order_of_arrival_gives_the_same_copy(
        arrivals in proptest::collection::vec((1_i64..12, any::<bool>()), 1..60),
        mark in 0_i64..12,
    ) {
        let (_dir, mut db) = copy();
        for (seq, by_event) in &arrivals {
            let sender = if seq % 3 == 0 { ME } else { OTHER };
            let version = if *by_event { Version::First } else { Version::Later };
            db.put_message(&message(*seq, sender), version).unwrap();
        }
        db.put_read(ROOM, ME, mark, at(50)).unwrap();
        let mut expected: Vec<i64> = arrivals.iter().map(|(seq, _)| *seq).collect();
        expected.sort_unstable();
        expected.dedup();
        prop_assert_eq!(here(&db).iter().map(|message| message.seq).collect::<Vec<_>>(), expected.clone());
        let conversation = db.conversation(ROOM).unwrap().unwrap();
        prop_assert_eq!(conversation.last_message.map(|last| last.seq), expected.last().copied());
        let unread = expected.iter().filter(|seq| **seq > mark && **seq % 3 != 0).count();
        prop_assert_eq!(db.unread_in(ROOM).unwrap(), u32::try_from(unread).unwrap());
    }
}
