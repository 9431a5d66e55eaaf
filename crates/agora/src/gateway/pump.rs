//! Threads that carry what devices make to the senders.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{Builder, JoinHandle, sleep},
    time::{Duration, Instant},
};

use parley_call::{AudioQueue, I420Frame, LatestSlot};

use super::{
    error::GatewayError,
    tracks::{AudioSender, VideoSender},
};

/// A pump notices within this time that it is to end.
const ATTENTION: Duration = Duration::from_millis(50);
/// Sound is made and sent in pieces of this length.
const BLOCK: Duration = Duration::from_millis(10);
/// After a pause of this thread so many blocks are sent at once; the rest would only make the sound late.
const CATCH_UP: u32 = 5;
/// More blocks than this in the queue are late by themselves (80 ms) …
const MOST_WAITING: usize = 8;
/// … and are dropped until so many are left.
const WAITING_AFTER_DROP: usize = 3;

/// A thread that ends with its owner.
struct Pump {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pump {
    fn start(name: &str, work: impl FnOnce(&AtomicBool) + Send + 'static) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = Builder::new().name(format!("agora-{name}")).spawn(move || work(&stopped))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a thread that sends media panicked");
        }
    }
}

/// The size of the pictures that a pump carries.
#[derive(Default)]
pub(crate) struct SeenSize(AtomicU64);

impl SeenSize {
    /// Whether it is another one. Sides are even: what is odd is sent without its last column or row.
    fn put(&self, frame: &I420Frame) -> bool {
        let (width, height) = (frame.width() & !1, frame.height() & !1);
        let size = u64::from(width) << 32 | u64::from(height);
        width > 0 && height > 0 && self.0.swap(size, Ordering::Relaxed) != size
    }

    /// Width and height, once a picture came.
    pub(crate) fn get(&self) -> Option<(u32, u32)> {
        let size = self.0.load(Ordering::Relaxed);
        (size != 0).then_some(((size >> 32) as u32, size as u32))
    }
}

/// Carries pictures while it lives.
pub(crate) struct PicturePump {
    _pump: Pump,
}

impl PicturePump {
    /// Takes what appears in `frames` to `sender`; `resized` is called when the pictures' size is another one.
    pub(crate) fn start(
        frames: Arc<LatestSlot<I420Frame>>,
        sender: Arc<VideoSender>,
        size: Arc<SeenSize>,
        resized: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        let pump = Pump::start("pictures", move |stop| {
            let mut refusals = Refusals::default();
            while !stop.load(Ordering::Acquire) {
                let Some(frame) = frames.take_blocking(ATTENTION) else { continue };
                if size.put(&frame) {
                    resized();
                }
                refusals.note(sender.send(&frame));
            }
        })?;
        Ok(Self { _pump: pump })
    }
}

/// Carries sound, a block every 10 ms, while it lives.
pub(crate) struct SoundPump {
    _pump: Pump,
}

impl SoundPump {
    /// Takes what `blocks` holds to `sender`.
    pub(crate) fn start(blocks: Arc<AudioQueue>, sender: Arc<AudioSender>) -> io::Result<Self> {
        let pump = Pump::start("sound", move |stop| {
            let mut refusals = Refusals::default();
            let (mut beat, mut late) = (Instant::now(), 0);
            while !stop.load(Ordering::Acquire) {
                let due = due_blocks(&mut beat, Instant::now());
                for block in (0..due).map_while(|_| blocks.pop()) {
                    refusals.note(sender.send(&block));
                }
                if blocks.len() > MOST_WAITING {
                    late += (WAITING_AFTER_DROP..blocks.len()).map_while(|_| blocks.pop()).count();
                }
                sleep(beat.saturating_duration_since(Instant::now()));
            }
            if late > 0 {
                tracing::debug!(blocks = late, "sound came late and was left out");
            }
        })?;
        Ok(Self { _pump: pump })
    }
}

/// How many blocks are due at `now`; `beat` moves on to the next one.
fn due_blocks(beat: &mut Instant, now: Instant) -> u32 {
    let mut due = 0;
    while *beat <= now {
        due += 1;
        if due > CATCH_UP {
            *beat = now + BLOCK;
            return CATCH_UP;
        }
        *beat += BLOCK;
    }
    due
}

/// Tells the first refusal of a row of them.
#[derive(Default)]
struct Refusals(u64);

impl Refusals {
    fn note(&mut self, sent: Result<(), GatewayError>) {
        match sent {
            Ok(()) if self.0 > 0 => {
                tracing::debug!(refused = self.0, "Agora's library takes media again");
                self.0 = 0;
            }
            Ok(()) => {}
            Err(error) => {
                if self.0 == 0 {
                    tracing::debug!(%error, "Agora's library takes no media");
                }
                self.0 += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use parley_call::{FramePool, MediaTime};

    use super::*;

    #[test]
    fn the_size_to_encode_in_is_even_and_is_something() {
        let (seen, pool) = (SeenSize::default(), FramePool::new());
        let put = |width, height| seen.put(&pool.frame(width, height, MediaTime(0), |_, _, _| {}));
        assert!(!put(1, 900) && seen.get().is_none());
        assert!(put(1_367, 769));
        assert_eq!(seen.get(), Some((1_366, 768)));
        assert!(!put(1_366, 768) && put(1_364, 768));
    }

    #[test]
    fn blocks_are_due_one_by_one_and_a_long_pause_is_not_made_up_for() {
        let start = Instant::now();
        let mut beat = start;
        assert_eq!(due_blocks(&mut beat, start), 1);
        assert_eq!(due_blocks(&mut beat, start + BLOCK / 2), 0);
        assert_eq!(due_blocks(&mut beat, start + BLOCK * 3), 3);
        assert_eq!(due_blocks(&mut beat, start + BLOCK * 1_000), CATCH_UP);
        assert_eq!(beat, start + BLOCK * 1_001);
        assert_eq!(due_blocks(&mut beat, start + BLOCK * 1_001), 1);
    }
}
