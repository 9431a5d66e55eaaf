//! Raw pictures: planar I420 in pooled buffers, shared without copying.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

/// Microseconds on this machine's monotonic clock, counted from the first use in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaTime(pub u64);

impl MediaTime {
    /// Now.
    pub fn now() -> Self {
        static START: OnceLock<Instant> = OnceLock::new();
        Self(u64::try_from(START.get_or_init(Instant::now).elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Time since `earlier`; zero when it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// One picture in I420: a full-size luma plane, then two chroma planes of half width and half height (rounded up).
///
/// The planes lie one behind the other without padding: strides are `width` and `ceil(width / 2)`.
/// Cloning shares the pixels. The buffer goes back to its pool when the last clone is dropped.
#[derive(Clone)]
pub struct I420Frame {
    width: u32,
    height: u32,
    /// When the picture was captured (sender) or decoded (receiver), on this machine's clock.
    pub time: MediaTime,
    pixels: Arc<PooledBuffer>,
}

impl I420Frame {
    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// All planes, one behind the other.
    pub fn bytes(&self) -> &[u8] {
        &self.pixels
    }

    /// The luma plane, stride [`Self::width`].
    pub fn y(&self) -> &[u8] {
        &self.pixels[..self.luma_len()]
    }

    /// The first chroma plane, stride [`Self::chroma_width`].
    pub fn u(&self) -> &[u8] {
        &self.pixels[self.luma_len()..self.luma_len() + self.chroma_len()]
    }

    /// The second chroma plane, stride [`Self::chroma_width`].
    pub fn v(&self) -> &[u8] {
        &self.pixels[self.luma_len() + self.chroma_len()..]
    }

    /// Width (and stride) of a chroma plane.
    pub fn chroma_width(&self) -> u32 {
        self.width.div_ceil(2)
    }

    /// Height of a chroma plane.
    pub fn chroma_height(&self) -> u32 {
        self.height.div_ceil(2)
    }

    fn luma_len(&self) -> usize {
        self.width as usize * self.height as usize
    }

    fn chroma_len(&self) -> usize {
        self.chroma_width() as usize * self.chroma_height() as usize
    }

    /// Bytes of a frame of that size.
    pub fn byte_len(width: u32, height: u32) -> usize {
        width as usize * height as usize + 2 * (width.div_ceil(2) as usize * height.div_ceil(2) as usize)
    }
}

impl fmt::Debug for I420Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I420Frame({}×{} at {} µs)", self.width, self.height, self.time.0)
    }
}

/// Recycles frame buffers, so that a running call allocates nothing per frame. Cloning shares the pool.
#[derive(Clone, Default)]
pub struct FramePool(Arc<Mutex<Vec<Vec<u8>>>>);

/// More idle buffers than this are given back to the allocator.
const IDLE_BUFFERS: usize = 8;

impl FramePool {
    /// A pool without buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// A frame of that size, its `(y, u, v)` planes written by `fill`. What `fill` leaves untouched is unspecified
    /// (an earlier picture's bytes or zero).
    pub fn frame(
        &self,
        width: u32,
        height: u32,
        time: MediaTime,
        fill: impl FnOnce(&mut [u8], &mut [u8], &mut [u8]),
    ) -> I420Frame {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        bytes.resize(I420Frame::byte_len(width, height), 0);
        let (y, chroma) = bytes.split_at_mut(width as usize * height as usize);
        let (u, v) = chroma.split_at_mut(width.div_ceil(2) as usize * height.div_ceil(2) as usize);
        fill(y, u, v);
        I420Frame { width, height, time, pixels: Arc::new(PooledBuffer { bytes, pool: self.clone() }) }
    }
}

struct PooledBuffer {
    bytes: Vec<u8>,
    pool: FramePool,
}

impl Deref for PooledBuffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for PooledBuffer {
    fn drop(&mut self) {
        let mut idle = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_BUFFERS {
            idle.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_round_the_chroma_up() {
        let frame = FramePool::new().frame(3, 5, MediaTime(1), |y, u, v| {
            assert_eq!((y.len(), u.len(), v.len()), (15, 6, 6));
            y.fill(1);
            u.fill(2);
            v.fill(3);
        });
        assert_eq!((frame.y(), frame.u(), frame.v()), (&[1; 15][..], &[2; 6][..], &[3; 6][..]));
        assert_eq!((frame.chroma_width(), frame.chroma_height()), (2, 3));
        assert_eq!(frame.bytes().len(), I420Frame::byte_len(3, 5));
    }

    #[test]
    fn a_buffer_goes_back_when_its_last_clone_is_gone() {
        let pool = FramePool::new();
        let frame = pool.frame(64, 36, MediaTime(0), |_, _, _| {});
        let (address, clone) = (frame.bytes().as_ptr(), frame.clone());
        drop(frame);
        assert_ne!(pool.frame(64, 36, MediaTime(0), |_, _, _| {}).bytes().as_ptr(), address);
        drop(clone);
        let again: Vec<I420Frame> = (0..2).map(|_| pool.frame(64, 36, MediaTime(0), |_, _, _| {})).collect();
        assert!(again.iter().any(|frame| frame.bytes().as_ptr() == address));
    }

    #[test]
    fn a_pool_keeps_a_few_buffers_and_no_more() {
        let pool = FramePool::new();
        drop((0..3 * IDLE_BUFFERS).map(|_| pool.frame(8, 8, MediaTime(0), |_, _, _| {})).collect::<Vec<_>>());
        assert_eq!(pool.0.lock().map(|idle| idle.len()).ok(), Some(IDLE_BUFFERS));
    }

    #[test]
    fn time_never_runs_backwards() {
        let earlier = MediaTime::now();
        assert_eq!(MediaTime(5).since(MediaTime(7)), Duration::ZERO);
        assert!(MediaTime::now() >= earlier);
    }
}
