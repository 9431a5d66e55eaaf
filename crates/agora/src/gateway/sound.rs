//! Sound across the border: whatever the library brings becomes 10 ms blocks of 48 kHz mono.

use std::{ffi::c_void, slice};

use agora_sys::gateway::agora_audio_frame;
use parley_call::audio::{BLOCK_SAMPLES, SAMPLE_RATE};

/// 16-bit samples, channels in turns (FACTS A6).
const PCM_16: i32 = 0;
const MOST_CHANNELS: i32 = 8;
const RATES: std::ops::RangeInclusive<i32> = 8_000..=192_000;
/// A fraction of a second that no frame is longer than; the library brings 10 ms.
const LONGEST: i32 = 5;

/// Why a piece of sound was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// Not 16-bit samples.
    #[error("sound of type {kind} with {bytes} bytes a sample")]
    Format {
        /// The frame's type.
        kind: i32,
        /// Bytes of a sample.
        bytes: i32,
    },
    /// Channels or samples a second beyond all reason.
    #[error("sound of {channels} channels at {rate} Hz")]
    Shape {
        /// Channels.
        channels: i32,
        /// Samples a second.
        rate: i32,
    },
    /// None, or more than a frame can hold.
    #[error("sound of {0} samples")]
    Length(i32),
    /// A null pointer.
    #[error("sound without samples")]
    NoSamples,
}

/// A piece of sound that the library lends us.
pub(crate) struct Piece<'a> {
    /// Two bytes a sample; nothing is known about their alignment.
    bytes: &'a [u8],
    channels: usize,
    rate: u32,
}

impl<'a> Piece<'a> {
    /// # Safety
    /// The buffer is null or holds as many samples as `raw` says, for `'a`.
    pub(crate) unsafe fn lent(raw: &'a agora_audio_frame) -> Result<Self, Refused> {
        if raw.type_ != PCM_16 || raw.bytes_per_sample != 2 {
            return Err(Refused::Format { kind: raw.type_, bytes: raw.bytes_per_sample });
        }
        let (channels, rate, length) = (raw.channels, raw.samples_per_sec, raw.samples_per_channel);
        if !(1..=MOST_CHANNELS).contains(&channels) || !RATES.contains(&rate) {
            return Err(Refused::Shape { channels, rate });
        }
        if !(1..=rate / LONGEST).contains(&length) {
            return Err(Refused::Length(length));
        }
        if raw.buffer.is_null() {
            return Err(Refused::NoSamples);
        }
        let (channels, length) = (channels.unsigned_abs() as usize, length.unsigned_abs() as usize);
        // SAFETY: not null, the numbers are checked, and the rest is the caller's promise.
        let bytes = unsafe { slice::from_raw_parts(raw.buffer.cast_const().cast::<u8>(), length * channels * 2) };
        Ok(Self { bytes, channels, rate: rate.unsigned_abs() })
    }

    /// One sample for each moment: the mean of the channels.
    fn mono(&self) -> impl Iterator<Item = i16> {
        let channels = self.channels;
        let sample = |bytes: &[u8]| i16::from_ne_bytes([bytes[0], bytes[1]]);
        self.bytes.chunks_exact(2 * channels).map(move |moment| {
            if channels == 1 {
                return sample(moment);
            }
            let sum: i32 = moment.chunks_exact(2).map(|bytes| i32::from(sample(bytes))).sum();
            // The mean of 16-bit numbers is one.
            (sum / channels as i32) as i16
        })
    }
}

/// Cuts one person's sound into blocks; what is left over waits for the next piece.
pub(crate) struct Cutter {
    block: [i16; BLOCK_SAMPLES],
    filled: usize,
    /// For other rates: the sample before, and how far behind it the next one of ours lies, in 2^-32 of theirs.
    before: i16,
    ahead: u64,
}

const ONE: u64 = 1 << 32;

impl Cutter {
    pub(crate) fn new() -> Self {
        Self { block: [0; BLOCK_SAMPLES], filled: 0, before: 0, ahead: 0 }
    }

    /// Takes a piece in and gives out each block that it completes.
    pub(crate) fn take_in(&mut self, piece: &Piece<'_>, mut give: impl FnMut([i16; BLOCK_SAMPLES])) {
        if piece.rate == SAMPLE_RATE {
            piece.mono().for_each(|sample| self.append(sample, &mut give));
            return;
        }
        // A straight line between two samples: other rates don't come from a library that was asked for 48 kHz.
        let step = ONE * u64::from(piece.rate) / u64::from(SAMPLE_RATE);
        for sample in piece.mono() {
            while self.ahead < ONE {
                let (from, to) = (i64::from(self.before), i64::from(sample));
                let between = from + (((to - from) * (self.ahead >> 16) as i64) >> 16);
                self.append(between as i16, &mut give);
                self.ahead += step;
            }
            self.ahead -= ONE;
            self.before = sample;
        }
    }

    fn append(&mut self, sample: i16, give: &mut impl FnMut([i16; BLOCK_SAMPLES])) {
        self.block[self.filled] = sample;
        self.filled += 1;
        if self.filled == BLOCK_SAMPLES {
            self.filled = 0;
            give(self.block);
        }
    }
}

/// A block as the library wants it.
pub(crate) fn samples(block: &[i16; BLOCK_SAMPLES]) -> *const c_void {
    block.as_ptr().cast::<c_void>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(samples: &mut [i16], channels: i32, rate: i32) -> agora_audio_frame {
        agora_audio_frame {
            type_: PCM_16,
            samples_per_channel: samples.len() as i32 / channels,
            bytes_per_sample: 2,
            channels,
            samples_per_sec: rate,
            buffer: samples.as_mut_ptr().cast(),
            ..agora_audio_frame::default()
        }
    }

    fn cut(cutter: &mut Cutter, raw: &agora_audio_frame) -> Vec<[i16; BLOCK_SAMPLES]> {
        let mut blocks = Vec::new();
        // SAFETY: the samples are there.
        let piece = unsafe { Piece::lent(raw) }.expect("good sound");
        cutter.take_in(&piece, |block| blocks.push(block));
        blocks
    }

    #[test]
    fn a_block_passes_as_it_is() {
        let mut sound: Vec<i16> = (0..480).collect();
        let blocks = cut(&mut Cutter::new(), &frame(&mut sound, 1, 48_000));
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].to_vec(), sound);
    }

    #[test]
    fn leftovers_wait_for_the_next_piece() {
        let (mut cutter, mut sound) = (Cutter::new(), (0..700).collect::<Vec<i16>>());
        let raw = frame(&mut sound, 1, 48_000);
        assert_eq!(cut(&mut cutter, &raw).len(), 1);
        let next = cut(&mut cutter, &raw);
        assert_eq!(next.len(), 1);
        assert_eq!((next[0][0], next[0][219], next[0][220]), (480, 699, 0));
    }

    #[test]
    fn two_channels_become_their_mean() {
        let mut sound: Vec<i16> = (0..480).flat_map(|_| [1_000, -3_000]).collect();
        let blocks = cut(&mut Cutter::new(), &frame(&mut sound, 2, 48_000));
        assert_eq!(blocks, [[-1_000; BLOCK_SAMPLES]]);
    }

    #[test]
    fn a_slower_sound_keeps_its_length_and_shape() {
        for rate in [8_000, 16_000, 32_000, 44_100, 96_000] {
            let mut cutter = Cutter::new();
            let mut out = Vec::new();
            // A second of a slow ramp.
            for tenth in 0..100 {
                let length = rate / 100;
                let mut sound: Vec<i16> =
                    (0..length).map(|at| (i64::from(tenth * length + at) * 30_000 / i64::from(rate)) as i16).collect();
                out.extend(cut(&mut cutter, &frame(&mut sound, 1, rate)).concat());
            }
            assert!((47_500..=48_000).contains(&out.len()), "{rate}: {}", out.len());
            for (at, &sample) in out.iter().enumerate() {
                let wanted = (at * 30_000 / 48_000) as i32;
                assert!((i32::from(sample) - wanted).abs() < 12, "{rate}: {sample} at {at} instead of {wanted}");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_the_numbers_say_a_null_buffer_is_never_read(
            kind in any::<i32>(), length in any::<i32>(), bytes in any::<i32>(), channels in any::<i32>(),
            rate in any::<i32>(),
        ) {
            let raw = agora_audio_frame {
                type_: kind, samples_per_channel: length, bytes_per_sample: bytes, channels, samples_per_sec: rate,
                ..agora_audio_frame::default()
            };
            // SAFETY: there is no buffer.
            let piece = unsafe { Piece::lent(&raw) };
            prop_assert!(piece.is_err());
        }
    }

    #[test]
    fn what_can_not_be_true_is_refused() {
        let refused = |change: fn(&mut agora_audio_frame)| {
            let mut sound = [0; 480];
            let mut raw = frame(&mut sound, 1, 48_000);
            change(&mut raw);
            // SAFETY: the samples are there, whatever the numbers say; nothing is read of a refused piece.
            unsafe { Piece::lent(&raw) }.err()
        };
        assert_eq!(refused(|raw| raw.type_ = 1), Some(Refused::Format { kind: 1, bytes: 2 }));
        assert_eq!(refused(|raw| raw.bytes_per_sample = 4), Some(Refused::Format { kind: 0, bytes: 4 }));
        assert_eq!(refused(|raw| raw.channels = 0), Some(Refused::Shape { channels: 0, rate: 48_000 }));
        assert_eq!(refused(|raw| raw.samples_per_sec = -1), Some(Refused::Shape { channels: 1, rate: -1 }));
        assert_eq!(refused(|raw| raw.samples_per_channel = i32::MAX), Some(Refused::Length(i32::MAX)));
        assert_eq!(refused(|raw| raw.samples_per_channel = -480), Some(Refused::Length(-480)));
        assert_eq!(refused(|raw| raw.buffer = std::ptr::null_mut()), Some(Refused::NoSamples));
    }
}
