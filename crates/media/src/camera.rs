//! A camera by nokhwa: Video4Linux, Media Foundation or AVFoundation.

use std::panic::{AssertUnwindSafe, catch_unwind};

use nokhwa::{
    Buffer, NokhwaError,
    pixel_format::RgbFormat,
    utils::{CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution},
};
use parley_call::{FramePool, I420Frame, MediaTime};

use self::planes::{Planes, from_rgb, from_yuyv};
use crate::devices::{self, DeviceId};

mod planes;

/// Why a camera can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CameraError {
    /// There is none, or the chosen one was unplugged.
    #[error("no camera was found")]
    NoCamera,
    /// Another program uses it.
    #[error("the camera is in use by another program")]
    Busy,
    /// The system or the user does not allow it.
    #[error("the use of the camera is not permitted")]
    NotPermitted,
    /// It offers no format that we understand.
    #[error("the camera offers no format that can be used")]
    NoFormat,
    /// It failed; the system's own words.
    #[error("the camera failed: {0}")]
    Failed(String),
}

impl From<NokhwaError> for CameraError {
    /// The library passes the system's sentence on; the reason is only found in its words.
    fn from(error: NokhwaError) -> Self {
        let text = error.to_string();
        let words = text.to_lowercase();
        let has = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
        if has(&["busy", "in use", "exclusive"]) {
            Self::Busy
        } else if has(&["permission", "denied", "not permitted", "authoriz", "unauthor"]) {
            Self::NotPermitted
        } else if has(&["no such file", "no such device", "not found", "no device"]) {
            Self::NoCamera
        } else if has(&["fulfill", "unsupported format"]) {
            Self::NoFormat
        } else {
            Self::Failed(text)
        }
    }
}

/// What we can turn into I420, best first.
const FORMATS: [FrameFormat; 3] = [FrameFormat::NV12, FrameFormat::YUYV, FrameFormat::MJPEG];

/// An open camera. Stays on the thread that opened it.
pub(crate) struct Camera {
    inner: nokhwa::Camera,
    pool: FramePool,
}

impl Camera {
    /// Opens that camera, or the first one, in the format nearest to the wanted size and rate.
    pub(crate) fn open(id: Option<&DeviceId>, width: u32, height: u32, fps: u32) -> Result<Self, CameraError> {
        // Asked first: opening a camera that isn't there gives a different sentence on every system.
        let known = devices::cameras();
        let id = match id {
            Some(id) => known.iter().find(|device| device.id == *id).map(|device| &device.id),
            None => known.first().map(|device| &device.id),
        };
        let id = id.ok_or(CameraError::NoCamera)?;
        if !nokhwa::nokhwa_check() {
            nokhwa::nokhwa_initialize(|_| ());
            return Err(CameraError::NotPermitted);
        }
        let index = id.0.parse().map_or_else(|_| CameraIndex::String(id.0.clone()), CameraIndex::Index);
        let any = RequestedFormat::with_formats(RequestedFormatType::AbsoluteHighestFrameRate, &FORMATS);
        let mut inner = nokhwa::Camera::new(index, any)?;
        let offered = inner.compatible_camera_formats()?;
        let wanted = nearest(&offered, width, height, fps).ok_or(CameraError::NoFormat)?;
        inner.set_camera_requset(RequestedFormat::with_formats(RequestedFormatType::Exact(wanted), &FORMATS))?;
        inner.open_stream()?;
        Ok(Self { inner, pool: FramePool::new() })
    }

    /// Waits for the next picture.
    pub(crate) fn next_picture(&mut self) -> Result<I420Frame, CameraError> {
        loop {
            let buffer = self.inner.frame()?;
            let time = MediaTime::now();
            // A single damaged picture (cut JPEG) is no reason to end.
            match convert(&self.pool, &buffer, time) {
                Ok(frame) => return Ok(frame),
                Err(error) => tracing::trace!(%error, "a camera picture was damaged"),
            }
        }
    }
}

/// The offered format that costs least: first the size (too small is worse than too large), then the rate, then how
/// cheaply it becomes I420. Uncompressed formats at high rates are what slow USB can't carry; those are not offered.
fn nearest(offered: &[CameraFormat], width: u32, height: u32, fps: u32) -> Option<CameraFormat> {
    let cost = |format: &CameraFormat| {
        let (w, h) = (format.width(), format.height());
        let pixels = |w: u32, h: u32| u64::from(w) * u64::from(h);
        let (have, want) = (pixels(w, h), pixels(width, height));
        let size = if have < want { (want - have) * 4 } else { have - want };
        let slow = fps.saturating_sub(format.frame_rate());
        let fast = format.frame_rate().saturating_sub(fps);
        let rank = FORMATS.iter().position(|known| *known == format.format()).unwrap_or(FORMATS.len());
        (slow > fps / 3, size, slow * 2 + fast, rank)
    };
    offered.iter().filter(|format| FORMATS.contains(&format.format())).min_by_key(|format| cost(format)).copied()
}

fn convert(pool: &FramePool, buffer: &Buffer, time: MediaTime) -> Result<I420Frame, CameraError> {
    let Resolution { width_x: width, height_y: height } = buffer.resolution();
    let (width, height) = (width & !1, height & !1);
    let failed = |error: &dyn std::fmt::Display| CameraError::Failed(error.to_string());
    match buffer.source_frame_format() {
        FrameFormat::NV12 => nv12(pool, buffer.buffer(), buffer.resolution(), time),
        FrameFormat::YUYV => {
            let stride = buffer.resolution().width() * 2;
            if buffer.buffer().len() < stride as usize * height as usize {
                return Err(failed(&"the picture is cut off"));
            }
            planar(pool, width, height, time, |planes| from_yuyv(buffer.buffer(), stride as usize, planes))
        }
        _ => {
            // The JPEG library reports damage by unwinding.
            let decoded = catch_unwind(AssertUnwindSafe(|| buffer.decode_image::<RgbFormat>()));
            let picture = decoded.map_err(|_| failed(&"the picture is damaged"))??;
            let (width, height, stride) = (picture.width() & !1, picture.height() & !1, picture.width() * 3);
            planar(pool, width, height, time, |planes| from_rgb(&picture, stride as usize, planes))
        }
    }
}

fn planar(
    pool: &FramePool,
    width: u32,
    height: u32,
    time: MediaTime,
    fill: impl FnOnce(&mut Planes<'_>),
) -> Result<I420Frame, CameraError> {
    if width == 0 || height == 0 {
        return Err(CameraError::Failed("the picture is empty".to_owned()));
    }
    Ok(pool.frame(width, height, time, |y, u, v| fill(&mut Planes { y, u, v, width: width as usize })))
}

/// Splits the interleaved chroma; the luma plane is copied as it is.
fn nv12(pool: &FramePool, bytes: &[u8], size: Resolution, time: MediaTime) -> Result<I420Frame, CameraError> {
    let (stride, rows) = (size.width() as usize, size.height() as usize);
    let (width, height) = (stride & !1, rows & !1);
    if width == 0 || height == 0 || bytes.len() < stride * rows + stride * (height / 2) {
        return Err(CameraError::Failed("the picture is cut off".to_owned()));
    }
    let (luma, chroma) = bytes.split_at(stride * rows);
    Ok(pool.frame(width as u32, height as u32, time, |y, u, v| {
        for (to, from) in y.chunks_exact_mut(width).zip(luma.chunks_exact(stride)) {
            to.copy_from_slice(&from[..width]);
        }
        let lines = u.chunks_exact_mut(width / 2).zip(v.chunks_exact_mut(width / 2));
        for ((u, v), from) in lines.zip(chroma.chunks_exact(stride)) {
            for ((u, v), pair) in u.iter_mut().zip(v).zip(from.chunks_exact(2)) {
                (*u, *v) = (pair[0], pair[1]);
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(width: u32, height: u32, bytes: &[u8], format: FrameFormat) -> Buffer {
        Buffer::new(Resolution::new(width, height), bytes, format)
    }

    #[test]
    fn a_camera_that_is_not_there_is_said_to_be_missing() {
        let error = Camera::open(Some(&DeviceId("no-such-camera".to_owned())), 1280, 720, 30).err();
        assert_eq!(error, Some(CameraError::NoCamera));
    }

    #[test]
    fn the_systems_words_become_reasons() {
        for (text, reason) in [
            ("V4L2 Error: Device or resource busy (os error 16)", CameraError::Busy),
            ("V4L2 Error: Permission denied (os error 13)", CameraError::NotPermitted),
            ("V4L2 Error: No such file or directory (os error 2)", CameraError::NoCamera),
        ] {
            assert_eq!(CameraError::from(NokhwaError::OpenDeviceError("0".to_owned(), text.to_owned())), reason);
        }
        assert!(matches!(CameraError::from(NokhwaError::GeneralError("what?".to_owned())), CameraError::Failed(_)));
    }

    #[test]
    fn cut_and_damaged_pictures_are_errors() {
        let pool = FramePool::new();
        for format in [FrameFormat::NV12, FrameFormat::YUYV, FrameFormat::MJPEG] {
            assert!(convert(&pool, &buffer(64, 48, &[0; 100], format), MediaTime(0)).is_err(), "{format}");
        }
    }

    #[test]
    fn packed_and_half_planar_pictures_become_planar() {
        let pool = FramePool::new();
        let packed: Vec<u8> = [50, 90, 60, 200].repeat(64 * 48 / 2);
        let frame = convert(&pool, &buffer(64, 48, &packed, FrameFormat::YUYV), MediaTime(3)).unwrap();
        assert_eq!((frame.y()[0], frame.y()[1], frame.u()[5], frame.v()[5]), (50, 60, 90, 200));
        let mut half = vec![77; 64 * 48];
        half.extend([90, 200].repeat(64 * 48 / 4));
        let frame = convert(&pool, &buffer(64, 48, &half, FrameFormat::NV12), MediaTime(3)).unwrap();
        assert_eq!((frame.y()[99], frame.u()[99], frame.v()[99], frame.time), (77, 90, 200, MediaTime(3)));
    }

    #[test]
    fn the_format_nearest_to_what_is_wanted_is_chosen() {
        let format = |w, h, kind, fps| CameraFormat::new(Resolution::new(w, h), kind, fps);
        let offered = [
            format(1920, 1080, FrameFormat::MJPEG, 30),
            format(1280, 720, FrameFormat::YUYV, 10),
            format(1280, 720, FrameFormat::MJPEG, 30),
            format(640, 480, FrameFormat::YUYV, 30),
            format(1280, 720, FrameFormat::GRAY, 30),
        ];
        assert_eq!(nearest(&offered, 1280, 720, 30), Some(offered[2]));
        assert_eq!(nearest(&offered[3..], 1280, 720, 30), Some(offered[3]));
        assert_eq!(nearest(&offered[4..], 1280, 720, 30), None);
    }
}
