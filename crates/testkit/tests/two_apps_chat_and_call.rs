//! Two app cores against a real server: the way from the offer to the end of a call, as the UI would go it.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "common/person.rs"]
mod person;

use parley_app::{AppOptions, SecretPlace};
use parley_domain::EndReason;
use parley_protocol::{
    Code,
    app::{
        AcceptCall, AppEvent, CallPhase, CallView, Command, ConnectionState, DeclineCall, Delivery, DeviceChoice,
        MarkReadUpTo, MessageView, Nothing, OfProposal, ProjectCard, Send, SessionState, SignIn, Snapshot, StartCall,
        Switch, TimelinePage, TimelineRequest, TypingIn,
    },
};
use parley_server::config::Timing;
use parley_testkit::{CLIENT, PASSWORD, PROVIDER, TestServer};
use person::{Person, pictures};

#[tokio::test(flavor = "multi_thread")]
async fn from_the_offer_to_the_end_of_a_call() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(&dir.path().join("server")).await.unwrap();
    let mut client = Person::start(&dir.path().join("client"), &server.url(), CLIENT).await;
    let mut provider = Person::start(&dir.path().join("provider"), &server.url(), PROVIDER).await;

    let offers = client.ready().await.offers;
    assert_eq!(provider.ready().await.offers, offers);
    let of = OfProposal { proposal_id: offers[0].proposal.id };
    let card: ProjectCard = client.run(Command::AcceptProposal(of.clone())).await.unwrap();
    assert_eq!(card.project.price, offers[0].proposal.price);
    let again = client.run::<ProjectCard>(Command::AcceptProposal(of)).await.unwrap_err();
    assert_eq!(again.code, Code::ProposalNotPending);
    let seen = provider
        .sees("the project", |now| now.projects.active.iter().find(|it| it.project == card.project).cloned())
        .await;
    assert_eq!(seen.other.user_id, card.project.client_id);
    assert!(provider.snapshot().await.projects.offers.is_empty());

    talk(&mut client, &mut provider, &card).await;
    call(&mut client, &mut provider, &card).await;
    decline(&mut client, &mut provider, &card).await;

    let () = provider.run(Command::SignOut(Nothing {})).await.unwrap();
    let after = provider.snapshot().await;
    assert_eq!((after.session.state, after.projects.active.len()), (SessionState::SignedOut, 0));
    let refused = provider.run::<ProjectCard>(Command::LeaveCall(Nothing {})).await.unwrap_err();
    assert_eq!(refused.code, Code::NoCall);
    client.app.close().await;
    provider.app.close().await;
}

async fn talk(client: &mut Person, provider: &mut Person, card: &ProjectCard) {
    let conversation_id = card.project.conversation_id;
    let () = client.run(Command::Typing(TypingIn { conversation_id, is_typing: true })).await.unwrap();
    let is_typing = |event| match event {
        AppEvent::Typing(by) if by.conversation_id == conversation_id => Some(by.is_typing),
        _ => None,
    };
    assert!(provider.until("typing", is_typing).await);
    let content = "Shall we talk?".to_owned();
    let written: MessageView =
        client.run(Command::Send(Send { conversation_id, content: content.clone() })).await.unwrap();
    assert_eq!(written.delivery, Delivery::Sending);
    let sent = client.message("sent", |it| it.delivery == Delivery::Sent && it.client_id == written.client_id).await;
    let heard = provider.message("the message", |it| it.content == content).await;
    assert_eq!((heard.delivery, &heard.message), (Delivery::Received, &sent.message));
    provider.sees("an unread one", |now| now.projects.active.iter().find(|it| it.unread == 1).map(drop)).await;
    let seq = heard.message.unwrap().seq;
    let () = provider.run(Command::MarkRead(MarkReadUpTo { conversation_id, seq })).await.unwrap();
    let read = client.message("read", |it| it.delivery == Delivery::Read).await;
    assert!(read.read_at.is_some() && read.client_id == written.client_id);
    let page: TimelinePage =
        provider.run(Command::Timeline(TimelineRequest { conversation_id, before_seq: None })).await.unwrap();
    assert_eq!((page.items.len(), page.has_older), (1, false));
}

async fn call(client: &mut Person, provider: &mut Person, card: &ProjectCard) {
    for person in [&*client, &*provider] {
        let choice = DeviceChoice { camera: Some("card".to_owned()), microphone: None, speaker: None };
        let _: serde_json::Value = person.run(Command::ChooseDevices(choice)).await.unwrap();
    }
    let start = StartCall { project_id: card.project.id, camera: true };
    let placed: CallView = client.run(Command::StartCall(start.clone())).await.unwrap();
    assert_eq!(placed.phase, CallPhase::RingingOut);
    let ring = provider.sees("the ring", |now| now.ring.clone()).await;
    assert_eq!((ring.meeting_id, &ring.project_title), (placed.meeting_id, &card.project.title));
    assert_eq!(ring.caller.user_id, card.project.client_id);

    let accept = AcceptCall { meeting_id: ring.meeting_id, camera: true };
    let _: CallView = provider.run(Command::AcceptCall(accept)).await.unwrap();
    assert_eq!(provider.snapshot().await.ring, None);
    let joined = |call: &CallView| call.phase == CallPhase::Connected && call.peer_media.video_flowing;
    let view = client.call_is("the provider's picture", joined).await;
    provider.call_is("the client's picture", joined).await;
    assert!(view.camera.actual && view.started_at.is_some());
    let streams = pictures(&view.frames_url).await.unwrap();
    assert_eq!(streams, [(1, 640, 360), (0, 1280, 720)].into());
    let busy = client.run::<CallView>(Command::StartCall(start)).await.unwrap_err();
    assert_eq!((busy.code, busy.meeting_id), (Code::MeetingInProgress, Some(placed.meeting_id)));

    let () = client.run(Command::SetCamera(Switch { on: false })).await.unwrap();
    provider.call_is("the camera going off", |call| !call.peer_media.camera).await;
    let () = provider.run(Command::LeaveCall(Nothing {})).await.unwrap();
    let ended = |call: &CallView| call.phase == CallPhase::Ended;
    for person in [&mut *client, &mut *provider] {
        let card = person.call_is("the end", ended).await;
        assert_eq!((card.end_reason, card.error), (Some(EndReason::Ended), None));
        let () = person.run(Command::LeaveCall(Nothing {})).await.unwrap();
        assert_eq!(person.snapshot().await.call, None, "the card is put away");
    }
    let id = card.project.id;
    client
        .sees("the call in the history", |now| {
            now.projects.active.iter().find(|it| it.project.id == id && it.past_meetings.len() == 1).map(drop)
        })
        .await;
}

async fn decline(client: &mut Person, provider: &mut Person, card: &ProjectCard) {
    let start = StartCall { project_id: card.project.id, camera: false };
    let _: CallView = client.run(Command::StartCall(start)).await.unwrap();
    let ring = provider.sees("the second ring", |now| now.ring.clone()).await;
    let text = Some("Can't now".to_owned());
    let () = provider.run(Command::DeclineCall(DeclineCall { meeting_id: ring.meeting_id, text })).await.unwrap();
    assert_eq!(provider.snapshot().await.ring, None);
    let end = client.call_is("the refusal", |call| call.phase == CallPhase::Ended).await;
    assert_eq!(end.end_reason, Some(EndReason::Declined));
    client.message("the words", |it| it.content == "Can't now").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn session_outlives_the_app_and_a_wrong_password_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(&dir.path().join("server")).await.unwrap();
    let options = AppOptions { secrets: SecretPlace::File, ..AppOptions::new("test", dir.path().join("profile")) };
    let mut person = Person::open(options.clone()).await;
    let is_out = |now: &Snapshot| (now.session.state == SessionState::SignedOut).then_some(());
    person.sees("the form", is_out).await;

    let form = |password: &str| {
        Command::SignIn(SignIn {
            server: server.url(),
            email: CLIENT.to_owned(),
            password: password.to_owned(),
            allow_plain_http: false,
        })
    };
    let refused = person.run::<serde_json::Value>(form("wrong")).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidCredentials);
    let _: serde_json::Value = person.run(form(PASSWORD)).await.unwrap();
    let projects = person.ready().await;
    person.app.close().await;
    drop(person);

    // The server is away: the app still knows who is signed in and shows what it has.
    let address = server.address();
    server.stop().await.unwrap();
    let mut person = Person::open(options).await;
    let seen = person
        .sees("the copy", |now| {
            let is_in = now.session.state == SessionState::SignedIn && now.projects.loaded;
            (is_in && now.connection.state == ConnectionState::Offline).then(|| now.projects.clone())
        })
        .await;
    assert_eq!(seen.active.len(), projects.active.len());
    let conversation_id = seen.active[0].project.conversation_id;
    let written: MessageView =
        person.run(Command::Send(Send { conversation_id, content: "later".to_owned() })).await.unwrap();
    assert_eq!(written.delivery, Delivery::Sending);
    person.sees("one that waits", |now| (now.connection.waiting == 1).then_some(())).await;

    let data_dir = dir.path().join("server");
    let _server = TestServer::start_at(&data_dir, address, Timing::default()).await.unwrap();
    let sent = person.message("the arrival", |it| it.delivery == Delivery::Sent).await;
    assert_eq!((sent.client_id, sent.content.as_str()), (written.client_id, "later"));
    person.sees("an empty outbox", |now| (now.connection.waiting == 0).then_some(())).await;
}
