//! Reading a video file: an MP4 with one H.264 track, decoded picture by picture, over and over.

mod boxes;

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use parley_call::I420Frame;
use re_mp4::{Mp4, StsdBoxContent, TrackKind};

use crate::h264::{CodecError, Decoder};

/// Larger files are not read into memory.
const MAX_FILE: u64 = 512 << 20;

/// Why a file can't be played.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// It can't be read.
    #[error("the video file can't be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is larger than 512 MiB.
    #[error("the video file is larger than 512 MiB")]
    TooLarge,
    /// It isn't an MP4 file, or a damaged one.
    #[error("the file is not an MP4 that can be read: {0}")]
    Malformed(String),
    /// It has no H.264 track.
    #[error("the file holds no H.264 video")]
    NoVideo,
    /// Its pictures can't be decoded.
    #[error("the video can't be decoded: {0}")]
    Codec(#[from] CodecError),
}

/// The pictures of a file, in the order in which they are shown; after the last comes the first again.
pub struct Clip {
    bytes: Vec<u8>,
    samples: Vec<std::ops::Range<usize>>,
    /// Bytes of the length in front of every NAL unit.
    length_size: usize,
    /// Sequence and picture parameters in Annex B form.
    parameters: Vec<u8>,
    rate: f64,
    size: (u32, u32),
    decoder: Decoder,
    reorders: bool,
    next: usize,
    waiting: std::collections::VecDeque<I420Frame>,
    unit: Vec<u8>,
}

impl Clip {
    /// Opens the file and decodes its first picture, so that a file that can't be played is refused here.
    pub fn open(path: &Path) -> Result<Self, ClipError> {
        if fs::metadata(path)?.len() > MAX_FILE {
            return Err(ClipError::TooLarge);
        }
        Self::from_bytes(fs::read(path)?)
    }

    /// The same for a file that is in memory already.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Result<Self, ClipError> {
        boxes::prepare(&mut bytes).map_err(ClipError::Malformed)?;
        // The parser computes with what a damaged file says and panics where that overflows.
        let mp4 = catch_unwind(AssertUnwindSafe(|| Mp4::read_bytes(&bytes)))
            .map_err(|_| ClipError::Malformed("its tables contradict each other".to_owned()))?
            .map_err(|error| ClipError::Malformed(error.to_string()))?;
        let track = mp4
            .tracks()
            .values()
            .find(|track| track.kind == Some(TrackKind::Video) && !track.samples.is_empty())
            .ok_or(ClipError::NoVideo)?;
        let StsdBoxContent::Avc1(description) = &track.trak(&mp4).mdia.minf.stbl.stsd.contents else {
            return Err(ClipError::NoVideo);
        };
        let config = &description.avcc;
        let mut parameters = Vec::new();
        for unit in config.sequence_parameter_sets.iter().chain(&config.picture_parameter_sets) {
            parameters.extend([0, 0, 0, 1]);
            parameters.extend(&unit.bytes);
        }
        let samples = track
            .samples
            .iter()
            .map(|sample| {
                let first = usize::try_from(sample.offset).ok()?;
                let last = first.checked_add(usize::try_from(sample.size).ok()?)?;
                (last <= bytes.len()).then_some(first..last)
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| ClipError::Malformed("a picture lies outside the file".to_owned()))?;
        let reorders = track.samples.is_sorted_by_key(|sample| sample.composition_timestamp);
        let seconds = track.duration as f64 / track.timescale.max(1) as f64;
        let rate = if seconds > 0.0 { samples.len() as f64 / seconds } else { 30.0 };
        let mut clip = Self {
            length_size: usize::from(config.length_size_minus_one & 3) + 1,
            reorders: !reorders,
            decoder: Decoder::new()?,
            samples,
            parameters,
            rate: rate.clamp(1.0, 120.0),
            size: (0, 0),
            next: 0,
            waiting: Default::default(),
            unit: Vec::new(),
            bytes,
        };
        clip.rewind()?;
        let first = clip.next_picture()?;
        clip.size = (first.width(), first.height());
        clip.waiting.push_front(first);
        Ok(clip)
    }

    /// How many pictures there are before it begins anew.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is no picture; never true for a clip that could be opened.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Pictures a second, as the file says.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// The next picture; after the last the first. Its time is the time of decoding.
    pub fn next_picture(&mut self) -> Result<I420Frame, ClipError> {
        // Twice round without a picture: nothing in this file can be decoded.
        for _ in 0..=2 * self.samples.len() {
            if let Some(picture) = self.waiting.pop_front() {
                return Ok(picture);
            }
            if self.next == self.samples.len() {
                self.waiting.extend(self.decoder.finish()?);
                self.rewind()?;
                continue;
            }
            self.read_sample()?;
            self.next += 1;
            self.waiting.extend(self.decoder.decode(&self.unit)?);
        }
        Err(ClipError::NoVideo)
    }

    fn rewind(&mut self) -> Result<(), ClipError> {
        self.next = 0;
        self.decoder = if self.reorders { Decoder::reordering()? } else { Decoder::new()? };
        Ok(())
    }

    /// Turns the sample's length-prefixed NAL units into Annex B, parameters first.
    fn read_sample(&mut self) -> Result<(), ClipError> {
        self.unit.clear();
        if self.next == 0 {
            self.unit.extend(&self.parameters);
        }
        let mut rest = &self.bytes[self.samples[self.next].clone()];
        while !rest.is_empty() {
            let cut = || ClipError::Malformed("a picture is cut off".to_owned());
            let (length, after) = rest.split_at_checked(self.length_size).ok_or_else(cut)?;
            let length = length.iter().fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte));
            let (unit, after) = after.split_at_checked(length).ok_or_else(cut)?;
            self.unit.extend([0, 0, 0, 1]);
            self.unit.extend(unit);
            rest = after;
        }
        Ok(())
    }
}
