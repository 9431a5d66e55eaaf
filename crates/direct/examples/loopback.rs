//! Measures a call over loopback, both people in this process, and prints one JSON line:
//! `loopback [CLIP.mp4] [SECONDS] [LOSS] [DELAY_MS] [BITS_PER_SECOND]`. Without a clip the drawn card is sent; the
//! last three make a bad network of it.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use parley_call::{
    Attempt, AudioQueue, Credentials, EngineEvent, EnginePorts, LatestSlot, MediaEngine, Token, VideoProfile,
};
use parley_direct::{BindAddresses, DirectEngine, DirectOptions, NetworkEmulation};
use parley_domain::AgoraUid;
use parley_media::{FrameLog, SourceOptions, Tone, ToneSource, VideoSource, psnr::luma_psnr, stamp, tone};
use tokio::sync::mpsc;

type Failure = Box<dyn std::error::Error>;

struct End {
    engine: DirectEngine,
    events: mpsc::Receiver<EngineEvent>,
    pictures: Arc<LatestSlot<parley_call::I420Frame>>,
    sound: Arc<AudioQueue>,
}

fn end(emulation: Option<NetworkEmulation>) -> End {
    let (sender, events) = mpsc::channel(256);
    let (pictures, sound) = (Arc::new(LatestSlot::new()), Arc::new(AudioQueue::new(3_000)));
    let ports = EnginePorts {
        events: sender,
        remote_video: Arc::clone(&pictures),
        remote_screen: Arc::new(LatestSlot::new()),
        remote_audio: Arc::clone(&sound),
    };
    let addresses = BindAddresses::Only(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
    let engine = DirectEngine::new(ports, DirectOptions { addresses, emulation, ..DirectOptions::default() });
    End { engine, events, pictures, sound }
}

fn credentials(uid: u32, peer: u32) -> Result<Credentials, Failure> {
    let checked = |number| AgoraUid::new(number).ok_or("a uid is above 0");
    Ok(Credentials {
        app_id: String::new(),
        channel: "loopback".to_owned(),
        uid: checked(uid)?,
        peer: checked(peer)?,
        token: Token(String::new()),
        screen: None,
        peer_screen: None,
        ice_servers: Vec::new(),
    })
}

/// Carries signals and hands out what else was told.
fn carry(from: &mut End, to: &mut End) -> Vec<EngineEvent> {
    let mut told = Vec::new();
    while let Ok(event) = from.events.try_recv() {
        match event {
            EngineEvent::Signal(data) => to.engine.on_signal(&data),
            event => told.push(event),
        }
    }
    told
}

#[derive(Default)]
struct Measured {
    ages: Vec<f64>,
    shown: Vec<f64>,
    likeness: Vec<f64>,
    first_picture_ms: f64,
    gaps: u32,
    last: Option<Instant>,
    freezes: u64,
    bitrate: u64,
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get((values.len().max(1) - 1) * percent / 100).copied().unwrap_or(f64::NAN)
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args_os().skip(1);
    let clip = arguments.next().map(PathBuf::from).filter(|path| path.is_file());
    let mut number = || arguments.next().and_then(|text| text.to_str()?.parse::<f64>().ok());
    let seconds = number().unwrap_or(10.0) as u64;
    let emulation = number().map(|loss| NetworkEmulation {
        loss,
        delay: Duration::from_secs_f64(number().unwrap_or(0.0) / 1e3),
        bitrate: number().map(|bits| bits as u64),
        ..NetworkEmulation::default()
    });

    let log = Arc::new(FrameLog::new(90));
    let options = SourceOptions { stamped: true, log: Some(Arc::clone(&log)), ..SourceOptions::default() };
    let source = |options: SourceOptions| match &clip {
        Some(path) => VideoSource::clip(path, options),
        None => VideoSource::card("LOOPBACK", options),
    };
    let sources = [source(options)?, source(SourceOptions::default())?];
    let sounds = [ToneSource::start(Tone::default())?, ToneSource::start(Tone { frequency: 660.0, level: -20.0 })?];
    let (mut one, mut two) = (end(emulation.clone()), end(emulation));
    for (end, (video, sound)) in [&mut one, &mut two].into_iter().zip(sources.iter().zip(&sounds)) {
        end.engine.publish_video(Some(video.frames()), VideoProfile::default());
        end.engine.publish_audio(Some(sound.blocks()));
    }
    let begun = Instant::now();
    one.engine.join(Attempt(1), credentials(1, 2)?);
    two.engine.join(Attempt(1), credentials(2, 1)?);

    let mut measured = Measured::default();
    let mut counted_from = None;
    while counted_from.is_none_or(|from: Instant| from.elapsed() < Duration::from_secs(seconds)) {
        carry(&mut one, &mut two);
        for event in carry(&mut two, &mut one) {
            if let EngineEvent::Quality(quality) = event {
                measured.freezes = quality.freezes;
                measured.bitrate = quality.receive_bitrate;
            }
        }
        one.pictures.try_take();
        if let Some(frame) = two.pictures.take_blocking(Duration::from_millis(5)) {
            let now = parley_call::MediaTime::now();
            counted_from.get_or_insert_with(|| {
                measured.first_picture_ms = begun.elapsed().as_secs_f64() * 1e3;
                Instant::now()
            });
            if let Some(stamp) = stamp::read(frame.width(), frame.y()) {
                measured.ages.push(frame.time.since(stamp.time).as_secs_f64() * 1e3);
                measured.shown.push(now.since(stamp.time).as_secs_f64() * 1e3);
                if measured.ages.len() % 3 == 0 {
                    measured.likeness.extend(log.get(stamp.number).and_then(|sent| luma_psnr(&sent, &frame)));
                }
            }
            if measured.last.replace(Instant::now()).is_some_and(|last| last.elapsed() > Duration::from_millis(200)) {
                measured.gaps += 1;
            }
        }
        if begun.elapsed() > Duration::from_secs(seconds + 20) {
            return Err("no pictures came".into());
        }
    }
    let samples: Vec<i16> = std::iter::from_fn(|| two.sound.pop()).flat_map(|block| block.samples).collect();
    let found = tone::find(&samples[samples.len().saturating_sub(96_000)..]);
    let frames = measured.ages.len();
    println!(
        "{}",
        serde_json::json!({
            "source": if clip.is_some() { "clip" } else { "card" },
            "first_picture_ms": measured.first_picture_ms.round(),
            "frames": frames,
            "fps": (frames as f64 / seconds as f64 * 10.0).round() / 10.0,
            "p50_ms": percentile(&mut measured.ages, 50),
            "p99_ms": percentile(&mut measured.ages, 99),
            "shown_p50_ms": percentile(&mut measured.shown, 50),
            "shown_p99_ms": percentile(&mut measured.shown, 99),
            "psnr_db": measured.likeness.iter().sum::<f64>() / measured.likeness.len().max(1) as f64,
            "psnr_min_db": measured.likeness.iter().copied().fold(f64::NAN, f64::min),
            "freezes": measured.freezes,
            "gaps": measured.gaps,
            "bits_per_second": measured.bitrate,
            "tone_hz": found.map(|tone| tone.frequency),
            "tone_dbfs": found.map(|tone| tone.level),
        })
    );
    Ok(())
}
