//! An engine for tests: checks real tokens, carries pictures and sound between engines of one process, delays and
//! fails on demand. Its time is tokio's, so a paused runtime makes it virtual; its chances come from a seed.

use std::{
    collections::{HashMap, VecDeque},
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parley_agora_token::{AppCertificate, AppId, ChannelName, JoinRefused, Privileges, RtcToken, parse};
use parley_domain::{AgoraUid, EngineKind};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{task::AbortHandle, time::Instant};

use crate::{
    audio::AudioQueue,
    engine::{Attempt, Credentials, EngineError, EngineEvent, EnginePorts, MediaEngine, Token, VideoProfile},
    frame::{I420Frame, MediaTime},
    slot::LatestSlot,
};

/// Seconds since 1970 at which every simulated network begins.
const EPOCH_SECONDS: u32 = 1_772_000_000;
/// Agora warns this long before a token ends; so do we.
const EXPIRY_WARNING: Duration = Duration::from_secs(30);
/// Sound is carried block by block at this beat.
const BLOCK: Duration = Duration::from_millis(10);

/// What a network does by itself.
#[derive(Clone, Debug)]
pub struct SimPlan {
    /// Drives every chance.
    pub seed: u64,
    /// How long a join takes.
    pub join_delay: RangeInclusive<Duration>,
    /// Share of joins that fail, 0…1.
    pub join_failure: f64,
    /// Share of pictures that are lost, 0…1.
    pub picture_loss: f64,
}

impl Default for SimPlan {
    /// Everything works, at once.
    fn default() -> Self {
        Self { seed: 0, join_delay: Duration::ZERO..=Duration::ZERO, join_failure: 0.0, picture_loss: 0.0 }
    }
}

/// The place where simulated engines meet, with an App ID and a certificate of its own. Cloning shares it.
#[derive(Clone)]
pub struct SimNetwork(Arc<Shared>);

struct Shared {
    app_id: AppId,
    certificate: AppCertificate,
    begun: Instant,
    state: Mutex<State>,
}

struct State {
    plan: SimPlan,
    chances: StdRng,
    salt: u32,
    /// Outcomes of the next joins, before chance is asked.
    next_joins: VecDeque<Result<(), EngineError>>,
    joins: u32,
    members: HashMap<(String, AgoraUid), Member>,
    heard: HashMap<AgoraUid, Vec<String>>,
}

struct Member {
    peer: AgoraUid,
    ports: EnginePorts,
    wants_video: bool,
    video_flows: bool,
    audio_flows: bool,
    interrupted: bool,
    expiry: AbortHandle,
}

impl SimNetwork {
    /// A network that follows `plan`. Call it inside a tokio runtime.
    pub fn new(plan: SimPlan) -> Self {
        let chances = StdRng::seed_from_u64(plan.seed);
        Self(Arc::new(Shared {
            app_id: AppId::new("970ca35de60c44645bbae8a215061b33").expect("32 hexadecimal digits"),
            certificate: AppCertificate::new("5cfd2fd1755d40ecb72977518be15d3b").expect("32 hexadecimal digits"),
            begun: Instant::now(),
            state: Mutex::new(State {
                plan,
                chances,
                salt: 1,
                next_joins: VecDeque::new(),
                joins: 0,
                members: HashMap::new(),
                heard: HashMap::new(),
            }),
        }))
    }

    /// An engine in this network.
    pub fn engine(&self, ports: EnginePorts) -> SimEngine {
        SimEngine {
            network: self.clone(),
            ports,
            key: None,
            wants_video: Arc::new(AtomicBool::new(true)),
            joining: None,
            video: None,
            audio: None,
        }
    }

    /// Credentials as a server would mint them now, good for `life`.
    pub fn credentials(&self, channel: &str, uid: AgoraUid, peer: AgoraUid, life: Duration) -> Credentials {
        let salt = {
            let mut state = self.lock();
            state.salt += 1;
            state.salt
        };
        let expires_in = u32::try_from(life.as_secs()).unwrap_or(u32::MAX);
        let token = RtcToken {
            app_id: self.0.app_id.clone(),
            channel: ChannelName::new(channel).expect("a test's channel name is valid"),
            uid: uid.get(),
            issued_at: u32::try_from(self.now()).unwrap_or(u32::MAX),
            expires_in,
            salt,
            privileges: Privileges::publisher(expires_in),
        };
        Credentials {
            app_id: self.0.app_id.as_str().to_owned(),
            channel: channel.to_owned(),
            uid,
            peer,
            token: Token(token.build(&self.0.certificate)),
            screen: None,
            peer_screen: None,
            ice_servers: Vec::new(),
        }
    }

    /// Decides the next join that is not decided yet.
    pub fn decide_next_join(&self, outcome: Result<(), EngineError>) {
        self.lock().next_joins.push_back(outcome);
    }

    /// How many joins have been asked for.
    pub fn join_count(&self) -> u32 {
        self.lock().joins
    }

    /// Whether that uid is in the channel.
    pub fn is_joined(&self, channel: &str, uid: AgoraUid) -> bool {
        self.lock().members.contains_key(&(channel.to_owned(), uid))
    }

    /// What `on_signal` was given by that uid's engines, oldest first.
    pub fn signals_heard_by(&self, uid: AgoraUid) -> Vec<String> {
        self.lock().heard.get(&uid).cloned().unwrap_or_default()
    }

    /// Lets that uid's engine tell `event`, as a real one might at any time. `Reconnecting` stops its media until
    /// `Reconnected`; `Lost` puts it out of the channel.
    pub fn tell(&self, channel: &str, uid: AgoraUid, event: EngineEvent) {
        let mut state = self.lock();
        let key = (channel.to_owned(), uid);
        let Some(member) = state.members.get_mut(&key) else { return };
        match &event {
            EngineEvent::Reconnecting => member.interrupted = true,
            EngineEvent::Reconnected => member.interrupted = false,
            _ => {}
        }
        let events = member.ports.events.clone();
        if matches!(event, EngineEvent::Lost(_)) {
            state.remove(&key);
        }
        drop(state);
        tell(&events, event);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since 1970 in this network.
    fn now(&self) -> u64 {
        u64::from(EPOCH_SECONDS) + self.0.begun.elapsed().as_secs()
    }

    /// How long the token is good for this channel and uid from now on.
    fn check(&self, credentials: &Credentials) -> Result<Duration, EngineError> {
        let token = parse(&credentials.token.0).map_err(|_| EngineError::TokenRefused)?;
        let now = self.now();
        let app = (&self.0.app_id, &self.0.certificate);
        match token.check_rtc_join(app, &credentials.channel, credentials.uid.get(), now) {
            Ok(()) => Ok(Duration::from_secs(token.expires_at().saturating_sub(now))),
            Err(JoinRefused::Expired) => Err(EngineError::TokenExpired),
            Err(_) => Err(EngineError::TokenRefused),
        }
    }

    fn admit(
        &self,
        credentials: &Credentials,
        ports: &EnginePorts,
        wants_video: &AtomicBool,
    ) -> Result<(), EngineError> {
        let life = self.check(credentials)?;
        let key = (credentials.channel.clone(), credentials.uid);
        let expiry = self.watch_expiry(key.clone(), life);
        let mut state = self.lock();
        let member = Member {
            peer: credentials.peer,
            ports: ports.clone(),
            wants_video: wants_video.load(Ordering::Relaxed),
            video_flows: false,
            audio_flows: false,
            interrupted: false,
            expiry,
        };
        if let Some(before) = state.members.insert(key, member) {
            before.expiry.abort();
        }
        Ok(())
    }

    /// The two find each other, if both are there.
    fn introduce(&self, channel: &str, uid: AgoraUid) {
        let state = self.lock();
        let Some(member) = state.members.get(&(channel.to_owned(), uid)) else { return };
        let Some(peer) = state.members.get(&(channel.to_owned(), member.peer)) else { return };
        tell(&member.ports.events, EngineEvent::PeerConnected);
        tell(&peer.ports.events, EngineEvent::PeerConnected);
    }

    fn watch_expiry(&self, key: (String, AgoraUid), life: Duration) -> AbortHandle {
        let network = self.clone();
        let ends = Instant::now() + life;
        tokio::spawn(async move {
            tokio::time::sleep_until(ends - EXPIRY_WARNING.min(life)).await;
            network.tell(&key.0, key.1, EngineEvent::TokenExpiring);
            tokio::time::sleep_until(ends).await;
            network.tell(&key.0, key.1, EngineEvent::Lost(EngineError::TokenExpired));
        })
        .abort_handle()
    }

    fn carry_picture(&self, key: &(String, AgoraUid), frame: I420Frame) {
        let mut state = self.lock();
        let loss = state.plan.picture_loss;
        if loss > 0.0 && state.chances.random_bool(loss) {
            return;
        }
        let Some(to) = state.receiver_of(key).filter(|to| to.wants_video) else { return };
        if !std::mem::replace(&mut to.video_flows, true) {
            tell(&to.ports.events, EngineEvent::RemoteVideo(true));
        }
        let mut frame = frame;
        frame.time = MediaTime::now();
        to.ports.remote_video.put(frame);
    }

    fn carry_sound(&self, key: &(String, AgoraUid), blocks: &AudioQueue) {
        while let Some(block) = blocks.pop() {
            let mut state = self.lock();
            let Some(to) = state.receiver_of(key) else { continue };
            if !std::mem::replace(&mut to.audio_flows, true) {
                tell(&to.ports.events, EngineEvent::RemoteAudio(true));
            }
            to.ports.remote_audio.push(block);
        }
    }

    fn stop_pictures(&self, key: &(String, AgoraUid)) {
        if let Some(to) = self.lock().receiver_of(key)
            && std::mem::replace(&mut to.video_flows, false)
        {
            tell(&to.ports.events, EngineEvent::RemoteVideo(false));
        }
    }

    fn stop_sound(&self, key: &(String, AgoraUid)) {
        if let Some(to) = self.lock().receiver_of(key)
            && std::mem::replace(&mut to.audio_flows, false)
        {
            tell(&to.ports.events, EngineEvent::RemoteAudio(false));
        }
    }
}

impl State {
    fn receiver_of(&mut self, key: &(String, AgoraUid)) -> Option<&mut Member> {
        let from = self.members.get(key).filter(|from| !from.interrupted)?;
        let to = (key.0.clone(), from.peer);
        self.members.get_mut(&to).filter(|to| !to.interrupted)
    }

    fn remove(&mut self, key: &(String, AgoraUid)) {
        let Some(member) = self.members.remove(key) else { return };
        member.expiry.abort();
        if let Some(peer) = self.members.get_mut(&(key.0.clone(), member.peer)) {
            (peer.video_flows, peer.audio_flows) = (false, false);
            tell(&peer.ports.events, EngineEvent::PeerLeft);
        }
    }
}

/// An engine never blocks on its events; a test that does not read them loses them.
fn tell(events: &tokio::sync::mpsc::Sender<EngineEvent>, event: EngineEvent) {
    if events.try_send(event).is_err() {
        tracing::debug!("a simulated engine's event was not read");
    }
}

/// Aborts its task when it is dropped.
struct Task(AbortHandle);

impl Task {
    fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work).abort_handle())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The simulated engine. Use it inside a tokio runtime.
pub struct SimEngine {
    network: SimNetwork,
    ports: EnginePorts,
    key: Option<(String, AgoraUid)>,
    /// Shared with a join under way, which may be admitted after it has changed.
    wants_video: Arc<AtomicBool>,
    joining: Option<Task>,
    video: Option<(Arc<LatestSlot<I420Frame>>, Option<Task>)>,
    audio: Option<(Arc<AudioQueue>, Option<Task>)>,
}

impl SimEngine {
    fn send_pictures(&mut self) {
        if let (Some(key), Some((frames, task))) = (&self.key, &mut self.video) {
            let (network, key, frames) = (self.network.clone(), key.clone(), Arc::clone(frames));
            *task = Some(Task::spawn(async move {
                loop {
                    let frame = frames.take().await;
                    network.carry_picture(&key, frame);
                }
            }));
        }
    }

    fn send_sound(&mut self) {
        if let (Some(key), Some((blocks, task))) = (&self.key, &mut self.audio) {
            let (network, key, blocks) = (self.network.clone(), key.clone(), Arc::clone(blocks));
            *task = Some(Task::spawn(async move {
                let mut beat = tokio::time::interval(BLOCK);
                loop {
                    beat.tick().await;
                    network.carry_sound(&key, &blocks);
                }
            }));
        }
    }

    fn go_out(&mut self) {
        self.joining = None;
        if let Some((_, task)) = &mut self.video {
            *task = None;
        }
        if let Some((_, task)) = &mut self.audio {
            *task = None;
        }
        if let Some(key) = self.key.take() {
            self.network.lock().remove(&key);
        }
    }
}

impl MediaEngine for SimEngine {
    /// Stands in for either; it says `direct`.
    fn kind(&self) -> EngineKind {
        EngineKind::Direct
    }

    fn join(&mut self, attempt: Attempt, credentials: Credentials) {
        self.go_out();
        let (delay, outcome) = {
            let mut state = self.network.lock();
            state.joins += 1;
            let (delay, failure) = (state.plan.join_delay.clone(), state.plan.join_failure);
            let delay = state.chances.random_range(delay);
            let outcome = match state.next_joins.pop_front() {
                Some(outcome) => outcome,
                None if failure > 0.0 && state.chances.random_bool(failure) => Err(EngineError::TimedOut),
                None => Ok(()),
            };
            (delay, outcome)
        };
        self.key = Some((credentials.channel.clone(), credentials.uid));
        let (network, ports, wants_video) = (self.network.clone(), self.ports.clone(), Arc::clone(&self.wants_video));
        self.joining = Some(Task::spawn(async move {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            match outcome.and_then(|()| network.admit(&credentials, &ports, &wants_video)) {
                Ok(()) => {
                    tell(&ports.events, EngineEvent::Joined(attempt));
                    network.introduce(&credentials.channel, credentials.uid);
                }
                Err(error) => tell(&ports.events, EngineEvent::JoinFailed(attempt, error)),
            }
        }));
        self.send_pictures();
        self.send_sound();
    }

    fn publish_video(&mut self, frames: Option<Arc<LatestSlot<I420Frame>>>, _profile: VideoProfile) {
        let stopped = frames.is_none();
        self.video = frames.map(|frames| (frames, None));
        self.send_pictures();
        if let (true, Some(key)) = (stopped, &self.key) {
            self.network.stop_pictures(key);
        }
    }

    fn publish_audio(&mut self, blocks: Option<Arc<AudioQueue>>) {
        let stopped = blocks.is_none();
        self.audio = blocks.map(|blocks| (blocks, None));
        self.send_sound();
        if let (true, Some(key)) = (stopped, &self.key) {
            self.network.stop_sound(key);
        }
    }

    fn want_remote_video(&mut self, wanted: bool) {
        self.wants_video.store(wanted, Ordering::Relaxed);
        let Some(key) = &self.key else { return };
        let mut state = self.network.lock();
        if let Some(member) = state.members.get_mut(key) {
            member.wants_video = wanted;
            if !wanted && std::mem::replace(&mut member.video_flows, false) {
                tell(&member.ports.events, EngineEvent::RemoteVideo(false));
            }
        }
    }

    fn renew_token(&mut self, token: Token) {
        let Some(key) = self.key.clone() else { return };
        let Some(peer) = self.network.lock().members.get(&key).map(|member| member.peer) else { return };
        let credentials = Credentials {
            app_id: self.network.0.app_id.as_str().to_owned(),
            channel: key.0.clone(),
            uid: key.1,
            peer,
            token,
            screen: None,
            peer_screen: None,
            ice_servers: Vec::new(),
        };
        match self.network.check(&credentials) {
            Ok(life) => {
                let expiry = self.network.watch_expiry(key.clone(), life);
                if let Some(member) = self.network.lock().members.get_mut(&key) {
                    std::mem::replace(&mut member.expiry, expiry).abort();
                }
            }
            Err(error) => self.network.tell(&key.0, key.1, EngineEvent::Lost(error)),
        }
    }

    fn on_signal(&mut self, data: &str) {
        if let Some(key) = &self.key {
            self.network.lock().heard.entry(key.1).or_default().push(data.to_owned());
        }
    }

    fn leave(&mut self) {
        self.go_out();
        (self.video, self.audio) = (None, None);
    }
}

impl Drop for SimEngine {
    fn drop(&mut self) {
        self.leave();
    }
}
