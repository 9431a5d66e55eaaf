//! What a file is, decided by its bytes and never by its name. What a browser might run, or what nobody knows, is
//! `application/octet-stream`.

/// Signatures lie within this; the longest is that of a tape archive.
const HEAD_BYTES: usize = 8 * 1024;

/// Bytes that may be anything.
pub(super) const UNKNOWN: &str = "application/octet-stream";
const PLAIN_TEXT: &str = "text/plain";

/// Kinds that are shown or opened and never run. Pictures, sound and films are added by their family.
const DOCUMENTS: &[&str] = &[
    "application/epub+zip",
    "application/gzip",
    "application/msword",
    "application/pdf",
    "application/rtf",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.oasis.opendocument.presentation",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.rar",
    "application/x-7z-compressed",
    "application/x-bzip2",
    "application/x-tar",
    "application/x-xz",
    "application/zip",
    "application/zstd",
];

/// Looks at a file as it passes.
pub(super) struct Sniffer {
    head: Vec<u8>,
    text: Text,
}

/// Whether everything so far is UTF-8 without control characters.
enum Text {
    /// So far, with the beginning of a character that goes on in the next piece.
    Possible(Vec<u8>),
    No,
}

impl Sniffer {
    pub(super) fn new() -> Self {
        Self { head: Vec::new(), text: Text::Possible(Vec::new()) }
    }

    /// The next piece.
    pub(super) fn see(&mut self, piece: &[u8]) {
        let wanted = HEAD_BYTES.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(&piece[..wanted]);
        if let Text::Possible(rest) = &mut self.text {
            let is_control = |byte: &u8| (*byte < b' ' && !b"\t\n\r\x0c".contains(byte)) || *byte == 0x7f;
            let mut bytes = std::mem::take(rest);
            bytes.extend_from_slice(piece);
            self.text = match std::str::from_utf8(&bytes) {
                _ if piece.iter().any(is_control) => Text::No,
                Ok(_) => Text::Possible(Vec::new()),
                Err(error) if error.error_len().is_none() => Text::Possible(bytes.split_off(error.valid_up_to())),
                Err(_) => Text::No,
            };
        }
    }

    /// What it is, after its last piece.
    pub(super) fn media_type(&self) -> &'static str {
        let is_whole_text = matches!(&self.text, Text::Possible(rest) if rest.is_empty());
        let known = infer::get(&self.head).map(|kind| kind.mime_type());
        let is_harmless = |kind: &&str| {
            let family = kind.split('/').next().unwrap_or_default();
            // Some signatures are two letters: a text about a BMW is no bitmap.
            let is_medium = matches!(family, "image" | "audio" | "video") && !kind.contains("xml") && !is_whole_text;
            DOCUMENTS.contains(kind) || (is_medium && (*kind != "image/bmp" || is_bitmap(&self.head)))
        };
        if let Some(kind) = known.filter(is_harmless) {
            return kind;
        }
        if is_whole_text && !self.looks_like_markup() { PLAIN_TEXT } else { UNKNOWN }
    }

    /// HTML, SVG and other XML: begins with a tag.
    fn looks_like_markup(&self) -> bool {
        let head = self.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.head);
        head.trim_ascii_start().starts_with(b"<")
    }
}

/// Whether what begins with `BM` goes on as a bitmap does: its second header begins with a length, and each version of the
/// format has another one (12 is OS/2's, 40 Windows', 124 the latest).
fn is_bitmap(head: &[u8]) -> bool {
    let length = head.get(14..18).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    length.is_some_and(|length| [12, 16, 40, 52, 56, 64, 108, 124].contains(&length))
}

/// Whether something decodes it into pixels.
pub(super) fn is_image(media_type: &str) -> bool {
    media_type.starts_with("image/")
}

/// As it is served: a text says its encoding.
pub(super) fn content_type(media_type: &str) -> String {
    if media_type == PLAIN_TEXT { format!("{PLAIN_TEXT}; charset=utf-8") } else { media_type.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> &'static str {
        let mut at_once = Sniffer::new();
        at_once.see(bytes);
        let mut by_byte = Sniffer::new();
        bytes.iter().for_each(|byte| by_byte.see(&[*byte]));
        assert_eq!(at_once.media_type(), by_byte.media_type(), "however it is cut");
        at_once.media_type()
    }

    #[test]
    fn two_letters_make_no_bitmap() {
        assert_eq!(of(b"BMW: offer of the third of May"), PLAIN_TEXT);
        assert_eq!(of(b"BM\x00\xff and other bytes that nobody knows"), UNKNOWN);
        let header = [b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0".as_slice(), &40_u32.to_le_bytes(), &[2, 0, 0, 0, 2, 0, 0, 0]];
        assert_eq!(of(&header.concat()), "image/bmp");
    }

    #[test]
    fn the_bytes_decide() {
        assert_eq!(of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "image/png");
        assert_eq!(of(b"\xff\xd8\xff\xe0\0\x10JFIF"), "image/jpeg");
        assert_eq!(of(b"%PDF-1.7\n"), "application/pdf");
        assert_eq!(of(b"PK\x03\x04rest of an archive"), "application/zip");
        assert_eq!(of("Grüße, 世界\r\n\t".as_bytes()), PLAIN_TEXT);
        assert_eq!(of(b"#!/bin/sh\nrm x\n"), PLAIN_TEXT);
    }

    #[test]
    fn what_could_run_is_nothing_in_particular() {
        for active in [
            &b"<!DOCTYPE html><script>alert(1)</script>"[..],
            b"\xef\xbb\xbf  \n<html>",
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            b"<?xml version='1.0'?><svg/>",
            b"<script>alert(1)</script>",
            b"MZ\x90\0\x03\0\0\0",
            b"\x7fELF\x02\x01\x01\0",
            b"\0asm\x01\0\0\0",
        ] {
            assert_eq!(of(active), UNKNOWN, "{:?}", String::from_utf8_lossy(active));
        }
    }

    #[test]
    fn what_is_no_text_is_not_called_one() {
        for bytes in [&b"abc\0def"[..], b"abc\xff", b"abc\xc3", b"\x1b[31m", b"\xed\xa0\x80"] {
            assert_eq!(of(bytes), UNKNOWN, "{bytes:?}");
        }
    }
}
