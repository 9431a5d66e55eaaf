//! Packed pictures of cameras as I420 planes. Plain loops: a camera's 28 million pixels a second are nothing, and the one
//! crate that does it faster takes longer to compile than the rest of this one.

/// The planes of a picture of even width and height, without gaps between lines.
pub(super) struct Planes<'a> {
    pub(super) y: &'a mut [u8],
    pub(super) u: &'a mut [u8],
    pub(super) v: &'a mut [u8],
    /// In pixels; the chroma planes have half of it.
    pub(super) width: usize,
}

/// From `Y U Y V`: the luma as it is, the chroma of two lines averaged. `stride` is the bytes of a line.
pub(super) fn from_yuyv(packed: &[u8], stride: usize, to: &mut Planes<'_>) {
    let width = to.width;
    for (to, from) in to.y.chunks_exact_mut(width).zip(packed.chunks_exact(stride)) {
        for (to, from) in to.iter_mut().zip(from.iter().step_by(2)) {
            *to = *from;
        }
    }
    let chroma = to.u.chunks_exact_mut(width / 2).zip(to.v.chunks_exact_mut(width / 2));
    for ((u, v), lines) in chroma.zip(packed.chunks_exact(2 * stride)) {
        let (upper, lower) = lines.split_at(stride);
        let pairs = upper.chunks_exact(4).zip(lower.chunks_exact(4));
        for ((u, v), (upper, lower)) in u.iter_mut().zip(v).zip(pairs) {
            *u = mean(upper[1], lower[1]);
            *v = mean(upper[3], lower[3]);
        }
    }
}

/// From `R G B`, by BT.601 in limited range. `stride` is the bytes of a line.
pub(super) fn from_rgb(packed: &[u8], stride: usize, to: &mut Planes<'_>) {
    let width = to.width;
    for (to, from) in to.y.chunks_exact_mut(width).zip(packed.chunks_exact(stride)) {
        for (to, rgb) in to.iter_mut().zip(from.chunks_exact(3)) {
            let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(i32::from);
            *to = fixed_point(66 * r + 129 * g + 25 * b, 16);
        }
    }
    let chroma = to.u.chunks_exact_mut(width / 2).zip(to.v.chunks_exact_mut(width / 2));
    for ((u, v), lines) in chroma.zip(packed.chunks_exact(2 * stride)) {
        let (upper, lower) = lines.split_at(stride);
        let squares = upper.chunks_exact(6).zip(lower.chunks_exact(6));
        for ((u, v), (upper, lower)) in u.iter_mut().zip(v).zip(squares) {
            let sum =
                |at: usize| [upper[at], upper[at + 3], lower[at], lower[at + 3]].map(i32::from).iter().sum::<i32>();
            let [r, g, b] = [sum(0), sum(1), sum(2)].map(|four| (four + 2) / 4);
            *u = fixed_point(-38 * r - 74 * g + 112 * b, 128);
            *v = fixed_point(112 * r - 94 * g - 18 * b, 128);
        }
    }
}

fn mean(one: u8, other: u8) -> u8 {
    // A mean of two bytes is one.
    (u16::from(one) + u16::from(other)).div_ceil(2) as u8
}

/// 256ths, rounded, above an offset.
fn fixed_point(value: i32, offset: i32) -> u8 {
    (((value + 128) >> 8) + offset).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(convert: fn(&[u8], usize, &mut Planes<'_>), packed: &[u8], stride: usize) -> [Vec<u8>; 3] {
        let (mut y, mut u, mut v) = (vec![0; 8], vec![0; 2], vec![0; 2]);
        convert(packed, stride, &mut Planes { y: &mut y, u: &mut u, v: &mut v, width: 4 });
        [y, u, v]
    }

    /// Four pixels of one colour wide, two lines high.
    fn plain(rgb: [u8; 3]) -> [Vec<u8>; 3] {
        converted(from_rgb, &rgb.repeat(8), 12)
    }

    #[test]
    fn the_colours_of_the_television_test_card_have_their_published_values() {
        for (rgb, [y, u, v]) in [
            ([0, 0, 0], [16, 128, 128]),
            ([255, 255, 255], [235, 128, 128]),
            ([255, 0, 0], [82, 90, 240]),
            ([0, 255, 0], [145, 54, 34]),
            ([0, 0, 255], [41, 240, 110]),
            ([128, 128, 128], [126, 128, 128]),
        ] {
            let [luma, blue, red] = plain(rgb);
            let near = |found: &[u8], wanted: u8| found.iter().all(|found| found.abs_diff(wanted) <= 1);
            assert!(near(&luma, y) && near(&blue, u) && near(&red, v), "{rgb:?}: {luma:?} {blue:?} {red:?}");
        }
    }

    #[test]
    fn chroma_is_the_mean_of_its_square_and_luma_stays_where_it_is() {
        let line = |y: u8, u: u8, v: u8| [y, u, y + 1, v, y + 2, u, y + 3, v];
        let packed = [line(10, 100, 200), line(50, 103, 210)].concat();
        let [y, u, v] = converted(from_yuyv, &packed, 8);
        assert_eq!(y, [10, 11, 12, 13, 50, 51, 52, 53]);
        assert_eq!((u, v), (vec![102, 102], vec![205, 205]));
        let halves = [[255, 255, 255].repeat(2), [0, 0, 0].repeat(2)].concat().repeat(2);
        let [y, u, _] = converted(from_rgb, &halves, 12);
        assert_eq!((y, u), (vec![235, 235, 16, 16, 235, 235, 16, 16], vec![128, 128]));
    }

    #[test]
    fn bytes_beyond_a_line_are_no_picture() {
        let line = |y: u8| [y, 90, y, 200, y, 90, y, 200, 255, 255];
        let [y, u, v] = converted(from_yuyv, &[line(1), line(2)].concat(), 10);
        assert_eq!((y, u, v), (vec![1, 1, 1, 1, 2, 2, 2, 2], vec![90, 90], vec![200, 200]));
    }
}
