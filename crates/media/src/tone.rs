//! A tone of known frequency and level, made and found again: the stand-in for a voice in every automatic run.

use std::{f64::consts::TAU, sync::Arc, time::Duration};

use parley_call::{
    AudioBlock, AudioQueue, MediaTime,
    audio::{BLOCK_SAMPLES, SAMPLE_RATE},
};

use crate::worker::{Pace, Worker};

/// How long one block lasts.
const BLOCK: Duration = Duration::from_millis(10);
/// How many blocks may wait in a source's queue: 100 ms, beyond it sound is too late for a conversation.
pub(crate) const QUEUED_BLOCKS: usize = 10;

/// A sine: 0 dBFS is the loudest sine that 16 bits hold (as AES17 counts), so its peak is 32,767.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// In hertz.
    pub frequency: f64,
    /// In dBFS, at most 0.
    pub level: f64,
}

impl Default for Tone {
    /// 440 Hz at −20 dBFS, about the level of speech.
    fn default() -> Self {
        Self { frequency: 440.0, level: -20.0 }
    }
}

/// Computes a tone block by block, without a jump in phase between them.
#[derive(Clone, Debug)]
pub struct ToneGenerator {
    tone: Tone,
    phase: f64,
}

impl ToneGenerator {
    /// A generator that begins at phase 0.
    pub fn new(tone: Tone) -> Self {
        Self { tone, phase: 0.0 }
    }

    /// The next 10 ms.
    pub fn next_samples(&mut self) -> [i16; BLOCK_SAMPLES] {
        let peak = f64::from(i16::MAX) * 10_f64.powf(self.tone.level.min(0.0) / 20.0);
        let step = self.tone.frequency / f64::from(SAMPLE_RATE);
        std::array::from_fn(|_| {
            let sample = (self.phase * TAU).sin() * peak;
            self.phase = (self.phase + step).fract();
            sample.round() as i16
        })
    }
}

/// A thread that puts a tone into a queue, a block every 10 ms. Dropping it ends the thread.
pub struct ToneSource {
    blocks: Arc<AudioQueue>,
    _worker: Worker,
}

impl ToneSource {
    /// Begins to sound.
    pub fn start(tone: Tone) -> std::io::Result<Self> {
        let blocks = Arc::new(AudioQueue::new(QUEUED_BLOCKS));
        let (queue, mut generator) = (Arc::clone(&blocks), ToneGenerator::new(tone));
        let worker = Worker::spawn("tone", move |stop| {
            let mut pace = Pace::new(BLOCK);
            while pace.wait(stop) {
                queue.push(AudioBlock { samples: generator.next_samples(), time: MediaTime::now() });
            }
        })?;
        Ok(Self { blocks, _worker: worker })
    }

    /// Where the blocks appear: to be given to an engine.
    pub fn blocks(&self) -> Arc<AudioQueue> {
        Arc::clone(&self.blocks)
    }
}

/// The lowest frequency that [`find`] looks for, in hertz.
const LOWEST: f64 = 60.0;
/// The highest frequency that [`find`] looks for, in hertz.
const HIGHEST: f64 = 4_000.0;
/// Fewer samples than this (100 ms) can't tell two neighbouring tones apart.
const MIN_SAMPLES: usize = SAMPLE_RATE as usize / 10;
/// Below this level there is silence, in dBFS.
const SILENCE: f64 = -70.0;
/// Less than this part of the whole power in the strongest sine means that it is not a tone.
const MIN_SHARE: f64 = 0.5;

/// Sound is looked at in pieces of 200 ms whose powers are added: a block that was left out or made up on the way
/// makes the phase jump, and over one long piece both sides of a jump would cancel each other.
const PIECE: usize = SAMPLE_RATE as usize / 5;

/// Finds the strongest sine in `samples` (48 kHz, at least 100 ms): its frequency to about a hertz and its level.
/// `None` for silence, noise, or too few samples.
pub fn find(samples: &[i16]) -> Option<Tone> {
    if samples.len() < MIN_SAMPLES || total_level(samples) < SILENCE {
        return None;
    }
    // A window of n samples resolves 1/n; half of that as a step can't miss the main lobe.
    let coarse = f64::from(SAMPLE_RATE) / samples.len().min(PIECE) as f64 / 2.0;
    let steps = ((HIGHEST - LOWEST) / coarse) as usize;
    let (mut best, _) = (0..=steps)
        .map(|step| LOWEST + step as f64 * coarse)
        .map(|frequency| (frequency, amplitude(samples, frequency)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    let mut step = coarse;
    while step > 0.1 {
        best = [best - step, best, best + step]
            .into_iter()
            .max_by(|a, b| amplitude(samples, *a).total_cmp(&amplitude(samples, *b)))?;
        step /= 2.0;
    }
    let level = level_at(samples, best);
    let share = 10_f64.powf((level - total_level(samples)) / 10.0);
    (share >= MIN_SHARE).then_some(Tone { frequency: best, level })
}

/// The level of the sine of that frequency in `samples`, in dBFS.
pub fn level_at(samples: &[i16], frequency: f64) -> f64 {
    20.0 * (amplitude(samples, frequency).max(1e-9) / f64::from(i16::MAX)).log10()
}

/// The level of everything in `samples`, in dBFS (a full-scale sine is 0).
pub fn total_level(samples: &[i16]) -> f64 {
    if samples.is_empty() {
        return f64::NEG_INFINITY;
    }
    let mean = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>() / samples.len() as f64;
    10.0 * (2.0 * mean.max(1e-18) / f64::from(i16::MAX).powi(2)).log10()
}

/// The root mean square of the amplitudes of the sine of that frequency in all pieces.
fn amplitude(samples: &[i16], frequency: f64) -> f64 {
    let pieces = (samples.len() / PIECE).max(1);
    let powers = samples.chunks(samples.len().div_ceil(pieces).max(1)).map(|piece| goertzel(piece, frequency).powi(2));
    (powers.sum::<f64>() / pieces as f64).sqrt()
}

/// Goertzel's algorithm under a Hann window: the amplitude of the sine of that frequency.
fn goertzel(samples: &[i16], frequency: f64) -> f64 {
    let turn = TAU * frequency / f64::from(SAMPLE_RATE);
    let coefficient = 2.0 * turn.cos();
    let window = TAU / samples.len() as f64;
    // The window's cosine by the same recurrence, instead of one `cos` a sample.
    let (mut cosine, mut earlier, twice) = (1.0, window.cos(), 2.0 * window.cos());
    let (mut one, mut two, mut weights) = (0.0, 0.0, 0.0);
    for &sample in samples {
        let weight = 0.5 - 0.5 * cosine;
        (cosine, earlier) = (twice * cosine - earlier, cosine);
        weights += weight;
        (one, two) = (f64::from(sample) * weight + coefficient * one - two, one);
    }
    let power = (one * one + two * two - coefficient * one * two).max(0.0);
    2.0 * power.sqrt() / weights.max(1e-9)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sound(tone: Tone, blocks: usize) -> Vec<i16> {
        let mut generator = ToneGenerator::new(tone);
        (0..blocks).flat_map(|_| generator.next_samples()).collect()
    }

    #[test]
    fn silence_noise_and_too_little_hold_no_tone() {
        assert_eq!(find(&[]), None);
        assert_eq!(find(&[0; 48_000]), None);
        assert_eq!(find(&sound(Tone::default(), 5)), None);
        let mut state = 1_u32;
        let noise: Vec<i16> = (0..24_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as i16 / 4
            })
            .collect();
        assert_eq!(find(&noise), None);
    }

    #[test]
    fn a_tone_under_noise_is_found() {
        let mut state = 1_u32;
        let samples: Vec<i16> = sound(Tone { frequency: 997.0, level: -20.0 }, 50)
            .into_iter()
            .map(|sample| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                sample + ((state >> 16) as i16) / 64
            })
            .collect();
        let found = find(&samples).unwrap();
        assert!((found.frequency - 997.0).abs() < 2.0, "{found:?}");
        assert!((found.level + 20.0).abs() < 0.5, "{found:?}");
    }

    #[test]
    fn a_block_left_out_now_and_then_does_not_hide_the_tone() {
        let mut generator = ToneGenerator::new(Tone::default());
        let samples: Vec<i16> = (0..200_u32)
            .filter_map(|block| Some(generator.next_samples()).filter(|_| block % 67 != 66))
            .flatten()
            .collect();
        let found = find(&samples).unwrap();
        assert!((found.frequency - 440.0).abs() < 2.0 && (found.level + 20.0).abs() < 1.5, "{found:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn every_tone_is_found_at_its_frequency_and_level(frequency in 100.0..3_500.0_f64, level in -50.0..0.0_f64) {
            let found = find(&sound(Tone { frequency, level }, 30)).unwrap();
            prop_assert!((found.frequency - frequency).abs() < 1.0, "{:?}", found);
            prop_assert!((found.level - level).abs() < 0.5, "{:?}", found);
        }
    }

    #[test]
    fn the_source_sounds_without_a_gap() {
        let source = ToneSource::start(Tone::default()).unwrap();
        let mut samples = Vec::new();
        let blocks = source.blocks();
        while samples.len() < 48_000 / 4 {
            match blocks.pop() {
                Some(block) => samples.extend(block.samples),
                None => std::thread::yield_now(),
            }
        }
        let found = find(&samples).unwrap();
        assert!((found.frequency - 440.0).abs() < 1.0 && (found.level + 20.0).abs() < 0.5, "{found:?}");
    }
}
