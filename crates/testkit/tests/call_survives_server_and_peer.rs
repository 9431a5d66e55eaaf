//! A call with real engines against a real server that is killed in the middle, and a peer that goes and comes back.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{path::Path, sync::Arc, time::Duration};

use parley_call::{CallSession, CallSnapshot, MediaEngine, Opening, Phase, Trouble, VideoProfile, VideoTrack, Why};
use parley_client::ClientEvent;
use parley_direct::{DirectEngine, DirectOptions};
use parley_domain::{EndReason, EngineKind, Meeting, MeetingStatus};
use parley_media::{SourceOptions, VideoSource};
use parley_testkit::{CLIENT, Caller, PATIENCE, PROVIDER, ServerProcess};
use tempfile::TempDir;

struct Call {
    server: ServerProcess,
    client: Caller,
    provider: Caller,
    meeting: Meeting,
    host: Arc<CallSession>,
    guest: Arc<CallSession>,
    _card: VideoSource,
    _dir: TempDir,
}

fn session(caller: &Caller, meeting: &Meeting, opening: Opening) -> Arc<CallSession> {
    let engine = |_, ports| Ok(Box::new(DirectEngine::new(ports, DirectOptions::default())) as Box<dyn MediaEngine>);
    let session = Arc::new(CallSession::start(meeting.id, opening, caller.call_server(), Box::new(engine)));
    caller.follow(&session);
    session
}

impl Call {
    /// The client calls, the provider hears it ring.
    async fn ringing() -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let program = Path::new(env!("CARGO_BIN_EXE_parley-test-server"));
        let server = ServerProcess::start(program, &dir.path().join("server")).await?;
        let client = Caller::sign_in(&server.url(), CLIENT, &dir.path().join("client"), &[EngineKind::Direct]).await?;
        let mut provider =
            Caller::sign_in(&server.url(), PROVIDER, &dir.path().join("provider"), &[EngineKind::Direct]).await?;
        let project = client.client.rest().projects().await?.remove(0);
        let meeting = client.client.call(project.id, None).await?;
        let host = session(&client, &meeting, Opening::Placed);
        let rings =
            |event| matches!(event, ClientEvent::Invite(invite) if invite.meeting_id == meeting.id).then_some(());
        provider.hear("the ring", rings).await?;
        let guest = session(&provider, &meeting, Opening::Invited { ring_for: Duration::from_secs(45) });
        let card = VideoSource::card("HOST", SourceOptions { width: 640, height: 360, ..SourceOptions::default() })?;
        host.set_camera(Some(VideoTrack { frames: card.frames(), profile: VideoProfile::default() }));
        Ok(Self { server, client, provider, meeting, host, guest, _card: card, _dir: dir })
    }

    async fn connected() -> anyhow::Result<Self> {
        let call = Self::ringing().await?;
        call.guest.accept();
        reach(&call.host, "connected", |now| now.phase == Phase::Connected).await;
        reach(&call.guest, "connected", |now| now.phase == Phase::Connected).await;
        Ok(call)
    }

    async fn guest_sees(&self, pictures: usize) {
        let slot = self.guest.remote_video();
        for _ in 0..pictures {
            tokio::time::timeout(PATIENCE, slot.take()).await.expect("a picture of the other side");
        }
    }
}

async fn reach(session: &CallSession, what: &str, wanted: impl Fn(&CallSnapshot) -> bool) {
    let mut watch = session.watch();
    let reached = tokio::time::timeout(PATIENCE, watch.wait_for(|now| wanted(now))).await.map(|now| now.is_ok());
    assert_eq!(reached, Ok(true), "{what}; it is {:?}", session.snapshot());
}

fn why(snapshot: &CallSnapshot) -> Option<&Why> {
    match &snapshot.phase {
        Phase::Ended(ending) => Some(&ending.why),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_go_on_while_the_server_is_gone_and_both_are_bound_again() {
    let mut call = Call::connected().await.unwrap();
    call.guest_sees(10).await;
    call.server.kill().unwrap();
    for session in [&call.host, &call.guest] {
        reach(session, "it knows that the server is gone", |now| !now.server_bound).await;
    }
    call.guest_sees(60).await;
    for session in [&call.host, &call.guest] {
        assert_eq!(session.snapshot().phase, Phase::Connected);
    }
    call.server.start_again().await.unwrap();
    for session in [&call.host, &call.guest] {
        reach(session, "it is bound again", |now| now.server_bound).await;
        assert_eq!(session.snapshot().phase, Phase::Connected);
    }
    call.guest_sees(10).await;

    call.host.hang_up();
    reach(&call.host, "ended by us", |now| why(now) == Some(&Why::HungUp)).await;
    reach(&call.guest, "ended", |now| why(now) == Some(&Why::Told(EndReason::Ended))).await;
    let meeting = call.client.client.rest().meeting(call.meeting.id).await.unwrap();
    assert_eq!((meeting.status, meeting.end_reason), (MeetingStatus::Completed, Some(EndReason::Ended)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_went_without_a_word_can_come_back() {
    let mut call = Call::connected().await.unwrap();
    call.guest_sees(10).await;
    // The guest's app goes down; the meeting goes on.
    let gone = std::mem::replace(&mut call.guest, session(&call.provider, &call.meeting, Opening::Active));
    drop(gone);
    reach(&call.guest, "connected again", |now| now.phase == Phase::Connected).await;
    reach(&call.host, "connected again", |now| now.phase == Phase::Connected).await;
    call.guest_sees(10).await;

    let Call { guest, host, .. } = call;
    drop(guest);
    reach(&host, "the peer is gone", |now| now.phase == Phase::Reconnecting(Trouble::PeerGone)).await;
    host.hang_up();
    reach(&host, "ended by us", |now| why(now) == Some(&Why::HungUp)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_that_is_taken_back_or_declined_is_over_on_both_sides() {
    let call = Call::ringing().await.unwrap();
    call.host.hang_up();
    reach(&call.guest, "it no longer rings", |now| why(now) == Some(&Why::Told(EndReason::Cancelled))).await;
    reach(&call.host, "taken back", |now| why(now) == Some(&Why::Cancelled)).await;

    let meeting = call.client.client.call(call.meeting.project_id, None).await.unwrap();
    let host = session(&call.client, &meeting, Opening::Placed);
    let guest = session(&call.provider, &meeting, Opening::Invited { ring_for: Duration::from_secs(45) });
    guest.decline();
    reach(&host, "declined", |now| why(now) == Some(&Why::Told(EndReason::Declined))).await;
    assert_eq!(why(&guest.snapshot()), Some(&Why::Declined));
}
