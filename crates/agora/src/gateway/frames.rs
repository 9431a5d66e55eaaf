//! Pictures across the border: ours to the library without a copy, the library's to us with one.
//!
//! Public only so that a benchmark can time exactly what runs in a call.

use std::{ffi::c_void, slice};

use agora_sys::gateway::{agora_external_video_frame, agora_video_frame};
use parley_call::{FramePool, I420Frame, MediaTime};

use crate::codes::PixelFormat;

/// The longest side of a picture that is taken in.
pub const LONGEST_SIDE: i32 = 8_192;
/// The most pixels: a little more than 7680×4320.
pub const MOST_PIXELS: i32 = LONGEST_SIDE * 4_320;
/// The widest row. Libraries pad rows by tens or hundreds of bytes, never by more than a picture's width.
pub const LONGEST_ROW: i32 = 2 * LONGEST_SIDE;
/// Raw bytes in one buffer (FACTS A7, video buffer type).
const RAW_BYTES: i32 = 1;

/// Why a picture of the library's was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Not I420.
    #[error("a picture in {0}")]
    Format(PixelFormat),
    /// No size, or one beyond all reason.
    #[error("a picture of {0}×{1}")]
    Size(i32, i32),
    /// A plane is missing.
    #[error("a picture without pixels")]
    NoPixels,
    /// Rows shorter than the picture is wide, or far longer.
    #[error("a picture with rows of {0} bytes")]
    Stride(i32),
    /// Turned by no quarter.
    #[error("a picture turned by {0}°")]
    Rotation(i32),
}

/// A plane of a picture that the library lends us.
struct Plane<'a> {
    bytes: &'a [u8],
    stride: usize,
    width: usize,
    height: usize,
}

/// Copies a picture of the library's, upright, into a frame of ours. One pass over the pixels.
///
/// # Errors
/// When what `raw` says can't be true. Nothing is read then.
///
/// # Safety
/// Each plane that is not null holds as many rows as `raw` says, and stays while this runs.
pub unsafe fn receive(raw: &agora_video_frame, pool: &FramePool) -> Result<I420Frame, Damage> {
    let format = PixelFormat::from(raw.type_);
    if !matches!(format, PixelFormat::Default | PixelFormat::I420) {
        return Err(Damage::Format(format));
    }
    let (width, height) = (raw.width, raw.height);
    let sides = 1..=LONGEST_SIDE;
    if !sides.contains(&width) || !sides.contains(&height) || width * height > MOST_PIXELS {
        return Err(Damage::Size(width, height));
    }
    if !matches!(raw.rotation, 0 | 90 | 180 | 270) {
        return Err(Damage::Rotation(raw.rotation));
    }
    let (chroma_width, chroma_height) = ((width + 1) / 2, (height + 1) / 2);
    // SAFETY: the caller's promise; size and stride are checked in there.
    let y = unsafe { plane(raw.y_buffer, raw.y_stride, width, height) }?;
    // SAFETY: as above.
    let u = unsafe { plane(raw.u_buffer, raw.u_stride, chroma_width, chroma_height) }?;
    // SAFETY: as above.
    let v = unsafe { plane(raw.v_buffer, raw.v_stride, chroma_width, chroma_height) }?;
    let copy: fn(&Plane<'_>, &mut [u8]) = match raw.rotation {
        90 => turn_right,
        180 => turn_over,
        270 => turn_left,
        _ => copy_rows,
    };
    let (width, height) = (width.unsigned_abs(), height.unsigned_abs());
    let lies = matches!(raw.rotation, 90 | 270);
    let (width, height) = if lies { (height, width) } else { (width, height) };
    Ok(pool.frame(width, height, MediaTime::now(), |to_y, to_u, to_v| {
        copy(&y, to_y);
        copy(&u, to_u);
        copy(&v, to_v);
    }))
}

/// # Safety
/// `bytes` is null, or holds `height` rows of `stride` bytes (the last one at least `width`) for `'a`.
unsafe fn plane<'a>(bytes: *const u8, stride: i32, width: i32, height: i32) -> Result<Plane<'a>, Damage> {
    if !(width..=LONGEST_ROW).contains(&stride) {
        return Err(Damage::Stride(stride));
    }
    if bytes.is_null() {
        return Err(Damage::NoPixels);
    }
    let [stride, width, height] = [stride, width, height].map(|number| number.unsigned_abs() as usize);
    // SAFETY: not null, and the caller's promise; the product of two checked numbers is far below the limit of a slice.
    let bytes = unsafe { slice::from_raw_parts(bytes, stride * (height - 1) + width) };
    Ok(Plane { bytes, stride, width, height })
}

fn copy_rows(from: &Plane<'_>, to: &mut [u8]) {
    if from.stride == from.width {
        return to.copy_from_slice(from.bytes);
    }
    for (row, to) in from.bytes.chunks(from.stride).zip(to.chunks_exact_mut(from.width)) {
        to.copy_from_slice(&row[..from.width]);
    }
}

/// By 90° clockwise: the first row becomes the last column.
fn turn_right(from: &Plane<'_>, to: &mut [u8]) {
    for (number, row) in from.bytes.chunks(from.stride).enumerate() {
        let column = from.height - 1 - number;
        for (at, &pixel) in row[..from.width].iter().enumerate() {
            to[at * from.height + column] = pixel;
        }
    }
}

fn turn_over(from: &Plane<'_>, to: &mut [u8]) {
    for (row, to) in from.bytes.chunks(from.stride).zip(to.chunks_exact_mut(from.width).rev()) {
        to.copy_from_slice(&row[..from.width]);
        to.reverse();
    }
}

/// By 270° clockwise: the first row becomes the first column, from below.
fn turn_left(from: &Plane<'_>, to: &mut [u8]) {
    for (number, row) in from.bytes.chunks(from.stride).enumerate() {
        for (at, &pixel) in row[..from.width].iter().enumerate() {
            to[(from.width - 1 - at) * from.height + number] = pixel;
        }
    }
}

/// Lends a picture of ours to the library for the time of `give`, without copying it. The library reads it before
/// `give` returns (FACTS A8).
///
/// A picture with an odd side is copied once without its last column or row: the library knows no half chroma pixel.
/// `None` when nothing is left of it.
pub fn lend<R>(frame: &I420Frame, pool: &FramePool, give: impl FnOnce(&agora_external_video_frame) -> R) -> Option<R> {
    lend_even(&even(frame, pool)?, give)
}

/// The picture with even sides: itself, or a copy without its last column or row. `None` when nothing is left of it.
pub(crate) fn even(frame: &I420Frame, pool: &FramePool) -> Option<I420Frame> {
    if frame.width().is_multiple_of(2) && frame.height().is_multiple_of(2) {
        return Some(frame.clone());
    }
    evened(frame, pool)
}

fn lend_even<R>(frame: &I420Frame, give: impl FnOnce(&agora_external_video_frame) -> R) -> Option<R> {
    let lent = agora_external_video_frame {
        type_: RAW_BYTES,
        format: PixelFormat::I420.into(),
        // Only read: the type is the header's (FACTS A6).
        buffer: frame.bytes().as_ptr().cast_mut().cast::<c_void>(),
        stride: i32::try_from(frame.width()).ok()?,
        height: i32::try_from(frame.height()).ok()?,
        // The library stamps it on arrival, as it does with sound: both of Agora's own wrappers give 0.
        timestamp: 0,
        ..agora_external_video_frame::default()
    };
    Some(give(&lent))
}

fn evened(frame: &I420Frame, pool: &FramePool) -> Option<I420Frame> {
    let (width, height) = (frame.width() & !1, frame.height() & !1);
    if width == 0 || height == 0 {
        return None;
    }
    Some(pool.frame(width, height, frame.time, |y, u, v| {
        crop(frame.y(), frame.width(), y, width);
        crop(frame.u(), frame.chroma_width(), u, width / 2);
        crop(frame.v(), frame.chroma_width(), v, width / 2);
    }))
}

fn crop(from: &[u8], stride: u32, to: &mut [u8], width: u32) {
    for (row, to) in from.chunks_exact(stride as usize).zip(to.chunks_exact_mut(width as usize)) {
        to.copy_from_slice(&row[..width as usize]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Planes as the library would lend them.
    struct Lent {
        y: Vec<u8>,
        u: Vec<u8>,
        v: Vec<u8>,
        raw: agora_video_frame,
    }

    fn lent(width: i32, height: i32, padding: i32) -> Lent {
        let (chroma_width, chroma_height) = ((width + 1) / 2, (height + 1) / 2);
        let plane = |width: i32, height: i32, seed: u8| -> Vec<u8> {
            let len = ((width + padding) * height) as usize;
            (0..len).map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed)).collect()
        };
        let mut lent = Lent {
            y: plane(width, height, 1),
            u: plane(chroma_width, chroma_height, 2),
            v: plane(chroma_width, chroma_height, 3),
            raw: agora_video_frame {
                type_: 1,
                width,
                height,
                y_stride: width + padding,
                u_stride: chroma_width + padding,
                v_stride: chroma_width + padding,
                ..agora_video_frame::default()
            },
        };
        lent.raw.y_buffer = lent.y.as_mut_ptr();
        lent.raw.u_buffer = lent.u.as_mut_ptr();
        lent.raw.v_buffer = lent.v.as_mut_ptr();
        lent
    }

    fn receive_one(lent: &Lent) -> Result<I420Frame, Damage> {
        // SAFETY: the planes are as long as they say.
        unsafe { receive(&lent.raw, &FramePool::new()) }
    }

    fn at(plane: &[u8], stride: i32, x: u32, y: u32) -> u8 {
        plane[y as usize * stride as usize + x as usize]
    }

    proptest! {
        #[test]
        fn every_pixel_lands_where_it_belongs(
            width in 1..40_i32, height in 1..40_i32, padding in 0..20_i32, quarters in 0..4_i32,
        ) {
            let mut lent = lent(width, height, padding);
            lent.raw.rotation = quarters * 90;
            let frame = receive_one(&lent).expect("a good picture");
            let (width, height) = (width as u32, height as u32);
            let turned = if quarters % 2 == 1 { (height, width) } else { (width, height) };
            prop_assert_eq!((frame.width(), frame.height()), turned);
            let from = |x: u32, y: u32, width: u32, height: u32| match quarters {
                1 => (y, height - 1 - x),
                2 => (width - 1 - x, height - 1 - y),
                3 => (width - 1 - y, x),
                _ => (x, y),
            };
            for y in 0..frame.height() {
                for x in 0..frame.width() {
                    let (fx, fy) = from(x, y, width, height);
                    prop_assert_eq!(at(frame.y(), frame.width() as i32, x, y), at(&lent.y, lent.raw.y_stride, fx, fy));
                }
            }
            for y in 0..frame.chroma_height() {
                for x in 0..frame.chroma_width() {
                    let (fx, fy) = from(x, y, width.div_ceil(2), height.div_ceil(2));
                    let stride = frame.chroma_width() as i32;
                    prop_assert_eq!(at(frame.u(), stride, x, y), at(&lent.u, lent.raw.u_stride, fx, fy));
                    prop_assert_eq!(at(frame.v(), stride, x, y), at(&lent.v, lent.raw.v_stride, fx, fy));
                }
            }
        }

        #[test]
        fn whatever_the_numbers_say_nothing_beyond_the_planes_is_read(
            kind in any::<i32>(), width in any::<i32>(), height in any::<i32>(), strides in any::<[i32; 3]>(),
            rotation in any::<i32>(),
        ) {
            // Planes are null: reading one would end the process.
            let raw = agora_video_frame {
                type_: kind, width, height, y_stride: strides[0], u_stride: strides[1], v_stride: strides[2], rotation,
                ..agora_video_frame::default()
            };
            // SAFETY: there are no planes.
            let received = unsafe { receive(&raw, &FramePool::new()) };
            prop_assert!(received.is_err());
        }
    }

    #[test]
    fn what_can_not_be_true_is_refused() {
        let refused = |change: fn(&mut agora_video_frame)| {
            let mut lent = lent(16, 8, 0);
            change(&mut lent.raw);
            receive_one(&lent).expect_err("refused")
        };
        assert_eq!(refused(|raw| raw.type_ = 3), Damage::Format(PixelFormat::Nv21));
        assert_eq!(refused(|raw| raw.width = 0), Damage::Size(0, 8));
        assert_eq!(refused(|raw| raw.height = -8), Damage::Size(16, -8));
        assert_eq!(refused(|raw| raw.width = i32::MAX), Damage::Size(i32::MAX, 8));
        assert_eq!(refused(|raw| (raw.width, raw.height) = (8_192, 8_192)), Damage::Size(8_192, 8_192));
        assert_eq!(refused(|raw| raw.y_stride = 15), Damage::Stride(15));
        assert_eq!(refused(|raw| raw.y_stride = -16), Damage::Stride(-16));
        assert_eq!(refused(|raw| raw.u_stride = i32::MAX), Damage::Stride(i32::MAX));
        assert_eq!(refused(|raw| raw.v_stride = 0), Damage::Stride(0));
        assert_eq!(refused(|raw| raw.v_buffer = std::ptr::null_mut()), Damage::NoPixels);
        assert_eq!(refused(|raw| raw.rotation = 45), Damage::Rotation(45));
    }

    #[test]
    fn an_even_picture_is_lent_without_a_copy() {
        let pool = FramePool::new();
        let frame = pool.frame(64, 36, MediaTime(5), |y, _, _| y.fill(9));
        let lent = lend(&frame, &pool, |lent| *lent).expect("lent");
        assert_eq!(lent.buffer.cast_const().cast::<u8>(), frame.bytes().as_ptr());
        assert_eq!((lent.type_, lent.format, lent.stride, lent.height), (1, 1, 64, 36));
    }

    #[test]
    fn an_odd_picture_loses_its_last_column_and_row() {
        let pool = FramePool::new();
        let frame = pool.frame(5, 3, MediaTime(5), |y, u, v| {
            y.copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
            u.copy_from_slice(&[1, 2, 3, 4, 5, 6]);
            v.copy_from_slice(&[7, 8, 9, 10, 11, 12]);
        });
        let even = evened(&frame, &pool).expect("something is left");
        assert_eq!((even.width(), even.height()), (4, 2));
        assert_eq!(even.y(), [1, 2, 3, 4, 6, 7, 8, 9]);
        assert_eq!((even.u(), even.v()), (&[1, 2][..], &[7, 8][..]));
        let line = pool.frame(1, 9, MediaTime(5), |_, _, _| {});
        assert!(lend(&line, &pool, |_| ()).is_none());
    }
}
