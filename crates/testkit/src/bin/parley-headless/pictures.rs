//! What arrives as picture: counted, timed by the stamp in it, and compared with what was sent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use parley_call::{I420Frame, LatestSlot, MediaTime};
use parley_media::{Originals, psnr, stamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{clock::ClockZero, report::rounded, usage};

/// A gap between two decoded pictures that a person sees as standing still.
const FREEZE: Duration = Duration::from_millis(200);
/// From this age on a picture is worth a line in the log.
const LATE_MS: f64 = 50.0;
/// How many pictures are compared at least.
const COMPARED: usize = 100;
/// Pictures that wait for comparison at most (1.4 MB each): it never holds up the reader.
const WAITING_PICTURES: usize = 16;
/// Nothing is older than it is, but where two clocks were read one after the other, a little may lie between.
const CLOCK_TOLERANCE_MS: f64 = 3.0;
/// How long the reader waits before it looks whether it is to end.
const LOOK_UP: Duration = Duration::from_millis(50);

/// One picture that arrived.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    number: u32,
    /// From the capture to the end of decoding.
    age_ms: f64,
    decoded: MediaTime,
}

/// When the media clocks of the two processes stood at zero.
#[derive(Clone, Copy)]
pub(crate) struct Clocks {
    /// Of this process, which decodes.
    pub(crate) ours: ClockZero,
    /// Of the other one, which captures.
    pub(crate) theirs: ClockZero,
}

/// Reads an engine's remote slot on a thread of its own. Comparing takes another one: it makes the originals again and
/// compares 15 a second with them, after the time was taken.
pub(crate) struct PictureReader {
    stop: Arc<AtomicBool>,
    reader: JoinHandle<Seen>,
    comparer: JoinHandle<Result<Vec<f64>>>,
    /// Microseconds of processor time that comparing took so far.
    comparing: Arc<AtomicU64>,
}

#[derive(Default)]
struct Seen {
    arrivals: Vec<Arrival>,
    without_stamp: u64,
    sizes: Vec<(u32, u32)>,
}

impl PictureReader {
    /// Begins to read what was captured on another process's clock. As often as `every` says a picture is compared
    /// with its original.
    pub(crate) fn start(
        slot: Arc<LatestSlot<I420Frame>>,
        originals: Originals,
        every: Duration,
        clocks: Clocks,
    ) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let (chosen, waiting) = sync_channel(WAITING_PICTURES);
        let spawn = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let comparing = Arc::new(AtomicU64::new(0));
        let compared = Arc::clone(&comparing);
        let comparer = spawn("compare").spawn(move || compare(originals, &waiting, &compared))?;
        let reader = spawn("read-pictures").spawn(move || read(&slot, every, clocks, &stopped, &chosen))?;
        Ok(Self { stop, reader, comparer, comparing })
    }

    /// Processor time that comparing took so far: what no call costs.
    pub(crate) fn comparing_seconds(&self) -> f64 {
        Duration::from_micros(self.comparing.load(Ordering::Relaxed)).as_secs_f64()
    }

    /// Stops reading and says what was seen.
    pub(crate) fn finish(self, sent_pictures: u64) -> Result<PictureFigures> {
        self.stop.store(true, Ordering::Relaxed);
        let seen = self.reader.join().ok().context("the picture reader panicked")?;
        let psnr = self.comparer.join().ok().context("the comparer panicked")??;
        PictureFigures::of(&seen, &psnr, sent_pictures)
    }
}

fn read(
    slot: &LatestSlot<I420Frame>,
    every: Duration,
    clocks: Clocks,
    stop: &AtomicBool,
    chosen: &SyncSender<(u32, I420Frame)>,
) -> Seen {
    let (mut seen, mut chosen_count) = (Seen::default(), 0);
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
        let age_ms = clocks.ours.system_ms(frame.time) - clocks.theirs.system_ms(stamp.time);
        seen.arrivals.push(Arrival { number: stamp.number, age_ms, decoded: frame.time });
        let Some(first) = seen.arrivals.first().map(|first| first.decoded) else { continue };
        // Where pictures come slowly, each of them is compared. A full queue means that this one is left out.
        if frame.time.since(first) >= every * chosen_count && chosen.try_send((stamp.number, frame)).is_ok() {
            chosen_count += 1;
        }
    }
    seen
}

fn compare(mut originals: Originals, waiting: &Receiver<(u32, I420Frame)>, took: &AtomicU64) -> Result<Vec<f64>> {
    let mut psnr = Vec::new();
    for (number, received) in waiting {
        let original = originals.get(number).context("what was sent can't be made again")?;
        psnr.extend(original.and_then(|original| psnr::luma_psnr(&original, &received)));
        took.store(usage::thread_time().as_micros() as u64, Ordering::Relaxed);
    }
    Ok(psnr)
}

/// How one direction did.
#[derive(Debug, Serialize, Deserialize)]
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
        // For whoever looks for the reason of a slow one: when in the run, which picture, how late.
        for late in arrivals.iter().filter(|arrival| arrival.age_ms > LATE_MS) {
            let at_ms = late.decoded.since(first.decoded).as_millis();
            tracing::info!(number = late.number, at_ms, age_ms = rounded(late.age_ms), "a late picture");
        }
        let mut ages: Vec<f64> = arrivals.iter().map(|arrival| arrival.age_ms).collect();
        ages.sort_by(f64::total_cmp);
        let youngest = at_share(&ages, 0.0);
        ensure!(youngest >= -CLOCK_TOLERANCE_MS, "a picture arrived {:.1} ms before it was captured", -youngest);
        let gaps = || arrivals.windows(2).map(|two| two[1].decoded.since(two[0].decoded));
        ensure!(
            psnr.len() >= COMPARED,
            "only {} of {} pictures were compared, not {COMPARED}",
            psnr.len(),
            arrivals.len()
        );
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
            age_ms: decoded as f64 - sent as f64,
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
        assert!(PictureFigures::of(&seen([(0, 20, 10), (1, 33, 43)]), &psnr, 2).is_err(), "older than its capture");
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
