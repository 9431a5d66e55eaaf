//! Where local pictures come from: a clip, the drawn card or a camera, each a thread that puts frames of one size in
//! a slot at its own pace.

use std::{
    collections::VecDeque,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use parley_call::{FramePool, I420Frame, LatestSlot, MediaTime};

use crate::{
    camera::{Camera, CameraError},
    card::Card,
    clip::{Clip, ClipError},
    devices::DeviceId,
    scale,
    stamp::{self, Stamp},
    worker::{Pace, Worker},
};

/// How pictures are to be made.
#[derive(Clone)]
pub struct SourceOptions {
    /// Width of every picture, even. A source of another shape gets black bars.
    pub width: u32,
    /// Height of every picture, even.
    pub height: u32,
    /// Pictures a second. A clip is played at this pace, one of its pictures at a time, whatever its own rate is.
    pub fps: u32,
    /// Whether number and capture time are written into the picture (see [`crate::stamp`]).
    pub stamped: bool,
    /// Keeps the last pictures for comparison, when given.
    pub log: Option<Arc<FrameLog>>,
}

impl Default for SourceOptions {
    /// 1280×720 at 30, without stamp and log.
    fn default() -> Self {
        Self { width: 1280, height: 720, fps: 30, stamped: false, log: None }
    }
}

impl SourceOptions {
    /// The size that pictures get: even and not too small for anything.
    pub(crate) fn even_size(&self) -> (u32, u32) {
        (self.width.max(16) & !1, self.height.max(16) & !1)
    }
}

/// Why there are no pictures.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The clip can't be played.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// The camera can't be used.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// The thread could not be started.
    #[error("a media thread could not be started: {0}")]
    Thread(#[from] io::Error),
}

/// A running source. Dropping it ends its thread (and lets go of the camera).
pub struct VideoSource {
    outlet: Arc<Outlet>,
    _worker: Worker,
}

impl VideoSource {
    /// Plays an MP4 file with H.264 over and over. A file that can't be played is refused here.
    pub fn clip(path: &Path, options: SourceOptions) -> Result<Self, SourceError> {
        let mut clip = Clip::open(path)?;
        Self::paced("clip", options, move |_, _| clip.next_picture().map_err(|error| error.to_string()))
    }

    /// Draws a moving card with that title.
    pub fn card(title: &str, options: SourceOptions) -> Result<Self, SourceError> {
        let card = Card::new(title, options.width, options.height);
        Self::paced("card", options, move |number, time| Ok(card.draw(number, time)))
    }

    /// Opens a camera (the first one without an id) and shows what it sees. Returns once it delivers or has failed.
    pub fn camera(id: Option<&DeviceId>, options: SourceOptions) -> Result<Self, SourceError> {
        let outlet = Arc::new(Outlet::new(options));
        let (put, id) = (Arc::clone(&outlet), id.cloned());
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        // The camera is opened on the thread that reads it: not every system lets it move to another one.
        let worker = Worker::spawn("camera", move |stop| {
            let mut camera = match Camera::open(id.as_ref(), put.options.width, put.options.height, put.options.fps) {
                Ok(camera) => camera,
                Err(error) => return drop(tell.send(Err(error))),
            };
            let _ = tell.send(Ok(()));
            while !stop.is_stopped() {
                match camera.next_picture() {
                    Ok(picture) => put.put(&picture, picture.time),
                    Err(error) => {
                        tracing::warn!(%error, "the camera stopped");
                        put.fail(error.to_string());
                        return;
                    }
                }
            }
        })?;
        match told.recv_timeout(CAMERA_PATIENCE) {
            Ok(Ok(())) => Ok(Self { outlet, _worker: worker }),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(CameraError::Failed("it did not answer in time".to_owned()).into()),
        }
    }

    /// The newest picture, for the engine.
    pub fn frames(&self) -> Arc<LatestSlot<I420Frame>> {
        Arc::clone(&self.outlet.frames)
    }

    /// From now on the newest picture, scaled down to at most 640×360, also appears in the returned slot.
    pub fn preview(&self) -> Arc<LatestSlot<I420Frame>> {
        let slot = Arc::new(LatestSlot::new());
        *self.outlet.preview.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&slot));
        slot
    }

    /// Why the source ended by itself (camera unplugged, file damaged further in), if it did.
    pub fn failure(&self) -> Option<String> {
        self.outlet.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn paced(
        name: &str,
        options: SourceOptions,
        mut draw: impl FnMut(u32, MediaTime) -> Result<I420Frame, String> + Send + 'static,
    ) -> Result<Self, SourceError> {
        let period = Duration::from_secs(1) / options.fps.max(1);
        let outlet = Arc::new(Outlet::new(options));
        let put = Arc::clone(&outlet);
        let worker = Worker::spawn(name, move |stop| {
            let mut pace = Pace::new(period);
            let mut number = 0;
            // A clip's picture is decoded ahead of its beat: decoding isn't part of the way of a captured frame.
            let mut next = draw(number, MediaTime::now());
            while pace.wait(stop) {
                match &next {
                    Ok(picture) => put.put(picture, MediaTime::now()),
                    Err(reason) => {
                        tracing::warn!(reason, "a video source ended");
                        return put.fail(reason.clone());
                    }
                }
                number += 1;
                next = draw(number, MediaTime::now());
            }
        })?;
        Ok(Self { outlet, _worker: worker })
    }
}

/// A camera that has not answered by then never will.
const CAMERA_PATIENCE: Duration = Duration::from_secs(8);

/// Brings pictures to their size, stamps them and hands them out.
struct Outlet {
    options: SourceOptions,
    frames: Arc<LatestSlot<I420Frame>>,
    preview: Mutex<Option<Arc<LatestSlot<I420Frame>>>>,
    failure: Mutex<Option<String>>,
    pool: FramePool,
    small: FramePool,
    number: Mutex<u32>,
}

impl Outlet {
    fn new(options: SourceOptions) -> Self {
        let (width, height) = options.even_size();
        let options = SourceOptions { width, height, ..options };
        Self {
            options,
            frames: Arc::new(LatestSlot::new()),
            preview: Mutex::default(),
            failure: Mutex::default(),
            pool: FramePool::new(),
            small: FramePool::new(),
            number: Mutex::default(),
        }
    }

    fn put(&self, picture: &I420Frame, time: MediaTime) {
        let number = {
            let mut next = self.number.lock().unwrap_or_else(PoisonError::into_inner);
            let number = *next;
            *next = number.wrapping_add(1);
            number
        };
        let mut frame = scale::fit(&self.pool, picture, self.options.width, self.options.height);
        frame.time = time;
        if self.options.stamped {
            frame = stamped(&self.pool, &frame, Stamp { number, time });
        }
        if let Some(log) = &self.options.log {
            log.push(number, frame.clone());
        }
        let preview = self.preview.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(preview) = preview {
            preview.put(scale::preview(&self.small, &frame));
        }
        self.frames.put(frame);
    }

    fn fail(&self, reason: String) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }
}

/// A copy of the picture with the stamp in it.
fn stamped(pool: &FramePool, frame: &I420Frame, stamp: Stamp) -> I420Frame {
    pool.frame(frame.width(), frame.height(), frame.time, |y, u, v| {
        y.copy_from_slice(frame.y());
        u.copy_from_slice(frame.u());
        v.copy_from_slice(frame.v());
        stamp::write(stamp, frame.width(), y, u, v);
    })
}

/// Remembers the last pictures of a source by their number, so that what was received can be compared with what was
/// sent.
pub struct FrameLog {
    frames: Mutex<VecDeque<(u32, I420Frame)>>,
    capacity: usize,
}

impl FrameLog {
    /// A log that keeps up to `capacity` pictures (1.4 MB each at 720p).
    pub fn new(capacity: usize) -> Self {
        Self { frames: Mutex::default(), capacity: capacity.max(1) }
    }

    /// The picture of that number, if it was sent and is still kept.
    pub fn get(&self, number: u32) -> Option<I420Frame> {
        let frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        frames.iter().rev().find(|(kept, _)| *kept == number).map(|(_, frame)| frame.clone())
    }

    fn push(&self, number: u32, frame: I420Frame) {
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        if frames.len() == self.capacity {
            frames.pop_front();
        }
        frames.push_back((number, frame));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn a_file_that_is_missing_or_no_video_is_refused() {
        let missing = VideoSource::clip(Path::new("/nowhere/at-all.mp4"), SourceOptions::default());
        assert!(matches!(missing, Err(SourceError::Clip(ClipError::Unreadable(_)))));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no.mp4");
        for bytes in [&b""[..], b"no video at all", &[0; 4096], b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41"] {
            std::fs::write(&path, bytes).unwrap();
            assert!(matches!(VideoSource::clip(&path, SourceOptions::default()), Err(SourceError::Clip(_))));
        }
    }

    #[test]
    fn the_card_comes_at_its_pace_with_ascending_stamps_and_is_logged() {
        let log = Arc::new(FrameLog::new(8));
        let options = SourceOptions { stamped: true, log: Some(Arc::clone(&log)), ..SourceOptions::default() };
        let source = VideoSource::card("NO CAMERA", options).unwrap();
        let (frames, preview) = (source.frames(), source.preview());
        let mut last = None;
        for _ in 0..10 {
            let frame = frames.take_blocking(PATIENCE).expect("a frame");
            let stamp = stamp::read(frame.width(), frame.y()).expect("a stamp");
            assert_eq!((frame.width(), frame.height(), frame.time), (1280, 720, stamp.time));
            assert!(last.is_none_or(|last| stamp.number > last));
            assert_eq!(log.get(stamp.number).map(|sent| sent.bytes().as_ptr()), Some(frame.bytes().as_ptr()));
            last = Some(stamp.number);
        }
        let small = preview.take_blocking(PATIENCE).expect("a preview");
        assert_eq!((small.width(), small.height()), (640, 360));
        assert_eq!(source.failure(), None);
    }
}
