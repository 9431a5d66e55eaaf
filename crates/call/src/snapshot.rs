//! What a call looks like from outside, at one moment.

use parley_domain::{EndReason, EngineKind};

use crate::engine::{EngineError, Quality};

/// Where the call stands on this device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has happened yet.
    Idle,
    /// Ours rings at the other side.
    RingingOut,
    /// Theirs rings here; `accepting` once the person said yes and the server has not answered yet.
    RingingIn {
        /// The person said yes.
        accepting: bool,
    },
    /// On the way in, or in and waiting for the other side to come.
    Joining,
    /// Both are in and the media path is up.
    Connected,
    /// It was connected and is trying to be so again.
    Reconnecting(Trouble),
    /// Over, for good.
    Ended(Ending),
}

/// What interrupts a call that was connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The media path is interrupted; the engine or a new join brings it back.
    Media,
    /// The other side went away without ending the call.
    PeerGone,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Why.
    pub why: Why,
    /// Whole seconds between start and end as the server counts them; `None` if it never was active or while unknown.
    pub duration_seconds: Option<i64>,
}

/// Why a call is over on this device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The server said so.
    Told(EndReason),
    /// We hung up.
    HungUp,
    /// We took our ring back.
    Cancelled,
    /// We said no.
    Declined,
    /// Another device of ours answered.
    AnsweredElsewhere,
    /// It rang for its whole time and the server could not tell us more.
    Unanswered,
    /// The server knows no such running call any more; why, we did not hear.
    Gone,
    /// The owner of the session went away (the app quits, another account).
    Left,
    /// It did not work.
    Failed(CallFailure),
}

impl Why {
    /// The reason in the words of the contract, where it has one.
    pub fn reason(&self) -> Option<EndReason> {
        match self {
            Self::Told(reason) => Some(*reason),
            Self::HungUp => Some(EndReason::Ended),
            Self::Cancelled => Some(EndReason::Cancelled),
            Self::Declined => Some(EndReason::Declined),
            Self::AnsweredElsewhere => Some(EndReason::Moved),
            Self::Unanswered => Some(EndReason::Missed),
            Self::Gone | Self::Left | Self::Failed(_) => None,
        }
    }
}

/// What did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// The server could not be reached for too long.
    #[error("the server can't be reached")]
    ServerUnreachable,
    /// The server refused for good.
    #[error("the server refused: {0}")]
    Refused(String),
    /// The call's engine is not here or can't start.
    #[error("the call's engine can't start: {0}")]
    EngineMissing(EngineError),
    /// The media path did not come up, or was lost for good.
    #[error("the call could not be connected: {0}")]
    Media(EngineError),
    /// The other side did not come (back).
    #[error("the other side did not come back")]
    PeerGone,
}

/// Something that the person switches: what is wanted and what is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switched {
    /// What the person wants.
    pub wanted: bool,
    /// What the engine does.
    pub actual: bool,
}

/// What the other side sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerMedia {
    /// Is in the channel with a media path to us.
    pub present: bool,
    /// Says that its camera is on.
    pub camera: bool,
    /// Says that its microphone is on.
    pub microphone: bool,
    /// Says that it shares its screen.
    pub screen: bool,
    /// Pictures of its screen arrive now.
    pub screen_flowing: bool,
    /// Pictures arrive now.
    pub video_flowing: bool,
    /// Sound arrives now.
    pub audio_flowing: bool,
}

/// The call as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct CallSnapshot {
    /// Where it stands.
    pub phase: Phase,
    /// What carries the media; known from the first token on.
    pub engine: Option<EngineKind>,
    /// Our camera.
    pub camera: Switched,
    /// Our microphone.
    pub microphone: Switched,
    /// Our screen.
    pub screen: Switched,
    /// The other side.
    pub peer: PeerMedia,
    /// Whether the server has this device bound to the call; a connected call goes on without it for a while.
    pub server_bound: bool,
    /// How the path does, once known.
    pub quality: Option<Quality>,
}

impl CallSnapshot {
    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }
}
