//! What arrives as picture: counted, timed by the stamp in it, and compared with what was sent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use parley_call::{I420Frame, LatestSlot, MediaTime};
use parley_media::{FrameLog, psnr, stamp};
use serde_json::{Value, json};

use crate::report::rounded;

/// A gap between two decoded pictures that a person sees as standing still.
const FREEZE: Duration = Duration::from_millis(200);
/// From this age on a picture is worth a line in the log.
const LATE_MS: f64 = 50.0;
/// How many pictures are compared at least.
const COMPARED: usize = 100;
/// Pairs that wait for comparison at most: it never holds up the reader.
const WAITING_PAIRS: usize = 4;
/// How long the reader waits before it looks whether it is to end.
const LOOK_UP: Duration = Duration::from_millis(50);

/// One picture that arrived.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    number: u32,
    sent: MediaTime,
    decoded: MediaTime,
}

/// Reads an engine's remote slot on a thread of its own. Comparing takes another one: about 0.6 ms for each of the
/// chosen pictures, 15 a second, which is a hundredth of a core, and it happens after the time was taken.
pub(crate) struct PictureReader {
    stop: Arc<AtomicBool>,
    reader: JoinHandle<Seen>,
    comparer: JoinHandle<Vec<f64>>,
}

#[derive(Default)]
struct Seen {
    arrivals: Vec<Arrival>,
    without_stamp: u64,
    sizes: Vec<(u32, u32)>,
}

impl PictureReader {
    /// Begins to read. `sent` holds what the other side sent last; as often as `every` says a picture is compared with it.
    pub(crate) fn start(slot: Arc<LatestSlot<I420Frame>>, sent: Arc<FrameLog>, every: Duration) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let (pairs, waiting) = sync_channel(WAITING_PAIRS);
        let spawn = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let comparer = spawn("compare").spawn(move || compare(&waiting))?;
        let reader = spawn("read-pictures").spawn(move || read(&slot, &sent, every, &stopped, &pairs))?;
        Ok(Self { stop, reader, comparer })
    }

    /// Stops reading and says what was seen.
    pub(crate) fn finish(self, sent_pictures: u64) -> Result<PictureFigures> {
        self.stop.store(true, Ordering::Relaxed);
        let seen = self.reader.join().ok().context("the picture reader panicked")?;
        let psnr = self.comparer.join().ok().context("the comparer panicked")?;
        PictureFigures::of(&seen, &psnr, sent_pictures)
    }
}

fn read(
    slot: &LatestSlot<I420Frame>,
    sent: &FrameLog,
    every: Duration,
    stop: &AtomicBool,
    pairs: &SyncSender<(I420Frame, I420Frame)>,
) -> Seen {
    let (mut seen, mut chosen) = (Seen::default(), 0);
    while !stop.load(Ordering::Relaxed) {
        let Some(frame) = slot.take_blocking(LOOK_UP) else { continue };
        let size = (frame.width(), frame.height());
        if !seen.sizes.contains(&size) {
            seen.sizes.push(size);
        }
        let Some(stamp) = stamp::read(frame.width(), frame.y()) else {
            seen.without_stamp += 1;
            continue;
        };
        seen.arrivals.push(Arrival { number: stamp.number, sent: stamp.time, decoded: frame.time });
        let Some(first) = seen.arrivals.first().map(|first| first.decoded) else { continue };
        // Where pictures come slowly, each of them is compared.
        let is_due = frame.time.since(first) >= every * chosen;
        if is_due && let Some(original) = sent.get(stamp.number) {
            chosen += 1;
            // A full queue means that this one is left out.
            let _ = pairs.try_send((original, frame));
        }
    }
    seen
}

fn compare(pairs: &Receiver<(I420Frame, I420Frame)>) -> Vec<f64> {
    pairs.iter().filter_map(|(sent, received)| psnr::luma_psnr(&sent, &received)).collect()
}

/// How one direction did.
pub(crate) struct PictureFigures {
    pub(crate) frames: usize,
    pub(crate) fps: f64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    max_ms: f64,
    pub(crate) freezes: usize,
    longest_gap_ms: f64,
    pub(crate) psnr_db: f64,
    psnr_min_db: f64,
    pub(crate) compared: usize,
    not_received: u64,
    without_stamp: u64,
}

impl PictureFigures {
    fn of(seen: &Seen, psnr: &[f64], sent_pictures: u64) -> Result<Self> {
        let [(width, height)] = seen.sizes[..] else {
            anyhow::bail!("pictures of one size were expected, not of {:?}", seen.sizes);
        };
        let arrivals = &seen.arrivals;
        let (Some(first), Some(last)) = (arrivals.first(), arrivals.last()) else {
            anyhow::bail!("no picture with a stamp arrived ({} without)", seen.without_stamp);
        };
        let span = last.decoded.since(first.decoded).as_secs_f64();
        ensure!(arrivals.len() > 1 && span > 0.0, "only one picture arrived");
        ensure!(arrivals.windows(2).all(|two| two[0].number < two[1].number), "pictures arrived out of order");
        let mut ages: Vec<f64> =
            arrivals.iter().map(|one| one.decoded.since(one.sent).as_secs_f64() * 1_000.0).collect();
        // For whoever looks for the reason of a slow one: when in the run, which picture, how late.
        for (late, age) in arrivals.iter().zip(&ages).filter(|(_, age)| **age > LATE_MS) {
            let at_ms = late.decoded.since(first.decoded).as_millis();
            tracing::info!(number = late.number, at_ms, age_ms = rounded(*age), "a late picture");
        }
        ages.sort_by(f64::total_cmp);
        let gaps = || arrivals.windows(2).map(|two| two[1].decoded.since(two[0].decoded));
        ensure!(psnr.len() >= COMPARED, "only {} pictures could be compared, not {COMPARED}", psnr.len());
        Ok(Self {
            frames: arrivals.len(),
            fps: (arrivals.len() - 1) as f64 / span,
            width,
            height,
            p50_ms: at_share(&ages, 0.50),
            p99_ms: at_share(&ages, 0.99),
            max_ms: at_share(&ages, 1.0),
            freezes: gaps().filter(|gap| *gap > FREEZE).count(),
            longest_gap_ms: gaps().max().unwrap_or_default().as_secs_f64() * 1_000.0,
            psnr_db: psnr.iter().sum::<f64>() / psnr.len() as f64,
            psnr_min_db: psnr.iter().copied().fold(f64::INFINITY, f64::min),
            compared: psnr.len(),
            not_received: sent_pictures.saturating_sub(arrivals.len() as u64),
            without_stamp: seen.without_stamp,
        })
    }

    pub(crate) fn to_json(&self, direction: &str) -> Value {
        json!({
            "direction": direction,
            "frames": self.frames,
            "fps": rounded(self.fps),
            "width": self.width,
            "height": self.height,
            "p50_ms": rounded(self.p50_ms),
            "p99_ms": rounded(self.p99_ms),
            "max_ms": rounded(self.max_ms),
            "freezes": self.freezes,
            "longest_gap_ms": rounded(self.longest_gap_ms),
            "psnr_db": rounded(self.psnr_db),
            "psnr_min_db": rounded(self.psnr_min_db),
            "psnr_frames": self.compared,
            "not_received": self.not_received,
            "without_stamp": self.without_stamp,
        })
    }
}

/// The smallest value that at least that share of the sorted values does not exceed.
fn at_share(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(times: impl IntoIterator<Item = (u32, u64, u64)>) -> Seen {
        let arrivals = times.into_iter().map(|(number, sent, decoded)| Arrival {
            number,
            sent: MediaTime(sent * 1_000),
            decoded: MediaTime(decoded * 1_000),
        });
        Seen { arrivals: arrivals.collect(), sizes: vec![(1280, 720)], without_stamp: 0 }
    }

    #[test]
    fn nothing_too_little_or_a_mixture_is_an_error() {
        let psnr = [40.0; COMPARED];
        assert!(PictureFigures::of(&Seen::default(), &psnr, 0).is_err());
        assert!(PictureFigures::of(&seen([]), &psnr, 0).is_err());
        assert!(PictureFigures::of(&seen([(0, 0, 10)]), &psnr, 1).is_err());
        assert!(PictureFigures::of(&seen([(1, 0, 10), (1, 33, 43)]), &psnr, 2).is_err());
        assert!(PictureFigures::of(&seen([(0, 0, 10), (1, 33, 43)]), &psnr[1..], 2).is_err());
        let mixed = Seen { sizes: vec![(1280, 720), (640, 360)], ..seen([(0, 0, 10), (1, 33, 43)]) };
        assert!(PictureFigures::of(&mixed, &psnr, 2).is_err());
    }

    #[test]
    fn the_figures_are_those_of_the_times() {
        // A hundred pictures every 40 ms, each 10 ms old; one of them 90 ms, and a gap of 240 ms.
        let times = (0..100_u32).map(|number| {
            let sent = u64::from(number) * 40 + if number >= 50 { 200 } else { 0 };
            (number, sent, sent + if number == 99 { 90 } else { 10 })
        });
        let figures = PictureFigures::of(&seen(times), &[30.0; COMPARED], 120).unwrap();
        assert_eq!((figures.frames, figures.freezes, figures.not_received), (100, 1, 20));
        assert_eq!((figures.p50_ms, figures.p99_ms, figures.max_ms), (10.0, 10.0, 90.0));
        assert!((figures.fps - 99.0 / 4.24).abs() < 0.01, "{}", figures.fps);
        assert_eq!((figures.longest_gap_ms, figures.psnr_db), (240.0, 30.0));
    }
}
