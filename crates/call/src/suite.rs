//! What every engine has to pass, whatever carries its media. [`engine_suite!`](crate::engine_suite) makes the tests.
//!
//! Two engines stand against each other; their signals are carried as the server does it: in order, and only while
//! the other side is in the call. Otherwise they are lost, so an engine has to repeat what matters.

use std::{
    fmt::Debug,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use crate::{
    audio::{AudioBlock, AudioQueue, BLOCK_SAMPLES},
    engine::{Attempt, Credentials, EngineError, EngineEvent, EnginePorts, MediaEngine, VideoProfile},
    frame::{FramePool, I420Frame, MediaTime},
    slot::LatestSlot,
};

/// So long the slowest engine may take for anything that is asked of it here.
pub const LIMIT: Duration = Duration::from_secs(20);
/// No event may come for this long after a leave.
const QUIET: Duration = Duration::from_millis(300);
const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;

/// Which of the two engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Has the smaller uid.
    A,
    /// Has the larger uid.
    B,
}

/// What an engine brings to be tried.
pub trait Fixture {
    /// Whether the engine itself refuses a bad token (otherwise only the server does, at `call:join`).
    const CHECKS_TOKENS: bool;

    /// Whether it carries a shared screen beside the camera.
    const SHARES_SCREENS: bool = false;

    /// A new engine.
    fn engine(&self, ports: EnginePorts) -> Box<dyn MediaEngine>;

    /// Good credentials for one and the same channel; `A` has the smaller uid.
    fn credentials(&self, side: Side) -> Credentials;
}

/// Makes one test a behaviour of the suite. The argument is an expression that makes a [`Fixture`].
#[macro_export]
macro_rules! engine_suite {
    ($fixture:expr) => {
        $crate::engine_suite!(@each $fixture;
            both_join_and_hear_of_each_other,
            the_one_with_the_larger_uid_may_come_first,
            pictures_arrive_in_both_directions,
            sound_arrives,
            what_was_published_before_the_join_is_sent_after_it,
            an_unpublished_picture_stops_and_comes_back,
            a_hidden_picture_may_stop_and_comes_back,
            garbage_signals_change_nothing,
            leaving_twice_is_leaving_once_and_silent,
            leaving_is_heard_by_the_other_side,
            who_left_can_come_back,
            joining_again_leaves_first,
            a_dropped_engine_is_out,
            a_renewed_token_keeps_the_call,
            a_bad_token_is_refused_where_the_engine_checks,
            a_shared_screen_comes_beside_the_picture_where_the_engine_can,
            commands_without_a_call_do_nothing,
        );
    };
    (@each $fixture:expr; $($name:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $crate::suite::$name(&$fixture).await;
        }
    )+};
}

/// An engine with its ports and what it has told so far.
struct End {
    engine: Box<dyn MediaEngine>,
    events: mpsc::Receiver<EngineEvent>,
    remote_video: Arc<LatestSlot<I420Frame>>,
    remote_screen: Arc<LatestSlot<I420Frame>>,
    remote_audio: Arc<AudioQueue>,
    in_call: bool,
    told: Vec<EngineEvent>,
}

impl End {
    fn new(fixture: &impl Fixture) -> Self {
        let (sender, events) = mpsc::channel(256);
        let remote_video = Arc::new(LatestSlot::new());
        let remote_screen = Arc::new(LatestSlot::new());
        let remote_audio = Arc::new(AudioQueue::new(100));
        let ports = EnginePorts {
            events: sender,
            remote_video: Arc::clone(&remote_video),
            remote_screen: Arc::clone(&remote_screen),
            remote_audio: Arc::clone(&remote_audio),
        };
        Self {
            engine: fixture.engine(ports),
            events,
            remote_video,
            remote_screen,
            remote_audio,
            in_call: false,
            told: Vec::new(),
        }
    }

    fn join(&mut self, attempt: u32, credentials: Credentials) {
        self.in_call = true;
        self.engine.join(Attempt(attempt), credentials);
    }

    fn leave(&mut self) {
        self.in_call = false;
        self.engine.leave();
    }
}

struct Pair {
    a: End,
    b: End,
}

impl Pair {
    fn new(fixture: &impl Fixture) -> Self {
        Self { a: End::new(fixture), b: End::new(fixture) }
    }

    /// Both in one channel, with a media path between them.
    async fn connected(fixture: &impl Fixture) -> Self {
        let mut pair = Self::new(fixture);
        pair.a.join(1, fixture.credentials(Side::A));
        pair.b.join(1, fixture.credentials(Side::B));
        pair.expect(Side::A, EngineEvent::PeerConnected).await;
        pair.expect(Side::B, EngineEvent::PeerConnected).await;
        pair
    }

    fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }

    /// Carries signals until that side has told `event`; what it told before counts, once.
    async fn expect(&mut self, side: Side, event: EngineEvent) {
        self.expect_some(side, &event, |told| *told == event).await;
    }

    async fn expect_some(&mut self, side: Side, name: &dyn Debug, wanted: impl Fn(&EngineEvent) -> bool) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let told = &mut self.end(side).told;
            if let Some(at) = told.iter().position(&wanted) {
                told.remove(at);
                return;
            }
            assert!(
                self.carry(deadline).await,
                "{side:?} did not tell {name:?} in time; A told {:?}, B told {:?}",
                self.a.told,
                self.b.told
            );
        }
    }

    /// Waits for `done` while signals are carried.
    async fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !done(self) {
            let soon = Instant::now() + Duration::from_millis(20);
            self.carry(soon).await;
            assert!(Instant::now() < deadline, "in time: {what}; A told {:?}, B told {:?}", self.a.told, self.b.told);
        }
    }

    /// Takes one event of either side; `false` when none came before the deadline.
    async fn carry(&mut self, deadline: Instant) -> bool {
        let (from, event) = tokio::select! {
            Some(event) = self.a.events.recv() => (Side::A, event),
            Some(event) = self.b.events.recv() => (Side::B, event),
            () = tokio::time::sleep_until(deadline.into()) => return false,
        };
        let (sender, receiver) = match from {
            Side::A => (&mut self.a, &mut self.b),
            Side::B => (&mut self.b, &mut self.a),
        };
        match event {
            EngineEvent::Signal(data) if sender.in_call && receiver.in_call => receiver.engine.on_signal(&data),
            EngineEvent::Signal(_) | EngineEvent::Quality(_) => {}
            event => sender.told.push(event),
        }
        true
    }

    /// Nothing but what may still be under way comes from that side.
    async fn expect_quiet(&mut self, side: Side) {
        self.end(side).told.clear();
        let deadline = Instant::now() + QUIET;
        while self.carry(deadline).await {}
        assert_eq!(self.end(side).told, [], "{side:?} is silent");
    }
}

/// A picture source of one grey with something moving in it, about 30 times a second, while it lives.
struct Grey {
    frames: Arc<LatestSlot<I420Frame>>,
    task: tokio::task::JoinHandle<()>,
}

impl Grey {
    fn start(luma: u8) -> Self {
        let frames = Arc::new(LatestSlot::new());
        let slot = Arc::clone(&frames);
        let task = tokio::spawn(async move {
            let pool = FramePool::new();
            let mut beat = tokio::time::interval(Duration::from_millis(33));
            for count in 0.. {
                beat.tick().await;
                slot.put(pool.frame(WIDTH, HEIGHT, MediaTime::now(), |y, u, v| {
                    y.fill(luma);
                    let row = count % (HEIGHT as usize - 16) * WIDTH as usize;
                    y[row..row + 8 * WIDTH as usize].fill(luma.wrapping_add(20));
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
struct Buzz {
    blocks: Arc<AudioQueue>,
    task: tokio::task::JoinHandle<()>,
}

impl Buzz {
    fn start() -> Self {
        let blocks = Arc::new(AudioQueue::new(20));
        let queue = Arc::clone(&blocks);
        let task = tokio::spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_millis(10));
            let samples: [i16; BLOCK_SAMPLES] = std::array::from_fn(|at| if at / 60 % 2 == 0 { 6_000 } else { -6_000 });
            loop {
                beat.tick().await;
                queue.push(AudioBlock { samples, time: MediaTime::now() });
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

fn is_grey(frame: &I420Frame, luma: u8) -> bool {
    let mean = frame.y().iter().map(|&value| u64::from(value)).sum::<u64>() / frame.y().len() as u64;
    (frame.width(), frame.height()) == (WIDTH, HEIGHT) && mean.abs_diff(u64::from(luma)) < 24
}

fn has_grey(end: &End, luma: u8) -> bool {
    end.remote_video.try_take().is_some_and(|frame| is_grey(&frame, luma))
}

/// Each side hears that it is in, then that the other is there.
pub async fn both_join_and_hear_of_each_other(fixture: &impl Fixture) {
    let mut pair = Pair::new(fixture);
    pair.a.join(7, fixture.credentials(Side::A));
    pair.expect(Side::A, EngineEvent::Joined(Attempt(7))).await;
    pair.b.join(3, fixture.credentials(Side::B));
    pair.expect(Side::B, EngineEvent::Joined(Attempt(3))).await;
    pair.expect(Side::A, EngineEvent::PeerConnected).await;
    pair.expect(Side::B, EngineEvent::PeerConnected).await;
}

/// The order of arrival decides nothing.
pub async fn the_one_with_the_larger_uid_may_come_first(fixture: &impl Fixture) {
    let mut pair = Pair::new(fixture);
    pair.b.join(1, fixture.credentials(Side::B));
    pair.expect(Side::B, EngineEvent::Joined(Attempt(1))).await;
    pair.a.join(1, fixture.credentials(Side::A));
    pair.expect(Side::B, EngineEvent::PeerConnected).await;
    pair.expect(Side::A, EngineEvent::PeerConnected).await;
}

/// Each side sees the other's picture, in its size, and not its own.
pub async fn pictures_arrive_in_both_directions(fixture: &impl Fixture) {
    let mut pair = Pair::connected(fixture).await;
    let (dark, light) = (Grey::start(70), Grey::start(170));
    pair.a.engine.publish_video(Some(Arc::clone(&dark.frames)), VideoProfile::default());
    pair.b.engine.publish_video(Some(Arc::clone(&light.frames)), VideoProfile::default());
    pair.expect(Side::A, EngineEvent::RemoteVideo(true)).await;
    pair.expect(Side::B, EngineEvent::RemoteVideo(true)).await;
    pair.until("A sees B's picture", |pair| has_grey(&pair.a, 170)).await;
    pair.until("B sees A's picture", |pair| has_grey(&pair.b, 70)).await;
}

/// The other side's sound is heard, as loud as it was made.
pub async fn sound_arrives(fixture: &impl Fixture) {
    let mut pair = Pair::connected(fixture).await;
    let buzz = Buzz::start();
    pair.a.engine.publish_audio(Some(Arc::clone(&buzz.blocks)));
    pair.expect(Side::B, EngineEvent::RemoteAudio(true)).await;
    pair.until("B hears A", |pair| {
        let loud = |block: AudioBlock| {
            let mean = block.samples.iter().map(|&sample| u64::from(sample.unsigned_abs())).sum::<u64>() / 480;
            (3_000..9_000).contains(&mean)
        };
        pair.b.remote_audio.pop().is_some_and(loud)
    })
    .await;
}

/// The order of publishing and joining decides nothing.
pub async fn what_was_published_before_the_join_is_sent_after_it(fixture: &impl Fixture) {
    let mut pair = Pair::new(fixture);
    let grey = Grey::start(90);
    pair.a.engine.publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    pair.a.join(1, fixture.credentials(Side::A));
    pair.b.join(1, fixture.credentials(Side::B));
    pair.until("B sees A's picture", |pair| has_grey(&pair.b, 90)).await;
}

/// Off is told to the other side; on again brings the new source.
pub async fn an_unpublished_picture_stops_and_comes_back(fixture: &impl Fixture) {
    let mut pair = Pair::connected(fixture).await;
    let (before, after) = (Grey::start(60), Grey::start(150));
    pair.a.engine.publish_video(Some(Arc::clone(&before.frames)), VideoProfile::default());
    pair.expect(Side::B, EngineEvent::RemoteVideo(true)).await;
    pair.a.engine.publish_video(None, VideoProfile::default());
    pair.expect(Side::B, EngineEvent::RemoteVideo(false)).await;
    pair.a.engine.publish_video(Some(Arc::clone(&after.frames)), VideoProfile::default());
    pair.until("B sees the new source", |pair| has_grey(&pair.b, 150)).await;
}

/// An engine may stop receiving what nobody looks at, and must bring it back.
pub async fn a_hidden_picture_may_stop_and_comes_back(fixture: &impl Fixture) {
    let mut pair = Pair::connected(fixture).await;
    let grey = Grey::start(100);
    pair.a.engine.publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    pair.until("B sees A's picture", |pair| has_grey(&pair.b, 100)).await;
    pair.b.engine.want_remote_video(false);
    let hidden_from = Instant::now();
    pair.until("some time passes", |_| hidden_from.elapsed() > QUIET).await;
    pair.b.remote_video.try_take();
    pair.b.engine.want_remote_video(true);
    pair.until("B sees A's picture again", |pair| has_grey(&pair.b, 100)).await;
}

/// Anything may come from the other side's hands.
pub async fn garbage_signals_change_nothing(fixture: &impl Fixture) {
    let mut pair = Pair::connected(fixture).await;
    let long = "x".repeat(64 * 1024);
    for garbage in
        ["", "null", "{}", "[]", "\"\"", "{\"type\":\"offer\",\"sdp\":17}", "v=0\r\n", "\u{0}\u{ffff}", &long]
    {
        pair.a.engine.on_signal(garbage);
        pair.b.engine.on_signal(garbage);
    }
    let grey = Grey::start(120);
    pair.a.engine.publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    pair.until("B sees A's picture", |pair| has_grey(&pair.b, 120)).await;
}

/// After a leave nothing is told any more.
pub async fn leaving_twice_is_leaving_once_and_silent(fixture: &impl Fixture) {
    let mut pair = Pair::connected(fixture).await;
    pair.a.leave();
    while pair.a.events.try_recv().is_ok() {}
    pair.a.leave();
    pair.expect_quiet(Side::A).await;
}

/// Who stays hears it.
pub async fn leaving_is_heard_by_the_other_side(fixture: &impl Fixture) {
    let mut pair = Pair::connected(fixture).await;
    pair.a.leave();
    pair.expect(Side::B, EngineEvent::PeerLeft).await;
}

/// The same engines find each other again, under a new attempt.
pub async fn who_left_can_come_back(fixture: &impl Fixture) {
    let mut pair = Pair::connected(fixture).await;
    pair.a.leave();
    pair.expect(Side::B, EngineEvent::PeerLeft).await;
    pair.a.told.clear();
    pair.a.join(2, fixture.credentials(Side::A));
    pair.expect(Side::A, EngineEvent::Joined(Attempt(2))).await;
    pair.expect(Side::A, EngineEvent::PeerConnected).await;
    pair.expect(Side::B, EngineEvent::PeerConnected).await;
    let grey = Grey::start(80);
    pair.b.engine.publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    pair.until("A sees B's picture", |pair| has_grey(&pair.a, 80)).await;
}

/// A second join replaces the first.
pub async fn joining_again_leaves_first(fixture: &impl Fixture) {
    let mut pair = Pair::connected(fixture).await;
    let grey = Grey::start(140);
    pair.a.engine.publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    pair.a.told.clear();
    pair.a.join(2, fixture.credentials(Side::A));
    pair.expect(Side::A, EngineEvent::Joined(Attempt(2))).await;
    pair.expect(Side::A, EngineEvent::PeerConnected).await;
    pair.b.remote_video.try_take();
    pair.until("B sees A's picture", |pair| has_grey(&pair.b, 140)).await;
}

/// Dropping is leaving.
pub async fn a_dropped_engine_is_out(fixture: &impl Fixture) {
    let mut pair = Pair::connected(fixture).await;
    pair.a = End::new(fixture);
    pair.expect(Side::B, EngineEvent::PeerLeft).await;
}

/// A fresh token in mid-call is taken without an interruption.
pub async fn a_renewed_token_keeps_the_call(fixture: &impl Fixture) {
    let mut pair = Pair::connected(fixture).await;
    pair.a.engine.renew_token(fixture.credentials(Side::A).token);
    let grey = Grey::start(110);
    pair.a.engine.publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    pair.until("B sees A's picture", |pair| has_grey(&pair.b, 110)).await;
    let broken = |event: &EngineEvent| matches!(event, EngineEvent::Lost(_) | EngineEvent::Reconnecting);
    assert!(!pair.a.told.iter().any(broken), "{:?}", pair.a.told);
}

/// A token for somebody else, and no token at all.
pub async fn a_bad_token_is_refused_where_the_engine_checks<F: Fixture>(fixture: &F) {
    if !F::CHECKS_TOKENS {
        return;
    }
    let mut pair = Pair::new(fixture);
    let mut foreign = fixture.credentials(Side::A);
    foreign.token = fixture.credentials(Side::B).token;
    let mut garbage = fixture.credentials(Side::A);
    garbage.token.0 = "007eJx".to_owned();
    for (attempt, credentials) in (1..).zip([foreign, garbage]) {
        pair.a.join(attempt, credentials);
        pair.expect(Side::A, EngineEvent::JoinFailed(Attempt(attempt), EngineError::TokenRefused)).await;
    }
    pair.a.join(3, fixture.credentials(Side::A));
    pair.expect(Side::A, EngineEvent::Joined(Attempt(3))).await;
}

/// Both come at once, into their own places, and the screen goes without the camera. An engine that can't is asked and
/// does nothing.
pub async fn a_shared_screen_comes_beside_the_picture_where_the_engine_can<F: Fixture>(fixture: &F) {
    let mut pair = Pair::connected(fixture).await;
    let (camera, screen) = (Grey::start(70), Grey::start(190));
    pair.a.engine.publish_screen(Some(Arc::clone(&screen.frames)), VideoProfile::default());
    pair.a.engine.publish_video(Some(Arc::clone(&camera.frames)), VideoProfile::default());
    pair.until("B sees A's picture", |pair| has_grey(&pair.b, 70)).await;
    if !F::SHARES_SCREENS {
        return;
    }
    pair.expect(Side::B, EngineEvent::RemoteScreen(true)).await;
    let shows = |end: &End| end.remote_screen.try_take().is_some_and(|frame| is_grey(&frame, 190));
    pair.until("B sees A's screen", |pair| shows(&pair.b)).await;
    pair.a.engine.publish_screen(None, VideoProfile::default());
    pair.expect(Side::B, EngineEvent::RemoteScreen(false)).await;
    pair.b.remote_video.try_take();
    pair.until("B still sees A's picture", |pair| has_grey(&pair.b, 70)).await;
}

/// Every command may come at any time.
pub async fn commands_without_a_call_do_nothing(fixture: &impl Fixture) {
    let mut pair = Pair::new(fixture);
    pair.a.engine.leave();
    pair.a.engine.renew_token(fixture.credentials(Side::A).token);
    pair.a.engine.on_signal("{}");
    pair.a.engine.want_remote_video(false);
    pair.a.engine.want_remote_video(true);
    pair.a.engine.publish_video(None, VideoProfile::default());
    pair.a.engine.publish_audio(None);
    pair.expect_quiet(Side::A).await;
    pair.a.join(1, fixture.credentials(Side::A));
    pair.expect(Side::A, EngineEvent::Joined(Attempt(1))).await;
}
