//! A server whose App ID and certificate don't belong together makes tokens that Agora refuses: the call ends soon, and
//! says so, instead of trying until its time is over.

#![cfg(target_os = "linux")]

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use common::{PATIENCE, Rig};
use parley_agora::gateway::GatewayEngine;
use parley_call::{
    CallFailure, CallSession, CallSnapshot, Credentials, EngineError, Grant, MediaState, Opening, Phase, Signalling,
    SignallingError, Token, Why, suite::Side,
};
use parley_domain::{EngineKind, MeetingId};

/// A server for one person. It says yes to everything and counts the tokens that it gave.
struct Server {
    credentials: Credentials,
    tokens: AtomicU32,
    has_ended: AtomicBool,
}

impl Signalling for Server {
    async fn accept(&self, _: MeetingId) -> Result<(), SignallingError> {
        Ok(())
    }

    async fn decline(&self, _: MeetingId) -> Result<(), SignallingError> {
        Ok(())
    }

    async fn cancel(&self, _: MeetingId) -> Result<(), SignallingError> {
        Ok(())
    }

    async fn end(&self, _: MeetingId) -> Result<Option<i64>, SignallingError> {
        self.has_ended.store(true, Ordering::Relaxed);
        Ok(None)
    }

    async fn fetch_token(&self, _: MeetingId) -> Result<Grant, SignallingError> {
        self.tokens.fetch_add(1, Ordering::Relaxed);
        let life = Duration::from_secs(3_600);
        Ok(Grant { engine: EngineKind::Agora, credentials: self.credentials.clone(), life })
    }

    async fn call_join(&self, _: MeetingId, _: Token) -> Result<(), SignallingError> {
        Ok(())
    }

    async fn call_leave(&self, _: MeetingId) -> Result<(), SignallingError> {
        Ok(())
    }

    async fn call_state(&self, _: MeetingId, _: MediaState) -> Result<(), SignallingError> {
        Ok(())
    }

    async fn call_signal(&self, _: MeetingId, _: String) -> Result<(), SignallingError> {
        Ok(())
    }
}

/// Why a call ended that began with these, after how many tokens, and whether the server was told.
async fn end_of_call(rig: &Rig, credentials: Credentials) -> (Why, u32, bool) {
    let server = Arc::new(Server { credentials, tokens: AtomicU32::new(0), has_ended: AtomicBool::new(false) });
    let library = Arc::clone(rig.library());
    let factory = Box::new(move |_, ports| Ok(Box::new(GatewayEngine::new(ports, Arc::clone(&library))) as Box<_>));
    let meeting = "00000000-0000-0000-0000-000000000007".parse().expect("an id");
    let session = CallSession::start(meeting, Opening::Active, Arc::clone(&server), factory);
    let mut watch = session.watch();
    let over = tokio::time::timeout(PATIENCE * 4, watch.wait_for(CallSnapshot::is_over)).await;
    let over = over.expect("it ends").expect("the task is alive").clone();
    session.finish().await;
    let Phase::Ended(ending) = over.phase else { unreachable!("it is over") };
    (ending.why, server.tokens.load(Ordering::Relaxed), server.has_ended.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_certificate_costs_two_tokens_and_is_named() {
    let rig = Rig::new();
    let mut credentials = rig.credentials(Side::A);
    credentials.token = rig.token_signed_with("0123456789abcdef0123456789abcdef", 1_001, 600);
    let (why, tokens, told) = end_of_call(&rig, credentials).await;
    assert_eq!(why, Why::Failed(CallFailure::Media(EngineError::TokenRefused)));
    assert_eq!((tokens, told), (2, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_app_id_costs_two_tokens_and_is_named() {
    let rig = Rig::new();
    let credentials = Credentials { app_id: "0123456789abcdef0123456789abcdef".to_owned(), ..rig.credentials(Side::A) };
    let (why, tokens, told) = end_of_call(&rig, credentials).await;
    assert_eq!(why, Why::Failed(CallFailure::Media(EngineError::TokenRefused)));
    assert_eq!((tokens, told), (2, true));
}
