//! From request to project, and its end.

use std::sync::Arc;

use parley_domain::{
    EndReason, MeetingStatus, MeetingStep, ProjectStatus, ProposalRefusal, ProposalStatus, RequestStatus, Role,
    terms_hash,
};

use super::{Harness, World, account, agree, at, drain, new_proposal, new_request, propose};
use crate::{Committed, ConversationKey, Created, Idempotency, KeyReused, MarketError, PageRequest, ProjectClosing};

/// Clients ask; approved providers propose, for open requests only.
pub async fn roles_decide_who_asks_and_who_proposes(harness: &dyn Harness) {
    let store = harness.open().await;
    let client = account(&*store, "cleo", Role::Client).await;
    let other = account(&*store, "carl", Role::Client).await;
    let provider = account(&*store, "pat", Role::Provider).await;

    assert_eq!(store.create_request(new_request(provider, "x"), at(1)).await, Err(MarketError::Forbidden));
    let request = store.create_request(new_request(client, "Site"), at(1)).await.unwrap().into_inner();
    assert_eq!(store.create_proposal(new_proposal(client, request.id), at(2)).await, Err(MarketError::Forbidden));
    assert_eq!(store.create_proposal(new_proposal(other, request.id), at(2)).await, Err(MarketError::NotFound));

    store.set_approval(provider, false).await.unwrap();
    let refused = store.create_proposal(new_proposal(provider, request.id), at(2)).await;
    assert_eq!(refused, Err(ProposalRefusal::ProviderNotApproved.into()));
    store.set_approval(provider, true).await.unwrap();

    store.cancel_request(client, request.id).await.unwrap();
    let refused = store.create_proposal(new_proposal(provider, request.id), at(2)).await;
    assert_eq!(refused, Err(ProposalRefusal::RequestNotOpen(RequestStatus::Cancelled).into()));
    let again = store.cancel_request(client, request.id).await;
    assert_eq!(again, Err(ProposalRefusal::RequestNotOpen(RequestStatus::Cancelled).into()));
}

/// Not found for what isn't one's own, forbidden for what is known.
pub async fn strangers_know_of_nothing(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let outsider = account(store, "olga", Role::Provider).await;
    let (request, proposal) = propose(store, world.client, world.provider).await;
    let page = PageRequest::first(10);

    for stranger in [world.stranger, outsider] {
        assert_eq!(store.project(stranger, world.project.id).await, Err(MarketError::NotFound));
        assert!(store.projects(stranger, page).await.unwrap().items.is_empty());
        assert_eq!(store.accept_proposal(stranger, proposal, at(3)).await.unwrap_err(), MarketError::NotFound);
        assert_eq!(store.reject_proposal(stranger, proposal, at(3)).await, Err(MarketError::NotFound));
        let closing = store.close_project(stranger, world.project.id, ProjectClosing::Cancel, at(3)).await;
        assert_eq!(closing.unwrap_err(), MarketError::NotFound);
    }
    assert_eq!(store.request(world.stranger, request).await, Err(MarketError::NotFound));
    assert!(store.request(outsider, request).await.is_ok(), "providers see open ones");
    assert!(store.proposals(outsider, request, page).await.unwrap().items.is_empty(), "but not others' proposals");
    assert_eq!(store.proposals(world.client, request, page).await.unwrap().items.len(), 1);
    assert_eq!(store.cancel_request(outsider, request).await, Err(MarketError::Forbidden));
    assert_eq!(store.request(outsider, world.project.request_id).await, Err(MarketError::NotFound));
    assert!(store.request(world.provider, world.project.request_id).await.is_ok(), "it proposed for it");

    assert_eq!(store.accept_proposal(world.provider, proposal, at(3)).await.unwrap_err(), MarketError::Forbidden);
    assert_eq!(store.reject_proposal(world.provider, proposal, at(3)).await, Err(MarketError::Forbidden));
    assert_eq!(store.withdraw_proposal(world.client, proposal, at(3)).await, Err(MarketError::Forbidden));
    let closing = store.close_project(world.provider, world.project.id, ProjectClosing::Complete, at(3)).await;
    assert_eq!(closing.unwrap_err(), MarketError::Forbidden);
}

/// Per user, and only for the same body.
pub async fn an_idempotency_key_gives_the_first_answer_for_a_day(harness: &dyn Harness) {
    let store = harness.open().await;
    let client = account(&*store, "cleo", Role::Client).await;
    let other = account(&*store, "carl", Role::Client).await;
    let keyed = |user, body: u8| {
        let mut new = new_request(user, "Site");
        new.idempotency = Some(Idempotency { key: "k".into(), fingerprint: [body; 32] });
        new
    };
    let first = store.create_request(keyed(client, 1), at(0)).await.unwrap().into_inner();
    store.cancel_request(client, first.id).await.unwrap();
    let again = store.create_request(keyed(client, 1), at(86_399)).await.unwrap();
    assert_eq!(again, Created::Same(first.clone()), "the first answer, not the row of now");
    assert_eq!(store.create_request(keyed(client, 2), at(10)).await, Err(KeyReused.into()));
    assert!(matches!(store.create_request(keyed(other, 2), at(10)).await, Ok(Created::New(_))));
    let later = store.create_request(keyed(client, 2), at(86_400)).await.unwrap();
    assert!(matches!(later, Created::New(made) if made.id != first.id));

    let provider = account(&*store, "pat", Role::Provider).await;
    let request = store.create_request(new_request(client, "Open"), at(0)).await.unwrap().into_inner();
    let mut new = new_proposal(provider, request.id);
    new.idempotency = Some(Idempotency { key: "k".into(), fingerprint: [1; 32] });
    let first = store.create_proposal(new.clone(), at(0)).await.unwrap().into_inner();
    assert_eq!(store.create_proposal(new.clone(), at(1)).await, Ok(Created::Same(first.clone())));
    assert_eq!(store.create_proposal(new, at(4_000)).await, Ok(Created::Same(first)), "its times have passed");
    let late = store.create_proposal(new_proposal(provider, request.id), at(4_000)).await;
    let Err(MarketError::Invalid(errors)) = late else { panic!("{late:?}") };
    assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), ["/expiresAt"]);
    assert_eq!(store.proposals(client, request.id, PageRequest::first(9)).await.unwrap().items.len(), 1);
}

/// Terms, conversation, siblings, request; and everybody concerned is told.
pub async fn accepting_makes_everything_at_once(harness: &dyn Harness) {
    let store = harness.open().await;
    let client = account(&*store, "cleo", Role::Client).await;
    let provider = account(&*store, "pat", Role::Provider).await;
    let rival = account(&*store, "ria", Role::Provider).await;
    let (request, proposal) = propose(&*store, client, provider).await;
    let sibling = store.create_proposal(new_proposal(rival, request), at(2)).await.unwrap().into_inner();
    let gone = store.create_proposal(new_proposal(rival, request), at(2)).await.unwrap().into_inner();
    store.withdraw_proposal(rival, gone.id, at(2)).await.unwrap();
    let mut feed = store.subscribe();

    let done = store.accept_proposal(client, proposal, at(3)).await.unwrap();
    let project = &done.project;
    assert_eq!((project.client_id, project.provider_ids.as_slice()), (client, &[provider][..]));
    assert_eq!((project.status, project.title.as_str()), (ProjectStatus::Active, "Site"));
    assert_eq!((project.price, project.scope.as_str()), (super::price(125_000), "Build the site"));
    assert_eq!(project.terms_hash, terms_hash(project));
    assert_eq!(done.request.status, RequestStatus::Converted);
    assert_eq!(done.accepted.status, ProposalStatus::Accepted);
    assert_eq!(
        done.rejected.iter().map(|p| (p.id, p.status)).collect::<Vec<_>>(),
        [(sibling.id, ProposalStatus::Rejected)]
    );
    let people: Vec<_> = done.conversation.participants.iter().map(|p| (p.user_id, p.role)).collect();
    assert_eq!(people, [(client, Role::Client), (provider, Role::Provider)]);

    for viewer in [client, provider] {
        assert_eq!(store.project(viewer, project.id).await.unwrap(), *project);
        let conversation = store.conversation(viewer, ConversationKey::Project(project.id)).await.unwrap();
        assert_eq!(conversation, done.conversation);
        assert_eq!(store.conversation_ids(viewer).await.unwrap(), [project.conversation_id]);
    }
    let statuses: Vec<_> =
        store.proposals(client, request, PageRequest::first(9)).await.unwrap().items.iter().map(|p| p.status).collect();
    assert_eq!(statuses, [ProposalStatus::Withdrawn, ProposalStatus::Rejected, ProposalStatus::Accepted]);
    let told: Vec<_> = drain(&mut feed).iter().map(|committed| (**committed).clone()).collect();
    assert_eq!(told.len(), 3);
    assert_eq!(told[2], Committed::Project { project: project.clone(), to: vec![client, provider] });
}

/// Twenty at once, on two siblings: one project, everybody else learns why not.
pub async fn of_racing_accepts_exactly_one_wins(harness: &dyn Harness) {
    let store = harness.open().await;
    let client = account(&*store, "cleo", Role::Client).await;
    let provider = account(&*store, "pat", Role::Provider).await;
    let (request, one) = propose(&*store, client, provider).await;
    let two = store.create_proposal(new_proposal(provider, request), at(2)).await.unwrap().into_inner().id;
    let racers: Vec<_> = (0..20)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.accept_proposal(client, if n % 2 == 0 { one } else { two }, at(3)).await })
        })
        .collect();
    let mut winners = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(_) => winners += 1,
            Err(MarketError::Refused(ProposalRefusal::NotPending(_))) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(winners, 1);
    assert_eq!(store.projects(client, PageRequest::first(9)).await.unwrap().items.len(), 1);
    assert_eq!(store.conversation_ids(provider).await.unwrap().len(), 1);
}

/// And nothing has changed afterwards.
pub async fn acceptance_is_refused_for_each_reason(harness: &dyn Harness) {
    let store = harness.open().await;
    let client = account(&*store, "cleo", Role::Client).await;
    let provider = account(&*store, "pat", Role::Provider).await;
    let (request, proposal) = propose(&*store, client, provider).await;
    let refusal = async |seconds| match store.accept_proposal(client, proposal, at(seconds)).await {
        Err(MarketError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(3_601).await, ProposalRefusal::Expired(at(3_600)));
    store.set_approval(provider, false).await.unwrap();
    assert_eq!(refusal(10).await, ProposalRefusal::ProviderNotApproved);
    store.set_approval(provider, true).await.unwrap();
    store.cancel_request(client, request).await.unwrap();
    assert_eq!(refusal(10).await, ProposalRefusal::RequestNotOpen(RequestStatus::Cancelled));
    store.withdraw_proposal(provider, proposal, at(10)).await.unwrap();
    assert_eq!(refusal(10).await, ProposalRefusal::NotPending(ProposalStatus::Withdrawn));
    assert!(store.projects(client, PageRequest::first(9)).await.unwrap().items.is_empty());
    let unknown = uuid::Uuid::from_u128(1).into();
    assert_eq!(store.accept_proposal(client, unknown, at(10)).await.unwrap_err(), MarketError::NotFound);
}

/// Rejected or withdrawn, never both.
pub async fn a_proposal_is_decided_once(harness: &dyn Harness) {
    let store = harness.open().await;
    let client = account(&*store, "cleo", Role::Client).await;
    let provider = account(&*store, "pat", Role::Provider).await;
    let (_, proposal) = propose(&*store, client, provider).await;
    let (one, two) = tokio::join!(
        store.reject_proposal(client, proposal, at(3)),
        store.withdraw_proposal(provider, proposal, at(3))
    );
    assert!(one.is_ok() != two.is_ok());
    let refused = one.err().or(two.err());
    assert!(matches!(refused, Some(MarketError::Refused(ProposalRefusal::NotPending(_)))), "{refused:?}");
}

/// Waiting ones are cancelled, the running one completed, reminders dropped; closing twice is refused.
pub async fn closing_a_project_closes_its_meetings(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let store = &*world.store;
    let running = world.make(world.instant(world.client), 10).await.view.meeting.id;
    world.step(running, world.provider, MeetingStep::Accept, 12).await.unwrap();
    let waiting = world.make(world.scheduled(world.provider, 9_000), 13).await.view.meeting.id;
    let other = agree(store, world.client, world.provider).await.project;

    let closed = store.close_project(world.client, world.project.id, ProjectClosing::Complete, at(72)).await.unwrap();
    assert_eq!(closed.project.status, ProjectStatus::Completed);
    assert_eq!(closed.meetings.len(), 2);
    let running = store.meeting(world.client, running).await.unwrap().meeting;
    assert_eq!((running.status, running.duration), (MeetingStatus::Completed, Some(60)));
    let waiting = store.meeting(world.client, waiting).await.unwrap().meeting;
    assert_eq!((waiting.status, waiting.duration), (MeetingStatus::Cancelled, None));
    assert!([running.end_reason, waiting.end_reason].iter().all(|r| *r == Some(EndReason::ProjectClosed)));
    assert_eq!(store.next_due_at().await.unwrap(), None);
    assert!(store.live_meetings().await.unwrap().is_empty());

    let again = store.close_project(world.client, world.project.id, ProjectClosing::Cancel, at(80)).await;
    assert_eq!(again.unwrap_err(), MarketError::ProjectNotActive(ProjectStatus::Completed));
    assert_eq!(store.project(world.client, other.id).await.unwrap().status, ProjectStatus::Active);
}

/// Whatever the times say; a row that comes in between moves nothing.
pub async fn lists_come_in_pages_newest_first(harness: &dyn Harness) {
    let store = harness.open().await;
    let client = account(&*store, "cleo", Role::Client).await;
    for n in 0..5_i64 {
        store.create_request(new_request(client, &n.to_string()), at(-n)).await.unwrap();
    }
    let mut page = PageRequest::first(2);
    let mut titles = Vec::new();
    loop {
        let got = store.requests(client, page).await.unwrap();
        assert!(got.items.len() <= 2);
        titles.extend(got.items.into_iter().map(|request| request.title));
        store.create_request(new_request(client, "later"), at(9)).await.unwrap();
        let Some(cursor) = got.next_cursor else { break };
        page.cursor = Some(cursor.to_string().parse().unwrap());
    }
    assert_eq!(titles, ["4", "3", "2", "1", "0"]);
    let provider = account(&*store, "pat", Role::Provider).await;
    assert_eq!(store.requests(provider, PageRequest::first(100)).await.unwrap().items.len(), 8);
}
