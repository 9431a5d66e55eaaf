//! 720p30 and a tone in both directions over loopback: what arrives is what was sent.

mod common;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parley_call::{EngineEvent, MediaEngine, VideoProfile};
use parley_direct::{DirectOptions, NetworkEmulation};
use parley_media::{
    FrameLog, Tone, ToneSource,
    psnr::luma_psnr,
    stamp,
    tone::{self, ToneGenerator},
};

use crate::common::{Pair, loopback, source};

/// What one end saw and heard.
struct Measured {
    numbers: Vec<u32>,
    likeness: Vec<f64>,
    ages: Vec<Duration>,
    sound: Vec<i16>,
    seconds: f64,
}

/// Sends from the first end to the second until so many pictures were measured.
async fn measure(pair: &mut Pair, pictures: usize, sent_tone: Tone) -> Measured {
    let log = Arc::new(FrameLog::new(60));
    let (video, sound) = (source(&log), ToneSource::start(sent_tone).expect("a thread"));
    pair.ends[0].engine.publish_video(Some(video.frames()), VideoProfile::default());
    pair.ends[0].engine.publish_audio(Some(sound.blocks()));
    pair.expect(1, &EngineEvent::RemoteVideo(true)).await;
    pair.expect(1, &EngineEvent::RemoteAudio(true)).await;
    let mut measured =
        Measured { numbers: Vec::new(), likeness: Vec::new(), ages: Vec::new(), sound: Vec::new(), seconds: 0.0 };
    let begun = Instant::now();
    pair.until("pictures", |pair| {
        if let Some(frame) = pair.ends[1].pictures.try_take() {
            assert_eq!((frame.width(), frame.height()), (1280, 720));
            let stamp = stamp::read(frame.width(), frame.y()).expect("a stamp that survived");
            let sent = log.get(stamp.number).expect("a picture that was sent");
            measured.likeness.push(luma_psnr(&sent, &frame).expect("the same size"));
            measured.ages.push(frame.time.since(stamp.time));
            measured.numbers.push(stamp.number);
        }
        while let Some(block) = pair.ends[1].sound.pop() {
            measured.sound.extend(block.samples);
        }
        measured.numbers.len() >= pictures
    })
    .await;
    measured.seconds = begun.elapsed().as_secs_f64();
    measured
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_is_what_was_sent() {
    let mut pair = Pair::connected(loopback()).await;
    let tone = Tone { frequency: 523.0, level: -18.0 };
    let measured = measure(&mut pair, 120, tone).await;
    assert!(measured.numbers.is_sorted_by(|a, b| a < b), "pictures come in order, each once");
    let mean = measured.likeness.iter().sum::<f64>() / measured.likeness.len() as f64;
    assert!(mean > 30.0, "{mean} dB");
    let mut ages = measured.ages;
    ages.sort_unstable();
    // Far above what an idle machine needs; other tests run beside this one.
    assert!(ages[ages.len() / 2] < Duration::from_millis(250), "{:?}", ages[ages.len() / 2]);
    let found = tone::find(&measured.sound[measured.sound.len() - 48_000..]).expect("the tone");
    assert!((found.frequency - tone.frequency).abs() < 3.0 && (found.level - tone.level).abs() < 2.0, "{found:?}");
    pair.until("quality", |pair| {
        let fits = |event: &EngineEvent| match event {
            EngineEvent::Quality(quality) => quality.receive_fps > 5.0 && quality.receive_bitrate > 100_000,
            _ => false,
        };
        pair.ends[1].told.iter().any(fits)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_datagram_of_twenty_lost_is_survived() {
    let loss = NetworkEmulation {
        seed: 42,
        loss: 0.05,
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(5),
        ..NetworkEmulation::default()
    };
    let mut pair = Pair::connected(DirectOptions { emulation: Some(loss), ..loopback() }).await;
    let tone = Tone { frequency: 700.0, level: -20.0 };
    let measured = measure(&mut pair, 120, tone).await;
    let mean = measured.likeness.iter().sum::<f64>() / measured.likeness.len() as f64;
    assert!(mean > 28.0, "{mean} dB");
    assert!(measured.seconds < 20.0, "{} s for 120 pictures", measured.seconds);
    let found = tone::find(&measured.sound[measured.sound.len() - 48_000..]).expect("the tone");
    assert!((found.frequency - tone.frequency).abs() < 5.0 && (found.level - tone.level).abs() < 3.0, "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_narrow_line_the_picture_gets_smaller_in_bits_not_older() {
    let narrow = NetworkEmulation { bitrate: Some(800_000), ..NetworkEmulation::default() };
    let mut pair = Pair::connected(DirectOptions { emulation: Some(narrow), ..loopback() }).await;
    let measured = measure(&mut pair, 240, Tone::default()).await;
    let late = &measured.ages[120..];
    let mut late = late.to_vec();
    late.sort_unstable();
    assert!(late[late.len() / 2] < Duration::from_millis(400), "{:?}", late[late.len() / 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_looks_at_is_not_sent() {
    let mut pair = Pair::connected(loopback()).await;
    let log = Arc::new(FrameLog::new(1));
    let video = source(&log);
    pair.ends[0].engine.publish_video(Some(video.frames()), VideoProfile::default());
    pair.expect(1, &EngineEvent::RemoteVideo(true)).await;
    pair.ends[1].engine.want_remote_video(false);
    // The source drops what nobody takes: a hundred pictures in a row, once the wish has arrived.
    let frames = video.frames();
    let taken = || frames.put_count() - frames.dropped_count();
    let (mut before, mut left_alone_since) = (taken(), frames.put_count());
    pair.until("the encoder rests", |_| {
        // One picture waits in the slot.
        if taken() > before + 1 {
            (before, left_alone_since) = (taken(), frames.put_count());
        }
        frames.put_count() > left_alone_since + 100
    })
    .await;
    pair.ends[1].engine.want_remote_video(true);
    pair.ends[1].pictures.try_take();
    pair.until("they come again", |pair| pair.ends[1].pictures.try_take().is_some()).await;
}

#[test]
fn the_generator_and_the_finder_agree_on_what_is_asked_for() {
    let tone = Tone { frequency: 523.0, level: -18.0 };
    let mut generator = ToneGenerator::new(tone);
    let samples: Vec<i16> = (0..100).flat_map(|_| generator.next_samples()).collect();
    let found = tone::find(&samples).unwrap();
    assert!((found.frequency - 523.0).abs() < 1.0 && (found.level + 18.0).abs() < 0.2, "{found:?}");
}
