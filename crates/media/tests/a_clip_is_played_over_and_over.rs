//! Clips made here: the drawn card, encoded and put into an MP4 file of the simplest kind.

use std::time::Duration;

use parley_call::{I420Frame, MediaTime};
use parley_media::{
    Originals, SourceOptions, VideoSource,
    card::Card,
    clip::{Clip, ClipError},
    h264::{Encoded, Encoder, EncoderSettings},
    psnr::{IDENTICAL_DB, luma_psnr},
    stamp,
};
use proptest::prelude::*;

const WIDTH: u16 = 640;
const HEIGHT: u16 = 360;

fn frame(number: u32) -> I420Frame {
    Card::new("CLIP", WIDTH.into(), HEIGHT.into()).draw(number * 15, MediaTime(u64::from(number) * 33_333 + 1))
}

fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = (content.len() as u32 + 8).to_be_bytes().to_vec();
    bytes.extend(kind);
    bytes.extend(content);
    bytes
}

fn numbers(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// Every NAL unit of an Annex B access unit.
fn units(access_unit: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> =
        (0..access_unit.len().saturating_sub(2)).filter(|&at| access_unit[at..].starts_with(&[0, 0, 1])).collect();
    let ends = starts.iter().skip(1).copied().chain([access_unit.len()]);
    let trim = |unit: &'_ [u8]| unit.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let cut = starts.iter().zip(ends).map(|(&from, to)| &access_unit[from + 3..to]);
    cut.map(|unit| &unit[..trim(unit)]).collect()
}

/// An MP4 file of `count` pictures at 25 a second.
fn clip_file(count: u32) -> Vec<u8> {
    let mut encoder = Encoder::new(EncoderSettings { max_bitrate: 4_000_000, fps: 30 }).expect("an encoder");
    let (mut sps, mut pps, mut samples, mut access_unit) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in 0..count {
        let kind = encoder.encode(&frame(number), &mut access_unit).expect("a picture");
        assert_ne!(kind, Encoded::Skipped);
        let mut sample = Vec::new();
        for unit in units(&access_unit) {
            match unit[0] & 0x1f {
                7 => sps = unit.to_vec(),
                8 => pps = unit.to_vec(),
                _ => {
                    sample.extend((unit.len() as u32).to_be_bytes());
                    sample.extend(unit);
                }
            }
        }
        samples.push(sample);
    }
    let type_box = boxed(b"ftyp", &[b"isom", &numbers(&[512]), b"isomavc1mp41"]);
    let first = type_box.len() as u32 + 8;
    let data = boxed(b"mdat", &samples.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let config = [
        &[1, sps[1], sps[2], sps[3], 0xff, 0xe1][..],
        &(sps.len() as u16).to_be_bytes(),
        &sps,
        &[1],
        &(pps.len() as u16).to_be_bytes(),
        &pps,
    ]
    .concat();
    let mut entry = vec![0; 6];
    entry.extend([0, 1]);
    entry.extend([0; 16]);
    entry.extend(WIDTH.to_be_bytes());
    entry.extend(HEIGHT.to_be_bytes());
    entry.extend(numbers(&[0x48_0000, 0x48_0000, 0]));
    entry.extend([0, 1]);
    entry.extend([0; 32]);
    entry.extend([0, 24, 0xff, 0xff]);
    let avc1 = boxed(b"avc1", &[&entry, &boxed(b"avcC", &[&config])]);
    let sizes: Vec<u32> = samples.iter().map(|sample| sample.len() as u32).collect();
    let table = boxed(
        b"stbl",
        &[
            &boxed(b"stsd", &[&numbers(&[0, 1]), &avc1]),
            &boxed(b"stts", &[&numbers(&[0, 1, count, 512])]),
            &boxed(b"stss", &[&numbers(&[0, 1, 1])]),
            &boxed(b"stsc", &[&numbers(&[0, 1, 1, count, 1])]),
            &boxed(b"stsz", &[&numbers(&[0, 0, count]), &numbers(&sizes)]),
            &boxed(b"stco", &[&numbers(&[0, 1, first])]),
        ],
    );
    let reference = boxed(b"dref", &[&numbers(&[0, 1]), &boxed(b"url ", &[&numbers(&[1])])]);
    let information =
        boxed(b"minf", &[&boxed(b"vmhd", &[&numbers(&[1, 0, 0])]), &boxed(b"dinf", &[&reference]), &table]);
    let matrix = numbers(&[0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]);
    let media = boxed(
        b"mdia",
        &[
            &boxed(b"mdhd", &[&numbers(&[0, 0, 0, 12_800, count * 512, 0x55c4_0000])]),
            &boxed(b"hdlr", &[&numbers(&[0, 0]), b"vide", &[0; 12], b"video\0"]),
            &information,
        ],
    );
    let shape = numbers(&[u32::from(WIDTH) << 16, u32::from(HEIGHT) << 16]);
    let header = boxed(b"tkhd", &[&numbers(&[3, 0, 0, 1, 0, count * 40, 0, 0, 0, 0]), &matrix, &shape]);
    let movie = boxed(
        b"mvhd",
        &[&numbers(&[0, 0, 0, 1_000, count * 40, 0x1_0000, 0x100_0000, 0, 0]), &matrix, &[0; 24], &numbers(&[2])],
    );
    [type_box, data, boxed(b"moov", &[&movie, &boxed(b"trak", &[&header, &media])])].concat()
}

#[test]
fn after_the_last_picture_comes_the_first_again() {
    let mut clip = Clip::from_bytes(clip_file(12)).unwrap();
    assert_eq!((clip.len(), clip.size(), clip.rate()), (12, (640, 360), 25.0));
    for number in 0..30 {
        let picture = clip.next_picture().unwrap();
        let likeness = |number: u32| luma_psnr(&frame(number), &picture).unwrap();
        assert!(likeness(number % 12) > 30.0, "picture {number}: {} dB", likeness(number % 12));
        assert!(likeness(number % 12) > likeness((number + 6) % 12));
    }
}

#[test]
fn what_a_source_sends_is_made_again_by_its_numbers() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), clip_file(6)).unwrap();
    // Another size than the clip's, so that it is scaled; odd, so that it is made even.
    let options = SourceOptions { width: 961, height: 721, fps: 60, stamped: true, ..SourceOptions::default() };
    let clip = VideoSource::clip(file.path(), options.clone()).unwrap();
    let card = VideoSource::card("CARD", options.clone()).unwrap();
    let from_clip = Originals::clip(file.path(), &options).unwrap();
    for (source, mut originals) in [(clip, from_clip), (card, Originals::card("CARD", &options))] {
        let mut before: Option<I420Frame> = None;
        for _ in 0..10 {
            let sent = source.frames().take_blocking(Duration::from_secs(20)).expect("a picture");
            let number = stamp::read(sent.width(), sent.y()).expect("a stamp").number;
            let original = originals.get(number).unwrap().expect("a later number");
            assert_eq!(luma_psnr(&original, &sent), Some(IDENTICAL_DB), "picture {number}");
            let changed = before.is_none_or(|before| luma_psnr(&before, &sent) != Some(IDENTICAL_DB));
            assert!(changed, "picture {number} is the one before it");
            before = Some(sent);
        }
    }
    let mut originals = Originals::clip(file.path(), &options).unwrap();
    assert!(originals.get(7).unwrap().is_some());
    assert!(originals.get(7).unwrap().is_none(), "a clip does not go back");
}

#[test]
fn every_cut_is_refused_or_plays_what_is_left() {
    let whole = clip_file(4);
    for length in (0..whole.len()).step_by(97) {
        if let Ok(mut clip) = Clip::from_bytes(whole[..length].to_vec()) {
            let _ = clip.next_picture();
        }
    }
    assert!(matches!(Clip::from_bytes(Vec::new()), Err(ClipError::Malformed(_) | ClipError::NoVideo)));
}

#[test]
fn a_track_shorter_than_its_pictures_is_refused_or_plays() {
    let mut damaged = clip_file(3);
    let header = damaged.windows(4).position(|four| four == b"mdhd").unwrap() + 4;
    // Version and flags, two times of day, the scale; then the length, from which the parser subtracts.
    damaged[header + 16..header + 20].fill(0);
    if let Ok(mut clip) = Clip::from_bytes(damaged) {
        assert!(clip.next_picture().is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn damage_never_panics(at in any::<prop::sample::Index>(), byte: u8, in_tables: bool) {
        thread_local! { static WHOLE: Vec<u8> = clip_file(3); }
        let mut bytes = WHOLE.with(Clone::clone);
        // Half of the damage goes where the tables are, at the end.
        let first = if in_tables { bytes.len().saturating_sub(700) } else { 0 };
        let index = first + at.index(bytes.len() - first);
        bytes[index] = byte;
        if let Ok(mut clip) = Clip::from_bytes(bytes) {
            for _ in 0..4 {
                let _ = clip.next_picture();
            }
        }
    }
}
