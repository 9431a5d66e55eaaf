//! The mails that wait to be sent.

use std::time::Duration;

use parley_domain::{MailKind, MeetingStep};

use super::{Harness, World, at};
use crate::{Claim, DueMail, Mailing, ProjectClosing};

fn claim(seconds: i64) -> Claim {
    Claim { now: at(seconds), lease: Duration::from_secs(60), limit: 1 }
}

/// What waits now, claimed; in a form that is easy to compare.
async fn waiting(world: &World, seconds: i64) -> Vec<DueMail> {
    let mut found = Vec::new();
    while let Some(mail) = world.store.claim_mail(claim(seconds)).await.unwrap() {
        found.push(mail);
    }
    found
}

fn kinds(mails: &[DueMail]) -> Vec<MailKind> {
    mails.iter().map(|mail| mail.kind).collect()
}

/// Without a mail server rows would only pile up.
pub async fn mails_are_written_only_where_they_are_sent(harness: &dyn Harness) {
    let world = World::new(harness).await;
    world.make(world.scheduled(world.client, 5_000), 1).await;
    assert!(waiting(&world, 2).await.is_empty());
    world.store.begin_serving(Mailing::On, at(0)).await.unwrap();
    world.make(world.instant(world.client), 2).await;
    assert!(waiting(&world, 2).await.is_empty(), "a call that rings needs no mail");
    let meeting = world.make(world.scheduled(world.client, 6_000), 3).await.view.meeting;
    let mails = waiting(&world, 3).await;
    assert_eq!(kinds(&mails), [MailKind::Scheduled, MailKind::Scheduled]);
    assert_eq!((mails[0].to.id, mails[1].to.id), (world.client, world.provider));
    assert_eq!((mails[0].view.meeting.id, mails[0].attempts, mails[0].expires_at), (meeting.id, 1, at(6_000)));
    assert_eq!(mails[1].to.email, "pat@parley.test");
    world.store.begin_serving(Mailing::Off, at(0)).await.unwrap();
    assert!(waiting(&world, 500).await.is_empty());
    assert_eq!(world.store.next_mail_due_at().await.unwrap(), None);
}

/// Of two nodes one gets it; if it dies, the other gets it later.
pub async fn a_mail_is_given_until_it_is_sent(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    store.begin_serving(Mailing::On, at(0)).await.unwrap();
    world.make(world.scheduled(world.client, 5_000), 1).await;
    assert_eq!(store.next_mail_due_at().await.unwrap(), Some(at(1)));
    let (one, two) = tokio::join!(store.claim_mail(claim(2)), store.claim_mail(claim(2)));
    let (one, two) = (one.unwrap().unwrap(), two.unwrap().unwrap());
    assert_ne!(one.id, two.id);
    assert_eq!(store.claim_mail(claim(61)).await.unwrap(), None, "someone is sending them");
    store.finish_mail(one.id).await.unwrap();
    let again = store.claim_mail(claim(62)).await.unwrap().unwrap();
    assert_eq!((again.id, again.attempts), (two.id, 2));
    store.delay_mail(again.id, at(100)).await.unwrap();
    assert_eq!(store.next_mail_due_at().await.unwrap(), Some(at(100)));
    assert_eq!(store.claim_mail(claim(99)).await.unwrap(), None);
    assert_eq!(store.claim_mail(claim(100)).await.unwrap().unwrap().attempts, 3);
    store.finish_mail(two.id).await.unwrap();
    assert_eq!(store.next_mail_due_at().await.unwrap(), None);
}

/// Nobody is invited or reminded to what is off; nobody hears of it twice.
pub async fn a_new_state_takes_waiting_mails_back(harness: &dyn Harness) {
    use MailKind::{Cancelled, Reminder, Scheduled};
    let world = World::new(harness).await;
    world.store.begin_serving(Mailing::On, at(0)).await.unwrap();
    let meeting = world.make(world.scheduled(world.client, 1_000), 1).await.view.meeting.id;
    world.store.claim_reminders(claim(100)).await.unwrap();
    assert_eq!(kinds(&waiting(&world, 101).await), [Scheduled, Scheduled, Reminder, Reminder]);
    world.step(meeting, world.provider, MeetingStep::Accept, 102).await.unwrap();
    assert_eq!(waiting(&world, 200).await.len(), 4, "a yes takes nothing back");

    world.step(meeting, world.client, MeetingStep::Reschedule(at(5_000)), 300).await.unwrap();
    let mails = waiting(&world, 301).await;
    assert_eq!(kinds(&mails), [Scheduled, Scheduled]);
    assert_eq!((mails[0].view.sequence, mails[0].attempts), (1, 1));
    world.step(meeting, world.provider, MeetingStep::Decline, 302).await.unwrap();
    let mails = waiting(&world, 303).await;
    assert_eq!(kinds(&mails), [Cancelled, Cancelled]);
    assert_eq!(mails[1].view.sequence, 2);

    let soon = world.make(world.scheduled(world.client, 1_000), 400).await.view.meeting.id;
    world.step(soon, world.client, MeetingStep::Start, 500).await.unwrap();
    assert!(waiting(&world, 501).await.iter().all(|mail| mail.view.meeting.id != soon), "it has begun");
}

/// Its meetings are off, and whoever was to be reminded is told so instead.
pub async fn a_closed_project_drops_reminders_and_mails(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    store.begin_serving(Mailing::On, at(0)).await.unwrap();
    world.make(world.scheduled(world.client, 1_000), 1).await;
    store.claim_reminders(Claim { limit: 10, ..claim(100) }).await.unwrap();
    store.close_project(world.client, world.project.id, ProjectClosing::Cancel, at(200)).await.unwrap();
    assert_eq!(kinds(&waiting(&world, 200).await), [MailKind::Cancelled, MailKind::Cancelled]);
    assert!(store.claim_reminders(Claim { limit: 10, ..claim(9_999) }).await.unwrap().is_empty());
    assert_eq!(store.next_due_at().await.unwrap(), None);
}
