//! Two sessions, simulated engines and a server made of a few lines, in virtual time: the task, the watch, the handle.

use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use parley_call::{
    CallFailure, CallSession, EngineError, EngineEvent, FramePool, Grant, LatestSlot, MediaState, MediaTime, Opening,
    Phase, Signalling, SignallingError, Token, Trouble, VideoProfile, VideoTrack, Why,
    sim::{SimNetwork, SimPlan},
};
use parley_domain::{AgoraUid, EndReason, EngineKind, MeetingId};

const CHANNEL: &str = "session";

/// A server for one meeting of two people. What it does to both goes through their sessions.
#[derive(Default)]
struct Server {
    state: Mutex<ServerState>,
}

#[derive(Default)]
struct ServerState {
    sessions: [Weak<CallSession>; 2],
    bound: [bool; 2],
    over: bool,
    reachable: bool,
    log: Vec<String>,
}

struct Line {
    server: Arc<Server>,
    network: SimNetwork,
    own: usize,
}

fn uid(side: usize) -> AgoraUid {
    AgoraUid::new(side as u32 + 1).expect("above 0")
}

impl Line {
    /// What the server does when this side asks it for `what`.
    fn ask<T>(&self, what: &str, act: impl FnOnce(&mut ServerState) -> T) -> Result<T, SignallingError> {
        let mut state = self.server.state.lock().expect("no test panics here");
        if !state.reachable {
            return Err(SignallingError::Unreachable);
        }
        state.log.push(format!("{} {what}", self.own));
        if state.over {
            return Err(SignallingError::WrongState);
        }
        Ok(act(&mut state))
    }

    fn to_both(state: &ServerState, tell: impl Fn(&CallSession)) {
        state.sessions.iter().filter_map(Weak::upgrade).for_each(|session| tell(&session));
    }

    fn to_other(&self, state: &ServerState, tell: impl Fn(&CallSession)) {
        if state.bound == [true, true]
            && let Some(session) = state.sessions[1 - self.own].upgrade()
        {
            tell(&session);
        }
    }
}

impl Signalling for Line {
    async fn accept(&self, _: MeetingId) -> Result<(), SignallingError> {
        self.ask("accept", |state| Self::to_both(state, CallSession::on_started))
    }

    async fn decline(&self, _: MeetingId) -> Result<(), SignallingError> {
        self.ask("decline", |state| {
            state.over = true;
            Self::to_both(state, |session| session.on_ended(EndReason::Declined, None));
        })
    }

    async fn cancel(&self, _: MeetingId) -> Result<(), SignallingError> {
        self.ask("cancel", |state| {
            state.over = true;
            Self::to_both(state, |session| session.on_ended(EndReason::Cancelled, None));
        })
    }

    async fn end(&self, _: MeetingId) -> Result<Option<i64>, SignallingError> {
        self.ask("end", |state| {
            state.over = true;
            Self::to_both(state, |session| session.on_ended(EndReason::Ended, Some(42)));
            Some(42)
        })
    }

    async fn fetch_token(&self, _: MeetingId) -> Result<Grant, SignallingError> {
        self.ask("token", |_| {
            let life = Duration::from_secs(600);
            let credentials = self.network.credentials(CHANNEL, uid(self.own), uid(1 - self.own), life);
            Grant { engine: EngineKind::Direct, credentials, life }
        })
    }

    async fn call_join(&self, _: MeetingId, token: Token) -> Result<(), SignallingError> {
        assert!(token.0.starts_with("007"));
        self.ask("join", |state| state.bound[self.own] = true)
    }

    async fn call_leave(&self, _: MeetingId) -> Result<(), SignallingError> {
        self.ask("leave", |state| state.bound[self.own] = false)
    }

    async fn call_state(&self, _: MeetingId, told: MediaState) -> Result<(), SignallingError> {
        self.ask("state", |state| self.to_other(state, |session| session.on_peer_state(told)))
    }

    async fn call_signal(&self, _: MeetingId, data: String) -> Result<(), SignallingError> {
        self.ask("signal", |state| self.to_other(state, |session| session.on_peer_signal(data.clone())))
    }
}

struct Call {
    server: Arc<Server>,
    network: SimNetwork,
    host: Arc<CallSession>,
    guest: Arc<CallSession>,
}

impl Call {
    fn ringing() -> Self {
        let join_delay = Duration::from_millis(5)..=Duration::from_millis(80);
        Self::ringing_over(SimPlan { seed: 3, join_delay, ..SimPlan::default() })
    }

    fn ringing_over(plan: SimPlan) -> Self {
        let network = SimNetwork::new(plan);
        let server = Arc::new(Server::default());
        let session = |own, opening| {
            let line = Line { server: Arc::clone(&server), network: network.clone(), own };
            let engines = network.clone();
            let factory = Box::new(move |_, ports| Ok(Box::new(engines.engine(ports)) as Box<_>));
            Arc::new(CallSession::start(meeting(), opening, Arc::new(line), factory))
        };
        let host = session(0, Opening::Placed);
        let guest = session(1, Opening::Invited { ring_for: Duration::from_secs(45) });
        {
            let mut state = server.state.lock().expect("no test panics here");
            state.reachable = true;
            state.sessions = [Arc::downgrade(&host), Arc::downgrade(&guest)];
        }
        Self { server, network, host, guest }
    }

    async fn connected() -> Self {
        let call = Self::ringing();
        call.guest.accept();
        assert!(call.host.connected().await && call.guest.connected().await);
        call
    }

    fn set_reachable(&self, reachable: bool) {
        self.server.state.lock().expect("no test panics here").reachable = reachable;
    }

    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.server.state.lock().expect("no test panics here").log)
    }

    fn nobody_is_joined(&self) -> bool {
        !(self.network.is_joined(CHANNEL, uid(0)) || self.network.is_joined(CHANNEL, uid(1)))
    }
}

fn meeting() -> MeetingId {
    MeetingId(uuid::Uuid::from_u128(7))
}

async fn reach(session: &CallSession, phase: Phase) {
    let mut watch = session.watch();
    let reached = tokio::time::timeout(Duration::from_secs(200), watch.wait_for(|now| now.phase == phase)).await;
    assert!(reached.is_ok(), "{phase:?} is reached, not {:?}", session.snapshot().phase);
}

async fn over(session: &CallSession) -> Why {
    let mut watch = session.watch();
    let snapshot = watch.wait_for(parley_call::CallSnapshot::is_over).await.expect("the task is alive").clone();
    let Phase::Ended(ending) = snapshot.phase else { unreachable!("it is over") };
    ending.why
}

#[tokio::test(start_paused = true)]
async fn ring_answer_talk_hang_up() {
    let call = Call::connected().await;
    let frames = Arc::new(LatestSlot::new());
    call.guest.set_camera(Some(VideoTrack { frames: Arc::clone(&frames), profile: VideoProfile::default() }));
    let mut watch = call.host.watch();
    watch.wait_for(|now| now.peer.camera).await.expect("the host hears that the guest's camera is on");
    frames.put(FramePool::new().frame(64, 36, MediaTime(0), |y, _, _| y.fill(77)));
    assert_eq!(call.host.remote_video().take().await.y()[0], 77);

    call.host.hang_up();
    assert_eq!(over(&call.host).await, Why::HungUp);
    assert_eq!(over(&call.guest).await, Why::Told(EndReason::Ended));
    let Call { host, guest, network, .. } = call;
    let mut told = host.watch();
    let knows =
        |now: &parley_call::CallSnapshot| matches!(&now.phase, Phase::Ended(end) if end.duration_seconds == Some(42));
    told.wait_for(knows).await.expect("the duration comes with the answer");
    for session in [host, guest] {
        Arc::into_inner(session).expect("the last handle").finish().await;
    }
    assert!(!network.is_joined(CHANNEL, uid(0)) && !network.is_joined(CHANNEL, uid(1)));
}

#[tokio::test(start_paused = true)]
async fn each_join_is_preceded_by_its_own_token_and_bind() {
    let call = Call::connected().await;
    let own = |log: Vec<String>| log.into_iter().filter(|line| line.starts_with('0')).collect::<Vec<_>>();
    assert_eq!(own(call.log()), ["0 token", "0 join", "0 state"]);
    call.network.tell(CHANNEL, uid(0), EngineEvent::Lost(EngineError::NoNetwork));
    reach(&call.host, Phase::Reconnecting(Trouble::Media)).await;
    reach(&call.host, Phase::Connected).await;
    assert_eq!(own(call.log())[..2], ["0 token", "0 join"]);
}

#[tokio::test(start_paused = true)]
async fn the_server_may_go_in_mid_call_and_come_back() {
    let call = Call::connected().await;
    call.set_reachable(false);
    call.host.on_line(false);
    let mut watch = call.host.watch();
    watch.wait_for(|now| !now.server_bound).await.expect("the snapshot says so");
    assert_eq!(call.host.snapshot().phase, Phase::Connected);
    // The socket is back before the server answers again.
    call.host.on_line(true);
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(call.host.snapshot().phase, Phase::Connected);
    call.set_reachable(true);
    watch.wait_for(|now| now.server_bound).await.expect("it is bound again");
    assert_eq!(call.network.join_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn switches_that_were_moved_while_the_path_was_away_hold_after_it() {
    let call = Call::connected().await;
    let [of_host, of_guest] = [Arc::new(LatestSlot::new()), Arc::new(LatestSlot::new())];
    for (session, frames) in [(&call.host, &of_host), (&call.guest, &of_guest)] {
        let track = VideoTrack { frames: Arc::clone(frames), profile: VideoProfile::default() };
        session.set_camera(Some(track));
    }
    call.host.want_remote_video(false);
    let mut host = call.host.watch();
    host.wait_for(|now| now.camera.actual && now.peer.camera).await.expect("both cameras are on");

    call.network.tell(CHANNEL, uid(0), EngineEvent::Lost(EngineError::NoNetwork));
    reach(&call.host, Phase::Reconnecting(Trouble::Media)).await;
    call.host.want_remote_video(true);
    call.host.set_camera(None);
    reach(&call.host, Phase::Connected).await;

    let picture = || FramePool::new().frame(64, 36, MediaTime(0), |y, _, _| y.fill(77));
    of_host.put(picture());
    of_guest.put(picture());
    let seen = tokio::time::timeout(Duration::from_secs(5), call.host.remote_video().take()).await;
    assert_eq!(seen.expect("what was shown again comes").y()[0], 77);
    assert!(of_host.try_take().is_some(), "nobody takes from a camera that was switched off");
}

#[tokio::test(start_paused = true)]
async fn tokens_are_replaced_before_they_end() {
    let call = Call::connected().await;
    call.log();
    // Ten lives of a token; an engine whose token had ended would have lost its path.
    for _ in 0..600 {
        tokio::time::advance(Duration::from_secs(10)).await;
        tokio::task::yield_now().await;
        assert_eq!(call.host.snapshot().phase, Phase::Connected);
    }
    let renewals = call.log().iter().filter(|line| *line == "0 token").count();
    assert!((10..=16).contains(&renewals), "{renewals} renewals");
    assert_eq!(call.network.join_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_handle_takes_its_ring_back() {
    let call = Call::ringing();
    Arc::into_inner(call.host).expect("the last handle").finish().await;
    assert_eq!(over(&call.guest).await, Why::Told(EndReason::Cancelled));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_handle_leaves_the_engine_and_the_server() {
    let call = Call::connected().await;
    call.log();
    let Call { host, guest, server, network } = call;
    drop(host);
    reach(&guest, Phase::Reconnecting(Trouble::PeerGone)).await;
    assert!(!network.is_joined(CHANNEL, uid(0)));
    assert!(network.is_joined(CHANNEL, uid(1)));
    while !server.state.lock().expect("no test panics here").log.contains(&"0 leave".to_owned()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_not_here_fails_the_call_for_both() {
    let mut call = Call::ringing();
    let line = Line { server: Arc::clone(&call.server), network: call.network.clone(), own: 1 };
    let factory = Box::new(|_, _| Err(EngineError::Failed("not installed".into())));
    let opening = Opening::Invited { ring_for: Duration::from_secs(45) };
    call.guest = Arc::new(CallSession::start(meeting(), opening, Arc::new(line), factory));
    call.server.state.lock().expect("no test panics here").sessions[1] = Arc::downgrade(&call.guest);
    call.guest.accept();
    let missing = CallFailure::EngineMissing(EngineError::Failed("not installed".into()));
    assert_eq!(over(&call.guest).await, Why::Failed(missing));
    assert_eq!(over(&call.host).await, Why::Told(EndReason::Ended));
    while !call.nobody_is_joined() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_flaky_engine_gets_in_at_last() {
    let call = Call::ringing();
    for error in [EngineError::TimedOut, EngineError::NoNetwork, EngineError::TokenExpired] {
        call.network.decide_next_join(Err(error));
    }
    call.guest.accept();
    assert!(call.host.connected().await && call.guest.connected().await);
}

#[tokio::test(start_paused = true)]
async fn over_a_bad_network_every_call_connects_and_ends_clean() {
    for seed in 0..200 {
        let join_delay = Duration::ZERO..=Duration::from_secs(3);
        let call = Call::ringing_over(SimPlan { seed, join_delay, join_failure: 0.4, picture_loss: 0.5 });
        call.guest.accept();
        assert!(call.host.connected().await && call.guest.connected().await, "seed {seed}");
        // The path is lost at any moment of the next join's life.
        call.network.tell(CHANNEL, uid(1), EngineEvent::Lost(EngineError::NoNetwork));
        tokio::time::advance(Duration::from_millis(seed * 20)).await;
        call.host.hang_up();
        assert_eq!(over(&call.host).await, Why::HungUp, "seed {seed}");
        assert_eq!(over(&call.guest).await, Why::Told(EndReason::Ended), "seed {seed}");
        let Call { host, guest, network, .. } = call;
        for session in [host, guest] {
            Arc::into_inner(session).expect("the last handle").finish().await;
        }
        assert!(!network.is_joined(CHANNEL, uid(0)) && !network.is_joined(CHANNEL, uid(1)), "seed {seed}");
    }
}
