//! Meetings and what is due for them.

use std::{collections::HashSet, sync::Arc, time::Duration};

use parley_domain::{
    EndReason, GuestProblem, MeetingClosing, MeetingId, MeetingLogEntry, MeetingLogEvent, MeetingNews, MeetingRefusal,
    MeetingStatus, MeetingStep, MeetingTimes, MeetingType, UserId,
};

use super::{Harness, World, at};
use crate::{
    Claim, Created, Idempotency, KeyReused, Mailing, MeetingEnding, MeetingError, MeetingFilter, MeetingMove,
    PageRequest, SyncPage,
};

fn claim(seconds: i64) -> Claim {
    Claim { now: at(seconds), lease: Duration::from_secs(60), limit: 10 }
}

/// Two people who call each other: one call, and the other side learns which.
pub async fn two_instant_calls_at_once_end_in_one(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let racers: Vec<_> = (0..10)
        .map(|n| {
            let host = if n % 2 == 0 { world.client } else { world.provider };
            let (store, meeting) = (Arc::clone(&world.store), world.instant(host));
            tokio::spawn(async move { store.create_meeting(meeting, at(10)).await })
        })
        .collect();
    let (mut made, mut named) = (Vec::new(), HashSet::new());
    for racer in racers {
        match racer.await.unwrap() {
            Ok(Created::New(change)) => made.push(change.view.meeting.id),
            Err(MeetingError::Refused(MeetingRefusal::InProgress(meeting))) => {
                named.insert(meeting);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(made.len(), 1);
    assert_eq!(named.into_iter().collect::<Vec<_>>(), made);
}

/// The guest says yes, the host takes it back, the ring runs out: one of them it is.
pub async fn of_racing_steps_one_wins(harness: &dyn Harness) {
    let world = World::new(harness).await;
    for round in 0..10 {
        let meeting = world.make(world.instant(world.client), round).await.view.meeting.id;
        let step = |caller, step| MeetingMove { meeting, caller, step, times: MeetingTimes::default() };
        let store = &*world.store;
        let ending = MeetingEnding { meeting, closing: MeetingClosing::RingTimedOut };
        let (accepted, cancelled, missed) = tokio::join!(
            store.move_meeting(step(world.provider, MeetingStep::Accept), at(round)),
            store.move_meeting(step(world.client, MeetingStep::Cancel), at(round)),
            store.end_meeting(ending, at(round)),
        );
        let won = [accepted.is_ok(), cancelled.is_ok(), missed.unwrap().is_some()];
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
        if accepted.is_ok() {
            world.step(meeting, world.client, MeetingStep::End, round).await.unwrap();
        }
        let status = store.meeting(world.client, meeting).await.unwrap().meeting.status;
        assert!(matches!(status, MeetingStatus::Completed | MeetingStatus::Cancelled));
    }
}

/// Four distinct numbers; a meeting keeps them through all its steps.
pub async fn uids_and_channel_stay_the_same(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let made = world.make(world.instant(world.client), 10).await;
    assert_eq!(made.news, Some(MeetingNews::Ringing));
    assert_eq!((made.view.host_name.as_str(), made.view.guest_name.as_str()), ("cleo", "pat"));
    let uids = made.view.uids;
    let distinct: HashSet<_> = [uids.host, uids.guest, uids.host_screen, uids.guest_screen].into();
    assert_eq!(distinct.len(), 4);
    let answered = world.step(made.view.meeting.id, world.provider, MeetingStep::Accept, 12).await.unwrap();
    assert_eq!(answered.news, Some(MeetingNews::Started { invites: false }));
    let read = world.store.meeting(world.provider, made.view.meeting.id).await.unwrap();
    assert_eq!(read, answered.view);
    assert_eq!((read.uids, &read.meeting.channel_name), (uids, &made.view.meeting.channel_name));
    let again = world.step(made.view.meeting.id, world.provider, MeetingStep::Accept, 13).await.unwrap();
    assert_eq!((again.news, again.view), (None, read));
}

/// For an instant one and for every move to ACTIVE; scheduling is free.
pub async fn a_call_in_progress_is_named(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let waiting = world.make(world.scheduled(world.provider, 300), 1).await.view.meeting.id;
    let ringing = world.make(world.instant(world.client), 10).await.view.meeting.id;
    let busy = MeetingError::Refused(MeetingRefusal::InProgress(ringing));
    assert_eq!(world.store.create_meeting(world.instant(world.provider), at(11)).await.unwrap_err(), busy);
    assert_eq!(world.step(waiting, world.provider, MeetingStep::Start, 12).await.unwrap_err(), busy);
    world.make(world.scheduled(world.client, 900), 12).await;
    world.step(waiting, world.client, MeetingStep::Accept, 12).await.unwrap();
    world.step(ringing, world.provider, MeetingStep::Decline, 13).await.unwrap();
    let started = world.step(waiting, world.provider, MeetingStep::Start, 14).await.unwrap();
    assert_eq!(started.news, Some(MeetingNews::Started { invites: false }));
    let live = world.store.live_meetings_of(world.client).await.unwrap();
    assert_eq!(live.iter().map(|view| view.meeting.id).collect::<Vec<_>>(), [waiting]);
    assert!(world.store.live_meetings_of(world.stranger).await.unwrap().is_empty());
}

/// They are rows: a restart finds them.
pub async fn due_times_follow_the_state(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let ringing = world.make(world.instant(world.client), 10).await.view;
    assert_eq!(ringing.ring_due_at, Some(at(55)));
    let live = world.store.live_meetings().await.unwrap();
    assert_eq!(live, std::slice::from_ref(&ringing));
    let answered = world.step(ringing.meeting.id, world.provider, MeetingStep::Accept, 20).await.unwrap().view;
    assert_eq!(answered.ring_due_at, None);
    world.step(ringing.meeting.id, world.provider, MeetingStep::End, 30).await.unwrap();
    assert!(world.store.live_meetings().await.unwrap().is_empty());

    assert_eq!(world.store.next_due_at().await.unwrap(), None);
    let scheduled = world.make(world.scheduled(world.client, 10_000), 30).await.view.meeting.id;
    assert_eq!(world.store.next_due_at().await.unwrap(), Some(at(10_000 - 900)));
    world.step(scheduled, world.provider, MeetingStep::Decline, 31).await.unwrap();
    assert_eq!(world.store.next_due_at().await.unwrap(), None);
}

/// Of two nodes one gets it; if it dies, the other gets it later.
pub async fn an_expiry_is_claimed_by_one_and_comes_back_after_its_lease(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let meeting = world.make(world.scheduled(world.client, 100), 1).await.view.meeting.id;
    assert!(store.claim_expired_meetings(claim(3_699)).await.unwrap().is_empty());
    let (one, two) =
        tokio::join!(store.claim_expired_meetings(claim(3_700)), store.claim_expired_meetings(claim(3_700)));
    let claimed: Vec<_> = [one.unwrap(), two.unwrap()].concat();
    assert_eq!(claimed, [meeting]);
    assert!(store.claim_expired_meetings(claim(3_759)).await.unwrap().is_empty());
    assert_eq!(store.claim_expired_meetings(claim(3_760)).await.unwrap(), [meeting]);

    let ending = MeetingEnding { meeting, closing: MeetingClosing::Expired };
    let ended = store.end_meeting(ending, at(3_761)).await.unwrap().unwrap();
    let reason = ended.view.meeting.end_reason;
    assert_eq!((ended.view.meeting.status, reason), (MeetingStatus::Cancelled, Some(EndReason::Expired)));
    assert!(store.end_meeting(ending, at(3_762)).await.unwrap().is_none());
    assert!(store.claim_expired_meetings(claim(99_999)).await.unwrap().is_empty());
}

/// Stored before they are sent, sent at least once, in the log once.
pub async fn reminders_are_logged_once_and_given_until_they_are_sent(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let meeting = world.make(world.scheduled(world.client, 1_000), 1).await.view.meeting;
    let since = store.sync(world.provider, None, 10).await.unwrap().next_cursor;
    assert!(store.claim_reminders(claim(99)).await.unwrap().is_empty());
    let first = store.claim_reminders(claim(100)).await.unwrap();
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].to, [world.client, world.provider]);
    assert_eq!((first[0].reminder.starts_in_seconds, first[0].reminder.meeting_id), (900, meeting.id));

    assert!(store.claim_reminders(claim(120)).await.unwrap().is_empty(), "someone is sending it");
    let again = store.claim_reminders(claim(160)).await.unwrap();
    assert_eq!(again[0].reminder.reminder_id, first[0].reminder.reminder_id);
    store.finish_reminder(first[0].reminder.reminder_id).await.unwrap();
    assert!(store.claim_reminders(claim(300)).await.unwrap().is_empty());
    let SyncPage { changes, .. } = store.sync(world.provider, Some(since), 10).await.unwrap();
    assert_eq!(changes, [crate::Change::Reminder(first[0].reminder.clone())]);
    assert_eq!(store.claim_reminders(claim(940)).await.unwrap()[0].reminder.starts_in_seconds, 60);
    assert!(store.claim_reminders(claim(5_000)).await.unwrap().len() == 1, "not sent yet");
}

/// And asks the guest again.
pub async fn a_new_time_drops_old_reminders(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let meeting = world.make(world.scheduled(world.client, 1_000), 1).await.view.meeting.id;
    world.step(meeting, world.provider, MeetingStep::Accept, 2).await.unwrap();
    let moved = world.step(meeting, world.client, MeetingStep::Reschedule(at(5_000)), 3).await.unwrap();
    assert_eq!(moved.view.meeting.accepted_at, None);
    assert_eq!(moved.news, Some(MeetingNews::Scheduled));
    assert!(world.store.claim_reminders(claim(1_000)).await.unwrap().is_empty());
    assert_eq!(world.store.claim_reminders(claim(4_940)).await.unwrap().len(), 2);
    world.step(meeting, world.client, MeetingStep::Cancel, 4_950).await.unwrap();
    assert!(world.store.claim_reminders(claim(9_999)).await.unwrap().is_empty());
}

/// A ring that was answered, a call that has ended, a meeting that never was.
pub async fn late_timers_change_nothing(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let meeting = world.make(world.instant(world.client), 1).await.view.meeting.id;
    world.step(meeting, world.provider, MeetingStep::Accept, 2).await.unwrap();
    let ending = |meeting, closing| MeetingEnding { meeting, closing };
    let store = &*world.store;
    assert!(store.end_meeting(ending(meeting, MeetingClosing::RingTimedOut), at(46)).await.unwrap().is_none());
    let left = MeetingClosing::Abandoned { last_left: at(62) };
    let ended = store.end_meeting(ending(meeting, left), at(182)).await.unwrap().unwrap().view.meeting;
    assert_eq!((ended.ended_at, ended.duration), (Some(at(62)), Some(60)));
    assert!(store.end_meeting(ending(meeting, left), at(183)).await.unwrap().is_none());
    let nothing = MeetingId(uuid::Uuid::nil());
    assert!(store.end_meeting(ending(nothing, left), at(183)).await.unwrap().is_none());
}

/// Not even that they exist; and nobody can be called who is not in the project.
pub async fn strangers_learn_nothing_of_meetings(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let meeting = world.make(world.instant(world.client), 1).await.view.meeting.id;
    let page = PageRequest::first(9);
    assert_eq!(store.meeting(world.stranger, meeting).await, Err(MeetingError::NotFound));
    assert_eq!(store.meeting_log(world.stranger, meeting, page).await, Err(MeetingError::NotFound));
    let listed = store.meetings_of_project(world.stranger, world.project.id, page).await;
    assert_eq!(listed, Err(MeetingError::NotFound));
    let end = world.step(meeting, world.stranger, MeetingStep::End, 2).await;
    assert_eq!(end.unwrap_err(), MeetingError::NotFound);
    let calling = store.create_meeting(world.instant(world.stranger), at(2)).await;
    assert_eq!(calling.unwrap_err(), MeetingError::NotFound);
    let mut meeting = world.scheduled(world.client, 500);
    meeting.guest = Some(world.stranger);
    let refused = store.create_meeting(meeting, at(2)).await.unwrap_err();
    assert_eq!(refused, MeetingRefusal::Guest(GuestProblem::NotAParticipant).into());
}

/// The first answer again, whatever became of the meeting since.
pub async fn the_same_key_makes_one_meeting(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let keyed = |body| {
        let idempotency = Some(Idempotency { key: "k".into(), fingerprint: [body; 32] });
        crate::NewMeeting { idempotency, ..world.instant(world.client) }
    };
    let Ok(Created::New(first)) = world.store.create_meeting(keyed(1), at(1)).await else { panic!("made") };
    world.step(first.view.meeting.id, world.provider, MeetingStep::Accept, 2).await.unwrap();
    let Ok(Created::Same(again)) = world.store.create_meeting(keyed(1), at(3)).await else { panic!("the same") };
    assert_eq!((again.view.meeting, again.news), (first.view.meeting, None));
    assert_eq!(world.store.create_meeting(keyed(2), at(3)).await.unwrap_err(), KeyReused.into());
}

/// Newest first.
pub async fn lists_are_filtered_and_paged(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let mut made = Vec::new();
    for seconds in [5_000, 6_000, 7_000] {
        made.push(world.make(world.scheduled(world.client, seconds), 1).await.view.meeting.id);
    }
    world.step(made[1], world.client, MeetingStep::Cancel, 2).await.unwrap();
    let ids = async |filter, limit| {
        let page = world.store.meetings(world.provider, filter, PageRequest::first(limit)).await.unwrap();
        (page.items.iter().map(|m| m.id).collect::<Vec<_>>(), page.next_cursor.is_some())
    };
    let all = MeetingFilter::default();
    assert_eq!(ids(all, 9).await, (vec![made[2], made[1], made[0]], false));
    assert_eq!(ids(all, 2).await, (vec![made[2], made[1]], true));
    assert_eq!(ids(MeetingFilter { status: Some(MeetingStatus::Pending), ..all }, 9).await.0, [made[2], made[0]]);
    let window = MeetingFilter { from: Some(at(5_000)), to: Some(at(7_000)), ..all };
    assert_eq!(ids(window, 9).await.0, [made[1], made[0]]);
    let page = world.store.meetings_of_project(world.client, world.project.id, PageRequest::first(9)).await.unwrap();
    assert_eq!(page.items.len(), 3);
    assert!(page.items.iter().all(|meeting| meeting.kind == MeetingType::Scheduled));
}

/// It stays in what people missed as it was sent.
pub async fn a_reminder_keeps_the_time_that_it_spoke_of(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let since = store.sync(world.client, None, 10).await.unwrap().next_cursor;
    let meeting = world.make(world.scheduled(world.client, 1_000), 1).await.view.meeting.id;
    let sent = store.claim_reminders(claim(100)).await.unwrap().remove(0).reminder;
    world.step(meeting, world.client, MeetingStep::Reschedule(at(5_000)), 200).await.unwrap();
    let changes = store.sync(world.client, Some(since), 10).await.unwrap().changes;
    let kept = changes.iter().find_map(|change| match change {
        crate::Change::Reminder(reminder) => Some(reminder),
        _ => None,
    });
    assert_eq!(kept, Some(&sent));
    assert_eq!((sent.scheduled_at, sent.starts_in_seconds), (at(1_000), 900));
    assert!(store.claim_reminders(claim(1_000)).await.unwrap().is_empty(), "it is not sent again");
}

/// A yes changes no time, so the number stays.
pub async fn calendars_are_told_of_new_times_and_ends_by_number(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let made = world.make(world.scheduled(world.client, 1_000), 1).await.view;
    assert_eq!((made.sequence, made.project_title.as_str()), (0, "Site"));
    let mut sequences = Vec::new();
    for (caller, step) in [
        (world.provider, MeetingStep::Accept),
        (world.client, MeetingStep::Reschedule(at(2_000))),
        (world.client, MeetingStep::Reschedule(at(3_000))),
        (world.client, MeetingStep::Cancel),
    ] {
        sequences.push(world.step(made.meeting.id, caller, step, 2).await.unwrap().view.sequence);
    }
    assert_eq!(sequences, [0, 1, 2, 3]);
    let held = world.make(world.scheduled(world.client, 300), 1).await.view.meeting.id;
    world.step(held, world.client, MeetingStep::Start, 2).await.unwrap();
    let over = world.step(held, world.client, MeetingStep::End, 3).await.unwrap();
    assert_eq!(over.view.sequence, 0, "it took place");
}

/// A lease that was taken tomorrow must not hold today's work up.
pub async fn a_clock_that_ran_ahead_keeps_nothing_back(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    store.begin_serving(Mailing::On, at(0)).await.unwrap();
    let meeting = world.make(world.scheduled(world.client, 1_000), 1).await.view.meeting.id;
    let tomorrow = 90_000;
    assert_eq!(store.claim_reminders(claim(tomorrow)).await.unwrap().len(), 2);
    assert_eq!(store.claim_expired_meetings(claim(tomorrow)).await.unwrap(), [meeting]);
    let mail = store.claim_mail(claim(tomorrow)).await.unwrap().unwrap();
    store.delay_mail(mail.id, at(tomorrow + 60)).await.unwrap();

    let ids: Vec<_> =
        store.claim_reminders(claim(950)).await.unwrap().iter().map(|due| due.reminder.reminder_id).collect();
    assert_eq!(ids.len(), 2);
    assert!(store.claim_reminders(claim(951)).await.unwrap().is_empty(), "the lease of now counts");
    for id in ids {
        store.finish_reminder(id).await.unwrap();
    }
    assert!(store.claim_reminders(claim(tomorrow)).await.unwrap().is_empty(), "nothing is sent twice");
    assert_eq!(store.claim_expired_meetings(claim(4_600)).await.unwrap(), [meeting]);
    let mut again = Vec::new();
    while let Some(mail) = store.claim_mail(claim(950)).await.unwrap() {
        again.push(mail.id);
    }
    assert!(again.contains(&mail.id));
}

/// In the order in which it happened.
pub async fn the_log_keeps_who_came_and_went(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let meeting = world.make(world.instant(world.client), 1).await.view.meeting.id;
    let entries = [
        MeetingLogEntry { user_id: world.client, event: MeetingLogEvent::Joined, at: at(9) },
        MeetingLogEntry { user_id: world.provider, event: MeetingLogEvent::Joined, at: at(8) },
        MeetingLogEntry { user_id: world.client, event: MeetingLogEvent::ScreenOn, at: at(10) },
        MeetingLogEntry { user_id: world.client, event: MeetingLogEvent::ScreenOff, at: at(11) },
        MeetingLogEntry { user_id: world.client, event: MeetingLogEvent::Left, at: at(12) },
    ];
    for entry in entries {
        world.store.log_meeting(meeting, entry).await.unwrap();
    }
    let first = world.store.meeting_log(world.provider, meeting, PageRequest::first(3)).await.unwrap();
    assert_eq!(first.items, entries[..3]);
    let rest = PageRequest { cursor: first.next_cursor, limit: 3 };
    let rest = world.store.meeting_log(world.provider, meeting, rest).await.unwrap();
    assert_eq!((rest.items.as_slice(), rest.next_cursor), (&entries[3..], None));
}

async fn log(world: &World, meeting: MeetingId, user_id: UserId, event: MeetingLogEvent, seconds: i64) {
    world.store.log_meeting(meeting, MeetingLogEntry { user_id, event, at: at(seconds) }).await.unwrap();
}

async fn lines(world: &World, meeting: MeetingId) -> Vec<(UserId, MeetingLogEvent, i64)> {
    let page = world.store.meeting_log(world.client, meeting, PageRequest::first(100)).await.unwrap();
    let seconds = |entry: &MeetingLogEntry| (entry.at.as_millis() - at(0).as_millis()) / 1_000;
    page.items.iter().map(|entry| (entry.user_id, entry.event, seconds(entry))).collect()
}

/// Whoever reports late or again changes nothing.
pub async fn the_log_has_no_line_twice_and_ends_with_the_meeting(harness: &dyn Harness) {
    use MeetingLogEvent::{Joined, Left, ScreenOff, ScreenOn};
    let world = World::new(harness).await;
    let (client, provider) = (world.client, world.provider);
    let meeting = world.make(world.instant(client), 1).await.view.meeting.id;
    world.step(meeting, provider, MeetingStep::Accept, 2).await.unwrap();
    for (user, event, seconds) in [
        (client, Left, 2),
        (client, ScreenOn, 2),
        (client, Joined, 3),
        (client, Joined, 4),
        (client, ScreenOff, 4),
        (client, ScreenOn, 5),
        (client, ScreenOn, 6),
        (client, Left, 7),
        (client, Left, 8),
        (client, Joined, 9),
        (provider, Joined, 10),
        (provider, ScreenOn, 11),
    ] {
        log(&world, meeting, user, event, seconds).await;
    }
    world.step(meeting, client, MeetingStep::End, 20).await.unwrap();
    log(&world, meeting, provider, Left, 21).await;
    log(&world, meeting, provider, Joined, 22).await;
    let expected = [
        (client, Joined, 3),
        (client, ScreenOn, 5),
        (client, ScreenOff, 7),
        (client, Left, 7),
        (client, Joined, 9),
        (provider, Joined, 10),
        (provider, ScreenOn, 11),
        (client, Left, 20),
        (provider, ScreenOff, 20),
        (provider, Left, 20),
    ];
    assert_eq!(lines(&world, meeting).await, expected);
}

/// Not only once the lease is over: the meeting may have begun by then.
pub async fn what_a_killed_server_held_is_given_to_the_next_one(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    store.begin_serving(Mailing::On, at(0)).await.unwrap();
    let meeting = world.make(world.scheduled(world.client, 1_000), 1).await.view.meeting.id;
    let held = store.claim_reminders(claim(100)).await.unwrap().remove(0).reminder.reminder_id;
    let mail = store.claim_mail(claim(100)).await.unwrap().unwrap();
    store.begin_serving(Mailing::On, at(101)).await.unwrap();
    assert_eq!(store.claim_reminders(claim(101)).await.unwrap()[0].reminder.reminder_id, held);
    assert_eq!(store.claim_mail(claim(101)).await.unwrap().unwrap().id, mail.id);
    assert_eq!(store.claim_expired_meetings(claim(4_600)).await.unwrap(), [meeting]);
    store.begin_serving(Mailing::On, at(4_601)).await.unwrap();
    assert_eq!(store.claim_expired_meetings(claim(4_601)).await.unwrap(), [meeting]);
}

/// Nobody said good-bye, yet nobody is in it any more.
pub async fn a_crash_takes_everybody_out_of_the_log(harness: &dyn Harness) {
    use MeetingLogEvent::{Joined, Left};
    let world = World::new(harness).await;
    let running = world.make(world.instant(world.client), 1).await.view.meeting.id;
    let early = world.make(world.scheduled(world.client, 300), 1).await.view.meeting.id;
    log(&world, running, world.client, Joined, 2).await;
    log(&world, running, world.provider, Joined, 3).await;
    log(&world, running, world.provider, Left, 4).await;
    log(&world, early, world.client, Joined, 5).await;
    world.store.begin_serving(Mailing::Off, at(60)).await.unwrap();
    world.store.begin_serving(Mailing::Off, at(61)).await.unwrap();
    let expected =
        [(world.client, Joined, 2), (world.provider, Joined, 3), (world.provider, Left, 4), (world.client, Left, 60)];
    assert_eq!(lines(&world, running).await, expected);
    assert_eq!(lines(&world, early).await, [(world.client, Joined, 5), (world.client, Left, 60)]);
}
