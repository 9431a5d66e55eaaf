//! Two engines in one process, and a server between them that carries their signals.
#![allow(dead_code, reason = "each test file uses another part")]

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use parley_call::{
    Attempt, AudioQueue, Credentials, EngineEvent, EnginePorts, I420Frame, LatestSlot, MediaEngine, Token,
};
use parley_direct::{BindAddresses, DirectEngine, DirectOptions};
use parley_domain::AgoraUid;
use parley_media::{FrameLog, SourceOptions, VideoSource};
use tokio::sync::mpsc;

/// Nothing that is waited for here takes longer on the slowest machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn loopback() -> DirectOptions {
    DirectOptions { addresses: BindAddresses::Only(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]), ..DirectOptions::default() }
}

/// The real clip where it is known, else the drawn card.
pub(crate) fn source(log: &Arc<FrameLog>) -> VideoSource {
    let options = SourceOptions { stamped: true, log: Some(Arc::clone(log)), ..SourceOptions::default() };
    match std::env::var_os("PARLEY_CLIP").map(PathBuf::from).filter(|path| path.is_file()) {
        Some(path) => VideoSource::clip(&path, options).expect("the clip can be played"),
        None => VideoSource::card("LOOPBACK", options).expect("a card can always be drawn"),
    }
}

/// One engine with its ports.
pub(crate) struct End {
    pub(crate) engine: DirectEngine,
    pub(crate) events: mpsc::Receiver<EngineEvent>,
    pub(crate) pictures: Arc<LatestSlot<I420Frame>>,
    pub(crate) sound: Arc<AudioQueue>,
    pub(crate) told: Vec<EngineEvent>,
    uid: u32,
    peer: u32,
    attempts: u32,
    /// Whether its signals arrive.
    pub(crate) reachable: bool,
}

impl End {
    fn new(uid: u32, peer: u32, options: DirectOptions) -> Self {
        let (sender, events) = mpsc::channel(256);
        let (pictures, sound) = (Arc::new(LatestSlot::new()), Arc::new(AudioQueue::new(100)));
        let ports = EnginePorts {
            events: sender,
            remote_video: Arc::clone(&pictures),
            remote_screen: Arc::new(LatestSlot::new()),
            remote_audio: Arc::clone(&sound),
        };
        let engine = DirectEngine::new(ports, options);
        Self { engine, events, pictures, sound, told: Vec::new(), uid, peer, attempts: 0, reachable: true }
    }

    pub(crate) fn join(&mut self) {
        self.attempts += 1;
        let uid = |number| AgoraUid::new(number).expect("above 0");
        let credentials = Credentials {
            app_id: String::new(),
            channel: "test".to_owned(),
            uid: uid(self.uid),
            peer: uid(self.peer),
            token: Token(String::new()),
            screen: None,
            peer_screen: None,
            ice_servers: Vec::new(),
        };
        self.engine.join(Attempt(self.attempts), credentials);
    }
}

/// Two ends; signals pass in order.
pub(crate) struct Pair {
    pub(crate) ends: [End; 2],
    /// Every signal that was carried, for tests that repeat them.
    pub(crate) carried: Vec<(usize, String)>,
}

impl Pair {
    pub(crate) fn new(options: DirectOptions) -> Self {
        Self::with([options.clone(), options])
    }

    pub(crate) fn with([one, two]: [DirectOptions; 2]) -> Self {
        Self { ends: [End::new(11, 22, one), End::new(22, 11, two)], carried: Vec::new() }
    }

    pub(crate) async fn connected(options: DirectOptions) -> Self {
        let mut pair = Self::new(options);
        pair.ends.iter_mut().for_each(End::join);
        for at in 0..2 {
            pair.expect(at, &EngineEvent::PeerConnected).await;
        }
        pair
    }

    /// Carries signals until that end has told `event`.
    pub(crate) async fn expect(&mut self, at: usize, event: &EngineEvent) {
        let name = format!("{event:?} from {at}");
        self.until(&name, |pair| {
            let found = pair.ends[at].told.iter().position(|told| told == event);
            found.is_some_and(|index| {
                pair.ends[at].told.remove(index);
                true
            })
        })
        .await;
    }

    /// Carries signals until `done`.
    pub(crate) async fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + LIMIT;
        loop {
            while let Some((at, event)) = self.take() {
                self.on_event(at, event);
            }
            if done(self) {
                return;
            }
            let told = [&self.ends[0].told, &self.ends[1].told];
            assert!(Instant::now() < deadline, "in time: {what}; told {told:?}");
            let [one, two] = &mut self.ends;
            let next = tokio::select! {
                Some(event) = one.events.recv() => Some((0, event)),
                Some(event) = two.events.recv() => Some((1, event)),
                () = tokio::time::sleep(Duration::from_millis(5)) => None,
            };
            if let Some((at, event)) = next {
                self.on_event(at, event);
            }
        }
    }

    fn take(&mut self) -> Option<(usize, EngineEvent)> {
        (0..2).find_map(|at| self.ends[at].events.try_recv().ok().map(|event| (at, event)))
    }

    fn on_event(&mut self, at: usize, event: EngineEvent) {
        match event {
            EngineEvent::Signal(data) => {
                if self.ends[at].reachable && self.ends[1 - at].reachable {
                    self.ends[1 - at].engine.on_signal(&data);
                }
                self.carried.push((1 - at, data));
            }
            event => self.ends[at].told.push(event),
        }
    }
}
