//! One side of the call: its source, its tone, its session, and what it sees and hears.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use parley_call::{
    CallSession, CallSnapshot, EngineError, EngineFactory, MediaEngine, Opening, Phase, VideoProfile, VideoTrack,
};
use parley_client::ClientEvent;
use parley_domain::{EngineKind, MeetingId};
use parley_media::{Originals, SourceOptions, Tone, ToneSource, VideoSource};
use parley_testkit::Caller;
use serde_json::Value;

use crate::{
    arguments::{Arguments, Engine},
    clock::ClockZero,
    pictures::{Clocks, PictureFigures, PictureReader},
    sound::{SoundFigures, SoundReader},
    talk::Standing,
    usage,
};

/// How long a shared screen is looked at: long enough for the least number of pictures at the least rate.
pub(crate) const SCREEN_SECONDS: Duration = Duration::from_secs(10);
/// Pictures that are compared with what was sent, about; 100 are needed.
const COMPARED_PICTURES: u32 = 150;

/// What a side sends, and how its direction is called.
#[derive(Clone, Copy)]
pub(crate) struct Programme {
    title: &'static str,
    tone: Tone,
    pub(crate) direction: &'static str,
}

/// What is drawn on the screen that the provider shares, where the engine carries screens.
const SCREEN: &str = "SHARED SCREEN";

/// Two tones, so that nobody hears itself.
pub(crate) const OF_CLIENT: Programme =
    Programme { title: "CLIENT", tone: Tone { frequency: 440.0, level: -20.0 }, direction: "client to provider" };
pub(crate) const OF_PROVIDER: Programme =
    Programme { title: "PROVIDER", tone: Tone { frequency: 660.0, level: -23.0 }, direction: "provider to client" };

impl Programme {
    fn options() -> SourceOptions {
        SourceOptions { stamped: true, ..SourceOptions::default() }
    }

    /// Its pictures once more, to compare with.
    fn originals(self, arguments: &Arguments) -> Result<Originals> {
        Ok(match &arguments.clip {
            Some(path) => Originals::clip(path, &Self::options())?,
            None => Originals::card(self.title, &Self::options()),
        })
    }
}

/// A side's sources.
pub(crate) struct Sending {
    video: VideoSource,
    tone: ToneSource,
    /// `clip` or `card`.
    pub(crate) source: &'static str,
}

impl Sending {
    /// Opens the clip or draws the card, and begins to sound.
    pub(crate) fn start(programme: Programme, arguments: &Arguments) -> Result<Self> {
        let options = Programme::options();
        let (video, source) = match &arguments.clip {
            Some(path) => {
                let clip = VideoSource::clip(path, options);
                (clip.with_context(|| format!("{} can't be played", path.display()))?, "clip")
            }
            None => (VideoSource::card(programme.title, options)?, "card"),
        };
        Ok(Self { video, tone: ToneSource::start(programme.tone)?, source })
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
        arguments: &Arguments,
    ) -> Self {
        let line = person.call_server();
        let session = Arc::new(CallSession::start(meeting, opening, line, factory(arguments)));
        session.set_camera(Some(VideoTrack { frames: sending.video.frames(), profile: VideoProfile::default() }));
        session.set_microphone(Some(sending.tone.blocks()));
        person.follow(&session);
        Self { session, sending }
    }

    /// Begins to look at and listen to what the other side sends, whose media clock stood at zero then.
    pub(crate) fn attend(&self, other: Programme, clock: ClockZero, arguments: &Arguments) -> Result<Attending> {
        let every = Duration::from_secs(arguments.seconds) / COMPARED_PICTURES;
        let clocks = Clocks { ours: ClockZero::here(), theirs: clock };
        let originals = other.originals(arguments)?;
        Ok(Attending {
            pictures: PictureReader::start(self.session.remote_video(), originals, every, clocks)?,
            sound: SoundReader::start(self.session.remote_audio()),
            programme: other,
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

    /// Waits until pictures of the other side arrive.
    pub(crate) async fn sees(&self) -> Result<()> {
        self.until("a picture came", |now| now.peer.video_flowing).await
    }

    /// Shares a drawn screen beside the camera, and waits until it is on its way.
    pub(crate) async fn share_screen(&self) -> Result<VideoSource> {
        let screen = VideoSource::card(SCREEN, Programme::options())?;
        self.session.set_screen(Some(VideoTrack { frames: screen.frames(), profile: VideoProfile::default() }));
        self.until("its screen is shared", |now| now.screen.actual).await?;
        Ok(screen)
    }

    /// Shares it no longer; how many pictures were made of it.
    pub(crate) async fn hide_screen(&self, screen: VideoSource) -> Result<u64> {
        self.session.set_screen(None);
        self.until("its screen is no longer shared", |now| !now.screen.actual).await?;
        Ok(screen.frames().put_count())
    }

    /// Waits until the other side's screen comes, or has gone.
    pub(crate) async fn sees_screen(&self, comes: bool) -> Result<()> {
        let what = if comes { "the shared screen comes" } else { "the shared screen is gone" };
        self.until(what, |now| now.peer.screen == comes && now.peer.screen_flowing == comes).await
    }

    /// Begins to look at the other side's screen, whose media clock stood at zero then.
    pub(crate) fn look_at_screen(&self, clock: ClockZero) -> Result<PictureReader> {
        let clocks = Clocks { ours: ClockZero::here(), theirs: clock };
        let originals = Originals::card(SCREEN, &Programme::options());
        PictureReader::start(self.session.remote_screen(), originals, SCREEN_SECONDS / COMPARED_PICTURES, clocks)
    }

    async fn until(&self, what: &str, mut reached: impl FnMut(&CallSnapshot) -> bool) -> Result<()> {
        let mut watch = self.session.watch();
        let now = watch.wait_for(|now| reached(now) || now.is_over()).await.context("the call's task ended")?;
        ensure!(!now.is_over(), "the call ended before {what}: {:?}", now.phase);
        Ok(())
    }

    /// How it stands while somebody looks; an error when the source or the call has ended.
    pub(crate) fn stand(&self, attending: &Attending) -> Result<Standing> {
        if let Some(failure) = self.sending.video.failure() {
            bail!("the {} ended: {failure}", self.sending.source);
        }
        ensure!(!self.session.snapshot().is_over(), "the call ended while it was measured");
        let pictures = self.sending.video.frames().put_count();
        let used = usage::processor_seconds().map(|used| used - attending.pictures.comparing_seconds());
        Ok(Standing { pictures, processor_seconds: used })
    }

    /// Waits until the session is over; the server's duration, if it came.
    pub(crate) async fn over(&self) -> Result<Option<i64>> {
        let mut watch = self.session.watch();
        let over = |now: &CallSnapshot| matches!(&now.phase, Phase::Ended(end) if end.duration_seconds.is_some());
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
    pictures: PictureReader,
    sound: SoundReader,
    programme: Programme,
}

impl Attending {
    /// Looks and listens no longer. The other side sent so many pictures meanwhile.
    pub(crate) async fn finish(self, sent_pictures: u64) -> Result<(PictureFigures, Heard)> {
        // Pictures that still wait are compared before.
        let pictures = tokio::task::spawn_blocking(move || self.pictures.finish(sent_pictures));
        let samples = self.sound.finish().await?;
        let pictures = pictures.await?.context(self.programme.direction)?;
        Ok((pictures, Heard { samples, programme: self.programme }))
    }
}

/// What one side heard, and should have heard.
pub(crate) struct Heard {
    samples: Vec<i16>,
    programme: Programme,
}

impl Heard {
    /// Searching for a tone takes some tenths of a second of computing.
    pub(crate) async fn figures(self) -> Result<Value> {
        let Self { samples, programme: Programme { tone, direction, .. } } = self;
        let figures = tokio::task::spawn_blocking(move || SoundFigures::of(&samples, tone)).await?;
        Ok(figures.context(direction)?.to_json(direction))
    }
}

/// Waits until this person hears that the meeting is active.
pub(crate) async fn hear_active(person: &mut Caller, meeting: MeetingId) -> Result<()> {
    let heard = person.hear("that the meeting is active", |event| match event {
        ClientEvent::MeetingStarted(started) if started.meeting_id == meeting => Some(()),
        _ => None,
    });
    heard.await
}

/// Builds the engine of this run, and no other.
fn factory(arguments: &Arguments) -> EngineFactory {
    let (wanted, sdk) = (arguments.engine, arguments.agora_sdk.clone());
    Box::new(move |kind, ports| match (wanted, kind, &sdk) {
        (Engine::Direct, EngineKind::Direct, _) => {
            Ok(Box::new(parley_direct::DirectEngine::new(ports, parley_direct::DirectOptions::default()))
                as Box<dyn MediaEngine>)
        }
        (Engine::Agora, EngineKind::Agora, Some(sdk)) => {
            parley_agora::engine(ports, sdk).map_err(|refusal| EngineError::Failed(refusal.to_string()))
        }
        _ => Err(EngineError::Failed(format!("the meeting wants {kind}, this run has {wanted:?}"))),
    })
}
