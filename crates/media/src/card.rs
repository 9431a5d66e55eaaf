//! A moving card drawn by code: what is sent when there is no camera and no clip.

use parley_call::{FramePool, I420Frame, MediaTime};

use crate::font;

/// A colour in video range.
#[derive(Clone, Copy)]
struct Colour {
    y: u8,
    u: u8,
    v: u8,
}

const BACKGROUND_TOP: Colour = Colour { y: 38, u: 140, v: 124 };
const BACKGROUND_BOTTOM: Colour = Colour { y: 62, u: 146, v: 120 };
const TEXT: Colour = Colour { y: 228, u: 126, v: 129 };
const QUIET: Colour = Colour { y: 150, u: 134, v: 124 };
/// Discs that wander over the card, each with its own colour.
const DISCS: [Colour; 3] =
    [Colour { y: 150, u: 90, v: 170 }, Colour { y: 140, u: 160, v: 96 }, Colour { y: 176, u: 92, v: 130 }];

/// Draws the card picture by picture. The same number gives the same pixels.
pub struct Card {
    title: String,
    width: u32,
    height: u32,
    pool: FramePool,
}

impl Card {
    /// A card with a title (capital letters, digits and `: . -` are drawn). Width and height are made even.
    pub fn new(title: &str, width: u32, height: u32) -> Self {
        let title = title.chars().take(24).collect();
        Self { title, width: (width & !1).max(16), height: (height & !1).max(16), pool: FramePool::new() }
    }

    /// The picture of that number, thirty of which are meant to be a second.
    pub fn draw(&self, number: u32, time: MediaTime) -> I420Frame {
        self.pool.frame(self.width, self.height, time, |y, u, v| {
            let mut canvas = Canvas { width: self.width as usize, height: self.height as usize, y, u, v };
            canvas.background();
            for (at, colour) in DISCS.into_iter().enumerate() {
                let radius = canvas.height / (7 + at);
                let (x, y) = wander(number as usize, at, canvas.width - 2 * radius, canvas.height - 2 * radius);
                canvas.disc(x + radius, y + radius, radius, colour);
            }
            let dot = (canvas.width / 160).max(1);
            canvas.text(&self.title, dot, canvas.height * 2 / 5, TEXT);
            let seconds = number / 30;
            let clock = format!("{:02}:{:02}.{:02}", seconds / 60 % 100, seconds % 60, number % 30);
            canvas.text(&clock, (dot / 2).max(1), canvas.height * 3 / 5, QUIET);
            let done = number as usize % 90 * canvas.width / 90;
            canvas.bar(canvas.height - dot, dot, done, TEXT);
        })
    }
}

/// Where disc `at` is: it goes to and fro in both directions, with periods that have no common beat.
fn wander(number: usize, at: usize, across: usize, down: usize) -> (usize, usize) {
    let swing = |steps: usize, room: usize| {
        let room = room.max(1);
        let place = steps % (2 * room);
        if place < room { place } else { 2 * room - place }
    };
    (swing(number * (5 + 2 * at) + at * 311, across), swing(number * (4 - at) + at * 127, down))
}

struct Canvas<'a> {
    width: usize,
    height: usize,
    y: &'a mut [u8],
    u: &'a mut [u8],
    v: &'a mut [u8],
}

impl Canvas<'_> {
    fn background(&mut self) {
        let mix = |top: u8, bottom: u8, row: usize, rows: usize| {
            ((usize::from(top) * (rows - row) + usize::from(bottom) * row) / rows) as u8
        };
        let (rows, top, bottom) = (self.height, BACKGROUND_TOP, BACKGROUND_BOTTOM);
        for (row, line) in self.y.chunks_exact_mut(self.width).enumerate() {
            line.fill(mix(top.y, bottom.y, row, rows));
        }
        for (row, line) in self.u.chunks_exact_mut(self.width / 2).enumerate() {
            line.fill(mix(top.u, bottom.u, row, rows / 2));
        }
        for (row, line) in self.v.chunks_exact_mut(self.width / 2).enumerate() {
            line.fill(mix(top.v, bottom.v, row, rows / 2));
        }
    }

    /// Fills columns `left..right` of a row, and the chroma below it on even rows.
    fn run(&mut self, row: usize, left: usize, right: usize, colour: Colour) {
        let (left, right) = (left.min(self.width), right.min(self.width));
        if row >= self.height || left >= right {
            return;
        }
        self.y[row * self.width + left..row * self.width + right].fill(colour.y);
        if row.is_multiple_of(2) {
            let first = row / 2 * (self.width / 2);
            self.u[first + left / 2..first + right / 2].fill(colour.u);
            self.v[first + left / 2..first + right / 2].fill(colour.v);
        }
    }

    fn bar(&mut self, top: usize, height: usize, length: usize, colour: Colour) {
        (top..top + height).for_each(|row| self.run(row, 0, length, colour));
    }

    fn disc(&mut self, x: usize, y: usize, radius: usize, colour: Colour) {
        for row in y.saturating_sub(radius)..y + radius {
            let half = (radius * radius - row.abs_diff(y).pow(2)).isqrt();
            self.run(row, x.saturating_sub(half), x + half, colour);
        }
    }

    /// Writes a centred line whose letters are made of squares of `dot` pixels.
    fn text(&mut self, text: &str, dot: usize, top: usize, colour: Colour) {
        let advance = (font::WIDTH + 1) * dot;
        let mut left = self.width.saturating_sub(text.chars().count() * advance) / 2;
        for letter in text.chars() {
            for (row, bits) in font::rows(letter).into_iter().enumerate() {
                for column in (0..font::WIDTH).filter(|column| bits & (0x10 >> column) != 0) {
                    let x = left + column * dot;
                    (0..dot).for_each(|line| self.run(top + row * dot + line, x, x + dot, colour));
                }
            }
            left += advance;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psnr::luma_psnr;

    #[test]
    fn tiny_cards_and_long_titles_do_not_panic() {
        for (width, height) in [(0, 0), (1, 1), (17, 33), (64, 20)] {
            Card::new(&"WWWW ÄÖ🦀".repeat(9), width, height).draw(u32::MAX, MediaTime(0));
        }
    }

    #[test]
    fn the_card_moves_and_is_the_same_for_the_same_number() {
        let card = Card::new("NO CAMERA", 1280, 720);
        let (one, two) = (card.draw(100, MediaTime(0)), card.draw(101, MediaTime(0)));
        assert_eq!(one.bytes(), card.draw(100, MediaTime(9)).bytes());
        let likeness = luma_psnr(&one, &two).unwrap();
        assert!((15.0..45.0).contains(&likeness), "{likeness} dB");
    }
}
