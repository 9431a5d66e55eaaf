//! Accounts, sessions, secrets.

use std::time::Duration;

use parley_domain::{Role, SessionId, UserId};

use super::{Harness, World, account, agree, at, drain};
use crate::{
    AccountChanges, AccountError, Committed, NewAccount, NewSession, ProjectClosing, Rotation, SessionError, Store,
    TokenHash,
};

const GRACE: Duration = Duration::from_secs(30);

async fn sign_in(store: &dyn Store, user: UserId, token: TokenHash) -> SessionId {
    let session = NewSession { user, refresh: token, expires_at: at(10_000) };
    store.create_session(session, at(0)).await.unwrap().id
}

fn rotation(presented: u8, successor: u8) -> Rotation {
    Rotation { presented: [presented; 32], successor: [successor; 32], expires_at: at(20_000), grace: GRACE }
}

/// Also when two register at the same moment, and whatever else differs.
pub async fn an_address_is_taken_once(harness: &dyn Harness) {
    let store = harness.open().await;
    let new = |name: &str| NewAccount {
        email: "a@parley.test".into(),
        password_hash: "hash".into(),
        name: name.into(),
        role: Role::Client,
        time_zone: None,
    };
    let (one, two) = tokio::join!(store.create_account(new("One"), at(0)), store.create_account(new("Two"), at(0)));
    assert_eq!([&one, &two].iter().filter(|made| made.is_ok()).count(), 1);
    assert!(one.err().or(two.err()) == Some(AccountError::EmailTaken));
    assert!(store.credentials_by_email("a@parley.test").await.unwrap().is_some());
    assert!(store.credentials_by_email("b@parley.test").await.unwrap().is_none());
}

/// Approval belongs to providers; one's own account can change its name and zone.
pub async fn providers_start_unapproved_and_nobody_else_is_approved(harness: &dyn Harness) {
    let store = harness.open().await;
    let client = account(&*store, "cleo", Role::Client).await;
    let new = NewAccount {
        email: "p@parley.test".into(),
        password_hash: "hash".into(),
        name: "Pat".into(),
        role: Role::Provider,
        time_zone: Some("Europe/Berlin".into()),
    };
    let provider = store.create_account(new, at(5)).await.unwrap();
    assert!(!provider.approved);
    assert_eq!(store.user(provider.id).await.unwrap(), Some(provider.clone()));
    assert!(store.set_approval(provider.id, true).await.unwrap().approved);
    assert!(!store.set_approval(provider.id, false).await.unwrap().approved);
    assert_eq!(store.set_approval(client, true).await, Err(AccountError::NotFound));

    let changes = AccountChanges { name: Some("Pat P.".into()), time_zone: Some(None) };
    let changed = store.update_account(provider.id, changes).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.time_zone), ("Pat P.", None));
    let kept = store.update_account(provider.id, AccountChanges::default()).await.unwrap();
    assert_eq!(kept.name, "Pat P.");
}

/// The successor is the same as often as it is asked for within 30 s, and works.
pub async fn a_refresh_token_works_once_and_again_within_the_grace(harness: &dyn Harness) {
    let store = harness.open().await;
    let user = account(&*store, "cleo", Role::Client).await;
    let session = sign_in(&*store, user, [1; 32]).await;
    for seconds in [10, 20, 40] {
        assert_eq!(store.rotate_refresh(rotation(1, 2), at(seconds)).await.unwrap().id, session);
    }
    assert_eq!(store.rotate_refresh(rotation(2, 3), at(41)).await.unwrap().id, session);
    assert_eq!(store.rotate_refresh(rotation(1, 2), at(5)).await.unwrap().id, session, "a clock may jump back");
}

/// Past the grace, or with another successor: whoever has the old token is not the one who has the new one.
pub async fn a_reused_refresh_token_ends_its_family(harness: &dyn Harness) {
    let store = harness.open().await;
    let user = account(&*store, "cleo", Role::Client).await;
    for (first, second, seconds, successor) in [(1, 2, 41, 2), (11, 12, 11, 99)] {
        let session = sign_in(&*store, user, [first; 32]).await;
        let other = sign_in(&*store, user, [first + 5; 32]).await;
        store.rotate_refresh(rotation(first, second), at(10)).await.unwrap();
        let mut feed = store.subscribe();

        let reused = store.rotate_refresh(rotation(first, successor), at(seconds)).await;
        assert_eq!(reused, Err(SessionError::Reused(session)));
        assert_eq!(store.session(session).await.unwrap(), None);
        assert_eq!(store.rotate_refresh(rotation(second, 50), at(42)).await, Err(SessionError::Over));
        assert!(store.session(other).await.unwrap().is_some(), "another device stays signed in");
        let ended = Committed::SessionsEnded { user, sessions: vec![session] };
        assert_eq!(drain(&mut feed).iter().map(|c| (**c).clone()).collect::<Vec<_>>(), [ended]);
    }
}

/// Nothing is written for them either.
pub async fn unknown_and_old_refresh_tokens_give_nothing(harness: &dyn Harness) {
    let store = harness.open().await;
    let user = account(&*store, "cleo", Role::Client).await;
    assert_eq!(store.rotate_refresh(rotation(7, 8), at(1)).await, Err(SessionError::Unknown));
    let session = sign_in(&*store, user, [1; 32]).await;
    assert_eq!(store.rotate_refresh(rotation(1, 2), at(10_000)).await, Err(SessionError::Over));
    store.end_session(session, at(1)).await.unwrap();
    store.end_session(session, at(2)).await.unwrap();
    assert_eq!(store.session(session).await.unwrap(), None);
    assert_eq!(store.rotate_refresh(rotation(1, 2), at(3)).await, Err(SessionError::Over));
}

/// The one that changed it stays.
pub async fn a_changed_password_ends_the_other_sessions(harness: &dyn Harness) {
    let store = harness.open().await;
    let user = account(&*store, "cleo", Role::Client).await;
    let keep = sign_in(&*store, user, [1; 32]).await;
    let other = sign_in(&*store, user, [2; 32]).await;
    let ended = store.change_password(user, "new hash".into(), Some(keep), at(1)).await.unwrap();
    assert_eq!(ended, [other]);
    assert!(store.session(keep).await.unwrap().is_some());
    assert!(store.session(other).await.unwrap().is_none());
    assert_eq!(store.credentials(user).await.unwrap().unwrap().password_hash, "new hash");
    let nobody = SessionId(uuid::Uuid::nil());
    assert!(store.session(nobody).await.unwrap().is_none());
    assert_eq!(store.ended_sessions(vec![keep, other, nobody]).await.unwrap(), [other, nobody]);
    assert!(store.ended_sessions(Vec::new()).await.unwrap().is_empty());
}

/// Of several candidates at once one is kept, and everybody gets that one.
pub async fn a_secret_is_drawn_once(harness: &dyn Harness) {
    let store = harness.open().await;
    let (one, two) = tokio::join!(store.secret("jwt", vec![1; 32]), store.secret("jwt", vec![2; 32]));
    assert_eq!(one, two);
    assert_eq!(store.secret("jwt", vec![3; 32]).await, one);
    assert_eq!(store.secret("other", vec![3; 32]).await.unwrap(), [3; 32]);
}

/// A closed project no longer shows who is there.
pub async fn contacts_share_an_active_project(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    agree(store, world.client, world.provider).await;
    store.set_last_seen(world.provider, at(9)).await.unwrap();
    let contacts = store.contacts(world.client).await.unwrap();
    assert_eq!(
        contacts.iter().map(|c| (c.user_id, c.last_seen_at)).collect::<Vec<_>>(),
        [(world.provider, Some(at(9)))]
    );
    assert!(store.contacts(world.stranger).await.unwrap().is_empty());
    for project in store.projects(world.client, crate::PageRequest::first(10)).await.unwrap().items {
        store.close_project(world.client, project.id, ProjectClosing::Cancel, at(10)).await.unwrap();
    }
    assert!(store.contacts(world.client).await.unwrap().is_empty());
}
