//! A source's pictures once more, for whoever received them in another process and wants to compare.

use std::path::Path;

use parley_call::{FramePool, I420Frame, MediaTime};

use crate::{
    card::Card,
    clip::{Clip, ClipError},
    scale,
    source::SourceOptions,
};

/// Makes the pictures of a clip or a card again: by number they have the pixels that a [`crate::VideoSource`] of the
/// same options sends, except for the stamp, which [`crate::psnr`] leaves out.
pub struct Originals {
    from: Pictures,
    width: u32,
    height: u32,
    pool: FramePool,
}

enum Pictures {
    Clip { clip: Box<Clip>, next: u32 },
    Card(Card),
}

impl Originals {
    /// Those of a source that plays this MP4 file.
    ///
    /// # Errors
    /// When the file can't be played.
    pub fn clip(path: &Path, options: &SourceOptions) -> Result<Self, ClipError> {
        Ok(Self::new(Pictures::Clip { clip: Box::new(Clip::open(path)?), next: 0 }, options))
    }

    /// Those of a source that draws a card with that title.
    pub fn card(title: &str, options: &SourceOptions) -> Self {
        Self::new(Pictures::Card(Card::new(title, options.width, options.height)), options)
    }

    fn new(from: Pictures, options: &SourceOptions) -> Self {
        let (width, height) = options.even_size();
        Self { from, width, height, pool: FramePool::new() }
    }

    /// The picture of that number; its time means nothing. Numbers have to ascend, because a clip is decoded forward:
    /// one that has been passed gives `None`.
    ///
    /// # Errors
    /// When the clip is damaged further in.
    pub fn get(&mut self, number: u32) -> Result<Option<I420Frame>, ClipError> {
        let picture = match &mut self.from {
            Pictures::Card(card) => card.draw(number, MediaTime::default()),
            Pictures::Clip { next, .. } if *next > number => return Ok(None),
            Pictures::Clip { clip, next } => loop {
                let picture = clip.next_picture()?;
                *next += 1;
                if *next > number {
                    break picture;
                }
            },
        };
        Ok(Some(scale::fit(&self.pool, &picture, self.width, self.height)))
    }
}
