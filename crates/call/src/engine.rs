//! What every engine can do, in one trait, and what it tells.
//!
//! Commands return at once; outcomes come as [`EngineEvent`]s on the channel that the engine was built with. An engine
//! owns its threads and ends them in [`MediaEngine::leave`] or when it is dropped.

use std::{sync::Arc, time::Duration};

use parley_domain::{AgoraUid, EngineKind};
use tokio::sync::mpsc;

use crate::{audio::AudioQueue, frame::I420Frame, slot::LatestSlot};

/// Counts the joins of one call. An event of an earlier attempt is late and is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u32);

/// A meeting token that only the server can mint. Its text never appears in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What the server's token answer says about joining one meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The App ID that the token was minted for.
    pub app_id: String,
    /// The channel of the meeting.
    pub channel: String,
    /// Our number in the channel.
    pub uid: AgoraUid,
    /// The other person's number in the channel.
    pub peer: AgoraUid,
    /// Lets us in.
    pub token: Token,
    /// Lets our screen in, a second participant of ours; `None` where screens are not shared.
    pub screen: Option<ScreenPass>,
    /// The other person's screen in the channel, if it may come.
    pub peer_screen: Option<AgoraUid>,
    /// STUN and TURN servers; only the direct engine uses them.
    pub ice_servers: Vec<IceServer>,
}

/// Lets a shared screen into the channel under a number of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenPass {
    /// The screen's number.
    pub uid: AgoraUid,
    /// Lets it in.
    pub token: Token,
}

/// A STUN or TURN server, as in WebRTC's `RTCIceServer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:…` and `turn:…` addresses.
    pub urls: Vec<String>,
    /// For TURN.
    pub username: Option<String>,
    /// For TURN.
    pub credential: Option<Token>,
}

/// How a video track is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoProfile {
    /// Pictures a second at most.
    pub max_fps: u32,
    /// Bits a second at most.
    pub max_bitrate: u32,
}

impl Default for VideoProfile {
    /// 720p30 at 1.5 Mbit/s, the profile that the direct engine was measured with (DESIGN §4).
    fn default() -> Self {
        Self { max_fps: 30, max_bitrate: 1_500_000 }
    }
}

/// Where an engine takes local media from and where it puts remote media and events.
#[derive(Clone)]
pub struct EnginePorts {
    /// Outcomes and changes. Bounded; an engine counts what does not fit and never blocks on it.
    pub events: mpsc::Sender<EngineEvent>,
    /// The newest decoded picture of the other person's camera (or file).
    pub remote_video: Arc<LatestSlot<I420Frame>>,
    /// The newest decoded picture of the other person's shared screen.
    pub remote_screen: Arc<LatestSlot<I420Frame>>,
    /// The other person's sound, ready to be played.
    pub remote_audio: Arc<AudioQueue>,
}

/// Carries the media of one call. Built for one meeting, used for several attempts to join it.
pub trait MediaEngine: Send {
    /// Which engine this is.
    fn kind(&self) -> EngineKind;

    /// Begins to join. The outcome is [`EngineEvent::Joined`] or [`EngineEvent::JoinFailed`] with this attempt, within
    /// the engine's own time-out. Joining again while joined leaves first.
    fn join(&mut self, attempt: Attempt, credentials: Credentials);

    /// Sends what appears in `frames` from now on (replacing an earlier source), or stops with `None`.
    fn publish_video(&mut self, frames: Option<Arc<LatestSlot<I420Frame>>>, profile: VideoProfile);

    /// Sends the blocks of `blocks` from now on (replacing an earlier source), or stops with `None`.
    fn publish_audio(&mut self, blocks: Option<Arc<AudioQueue>>);

    /// Shares what appears in `frames` as our screen, beside the camera, from now on (replacing an earlier source), or
    /// stops with `None`. An engine that carries one picture a person does nothing, as here.
    fn publish_screen(&mut self, frames: Option<Arc<LatestSlot<I420Frame>>>, profile: VideoProfile) {
        let _ = (frames, profile);
    }

    /// Whether the other person's picture is looked at. While it is not, the engine may stop decoding or receiving it.
    fn want_remote_video(&mut self, wanted: bool);

    /// Replaces the token of the running join.
    fn renew_token(&mut self, token: Token);

    /// Replaces the pass of our screen. Nothing to do for an engine that doesn't share it.
    fn renew_screen(&mut self, pass: ScreenPass) {
        let _ = pass;
    }

    /// What the other side's engine sent by way of the server (`call:signal`). Foreign bytes: anything may be in them.
    fn on_signal(&mut self, data: &str);

    /// Leaves the channel and ends the engine's threads. No event follows. May be called twice.
    fn leave(&mut self);
}

/// What an engine tells.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineEvent {
    /// We are in the channel; media flows as soon as the peer is there.
    Joined(Attempt),
    /// That attempt came to nothing.
    JoinFailed(Attempt, EngineError),
    /// The peer's media path is up.
    PeerConnected,
    /// The peer left the channel or its media path was closed by it.
    PeerLeft,
    /// The media path is interrupted; the engine is trying again by itself.
    Reconnecting,
    /// The media path is up again.
    Reconnected,
    /// The engine gave up; only a new join helps.
    Lost(EngineError),
    /// The other person's pictures come (`true`) or have stopped coming.
    RemoteVideo(bool),
    /// The other person's screen comes (`true`) or is no longer shared.
    RemoteScreen(bool),
    /// The other person's sound comes (`true`) or has stopped coming.
    RemoteAudio(bool),
    /// The token ends soon: ask for the next one.
    TokenExpiring,
    /// To be carried to the other side's engine by `call:signal`.
    Signal(String),
    /// How the path does, about once a second.
    Quality(Quality),
}

/// How the media path does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Round trip.
    pub round_trip: Duration,
    /// Part of our packets that the other side misses, 0…1.
    pub loss: f32,
    /// Bits a second that we send.
    pub send_bitrate: u64,
    /// Bits a second that we receive.
    pub receive_bitrate: u64,
    /// Pictures a second that were decoded.
    pub receive_fps: f32,
    /// Gaps of more than 200 ms between two decoded pictures, since the join.
    pub freezes: u64,
}

/// Why an engine could not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The token is not valid for this channel and uid, or the App ID is none.
    #[error("the meeting's token was refused")]
    TokenRefused,
    /// The token is past its time.
    #[error("the meeting's token is past its time")]
    TokenExpired,
    /// Whoever runs the network put us out.
    #[error("removed from the call")]
    Removed,
    /// The same person is in the channel from somewhere else now.
    #[error("joined elsewhere")]
    JoinedElsewhere,
    /// No answer within the time-out.
    #[error("the other side or the network did not answer in time")]
    TimedOut,
    /// There is no network path.
    #[error("there is no network path to the other side")]
    NoNetwork,
    /// The engine can't be had on this machine; the words say what to do, for people.
    #[error("{0}")]
    Missing(String),
    /// The engine itself failed.
    #[error("the media engine failed: {0}")]
    Failed(String),
}
