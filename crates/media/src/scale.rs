//! Changing the size of I420 pictures: fitted into a frame with black bars, or small for a preview.

use parley_call::{FramePool, I420Frame};

/// Luma of black in video range.
const BLACK_LUMA: u8 = 16;
/// Chroma of every grey.
const NEUTRAL: u8 = 128;

/// The picture as it is when it has that size already, else scaled to fit with its shape kept and black bars around.
/// Width and height must be even.
pub fn fit(pool: &FramePool, frame: &I420Frame, width: u32, height: u32) -> I420Frame {
    if (frame.width(), frame.height()) == (width, height) || frame.width() == 0 || frame.height() == 0 {
        return frame.clone();
    }
    let (inner_width, inner_height) = inner_size(frame.width(), frame.height(), width, height);
    let (left, top) = ((width - inner_width) / 4 * 2, (height - inner_height) / 4 * 2);
    pool.frame(width, height, frame.time, |y, u, v| {
        if (inner_width, inner_height) != (width, height) {
            y.fill(BLACK_LUMA);
            u.fill(NEUTRAL);
            v.fill(NEUTRAL);
        }
        let luma = Target { stride: width, left, top, width: inner_width, height: inner_height };
        let chroma = Target {
            stride: width / 2,
            left: left / 2,
            top: top / 2,
            width: inner_width / 2,
            height: inner_height / 2,
        };
        resize(Plane { pixels: frame.y(), width: frame.width(), height: frame.height() }, y, luma);
        for (from, to) in [(frame.u(), u), (frame.v(), v)] {
            resize(Plane { pixels: from, width: frame.chroma_width(), height: frame.chroma_height() }, to, chroma);
        }
    })
}

/// The picture made small enough for a preview (at most 640×360), its shape kept; as it is when it is small already.
pub fn preview(pool: &FramePool, frame: &I420Frame) -> I420Frame {
    shrink(pool, frame, 640, 360)
}

/// The picture scaled down to at most that size, its shape kept and without bars; as it is when it fits already.
pub fn shrink(pool: &FramePool, frame: &I420Frame, max_width: u32, max_height: u32) -> I420Frame {
    if frame.width() <= max_width && frame.height() <= max_height {
        return frame.clone();
    }
    let (width, height) = inner_size(frame.width(), frame.height(), max_width & !1, max_height & !1);
    fit(pool, frame, width, height)
}

/// The largest even size of the shape `width:height` inside the frame.
fn inner_size(width: u32, height: u32, frame_width: u32, frame_height: u32) -> (u32, u32) {
    let (w, h) = (u64::from(width), u64::from(height));
    let (fw, fh) = (u64::from(frame_width), u64::from(frame_height));
    let (iw, ih) = if w * fh > h * fw { (fw, (h * fw + w / 2) / w) } else { ((w * fh + h / 2) / h, fh) };
    let even = |side: u64, limit: u64| u32::try_from((side.min(limit) & !1).max(2)).unwrap_or(2);
    (even(iw, fw), even(ih, fh))
}

struct Plane<'a> {
    pixels: &'a [u8],
    width: u32,
    height: u32,
}

#[derive(Clone, Copy)]
struct Target {
    stride: u32,
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

/// Halves a plane by 2×2 means while it is at least twice as large as wanted, so that the bilinear step that follows
/// sees every pixel, then resamples it.
fn resize(plane: Plane<'_>, to: &mut [u8], target: Target) {
    if plane.width >= target.width * 2 && plane.height >= target.height * 2 {
        let (width, height) = (plane.width / 2, plane.height / 2);
        if (width, height) == (target.width, target.height) {
            return halve_into(&plane, to, target);
        }
        let mut half = vec![0; (width * height) as usize];
        halve_into(&plane, &mut half, Target { stride: width, left: 0, top: 0, width, height });
        return resize(Plane { pixels: &half, width, height }, to, target);
    }
    bilinear(&plane, to, target);
}

fn halve_into(plane: &Plane<'_>, to: &mut [u8], target: Target) {
    let stride = plane.width as usize;
    for row in 0..target.height as usize {
        let upper = &plane.pixels[row * 2 * stride..][..target.width as usize * 2];
        let lower = &plane.pixels[(row * 2 + 1) * stride..][..target.width as usize * 2];
        let first = (target.top as usize + row) * target.stride as usize + target.left as usize;
        let line = &mut to[first..first + target.width as usize];
        for ((pixel, up), low) in line.iter_mut().zip(upper.chunks_exact(2)).zip(lower.chunks_exact(2)) {
            let sum = u16::from(up[0]) + u16::from(up[1]) + u16::from(low[0]) + u16::from(low[1]);
            *pixel = ((sum + 2) / 4) as u8;
        }
    }
}

/// Sample positions are pixel centres; weights have 8 fractional bits.
fn bilinear(plane: &Plane<'_>, to: &mut [u8], target: Target) {
    let columns: Vec<(usize, usize, u32)> =
        (0..target.width).map(|column| source(column, target.width, plane.width)).collect();
    for row in 0..target.height {
        let (upper, lower, down) = source(row, target.height, plane.height);
        let line = |at: usize| &plane.pixels[at * plane.width as usize..(at + 1) * plane.width as usize];
        let (upper, lower) = (line(upper), line(lower));
        let first = ((target.top + row) * target.stride + target.left) as usize;
        for (pixel, &(left, right, across)) in to[first..first + target.width as usize].iter_mut().zip(&columns) {
            let mix = |line: &[u8]| u32::from(line[left]) * (256 - across) + u32::from(line[right]) * across;
            *pixel = ((mix(upper) * (256 - down) + mix(lower) * down + (1 << 15)) >> 16) as u8;
        }
    }
}

/// The two source positions between which position `at` of `wanted` lies, and the weight of the second (of 256).
fn source(at: u32, wanted: u32, available: u32) -> (usize, usize, u32) {
    let position = (u64::from(at) * 2 + 1) * u64::from(available) * 256 / (u64::from(wanted) * 2);
    let position = position.saturating_sub(128);
    let last = available as usize - 1;
    let first = ((position / 256) as usize).min(last);
    (first, (first + 1).min(last), (position % 256) as u32)
}

#[cfg(test)]
mod tests {
    use parley_call::MediaTime;

    use super::*;

    fn ramp(width: u32, height: u32) -> I420Frame {
        FramePool::new().frame(width, height, MediaTime(5), |y, u, v| {
            for (at, luma) in y.iter_mut().enumerate() {
                *luma = (at as u32 % width * 255 / (width - 1)) as u8;
            }
            u.fill(70);
            v.fill(190);
        })
    }

    #[test]
    fn a_picture_of_the_right_size_is_shared_not_copied() {
        let frame = ramp(1280, 720);
        assert_eq!(fit(&FramePool::new(), &frame, 1280, 720).bytes().as_ptr(), frame.bytes().as_ptr());
    }

    #[test]
    fn a_narrow_picture_gets_bars_at_its_sides() {
        let frame = fit(&FramePool::new(), &ramp(640, 480), 1280, 720);
        assert_eq!((frame.width(), frame.height(), frame.time), (1280, 720, MediaTime(5)));
        let row = &frame.y()[360 * 1280..361 * 1280];
        assert_eq!((row[0], row[158], row[1279]), (16, 16, 16));
        assert!(row[170] < 12 && row[1110] > 243 && (120..136).contains(&row[640]));
        let chroma = &frame.u()[180 * 640..181 * 640];
        assert_eq!((chroma[0], chroma[320], chroma[639]), (128, 70, 128));
    }

    #[test]
    fn a_wide_picture_gets_bars_above_and_below() {
        let frame = fit(&FramePool::new(), &ramp(1000, 250), 1280, 720);
        assert_eq!((frame.y()[640], frame.y()[719 * 1280 + 640]), (16, 16));
        assert!((110..146).contains(&frame.y()[360 * 1280 + 640]));
    }

    #[test]
    fn a_preview_is_a_quarter_and_keeps_its_content() {
        let small = preview(&FramePool::new(), &ramp(1280, 720));
        assert_eq!((small.width(), small.height()), (640, 360));
        let row = &small.y()[100 * 640..101 * 640];
        assert!(row[0] < 3 && row[639] > 252 && (125..131).contains(&row[320]));
        assert_eq!((small.u()[0], small.v()[0]), (70, 190));
        assert_eq!(preview(&FramePool::new(), &small).bytes().as_ptr(), small.bytes().as_ptr());
    }

    #[test]
    fn odd_and_tiny_pictures_do_not_panic() {
        for (width, height) in [(2, 2), (3, 5), (641, 361), (7, 4000), (4000, 7)] {
            for frame in [
                fit(&FramePool::new(), &ramp(width, height), 1280, 720),
                preview(&FramePool::new(), &ramp(width, height)),
            ] {
                assert!(frame.width() <= 1280 && frame.height() <= 720);
            }
        }
    }
}
