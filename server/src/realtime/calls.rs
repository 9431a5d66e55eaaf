//! Which device of which person is in which call. One per person: a later `call:join` takes over.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use parley_domain::{EngineKind, MeetingId, MeetingStatus, UserId};
use parley_protocol::{Code, socket::CallStateOf};
use parley_store::MeetingView;

use super::devices::Device;
use crate::problem::{Outcome, Refusal};

/// Every call that someone is in, and every active one.
#[derive(Default)]
pub(crate) struct Calls {
    by_meeting: Mutex<HashMap<MeetingId, Call>>,
    orders: [tokio::sync::Mutex<()>; ORDERS],
}

/// Meetings share these locks: enough of them that two calls rarely wait for each other.
const ORDERS: usize = 32;

struct Call {
    people: [UserId; 2],
    engine: EngineKind,
    is_active: bool,
    bound: HashMap<UserId, Bound>,
}

struct Bound {
    device: Arc<Device>,
    state: Option<CallStateOf>,
}

/// What a `call:join` changed.
pub(crate) struct Joined {
    /// The person's other device, which is to be told that the call moved.
    pub(crate) moved_from: Option<Arc<Device>>,
    /// Whether this device was not in it before.
    pub(crate) is_new: bool,
    /// Whether the other side is in it.
    pub(crate) is_peer_here: bool,
    /// What the other side last said of its camera, microphone and screen.
    pub(crate) peer_state: Option<CallStateOf>,
    /// Whether the person shared the screen from the device that was in it before.
    pub(crate) ended_screen: bool,
}

/// A device that is no longer in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) meeting: MeetingId,
    /// Whether the meeting is active and nobody is in it now.
    pub(crate) is_deserted: bool,
}

/// A changed state of camera, microphone and screen.
pub(crate) struct StateChange {
    pub(crate) peer: Option<Arc<Device>>,
    /// Set when sharing the screen began or ended.
    pub(crate) screen: Option<bool>,
}

impl Call {
    fn of(view: &MeetingView) -> Self {
        Self {
            people: [view.meeting.host_id, view.meeting.guest_id],
            engine: view.meeting.engine,
            is_active: view.meeting.status == MeetingStatus::Active,
            bound: HashMap::new(),
        }
    }

    fn peer(&self, of: UserId) -> Option<&Bound> {
        let peer = self.people.into_iter().find(|person| *person != of)?;
        self.bound.get(&peer)
    }

    fn holds(&self, device: &Device) -> bool {
        self.bound.get(&device.user).is_some_and(|bound| bound.device.id == device.id)
    }
}

impl Calls {
    /// The meeting is active now; says whether nobody is in it.
    pub(crate) fn set_active(&self, view: &MeetingView) -> bool {
        let mut calls = self.lock();
        let call = calls.entry(view.meeting.id).or_insert_with(|| Call::of(view));
        call.is_active = true;
        call.bound.is_empty()
    }

    /// Whether the meeting is active and nobody is in it.
    pub(crate) fn is_deserted(&self, meeting: MeetingId) -> bool {
        self.lock().get(&meeting).is_some_and(|call| call.is_active && call.bound.is_empty())
    }

    /// Tells something while the meeting is active and can't end: what its end makes known comes after it. `tell`
    /// must not come back here.
    pub(crate) fn while_active(&self, meeting: MeetingId, tell: impl FnOnce()) {
        let calls = self.lock();
        if calls.get(&meeting).is_some_and(|call| call.is_active) {
            tell();
        }
    }

    /// The meeting is over.
    pub(crate) fn forget(&self, meeting: MeetingId) {
        self.lock().remove(&meeting);
    }

    /// Binds the device.
    pub(crate) fn join(&self, device: &Arc<Device>, view: &MeetingView) -> Joined {
        let mut calls = self.lock();
        let call = calls.entry(view.meeting.id).or_insert_with(|| Call::of(view));
        let before = call.bound.insert(device.user, Bound { device: Arc::clone(device), state: None });
        let is_new = before.as_ref().is_none_or(|before| before.device.id != device.id);
        let ended_screen = before.as_ref().and_then(|before| before.state.as_ref()).is_some_and(|state| state.screen);
        let peer = call.peer(device.user);
        Joined {
            moved_from: before.map(|before| before.device).filter(|_| is_new),
            is_new,
            is_peer_here: peer.is_some(),
            peer_state: peer.and_then(|peer| peer.state.clone()),
            ended_screen,
        }
    }

    /// Takes the device out of one call; `None` if it was not in it.
    pub(crate) fn leave(&self, device: &Device, meeting: MeetingId) -> Option<Left> {
        let mut calls = self.lock();
        let call = calls.get_mut(&meeting).filter(|call| call.holds(device))?;
        call.bound.remove(&device.user);
        let left = Left { meeting, is_deserted: call.is_active && call.bound.is_empty() };
        if !call.is_active && call.bound.is_empty() {
            calls.remove(&meeting);
        }
        Some(left)
    }

    /// The meetings that the device is in.
    pub(crate) fn of(&self, device: &Device) -> Vec<MeetingId> {
        self.lock().iter().filter(|(_, call)| call.holds(device)).map(|(meeting, _)| *meeting).collect()
    }

    /// Who comes, goes or shares the screen holds this until that is in the meeting's log, so that the log has the
    /// order in which it happened.
    pub(crate) async fn in_order(&self, meeting: MeetingId) -> tokio::sync::MutexGuard<'_, ()> {
        let place = meeting.0.as_u128() % ORDERS as u128;
        self.orders[usize::try_from(place).unwrap_or_default()].lock().await
    }

    /// Notes what the device says of itself; the other side's device is to hear of it.
    pub(crate) fn set_state(&self, device: &Device, state: CallStateOf) -> Outcome<StateChange> {
        let mut calls = self.lock();
        let call = calls
            .get_mut(&state.meeting_id)
            .filter(|call| call.holds(device))
            .ok_or_else(|| Refusal::new(Code::MeetingNotOpen, "This device is not in that call; send call:join."))?;
        let bound = call.bound.get_mut(&device.user).ok_or_else(|| Refusal::not_found("call"))?;
        let before = bound.state.as_ref().is_some_and(|state| state.screen);
        let screen = (before != state.screen).then_some(state.screen);
        bound.state = Some(state);
        Ok(StateChange { peer: call.peer(device.user).map(|peer| Arc::clone(&peer.device)), screen })
    }

    /// The device that a signal goes to: the other side's, in an active call of the direct engine.
    pub(crate) fn signal_target(&self, device: &Device, meeting: MeetingId) -> Outcome<Arc<Device>> {
        let calls = self.lock();
        let call = calls
            .get(&meeting)
            .filter(|call| call.holds(device))
            .ok_or_else(|| Refusal::new(Code::MeetingNotOpen, "This device is not in that call; send call:join."))?;
        if call.engine != EngineKind::Direct {
            return Err(Refusal::invalid("/meetingId", "is carried by Agora, which does its own signalling"));
        }
        if !call.is_active {
            return Err(Refusal::new(Code::MeetingState, "The meeting is not ACTIVE yet."));
        }
        call.peer(device.user)
            .map(|peer| Arc::clone(&peer.device))
            .ok_or_else(|| Refusal::new(Code::NotFound, "The other side is not in the call now."))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MeetingId, Call>> {
        self.by_meeting.lock().expect("no thread panics while it holds the calls")
    }
}
