//! No ghost rings: whatever ends a ring ends it on every device.

use std::time::Duration;

use parley_call::{
    Attempt, Phase, SignallingError, Why,
    machine::{Effect, Input},
};
use parley_domain::EndReason;

use crate::driver::{Driver, UNREACHABLE};

const RING: Duration = Duration::from_secs(45);

fn rings_here() -> Driver {
    let mut driver = Driver::new();
    assert_eq!(driver.give(Input::Invited { ring_for: RING }), []);
    assert_eq!(driver.phase(), Phase::RingingIn { accepting: false });
    driver
}

fn rings_there() -> Driver {
    let mut driver = Driver::new();
    assert_eq!(driver.give(Input::Placed), []);
    assert_eq!(driver.phase(), Phase::RingingOut);
    driver
}

fn ended(reason: EndReason) -> Input {
    Input::EndedByServer { reason, duration_seconds: None }
}

#[test]
fn every_end_that_the_server_tells_stops_both_sides() {
    for reason in EndReason::ALL.iter().copied() {
        for mut driver in [rings_here(), rings_there()] {
            assert_eq!(driver.give(ended(reason)), []);
            assert_eq!(driver.why(), Some(Why::Told(reason)));
            assert!(driver.machine.is_finished());
            assert_eq!(driver.machine.deadline(), None);
        }
    }
}

#[test]
fn an_answer_on_another_device_stops_the_ring_here() {
    let mut driver = rings_here();
    assert_eq!(driver.give(Input::Started), []);
    assert_eq!(driver.why(), Some(Why::AnsweredElsewhere));
}

#[test]
fn a_ring_that_nobody_ends_ends_by_itself() {
    let mut driver = rings_here();
    assert_eq!(driver.pass_seconds(60), []);
    assert_eq!(driver.why(), Some(Why::Unanswered));

    let mut driver = rings_there();
    assert_eq!(driver.pass_seconds(60)[..1], [Effect::SendCancel]);
    assert_eq!(driver.why(), Some(Why::Unanswered));
}

#[test]
fn an_absurd_ring_time_is_capped() {
    let mut driver = Driver::new();
    driver.give(Input::Invited { ring_for: Duration::MAX });
    driver.pass_seconds(60);
    assert_eq!(driver.why(), Some(Why::Unanswered));
}

#[test]
fn declining_ends_here_at_once_and_tells_the_server_until_it_hears() {
    let mut driver = rings_here();
    assert_eq!(driver.give(Input::Decline), [Effect::SendDecline]);
    assert_eq!(driver.why(), Some(Why::Declined));
    assert!(!driver.machine.is_finished());
    assert_eq!(driver.give(Input::DeclineDone(Err(UNREACHABLE))), []);
    assert_eq!(driver.pass_seconds(2), [Effect::SendDecline]);
    assert_eq!(driver.give(Input::DeclineDone(Ok(()))), []);
    assert!(driver.machine.is_finished());
}

#[test]
fn clicking_accept_twice_accepts_once() {
    let mut driver = rings_here();
    assert_eq!(driver.give(Input::Accept), [Effect::SendAccept]);
    assert_eq!(driver.give(Input::Accept), []);
    assert_eq!(driver.phase(), Phase::RingingIn { accepting: true });
    assert_eq!(driver.give(Input::AcceptDone(Ok(()))), [Effect::FetchToken(Attempt(1))]);
    assert_eq!(driver.give(Input::Accept), []);
    assert_eq!(driver.give(Input::Started), []);
    assert_eq!(driver.phase(), Phase::Joining);
}

#[test]
fn the_start_may_overtake_the_answer_to_our_accept() {
    let mut driver = rings_here();
    driver.give(Input::Accept);
    assert_eq!(driver.give(Input::Started), [Effect::FetchToken(Attempt(1))]);
    assert_eq!(driver.give(Input::AcceptDone(Ok(()))), []);
    assert_eq!(driver.phase(), Phase::Joining);
}

#[test]
fn an_accept_that_can_not_be_sent_is_repeated_while_it_rings() {
    let mut driver = rings_here();
    driver.give(Input::Accept);
    driver.give(Input::AcceptDone(Err(UNREACHABLE)));
    assert_eq!(driver.phase(), Phase::RingingIn { accepting: true });
    assert_eq!(driver.pass_seconds(1), [Effect::SendAccept]);
    driver.give(Input::AcceptDone(Err(UNREACHABLE)));
    driver.pass_seconds(1);
    driver.pass_seconds(60);
    assert_eq!(driver.why(), Some(Why::Unanswered));
}

#[test]
fn accepting_a_ring_that_was_taken_back_ends_it() {
    let mut driver = rings_here();
    driver.give(Input::Accept);
    assert_eq!(driver.give(Input::AcceptDone(Err(SignallingError::WrongState))), []);
    assert_eq!(driver.why(), Some(Why::Gone));
}

#[test]
fn an_accept_that_is_refused_ends_the_ring_and_says_why() {
    for (error, why) in [
        (SignallingError::Refused("not yours".to_owned()), "the server refused: not yours"),
        (SignallingError::TokenRefused, "the server refused: the meeting's token was refused"),
    ] {
        let mut driver = rings_here();
        driver.give(Input::Accept);
        driver.give(Input::AcceptDone(Err(error)));
        let Some(Why::Failed(failure)) = driver.why() else { panic!("it failed") };
        assert_eq!(failure.to_string(), why);
    }
}

#[test]
fn taking_back_a_ring_that_was_just_answered_ends_the_call() {
    let mut driver = rings_there();
    assert_eq!(driver.give(Input::HangUp), [Effect::SendCancel]);
    assert_eq!(driver.give(Input::Started), []);
    assert_eq!(driver.give(Input::CancelDone(Err(SignallingError::WrongState))), [Effect::SendEnd]);
    assert_eq!(driver.give(Input::EndDone(Ok(Some(1)))), []);
    assert_eq!(driver.why(), Some(Why::Cancelled));
    assert!(driver.machine.is_finished());
}

#[test]
fn hanging_up_while_the_accept_is_under_way_ends_the_call_that_came_of_it() {
    let mut driver = rings_here();
    driver.give(Input::Accept);
    assert_eq!(driver.give(Input::HangUp), [Effect::SendDecline]);
    assert_eq!(driver.give(Input::AcceptDone(Ok(()))), [Effect::SendEnd]);
    assert_eq!(driver.give(Input::DeclineDone(Err(SignallingError::WrongState))), []);
    assert!(!driver.machine.is_finished());
    driver.give(Input::EndDone(Ok(None)));
    assert!(driver.machine.is_finished());
}

#[test]
fn quitting_takes_our_ring_back_and_leaves_theirs_to_other_devices() {
    let mut driver = rings_there();
    assert_eq!(driver.give(Input::Dropped), [Effect::SendCancel]);
    let mut driver = rings_here();
    assert_eq!(driver.give(Input::Dropped), []);
    assert!(driver.machine.is_finished());
}

#[test]
fn a_farewell_that_nobody_hears_is_given_up() {
    let mut driver = rings_there();
    driver.give(Input::HangUp);
    for _ in 0..10 {
        driver.give(Input::CancelDone(Err(UNREACHABLE)));
        driver.pass_seconds(5);
    }
    assert!(driver.machine.is_finished());
}
