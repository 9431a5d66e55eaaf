//! Takes out of the microphone's sound what the speaker has just played, and the noise of the room.

use std::sync::Arc;

use parley_call::{
    AudioBlock, AudioQueue,
    audio::{BLOCK_SAMPLES, SAMPLE_RATE},
};
use sonora::{
    AudioProcessing, Config, StreamConfig,
    config::{EchoCanceller as Echo, HighPassFilter, NoiseSuppression},
};

use crate::sound::{to_f32, to_i16};

/// What the speaker plays, block by block, on its way to the canceller. Shared by a speaker and a microphone.
#[derive(Clone)]
pub struct EchoReference(Arc<AudioQueue>);

/// Blocks that may wait for a microphone that isn't open: half a second.
const REFERENCE_BLOCKS: usize = 50;

impl EchoReference {
    /// A reference without sound.
    pub fn new() -> Self {
        Self(Arc::new(AudioQueue::new(REFERENCE_BLOCKS)))
    }

    /// A block that is about to be heard.
    pub fn push(&self, block: AudioBlock) {
        self.0.push(block);
    }
}

impl Default for EchoReference {
    fn default() -> Self {
        Self::new()
    }
}

/// Cleans the microphone's blocks, one after the other.
pub struct EchoCanceller {
    processing: AudioProcessing,
    reference: EchoReference,
    scratch: [f32; BLOCK_SAMPLES],
}

impl EchoCanceller {
    /// A canceller for what is pushed into `reference`.
    pub fn new(reference: EchoReference) -> Self {
        let config = Config {
            high_pass_filter: Some(HighPassFilter::default()),
            echo_canceller: Some(Echo::default()),
            noise_suppression: Some(NoiseSuppression::default()),
            ..Config::default()
        };
        let processing = AudioProcessing::builder()
            .config(config)
            .capture_config(StreamConfig::new(SAMPLE_RATE, 1))
            .render_config(StreamConfig::new(SAMPLE_RATE, 1))
            .build();
        Self { processing, reference, scratch: [0.0; BLOCK_SAMPLES] }
    }

    /// Cleans one block in place. Everything that was played since the last one is taken in first: the canceller
    /// needs the cause before the echo.
    pub fn process(&mut self, samples: &mut [i16; BLOCK_SAMPLES]) {
        while let Some(played) = self.reference.0.pop() {
            let played = played.samples.map(to_f32);
            if let Err(error) = self.processing.process_render_f32(&[&played], &mut [&mut self.scratch]) {
                tracing::debug!(?error, "the echo canceller refused a played block");
            }
        }
        let captured = samples.map(to_f32);
        match self.processing.process_capture_f32(&[&captured], &mut [&mut self.scratch]) {
            Ok(()) => *samples = self.scratch.map(to_i16),
            Err(error) => tracing::debug!(?error, "the echo canceller refused a captured block"),
        }
    }
}

#[cfg(test)]
mod tests {
    use parley_call::MediaTime;

    use super::*;
    use crate::tone::total_level;

    /// Noise in the rhythm of syllables: what a canceller learns from, unlike an even tone.
    fn speech_like(block: usize, state: &mut u32) -> [i16; BLOCK_SAMPLES] {
        let loud = if block / 12 % 3 == 2 { 0 } else { 1 };
        std::array::from_fn(|_| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((*state >> 16) as i16 / 8) * loud
        })
    }

    #[test]
    fn an_echo_of_what_was_played_is_taken_out() {
        let reference = EchoReference::new();
        let mut canceller = EchoCanceller::new(reference.clone());
        let (mut state, mut delayed, mut before, mut after) = (1, [0; BLOCK_SAMPLES], Vec::new(), Vec::new());
        for block in 0..800 {
            let played = speech_like(block, &mut state);
            reference.push(AudioBlock { samples: played, time: MediaTime(0) });
            let mut heard = delayed.map(|sample| sample / 2);
            delayed = played;
            if block >= 600 {
                before.extend(heard);
            }
            canceller.process(&mut heard);
            if block >= 600 {
                after.extend(heard);
            }
        }
        let gained = total_level(&before) - total_level(&after);
        assert!(gained > 15.0, "only {gained:.1} dB of echo were taken out");
    }
}
