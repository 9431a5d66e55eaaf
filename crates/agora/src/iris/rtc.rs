//! The SDK at work for one App ID: begun in its order, and ended in the reverse one (FACTS B2, "Order").

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parley_call::{EngineError, Token};

use super::{
    Api, Attachment, Devices, EventHandler, IrisError, Library, Listener, Screens,
    requests::{
        devices::{EnableLocalAudio, EnableLocalVideo},
        engine::{
            ChannelMediaOptions, Connection, Context, EnableVideo, GetVersion, Initialize, JoinChannel, JoinChannelEx,
            LeaveChannel, LeaveChannelEx, LeaveOptions, RegisterEventHandler, Release, SetAppType, SetAudioScenario,
            UnregisterEventHandler,
        },
        media::{
            RegisterAudioFrameObserver, RegisterVideoFrameObserver, SetExternalAudioSink,
            SetPlaybackAudioFrameBeforeMixingParameters, UnregisterAudioFrameObserver, UnregisterVideoFrameObserver,
        },
    },
};
use crate::codes::ErrorCode;

/// Programs in Rust (FACTS B2, IrisAppType).
const RUST: i32 = 11;
/// Live broadcasting, as the gateway engine says it: all in a channel have to say the same.
pub(super) const CHANNEL_PROFILE: i32 = 1;
/// May send.
pub(super) const BROADCASTER: i32 = 1;
/// A meeting: echo cancelling and noise suppression for voices.
pub(super) const MEETING: i32 = 8;
/// The regions of the whole world.
pub(super) const EVERYWHERE: u32 = 0xffff_ffff;
/// The oldest SDK whose ids are made by the rule that we know (FACTS B2).
const OLDEST: [u32; 2] = [4, 5];

/// Samples a second that we push and want.
const RATE: u32 = parley_call::audio::SAMPLE_RATE;

/// Who captures and plays sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoundPath {
    /// We push it and play it; the SDK opens neither microphone nor loudspeaker.
    Ours,
    /// The SDK's microphone and loudspeaker, with its echo cancelling between them.
    Devices,
}

/// An SDK at work. It ends when this is dropped: by then nobody uses it, so nothing can be called afterwards.
pub struct Rtc {
    /// Before the engine, so that it is destroyed before it.
    handler: EventHandler,
    api: Api,
    sound: SoundPath,
    begun: Begun,
}

/// What has been done and has to be undone.
#[derive(Default)]
struct Begun {
    initialized: bool,
    events: bool,
    pictures: bool,
    sound: bool,
    in_channel: AtomicBool,
}

impl Rtc {
    /// Begins; events go to `listener` from now on.
    ///
    /// # Errors
    /// What came of the first call that failed. What was begun by then is ended.
    pub fn start(
        library: &Arc<Library>,
        app_id: &str,
        sound: SoundPath,
        listener: &Arc<dyn Listener>,
    ) -> Result<Self, IrisError> {
        let api = Api::create(library)?;
        let handler = EventHandler::create(library, listener)?;
        let mut rtc = Self { handler, api, sound, begun: Begun::default() };
        let context = Context {
            app_id: app_id.to_owned(),
            channel_profile: CHANNEL_PROFILE,
            audio_scenario: MEETING,
            area_code: EVERYWHERE,
        };
        rtc.api.call(&Initialize { context })?;
        rtc.begun.initialized = true;
        if let Err(error) = rtc.api.call(&SetAppType { app_type: RUST }) {
            tracing::debug!(%error, "the SDK was not told what kind of program this is");
        }
        rtc.check_version()?;
        rtc.register(&RegisterEventHandler {})?;
        rtc.begun.events = true;
        rtc.register(&RegisterVideoFrameObserver {})?;
        rtc.begun.pictures = true;
        rtc.register(&RegisterAudioFrameObserver {})?;
        rtc.begun.sound = true;
        rtc.api.call(&EnableVideo {})?;
        rtc.set_sound_path()?;
        Ok(rtc)
    }

    /// Its methods.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Who captures and plays sound.
    pub fn sound(&self) -> SoundPath {
        self.sound
    }

    /// Its own cameras, microphones and loudspeakers.
    pub fn devices(&self) -> Devices<'_> {
        Devices { rtc: self }
    }

    /// The screens and windows that it can share.
    pub fn screens(&self) -> Screens<'_> {
        Screens { rtc: self }
    }

    /// Begins to join; the outcome comes as an event.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub fn join(&self, connection: Connection, token: Token, options: ChannelMediaOptions) -> Result<(), IrisError> {
        let Connection { channel_id, local_uid: uid } = connection;
        self.api.call(&JoinChannel { token: token.into(), channel_id, uid, options })?;
        self.begun.in_channel.store(true, Ordering::Release);
        Ok(())
    }

    /// Begins to join as one more participant, whose outcome comes as an event, too.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub fn join_also(
        &self,
        connection: Connection,
        token: Token,
        options: ChannelMediaOptions,
    ) -> Result<(), IrisError> {
        self.api.call(&JoinChannelEx { token: token.into(), connection, options }).map(drop)
    }

    /// Lets the one more participant go.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub fn leave_also(&self, connection: Connection) -> Result<(), IrisError> {
        self.api
            .call(&LeaveChannelEx { connection, options: LeaveOptions { stop_microphone_recording: false } })
            .map(drop)
    }

    /// Callbacks that panicked so far.
    pub fn callback_panics(&self) -> u64 {
        self.handler.panics()
    }

    fn check_version(&self) -> Result<(), IrisError> {
        let version = self.api.call(&GetVersion {})?;
        tracing::info!(version = version.result, build = version.build, "Agora's desktop SDK has started");
        if is_new_enough(&version.result) { Ok(()) } else { Err(IrisError::TooOld { found: version.result }) }
    }

    fn register<R: super::requests::Request>(&self, request: &R) -> Result<R::Answer, IrisError> {
        self.api.call_with(request, &mut [Attachment::Handler(&self.handler)])
    }

    /// Before a join, as the SDK wants it.
    fn set_sound_path(&self) -> Result<(), IrisError> {
        self.api.call(&SetPlaybackAudioFrameBeforeMixingParameters {
            sample_rate: RATE,
            channel: 1,
            samples_per_call: RATE / 100,
        })?;
        match self.sound {
            SoundPath::Ours => {
                self.api.call(&SetExternalAudioSink { enabled: true, sample_rate: RATE, channels: 1 })?;
            }
            SoundPath::Devices => {
                self.api.call(&SetAudioScenario { scenario: MEETING })?;
            }
        }
        // Nothing is open that nobody has opened.
        self.api.call(&EnableLocalAudio { enabled: false })?;
        self.api.call(&EnableLocalVideo { enabled: false })?;
        Ok(())
    }

    /// Undoes one thing; the rest is undone whatever comes of it.
    fn undo(what: &str, outcome: Result<(), IrisError>) {
        if let Err(error) = outcome {
            tracing::warn!(%error, what, "a step of ending Agora's SDK failed");
        }
    }
}

impl Drop for Rtc {
    /// Nobody is let in any more, everything is unregistered, those inside are waited for, and only then it is released.
    fn drop(&mut self) {
        self.handler.close();
        if self.begun.sound {
            Self::undo("sound", self.register(&UnregisterAudioFrameObserver {}).map(drop));
        }
        if self.begun.pictures {
            Self::undo("pictures", self.register(&UnregisterVideoFrameObserver {}).map(drop));
        }
        if self.begun.events {
            Self::undo("events", self.register(&UnregisterEventHandler {}).map(drop));
        }
        if !self.handler.empty() {
            tracing::error!("a callback of Agora's library does not return");
        }
        if *self.begun.in_channel.get_mut() {
            let options = LeaveOptions { stop_microphone_recording: true };
            Self::undo("channel", self.api.call(&LeaveChannel { options }).map(drop));
        }
        if self.begun.initialized {
            Self::undo("engine", self.api.call(&Release { sync: true }).map(drop));
        }
        // Then the handler and the engine's handle are destroyed, in the order in which FACTS B2 names them.
    }
}

/// Whether a version is one whose ids we know.
pub(crate) fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let found = [numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)];
    found >= OLDEST
}

impl From<IrisError> for EngineError {
    fn from(error: IrisError) -> Self {
        match error {
            IrisError::Refused { method, code } => match ErrorCode::from(code).to_error() {
                Self::Failed(words) => Self::Failed(format!("{words}, {method}")),
                known => known,
            },
            error => Self::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        for new in ["4.5.0", "4.6.2", "4.10", "5.0.1", "4.5"] {
            assert!(is_new_enough(new), "{new}");
        }
        for old in ["4.4.9", "4.1.1.12", "3.7.2", "", "4", "new", "x.y"] {
            assert!(!is_new_enough(old), "{old}");
        }
    }

    #[test]
    fn refusals_of_tokens_are_told_as_such() {
        let refused = |code| EngineError::from(IrisError::Refused { method: "RtcEngine_joinChannel", code });
        assert_eq!(refused(110), EngineError::TokenRefused);
        assert_eq!(refused(109), EngineError::TokenExpired);
        let words = "an argument is not valid (2), RtcEngine_joinChannel";
        assert_eq!(refused(2), EngineError::Failed(words.to_owned()), "in words, with what was called");
        assert_eq!(refused(77), EngineError::Failed("code 77, RtcEngine_joinChannel".to_owned()));
    }
}
