//! Coming, going and coming again, and networks that go away.

mod common;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use parley_call::{Attempt, EngineError, EngineEvent, MediaEngine, VideoProfile};
use parley_direct::{BindAddresses, Cable, DirectOptions, NetworkEmulation};
use parley_media::FrameLog;

use crate::common::{End, Pair, loopback, source};

#[cfg(target_os = "linux")]
fn engine_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux lists a process's threads");
    let names = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("direct-")).count()
}

/// Threads of other tests in this process would be counted too: this file's tests run one after the other.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_address_the_join_fails_and_says_so() {
    let _alone = ALONE.lock().await;
    let addresses = BindAddresses::Only(vec![IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7))]);
    let mut pair = Pair::new(DirectOptions { addresses, ..loopback() });
    pair.ends[0].join();
    pair.expect(0, &EngineEvent::JoinFailed(Attempt(1), EngineError::NoNetwork)).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_thread_stays_behind() {
    let _alone = ALONE.lock().await;
    assert_eq!(engine_threads(), 0);
    let mut pair = Pair::new(loopback());
    for round in 0..6 {
        pair.ends.iter_mut().for_each(End::join);
        pair.until("the threads run", |_| engine_threads() == 8).await;
        if round % 2 == 0 {
            for at in 0..2 {
                pair.expect(at, &EngineEvent::PeerConnected).await;
            }
        }
        pair.ends.iter_mut().for_each(|end| end.engine.leave());
        assert_eq!(engine_threads(), 0, "round {round}");
        while pair.ends.iter_mut().any(|end| end.events.try_recv().is_ok()) {}
        pair.ends.iter_mut().for_each(|end| end.told.clear());
    }
    pair.ends.iter_mut().for_each(End::join);
    drop(pair);
    assert_eq!(engine_threads(), 0, "dropping ends them too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_all_addresses_told_a_path_is_found() {
    let _alone = ALONE.lock().await;
    Pair::connected(DirectOptions::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_joins_again_without_a_word_is_welcome() {
    let _alone = ALONE.lock().await;
    for at in [0, 1] {
        let mut pair = Pair::connected(loopback()).await;
        pair.ends[at].reachable = false;
        pair.ends[at].engine.leave();
        while pair.ends[at].events.try_recv().is_ok() {}
        pair.ends[at].reachable = true;
        pair.ends[at].join();
        for at in 0..2 {
            pair.expect(at, &EngineEvent::PeerConnected).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_path_comes_back_by_itself() {
    let _alone = ALONE.lock().await;
    let cable = Cable::default();
    let emulation = NetworkEmulation { cable: cable.clone(), ..NetworkEmulation::default() };
    let silence = Duration::from_millis(2_500);
    let mut pair = Pair::connected(DirectOptions { emulation: Some(emulation), silence, ..loopback() }).await;
    let log = Arc::new(FrameLog::new(1));
    let video = source(&log);
    pair.ends[0].engine.publish_video(Some(video.frames()), VideoProfile::default());
    pair.expect(1, &EngineEvent::RemoteVideo(true)).await;
    cable.unplug();
    for at in 0..2 {
        pair.expect(at, &EngineEvent::Reconnecting).await;
    }
    pair.expect(1, &EngineEvent::RemoteVideo(false)).await;
    cable.plug_in();
    for at in 0..2 {
        pair.expect(at, &EngineEvent::Reconnected).await;
    }
    pair.expect(1, &EngineEvent::RemoteVideo(true)).await;
    let parted = |event: &EngineEvent| matches!(event, EngineEvent::PeerLeft | EngineEvent::Lost(_));
    assert!(!pair.ends.iter().any(|end| end.told.iter().any(parted)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_whose_machine_vanished_has_left_after_a_while() {
    let _alone = ALONE.lock().await;
    let cable = Cable::default();
    let emulation = NetworkEmulation { cable: cable.clone(), ..NetworkEmulation::default() };
    let (silence, patience) = (Duration::from_millis(2_500), Duration::from_secs(9));
    let mut pair = Pair::connected(DirectOptions { emulation: Some(emulation), silence, patience, ..loopback() }).await;
    cable.unplug();
    pair.ends[1].reachable = false;
    pair.expect(0, &EngineEvent::Reconnecting).await;
    pair.expect(0, &EngineEvent::PeerLeft).await;
    // It comes back as if nothing had been.
    cable.plug_in();
    pair.ends[1].engine.leave();
    while pair.ends[1].events.try_recv().is_ok() {}
    pair.ends[1].reachable = true;
    pair.ends[1].join();
    pair.expect(0, &EngineEvent::PeerConnected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_never_comes_up_is_given_up() {
    let _alone = ALONE.lock().await;
    let dead = NetworkEmulation { loss: 1.0, ..NetworkEmulation::default() };
    let options = DirectOptions { emulation: Some(dead), patience: Duration::from_secs(3), ..loopback() };
    let mut pair = Pair::new(options);
    pair.ends.iter_mut().for_each(End::join);
    for at in 0..2 {
        pair.expect(at, &EngineEvent::Lost(EngineError::NoNetwork)).await;
    }
}
