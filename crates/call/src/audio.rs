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
