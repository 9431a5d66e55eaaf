//! What arrives as sound: is the other side's tone in it, at its frequency and level, all the time?

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use parley_call::{AudioQueue, audio::SAMPLE_RATE};
use parley_media::{Tone, tone};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::report::rounded;

/// The tone's level is looked at in every tenth of a second …
const PIECE: usize = SAMPLE_RATE as usize / 10;
/// … and which tone it is, which takes a search, in so many longer pieces.
const SEARCHED: usize = 10;
/// Samples of such a piece: 200 ms tell tones a few hertz apart.
const SEARCHED_PIECE: usize = SAMPLE_RATE as usize / 5;
/// Fewer seconds than this prove nothing.
const MIN_SECONDS: f64 = 2.0;
/// A voice codec at 48 kHz keeps a tone's place to a hertz; this allows for the detector too.
const FREQUENCY_TOLERANCE: f64 = 3.0;
/// And its level to a decibel.
const LEVEL_TOLERANCE: f64 = 2.0;
/// Share of the time in which the tone has to be there at its level: on a machine that does much else, blocks come late.
const HEARD_SHARE: f64 = 0.7;
/// Sound is taken out of the queue this often.
const BEAT: Duration = Duration::from_millis(10);

/// Plays the part of a sound card: takes out what is to be heard, and remembers it.
pub(crate) struct SoundReader {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Vec<i16>>,
}

impl SoundReader {
    /// Begins to listen.
    pub(crate) fn start(blocks: Arc<AudioQueue>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut beat = tokio::time::interval(BEAT);
            let mut samples = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                beat.tick().await;
                while let Some(block) = blocks.pop() {
                    samples.extend(block.samples);
                }
            }
            samples
        });
        Self { stop, task }
    }

    /// Stops listening; everything that was heard.
    pub(crate) async fn finish(self) -> Result<Vec<i16>> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.task.await?)
    }
}

/// How one direction sounded.
pub(crate) struct SoundFigures {
    pub(crate) heard: Tone,
    pub(crate) expected: Tone,
    seconds: f64,
    /// Share of the time in which the tone was there at its level.
    heard_share: f64,
}

impl SoundFigures {
    /// Looks for the tone in what was heard, from where sound begins: until both are connected there is silence.
    pub(crate) fn of(samples: &[i16], expected: Tone) -> Result<Self> {
        let begin = samples.iter().position(|sample| sample.unsigned_abs() > 64).unwrap_or(samples.len());
        // The codec's first packets settle.
        let samples = samples[begin..].get(PIECE..).unwrap_or_default();
        let seconds = samples.len() as f64 / f64::from(SAMPLE_RATE);
        ensure!(seconds >= MIN_SECONDS, "only {seconds:.1} s of sound arrived");

        let is_near = |level: f64| (level - expected.level).abs() <= LEVEL_TOLERANCE;
        let pieces = samples.chunks_exact(PIECE);
        let (count, steady) = (pieces.len(), |piece: &&[i16]| {
            is_near(tone::level_at(piece, expected.frequency)) && is_near(tone::total_level(piece))
        });
        let heard_share = pieces.filter(steady).count() as f64 / count as f64;

        let step = ((samples.len() - SEARCHED_PIECE) / SEARCHED).max(1);
        let searched = (0..SEARCHED).map(|at| &samples[at * step..at * step + SEARCHED_PIECE]);
        let found: Vec<Tone> = searched.filter_map(tone::find).collect();
        ensure!(!found.is_empty(), "no tone is in {seconds:.1} s of sound at {:.1} dBFS", tone::total_level(samples));
        let heard = Tone {
            frequency: median(found.iter().map(|tone| tone.frequency)),
            level: median(found.iter().map(|tone| tone.level)),
        };
        ensure!(
            (heard.frequency - expected.frequency).abs() <= FREQUENCY_TOLERANCE && is_near(heard.level),
            "a tone of {:.1} Hz at {:.1} dBFS was heard, not of {} Hz at {} dBFS",
            heard.frequency,
            heard.level,
            expected.frequency,
            expected.level
        );
        ensure!(heard_share >= HEARD_SHARE, "the tone was there in only {:.0} % of the time", heard_share * 100.0);
        Ok(Self { heard, expected, seconds, heard_share })
    }

    pub(crate) fn to_json(&self, direction: &str) -> Value {
        json!({
            "direction": direction,
            "frequency_hz": rounded(self.heard.frequency),
            "level_dbfs": rounded(self.heard.level),
            "expected_frequency_hz": self.expected.frequency,
            "expected_level_dbfs": self.expected.level,
            "seconds": rounded(self.seconds),
            "heard_percent": rounded(self.heard_share * 100.0),
        })
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use parley_media::tone::ToneGenerator;

    use super::*;

    fn sound(tone: Tone, seconds: usize) -> Vec<i16> {
        let mut generator = ToneGenerator::new(tone);
        (0..seconds * 100).flat_map(|_| generator.next_samples()).collect()
    }

    #[test]
    fn silence_another_tone_and_a_quieter_one_are_told_apart() {
        let expected = Tone { frequency: 440.0, level: -20.0 };
        assert!(SoundFigures::of(&[], expected).is_err());
        assert!(SoundFigures::of(&[0; 480_000], expected).is_err());
        assert!(SoundFigures::of(&sound(Tone { frequency: 660.0, ..expected }, 5), expected).is_err());
        assert!(SoundFigures::of(&sound(Tone { level: -30.0, ..expected }, 5), expected).is_err());
    }

    #[test]
    fn the_tone_is_found_after_silence_and_its_gaps_are_counted() {
        let expected = Tone { frequency: 440.0, level: -20.0 };
        let mut samples = vec![0; 100_000];
        samples.extend(sound(expected, 6));
        let figures = SoundFigures::of(&samples, expected).unwrap();
        assert!((figures.heard.frequency - 440.0).abs() < 0.5 && (figures.heard.level + 20.0).abs() < 0.3);
        let middle = samples.len() / 2;
        samples[middle..middle + 96_000].fill(0);
        assert!(SoundFigures::of(&samples, expected).is_err(), "two silent seconds of six");
    }
}
