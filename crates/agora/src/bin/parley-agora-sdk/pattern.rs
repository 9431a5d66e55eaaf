//! What the two ends of a trial show and play, so that each knows the other's from anything else.

use std::f32::consts::TAU;

use parley_call::{
    AudioBlock, FramePool, I420Frame, MediaTime,
    audio::{BLOCK_SAMPLES, SAMPLE_RATE},
};

const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;
/// The lower bits of the end's number, as bright and dark stripes over the upper half of the picture.
const STRIPES: u32 = 16;
const DARK: u8 = 40;
const BRIGHT: u8 = 210;
const GREY: u8 = 128;
/// Of 16-bit sound: a quarter of what can be said.
const LOUDNESS: f32 = 8_000.0;
/// A block whose samples are below this on average is silent.
const QUIET: f32 = 200.0;
/// So much of a block's power has to lie in the tone; what a codec adds is far less.
const SHARE: f32 = 0.5;

/// The picture of an end: who it is above, a bar that moves on with `number` below.
pub(crate) fn picture(pool: &FramePool, uid: u32, number: u32) -> I420Frame {
    pool.frame(WIDTH, HEIGHT, MediaTime::now(), |y, u, v| {
        let bar = number.wrapping_mul(8) % WIDTH;
        for (row, luma) in y.chunks_exact_mut(WIDTH as usize).enumerate() {
            let is_above = row < HEIGHT as usize / 2;
            for (column, luma) in (0..WIDTH).zip(luma) {
                let is_bright =
                    if is_above { uid >> (column * STRIPES / WIDTH) & 1 == 1 } else { column.abs_diff(bar) < STRIPES };
                *luma = if is_bright { BRIGHT } else { DARK };
            }
        }
        u.fill(GREY);
        v.fill(GREY);
    })
}

/// Whether it is the picture of that end. The size may be another one: Agora's encoder makes it smaller on a poor path.
pub(crate) fn shows(frame: &I420Frame, uid: u32) -> bool {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let stripe = width / STRIPES as usize;
    if stripe < 4 || height < 8 {
        return false;
    }
    // The middle of each stripe, far from its neighbours.
    let (rows, inner) = (height / 8..height * 3 / 8, stripe / 4..stripe * 3 / 4);
    (0..STRIPES as usize).all(|number| {
        let begin = number * width / STRIPES as usize;
        let luma = rows.clone().flat_map(|row| &frame.y()[row * width + begin..][inner.clone()]);
        let (sum, count) = luma.fold((0_u64, 0_u64), |(sum, count), luma| (sum + u64::from(*luma), count + 1));
        (sum > u64::from(GREY) * count) == (uid >> number & 1 == 1)
    })
}

/// The tone of an end, 10 ms of it. Whole waves fit into a block, so blocks follow each other smoothly.
pub(crate) fn block(uid: u32) -> AudioBlock {
    let step = step_of(uid);
    let sample = |number: usize| ((number as f32 * step).sin() * LOUDNESS) as i16;
    AudioBlock { samples: std::array::from_fn(sample), time: MediaTime::now() }
}

/// Whether that end's tone is what is heard.
pub(crate) fn sounds_like(block: &AudioBlock, uid: u32) -> bool {
    let step = step_of(uid);
    let [mut cosine, mut sine, mut power] = [0.0_f32; 3];
    for (number, sample) in block.samples.iter().enumerate() {
        let (sample, angle) = (f32::from(*sample), number as f32 * step);
        cosine += sample * angle.cos();
        sine += sample * angle.sin();
        power += sample * sample;
    }
    let count = BLOCK_SAMPLES as f32;
    power / count > QUIET * QUIET && 2.0 * (cosine * cosine + sine * sine) > SHARE * count * power
}

/// Radians from one sample to the next: 500 Hz for odd numbers, 800 Hz for even ones.
fn step_of(uid: u32) -> f32 {
    let hertz = if uid & 1 == 1 { 500.0 } else { 800.0 };
    hertz * TAU / SAMPLE_RATE as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: u32 = 0x1_a5c3;
    const OTHER: u32 = ONE ^ 0xffff;

    /// Every second pixel of every second row.
    fn halved(frame: &I420Frame) -> I420Frame {
        let (width, half) = (frame.width() as usize, frame.width() as usize / 2);
        FramePool::new().frame(frame.width() / 2, frame.height() / 2, frame.time, |y, _, _| {
            for (row, luma) in y.chunks_exact_mut(half).enumerate() {
                luma.iter_mut().enumerate().for_each(|(at, luma)| *luma = frame.y()[2 * row * width + 2 * at]);
            }
        })
    }

    #[test]
    fn each_end_knows_the_others_picture_in_any_size() {
        let pool = FramePool::new();
        for number in [0, 1, 17, u32::MAX] {
            let frame = picture(&pool, ONE, number);
            assert!(shows(&frame, ONE) && !shows(&frame, OTHER));
            let smaller = halved(&frame);
            assert!(shows(&smaller, ONE) && !shows(&smaller, OTHER));
        }
        assert_ne!(picture(&pool, ONE, 1).y(), picture(&pool, ONE, 2).y(), "it moves");
    }

    #[test]
    fn grey_tiny_and_shifted_pictures_are_nobodys() {
        let pool = FramePool::new();
        let grey = pool.frame(WIDTH, HEIGHT, MediaTime::now(), |y, _, _| y.fill(GREY));
        let tiny = pool.frame(2, 2, MediaTime::now(), |y, _, _| y.fill(BRIGHT));
        // As when rows are longer than was believed.
        let ours = picture(&pool, ONE, 3);
        let skewed = pool.frame(WIDTH, HEIGHT, MediaTime::now(), |y, _, _| {
            for (row, luma) in y.chunks_exact_mut(WIDTH as usize).enumerate() {
                luma.copy_from_slice(&ours.y()[row * WIDTH as usize..][..WIDTH as usize]);
                luma.rotate_left(row * 16 % WIDTH as usize);
            }
        });
        assert!([grey, tiny, skewed].iter().all(|frame| !shows(frame, ONE) && !shows(frame, OTHER)));
    }

    #[test]
    fn each_end_knows_the_others_tone_from_silence_and_noise() {
        let tone = block(ONE);
        assert!(sounds_like(&tone, ONE) && !sounds_like(&tone, OTHER));
        assert!(sounds_like(&block(OTHER), OTHER) && !sounds_like(&block(OTHER), ONE));
        let shifted = AudioBlock { samples: std::array::from_fn(|at| tone.samples[(at + 29) % BLOCK_SAMPLES]), ..tone };
        assert!(sounds_like(&shifted, ONE), "wherever a block begins");
        let silence = AudioBlock { samples: [0; BLOCK_SAMPLES], time: MediaTime::now() };
        let mut state = 1_u32;
        let noise = AudioBlock {
            samples: std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as i16
            }),
            ..silence.clone()
        };
        assert!([silence, noise].iter().all(|block| !sounds_like(block, ONE) && !sounds_like(block, OTHER)));
    }
}
