//! Pictures from the app core to its web view, over a loopback WebSocket (DESIGN §4).
//!
//! One binary message is a 32-byte header and the three I420 planes without padding. The viewer acknowledges each
//! message with a binary message of the 8 bytes of its `sequence`; the sender keeps at most [`WINDOW`] in flight and
//! skips to the newest picture. A text message `{"stream":"remote","visible":false}` (or `"local"`) stops a stream
//! that nobody sees.

/// Messages in flight at most.
pub const WINDOW: u64 = 3;
/// Bytes before the planes.
pub const HEADER_LEN: usize = 32;
/// The first four bytes: `PLYF`.
pub const MAGIC: [u8; 4] = *b"PLYF";

/// Whose picture it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stream {
    /// The other person.
    Remote = 0,
    /// Ourselves, at most 640×360.
    Local = 1,
}

/// What stands before the planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whose picture.
    pub stream: Stream,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Counts the messages of this socket.
    pub sequence: u64,
    /// Microseconds of the sender's monotonic clock.
    pub time_us: u64,
}

impl FrameHeader {
    /// Little-endian: magic, stream, format 0 (I420), 2 zero bytes, width, height, sequence, time.
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = self.stream as u8;
        bytes[8..12].copy_from_slice(&self.width.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.height.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[24..].copy_from_slice(&self.time_us.to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_laid_out_as_the_viewer_reads_it() {
        let header = FrameHeader { stream: Stream::Local, width: 640, height: 360, sequence: 7, time_us: 1_000_000 };
        let mut expected = b"PLYF\x01\0\0\0".to_vec();
        expected.extend_from_slice(&[
            0x80, 2, 0, 0, 0x68, 1, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x42, 0x0f, 0, 0, 0, 0, 0,
        ]);
        assert_eq!(header.to_bytes().as_slice(), expected.as_slice());
    }
}
