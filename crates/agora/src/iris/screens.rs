//! Screens and windows that the SDK can show to the others.

use std::slice;

use super::{
    IrisError,
    requests::{
        engine::{ChannelMediaOptions, Dimensions, UpdateChannelMediaOptions},
        screens::{
            GetScreenCaptureSources, NativeImage, Rectangle, ReleaseScreenCaptureSources, ScreenCaptureParameters,
            Source, StartScreenCaptureByDisplayId, StartScreenCaptureByWindowId, StopScreenCapture,
        },
    },
    rtc::Rtc,
};

/// Icons are not shown; the SDK still wants a size.
const ICON: Dimensions = Dimensions { width: 16, height: 16 };
/// No thumbnail is larger: the one asked for is a few hundred pixels wide.
const LARGEST_THUMBNAIL: u32 = 4_096;
const BYTES_A_PIXEL: usize = 4;

/// What can be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A whole screen.
    Screen,
    /// One window.
    Window,
}

/// Names a screen or a window to the SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceId {
    /// What it is.
    pub kind: SourceKind,
    /// The system's number.
    pub number: i64,
}

/// A screen or a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shareable {
    /// Names it to the SDK.
    pub id: SourceId,
    /// Names it to people: the window's title, else the program or the screen.
    pub name: String,
    /// Whether this is the screen on which things open.
    pub is_primary: bool,
    /// Whether the window is minimised, so that nothing of it is to be seen.
    pub is_minimized: bool,
    /// What it looks like, if the system lets us see it (on macOS only with the permission to record the screen).
    pub thumbnail: Option<Thumbnail>,
}

/// A small picture, four bytes a pixel in the SDK's order ("ARGB": on little-endian machines blue comes first).
#[derive(Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Row by row, without padding.
    pub pixels: Vec<u8>,
}

impl std::fmt::Debug for Thumbnail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Thumbnail({}×{})", self.width, self.height)
    }
}

/// How a screen is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// At most so many pixels; the SDK scales down.
    pub width: u32,
    /// At most so many pixels.
    pub height: u32,
    /// Pictures a second.
    pub fps: u32,
    /// Whether the mouse pointer is in it.
    pub with_pointer: bool,
}

/// The screens and windows that an SDK at work can share.
pub struct Screens<'a> {
    pub(super) rtc: &'a Rtc,
}

impl Screens<'_> {
    /// What can be shared, with thumbnails of at most that size.
    ///
    /// # Errors
    /// As [`Api::call`](super::Api::call). A single one whose description is damaged is left out.
    pub fn list(&self, thumbnail: (u32, u32)) -> Result<Vec<Shareable>, IrisError> {
        let thumb_size = Dimensions { width: thumbnail.0, height: thumbnail.1 };
        let request = GetScreenCaptureSources { thumb_size, icon_size: ICON, include_screen: true };
        let answer = self.rtc.api().call(&request)?;
        let listed = answer.result.into_iter().filter_map(|source| match serde_json::from_value(source) {
            // SAFETY: it is one of the answer just given, whose list is released below, after everything was copied.
            Ok(source) => unsafe { shareable(source) },
            Err(error) => {
                tracing::debug!(%error, "a screen or window without what describes it");
                None
            }
        });
        let listed = listed.collect();
        if let Err(error) = self.rtc.api().call(&ReleaseScreenCaptureSources { sources: answer.sources }) {
            tracing::warn!(%error, "a list of screens was not taken back");
        }
        Ok(listed)
    }

    /// Begins to capture it.
    ///
    /// # Errors
    /// As [`Api::call`](super::Api::call); also when it is no longer there.
    pub fn start(&self, id: SourceId, how: Sharing) -> Result<(), IrisError> {
        let region_rect = Rectangle::default();
        let capture_params = ScreenCaptureParameters {
            dimensions: Dimensions { width: how.width, height: how.height },
            frame_rate: how.fps,
            bitrate: 0,
            capture_mouse_cursor: how.with_pointer,
            window_focus: false,
        };
        match id.kind {
            SourceKind::Screen => self.rtc.api().call(&StartScreenCaptureByDisplayId {
                display_id: id.number,
                region_rect,
                capture_params,
            }),
            SourceKind::Window => {
                self.rtc.api().call(&StartScreenCaptureByWindowId { window_id: id.number, region_rect, capture_params })
            }
        }
        .map(drop)
    }

    /// Sends what is captured to the channel that we are in, or no longer. One picture a person: the camera's stop.
    ///
    /// # Errors
    /// As [`Api::call`](super::Api::call).
    pub fn publish(&self, published: bool) -> Result<(), IrisError> {
        let options = ChannelMediaOptions { publish_screen_track: Some(published), ..ChannelMediaOptions::default() };
        self.rtc.api().call(&UpdateChannelMediaOptions { options }).map(drop)
    }

    /// Ends it.
    ///
    /// # Errors
    /// As [`Api::call`](super::Api::call).
    pub fn stop(&self) -> Result<(), IrisError> {
        self.rtc.api().call(&StopScreenCapture {}).map(drop)
    }
}

/// # Safety
/// `source` comes from a list of the library's that was not released yet.
unsafe fn shareable(source: Source) -> Option<Shareable> {
    let kind = match source.r#type {
        0 => SourceKind::Window,
        1 => SourceKind::Screen,
        _ => return None,
    };
    let name = if source.source_title.is_empty() { source.source_name } else { source.source_title };
    Some(Shareable {
        id: SourceId { kind, number: source.source_id },
        name,
        is_primary: source.primary_monitor,
        is_minimized: source.minimize_window,
        // SAFETY: the caller's promise.
        thumbnail: source.thumb_image.and_then(|image| unsafe { copy(image) }),
    })
}

/// # Safety
/// As [`shareable`].
unsafe fn copy(image: NativeImage) -> Option<Thumbnail> {
    let needed = bytes_of(&image)?;
    let address = usize::try_from(u64::from_ne_bytes(image.buffer.to_ne_bytes())).ok()?;
    let pointer = std::ptr::with_exposed_provenance::<u8>(address);
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the library wrote the address of `length` bytes, at least as many as are read, which stay until the list is
    // released (FACTS B2, ScreenCaptureSourceInfo).
    let pixels = unsafe { slice::from_raw_parts(pointer, needed) };
    Some(Thumbnail { width: image.width, height: image.height, pixels: pixels.to_vec() })
}

/// How many bytes the pixels take, if size and length can be true.
fn bytes_of(image: &NativeImage) -> Option<usize> {
    let sides = 1..=LARGEST_THUMBNAIL;
    if image.buffer == 0 || !sides.contains(&image.width) || !sides.contains(&image.height) {
        return None;
    }
    let needed = image.width as usize * image.height as usize * BYTES_A_PIXEL;
    (usize::try_from(image.length).ok()? >= needed).then_some(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: u32, height: u32, length: u32) -> NativeImage {
        NativeImage { buffer: 4_096, length, width, height }
    }

    /// Nothing is read in any of these: the address leads nowhere.
    #[test]
    fn sizes_that_can_not_be_true_are_refused_before_anything_is_read() {
        assert_eq!(bytes_of(&image(2, 3, 24)), Some(24));
        assert_eq!(bytes_of(&image(2, 3, 25)), Some(24));
        for refused in [
            image(2, 3, 23),
            image(0, 3, 24),
            image(2, 0, 24),
            image(LARGEST_THUMBNAIL + 1, 1, u32::MAX),
            image(u32::MAX, u32::MAX, u32::MAX),
            NativeImage { buffer: 0, ..image(2, 3, 24) },
        ] {
            // SAFETY: the size is refused, or the address is null, so nothing is read.
            assert_eq!(unsafe { copy(refused) }, None, "{refused:?}");
        }
    }
}
