//! Screens and windows that the SDK can capture itself.

use serde::{Deserialize, Deserializer, Serialize};

use super::{Answer, Done, Nothing, engine::Dimensions, methods};

/// Asks what can be shared. Thumbnails lie in the library's memory until [`ReleaseScreenCaptureSources`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetScreenCaptureSources {
    /// How large thumbnails may be.
    pub thumb_size: Dimensions,
    /// How large icons may be.
    pub icon_size: Dimensions,
    /// Whether whole screens are wanted, too.
    pub include_screen: bool,
}

/// What can be shared.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sources {
    /// Screens and windows, each a [`Source`]; one by one, so that a damaged one doesn't take the others along.
    pub result: Vec<serde_json::Value>,
    /// Names the list in the library's memory; an address, so all 64 bits count.
    pub sources: serde_json::Value,
}

impl Answer for Sources {}

/// A screen or a window.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// 0 a window, 1 a screen.
    pub r#type: i32,
    /// The system's number of it: a window handle or the like, so all 64 bits count.
    #[serde(deserialize_with = "any_64_bits")]
    pub source_id: i64,
    /// The program or the screen.
    #[serde(default)]
    pub source_name: String,
    /// The window's title.
    #[serde(default)]
    pub source_title: String,
    /// Whether this is the screen on which things open.
    #[serde(default)]
    pub primary_monitor: bool,
    /// Whether the window is minimised: then there is nothing to be seen.
    #[serde(default)]
    pub minimize_window: bool,
    /// What it looks like.
    #[serde(default)]
    pub thumb_image: Option<NativeImage>,
}

/// A picture in the library's memory, four bytes a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeImage {
    /// Address; 0 for none.
    #[serde(default, deserialize_with = "any_64_bits")]
    pub buffer: i64,
    /// Bytes.
    #[serde(default)]
    pub length: u32,
    /// In pixels.
    #[serde(default)]
    pub width: u32,
    /// In pixels.
    #[serde(default)]
    pub height: u32,
}

/// Numbers of the system and addresses: some come as signed, some as unsigned numbers.
fn any_64_bits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Signed(i64),
        Unsigned(u64),
    }
    Ok(match Number::deserialize(deserializer)? {
        Number::Signed(number) => number,
        Number::Unsigned(number) => i64::from_ne_bytes(number.to_ne_bytes()),
    })
}

/// Gives back what [`GetScreenCaptureSources`] returned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReleaseScreenCaptureSources {
    /// As it came.
    pub sources: serde_json::Value,
}

/// Begins to capture a screen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartScreenCaptureByDisplayId {
    /// Its number.
    pub display_id: i64,
    /// Which part.
    pub region_rect: Rectangle,
    /// How.
    pub capture_params: ScreenCaptureParameters,
}

/// Begins to capture a window.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartScreenCaptureByWindowId {
    /// Its number.
    pub window_id: i64,
    /// Which part.
    pub region_rect: Rectangle,
    /// How.
    pub capture_params: ScreenCaptureParameters,
}

/// A part of a picture; all zero means all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rectangle {
    /// From the left.
    pub x: i32,
    /// From the top.
    pub y: i32,
    /// In pixels.
    pub width: i32,
    /// In pixels.
    pub height: i32,
}

/// How a screen is captured; what is absent keeps the SDK's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScreenCaptureParameters {
    /// At most.
    pub dimensions: Dimensions,
    /// Pictures a second.
    pub frame_rate: u32,
    /// Kbit/s; 0 leaves it to the SDK.
    pub bitrate: u32,
    /// Whether the mouse pointer is in it.
    pub capture_mouse_cursor: bool,
    /// Whether the window comes to the front.
    pub window_focus: bool,
}

/// Ends the capture.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StopScreenCapture {}

methods! {
    GetScreenCaptureSources = RtcEngine.getScreenCaptureSources(
        "agora::rtc::SIZE const&", "agora::rtc::SIZE const&", "bool const") -> Sources;
    ReleaseScreenCaptureSources = RtcEngine.releaseScreenCaptureSources() -> Nothing;
    StartScreenCaptureByDisplayId = RtcEngine.startScreenCaptureByDisplayId(
        "int64_t", "agora::rtc::Rectangle const&", "agora::rtc::ScreenCaptureParameters const&") -> Done;
    StartScreenCaptureByWindowId = RtcEngine.startScreenCaptureByWindowId(
        "int64_t", "agora::rtc::Rectangle const&", "agora::rtc::ScreenCaptureParameters const&") -> Done;
    StopScreenCapture = RtcEngine.stopScreenCapture() -> Done;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Handles and addresses lose no bit on their way, as they would in a floating-point number.
    #[test]
    fn all_64_bits_of_an_address_are_kept() {
        let address = 0x7fff_1234_5678_9abd_u64;
        let text = format!(
            r#"{{"result":[{{"type":0,"sourceId":18446744073709551615,
                "thumbImage":{{"buffer":{address},"length":4,"width":1,"height":1}}}}],"sources":{address}}}"#
        );
        let sources: Sources = serde_json::from_str(&text).expect("valid");
        let source: Source = serde_json::from_value(sources.result[0].clone()).expect("valid");
        assert_eq!(source.source_id, -1);
        assert_eq!(source.thumb_image.map(|image| image.buffer), i64::try_from(address).ok());
        let back = serde_json::to_string(&ReleaseScreenCaptureSources { sources: sources.sources }).expect("valid");
        assert_eq!(back, format!(r#"{{"sources":{address}}}"#));
    }
}
