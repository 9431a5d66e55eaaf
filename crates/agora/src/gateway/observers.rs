//! The functions that the library calls, and the tables in which it finds them.
//!
//! They run on the library's threads, several at once (FACTS A8). Each does four things: it lets no panic out, looks
//! for null, copies what it was lent, and puts it into a queue or slot that doesn't wait. Slots of the tables that we
//! don't need stay null, above all those whose arguments public sources disagree about (FACTS A5).

use std::{
    ffi::{c_char, c_void},
    slice,
    sync::{
        OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use agora_sys::gateway::{
    agora_audio_frame, agora_audio_frame_observer, agora_handle, agora_local_user_observer, agora_rtc_conn_info,
    agora_rtc_conn_observer, agora_rtc_stats, agora_video_frame, agora_video_frame_observer2,
};

use super::{
    context::{Context, uid_of},
    events::{Event, Track},
    registry::enter,
};
use crate::{
    codes::{ErrorCode, OfflineReason, RemoteState, TrackState, UserMessage},
    guard,
};

/// A newer library may read so many slots behind a table that we know (FACTS A5).
const SPARE: usize = 16;
/// No data message is longer (FACTS A3.14).
pub(crate) const LONGEST_MESSAGE: usize = 1_024;
/// A picture's or a sound's callback says that it is well.
const WELL: i32 = 1;

static PANICS: AtomicU64 = AtomicU64::new(0);

/// How many callbacks panicked, in the life of the process.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Where tests make a callback fail.
#[cfg(feature = "faults")]
pub mod faults {
    use std::sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    };

    static PANIC: AtomicBool = AtomicBool::new(false);
    static HELD: Mutex<bool> = Mutex::new(false);
    static FREED: Condvar = Condvar::new();

    /// Keeps every callback inside from now on, or lets them go.
    pub fn hold_callbacks(on: bool) {
        *HELD.lock().unwrap_or_else(PoisonError::into_inner) = on;
        FREED.notify_all();
    }

    /// Lets every callback panic from now on, or no more.
    pub fn panic_in_callbacks(on: bool) {
        PANIC.store(on, Ordering::Relaxed);
    }

    pub(super) fn strike() {
        assert!(!PANIC.load(Ordering::Relaxed), "a test wants this callback to panic");
        let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        drop(FREED.wait_while(held, |held| *held));
    }
}

/// Makes the tables of each turn. So many connections are opened before the same ones serve again: more than are open at
/// once, and far more than are opened in the moment by which a callback can be late.
const TURNS: [fn() -> Tables; 8] = [
    Tables::of_turn::<0>,
    Tables::of_turn::<1>,
    Tables::of_turn::<2>,
    Tables::of_turn::<3>,
    Tables::of_turn::<4>,
    Tables::of_turn::<5>,
    Tables::of_turn::<6>,
    Tables::of_turn::<7>,
];

static TABLES: [OnceLock<Tables>; TURNS.len()] = [const { OnceLock::new() }; TURNS.len()];

/// A table with room behind it.
#[repr(C)]
pub(crate) struct Table<T> {
    known: T,
    spare: [usize; SPARE],
}

impl<T> Table<T> {
    fn new(known: T) -> Self {
        Self { known, spare: [0; SPARE] }
    }

    /// The pointer reaches over the room behind, too.
    pub(crate) fn as_ptr(&self) -> *const T {
        (&raw const *self).cast()
    }
}

/// The tables of one connection. They are never freed: a callback may come late, after its connection was destroyed.
///
/// Then it may even bring a handle that the library has given again to the next connection. What it can't have got is
/// the next one's functions: each connection has those of the next turn.
pub(crate) struct Tables {
    /// Which functions are in them.
    pub(crate) turn: usize,
    pub(crate) connection: Table<agora_rtc_conn_observer>,
    pub(crate) user: Table<agora_local_user_observer>,
    pub(crate) sound: Table<agora_audio_frame_observer>,
    pub(crate) pictures: Table<agora_video_frame_observer2>,
}

impl Tables {
    /// Those whose turn it is.
    pub(crate) fn next() -> &'static Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let turn = NEXT.fetch_add(1, Ordering::Relaxed) % TURNS.len();
        TABLES[turn].get_or_init(TURNS[turn])
    }

    fn of_turn<const TURN: usize>() -> Self {
        Self {
            turn: TURN,
            connection: Table::new(agora_rtc_conn_observer {
                on_connected: Some(on_connected::<TURN>),
                on_disconnected: Some(on_disconnected::<TURN>),
                on_reconnecting: Some(on_reconnecting::<TURN>),
                on_reconnected: Some(on_reconnected::<TURN>),
                on_connection_lost: Some(on_connection_lost::<TURN>),
                on_token_privilege_will_expire: Some(on_token_privilege_will_expire::<TURN>),
                on_token_privilege_did_expire: Some(on_token_privilege_did_expire::<TURN>),
                on_connection_license_validation_failure: Some(on_connection_license_validation_failure::<TURN>),
                on_connection_failure: Some(on_connection_failure::<TURN>),
                on_user_joined: Some(on_user_joined::<TURN>),
                on_user_left: Some(on_user_left::<TURN>),
                on_transport_stats: Some(on_transport_stats::<TURN>),
                on_error: Some(on_error::<TURN>),
                on_stream_message_error: Some(on_stream_message_error::<TURN>),
                ..agora_rtc_conn_observer::default()
            }),
            user: Table::new(agora_local_user_observer {
                on_audio_track_publication_failure: Some(on_audio_track_publication_failure::<TURN>),
                on_user_audio_track_state_changed: Some(on_user_audio_track_state_changed::<TURN>),
                on_video_track_publish_success: Some(on_video_track_publish_success::<TURN>),
                on_video_track_publication_failure: Some(on_video_track_publication_failure::<TURN>),
                on_user_video_track_state_changed: Some(on_user_video_track_state_changed::<TURN>),
                on_video_publish_state_changed: Some(on_video_publish_state_changed::<TURN>),
                on_user_info_updated: Some(on_user_info_updated::<TURN>),
                on_stream_message: Some(on_stream_message::<TURN>),
                ..agora_local_user_observer::default()
            }),
            sound: Table::new(agora_audio_frame_observer {
                on_playback_audio_frame_before_mixing: Some(on_playback_audio_frame_before_mixing::<TURN>),
                ..agora_audio_frame_observer::default()
            }),
            pictures: Table::new(agora_video_frame_observer2 { on_frame: Some(on_frame::<TURN>) }),
        }
    }
}

/// Does `work` with the context that the handle has for that turn, if there still is one, and lets no panic out.
fn with(turn: usize, handle: *mut c_void, work: impl FnOnce(&Context)) {
    let has_panicked = guard::has_panicked(|| {
        if let Some(inside) = enter(turn, handle).filter(|inside| !inside.is_closing()) {
            #[cfg(feature = "faults")]
            faults::strike();
            work(&inside);
        }
    });
    if has_panicked && PANICS.fetch_add(1, Ordering::Relaxed) == 0 {
        guard::has_panicked(|| tracing::error!("a callback of Agora's library panicked; more are only counted"));
    }
}

unsafe extern "C" fn on_connected<const TURN: usize>(conn: agora_handle, info: *const agora_rtc_conn_info, _: i32) {
    with(TURN, conn, |context| {
        // SAFETY: null or a structure that stays until we return (FACTS A8).
        if let Some(info) = unsafe { info.as_ref() } {
            context.keep_info(info);
        }
        context.tell(Event::Connected);
    });
}

unsafe extern "C" fn on_disconnected<const TURN: usize>(
    conn: agora_handle,
    _: *const agora_rtc_conn_info,
    reason: i32,
) {
    with(TURN, conn, |context| context.tell(Event::Disconnected(reason.into())));
}

unsafe extern "C" fn on_reconnecting<const TURN: usize>(
    conn: agora_handle,
    _: *const agora_rtc_conn_info,
    reason: i32,
) {
    with(TURN, conn, |context| context.tell(Event::Reconnecting(reason.into())));
}

unsafe extern "C" fn on_reconnected<const TURN: usize>(conn: agora_handle, _: *const agora_rtc_conn_info, _: i32) {
    with(TURN, conn, |context| context.tell(Event::Reconnected));
}

unsafe extern "C" fn on_connection_lost<const TURN: usize>(conn: agora_handle, _: *const agora_rtc_conn_info) {
    with(TURN, conn, |context| context.tell(Event::Lost));
}

unsafe extern "C" fn on_token_privilege_will_expire<const TURN: usize>(conn: agora_handle, _: *const c_char) {
    with(TURN, conn, |context| context.tell(Event::TokenExpiring));
}

unsafe extern "C" fn on_token_privilege_did_expire<const TURN: usize>(conn: agora_handle) {
    with(TURN, conn, |context| context.tell(Event::TokenExpired));
}

unsafe extern "C" fn on_connection_license_validation_failure<const TURN: usize>(conn: agora_handle, reason: i32) {
    with(TURN, conn, |context| context.tell(Event::LicenseRefused(reason)));
}

unsafe extern "C" fn on_connection_failure<const TURN: usize>(
    conn: agora_handle,
    _: *const agora_rtc_conn_info,
    reason: i32,
) {
    with(TURN, conn, |context| context.tell(Event::Failed(reason.into())));
}

unsafe extern "C" fn on_user_joined<const TURN: usize>(conn: agora_handle, user: *const c_char) {
    with(TURN, conn, |context| {
        // SAFETY: the text ends with a zero and stays until we return (FACTS A8).
        unsafe { context.tell_of(user, Event::UserJoined) };
    });
}

unsafe extern "C" fn on_user_left<const TURN: usize>(conn: agora_handle, user: *const c_char, reason: i32) {
    with(TURN, conn, |context| {
        // SAFETY: the text ends with a zero and stays until we return (FACTS A8).
        unsafe { context.tell_of(user, |uid| Event::UserLeft(uid, OfflineReason::from(reason))) };
    });
}

unsafe extern "C" fn on_transport_stats<const TURN: usize>(conn: agora_handle, stats: *const agora_rtc_stats) {
    with(TURN, conn, |context| {
        // SAFETY: null or a structure that stays until we return (FACTS A8).
        if let Some(stats) = unsafe { stats.as_ref() } {
            context.keep(stats);
        }
    });
}

unsafe extern "C" fn on_error<const TURN: usize>(conn: agora_handle, error: i32, _: *const c_char) {
    with(TURN, conn, |context| context.tell(Event::Error(ErrorCode::from(error))));
}

unsafe extern "C" fn on_stream_message_error<const TURN: usize>(
    conn: agora_handle,
    user: *const c_char,
    stream: i32,
    _: i32,
    missed: i32,
    _: i32,
) {
    with(TURN, conn, |context| {
        // SAFETY: the text ends with a zero and stays until we return (FACTS A8).
        unsafe { context.tell_of(user, |from| Event::MessagesLost { from, stream, count: missed }) };
    });
}

unsafe extern "C" fn on_audio_track_publication_failure<const TURN: usize>(
    user: agora_handle,
    _: agora_handle,
    error: i32,
) {
    with(TURN, user, |context| context.tell(Event::PublishFailed(Track::Audio, ErrorCode::from(error))));
}

unsafe extern "C" fn on_video_track_publication_failure<const TURN: usize>(
    user: agora_handle,
    _: agora_handle,
    error: i32,
) {
    with(TURN, user, |context| context.tell(Event::PublishFailed(Track::Video, ErrorCode::from(error))));
}

unsafe extern "C" fn on_video_track_publish_success<const TURN: usize>(user: agora_handle, _: agora_handle) {
    with(TURN, user, |context| context.tell(Event::Published(Track::Video)));
}

unsafe extern "C" fn on_video_publish_state_changed<const TURN: usize>(
    user: agora_handle,
    _: *const c_char,
    _: i32,
    state: i32,
    _: i32,
) {
    with(TURN, user, |context| {
        if TrackState::from(state) == TrackState::Done {
            context.tell(Event::Published(Track::Video));
        }
    });
}

unsafe extern "C" fn on_user_video_track_state_changed<const TURN: usize>(
    user: agora_handle,
    person: *const c_char,
    _: agora_handle,
    state: i32,
    _: i32,
    _: i32,
) {
    // SAFETY: the text ends with a zero and stays until we return (FACTS A8).
    with(TURN, user, |context| unsafe { stopped(context, person, state, Track::Video) });
}

unsafe extern "C" fn on_user_audio_track_state_changed<const TURN: usize>(
    user: agora_handle,
    person: *const c_char,
    _: agora_handle,
    state: i32,
    _: i32,
    _: i32,
) {
    // SAFETY: the text ends with a zero and stays until we return (FACTS A8).
    with(TURN, user, |context| unsafe { stopped(context, person, state, Track::Audio) });
}

/// # Safety
/// `person` is null or ends with a zero, for as long as this runs.
unsafe fn stopped(context: &Context, person: *const c_char, state: i32, track: Track) {
    if matches!(RemoteState::from(state), RemoteState::Stopped | RemoteState::Failed) {
        // SAFETY: the caller's promise.
        unsafe { context.tell_of(person, |uid| Event::Stopped(uid, track)) };
    }
}

unsafe extern "C" fn on_user_info_updated<const TURN: usize>(
    user: agora_handle,
    person: *const c_char,
    message: i32,
    value: i32,
) {
    with(TURN, user, |context| {
        let track = match UserMessage::from(message) {
            UserMessage::MuteAudio if value != 0 => Track::Audio,
            UserMessage::MuteVideo if value != 0 => Track::Video,
            UserMessage::EnableVideo | UserMessage::EnableLocalVideo if value == 0 => Track::Video,
            _ => return,
        };
        // SAFETY: the text ends with a zero and stays until we return (FACTS A8).
        unsafe { context.tell_of(person, |uid| Event::Stopped(uid, track)) };
    });
}

unsafe extern "C" fn on_stream_message<const TURN: usize>(
    user: agora_handle,
    person: *const c_char,
    stream: i32,
    data: *const c_char,
    length: usize,
) {
    with(TURN, user, |context| {
        if data.is_null() || length > LONGEST_MESSAGE {
            return context.count_nameless();
        }
        // SAFETY: not null, `length` bytes that stay until we return (FACTS A8); the length is bounded above.
        let bytes = unsafe { slice::from_raw_parts(data.cast::<u8>(), length) };
        // SAFETY: the text ends with a zero and stays until we return (FACTS A8).
        unsafe { context.tell_of(person, |from| Event::Message { from, stream, data: bytes.to_vec() }) };
    });
}

unsafe extern "C" fn on_playback_audio_frame_before_mixing<const TURN: usize>(
    user: agora_handle,
    _: *const c_char,
    person: *const c_char,
    frame: *const agora_audio_frame,
) -> i32 {
    with(TURN, user, |context| {
        // SAFETY: the text ends with a zero and stays until we return (FACTS A8).
        let uid = unsafe { uid_of(person) };
        // SAFETY: null or a structure that stays until we return (FACTS A8).
        let frame = unsafe { frame.as_ref() };
        match (uid, frame) {
            // SAFETY: what the structure points to stays until we return, too (FACTS A8).
            (Some(uid), Some(frame)) => unsafe { context.take_sound(uid, frame) },
            _ => context.count_nameless(),
        }
    });
    WELL
}

unsafe extern "C" fn on_frame<const TURN: usize>(
    observer: agora_handle,
    _: *const c_char,
    person: *const c_char,
    frame: *const agora_video_frame,
) {
    with(TURN, observer, |context| {
        // SAFETY: the text ends with a zero and stays until we return (FACTS A8).
        let uid = unsafe { uid_of(person) };
        // SAFETY: null or a structure that stays until we return (FACTS A8).
        let frame = unsafe { frame.as_ref() };
        match (uid, frame) {
            // SAFETY: what the structure points to stays until we return, too (FACTS A8).
            (Some(uid), Some(frame)) => unsafe { context.take_picture(uid, frame) },
            _ => context.count_nameless(),
        }
    });
}
