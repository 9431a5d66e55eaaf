//! A microphone: from the device's callback through a lock-free ring to 10 ms blocks of 48 kHz mono.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use cpal::{
    FromSample, Sample, SampleFormat, SizedSample, Stream,
    traits::{DeviceTrait, StreamTrait},
};
use parley_call::{AudioBlock, AudioQueue, MediaTime, audio::BLOCK_SAMPLES};
use rtrb::{Producer, RingBuffer};

use crate::{
    devices::DeviceId,
    echo::{EchoCanceller, EchoReference},
    sound::{self, Direction, Resampler, SoundError, to_i16},
    tone::QUEUED_BLOCKS,
    worker::{Stop, Worker},
};

/// How often the ring is emptied.
const TICK: Duration = Duration::from_millis(5);
/// A device that has not opened by then never will.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// An open microphone. Dropping it lets go of the device.
pub struct Microphone {
    blocks: Arc<AudioQueue>,
    lost: Arc<AtomicU64>,
    failed: Arc<AtomicBool>,
    _worker: Worker,
}

impl Microphone {
    /// Opens that microphone, or the default one. With a reference, what the speaker plays is taken out of the sound.
    pub fn open(id: Option<&DeviceId>, echo: Option<EchoReference>) -> Result<Self, SoundError> {
        let blocks = Arc::new(AudioQueue::new(QUEUED_BLOCKS));
        let (lost, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (queue, counter, flag, id) = (Arc::clone(&blocks), Arc::clone(&lost), Arc::clone(&failed), id.cloned());
        let (tell, told) = mpsc::sync_channel(1);
        // The stream stays on the thread that made it: not every system lets it move.
        let worker = Worker::spawn("microphone", move |stop| match start(id.as_ref(), counter, flag) {
            Ok((stream, ring, resampler)) => {
                let _ = tell.send(Ok(()));
                pump(stop, ring, resampler, echo.map(EchoCanceller::new), &queue);
                drop(stream);
            }
            Err(error) => drop(tell.send(Err(error))),
        })
        .map_err(|error| SoundError::Failed(error.to_string()))?;
        told.recv_timeout(PATIENCE).map_err(|_| SoundError::Failed("it did not answer in time".to_owned()))??;
        Ok(Self { blocks, lost, failed, _worker: worker })
    }

    /// Where the blocks appear: to be given to an engine.
    pub fn blocks(&self) -> Arc<AudioQueue> {
        Arc::clone(&self.blocks)
    }

    /// Samples that were lost because the machine was too busy.
    pub fn lost_samples(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether the device ended by itself (unplugged).
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

type Opened = (Stream, rtrb::Consumer<f32>, Resampler);

fn start(id: Option<&DeviceId>, lost: Arc<AtomicU64>, failed: Arc<AtomicBool>) -> Result<Opened, SoundError> {
    let (device, supported) = sound::open(id, Direction::In)?;
    let resampler = Resampler::to_ours(supported.sample_rate())?;
    let (ring, taken) = RingBuffer::new(supported.sample_rate() as usize / 2);
    let listener = Listener { channels: usize::from(supported.channels().max(1)), ring, lost, failed };
    let stream = match supported.sample_format() {
        SampleFormat::F32 => listener.build::<f32>(&device, supported.into()),
        SampleFormat::I16 => listener.build::<i16>(&device, supported.into()),
        SampleFormat::U16 => listener.build::<u16>(&device, supported.into()),
        SampleFormat::I32 => listener.build::<i32>(&device, supported.into()),
        SampleFormat::U8 => listener.build::<u8>(&device, supported.into()),
        other => Err(SoundError::Failed(format!("its sample format {other} is not supported"))),
    }?;
    stream.play()?;
    Ok((stream, taken, resampler))
}

/// Lives in the device's callback: mixes the channels and puts them into the ring; no lock, no allocation.
struct Listener {
    channels: usize,
    ring: Producer<f32>,
    lost: Arc<AtomicU64>,
    failed: Arc<AtomicBool>,
}

impl Listener {
    fn build<T>(mut self, device: &cpal::Device, config: cpal::StreamConfig) -> Result<Stream, SoundError>
    where
        T: SizedSample,
        f32: FromSample<T>,
    {
        let failed = Arc::clone(&self.failed);
        let stream = device.build_input_stream(
            config,
            move |samples: &[T], _: &cpal::InputCallbackInfo| self.hear(samples),
            move |error| on_stream_error(&error, &failed),
            Some(PATIENCE),
        )?;
        Ok(stream)
    }

    fn hear<T: Sample>(&mut self, samples: &[T])
    where
        f32: FromSample<T>,
    {
        for frame in samples.chunks_exact(self.channels) {
            let sum: f32 = frame.iter().map(|sample| f32::from_sample(*sample)).sum();
            if self.ring.push(sum / self.channels as f32).is_err() {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A stream that reports one of these goes on; any other ends it.
pub(crate) fn on_stream_error(error: &cpal::Error, failed: &AtomicBool) {
    use cpal::ErrorKind::{DeviceChanged, RealtimeDenied, Xrun};
    match error.kind() {
        DeviceChanged | RealtimeDenied | Xrun => tracing::trace!(%error, "a sound device hiccupped"),
        _ => {
            failed.store(true, Ordering::Relaxed);
            tracing::warn!(%error, "a sound device failed");
        }
    }
}

fn pump(
    stop: &Stop,
    mut ring: rtrb::Consumer<f32>,
    mut resampler: Resampler,
    mut echo: Option<EchoCanceller>,
    queue: &AudioQueue,
) {
    let (mut raw, mut ready) = (Vec::new(), Vec::new());
    while stop.wait_until(Instant::now() + TICK) {
        raw.clear();
        raw.extend(std::iter::from_fn(|| ring.pop().ok()));
        resampler.push(&raw, &mut ready);
        while ready.len() >= BLOCK_SAMPLES {
            let mut samples = [0; BLOCK_SAMPLES];
            for (to, from) in samples.iter_mut().zip(ready.drain(..BLOCK_SAMPLES)) {
                *to = to_i16(from);
            }
            if let Some(echo) = &mut echo {
                echo.process(&mut samples);
            }
            queue.push(AudioBlock { samples, time: MediaTime::now() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_device_the_reason_is_said() {
        let error = Microphone::open(Some(&DeviceId("alsa:no-such-card".to_owned())), None).err();
        assert_eq!(error, Some(SoundError::DeviceGone));
        // On a machine without a sound card, as build machines are, the default one is missing as well.
        if crate::devices::microphones().is_empty() {
            assert_eq!(Microphone::open(None, None).err(), Some(SoundError::NoSoundCard));
        }
    }

    #[test]
    fn channels_are_mixed_and_an_overrun_is_counted() {
        let (ring, mut taken) = RingBuffer::new(2);
        let lost = Arc::new(AtomicU64::new(0));
        let mut listener = Listener { channels: 2, ring, lost: Arc::clone(&lost), failed: Arc::default() };
        listener.hear(&[0.5_f32, 0.1, -0.4, 0.0, 1.0, 1.0, 0.3]);
        assert_eq!((taken.pop(), taken.pop(), taken.pop().is_err()), (Ok(0.3), Ok(-0.2), true));
        assert_eq!(lost.load(Ordering::Relaxed), 1);
    }
}
