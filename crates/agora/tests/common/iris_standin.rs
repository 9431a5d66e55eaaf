//! Copies of the desktop wrapper's stand-in, each with rooms, tokens and knobs of its own: one engine lives in one copy.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    ffi::{CStr, CString, c_char, c_int, c_longlong},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant, UNIX_EPOCH},
};

use parley_agora::iris::{IrisEngine, Library};
use parley_agora_token::{AppCertificate, AppId, ChannelName, Privileges, RtcToken};
use parley_call::{
    Attempt, AudioQueue, Credentials, EngineEvent, EnginePorts, I420Frame, LatestSlot, MediaEngine, ScreenPass, Token,
    suite::{LIMIT, Side},
};
use parley_domain::AgoraUid;
use tempfile::TempDir;
use tokio::sync::mpsc;

pub(crate) const APP_ID: &str = "970ca35de60c44645bbae8a215061b33";
const CERTIFICATE: &str = "5cfd2fd1755d40ecb72977518be15d3b";
pub(crate) const CHANNEL: &str = "meeting-1";
pub(crate) const A: u32 = 1_001;
pub(crate) const B: u32 = 2_002;
pub(crate) const A_SCREEN: u32 = 3_003;
pub(crate) const B_SCREEN: u32 = 4_004;

/// Files that a copy consists of.
const FILES: [&str; 2] = ["libAgoraRtcWrapper.so", "libagora_rtc_sdk.so"];

/// Counters that are zero when nothing of a call is left.
const LIVING: [&str; 6] = ["services", "connections", "tracks", "senders", "observers", "threads"];

/// The stand-in, compiled once for all tests of this crate.
fn compiled() -> PathBuf {
    let library = parley_agora_standin::iris(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("iris-standin"));
    library.expect("a C compiler").parent().expect("in a folder").to_owned()
}

/// A place where copies find each other. Dropping it asserts that every copy was called rightly and holds nothing more.
pub(crate) struct World {
    room: TempDir,
    copies: Mutex<Vec<Arc<Copy>>>,
}

/// One copy of the library in this process.
pub(crate) struct Copy {
    pub(crate) library: Arc<Library>,
    handle: libloading::Library,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { room: tempfile::tempdir().expect("a folder"), copies: Mutex::new(Vec::new()) }
    }

    /// One more copy.
    pub(crate) fn copy(&self) -> Arc<Copy> {
        let mut copies = self.copies();
        let folder = self.room.path().join(format!("copy-{}", copies.len()));
        fs::create_dir(&folder).expect("a folder");
        let from = compiled();
        for file in FILES {
            fs::copy(from.join(file), folder.join(file)).expect("copied");
        }
        let library = Library::load(&folder).expect("the stand-in is loaded");
        // SAFETY: it is open already; this only counts one user more.
        let handle = unsafe { libloading::Library::new(library.path()) }.expect("open already");
        let copy = Arc::new(Copy { library, handle });
        for (name, text) in [
            ("room", self.room.path().join("room").to_str().expect("a path of letters")),
            ("app_id", APP_ID),
            ("certificate", CERTIFICATE),
        ] {
            copy.set_text(name, text);
        }
        copies.push(Arc::clone(&copy));
        copy
    }

    /// The newest copy.
    pub(crate) fn last(&self) -> Arc<Copy> {
        Arc::clone(self.copies().last().expect("at least one"))
    }

    /// An engine in a copy of its own.
    pub(crate) fn engine(&self, ports: EnginePorts) -> Box<dyn MediaEngine> {
        Box::new(IrisEngine::new(ports, Arc::clone(&self.copy().library)))
    }

    fn copies(&self) -> MutexGuard<'_, Vec<Arc<Copy>>> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for copy in self.copies().iter() {
            copy.expect_well();
        }
    }
}

impl Copy {
    /// Makes it misbehave.
    pub(crate) fn set(&self, knob: &str, value: i64) {
        let name = c_text(knob);
        // SAFETY: the stand-in's own function, of this type.
        let set =
            unsafe { self.handle.get::<unsafe extern "C" fn(*const c_char, c_longlong) -> c_int>(b"standin_set\0") };
        // SAFETY: a string that ends with a zero.
        assert_eq!(unsafe { set.expect("exported")(name.as_ptr(), value) }, 0, "{knob} is known");
    }

    pub(crate) fn set_text(&self, name: &str, text: &str) {
        let (name, text) = (c_text(name), c_text(text));
        type SetText = unsafe extern "C" fn(*const c_char, *const c_char) -> c_int;
        // SAFETY: the stand-in's own function, of this type.
        let set = unsafe { self.handle.get::<SetText>(b"standin_set_text\0") };
        // SAFETY: strings that end with a zero.
        assert_eq!(unsafe { set.expect("exported")(name.as_ptr(), text.as_ptr()) }, 0, "{name:?} is known");
    }

    /// A counter.
    pub(crate) fn get(&self, counter: &str) -> i64 {
        let name = c_text(counter);
        // SAFETY: the stand-in's own function, of this type.
        let get = unsafe { self.handle.get::<unsafe extern "C" fn(*const c_char) -> c_longlong>(b"standin_get\0") };
        // SAFETY: a string that ends with a zero.
        unsafe { get.expect("exported")(name.as_ptr()) }
    }

    /// What was wrong in the calls so far.
    pub(crate) fn complaints(&self) -> String {
        let mut into = vec![0; 64 * 1024];
        let size = c_int::try_from(into.len()).expect("small");
        type Complaints = unsafe extern "C" fn(*mut c_char, c_int) -> c_int;
        // SAFETY: the stand-in's own function, of this type.
        let complaints = unsafe { self.handle.get::<Complaints>(b"standin_complaints\0") };
        // SAFETY: a buffer of that size.
        let count = unsafe { complaints.expect("exported")(into.as_mut_ptr().cast(), size) };
        let text = CStr::from_bytes_until_nul(&into).expect("a text").to_string_lossy().into_owned();
        assert_eq!(count == 0, text.is_empty(), "{count}: {text}");
        text
    }

    /// Nothing was wrong, and nothing is left.
    pub(crate) fn expect_well(&self) {
        assert_eq!(self.complaints(), "");
        let deadline = Instant::now() + LIMIT;
        let left = || LIVING.map(|name| self.get(name));
        // Its own threads end a little later than the call that ends them.
        while left() != [0; LIVING.len()] {
            assert!(Instant::now() < deadline, "{LIVING:?} are {:?} in the end", left());
            std::thread::yield_now();
        }
    }
}

fn c_text(text: &str) -> CString {
    CString::new(text).expect("no zero in it")
}

fn uid(number: u32) -> AgoraUid {
    AgoraUid::new(number).expect("above 0")
}

/// A token as a server would mint it now.
pub(crate) fn token(channel: &str, of: u32, life: Duration) -> Token {
    static SALT: AtomicU32 = AtomicU32::new(1);
    let expires_in = u32::try_from(life.as_secs()).expect("a short life");
    let token = RtcToken {
        app_id: AppId::new(APP_ID).expect("valid"),
        channel: ChannelName::new(channel).expect("valid"),
        uid: of,
        issued_at: u32::try_from(UNIX_EPOCH.elapsed().expect("after 1970").as_secs()).expect("before 2106"),
        expires_in,
        salt: SALT.fetch_add(1, Ordering::Relaxed),
        privileges: Privileges::publisher(expires_in),
    };
    Token(token.build(&AppCertificate::new(CERTIFICATE).expect("valid")))
}

/// Good credentials of one side, with a pass for its screen.
pub(crate) fn credentials(side: Side) -> Credentials {
    let life = Duration::from_secs(600);
    let (own, peer, own_screen, peer_screen) = match side {
        Side::A => (A, B, A_SCREEN, B_SCREEN),
        Side::B => (B, A, B_SCREEN, A_SCREEN),
    };
    Credentials {
        app_id: APP_ID.to_owned(),
        channel: CHANNEL.to_owned(),
        uid: uid(own),
        peer: uid(peer),
        token: token(CHANNEL, own, life),
        screen: Some(ScreenPass { uid: uid(own_screen), token: token(CHANNEL, own_screen, life) }),
        peer_screen: Some(uid(peer_screen)),
        ice_servers: Vec::new(),
    }
}

/// An engine in a copy of its own, with its ports.
pub(crate) struct End {
    pub(crate) engine: Option<Box<dyn MediaEngine>>,
    pub(crate) copy: Arc<Copy>,
    pub(crate) events: mpsc::Receiver<EngineEvent>,
    pub(crate) video: Arc<LatestSlot<I420Frame>>,
    pub(crate) screen: Arc<LatestSlot<I420Frame>>,
    pub(crate) audio: Arc<AudioQueue>,
    pub(crate) told: Vec<EngineEvent>,
    sender: mpsc::Sender<EngineEvent>,
}

impl End {
    pub(crate) fn new(world: &World) -> Self {
        let copy = world.copy();
        let (sender, events) = mpsc::channel(256);
        let (video, screen) = (Arc::new(LatestSlot::new()), Arc::new(LatestSlot::new()));
        let audio = Arc::new(AudioQueue::new(100));
        let mut end = Self { engine: None, copy, events, video, screen, audio, told: Vec::new(), sender };
        end.engine = Some(Box::new(IrisEngine::new(end.ports(), Arc::clone(&end.copy.library))));
        end
    }

    /// What its engine was built with.
    pub(crate) fn ports(&self) -> EnginePorts {
        EnginePorts {
            events: self.sender.clone(),
            remote_video: Arc::clone(&self.video),
            remote_screen: Arc::clone(&self.screen),
            remote_audio: Arc::clone(&self.audio),
        }
    }

    pub(crate) fn engine(&mut self) -> &mut dyn MediaEngine {
        &mut **self.engine.as_mut().expect("not dropped yet")
    }

    pub(crate) fn join(&mut self, attempt: u32, side: Side) {
        self.engine().join(Attempt(attempt), credentials(side));
    }

    /// Waits until that is told, unless it was before; what else is told is kept in `told`, quality aside.
    pub(crate) async fn expect(&mut self, wanted: EngineEvent) {
        self.expect_some(&format!("{wanted:?}"), |event| *event == wanted).await;
    }

    pub(crate) async fn expect_some(&mut self, what: &str, wanted: impl Fn(&EngineEvent) -> bool) {
        if let Some(at) = self.told.iter().position(&wanted) {
            self.told.remove(at);
            return;
        }
        let deadline = tokio::time::Instant::now() + LIMIT;
        loop {
            let next = tokio::time::timeout_at(deadline, self.events.recv()).await;
            let Ok(Some(event)) = next else { panic!("{what} is told in time; told was {:?}", self.told) };
            if wanted(&event) {
                return;
            }
            if !matches!(event, EngineEvent::Quality(_)) {
                self.told.push(event);
            }
        }
    }
}

/// Waits for something that no event tells.
pub(crate) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < deadline, "in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A picture source of one grey with something moving in it, while it lives.
pub(crate) struct Grey {
    pub(crate) frames: Arc<LatestSlot<I420Frame>>,
    task: tokio::task::JoinHandle<()>,
}

impl Grey {
    pub(crate) fn start(luma: u8, width: u32, height: u32) -> Self {
        let frames = Arc::new(LatestSlot::new());
        let slot = Arc::clone(&frames);
        let task = tokio::spawn(async move {
            let pool = parley_call::FramePool::new();
            let mut beat = tokio::time::interval(Duration::from_millis(33));
            for count in 0_usize.. {
                beat.tick().await;
                slot.put(pool.frame(width, height, parley_call::MediaTime::now(), |y, u, v| {
                    y.fill(luma);
                    let at = count % y.len();
                    y[at] = luma.wrapping_add(20);
                    u.fill(128);
                    v.fill(128);
                }));
            }
        });
        Self { frames, task }
    }
}

impl Drop for Grey {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A square wave, a block every 10 ms, while it lives.
pub(crate) struct Buzz {
    pub(crate) blocks: Arc<AudioQueue>,
    task: tokio::task::JoinHandle<()>,
}

impl Buzz {
    pub(crate) fn start() -> Self {
        let blocks = Arc::new(AudioQueue::new(20));
        let queue = Arc::clone(&blocks);
        let task = tokio::spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_millis(10));
            let samples = std::array::from_fn(|at| if at / 60 % 2 == 0 { 6_000 } else { -6_000 });
            loop {
                beat.tick().await;
                queue.push(parley_call::AudioBlock { samples, time: parley_call::MediaTime::now() });
            }
        });
        Self { blocks, task }
    }
}

impl Drop for Buzz {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn is_grey(frame: &I420Frame, luma: u8) -> bool {
    let mean = frame.y().iter().map(|&value| u64::from(value)).sum::<u64>() / frame.y().len() as u64;
    mean.abs_diff(u64::from(luma)) < 24
}
