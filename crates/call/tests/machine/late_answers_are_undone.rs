//! What was asked for before the end and is answered after it leaves nothing behind.

use parley_call::{
    Attempt, EngineError, EngineEvent, SignallingError, Why,
    machine::{Effect, Input},
};
use parley_domain::EndReason;

use crate::driver::{Driver, grant};

#[test]
fn a_late_token_is_not_used() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    assert_eq!(driver.give(Input::HangUp), [Effect::SendEnd]);
    assert_eq!(driver.give(Input::TokenFetched(Attempt(1), Ok(grant(1)))), []);
}

#[test]
fn a_late_call_join_is_left_again() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    driver.give(Input::TokenFetched(Attempt(1), Ok(grant(1))));
    assert_eq!(driver.give(Input::HangUp), [Effect::SendEnd]);
    assert_eq!(driver.give(Input::CallJoined(Attempt(1), Ok(()))), [Effect::SendCallLeave]);
}

#[test]
fn a_late_call_join_after_a_move_does_not_unbind_the_other_device() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    driver.give(Input::TokenFetched(Attempt(1), Ok(grant(1))));
    driver.give(Input::EndedByServer { reason: EndReason::Moved, duration_seconds: None });
    assert_eq!(driver.give(Input::CallJoined(Attempt(1), Ok(()))), []);
}

#[test]
fn a_late_engine_join_is_left_again() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    driver.bind(Attempt(1));
    assert_eq!(driver.give(Input::HangUp), [Effect::LeaveEngine, Effect::SendCallLeave, Effect::SendEnd]);
    assert_eq!(driver.tell(EngineEvent::Joined(Attempt(1))), [Effect::LeaveEngine]);
    assert_eq!(driver.tell(EngineEvent::PeerConnected), []);
    assert_eq!(driver.why(), Some(Why::HungUp));
}

#[test]
fn a_moved_call_leaves_the_engine_and_nothing_else() {
    let mut driver = Driver::connected();
    let moved = Input::EndedByServer { reason: EndReason::Moved, duration_seconds: None };
    assert_eq!(driver.give(moved), [Effect::LeaveEngine]);
    assert_eq!(driver.why(), Some(Why::Told(EndReason::Moved)));
    assert!(driver.machine.is_finished());
}

#[test]
fn answers_of_an_earlier_attempt_do_not_disturb_the_next_one() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    // The socket comes back while the first token is under way: everything begins anew.
    assert_eq!(driver.give(Input::SocketUp), [Effect::FetchToken(Attempt(2))]);
    assert_eq!(driver.give(Input::TokenFetched(Attempt(1), Err(SignallingError::WrongState))), []);
    assert_eq!(driver.give(Input::CallJoined(Attempt(1), Ok(()))), []);
    assert!(matches!(driver.bind(Attempt(2))[..], [Effect::JoinEngine { attempt: Attempt(2), .. }, ..]));
    assert_eq!(driver.tell(EngineEvent::Joined(Attempt(1))), []);
    assert_eq!(driver.tell(EngineEvent::JoinFailed(Attempt(1), EngineError::TimedOut)), []);
    driver.tell(EngineEvent::Joined(Attempt(2)));
    driver.tell(EngineEvent::PeerConnected);
    assert_eq!(driver.phase(), parley_call::Phase::Connected);
}

#[test]
fn hanging_up_twice_hangs_up_once_and_learns_the_duration() {
    let mut driver = Driver::connected();
    assert_eq!(driver.give(Input::HangUp), [Effect::LeaveEngine, Effect::SendCallLeave, Effect::SendEnd]);
    assert_eq!(driver.give(Input::HangUp), []);
    let ended = Input::EndedByServer { reason: EndReason::Ended, duration_seconds: Some(61) };
    assert_eq!(driver.give(ended), []);
    let parley_call::Phase::Ended(ending) = driver.phase() else { panic!("it is over") };
    assert_eq!((ending.why, ending.duration_seconds), (Why::HungUp, Some(61)));
    // The answer to our own request comes after the event: nothing more to do.
    assert_eq!(driver.give(Input::EndDone(Err(SignallingError::WrongState))), []);
    assert!(driver.machine.is_finished());
}

#[test]
fn quitting_leaves_without_ending_the_call_for_the_other_side() {
    let mut driver = Driver::connected();
    assert_eq!(driver.give(Input::Dropped), [Effect::LeaveEngine, Effect::SendCallLeave]);
    assert!(driver.machine.is_finished());
}
