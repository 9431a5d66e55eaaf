//! What the gateway's tests share: the stand-in library, tokens, and an engine with its ports.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{
    ffi::{CString, c_char, c_int, c_longlong},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant, UNIX_EPOCH},
};

use parley_agora::gateway::{GatewayEngine, Library};
use parley_agora_token::{AppCertificate, AppId, ChannelName, Privileges, RtcToken};
use parley_call::{
    Attempt, AudioQueue, Credentials, EngineEvent, EnginePorts, FramePool, I420Frame, LatestSlot, MediaEngine,
    MediaTime, ScreenPass, Token, suite::Side,
};
use parley_domain::AgoraUid;
use tokio::sync::mpsc;

pub(crate) const APP_ID: &str = "970ca35de60c44645bbae8a215061b33";
const CERTIFICATE: &str = "5cfd2fd1755d40ecb72977518be15d3b";
/// The slowest machine does it in this time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What must be back at zero when nothing is in use.
const IN_USE: [&str; 5] = ["services", "connections", "tracks", "senders", "observers"];

/// The stand-in library of this process, and its strings to pull.
pub(crate) struct Standin {
    pub(crate) library: Arc<Library>,
    strings: libloading::Library,
}

impl Standin {
    /// Where it is built: once for all test programs.
    pub(crate) fn path() -> PathBuf {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gateway");
        parley_agora_standin::gateway(&dir).expect("the stand-in compiles")
    }

    fn get_or_load() -> &'static Self {
        static STANDIN: OnceLock<Standin> = OnceLock::new();
        STANDIN.get_or_init(|| {
            let path = Self::path();
            let library = Library::load(&path).expect("the stand-in is accepted");
            // SAFETY: it is open already.
            let strings = unsafe { agora_sys::open(&path, &[]) }.expect("it opens again");
            let standin = Self { library, strings };
            // Rooms of other processes are not ours.
            let room = tempfile::tempdir().expect("a folder").keep();
            standin.set_text("room", room.to_str().expect("a name"));
            standin.set_text("app_id", APP_ID);
            standin.set_text("certificate", CERTIFICATE);
            standin
        })
    }

    pub(crate) fn set(&self, name: &str, value: i64) {
        let text = CString::new(name).expect("no zero");
        // SAFETY: declared so in the stand-in's header.
        let set =
            unsafe { self.strings.get::<unsafe extern "C" fn(*const c_char, c_longlong) -> c_int>("standin_set") };
        let set = set.expect("it is there");
        // SAFETY: the text ends with a zero.
        let answer = unsafe { set(text.as_ptr(), value) };
        assert_eq!(answer, 0, "there is something called {name}");
    }

    pub(crate) fn set_text(&self, name: &str, value: &str) {
        let (text, value) = (CString::new(name).expect("no zero"), CString::new(value).expect("no zero"));
        // SAFETY: declared so in the stand-in's header.
        let set = unsafe {
            self.strings.get::<unsafe extern "C" fn(*const c_char, *const c_char) -> c_int>("standin_set_text")
        };
        let set = set.expect("it is there");
        // SAFETY: the texts end with a zero.
        let answer = unsafe { set(text.as_ptr(), value.as_ptr()) };
        assert_eq!(answer, 0, "there is a text called {name}");
    }

    pub(crate) fn get(&self, name: &str) -> i64 {
        let text = CString::new(name).expect("no zero");
        // SAFETY: declared so in the stand-in's header.
        let get = unsafe { self.strings.get::<unsafe extern "C" fn(*const c_char) -> c_longlong>("standin_get") };
        let get = get.expect("it is there");
        // SAFETY: the text ends with a zero.
        unsafe { get(text.as_ptr()) }
    }

    /// What was wrong in the calls so far.
    pub(crate) fn complaints(&self) -> String {
        let mut into = vec![0_u8; 64 * 1024];
        // SAFETY: declared so in the stand-in's header.
        let complaints =
            unsafe { self.strings.get::<unsafe extern "C" fn(*mut c_char, c_int) -> c_int>("standin_complaints") };
        let complaints = complaints.expect("it is there");
        // SAFETY: as many bytes as it says.
        unsafe { complaints(into.as_mut_ptr().cast(), into.len() as c_int) };
        let end = into.iter().position(|&byte| byte == 0).unwrap_or(into.len());
        String::from_utf8_lossy(&into[..end]).into_owned()
    }
}

/// The stand-in for one test alone, in a channel of its own. At the end everything must have been given back, and
/// nothing been wrong.
pub(crate) struct Rig {
    standin: &'static Standin,
    channel: String,
    knobs: Mutex<Vec<String>>,
    leaves_something: bool,
    _alone: MutexGuard<'static, ()>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        static CHANNELS: AtomicU32 = AtomicU32::new(0);
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let standin = Standin::get_or_load();
        let channel = format!("channel {}", CHANNELS.fetch_add(1, Ordering::Relaxed));
        Self { standin, channel, knobs: Mutex::default(), leaves_something: false, _alone: alone }
    }

    pub(crate) fn standin(&self) -> &'static Standin {
        self.standin
    }

    pub(crate) fn library(&self) -> &'static Arc<Library> {
        &self.standin.library
    }

    pub(crate) fn channel(&self) -> &str {
        &self.channel
    }

    /// What this test uses is left behind on purpose; no other test may run in the same program.
    pub(crate) fn leave_something(&mut self) {
        self.leaves_something = true;
    }

    /// Lets the stand-in misbehave, until the end of the test.
    pub(crate) fn misbehave(&self, knob: &str, value: i64) {
        self.knobs.lock().expect("not poisoned").push(knob.to_owned());
        self.standin.set(knob, value);
    }

    pub(crate) fn behave(&self, knob: &str) {
        self.standin.set(knob, 0);
    }

    /// A token as a server would mint it, good for so many seconds; for one that has ended, below zero.
    pub(crate) fn token(&self, uid: u32, seconds: i64) -> Token {
        self.token_signed_with(CERTIFICATE, uid, seconds)
    }

    /// The same from a server that has that certificate.
    pub(crate) fn token_signed_with(&self, certificate: &str, uid: u32, seconds: i64) -> Token {
        static SALT: AtomicU32 = AtomicU32::new(1);
        let now = UNIX_EPOCH.elapsed().expect("after 1970").as_secs() as i64;
        let (issued_at, expires_in) = if seconds > 0 { (now, seconds) } else { (now + seconds - 100, 100) };
        let expires_in = expires_in as u32;
        let token = RtcToken {
            app_id: AppId::new(APP_ID).expect("32 hexadecimal digits"),
            channel: ChannelName::new(&self.channel).expect("a valid name"),
            uid,
            issued_at: issued_at as u32,
            expires_in,
            salt: SALT.fetch_add(1, Ordering::Relaxed),
            privileges: Privileges::publisher(expires_in),
        };
        Token(token.build(&AppCertificate::new(certificate).expect("32 hexadecimal digits")))
    }

    pub(crate) fn credentials(&self, side: Side) -> Credentials {
        let (uid, peer) = match side {
            Side::A => (1_001, 2_002),
            Side::B => (2_002, 1_001),
        };
        Credentials {
            app_id: APP_ID.to_owned(),
            channel: self.channel.clone(),
            uid: number(uid),
            peer: number(peer),
            token: self.token(uid, 3_600),
            screen: Some(ScreenPass { uid: number(uid + 7), token: self.token(uid + 7, 3_600) }),
            peer_screen: Some(number(peer + 7)),
            ice_servers: Vec::new(),
        }
    }

    pub(crate) fn engine(&self, ports: EnginePorts) -> GatewayEngine {
        GatewayEngine::new(ports, Arc::clone(&self.standin.library))
    }

    /// An engine that is in no call yet.
    pub(crate) fn end(&self) -> End {
        let (sender, events) = mpsc::channel(1_024);
        let ports = EnginePorts {
            events: sender,
            remote_video: Arc::default(),
            remote_screen: Arc::default(),
            remote_audio: Arc::new(AudioQueue::new(100)),
        };
        End { engine: self.engine(ports.clone()), ports, events, told: Vec::new() }
    }

    /// Two engines in one channel that have heard of each other.
    pub(crate) fn call(&self) -> (End, End) {
        let (mut a, mut b) = (self.end(), self.end());
        a.engine.join(Attempt(1), self.credentials(Side::A));
        b.engine.join(Attempt(1), self.credentials(Side::B));
        a.expect(&EngineEvent::PeerConnected);
        b.expect(&EngineEvent::PeerConnected);
        (a, b)
    }

    /// Waits until nothing of the library is in use.
    pub(crate) fn expect_nothing_in_use(&self) {
        let in_use = || -> Vec<(&str, i64)> {
            IN_USE.map(|name| (name, self.standin.get(name))).into_iter().filter(|(_, count)| *count != 0).collect()
        };
        assert!(eventually(|| in_use().is_empty()), "still in use: {:?}", in_use());
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        for knob in self.knobs.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            self.standin.set(&knob, 0);
        }
        if std::thread::panicking() {
            self.standin.complaints();
            return;
        }
        if !self.leaves_something {
            self.expect_nothing_in_use();
        }
        assert_eq!(self.standin.complaints(), "", "the library was used rightly");
    }
}

/// An engine with its ports and what it has told so far.
pub(crate) struct End {
    pub(crate) engine: GatewayEngine,
    pub(crate) ports: EnginePorts,
    events: mpsc::Receiver<EngineEvent>,
    told: Vec<EngineEvent>,
}

impl End {
    /// Waits until it has told this; what it told before counts, once.
    pub(crate) fn expect(&mut self, event: &EngineEvent) {
        self.expect_some(&format!("{event:?}"), |told| told == event);
    }

    pub(crate) fn expect_some(&mut self, name: &str, wanted: impl Fn(&EngineEvent) -> bool) -> EngineEvent {
        let mut found = None;
        let came = eventually(|| {
            self.listen();
            found = self.told.iter().position(&wanted).map(|at| self.told.remove(at));
            found.is_some()
        });
        assert!(came, "{name} was not told in time; told were {:?}", self.changes());
        found.expect("it came")
    }

    /// What was told but for the reports.
    fn changes(&self) -> Vec<&EngineEvent> {
        self.told.iter().filter(|told| !matches!(told, EngineEvent::Quality(_))).collect()
    }

    /// All that was told and not expected.
    pub(crate) fn told(&mut self) -> &mut Vec<EngineEvent> {
        self.listen();
        &mut self.told
    }

    fn listen(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            if self.told.len() < 10_000 {
                self.told.push(event);
            }
        }
    }

    /// Waits for a picture of that grey.
    pub(crate) fn expect_grey(&mut self, luma: u8) {
        let slot = Arc::clone(&self.ports.remote_video);
        assert!(eventually(|| is_grey(&slot, luma)), "a picture of grey {luma} comes; told were {:?}", self.told());
    }
}

pub(crate) fn is_grey(slot: &LatestSlot<I420Frame>, luma: u8) -> bool {
    slot.try_take().is_some_and(|frame| {
        let mean = frame.y().iter().map(|&pixel| u64::from(pixel)).sum::<u64>() / frame.y().len() as u64;
        mean.abs_diff(u64::from(luma)) < 8
    })
}

pub(crate) fn number(uid: u32) -> AgoraUid {
    AgoraUid::new(uid).expect("above 0")
}

/// Looks again and again, until it is so or patience ends.
pub(crate) fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A source of grey pictures, about 30 a second, while it lives.
pub(crate) struct Grey {
    pub(crate) frames: Arc<LatestSlot<I420Frame>>,
    stop: Arc<std::sync::atomic::AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Grey {
    pub(crate) fn start(width: u32, height: u32, luma: u8) -> Self {
        let frames = Arc::new(LatestSlot::new());
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (slot, stopped) = (Arc::clone(&frames), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let pool = FramePool::new();
            while !stopped.load(Ordering::Relaxed) {
                slot.put(pool.frame(width, height, MediaTime::now(), |y, u, v| {
                    y.fill(luma);
                    u.fill(128);
                    v.fill(128);
                }));
                std::thread::park_timeout(Duration::from_millis(33));
            }
        });
        Self { frames, stop, thread: Some(thread) }
    }
}

impl Drop for Grey {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            thread.join().expect("no panic");
        }
    }
}
