//! Sound on its way between devices and engines: 10 ms blocks of 48 kHz mono, in bounded queues.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::frame::MediaTime;

/// Samples a second everywhere between the devices and the engines.
pub const SAMPLE_RATE: u32 = 48_000;
/// Samples of one block: 10 ms.
pub const BLOCK_SAMPLES: usize = 480;

/// 10 ms of mono sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioBlock {
    /// 480 signed 16-bit samples.
    pub samples: [i16; BLOCK_SAMPLES],
    /// When its first sample was captured or is to be heard.
    pub time: MediaTime,
}

/// A bounded queue of blocks. When it is full the oldest block is dropped and counted: late sound is worth nothing.
pub struct AudioQueue {
    blocks: Mutex<VecDeque<AudioBlock>>,
    capacity: usize,
    dropped: AtomicU64,
}

impl AudioQueue {
    /// A queue that holds up to `capacity` blocks of 10 ms.
    pub fn new(capacity: usize) -> Self {
        Self {
            blocks: Mutex::new(VecDeque::with_capacity(capacity)),
            capacity: capacity.max(1),
            dropped: AtomicU64::new(0),
        }
    }

    /// Appends a block.
    pub fn push(&self, block: AudioBlock) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if blocks.len() == self.capacity {
            blocks.pop_front();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        blocks.push_back(block);
    }

    /// Takes the oldest block, if one is there.
    pub fn pop(&self) -> Option<AudioBlock> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// How many blocks wait.
    pub fn len(&self) -> usize {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no block waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many blocks were dropped because nobody took them in time.
    pub fn dropped_count(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u64) -> AudioBlock {
        AudioBlock { samples: [0; BLOCK_SAMPLES], time: MediaTime(number) }
    }

    #[test]
    fn the_oldest_block_makes_room_and_is_counted() {
        let queue = AudioQueue::new(3);
        (0..5).for_each(|number| queue.push(block(number)));
        assert_eq!((queue.len(), queue.dropped_count()), (3, 2));
        let times: Vec<u64> = std::iter::from_fn(|| queue.pop()).map(|block| block.time.0).collect();
        assert_eq!(times, [2, 3, 4]);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_queue_without_room_still_holds_the_newest_block() {
        let queue = AudioQueue::new(0);
        queue.push(block(1));
        queue.push(block(2));
        assert_eq!(queue.pop(), Some(block(2)));
    }
}
