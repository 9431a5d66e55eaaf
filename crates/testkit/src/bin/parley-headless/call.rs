//! One side of the call: its source, its tone, its session, and what it sees and hears.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use parley_call::{CallSession, EngineError, EngineFactory, MediaEngine, Opening, Phase, VideoProfile, VideoTrack};
use parley_domain::{EngineKind, MeetingId};
use parley_media::{FrameLog, SourceOptions, Tone, ToneSource, VideoSource};
use parley_testkit::Caller;

use crate::{
    arguments::{Arguments, Engine},
    pictures::PictureReader,
    sound::SoundReader,
};

/// Sent pictures that are kept for comparison: a second, more than any picture may take.
const KEPT_PICTURES: usize = 30;
/// Pictures that are compared with what was sent, about; 100 are needed.
const COMPARED_PICTURES: u32 = 150;

/// What one side sends.
pub(crate) struct Sending {
    video: VideoSource,
    log: Arc<FrameLog>,
    tone: ToneSource,
    /// The tone that the other side should hear.
    pub(crate) expected: Tone,
    /// `clip` or `card`.
    pub(crate) source: &'static str,
}

impl Sending {
    /// Opens the clip or draws the card, and begins to sound.
    pub(crate) fn start(clip: Option<&Path>, title: &str, tone: Tone) -> Result<Self> {
        let log = Arc::new(FrameLog::new(KEPT_PICTURES));
        let options = SourceOptions { stamped: true, log: Some(Arc::clone(&log)), ..SourceOptions::default() };
        let (video, source) = match clip {
            Some(path) => {
                let clip = VideoSource::clip(path, options);
                (clip.with_context(|| format!("{} can't be played", path.display()))?, "clip")
            }
            None => (VideoSource::card(title, options)?, "card"),
        };
        Ok(Self { video, log, tone: ToneSource::start(tone)?, expected: tone, source })
    }

    /// How many pictures were made so far.
    pub(crate) fn picture_count(&self) -> u64 {
        self.video.frames().put_count()
    }

    pub(crate) fn ensure_alive(&self) -> Result<()> {
        match self.video.failure() {
            Some(failure) => bail!("the {} ended: {failure}", self.source),
            None => Ok(()),
        }
    }
}

/// A person in the call.
pub(crate) struct Side {
    pub(crate) session: Arc<CallSession>,
    pub(crate) sending: Sending,
}

impl Side {
    /// Begins a session for this person, with camera and microphone on.
    pub(crate) fn begin(
        person: &Caller,
        meeting: MeetingId,
        opening: Opening,
        sending: Sending,
        engine: Engine,
    ) -> Self {
        let line = person.call_server();
        let session = Arc::new(CallSession::start(meeting, opening, line, factory(engine)));
        session.set_camera(Some(VideoTrack { frames: sending.video.frames(), profile: VideoProfile::default() }));
        session.set_microphone(Some(sending.tone.blocks()));
        person.follow(&session);
        Self { session, sending }
    }

    /// Begins to look at and listen to what `other` sends.
    pub(crate) fn attend(&self, other: &Sending, arguments: &Arguments) -> Result<Attending> {
        let every = Duration::from_secs(arguments.seconds) / COMPARED_PICTURES;
        Ok(Attending {
            pictures: PictureReader::start(self.session.remote_video(), Arc::clone(&other.log), every)?,
            sound: SoundReader::start(self.session.remote_audio()),
        })
    }

    /// Waits until the session is in that phase.
    pub(crate) async fn reach(&self, phase: Phase) -> Result<()> {
        let mut watch = self.session.watch();
        let reached =
            watch.wait_for(|now| now.phase == phase || now.is_over()).await.context("the call's task ended")?;
        ensure!(reached.phase == phase, "expected {phase:?}, but the call is {:?}", reached.phase);
        Ok(())
    }

    /// Waits until both are in and the media path is up.
    pub(crate) async fn connected(&self) -> Result<()> {
        self.reach(Phase::Connected).await
    }

    /// Waits until pictures of the other side arrive.
    pub(crate) async fn sees(&self) -> Result<()> {
        let mut watch = self.session.watch();
        let sees =
            watch.wait_for(|now| now.peer.video_flowing || now.is_over()).await.context("the call's task ended")?;
        ensure!(!sees.is_over(), "the call ended before a picture came: {:?}", sees.phase);
        Ok(())
    }

    /// Waits until the session is over; the server's duration, if it came.
    pub(crate) async fn over(&self) -> Result<Option<i64>> {
        let mut watch = self.session.watch();
        let over =
            |now: &parley_call::CallSnapshot| matches!(&now.phase, Phase::Ended(end) if end.duration_seconds.is_some());
        match &watch.wait_for(over).await.context("the call's task ended")?.phase {
            Phase::Ended(ending) => Ok(ending.duration_seconds),
            _ => Ok(None),
        }
    }

    /// Ends the session's task after its farewell, and the sources.
    pub(crate) async fn finish(self) -> Result<()> {
        // The person's pump may hold it for the length of one event.
        let mut session = self.session;
        loop {
            match Arc::try_unwrap(session) {
                Ok(session) => break session.finish().await,
                Err(shared) => session = shared,
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}

/// What one side looks at and listens to.
pub(crate) struct Attending {
    pub(crate) pictures: PictureReader,
    pub(crate) sound: SoundReader,
}

fn factory(engine: Engine) -> EngineFactory {
    Box::new(move |kind, ports| match (engine, kind) {
        (Engine::Direct, EngineKind::Direct) => {
            Ok(Box::new(parley_direct::DirectEngine::new(ports, parley_direct::DirectOptions::default()))
                as Box<dyn MediaEngine>)
        }
        (engine, kind) => Err(EngineError::Failed(format!("the meeting wants {kind}, this run has {engine:?}"))),
    })
}
