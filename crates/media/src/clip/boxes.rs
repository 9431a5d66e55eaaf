//! Looks an MP4's boxes over (ISO/IEC 14496-12 §4.2) before the parser sees them: the parser believes what a damaged
//! file says, reads a box of size 0 for ever and makes a table of four thousand million pictures.

use std::ops::Range;

/// Boxes whose content is boxes.
const CONTAINERS: [&[u8; 4]; 7] = [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts"];
/// What a clip does not need: names, tags, fragments. The parser passes over `free` boxes.
const PASSED_OVER: [&[u8; 4]; 4] = [b"udta", b"meta", b"moof", b"mvex"];
/// Deeper nesting than any file has.
const MAX_DEPTH: u8 = 8;

/// Checks that every box lies inside its parent and that no table counts more pictures than there are bytes, and makes
/// the parser pass over what a clip does not need.
///
/// # Errors
/// What is wrong, for people.
pub(super) fn prepare(bytes: &mut [u8]) -> Result<(), String> {
    let whole = 0..bytes.len();
    look_over(bytes, whole, 0)
}

fn look_over(bytes: &mut [u8], inside: Range<usize>, depth: u8) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err("its boxes are nested too deeply".to_owned());
    }
    let mut at = inside.start;
    while at < inside.end {
        let (kind, content) = header(bytes, at, inside.end).ok_or("a box lies outside its parent")?;
        let next = content.end;
        if PASSED_OVER.contains(&&kind) || (&kind == b"trak" && !is_video(bytes, content.clone())) {
            bytes[at + 4..at + 8].copy_from_slice(b"free");
        } else if CONTAINERS.contains(&&kind) {
            look_over(bytes, content, depth + 1)?;
        } else if pictures(bytes, &kind, content).is_none_or(|pictures| pictures > bytes.len() as u64) {
            return Err("a table counts more pictures than the file can hold".to_owned());
        }
        at = next;
    }
    Ok(())
}

/// The kind and the content of the box there; `None` when it does not fit before `end`.
fn header(bytes: &[u8], at: usize, end: usize) -> Option<([u8; 4], Range<usize>)> {
    let first = bytes.get(at..at + 8).filter(|_| at + 8 <= end)?;
    let kind = <[u8; 4]>::try_from(&first[4..]).ok()?;
    let (header, size) = match number(bytes, at)? {
        1 => (16, usize::try_from(u64::from(number(bytes, at + 8)?) << 32 | u64::from(number(bytes, at + 12)?)).ok()?),
        size => (8, usize::try_from(size).ok()?),
    };
    let next = at.checked_add(size)?;
    (size >= header && next <= end).then_some((kind, at + header..next))
}

/// Whether a track says that it holds pictures (`hdlr`, §8.4.3).
fn is_video(bytes: &[u8], track: Range<usize>) -> bool {
    let child = |inside: Range<usize>, wanted: &[u8; 4]| {
        let mut at = inside.start;
        while let Some((kind, content)) = header(bytes, at, inside.end) {
            if &kind == wanted {
                return Some(content);
            }
            at = content.end;
        }
        None
    };
    let handler = child(track, b"mdia").and_then(|media| child(media, b"hdlr"));
    handler.is_some_and(|handler| bytes.get(handler.start + 8..handler.start + 12) == Some(b"vide"))
}

/// How many pictures a table speaks of (§8.6.1, §8.7.3); 0 for any other box, `None` for a table that is cut off.
fn pictures(bytes: &[u8], kind: &[u8; 4], content: Range<usize>) -> Option<u64> {
    let table = &bytes[content];
    match kind {
        b"stsz" => number(table, 8).map(u64::from),
        b"stts" | b"ctts" => {
            let entries = usize::try_from(number(table, 4)?).ok()?;
            let runs = table.get(8..)?.chunks_exact(8);
            (entries <= runs.len()).then(|| runs.take(entries).filter_map(|run| number(run, 0)).map(u64::from).sum())
        }
        _ => Some(0),
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes()[..], kind, content].concat()
    }

    #[test]
    fn box_of_size_zero_or_beyond_its_parent_is_refused() {
        for size in [0_u32, 7, 200] {
            let mut child = boxed(b"mvhd", &[0; 20]);
            child[..4].copy_from_slice(&size.to_be_bytes());
            assert!(prepare(&mut boxed(b"moov", &child)).is_err(), "{size}");
        }
        assert_eq!(prepare(&mut boxed(b"moov", &boxed(b"mvhd", &[0; 20]))), Ok(()));
    }

    #[test]
    fn table_of_more_pictures_than_bytes_is_refused() {
        let lengths = |count: u32| boxed(b"stsz", &[&[0; 4][..], &1_u32.to_be_bytes(), &count.to_be_bytes()].concat());
        assert!(prepare(&mut boxed(b"stbl", &lengths(u32::MAX))).is_err());
        assert!(prepare(&mut boxed(b"stbl", &lengths(3))).is_ok());
        let times = |count: u32| [&[0; 4][..], &1_u32.to_be_bytes(), &count.to_be_bytes(), &[0; 4]].concat();
        assert!(prepare(&mut boxed(b"stbl", &boxed(b"stts", &times(u32::MAX)))).is_err());
        assert!(prepare(&mut boxed(b"stbl", &boxed(b"stts", &times(3)[..6]))).is_err(), "a table that is cut off");
    }

    #[test]
    fn sound_and_tags_are_passed_over() {
        let handler = |kind: &[u8; 4]| boxed(b"mdia", &boxed(b"hdlr", &[&[0; 8][..], kind, &[0; 12]].concat()));
        let track = |kind| boxed(b"trak", &handler(kind));
        let mut file = boxed(b"moov", &[track(b"vide"), track(b"soun"), boxed(b"udta", &[0; 4])].concat());
        prepare(&mut file).unwrap();
        let kept = |kind: &[u8; 4]| file.windows(4).filter(|four| four == kind).count();
        assert_eq!((kept(b"trak"), kept(b"udta"), kept(b"free")), (1, 0, 2));
    }
}
