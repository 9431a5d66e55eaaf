//! How unevenly packets or pictures arrive, and how sound and pictures are kept in step.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// Measures how much later than the fastest of the last arrivals nearly all others come.
pub(crate) struct Unevenness {
    begun: Option<Instant>,
    /// Time of arrival minus time of sending, in microseconds; the clocks' offset is unknown but the same for all.
    transits: VecDeque<i64>,
    window: usize,
    scratch: Vec<i64>,
}

/// So many of 100 arrivals come within the measured unevenness; the rest is cheaper to lose than to wait for.
const COVERED_PERCENT: usize = 95;
/// A transit that jumps by more than this is another stream or a clock that was set: what was measured is void.
const MAX_JUMP: i64 = 5_000_000;
/// Fewer arrivals say nothing.
const MIN_ARRIVALS: usize = 10;

impl Unevenness {
    /// Measures over the last `window` arrivals.
    pub(crate) fn new(window: usize) -> Self {
        Self { begun: None, transits: VecDeque::with_capacity(window), window, scratch: Vec::new() }
    }

    /// One arrival: when it came, and when it was sent on the sender's clock. The unevenness, once it is known.
    pub(crate) fn add(&mut self, arrived: Instant, sent: Duration) -> Option<Duration> {
        let begun = *self.begun.get_or_insert(arrived);
        let since = arrived.saturating_duration_since(begun);
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4);
        let transit = micros(since).saturating_sub(micros(sent));
        if self.transits.back().is_some_and(|last| last.abs_diff(transit) > MAX_JUMP as u64) {
            self.transits.clear();
        }
        if self.transits.len() == self.window {
            self.transits.pop_front();
        }
        self.transits.push_back(transit);
        if self.transits.len() < MIN_ARRIVALS {
            return None;
        }
        self.scratch.clear();
        self.scratch.extend(&self.transits);
        let least = *self.scratch.iter().min()?;
        let at = (self.scratch.len() - 1) * COVERED_PERCENT / 100;
        let (_, most, _) = self.scratch.select_nth_unstable(at);
        Some(Duration::from_micros((*most - least).unsigned_abs()))
    }

    /// How long after the fastest of the last arrivals this one came.
    pub(crate) fn lateness(&self, arrived: Instant, sent: Duration) -> Duration {
        let (Some(begun), Some(least)) = (self.begun, self.transits.iter().min()) else { return Duration::ZERO };
        let since = i64::try_from(arrived.saturating_duration_since(begun).as_micros()).unwrap_or(i64::MAX / 4);
        let transit = since.saturating_sub(i64::try_from(sent.as_micros()).unwrap_or(i64::MAX / 4));
        Duration::from_micros(u64::try_from(transit.saturating_sub(*least)).unwrap_or(0))
    }
}

/// How old sound and pictures are when they are heard and seen, measured against the sender's clock, so that they can
/// be kept in step. The clocks differ by an unknown amount, which is the same for both.
#[derive(Default)]
pub(crate) struct LipSync(Mutex<Ages>);

#[derive(Default)]
struct Ages {
    /// In microseconds; smoothed.
    sound: Option<f64>,
    pictures: Option<f64>,
    base: Option<(Instant, SystemTime)>,
}

/// Pictures this much later than their sound are not noticed; sound this much later than its picture is not either
/// (ITU-R BT.1359: noticed from 45 ms early and 125 ms late).
const TOLERANCE: Duration = Duration::from_millis(40);
/// Nobody is held back by more than this, whatever the other's clock says.
const MAX_WAIT: Duration = Duration::from_millis(300);
/// Weight of a new value.
const SMOOTHING: f64 = 0.05;

impl LipSync {
    /// Sound that was captured at `captured` on the sender's clock is heard at `heard`. How much later it should be.
    pub(crate) fn on_sound(&self, captured: SystemTime, heard: Instant) -> Duration {
        let mut ages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(age) = ages.age(captured, heard) else { return Duration::ZERO };
        let before = ages.sound;
        ages.forget_after_jump(before, age);
        let sound = smooth(&mut ages.sound, age);
        wait(ages.pictures, sound)
    }

    /// A picture that was captured at `captured` on the sender's clock could be seen at `seen`. How much later it
    /// should be.
    pub(crate) fn on_picture(&self, captured: SystemTime, seen: Instant) -> Duration {
        let mut ages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(age) = ages.age(captured, seen) else { return Duration::ZERO };
        let before = ages.pictures;
        ages.forget_after_jump(before, age);
        let pictures = smooth(&mut ages.pictures, age);
        wait(ages.sound, pictures)
    }

    /// The stream is another one or has stopped.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Ages::default();
    }
}

impl Ages {
    /// A sender's clock that was set makes everything measured void.
    fn forget_after_jump(&mut self, old: Option<f64>, new: f64) {
        if old.is_some_and(|old| (old - new).abs() > MAX_JUMP as f64) {
            (self.sound, self.pictures) = (None, None);
        }
    }

    /// Microseconds between the two, against the first pair that was seen.
    fn age(&mut self, captured: SystemTime, shown: Instant) -> Option<f64> {
        let (base_shown, base_captured) = *self.base.get_or_insert((shown, captured));
        let signed = |later: Option<Duration>, earlier: Option<Duration>| match (later, earlier) {
            (Some(later), _) => Some(later.as_secs_f64() * 1e6),
            (None, Some(earlier)) => Some(-earlier.as_secs_f64() * 1e6),
            (None, None) => None,
        };
        let shown = signed(shown.checked_duration_since(base_shown), base_shown.checked_duration_since(shown))?;
        let captured =
            signed(captured.duration_since(base_captured).ok(), base_captured.duration_since(captured).ok())?;
        Some(shown - captured)
    }
}

fn smooth(value: &mut Option<f64>, new: f64) -> f64 {
    let next = value.map_or(new, |old| old + (new - old) * SMOOTHING);
    *value = Some(next);
    next
}

fn wait(others: Option<f64>, own: f64) -> Duration {
    let behind = others.map_or(0.0, |others| others - own) - TOLERANCE.as_secs_f64() * 1e6;
    Duration::from_micros(behind.max(0.0).round() as u64).min(MAX_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_stream_has_no_unevenness_whatever_the_clocks() {
        let (begun, mut uneven) = (Instant::now(), Unevenness::new(50));
        let mut last = None;
        for at in 0..60 {
            let sent = Duration::from_millis(1_000_000 + at * 20);
            last = uneven.add(begun + Duration::from_millis(at * 20), sent);
        }
        assert_eq!(last, Some(Duration::ZERO));
    }

    #[test]
    fn rare_stragglers_do_not_count_common_ones_do() {
        for (every, expected) in [(50, 0), (5, 80)] {
            let (begun, mut uneven, mut last) = (Instant::now(), Unevenness::new(100), None);
            for at in 0..100 {
                let late = if at % every == 0 { 80 } else { 0 };
                last = uneven.add(begun + Duration::from_millis(at * 20 + late), Duration::from_millis(at * 20));
            }
            assert_eq!(last, Some(Duration::from_millis(expected)), "one of {every}");
        }
    }

    #[test]
    fn a_clock_that_jumps_begins_anew() {
        let (begun, mut uneven) = (Instant::now(), Unevenness::new(100));
        for at in 0..50 {
            uneven.add(begun + Duration::from_millis(at * 20), Duration::from_millis(at * 20));
        }
        assert_eq!(uneven.add(begun + Duration::from_secs(1), Duration::from_secs(99_999)), None);
        uneven.add(begun, Duration::MAX);
        uneven.lateness(begun, Duration::MAX);
    }

    #[test]
    fn the_faster_of_the_two_waits_for_the_slower() {
        let (sync, begun) = (LipSync::default(), Instant::now());
        let captured = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let shown = |ms: u64| begun + Duration::from_millis(ms);
        assert_eq!(sync.on_sound(captured, shown(200)), Duration::ZERO);
        let waits = sync.on_picture(captured, shown(20));
        assert_eq!(waits.as_millis(), 140);
        sync.forget();
        assert_eq!(sync.on_picture(captured, shown(20)), Duration::ZERO);
        assert_eq!(sync.on_sound(captured, shown(50)), Duration::ZERO);
        assert_eq!(sync.on_picture(captured + Duration::from_secs(3_600), shown(60)), Duration::ZERO);
    }
}
