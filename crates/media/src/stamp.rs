//! A frame number and a capture time written into the picture itself, so that a received picture can be told apart
//! and its age measured after coding, loss and scaling-free transport.
//!
//! The stamp is a strip of black and white luma blocks along the upper edge: a fixed pattern of 32 bits, the frame
//! number (32 bits), the capture time in microseconds (64 bits) and a CRC-32 of number and time. A block is as large
//! as a macroblock at 1280 pixels, so a bit survives coarse quantisation; the reader takes the mean of its middle.

use parley_call::MediaTime;

/// Bits of the whole stamp.
const BITS: usize = 160;
/// Blocks side by side; two rows of them hold all bits.
const BLOCKS_PER_ROW: usize = 80;
/// Rows of blocks.
const BLOCK_ROWS: usize = BITS / BLOCKS_PER_ROW;
/// Tells a stamp from picture content that happens to be black and white.
const PATTERN: u32 = 0xA5C3_5A3C;
/// Luma of a zero; inside the video range, so that no conversion clips it.
const BLACK: u8 = 32;
/// Luma of a one.
const WHITE: u8 = 224;
/// Below this width a block would be smaller than 8 pixels, too small to survive coding.
const MIN_WIDTH: u32 = 640;

/// What a stamp says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Counts the pictures of one source.
    pub number: u32,
    /// When the picture was captured, on the sender's clock.
    pub time: MediaTime,
}

/// Height in pixels of the strip in a picture of that width; zero when the picture is too narrow for a stamp.
pub fn strip_height(width: u32) -> u32 {
    block_size(width).map_or(0, |size| (size * BLOCK_ROWS) as u32)
}

/// Writes `stamp` into the planes of an I420 picture of that width (chroma of the strip becomes neutral). Does
/// nothing to a picture that is narrower than 640 pixels or lower than the strip, and returns whether it wrote.
pub fn write(stamp: Stamp, width: u32, y: &mut [u8], u: &mut [u8], v: &mut [u8]) -> bool {
    let Some(size) = block_size(width) else { return false };
    let (width, chroma_width) = (width as usize, width.div_ceil(2) as usize);
    let rows = size * BLOCK_ROWS;
    if y.len() < width * rows || u.len() < chroma_width * rows / 2 || v.len() < chroma_width * rows / 2 {
        return false;
    }
    let bits = encode(stamp);
    y[..width * rows].fill(BLACK);
    for row in 0..BLOCK_ROWS {
        let first = row * size * width;
        for column in 0..BLOCKS_PER_ROW {
            if bit(&bits, row * BLOCKS_PER_ROW + column) {
                y[first + column * size..first + (column + 1) * size].fill(WHITE);
            }
        }
        let (line, rest) = y[first..first + size * width].split_at_mut(width);
        rest.chunks_exact_mut(width).for_each(|copy| copy.copy_from_slice(line));
    }
    u[..chroma_width * rows / 2].fill(128);
    v[..chroma_width * rows / 2].fill(128);
    true
}

/// Reads the stamp of a luma plane of that width (stride = width); `None` when there is none or it is damaged.
pub fn read(width: u32, y: &[u8]) -> Option<Stamp> {
    let size = block_size(width)?;
    let width = width as usize;
    if y.len() < width * size * BLOCK_ROWS {
        return None;
    }
    let mut bits = [0_u8; BITS / 8];
    for (at, byte) in bits.iter_mut().enumerate() {
        for low in 0..8 {
            let index = at * 8 + low;
            let (row, column) = (index / BLOCKS_PER_ROW, index % BLOCKS_PER_ROW);
            *byte = *byte << 1 | u8::from(is_white(y, width, column * size, row * size, size));
        }
    }
    decode(&bits)
}

fn block_size(width: u32) -> Option<usize> {
    (width >= MIN_WIDTH).then_some((width as usize / BLOCKS_PER_ROW) & !1)
}

fn is_white(y: &[u8], width: usize, left: usize, top: usize, size: usize) -> bool {
    let (margin, inner) = (size / 4, size / 2);
    let sum: usize = (top + margin..top + margin + inner)
        .flat_map(|row| &y[row * width + left + margin..row * width + left + margin + inner])
        .map(|&luma| usize::from(luma))
        .sum();
    sum > (usize::from(BLACK) + usize::from(WHITE)) / 2 * inner * inner
}

fn bit(bits: &[u8; BITS / 8], index: usize) -> bool {
    bits[index / 8] & (0x80 >> (index % 8)) != 0
}

fn encode(stamp: Stamp) -> [u8; BITS / 8] {
    let mut bits = [0; BITS / 8];
    bits[..4].copy_from_slice(&PATTERN.to_be_bytes());
    bits[4..8].copy_from_slice(&stamp.number.to_be_bytes());
    bits[8..16].copy_from_slice(&stamp.time.0.to_be_bytes());
    let sum = crc32fast::hash(&bits[4..16]);
    bits[16..].copy_from_slice(&sum.to_be_bytes());
    bits
}

fn decode(bits: &[u8; BITS / 8]) -> Option<Stamp> {
    let word = |at: usize| u32::from_be_bytes([bits[at], bits[at + 1], bits[at + 2], bits[at + 3]]);
    (word(0) == PATTERN && word(16) == crc32fast::hash(&bits[4..16]))
        .then(|| Stamp { number: word(4), time: MediaTime(u64::from(word(8)) << 32 | u64::from(word(12))) })
}

#[cfg(test)]
mod tests {
    use parley_call::{FramePool, I420Frame};
    use proptest::prelude::*;

    use super::*;

    fn stamped(width: u32, height: u32, stamp: Stamp) -> I420Frame {
        FramePool::new().frame(width, height, MediaTime(0), |y, u, v| {
            y.fill(90);
            write(stamp, width, y, u, v);
        })
    }

    #[test]
    fn a_picture_without_a_stamp_is_refused() {
        for luma in [0, 16, 128, 255] {
            assert_eq!(read(1280, &vec![luma; 1280 * 720]), None);
        }
        assert_eq!(read(1280, &[]), None);
        assert_eq!(read(320, &[0; 320 * 180]), None);
    }

    #[test]
    fn a_damaged_stamp_is_refused() {
        let frame = stamped(1280, 720, Stamp { number: 7, time: MediaTime(12_345_678) });
        for block in 0..80 {
            let mut y = frame.y().to_vec();
            for row in 0..16 {
                for luma in &mut y[row * 1280 + block * 16..row * 1280 + block * 16 + 16] {
                    *luma = 255 - *luma;
                }
            }
            assert_eq!(read(1280, &y), None, "block {block}");
        }
    }

    #[test]
    fn a_picture_too_small_is_left_alone() {
        let mut y = [7; 320 * 180];
        assert!(!write(Stamp { number: 1, time: MediaTime(1) }, 320, &mut y, &mut [0; 160 * 90], &mut [0; 160 * 90]));
        assert!(y.iter().all(|&luma| luma == 7));
        assert!(!write(Stamp { number: 1, time: MediaTime(1) }, 1280, &mut y, &mut [], &mut []));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(number: u32, time: u64, width in 320_u32..960) {
            let (width, stamp) = (width * 2, Stamp { number, time: MediaTime(time) });
            prop_assert_eq!(read(width, stamped(width, 90, stamp).y()), Some(stamp));
        }

        #[test]
        fn noise_and_blur_of_coding_do_not_matter(number: u32, time: u64, seed: u64) {
            let stamp = Stamp { number, time: MediaTime(time) };
            let mut state = seed | 1;
            let y: Vec<u8> = stamped(1280, 720, stamp).y().iter().map(|&luma| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                luma.saturating_add_signed((state >> 58) as i8 - 32)
            }).collect();
            prop_assert_eq!(read(1280, &y), Some(stamp));
        }
    }
}
