use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{Money, ProjectId, ProposalId, RequestId};

const CLIENT: UserId = UserId(Uuid::from_u128(1));
const PROVIDER: UserId = UserId(Uuid::from_u128(2));
const OTHER_PROVIDER: UserId = UserId(Uuid::from_u128(3));
const STRANGER: UserId = UserId(Uuid::from_u128(9));
const OTHER_CALL: MeetingId = MeetingId(Uuid::from_u128(77));
const MINUTE: Duration = Duration::from_secs(60);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1_000)
}

fn project(provider_ids: &[UserId], status: ProjectStatus) -> Project {
    Project {
        id: ProjectId(Uuid::from_u128(10)),
        request_id: RequestId(Uuid::from_u128(11)),
        proposal_id: ProposalId(Uuid::from_u128(12)),
        client_id: CLIENT,
        provider_ids: provider_ids.to_vec(),
        title: "Site".into(),
        price: Money { amount_minor: 1, currency: "EUR".parse().unwrap() },
        scope: "All".into(),
        deadline: at(1_000_000),
        terms_hash: String::new(),
        status,
        conversation_id: Uuid::from_u128(13).into(),
        created_at: at(0),
    }
}

fn active() -> Project {
    project(&[PROVIDER], ProjectStatus::Active)
}

fn plan(kind: MeetingType, scheduled_at: Option<Timestamp>) -> MeetingPlan {
    MeetingPlan {
        id: MeetingId(Uuid::from_u128(20)),
        host: CLIENT,
        guest: None,
        kind,
        scheduled_at,
        channel_name: "parley-x".into(),
        engine: EngineKind::Direct,
    }
}

fn instant() -> Meeting {
    create_meeting(plan(MeetingType::Instant, None), &active(), None, at(0)).unwrap().meeting
}

fn scheduled(seconds: i64) -> Meeting {
    create_meeting(plan(MeetingType::Scheduled, Some(at(seconds))), &active(), None, at(0)).unwrap().meeting
}

fn context(seconds: i64) -> MeetingContext {
    MeetingContext { project: ProjectStatus::Active, other_in_progress: None, now: at(seconds) }
}

fn step(
    meeting: &Meeting,
    caller: UserId,
    step: MeetingStep,
    seconds: i64,
) -> Result<MeetingTransition, MeetingRefusal> {
    take_step(meeting, caller, step, context(seconds), &MeetingTimes::default())
}

fn taken(meeting: &Meeting, caller: UserId, wanted: MeetingStep, seconds: i64) -> Meeting {
    step(meeting, caller, wanted, seconds).unwrap().meeting
}

#[test]
fn a_closed_project_takes_no_meeting() {
    for status in [ProjectStatus::Completed, ProjectStatus::Cancelled] {
        let refused =
            create_meeting(plan(MeetingType::Instant, None), &project(&[PROVIDER], status), None, at(0)).unwrap_err();
        assert_eq!(refused, MeetingRefusal::ProjectNotActive(status));
    }
}

#[test]
fn scheduling_needs_a_time_in_the_future() {
    for time in [None, Some(at(-1)), Some(at(0))] {
        let refused = create_meeting(plan(MeetingType::Scheduled, time), &active(), None, at(0));
        assert_eq!(refused, Err(MeetingRefusal::TimeNotInFuture));
    }
}

#[test]
fn a_call_in_progress_stops_instant_ones_only() {
    let busy = |kind, time| create_meeting(plan(kind, time), &active(), Some(OTHER_CALL), at(0));
    assert_eq!(busy(MeetingType::Instant, None), Err(MeetingRefusal::InProgress(OTHER_CALL)));
    assert!(busy(MeetingType::Scheduled, Some(at(60))).is_ok());
}

#[test]
fn the_guest_is_the_other_side() {
    let one = active();
    let two = project(&[PROVIDER, OTHER_PROVIDER], ProjectStatus::Active);
    let table = [
        (&one, CLIENT, None, Ok(PROVIDER)),
        (&one, PROVIDER, None, Ok(CLIENT)),
        (&one, CLIENT, Some(PROVIDER), Ok(PROVIDER)),
        (&one, CLIENT, Some(CLIENT), Err(GuestProblem::NotAParticipant)),
        (&one, CLIENT, Some(STRANGER), Err(GuestProblem::NotAParticipant)),
        (&two, CLIENT, None, Err(GuestProblem::Ambiguous)),
        (&two, CLIENT, Some(OTHER_PROVIDER), Ok(OTHER_PROVIDER)),
        (&two, PROVIDER, None, Ok(CLIENT)),
        (&two, PROVIDER, Some(OTHER_PROVIDER), Err(GuestProblem::NotClientAndProvider)),
    ];
    for (project, host, wished, expected) in table {
        assert_eq!(guest_of(project, host, wished), expected, "{host} wishes {wished:?}");
    }
}

#[test]
fn a_step_of_the_other_side_is_refused_in_every_state() {
    for meeting in [instant(), scheduled(3_600), taken(&instant(), PROVIDER, MeetingStep::Accept, 1)] {
        for wanted in [MeetingStep::Start, MeetingStep::Cancel, MeetingStep::Reschedule(at(9_999))] {
            assert_eq!(step(&meeting, PROVIDER, wanted, 2), Err(MeetingRefusal::NotYours(Side::Host)));
        }
        for wanted in [MeetingStep::Accept, MeetingStep::Decline] {
            assert_eq!(step(&meeting, CLIENT, wanted, 2), Err(MeetingRefusal::NotYours(Side::Guest)));
        }
        assert!(matches!(step(&meeting, STRANGER, MeetingStep::End, 2), Err(MeetingRefusal::NotYours(_))));
    }
}

/// Every status × kind × answered × step, against the table of the contract.
#[test]
fn moves_are_those_of_the_contract_and_no_other() {
    use MeetingStatus::*;
    use MeetingStep::*;
    use MeetingType::*;
    for kind in [Instant, Scheduled] {
        for status in [Pending, Active, Completed, Cancelled] {
            for accepted in [false, true] {
                for wanted in [Start, Accept, Decline, End, Cancel, Reschedule(at(7_200))] {
                    let mut meeting = if kind == Instant { instant() } else { scheduled(60) };
                    meeting.status = status;
                    meeting.accepted_at = accepted.then(|| at(1));
                    meeting.started_at = matches!(status, Active | Completed).then(|| at(2));
                    let caller = if matches!(wanted, Accept | Decline) { PROVIDER } else { CLIENT };
                    let expected = match (wanted, status, kind, accepted) {
                        (Start, Pending, ..) => Some(Active),
                        (Accept, Pending, Instant, false) => Some(Active),
                        (Accept, Pending | Active, ..) => Some(status),
                        (Decline | Cancel, Pending, ..) => Some(Cancelled),
                        (Decline, Active, _, false) | (End, Active, ..) => Some(Completed),
                        (Reschedule(_), Pending, Scheduled, _) => Some(Pending),
                        _ => None,
                    };
                    let got = step(&meeting, caller, wanted, 10);
                    let case = format!("{kind} {status} accepted={accepted} {wanted:?}: {got:?}");
                    match expected {
                        Some(expected) => assert_eq!(got.unwrap().meeting.status, expected, "{case}"),
                        None => {
                            let to = wanted.target();
                            assert_eq!(got, Err(MeetingRefusal::State { from: status, to }), "{case}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_refusal_names_both_states() {
    let over = taken(&instant(), CLIENT, MeetingStep::Cancel, 1);
    let text = step(&over, CLIENT, MeetingStep::Start, 2).unwrap_err().to_string();
    assert_eq!(text, "the meeting is CANCELLED and can't become ACTIVE");
}

#[test]
fn a_scheduled_one_opens_ten_minutes_before_its_time() {
    let meeting = scheduled(3_600);
    let opens_at = at(3_000);
    let early = step(&meeting, CLIENT, MeetingStep::Start, 2_999).unwrap_err();
    assert_eq!(early, MeetingRefusal::TooEarly { from: meeting.status, to: MeetingStatus::Active, opens_at });
    assert!(step(&meeting, CLIENT, MeetingStep::Start, 3_000).is_ok());

    let times = MeetingTimes::default();
    assert!(!meeting.is_open_to(CLIENT, at(2_999), &times) && meeting.is_open_to(CLIENT, at(3_000), &times));
    assert!(!meeting.is_open_to(PROVIDER, at(3_000), &times), "the guest waits for the start");
    assert!(!instant().is_open_to(STRANGER, at(1), &times));
    assert!(instant().is_open_to(PROVIDER, at(1), &times));
    assert!(!taken(&instant(), PROVIDER, MeetingStep::Decline, 1).is_open_to(CLIENT, at(2), &times));
}

#[test]
fn the_host_may_start_before_the_answer_and_the_call_goes_on_ringing() {
    let times = MeetingTimes::default();
    let started = step(&instant(), CLIENT, MeetingStep::Start, 5).unwrap();
    assert_eq!(started.news, Some(MeetingNews::Started { invites: false }));
    assert_eq!(started.meeting.ring_due_at(&times), Some(at(45)), "from creation");
    let answered = step(&started.meeting, PROVIDER, MeetingStep::Accept, 9).unwrap();
    assert_eq!(answered.news, Some(MeetingNews::Answered));
    assert_eq!(answered.meeting.started_at, Some(at(5)));
    assert_eq!(answered.meeting.ring_due_at(&times), None);
    let again = step(&answered.meeting, PROVIDER, MeetingStep::Accept, 10).unwrap();
    assert_eq!(again, MeetingTransition { meeting: answered.meeting, news: None });
}

#[test]
fn a_scheduled_one_rings_from_its_start_unless_it_was_accepted_before() {
    let times = MeetingTimes::default();
    let unanswered = step(&scheduled(60), CLIENT, MeetingStep::Start, 30).unwrap();
    assert_eq!(unanswered.news, Some(MeetingNews::Started { invites: true }));
    assert_eq!(unanswered.meeting.ring_due_at(&times), Some(at(75)));

    let accepted = step(&scheduled(60), PROVIDER, MeetingStep::Accept, 10).unwrap();
    assert_eq!(accepted.news, Some(MeetingNews::Scheduled));
    let started = step(&accepted.meeting, CLIENT, MeetingStep::Start, 30).unwrap();
    assert_eq!(started.news, Some(MeetingNews::Started { invites: false }));
    assert!(!started.meeting.rings());
}

#[test]
fn a_new_time_asks_the_guest_again_and_arms_reminders_anew() {
    let times = MeetingTimes::default();
    let accepted = taken(&scheduled(3_600), PROVIDER, MeetingStep::Accept, 1);
    assert_eq!(step(&accepted, CLIENT, MeetingStep::Reschedule(at(2)), 2), Err(MeetingRefusal::TimeNotInFuture));
    let moved = taken(&accepted, CLIENT, MeetingStep::Reschedule(at(600)), 2);
    assert_eq!((moved.accepted_at, moved.scheduled_at), (None, Some(at(600))));
    assert_eq!(accepted.reminders_due_at(&times, at(2)), [at(2_700), at(3_540)]);
    assert_eq!(moved.reminders_due_at(&times, at(2)), [at(540)], "15 minutes before is past");
    assert_eq!(moved.expiry_due_at(&times), Some(at(600) + 60 * MINUTE));
}

#[test]
fn moves_to_active_learn_of_the_other_call() {
    let busy = MeetingContext { other_in_progress: Some(OTHER_CALL), ..context(10) };
    let refused = take_step(&scheduled(60), CLIENT, MeetingStep::Start, busy, &MeetingTimes::default());
    assert_eq!(refused, Err(MeetingRefusal::InProgress(OTHER_CALL)));
    let accepted = take_step(&scheduled(60), PROVIDER, MeetingStep::Accept, busy, &MeetingTimes::default());
    assert!(accepted.is_ok(), "an early yes is no move to ACTIVE");
}

#[test]
fn what_the_server_closes_depends_on_the_state_it_finds() {
    let ringing = instant();
    let started = taken(&ringing, CLIENT, MeetingStep::Start, 5);
    let answered = taken(&ringing, PROVIDER, MeetingStep::Accept, 5);
    let over = taken(&answered, CLIENT, MeetingStep::End, 9);
    let waiting = scheduled(60);
    let left = MeetingClosing::Abandoned { last_left: at(20) };
    use {EndReason as R, MeetingClosing as C, MeetingStatus as S};
    let table = [
        (&ringing, C::RingTimedOut, Some((S::Cancelled, R::Missed, None))),
        (&started, C::RingTimedOut, Some((S::Completed, R::Missed, Some(95)))),
        (&answered, C::RingTimedOut, None),
        (&waiting, C::RingTimedOut, None),
        (&waiting, C::Expired, Some((S::Cancelled, R::Expired, None))),
        (&ringing, C::Expired, None),
        (&answered, left, Some((S::Completed, R::Abandoned, Some(15)))),
        (&waiting, left, None),
        (&answered, C::ProjectClosed, Some((S::Completed, R::ProjectClosed, Some(95)))),
        (&ringing, C::ProjectClosed, Some((S::Cancelled, R::ProjectClosed, None))),
        (&waiting, C::ProjectClosed, Some((S::Cancelled, R::ProjectClosed, None))),
        (&over, C::ProjectClosed, None),
    ];
    for (meeting, closing, expected) in table {
        let got = close_meeting(meeting, closing, at(100)).map(|transition| {
            assert_eq!(transition.news, Some(MeetingNews::Ended));
            let meeting = transition.meeting;
            (meeting.status, meeting.end_reason.unwrap(), meeting.duration)
        });
        assert_eq!(got, expected, "{closing:?} of {meeting:?}");
    }
    assert_eq!(close_meeting(&answered, left, at(100)).unwrap().meeting.ended_at, Some(at(20)));
}

#[test]
fn a_clock_that_jumped_back_gives_no_negative_duration() {
    let answered = taken(&instant(), PROVIDER, MeetingStep::Accept, 50);
    let ended = taken(&answered, PROVIDER, MeetingStep::End, 10);
    assert_eq!(ended.duration, Some(0));
}

fn any_step() -> impl Strategy<Value = (bool, MeetingStep)> {
    (any::<bool>(), 0_u8..6, 1_i64..8_000).prop_map(|(is_host, which, seconds)| {
        let step = match which {
            0 => MeetingStep::Start,
            1 => MeetingStep::Accept,
            2 => MeetingStep::Decline,
            3 => MeetingStep::End,
            4 => MeetingStep::Cancel,
            _ => MeetingStep::Reschedule(at(seconds)),
        };
        (is_host, step)
    })
}

proptest! {
    #[test]
    fn whatever_is_asked_the_row_stays_sound(is_instant: bool, steps in prop::collection::vec(any_step(), 0..12)) {
        let mut meeting = if is_instant { instant() } else { scheduled(600) };
        for (n, (is_host, wanted)) in steps.into_iter().enumerate() {
            let caller = if is_host { CLIENT } else { PROVIDER };
            let before = meeting.clone();
            let Ok(transition) = step(&before, caller, wanted, n as i64 * 60) else { continue };
            meeting = transition.meeting;
            let is_over = matches!(meeting.status, MeetingStatus::Completed | MeetingStatus::Cancelled);
            prop_assert!(!matches!(before.status, MeetingStatus::Completed | MeetingStatus::Cancelled));
            prop_assert_eq!(is_over, meeting.end_reason.is_some());
            prop_assert_eq!(is_over, meeting.ended_at.is_some());
            prop_assert_eq!(transition.news == Some(MeetingNews::Ended), is_over);
            prop_assert_eq!(meeting.duration.is_some(), meeting.status == MeetingStatus::Completed);
            prop_assert_eq!(meeting.status == MeetingStatus::Cancelled, is_over && meeting.started_at.is_none());
            prop_assert_eq!(&meeting.channel_name, &before.channel_name);
            prop_assert!(!meeting.rings() || meeting.is_in_progress());
            prop_assert_eq!(meeting.rings(), meeting.ring_due_at(&MeetingTimes::default()).is_some());
        }
    }
}
