//! A thousand calls cost no more than one, and an hour no more than a minute.
//!
//! `PARLEY_SOAK_CYCLES` and `PARLEY_SOAK_SECONDS` make both longer; a night does 10,000 and 600.

#![cfg(target_os = "linux")]

mod common;

use std::{
    fs,
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use common::{Grey, Rig, eventually};
use parley_call::{Attempt, AudioBlock, AudioQueue, EngineEvent, MediaEngine, MediaTime, VideoProfile, suite::Side};

/// So much more memory, in KiB, is not taken for growth.
const MEMORY: i64 = 4 * 1_024;

/// What this process holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// Memory that is in use, in KiB.
    memory: i64,
    threads: usize,
    files: usize,
}

impl Held {
    fn now() -> Self {
        let pages = fs::read_to_string("/proc/self/statm").expect("Linux tells");
        let pages: i64 = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
        let entries = |folder| fs::read_dir(folder).expect("Linux tells").count();
        Self { memory: pages * 4, threads: entries("/proc/self/task"), files: entries("/proc/self/fd") }
    }

    /// How much more memory is held now than then; threads and files must not be more.
    fn growth_since(before: Self) -> i64 {
        // The address sanitizer keeps what was freed for a while; it looks for leaks itself.
        let is_sanitized = std::env::var_os("ASAN_OPTIONS").is_some();
        assert!(
            eventually(|| Self::now().threads <= before.threads && Self::now().files <= before.files),
            "{before:?} before, {:?} now",
            Self::now()
        );
        if is_sanitized { 0 } else { Self::now().memory - before.memory }
    }
}

fn number<T: FromStr>(variable: &str, usual: T) -> T {
    std::env::var_os(variable).and_then(|text| text.to_str()?.parse().ok()).unwrap_or(usual)
}

#[test]
fn joining_and_leaving_many_times_leaves_nothing() {
    let rig = Rig::new();
    // Otherwise the stand-in writes to a table of 4 MiB bit by bit.
    rig.misbehave("reuse_handles", 1);
    let cycles: u32 = number("PARLEY_SOAK_CYCLES", 200);
    let mut stays = rig.end();
    stays.engine.join(Attempt(1), rig.credentials(Side::B));
    stays.expect(&EngineEvent::Joined(Attempt(1)));
    let grey = Grey::start(64, 36, 90);
    let mut cycle = || {
        let mut end = rig.end();
        end.engine.publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
        end.engine.publish_audio(Some(Arc::new(AudioQueue::new(4))));
        end.engine.join(Attempt(1), rig.credentials(Side::A));
        end.expect(&EngineEvent::PeerConnected);
        end.engine.leave();
        stays.expect(&EngineEvent::PeerLeft);
        stays.told().clear();
    };
    // What is made once is made by then.
    (0..cycles.min(100)).for_each(|_| cycle());
    let before = Held::now();
    (0..cycles).for_each(|_| cycle());
    let growth = Held::growth_since(before);
    println!("{growth} KiB more after {cycles} calls");
    assert!(growth < MEMORY, "{growth} KiB more after {cycles} calls");
}

#[test]
fn services_come_and_go_many_times() {
    let rig = Rig::new();
    rig.misbehave("reuse_handles", 1);
    let cycles: u32 = number("PARLEY_SOAK_CYCLES", 200) / 2;
    let cycle = || {
        let (a, b) = rig.call();
        drop((a, b));
        rig.expect_nothing_in_use();
    };
    (0..cycles.min(50)).for_each(|_| cycle());
    let before = Held::now();
    (0..cycles).for_each(|_| cycle());
    let growth = Held::growth_since(before);
    println!("{growth} KiB more after {cycles} services");
    assert!(growth < MEMORY, "{growth} KiB more after {cycles} services");
}

#[test]
fn a_long_call_in_both_directions_stays_as_small_as_it_was() {
    let rig = Rig::new();
    let length = Duration::from_secs(number("PARLEY_SOAK_SECONDS", 60));
    let (mut a, mut b) = rig.call();
    let (light, dark) = (Grey::start(1_280, 720, 200), Grey::start(1_280, 720, 50));
    a.engine.publish_video(Some(Arc::clone(&light.frames)), VideoProfile::default());
    b.engine.publish_video(Some(Arc::clone(&dark.frames)), VideoProfile::default());
    let sound = [Arc::new(AudioQueue::new(20)), Arc::new(AudioQueue::new(20))];
    a.engine.publish_audio(Some(Arc::clone(&sound[0])));
    b.engine.publish_audio(Some(Arc::clone(&sound[1])));
    a.expect_grey(50);
    b.expect_grey(200);
    let (mut heard, mut seen) = (0_u64, 0_u64);
    let mut run = |length: Duration| {
        let until = Instant::now() + length;
        while Instant::now() < until {
            for queue in &sound {
                queue.push(AudioBlock { samples: [1_000; 480], time: MediaTime::now() });
            }
            for end in [&mut a, &mut b] {
                heard += u64::from(end.ports.remote_audio.pop().is_some());
                seen += u64::from(end.ports.remote_video.try_take().is_some());
                end.told().retain(|told| !matches!(told, EngineEvent::Quality(_)));
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        (heard, seen)
    };
    run(length / 6);
    let before = Held::now();
    let (heard, seen) = run(length);
    let growth = Held::growth_since(before);
    println!("{growth} KiB more after {length:?}");
    assert!(growth < 8 * 1_024, "{growth} KiB more after {length:?}");
    // A machine that is busy with other things drops most of it, but never all.
    let seconds = length.as_secs();
    assert!(heard > seconds * 5 && seen > seconds, "heard {heard}, seen {seen} in {length:?}");
    for end in [&mut a, &mut b] {
        let broken = |told: &EngineEvent| matches!(told, EngineEvent::Lost(_) | EngineEvent::PeerLeft);
        assert!(!end.told().iter().any(broken), "{:?}", end.told());
    }
}
