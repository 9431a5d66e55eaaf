//! Foreign bytes in `on_signal`: late, doubled, malformed, oversized. Nothing panics, and the call goes on.

mod common;

use parley_call::{EngineEvent, MediaEngine};
use proptest::{prelude::*, strategy::ValueTree};

use crate::common::{End, Pair, loopback};

/// What was told since the last look, but for quality reports.
fn news(pair: &mut Pair) -> Vec<EngineEvent> {
    let told = pair.ends.iter_mut().flat_map(|end| end.told.drain(..));
    told.filter(|event| !matches!(event, EngineEvent::Quality(_))).collect()
}

/// Waits until both have told their quality twice (about a second apart): by then every signal given before was
/// handled. Nothing else may have been told.
async fn settle(pair: &mut Pair) {
    let reports = |end: &End| end.told.iter().filter(|event| matches!(event, EngineEvent::Quality(_))).count();
    pair.until("quality", |pair| pair.ends.iter().all(|end| reports(end) >= 2)).await;
    assert_eq!(news(pair), [], "the call goes on undisturbed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_and_oversized_signals_change_nothing() {
    let mut pair = Pair::connected(loopback()).await;
    news(&mut pair);
    let sessions: Vec<String> = pair
        .carried
        .iter()
        .filter_map(|(_, text)| text.split("\"from\":\"").nth(1)?.split('"').next().map(str::to_owned))
        .collect();
    let (one, two) = (sessions[0].clone(), sessions.iter().find(|id| **id != sessions[0]).unwrap().clone());
    let deep = "[".repeat(50_000);
    let huge = format!(r#"{{"v":1,"x":"{}"}}"#, "y".repeat(10_000_000));
    let mut bad = vec![String::new(), "null".to_owned(), "\u{0}".repeat(9), deep, huge];
    for (from, to) in [(&one, &two), (&two, &one)] {
        for (kind, rest) in [
            ("offer", r#","round":4294967295,"sdp":"v=0""#),
            ("offer", r#","round":0,"sdp":"""#),
            ("answer", r#","round":1,"sdp":"v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\n""#),
            ("answer", r#","round":7,"sdp":"\u0000""#),
            ("candidate", r#","round":1,"candidate":"candidate:x""#),
            ("candidate", r#","round":1,"candidate":"candidate:1 1 udp 1 host.local 9 typ host""#),
            ("tracks", r#","count":0,"tracks":{"video":false,"audio":false,"wants_video":false}"#),
            ("hello", ""),
        ] {
            bad.push(format!(r#"{{"v":1,"from":"{from}","to":"{to}","type":"{kind}"{rest}}}"#));
        }
    }
    for text in &bad {
        for end in &mut pair.ends {
            end.engine.on_signal(text);
        }
    }
    settle(&mut pair).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_said_before_said_again_changes_nothing() {
    let mut pair = Pair::connected(loopback()).await;
    news(&mut pair);
    for (at, text) in pair.carried.clone() {
        for _ in 0..3 {
            pair.ends[at].engine.on_signal(&text);
        }
    }
    settle(&mut pair).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_descriptions_never_panic() {
    // Offers and answers of a real call, damaged; given to engines that wait for one.
    let mut pair = Pair::connected(loopback()).await;
    let real: Vec<(usize, String)> = std::mem::take(&mut pair.carried);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let damage = (0..real.len(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>());
    let mut waiting = Pair::new(loopback());
    waiting.ends.iter_mut().for_each(|end| end.join());
    for _ in 0..300 {
        let (which, from, to, byte) = damage.new_tree(&mut runner).unwrap().current();
        let (at, text) = &real[which];
        let mut bytes = text.clone().into_bytes();
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
        if byte % 3 == 0 {
            bytes.drain(from.min(to)..from.max(to));
        } else {
            bytes[from] = byte;
        }
        if let Ok(text) = String::from_utf8(bytes) {
            waiting.ends[*at].engine.on_signal(&text);
        }
    }
    for at in 0..2 {
        waiting.expect(at, &EngineEvent::PeerConnected).await;
    }
    let lost = |event: &EngineEvent| matches!(event, EngineEvent::Lost(_));
    assert!(!waiting.ends.iter().any(|end| end.told.iter().any(lost)));
}
