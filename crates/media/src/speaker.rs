//! A speaker: from the engine's blocks through a lock-free ring to the device's callback.

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
use parley_call::{AudioQueue, audio::SAMPLE_RATE};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::{
    devices::DeviceId,
    echo::EchoReference,
    microphone::{PATIENCE, on_stream_error},
    sound::{self, Direction, Resampler, SoundError, to_f32},
    worker::{Stop, Worker},
};

/// How often the ring is filled up.
const TICK: Duration = Duration::from_millis(5);
/// The ring is kept this full: enough for the largest period that sound servers use by default.
const AHEAD: Duration = Duration::from_millis(40);
/// With more blocks than this waiting (80 ms), the device's clock is slower than the sender's: one is left out.
const TOO_MANY: usize = 8;

/// An open speaker. Dropping it lets go of the device.
pub struct Speaker {
    starved: Arc<AtomicU64>,
    failed: Arc<AtomicBool>,
    _worker: Worker,
}

impl Speaker {
    /// Opens that speaker, or the default one, and plays what appears in `blocks`. What is played is also put into the
    /// reference, if one is given, for the microphone's echo canceller.
    pub fn open(
        id: Option<&DeviceId>,
        blocks: Arc<AudioQueue>,
        echo: Option<EchoReference>,
    ) -> Result<Self, SoundError> {
        let (starved, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, flag, id) = (Arc::clone(&starved), Arc::clone(&failed), id.cloned());
        let (tell, told) = mpsc::sync_channel(1);
        let worker = Worker::spawn("speaker", move |stop| match start(id.as_ref(), counter, flag) {
            Ok((stream, ring, resampler, rate)) => {
                let _ = tell.send(Ok(()));
                pump(stop, ring, resampler, rate, &blocks, echo.as_ref());
                drop(stream);
            }
            Err(error) => drop(tell.send(Err(error))),
        })
        .map_err(|error| SoundError::Failed(error.to_string()))?;
        told.recv_timeout(PATIENCE).map_err(|_| SoundError::Failed("it did not answer in time".to_owned()))??;
        Ok(Self { starved, failed, _worker: worker })
    }

    /// Samples of silence that were played because nothing was there in time.
    pub fn starved_samples(&self) -> u64 {
        self.starved.load(Ordering::Relaxed)
    }

    /// Whether the device ended by itself (unplugged).
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

type Opened = (Stream, Producer<f32>, Resampler, u32);

fn start(id: Option<&DeviceId>, starved: Arc<AtomicU64>, failed: Arc<AtomicBool>) -> Result<Opened, SoundError> {
    let (device, supported) = sound::open(id, Direction::Out)?;
    let rate = supported.sample_rate();
    let resampler = Resampler::to_device(rate)?;
    let (put, ring) = RingBuffer::new(rate as usize / 2);
    let player = Player { channels: usize::from(supported.channels().max(1)), ring, starved, failed };
    let stream = match supported.sample_format() {
        SampleFormat::F32 => player.build::<f32>(&device, supported.into()),
        SampleFormat::I16 => player.build::<i16>(&device, supported.into()),
        SampleFormat::U16 => player.build::<u16>(&device, supported.into()),
        SampleFormat::I32 => player.build::<i32>(&device, supported.into()),
        SampleFormat::U8 => player.build::<u8>(&device, supported.into()),
        other => Err(SoundError::Failed(format!("its sample format {other} is not supported"))),
    }?;
    stream.play()?;
    Ok((stream, put, resampler, rate))
}

/// Lives in the device's callback: takes mono samples out of the ring and gives them to every channel.
struct Player {
    channels: usize,
    ring: Consumer<f32>,
    starved: Arc<AtomicU64>,
    failed: Arc<AtomicBool>,
}

impl Player {
    fn build<T>(mut self, device: &cpal::Device, config: cpal::StreamConfig) -> Result<Stream, SoundError>
    where
        T: SizedSample + FromSample<f32>,
    {
        let failed = Arc::clone(&self.failed);
        let stream = device.build_output_stream(
            config,
            move |samples: &mut [T], _: &cpal::OutputCallbackInfo| self.speak(samples),
            move |error| on_stream_error(&error, &failed),
            Some(PATIENCE),
        )?;
        Ok(stream)
    }

    fn speak<T: Sample + FromSample<f32>>(&mut self, samples: &mut [T]) {
        for frame in samples.chunks_mut(self.channels) {
            let sample = self.ring.pop().unwrap_or_else(|_| {
                self.starved.fetch_add(1, Ordering::Relaxed);
                0.0
            });
            frame.fill(T::from_sample(sample));
        }
    }
}

fn pump(
    stop: &Stop,
    mut ring: Producer<f32>,
    mut resampler: Resampler,
    rate: u32,
    blocks: &AudioQueue,
    echo: Option<&EchoReference>,
) {
    let capacity = ring.slots();
    let wanted = (AHEAD.as_secs_f64() * f64::from(rate)) as usize;
    let mut ready = Vec::new();
    while stop.wait_until(Instant::now() + TICK) {
        while capacity - ring.slots() < wanted {
            if blocks.len() > TOO_MANY {
                blocks.pop();
            }
            let Some(block) = blocks.pop() else { break };
            ready.clear();
            resampler.push(&block.samples.map(to_f32), &mut ready);
            if let Some(echo) = echo {
                echo.push(block);
            }
            for sample in ready.drain(..) {
                // The ring holds half a second and is filled to 40 ms; it is never full here.
                let _ = ring.push(sample);
            }
        }
    }
}

const _: () = assert!(SAMPLE_RATE == 48_000, "the resampler's other side");

#[cfg(test)]
mod tests {
    use parley_call::{AudioBlock, MediaTime};

    use super::*;

    #[test]
    fn without_a_device_the_reason_is_said() {
        let blocks = Arc::new(AudioQueue::new(4));
        let id = DeviceId("alsa:no-such-card".to_owned());
        assert_eq!(Speaker::open(Some(&id), Arc::clone(&blocks), None).err(), Some(SoundError::DeviceGone));
        if crate::devices::speakers().is_empty() {
            assert_eq!(Speaker::open(None, blocks, None).err(), Some(SoundError::NoSoundCard));
        }
    }

    #[test]
    fn every_channel_gets_the_sound_and_hunger_is_silence_and_counted() {
        let (mut put, ring) = RingBuffer::new(8);
        let starved = Arc::new(AtomicU64::new(0));
        let mut player = Player { channels: 2, ring, starved: Arc::clone(&starved), failed: Arc::default() };
        put.push(0.5).unwrap();
        let mut samples = [9_i16; 4];
        player.speak(&mut samples);
        assert_eq!(samples[..2], [16_384; 2]);
        assert_eq!((samples[2..].to_vec(), starved.load(Ordering::Relaxed)), (vec![0; 2], 1));
    }

    #[test]
    fn the_ring_is_filled_from_the_queue_and_the_reference_hears_it() {
        let (blocks, echo) = (Arc::new(AudioQueue::new(20)), EchoReference::new());
        for value in 0..3 {
            blocks.push(AudioBlock { samples: [value; 480], time: MediaTime(0) });
        }
        let (put, mut ring) = RingBuffer::new(24_000);
        let (queue, reference) = (Arc::clone(&blocks), echo.clone());
        let worker = Worker::spawn("test", move |stop| {
            pump(stop, put, Resampler::to_device(48_000).unwrap(), 48_000, &queue, Some(&reference));
        })
        .unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while ring.slots() < 3 * 480 && Instant::now() < deadline {
            std::thread::yield_now();
        }
        drop(worker);
        assert_eq!(ring.slots(), 3 * 480);
        assert_eq!(ring.pop(), Ok(0.0));
    }
}
