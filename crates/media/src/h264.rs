//! H.264 by OpenH264: constrained baseline in Annex B form, no B-pictures, one access unit in, one picture out.

use std::time::Duration;

use openh264::{
    OpenH264API, Timestamp,
    decoder::{DecodeOptions, DecoderConfig, Flush},
    encoder::{
        BitRate, Complexity, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Level, Profile, RateControlMode,
        SpsPpsStrategy, UsageType,
    },
    formats::YUVSource,
};
use parley_call::{FramePool, I420Frame, MediaTime};

/// What the codec could not do.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The library refused; its own words.
    #[error("H.264: {0}")]
    Library(#[from] openh264::Error),
    /// Pictures must have even sides between 16 and 3,840 pixels.
    #[error("H.264 can't carry a picture of {width}×{height}")]
    Size {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
}

/// No picture in a call is larger than this; what claims to be is damage or an attack on our memory.
const MAX_SIDE: usize = 3_840;

/// Decodes one stream. After an error, go on with a key frame.
pub struct Decoder {
    inner: openh264::decoder::Decoder,
    pool: FramePool,
    reorders: bool,
}

impl Decoder {
    /// A decoder for streams without B-pictures: each access unit gives its picture at once.
    pub fn new() -> Result<Self, CodecError> {
        Self::build(false)
    }

    /// A decoder for files, whose pictures may have to be put in order: they come late, the rest by [`Self::finish`].
    pub fn reordering() -> Result<Self, CodecError> {
        Self::build(true)
    }

    fn build(reorders: bool) -> Result<Self, CodecError> {
        let flush = if reorders { Flush::NoFlush } else { Flush::Flush };
        let config = DecoderConfig::new().flush_after_decode(flush);
        let inner = openh264::decoder::Decoder::with_api_config(OpenH264API::from_source(), config)?;
        Ok(Self { inner, pool: FramePool::new(), reorders })
    }

    /// Decodes one access unit; its picture carries the time at which it was ready.
    pub fn decode(&mut self, access_unit: &[u8]) -> Result<Option<I420Frame>, CodecError> {
        let picture = self.inner.decode_with_options(access_unit, DecodeOptions::new())?;
        picture.map(|picture| copy(&self.pool, &picture)).transpose()
    }

    /// The pictures that a [reordering](Self::reordering) decoder still holds, after the last access unit.
    pub fn finish(&mut self) -> Result<Vec<I420Frame>, CodecError> {
        if !self.reorders {
            return Ok(Vec::new());
        }
        let pool = &self.pool;
        self.inner.flush_remaining()?.iter().map(|picture| copy(pool, picture)).collect()
    }
}

/// The only copy between the decoder and the screen: the library's picture has padding and dies with the next call.
fn copy(pool: &FramePool, picture: &impl YUVSource) -> Result<I420Frame, CodecError> {
    let (width, height) = picture.dimensions();
    let refused = CodecError::Size { width: width as u32, height: height as u32 };
    if width < 2 || height < 2 || width > MAX_SIDE || height > MAX_SIDE {
        return Err(refused);
    }
    let (y_stride, u_stride, v_stride) = picture.strides();
    let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
    let planes = [
        (picture.y(), y_stride, width, height),
        (picture.u(), u_stride, chroma_width, chroma_height),
        (picture.v(), v_stride, chroma_width, chroma_height),
    ];
    if planes.iter().any(|(plane, stride, width, height)| stride < width || plane.len() < stride * (height - 1) + width)
    {
        return Err(refused);
    }
    Ok(pool.frame(width as u32, height as u32, MediaTime::now(), |y, u, v| {
        for ((from, stride, width, _), to) in planes.into_iter().zip([y, u, v]) {
            for (to, from) in to.chunks_exact_mut(width).zip(from.chunks(stride)) {
                to.copy_from_slice(&from[..width]);
            }
        }
    }))
}

/// How a stream is to be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderSettings {
    /// Bits a second that [`Encoder::set_bitrate`] can never exceed.
    pub max_bitrate: u32,
    /// Pictures a second that are expected.
    pub fps: u32,
}

/// What became of one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoded {
    /// It can be decoded by itself, and all that follow it.
    Key,
    /// It needs the ones before it.
    Delta,
    /// The rate control left it out; there is nothing to send.
    Skipped,
}

/// Encodes one stream.
///
/// The library changes its bitrate only through a raw pointer, which this workspace does not allow outside the native
/// crates. Its time-stamp rate control has a leaky bucket that drains by *time × bitrate*: so the encoder is set to
/// `max_bitrate` once, and a lower rate is had by letting its clock go slower by the same factor.
pub struct Encoder {
    inner: openh264::encoder::Encoder,
    settings: EncoderSettings,
    /// Target over ceiling, 0…1.
    rate: f64,
    /// The encoder's own clock in milliseconds.
    clock: f64,
    last: Option<MediaTime>,
    size: Option<(u32, u32)>,
}

/// Below this part of the ceiling the millisecond steps of the encoder's clock become too coarse.
const MIN_RATE: f64 = 0.04;

impl Encoder {
    /// An encoder; it learns the size from the first picture.
    pub fn new(settings: EncoderSettings) -> Result<Self, CodecError> {
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .rate_control_mode(RateControlMode::Timestamp)
            .bitrate(BitRate::from_bps(settings.max_bitrate))
            .max_frame_rate(FrameRate::from_hz(settings.fps as f32))
            .skip_frames(true)
            .profile(Profile::Baseline)
            .level(Level::Level_3_1)
            .complexity(Complexity::Low)
            .sps_pps_strategy(SpsPpsStrategy::ConstantId)
            // Key frames only when the other side asks: a periodic one costs a burst that delays what follows.
            .intra_frame_period(IntraFramePeriod::from_num_frames(0))
            .scene_change_detect(false)
            .adaptive_quantization(true)
            .background_detection(true)
            .num_threads(1);
        let inner = openh264::encoder::Encoder::with_api_config(OpenH264API::from_source(), config)?;
        Ok(Self { inner, settings, rate: 1.0, clock: 1_000.0, last: None, size: None })
    }

    /// What the encoder was built with.
    pub fn settings(&self) -> EncoderSettings {
        self.settings
    }

    /// Aims at that many bits a second from now on, as far as the ceiling allows.
    pub fn set_bitrate(&mut self, bits_per_second: u32) {
        self.rate = (f64::from(bits_per_second) / f64::from(self.settings.max_bitrate.max(1))).clamp(MIN_RATE, 1.0);
    }

    /// Gives the encoder bits ahead of time, as many as its ceiling has in `time`: for a picture that would be skipped
    /// although the line is wide enough for it.
    pub fn lend(&mut self, time: Duration) {
        self.clock += time.as_secs_f64() * 1_000.0;
    }

    /// The next picture becomes a key frame.
    pub fn force_key_frame(&mut self) {
        // Before its first picture the library isn't initialised; that picture is a key frame anyway.
        if self.size.is_some() {
            self.inner.force_intra_frame();
        }
    }

    /// Encodes `frame` and writes its access unit into `to` (emptied first).
    pub fn encode(&mut self, frame: &I420Frame, to: &mut Vec<u8>) -> Result<Encoded, CodecError> {
        to.clear();
        let (width, height) = (frame.width(), frame.height());
        let fits = |side: u32| side >= 16 && side as usize <= MAX_SIDE && side.is_multiple_of(2);
        if !fits(width) || !fits(height) {
            return Err(CodecError::Size { width, height });
        }
        let step = self.last.map_or(0.0, |last| frame.time.since(last).as_secs_f64() * 1_000.0);
        // A pause must not fill the bucket with a burst: half a second of credit at most.
        self.clock += (step.min(500.0) * self.rate).max(if self.last.is_some() { 1.0 } else { 0.0 });
        self.last = Some(frame.time);
        self.size = Some((width, height));
        let bits = self.inner.encode_at(&Source(frame), Timestamp::from_millis(self.clock as u64))?;
        let kind = match bits.frame_type() {
            FrameType::IDR | FrameType::I => Encoded::Key,
            FrameType::P | FrameType::IPMixed => Encoded::Delta,
            FrameType::Skip | FrameType::Invalid => Encoded::Skipped,
        };
        if kind != Encoded::Skipped {
            bits.write_vec(to);
        }
        Ok(if to.is_empty() { Encoded::Skipped } else { kind })
    }
}

struct Source<'a>(&'a I420Frame);

impl YUVSource for Source<'_> {
    fn dimensions(&self) -> (usize, usize) {
        (self.0.width() as usize, self.0.height() as usize)
    }

    fn strides(&self) -> (usize, usize, usize) {
        let chroma = self.0.chroma_width() as usize;
        (self.0.width() as usize, chroma, chroma)
    }

    fn y(&self) -> &[u8] {
        self.0.y()
    }

    fn u(&self) -> &[u8] {
        self.0.u()
    }

    fn v(&self) -> &[u8] {
        self.0.v()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{card::Card, psnr::luma_psnr};

    fn encoder(max_bitrate: u32) -> Encoder {
        Encoder::new(EncoderSettings { max_bitrate, fps: 30 }).unwrap()
    }

    fn picture(number: u32) -> I420Frame {
        Card::new("TEST", 1280, 720).draw(number, MediaTime(u64::from(number) * 33_333 + 1))
    }

    /// Bits a second of `count` pictures after the first second, and how many were skipped.
    fn rate_of(encoder: &mut Encoder, pictures: std::ops::Range<u32>) -> (f64, usize) {
        let (mut bytes, mut skipped, mut unit) = (0, 0, Vec::new());
        let count = pictures.len();
        for number in pictures {
            match encoder.encode(&picture(number), &mut unit).unwrap() {
                Encoded::Skipped => skipped += 1,
                _ => bytes += unit.len(),
            }
        }
        (bytes as f64 * 8.0 / (count as f64 / 30.0), skipped)
    }

    #[test]
    fn pictures_that_no_decoder_would_take_are_refused() {
        for (width, height) in [(0, 0), (8, 8), (1281, 720), (1280, 4000)] {
            let frame = FramePool::new().frame(width, height, MediaTime(0), |_, _, _| ());
            assert!(matches!(encoder(1_500_000).encode(&frame, &mut Vec::new()), Err(CodecError::Size { .. })));
        }
    }

    #[test]
    fn garbage_gives_an_error_or_nothing_and_a_key_frame_heals() {
        let mut decoder = Decoder::new().unwrap();
        let mut state = 7_u32;
        for length in [0, 1, 4, 5, 100, 5_000] {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            assert!(!matches!(decoder.decode(&bytes), Ok(Some(_))));
        }
        let mut unit = Vec::new();
        assert_eq!(encoder(1_500_000).encode(&picture(0), &mut unit).unwrap(), Encoded::Key);
        assert!(decoder.decode(&unit).unwrap().is_some());
    }

    #[test]
    fn what_is_encoded_comes_back_alike() {
        let (mut encoder, mut decoder, mut unit) = (encoder(1_500_000), Decoder::new().unwrap(), Vec::new());
        for number in 0..20 {
            let sent = picture(number);
            if encoder.encode(&sent, &mut unit).unwrap() == Encoded::Skipped {
                continue;
            }
            let received = decoder.decode(&unit).unwrap().expect("a baseline picture comes out at once");
            let likeness = luma_psnr(&sent, &received).unwrap();
            assert!(likeness > 30.0, "picture {number}: {likeness} dB");
        }
    }

    #[test]
    fn a_key_frame_comes_when_it_is_asked_for_and_only_then() {
        let (mut encoder, mut unit) = (encoder(1_500_000), Vec::new());
        encoder.force_key_frame();
        let kinds: Vec<Encoded> = (0..12)
            .map(|number| {
                if number == 6 {
                    encoder.force_key_frame();
                }
                encoder.encode(&picture(number), &mut unit).unwrap()
            })
            .collect();
        let keys: Vec<usize> = (0..12).filter(|&at| kinds[at] == Encoded::Key).collect();
        assert_eq!(keys, [0, 6]);
    }

    #[test]
    fn the_bitrate_follows_its_target_in_both_directions() {
        let mut encoder = encoder(1_000_000);
        rate_of(&mut encoder, 0..30);
        let (full, _) = rate_of(&mut encoder, 30..120);
        encoder.set_bitrate(250_000);
        rate_of(&mut encoder, 120..150);
        let (quarter, _) = rate_of(&mut encoder, 150..240);
        encoder.set_bitrate(9_000_000);
        rate_of(&mut encoder, 240..270);
        let (again, _) = rate_of(&mut encoder, 270..360);
        assert!(full < 1_200_000.0 && again < 1_200_000.0, "{full} {again}");
        assert!(quarter < 325_000.0, "{quarter}");
    }
}
