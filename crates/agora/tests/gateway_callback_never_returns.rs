//! A callback that never returns keeps what it works with alive for ever; everybody else goes on.

#![cfg(target_os = "linux")]

mod common;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use common::{Grey, Rig, eventually};
use parley_agora::gateway::faults;
use parley_call::{Attempt, EngineEvent, MediaEngine, VideoProfile, suite::Side};

#[test]
fn leaving_ends_in_time_and_the_next_call_works() {
    let mut rig = Rig::new();
    rig.leave_something();
    let (mut a, mut b) = rig.call();
    let grey = Grey::start(64, 36, 90);
    a.engine.publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    b.expect_grey(90);
    faults::hold_callbacks(true);
    // The next picture's callback stays inside.
    b.ports.remote_video.try_take();
    assert!(eventually(|| {
        let before = b.ports.remote_video.put_count();
        std::thread::park_timeout(Duration::from_millis(300));
        b.ports.remote_video.put_count() == before
    }));
    let began = Instant::now();
    b.engine.leave();
    assert!((Duration::from_secs(4)..Duration::from_secs(25)).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert!(rig.standin().get("connections") > 0, "it is left as it is");
    faults::hold_callbacks(false);
    b.engine.join(Attempt(2), rig.credentials(Side::B));
    b.expect(&EngineEvent::Joined(Attempt(2)));
    b.expect(&EngineEvent::PeerConnected);
    b.expect_grey(90);
}
