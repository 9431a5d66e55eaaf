//! Every 10 ms: what is published becomes packets, and what came becomes one block for the speaker.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use parley_call::{
    AudioBlock, AudioQueue, MediaTime,
    audio::{BLOCK_SAMPLES, SAMPLE_RATE},
};

use super::{
    jitter::{JitterBuffer, Packet},
    opus::{Encoder, PACKET_SAMPLES},
};
use crate::shared::{Command, Shared};

const TICK: Duration = Duration::from_millis(10);
/// After a longer stall the ticks that were missed are left out.
const MAX_BEHIND: Duration = Duration::from_millis(60);
/// When the captured time runs away from the counted samples by more than this, the source paused or its clock is
/// off: the position follows the time.
const MAX_DRIFT: i64 = SAMPLE_RATE as i64 * 60 / 1_000;

/// What the net thread puts in and the worker takes out.
pub(crate) struct Inbox {
    buffer: Mutex<Received>,
}

struct Received {
    jitter: JitterBuffer,
    /// Ties the stream's position to the sender's wall clock.
    clock: Option<(u64, SystemTime)>,
}

impl Inbox {
    pub(crate) fn new() -> Result<Self, opus::Error> {
        Ok(Self { buffer: Mutex::new(Received { jitter: JitterBuffer::new()?, clock: None }) })
    }

    /// A packet came; `captured` is its time on the sender's wall clock, once the sender has told.
    pub(crate) fn push(&self, packet: Packet, captured: Option<SystemTime>) {
        let mut received = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(captured) = captured {
            received.clock = Some((packet.position, captured));
        }
        received.jitter.push(packet);
    }

    /// Another path begins.
    pub(crate) fn reset(&self) {
        let mut received = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        received.clock = None;
        match JitterBuffer::new() {
            Ok(new) => received.jitter = new,
            Err(error) => tracing::error!(%error, "no audio decoder"),
        }
    }

    fn tick(&self, shared: &Shared, now: Instant) -> Option<AudioBlock> {
        let mut received = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        let played = received.jitter.tick()?;
        if let (Some((known, captured)), Some(position)) = (received.clock, played.position) {
            let time = |samples: u64| Duration::from_micros(samples * 1_000_000 / u64::from(SAMPLE_RATE));
            let captured = if position >= known {
                captured.checked_add(time(position - known))
            } else {
                captured.checked_sub(time(known - position))
            };
            if let Some(captured) = captured {
                // Measured as it would be without the wait, or the wait would argue against itself.
                let own = now.checked_sub(received.jitter.extra()).unwrap_or(now);
                let extra = shared.lip_sync.on_sound(captured, own);
                received.jitter.set_extra(extra);
            }
        }
        Some(AudioBlock { samples: played.samples, time: MediaTime::now() })
    }

    /// What happened to the received sound so far, for the log.
    pub(crate) fn describe(&self) -> String {
        let received = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{:?}, target {:?}", received.jitter.counts(), received.jitter.target())
    }
}

/// Runs until the join ends.
pub(crate) fn run(shared: &Shared, inbox: &Inbox, speaker: &AudioQueue) {
    let mut outlet = Outlet::default();
    let mut next = Instant::now();
    while !shared.is_stopped() {
        let now = Instant::now();
        if let Some(left) = next.checked_duration_since(now) {
            thread::sleep(left);
        } else if now > next + MAX_BEHIND {
            next = now;
        }
        next += TICK;
        if let Some(block) = inbox.tick(shared, Instant::now()) {
            speaker.push(block);
        }
        outlet.tick(shared);
    }
}

/// Turns blocks into packets.
#[derive(Default)]
struct Outlet {
    source: Option<Arc<AudioQueue>>,
    encoder: Option<Encoder>,
    waiting: Option<AudioBlock>,
    /// Position of the next packet's first sample.
    position: Option<u64>,
}

impl Outlet {
    fn tick(&mut self, shared: &Shared) {
        let source = shared.publication().audio;
        let same = match (&source, &self.source) {
            (Some(new), Some(old)) => Arc::ptr_eq(new, old),
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.waiting = None;
            self.source.clone_from(&source);
            // What gathered in the queue while nobody took it is old.
            while source.as_ref().is_some_and(|source| source.len() > 2) {
                source.as_ref().and_then(|source| source.pop());
            }
        }
        let Some(source) = source else { return };
        while let Some(block) = source.pop() {
            match self.waiting.take() {
                None => self.waiting = Some(block),
                Some(first) => self.send(&first, &block, shared),
            }
        }
    }

    fn send(&mut self, first: &AudioBlock, second: &AudioBlock, shared: &Shared) {
        let by_clock = first.time.0 * u64::from(SAMPLE_RATE) / 1_000_000;
        let position = self
            .position
            .filter(|position| (*position as i64 - by_clock as i64).abs() <= MAX_DRIFT)
            .unwrap_or(by_clock);
        self.position = Some(position + PACKET_SAMPLES as u64);
        if !shared.connected.load(std::sync::atomic::Ordering::Acquire) {
            return;
        }
        if self.encoder.is_none() {
            match Encoder::new() {
                Ok(encoder) => self.encoder = Some(encoder),
                Err(error) => return tracing::error!(%error, "no audio encoder"),
            }
        }
        let Some(encoder) = &mut self.encoder else { return };
        let mut samples = [0; PACKET_SAMPLES];
        samples[..BLOCK_SAMPLES].copy_from_slice(&first.samples);
        samples[BLOCK_SAMPLES..].copy_from_slice(&second.samples);
        match encoder.encode(&samples) {
            Ok(packet) => {
                let data = packet.to_vec();
                shared.send(Command::Audio { data, position, captured: first.time });
            }
            Err(error) => tracing::warn!(%error, "sound could not be encoded"),
        }
    }
}
