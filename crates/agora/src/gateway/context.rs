//! What a callback may reach: queues and slots that never make it wait.

use std::{
    ffi::{CStr, c_char},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use agora_sys::gateway::{agora_audio_frame, agora_rtc_conn_info, agora_rtc_stats, agora_video_frame};
use parley_call::{AudioBlock, AudioQueue, FramePool, I420Frame, LatestSlot, MediaTime};

use super::{
    events::{Event, Events, Track},
    frames::{self, Damage},
    sound::{Cutter, Piece, Refused},
};

/// A longer gap between two pictures is a freeze.
const FREEZE: Duration = Duration::from_millis(200);
/// Pictures and sound that were under way when their end was told come within this time.
const STRAGGLERS: Duration = Duration::from_millis(500);

/// All that the callbacks of one connection work with.
pub(crate) struct Context {
    pub(crate) events: Arc<Events>,
    pub(crate) pictures: Vec<Arc<PictureSink>>,
    pub(crate) sound: Option<Arc<SoundSink>>,
    stats: Mutex<Option<TransportStats>>,
    /// What the library takes us for, 0 while it has not said so.
    own_uid: AtomicU32,
    nameless: AtomicU64,
    /// Its connection is being closed: what still comes is let pass.
    closing: AtomicBool,
}

impl Context {
    pub(crate) fn new(
        events: Arc<Events>,
        pictures: Vec<Arc<PictureSink>>,
        sound: Option<Arc<SoundSink>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            events,
            pictures,
            sound,
            stats: Mutex::new(None),
            own_uid: AtomicU32::new(0),
            nameless: AtomicU64::new(0),
            closing: AtomicBool::new(false),
        })
    }

    /// From now on callbacks change nothing any more.
    pub(crate) fn begin_to_close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(crate) fn tell(&self, event: Event) {
        self.events.push(event);
    }

    /// Tells what happened to a person, if the name is a number of the channel.
    ///
    /// # Safety
    /// `name` is null or ends with a zero, for as long as this runs.
    pub(crate) unsafe fn tell_of(&self, name: *const c_char, event: impl FnOnce(u32) -> Event) {
        // SAFETY: the caller's promise.
        match unsafe { uid_of(name) } {
            Some(uid) => self.tell(event(uid)),
            None => self.count_nameless(),
        }
    }

    /// A callback named nobody.
    pub(crate) fn count_nameless(&self) {
        self.nameless.fetch_add(1, Ordering::Relaxed);
    }

    /// How many callbacks named nobody.
    pub(crate) fn nameless_count(&self) -> u64 {
        self.nameless.load(Ordering::Relaxed)
    }

    pub(crate) fn keep_info(&self, info: &agora_rtc_conn_info) {
        self.own_uid.store(info.internal_uid, Ordering::Relaxed);
    }

    /// What the library takes us for, 0 while it has not said so.
    pub(crate) fn own_uid(&self) -> u32 {
        self.own_uid.load(Ordering::Relaxed)
    }

    pub(crate) fn keep(&self, stats: &agora_rtc_stats) {
        let stats = TransportStats {
            // The way to Agora's server and the way to its gateway are told apart by some versions only.
            round_trip: Duration::from_millis(
                u64::from(stats.lastmile_delay).max(u64::from(stats.gateway_rtt.clamp(0, 60_000).unsigned_abs())),
            ),
            sent_loss: stats.tx_packet_loss_rate.clamp(0, 100) as f32 / 100.0,
            send_bitrate: u64::from(stats.tx_k_bit_rate) * 1_000,
            receive_bitrate: u64::from(stats.rx_k_bit_rate) * 1_000,
        };
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner) = Some(stats);
    }

    /// What the library said last about the path.
    pub(crate) fn stats(&self) -> Option<TransportStats> {
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Safety
    /// The frame's planes are null or as long as it says, for as long as this runs.
    pub(crate) unsafe fn take_picture(&self, uid: u32, raw: &agora_video_frame) {
        if let Some(sink) = self.pictures.iter().find(|sink| sink.uid == uid) {
            // SAFETY: the caller's promise.
            unsafe { sink.take_in(raw, &self.events) };
        }
    }

    /// # Safety
    /// The frame's buffer is null or as long as it says, for as long as this runs.
    pub(crate) unsafe fn take_sound(&self, uid: u32, raw: &agora_audio_frame) {
        if let Some(sink) = self.sound.as_ref().filter(|sink| sink.uid == uid) {
            // SAFETY: the caller's promise.
            unsafe { sink.take_in(raw, &self.events) };
        }
    }
}

/// The number in a person's name. Ours are decimal and above 0.
///
/// # Safety
/// `name` is null or ends with a zero, for as long as this runs.
pub(crate) unsafe fn uid_of(name: *const c_char) -> Option<u32> {
    if name.is_null() {
        return None;
    }
    // SAFETY: not null, and the caller's promise.
    let name = unsafe { CStr::from_ptr(name) };
    name.to_str().ok()?.parse().ok().filter(|&uid| uid > 0)
}

/// How the path does, as the library sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TransportStats {
    /// Round trip to the server.
    pub round_trip: Duration,
    /// Part of our packets that got lost, 0…1.
    pub sent_loss: f32,
    /// Bits a second that we send.
    pub send_bitrate: u64,
    /// Bits a second that we receive.
    pub receive_bitrate: u64,
}

/// Where one person's pictures go.
pub struct PictureSink {
    uid: u32,
    slot: Arc<LatestSlot<I420Frame>>,
    pool: FramePool,
    wanted: AtomicBool,
    flow: Flow,
    freezes: AtomicU64,
    damaged: AtomicU64,
    damage: Mutex<Option<Damage>>,
    shape: Mutex<Shape>,
}

/// How the library lends pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Pixels across.
    pub width: i32,
    /// Pixels down.
    pub height: i32,
    /// Bytes of a row in each of the three planes.
    pub strides: [i32; 3],
    /// By how many degrees it has to be turned clockwise.
    pub rotation: i32,
}

impl PictureSink {
    /// The pictures of that person, into `slot`.
    pub fn new(uid: u32, slot: Arc<LatestSlot<I420Frame>>) -> Self {
        Self {
            uid,
            slot,
            pool: FramePool::new(),
            wanted: AtomicBool::new(true),
            flow: Flow::default(),
            freezes: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            damage: Mutex::new(None),
            shape: Mutex::default(),
        }
    }

    /// Whose pictures.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// Whether pictures are taken in; those that come nevertheless are let pass.
    pub fn set_wanted(&self, wanted: bool) {
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    /// What comes, and since when.
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// How many gaps of more than 200 ms there were between two pictures.
    pub fn freezes(&self) -> u64 {
        self.freezes.load(Ordering::Relaxed)
    }

    /// How many pictures could not be used.
    pub fn damaged_count(&self) -> u64 {
        self.damaged.load(Ordering::Relaxed)
    }

    /// What was wrong with the first of them.
    pub fn damage(&self) -> Option<Damage> {
        *self.damage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the library lent the first picture since they last stopped.
    pub fn shape(&self) -> Shape {
        *self.shape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Safety
    /// The frame's planes are null or as long as it says, for as long as this runs.
    unsafe fn take_in(&self, raw: &agora_video_frame, events: &Events) {
        if !self.wanted.load(Ordering::Relaxed) || self.flow.is_straggler() {
            return;
        }
        // SAFETY: the caller's promise.
        match unsafe { frames::receive(raw, &self.pool) } {
            Ok(frame) => {
                let time = frame.time;
                self.slot.put(frame);
                let step = self.flow.count(time);
                if step.gap > FREEZE {
                    self.freezes.fetch_add(1, Ordering::Relaxed);
                }
                if step.is_first {
                    let strides = [raw.y_stride, raw.u_stride, raw.v_stride];
                    let shape = Shape { width: raw.width, height: raw.height, strides, rotation: raw.rotation };
                    *self.shape.lock().unwrap_or_else(PoisonError::into_inner) = shape;
                    events.push(Event::Flowing(self.uid, Track::Video));
                }
            }
            Err(damage) => {
                self.damaged.fetch_add(1, Ordering::Relaxed);
                self.damage.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(damage);
            }
        }
    }
}

/// Where one person's sound goes.
pub struct SoundSink {
    uid: u32,
    queue: Arc<AudioQueue>,
    cutter: Mutex<Cutter>,
    flow: Flow,
    refused: AtomicU64,
    refusal: Mutex<Option<Refused>>,
}

impl SoundSink {
    /// The sound of that person, into `queue`.
    pub fn new(uid: u32, queue: Arc<AudioQueue>) -> Self {
        let cutter = Mutex::new(Cutter::new());
        let (refused, refusal) = (AtomicU64::new(0), Mutex::new(None));
        Self { uid, queue, cutter, flow: Flow::default(), refused, refusal }
    }

    /// What comes, and since when.
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// How many pieces of sound could not be used.
    pub fn refused_count(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// What was wrong with the first of them.
    pub(crate) fn refusal(&self) -> Option<Refused> {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Safety
    /// The frame's buffer is null or as long as it says, for as long as this runs.
    unsafe fn take_in(&self, raw: &agora_audio_frame, events: &Events) {
        if self.flow.is_straggler() {
            return;
        }
        // SAFETY: the caller's promise.
        match unsafe { Piece::lent(raw) } {
            Ok(piece) => {
                let time = MediaTime::now();
                let mut cutter = self.cutter.lock().unwrap_or_else(PoisonError::into_inner);
                cutter.take_in(&piece, |samples| self.queue.push(AudioBlock { samples, time }));
                drop(cutter);
                if self.flow.count(time).is_first {
                    events.push(Event::Flowing(self.uid, Track::Audio));
                }
            }
            Err(refused) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                self.refusal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(refused);
            }
        }
    }
}

/// Counts what comes, and knows whether it has stopped.
#[derive(Default)]
pub struct Flow {
    count: AtomicU64,
    /// The time of the newest, 0 while nothing flows.
    newest: AtomicU64,
    /// What comes before this time is a straggler.
    ended: AtomicU64,
}

/// What one more of them meant.
pub(crate) struct Step {
    is_first: bool,
    gap: Duration,
}

impl Flow {
    /// One more has come.
    pub(crate) fn count(&self, time: MediaTime) -> Step {
        self.count.fetch_add(1, Ordering::Relaxed);
        let time = time.0.max(1);
        match self.newest.swap(time, Ordering::Relaxed) {
            0 => Step { is_first: true, gap: Duration::ZERO },
            before => Step { is_first: false, gap: MediaTime(time).since(MediaTime(before)) },
        }
    }

    /// How many have come.
    pub fn total(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// How long ago the newest came; `None` while nothing flows.
    pub fn silence(&self) -> Option<Duration> {
        match self.newest.load(Ordering::Relaxed) {
            0 => None,
            newest => Some(MediaTime::now().since(MediaTime(newest))),
        }
    }

    /// It has stopped: the next one is a first one, and the gap before it is no freeze.
    pub fn stop(&self) {
        self.newest.store(0, Ordering::Relaxed);
    }

    /// Its end was told: what comes in the next half second was sent before it, and is let pass.
    pub fn end(&self) {
        let until = MediaTime::now().0.saturating_add(STRAGGLERS.as_micros() as u64);
        self.ended.store(until, Ordering::Relaxed);
        self.stop();
    }

    fn is_straggler(&self) -> bool {
        MediaTime::now().0 < self.ended.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(planes: &mut [u8; 96]) -> agora_video_frame {
        let start = planes.as_mut_ptr();
        agora_video_frame {
            type_: 1,
            width: 8,
            height: 8,
            y_stride: 8,
            u_stride: 4,
            v_stride: 4,
            y_buffer: start,
            u_buffer: start.wrapping_add(64),
            v_buffer: start.wrapping_add(80),
            ..agora_video_frame::default()
        }
    }

    fn give(sink: &PictureSink, events: &Events) {
        let mut planes = [9; 96];
        // SAFETY: the planes are as long as the frame says.
        unsafe { sink.take_in(&frame(&mut planes), events) };
    }

    fn next(events: &Events) -> Option<Event> {
        events.next(std::time::Instant::now())
    }

    #[test]
    fn the_first_picture_is_told_and_stragglers_are_not() {
        let (slot, events) = (Arc::new(LatestSlot::new()), Events::new());
        let sink = PictureSink::new(7, Arc::clone(&slot));
        give(&sink, &events);
        give(&sink, &events);
        assert_eq!(next(&events), Some(Event::Flowing(7, Track::Video)));
        assert_eq!((next(&events), sink.flow().total(), slot.put_count()), (None, 2, 2));
        sink.flow().end();
        give(&sink, &events);
        assert_eq!((next(&events), sink.flow().silence(), slot.put_count()), (None, None, 2));
        sink.flow().ended.store(0, Ordering::Relaxed);
        give(&sink, &events);
        assert_eq!(next(&events), Some(Event::Flowing(7, Track::Video)));
    }

    #[test]
    fn a_hidden_persons_pictures_are_let_pass() {
        let (slot, events) = (Arc::new(LatestSlot::new()), Events::new());
        let sink = PictureSink::new(7, Arc::clone(&slot));
        sink.set_wanted(false);
        give(&sink, &events);
        assert_eq!((next(&events), slot.put_count()), (None, 0));
    }

    #[test]
    fn a_gap_is_a_freeze_and_a_stop_is_not() {
        let flow = Flow::default();
        let at = |milliseconds: u64| MediaTime(1_000_000 + milliseconds * 1_000);
        assert!(flow.count(at(0)).is_first);
        assert!(flow.count(at(150)).gap < FREEZE);
        assert!(flow.count(at(400)).gap > FREEZE);
        flow.stop();
        let step = flow.count(at(9_000));
        assert!(step.is_first && step.gap.is_zero());
    }

    #[test]
    fn names_that_are_no_numbers_are_nobody() {
        let uid = |name: &CStr| {
            // SAFETY: a whole text.
            unsafe { uid_of(name.as_ptr()) }
        };
        assert_eq!(uid(c"42"), Some(42));
        assert_eq!(uid(c"4294967295"), Some(u32::MAX));
        for nobody in [c"", c"0", c"-1", c"4294967296", c"7x", c" 7", c"\xff\xfe"] {
            assert_eq!(uid(nobody), None, "{nobody:?}");
        }
        // SAFETY: null is allowed.
        assert_eq!(unsafe { uid_of(std::ptr::null()) }, None);
    }
}
