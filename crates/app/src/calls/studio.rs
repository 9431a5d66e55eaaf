//! This machine's devices, as a call uses them: what is chosen, and opening it without holding anybody up.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use parley_call::{AudioQueue, I420Frame, LatestSlot, VideoProfile, VideoTrack};
use parley_media::{
    CameraError, DeviceId, EchoReference, Microphone, SoundError, SourceError, SourceOptions, Speaker,
    VideoSource as Source, devices,
};
use parley_protocol::{
    Code,
    app::{AppError, Device, DeviceChoice, DevicesView, VideoSource},
};
use tokio::task::spawn_blocking;
use tokio_util::task::AbortOnDropHandle;

/// The choice of the video file in place of a camera.
const FILE: &str = "file";
/// The choice of the moving card in place of a camera.
const CARD: &str = "card";

/// Opens what is chosen.
pub(crate) struct Studio {
    video_file: Option<PathBuf>,
    /// Written on the card.
    title: Mutex<String>,
    chosen: Mutex<DeviceChoice>,
    /// Where the own small pictures go.
    preview: Arc<LatestSlot<I420Frame>>,
}

/// Pictures on their way to an engine and to the preview. Dropping it lets go of the camera.
pub(crate) struct OpenVideo {
    source: Source,
    pub(crate) kind: VideoSource,
    _preview: AbortOnDropHandle<()>,
}

impl OpenVideo {
    /// What the engine sends.
    pub(crate) fn track(&self) -> VideoTrack {
        VideoTrack { frames: self.source.frames(), profile: VideoProfile::default() }
    }

    /// Why it ended by itself, if it did.
    pub(crate) fn failure(&self) -> Option<AppError> {
        self.source
            .failure()
            .map(|words| AppError::new(Code::CameraUnavailable, format!("The camera stopped: {words}.")))
    }
}

impl Studio {
    pub(crate) fn new(
        video_file: Option<PathBuf>,
        title: String,
        chosen: DeviceChoice,
        preview: Arc<LatestSlot<I420Frame>>,
    ) -> Self {
        Self { video_file, title: Mutex::new(title), chosen: Mutex::new(chosen), preview }
    }

    /// What there is and what is chosen. May take a second.
    pub(crate) async fn devices(&self) -> DevicesView {
        let (mut cameras, microphones, speakers) =
            spawn_blocking(|| (list(devices::cameras()), list(devices::microphones()), list(devices::speakers())))
                .await
                .unwrap_or_default();
        if let Some(file) = &self.video_file {
            let name = file.file_name().map_or_else(|| "video".to_owned(), |name| name.to_string_lossy().into_owned());
            cameras.push(Device { id: FILE.to_owned(), name: format!("Video file ({name})") });
        }
        cameras.push(Device { id: CARD.to_owned(), name: "Moving card".to_owned() });
        DevicesView { cameras, microphones, speakers, chosen: self.chosen() }
    }

    pub(crate) fn chosen(&self) -> DeviceChoice {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn choose(&self, choice: DeviceChoice) {
        *self.chosen.lock().unwrap_or_else(PoisonError::into_inner) = choice;
    }

    /// What is written on the card from its next opening on.
    pub(crate) fn set_title(&self, title: &str) {
        title.clone_into(&mut self.title.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Opens the chosen source of pictures: the first camera where nothing is chosen, the video file where there is no
    /// camera.
    ///
    /// # Errors
    /// `NO_CAMERA`, `CAMERA_UNAVAILABLE`.
    pub(crate) async fn open_video(&self) -> Result<OpenVideo, AppError> {
        let title = self.title.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (chosen, file) = (self.chosen().camera, self.video_file.clone());
        let (source, kind) = spawn_blocking(move || open_source(chosen.as_deref(), file, &title))
            .await
            .map_err(|error| AppError::new(Code::CameraUnavailable, error.to_string()))??;
        let (from, to) = (source.preview(), Arc::clone(&self.preview));
        let preview = AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                to.put(from.take().await);
            }
        }));
        Ok(OpenVideo { source, kind, _preview: preview })
    }

    /// Opens the chosen microphone.
    ///
    /// # Errors
    /// `NO_MICROPHONE`.
    pub(crate) async fn open_microphone(&self, echo: EchoReference) -> Result<Microphone, AppError> {
        let chosen = self.chosen().microphone.map(DeviceId);
        spawn_blocking(move || Microphone::open(chosen.as_ref(), Some(echo)))
            .await
            .map_err(|error| error.to_string())
            .and_then(|opened| opened.map_err(|error| sound_sentence(&error, "microphone")))
            .map_err(|sentence| AppError::new(Code::NoMicrophone, sentence))
    }

    /// Opens the chosen output and plays `blocks` on it.
    ///
    /// # Errors
    /// `NO_SPEAKER`.
    pub(crate) async fn open_speaker(&self, blocks: Arc<AudioQueue>, echo: EchoReference) -> Result<Speaker, AppError> {
        let chosen = self.chosen().speaker.map(DeviceId);
        spawn_blocking(move || Speaker::open(chosen.as_ref(), blocks, Some(echo)))
            .await
            .map_err(|error| error.to_string())
            .and_then(|opened| opened.map_err(|error| sound_sentence(&error, "sound output")))
            .map_err(|sentence| AppError::new(Code::NoSpeaker, sentence))
    }
}

fn list(devices: Vec<devices::Device>) -> Vec<Device> {
    devices.into_iter().map(|device| Device { id: device.id.0, name: device.name }).collect()
}

fn open_source(chosen: Option<&str>, file: Option<PathBuf>, title: &str) -> Result<(Source, VideoSource), AppError> {
    let options = SourceOptions::default();
    let play = |file: &PathBuf| Source::clip(file, options.clone()).map(|source| (source, VideoSource::File));
    let camera =
        |id: Option<&DeviceId>| Source::camera(id, options.clone()).map(|source| (source, VideoSource::Camera));
    let opened = match (chosen, &file) {
        (Some(CARD), _) => Source::card(title, options.clone()).map(|source| (source, VideoSource::Card)),
        (Some(FILE), Some(file)) => play(file),
        (Some(FILE), None) => Err(SourceError::Camera(CameraError::NoCamera)),
        (Some(id), _) => camera(Some(&DeviceId(id.to_owned()))),
        (None, file) => match (camera(None), file) {
            (Err(SourceError::Camera(CameraError::NoCamera)), Some(file)) => play(file),
            (opened, _) => opened,
        },
    };
    opened.map_err(|error| source_error(&error))
}

fn source_error(error: &SourceError) -> AppError {
    match error {
        SourceError::Camera(CameraError::NoCamera) => AppError::new(
            Code::NoCamera,
            "No camera was found. Connect one, or choose the moving card in Settings; you can see and hear the other side.",
        ),
        error => AppError::new(
            Code::CameraUnavailable,
            format!("The camera can't be used: {error}. Close what else uses it, or choose another one in Settings."),
        ),
    }
}

fn sound_sentence(error: &SoundError, device: &str) -> String {
    match error {
        SoundError::NoSoundCard => format!("No {device} was found. Connect one and switch it on again."),
        error => format!("The {device} can't be used: {error}. Choose another one in Settings."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn studio(video_file: Option<PathBuf>) -> Studio {
        let nothing = DeviceChoice { camera: None, microphone: None, speaker: None };
        Studio::new(video_file, "Maren Aldous".to_owned(), nothing, Arc::new(LatestSlot::new()))
    }

    fn choose_camera(studio: &Studio, id: &str) {
        studio.choose(DeviceChoice { camera: Some(id.to_owned()), ..studio.chosen() });
    }

    #[tokio::test]
    async fn card_stands_in_for_a_camera_and_shows_in_the_preview() {
        let studio = studio(None);
        choose_camera(&studio, CARD);
        let video = studio.open_video().await.unwrap();
        assert_eq!(video.kind, VideoSource::Card);
        let (own, sent) = (studio.preview.take().await, video.track().frames.take().await);
        assert_eq!((own.width(), own.height()), (640, 360));
        assert_eq!((sent.width(), sent.height()), (1280, 720));
    }

    #[tokio::test]
    async fn device_that_is_not_there_is_told_with_something_to_do() {
        let studio = studio(None);
        choose_camera(&studio, FILE);
        let error = studio.open_video().await.err().unwrap();
        assert_eq!(error.code, Code::NoCamera);
        assert!(error.detail.contains("Settings"));
        choose_camera(&studio, "no such camera");
        let error = studio.open_video().await.err().unwrap();
        assert!(matches!(error.code, Code::NoCamera | Code::CameraUnavailable), "{error:?}");
    }

    #[tokio::test]
    async fn damaged_video_file_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let studio = studio(Some(file.path().to_owned()));
        choose_camera(&studio, FILE);
        assert_eq!(studio.open_video().await.err().unwrap().code, Code::CameraUnavailable);
    }

    #[tokio::test]
    async fn stand_ins_are_always_among_the_cameras() {
        let ids = |view: DevicesView| view.cameras.into_iter().map(|camera| camera.id).collect::<Vec<_>>();
        assert!(ids(studio(None).devices().await).ends_with(&[CARD.to_owned()]));
        let with_file = studio(Some("clip.mp4".into())).devices().await;
        assert!(ids(with_file).ends_with(&[FILE.to_owned(), CARD.to_owned()]));
    }
}
