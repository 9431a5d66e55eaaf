//! What one picture costs: `codec_cost CLIP.mp4` prints the median milliseconds of each step, and what the encoder
//! makes of several target rates.

use std::{path::PathBuf, time::Instant};

use parley_call::{FramePool, MediaTime};
use parley_media::{
    clip::Clip,
    h264::{Decoder, Encoded, Encoder, EncoderSettings},
    psnr::luma_psnr,
    scale,
    stamp::{self, Stamp},
};

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map(PathBuf::from).ok_or("codec_cost CLIP.mp4")?;
    for (ceiling, target) in [(1_500_000, 1_500_000), (1_500_000, 700_000), (1_500_000, 300_000), (300_000, 300_000)] {
        let (mut clip, pool) = (Clip::open(&path)?, FramePool::new());
        let mut encoder = Encoder::new(EncoderSettings { max_bitrate: ceiling, fps: 30 })?;
        encoder.set_bitrate(target);
        let mut decoder = Decoder::new()?;
        let (mut read, mut encode, mut decode, mut shrink) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut bytes, mut skipped, mut likeness, mut largest, mut unit) = (0, 0, Vec::new(), 0, Vec::new());
        let count = 2 * clip.len() as u32;
        for number in 0..count {
            let begun = Instant::now();
            let picture = clip.next_picture()?;
            read.push(begun.elapsed().as_secs_f64() * 1e3);
            let time = MediaTime(u64::from(number) * 1_000_000 / 30 + 1);
            let picture = pool.frame(picture.width(), picture.height(), time, |y, u, v| {
                y.copy_from_slice(picture.y());
                u.copy_from_slice(picture.u());
                v.copy_from_slice(picture.v());
                stamp::write(Stamp { number, time }, picture.width(), y, u, v);
            });
            let begun = Instant::now();
            let kind = encoder.encode(&picture, &mut unit)?;
            encode.push(begun.elapsed().as_secs_f64() * 1e3);
            if kind == Encoded::Skipped {
                skipped += 1;
                continue;
            }
            bytes += unit.len();
            if kind == Encoded::Delta {
                largest = largest.max(unit.len());
            }
            let begun = Instant::now();
            let received = decoder.decode(&unit)?;
            decode.push(begun.elapsed().as_secs_f64() * 1e3);
            likeness.extend(received.and_then(|received| luma_psnr(&picture, &received)));
            let begun = Instant::now();
            scale::preview(&pool, &picture);
            shrink.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        println!(
            "ceiling {ceiling} target {target}: {:.0} bit/s, {skipped} of {count} skipped, largest delta {largest} B, \
             {:.1} dB; file {:.1} ms, encode {:.1} ms, decode {:.1} ms, preview {:.2} ms",
            bytes as f64 * 8.0 / (f64::from(count) / 30.0),
            likeness.iter().sum::<f64>() / likeness.len().max(1) as f64,
            median(read),
            median(encode),
            median(decode),
            median(shrink),
        );
    }
    Ok(())
}
