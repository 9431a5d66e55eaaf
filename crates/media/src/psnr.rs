//! How much a received picture differs from the one that was sent.

use parley_call::I420Frame;

use crate::stamp;

/// What two identical pictures are given instead of infinity.
pub const IDENTICAL_DB: f64 = 100.0;

/// Peak signal to noise ratio of the luma planes in dB, the stamp's strip left out. Identical pictures give
/// [`IDENTICAL_DB`]; pictures of different size can't be compared and give `None`.
pub fn luma_psnr(sent: &I420Frame, received: &I420Frame) -> Option<f64> {
    if (sent.width(), sent.height()) != (received.width(), received.height()) {
        return None;
    }
    let first = (stamp::strip_height(sent.width()).min(sent.height()) * sent.width()) as usize;
    let (sent, received) = (&sent.y()[first..], &received.y()[first..]);
    if sent.is_empty() {
        return None;
    }
    let squares: u64 = sent.iter().zip(received).map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum();
    if squares == 0 {
        return Some(IDENTICAL_DB);
    }
    let mean = squares as f64 / sent.len() as f64;
    Some((10.0 * (255.0 * 255.0 / mean).log10()).min(IDENTICAL_DB))
}

#[cfg(test)]
mod tests {
    use parley_call::{FramePool, MediaTime};

    use super::*;

    fn grey(width: u32, height: u32, luma: u8) -> I420Frame {
        FramePool::new().frame(width, height, MediaTime(0), |y, u, v| {
            y.fill(luma);
            u.fill(128);
            v.fill(128);
        })
    }

    #[test]
    fn pictures_of_different_size_are_not_compared() {
        assert_eq!(luma_psnr(&grey(1280, 720, 0), &grey(640, 360, 0)), None);
    }

    #[test]
    fn identical_pictures_have_the_highest_value() {
        assert_eq!(luma_psnr(&grey(1280, 720, 9), &grey(1280, 720, 9)), Some(IDENTICAL_DB));
    }

    #[test]
    fn a_uniform_difference_gives_the_textbook_value() {
        // 20·log10(255 / 5) = 34.15 dB.
        let value = luma_psnr(&grey(1280, 720, 100), &grey(1280, 720, 105)).unwrap();
        assert!((value - 34.151).abs() < 0.01, "{value}");
    }

    #[test]
    fn the_strip_of_the_stamp_does_not_count() {
        let pool = FramePool::new();
        let draw = |strip: u8| {
            pool.frame(1280, 720, MediaTime(0), |y, _, _| {
                y.fill(50);
                y[..1280 * 32].fill(strip);
            })
        };
        assert_eq!(luma_psnr(&draw(0), &draw(255)), Some(IDENTICAL_DB));
    }
}
