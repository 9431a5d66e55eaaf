//! The call of this app (one at a time) and the ring before it.
//!
//! The rules are `parley-call`'s and the server's; here its session is given devices and pictures, and is drawn.

mod devices;
mod ring;
mod server;
mod studio;
mod view;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicU64, Ordering},
};

use parley_call::{CallSession, EngineFactory, I420Frame, LatestSlot, MediaEngine, MediaState, Opening, Phase};
use parley_client::{Client, ClientEvent, Clock};
use parley_direct::{DirectEngine, DirectOptions};
use parley_domain::{EngineKind, Meeting, MeetingId, MeetingStatus, ProjectId, UserId};
use parley_media::EchoReference;
use parley_protocol::{
    Code,
    app::{
        AppError, AppEvent, CallPhase, CallView, ConnectionState, Control, PeerMedia, Person, RingView, VideoSource,
    },
    socket::CallStateOf,
};
use tokio::time::{Duration, MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

pub(crate) use self::studio::Studio;
use self::{
    devices::{Devices, open_speaker},
    ring::Ring,
    server::CallServer,
    view::{PRESUMED_ENGINE, Wish},
};
use crate::{library::Library, pictures::Pictures};

/// How often devices are asked whether they are still there.
const DEVICE_CHECK: Duration = Duration::from_secs(1);

/// How long a closing app waits for the server to hear that the call is over; otherwise the server notices the absence.
const FAREWELL_WITHIN: Duration = Duration::from_secs(3);

/// What the calls tell: rings, calls, notices.
pub(crate) type Tell = Box<dyn Fn(AppEvent) + Send + Sync>;

/// The ring, the call, and the devices of this app. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Calls(Arc<Shared>);

struct Shared {
    studio: Studio,
    library: Library,
    pictures: Arc<Pictures>,
    clock: Arc<dyn Clock>,
    tell: Tell,
    ring: Ring,
    current: Mutex<Option<OnCall>>,
    /// Counts the accounts: a call that was asked for by one never begins under the next.
    epoch: AtomicU64,
}

/// The call that runs, or that was the last one and still shows its card.
struct OnCall {
    meeting: MeetingId,
    me: UserId,
    session: CallSession,
    view: CallView,
    camera: Wish,
    microphone: Wish,
    /// Counts what the person wanted of the camera, so that a late answer of an earlier wish is let go.
    camera_wish: u64,
    microphone_wish: u64,
    open: Devices,
    echo: EchoReference,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

/// How a call begins here.
#[derive(Clone, Copy)]
struct Start {
    camera: bool,
    /// The account that asked for it.
    epoch: u64,
}

/// Whom a call is with.
pub(crate) struct Party {
    pub(crate) project: ProjectId,
    pub(crate) me: UserId,
    pub(crate) peer: Person,
}

impl Calls {
    pub(crate) fn new(
        studio: Studio,
        library: Library,
        pictures: Arc<Pictures>,
        clock: Arc<dyn Clock>,
        tell: Tell,
    ) -> Self {
        Self(Arc::new(Shared {
            studio,
            library,
            pictures,
            clock,
            tell,
            ring: Ring::default(),
            current: Mutex::new(None),
            epoch: AtomicU64::new(0),
        }))
    }

    /// Calls the other side. Where both call at once, or a call of the project runs already, it is that call.
    pub(crate) async fn place(&self, client: &Arc<Client>, party: Party, camera: bool) -> Result<CallView, AppError> {
        self.require_no_call()?;
        let epoch = self.0.epoch.load(Ordering::Acquire);
        let (meeting, opening) = match client.call(party.project, Some(party.peer.user_id)).await {
            Ok(meeting) => (meeting, Opening::Placed),
            Err(error) => match error.refusal().and_then(|refusal| refusal.meeting_id) {
                Some(running) => {
                    let meeting = client.rest().meeting(running).await?;
                    let opening = self.opening_of(&meeting, party.me);
                    (meeting, opening)
                }
                None => return Err(error.into()),
            },
        };
        self.0.ring.stop(meeting.id, &self.0.tell);
        self.begin(client, &meeting, party, opening, Start { camera, epoch })
    }

    /// Answers the ring.
    pub(crate) async fn accept(
        &self,
        client: &Arc<Client>,
        meeting: MeetingId,
        party: Party,
        camera: bool,
    ) -> Result<CallView, AppError> {
        let epoch = self.0.epoch.load(Ordering::Acquire);
        self.hang_up().await;
        let row = client.rest().meeting(meeting).await?;
        let opening = self.opening_of(&row, party.me);
        self.0.ring.stop(meeting, &self.0.tell);
        if matches!(row.status, MeetingStatus::Completed | MeetingStatus::Cancelled) {
            return Err(AppError::new(Code::MeetingState, "The call is over. Call back if you like."));
        }
        self.begin(client, &row, party, opening, Start { camera, epoch })
    }

    /// Says no to the ring. The window is gone at once; the server is told as soon as it hears.
    pub(crate) async fn decline(&self, client: &Client, meeting: MeetingId) -> Result<(), AppError> {
        self.0.ring.stop(meeting, &self.0.tell);
        match client.decline_call(meeting).await {
            Ok(_) => Ok(()),
            // Over, or taken by somebody: nothing is left to say no to.
            Err(error) if matches!(error.code(), Code::MeetingState | Code::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn opening_of(&self, meeting: &Meeting, me: UserId) -> Opening {
        let is_answered = meeting.accepted_at.is_some();
        match meeting.status {
            _ if meeting.guest_id == me && !is_answered => {
                Opening::Invited { ring_for: self.0.ring.time_left(meeting.id, self.0.clock.now()) }
            }
            MeetingStatus::Pending => Opening::Placed,
            _ => Opening::Active,
        }
    }

    fn begin(
        &self,
        client: &Arc<Client>,
        meeting: &Meeting,
        party: Party,
        opening: Opening,
        start: Start,
    ) -> Result<CallView, AppError> {
        let session = CallSession::start(
            meeting.id,
            opening,
            Arc::new(CallServer { client: Arc::clone(client), clock: Arc::clone(&self.0.clock) }),
            engine_factory(self.0.library.clone()),
        );
        if matches!(opening, Opening::Invited { .. }) {
            session.accept();
        }
        let off = Control { wanted: false, actual: false, working: false, error: None };
        let view = CallView {
            meeting_id: meeting.id,
            project_id: party.project,
            peer: party.peer,
            phase: if opening == Opening::Placed { CallPhase::RingingOut } else { CallPhase::Connecting },
            engine: PRESUMED_ENGINE,
            started_at: None,
            microphone: off.clone(),
            camera: off,
            source: VideoSource::Camera,
            peer_media: PeerMedia { camera: false, microphone: false, video_flowing: false },
            quality: None,
            end_reason: None,
            duration: None,
            error: None,
            frames_url: self.0.pictures.url().to_owned(),
        };
        let tasks = vec![
            spawn(carry(session.remote_video(), self.0.pictures.remote())),
            spawn(follow(Arc::downgrade(&self.0), meeting.id, session.watch())),
        ];
        let on_call = OnCall {
            meeting: meeting.id,
            me: party.me,
            session,
            view: CallView { engine: meeting.engine, ..view },
            camera: Wish::default(),
            microphone: Wish::default(),
            camera_wish: 0,
            microphone_wish: 0,
            open: Devices::default(),
            echo: EchoReference::new(),
            _tasks: tasks,
        };
        let before = {
            let mut current = self.0.lock();
            if self.0.epoch.load(Ordering::Acquire) != start.epoch {
                return Err(AppError::new(Code::Unauthenticated, "You signed out meanwhile."));
            }
            if current.as_ref().is_some_and(|call| call.view.phase != CallPhase::Ended) {
                return Err(AppError::new(Code::MeetingInProgress, "You are in a call. Hang up first."));
            }
            current.replace(on_call)
        };
        drop(before);
        self.0.forget_pictures();
        self.set_microphone(true)?;
        if start.camera {
            self.set_camera(true)?;
        }
        spawn_detached(open_speaker(Arc::clone(&self.0), meeting.id));
        self.0.refresh(meeting.id);
        self.view().ok_or_else(no_call)
    }

    /// The call as it is now.
    pub(crate) fn view(&self) -> Option<CallView> {
        self.0.lock().as_ref().map(|call| call.view.clone())
    }

    /// Hangs up, takes back a ring of ours, or puts the card of an ended call away.
    pub(crate) async fn leave(&self) -> Result<(), AppError> {
        let is_over = match self.0.lock().as_ref() {
            Some(call) => call.session.snapshot().is_over(),
            None => return Err(no_call()),
        };
        if is_over {
            self.put_away();
        } else {
            self.hang_up().await;
        }
        Ok(())
    }

    async fn hang_up(&self) {
        let watch = self.0.lock().as_ref().map(|call| {
            call.session.hang_up();
            call.session.watch()
        });
        if let Some(mut watch) = watch {
            let over = watch.wait_for(|now| now.is_over());
            // The session ends by itself when the server does not answer; the person need not wait for that.
            let _ = tokio::time::timeout(DEVICE_CHECK, over).await;
        }
    }

    /// Ends everything without a word to the person: the app closes or another account comes. Devices go first; the
    /// server is told if it hears within [`FAREWELL_WITHIN`].
    pub(crate) async fn close(&self) {
        self.0.epoch.fetch_add(1, Ordering::AcqRel);
        self.0.ring.clear(&self.0.tell);
        let call = self.0.lock().take();
        if let Some(OnCall { session, open, .. }) = call {
            drop(open);
            session.hang_up();
            let _ = tokio::time::timeout(FAREWELL_WITHIN, session.finish()).await;
        }
        self.0.forget_pictures();
        (self.0.tell)(AppEvent::Call(None));
        self.0.ring.clear(&self.0.tell);
    }

    fn put_away(&self) {
        let mut current = self.0.lock();
        let call = current.take();
        (self.0.tell)(AppEvent::Call(None));
        drop(current);
        drop(call);
    }

    fn require_no_call(&self) -> Result<(), AppError> {
        match self.0.lock().as_ref() {
            Some(call) if !call.session.snapshot().is_over() => Err(AppError {
                meeting_id: Some(call.meeting),
                ..AppError::new(Code::MeetingInProgress, "You are in a call. Hang up first.")
            }),
            _ => Ok(()),
        }
    }

    /// A call rings here, unless it is the one that we are in.
    pub(crate) fn on_invite(&self, ring: RingView, ring_for: Duration) {
        if let Some(call) = self.0.lock().as_ref().filter(|call| call.meeting == ring.meeting_id) {
            return call.session.on_invited(ring_for);
        }
        self.0.ring.start(ring, ring_for, Arc::downgrade(&self.0));
    }

    /// What the server tells that concerns calls.
    pub(crate) fn on_event(&self, event: &ClientEvent) {
        match event {
            ClientEvent::Connection(state) => {
                self.with_call(None, |call| call.session.on_line(*state == ConnectionState::Connected));
            }
            ClientEvent::MeetingStarted(started) => {
                // Answered here or elsewhere: either way it rings no longer.
                self.0.ring.stop(started.meeting_id, &self.0.tell);
                self.with_call(Some(started.meeting_id), |call| call.session.on_started());
            }
            ClientEvent::MeetingEnded(ended) => {
                self.0.ring.stop(ended.meeting_id, &self.0.tell);
                if let Some(reason) = ended.end_reason {
                    self.with_call(Some(ended.meeting_id), |call| call.session.on_ended(reason, ended.duration));
                }
            }
            ClientEvent::Meeting(meeting) => {
                if let (MeetingStatus::Completed | MeetingStatus::Cancelled, Some(reason)) =
                    (meeting.status, meeting.end_reason)
                {
                    self.0.ring.stop(meeting.id, &self.0.tell);
                    self.with_call(Some(meeting.id), |call| call.session.on_ended(reason, meeting.duration));
                } else if meeting.accepted_at.is_some() {
                    self.0.ring.stop(meeting.id, &self.0.tell);
                }
            }
            ClientEvent::CallState(state) => self.with_call(Some(state.meeting_id), |call| {
                if state.user_id != call.me {
                    let CallStateOf { camera, microphone, screen, .. } = *state;
                    call.session.on_peer_state(MediaState { camera, microphone, screen });
                }
            }),
            ClientEvent::Signal(signal) => self.with_call(Some(signal.meeting_id), |call| {
                call.session.on_peer_signal(match &signal.data {
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                });
            }),
            _ => {}
        }
    }

    fn with_call(&self, meeting: Option<MeetingId>, act: impl FnOnce(&OnCall)) {
        let current = self.0.lock();
        if let Some(call) = current.as_ref().filter(|call| meeting.is_none_or(|meeting| call.meeting == meeting)) {
            act(call);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<OnCall>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws the call anew, and tells it when it looks different: under the lock, so that an older view never comes last.
    /// Ends the devices of a call that is over.
    fn refresh(&self, meeting: MeetingId) {
        let mut current = self.lock();
        let Some(call) = current.as_mut().filter(|call| call.meeting == meeting) else { return };
        let now = call.session.snapshot();
        let before = call.view.clone();
        if now.phase == Phase::Connected && call.view.started_at.is_none() {
            call.view.started_at = Some(self.clock.now());
        }
        if now.is_over() {
            call.camera = Wish::default();
            call.microphone = Wish::default();
            call.open = Devices::default();
        }
        view::update(&mut call.view, &now, &call.camera, &call.microphone);
        if call.view != before {
            (self.tell)(AppEvent::Call(Some(call.view.clone())));
        }
    }

    /// What was shown last is not for the next call's eyes.
    fn forget_pictures(&self) {
        self.pictures.remote().try_take();
        self.pictures.local().try_take();
    }
}

/// Draws every change of the session, and looks after devices and the window's gaze.
async fn follow(
    shared: Weak<Shared>,
    meeting: MeetingId,
    mut session: tokio::sync::watch::Receiver<parley_call::CallSnapshot>,
) {
    let Some(mut watched) = shared.upgrade().map(|shared| shared.pictures.watched()) else { return };
    let mut check = interval(DEVICE_CHECK);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let gaze_changed = tokio::select! {
            changed = session.changed() => {
                if changed.is_err() {
                    break;
                }
                false
            }
            _ = check.tick() => {
                let Some(shared) = shared.upgrade() else { return };
                shared.check_devices(meeting);
                false
            }
            changed = watched.changed() => changed.is_ok(),
        };
        let Some(shared) = shared.upgrade() else { return };
        if gaze_changed {
            let wanted = watched.borrow_and_update().remote;
            if let Some(call) = shared.lock().as_ref().filter(|call| call.meeting == meeting) {
                call.session.want_remote_video(wanted);
            }
        }
        shared.refresh(meeting);
    }
    if let Some(shared) = shared.upgrade() {
        shared.refresh(meeting);
    }
}

/// Hands pictures on without copying them.
async fn carry(from: Arc<LatestSlot<I420Frame>>, to: Arc<LatestSlot<I420Frame>>) {
    loop {
        to.put(from.take().await);
    }
}

fn running(current: &mut Option<OnCall>) -> Result<&mut OnCall, AppError> {
    current.as_mut().filter(|call| !call.session.snapshot().is_over()).ok_or_else(no_call)
}

fn no_call() -> AppError {
    AppError::new(Code::NoCall, "There is no call.")
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(task))
}

/// For what ends by itself within a device's patience and gives its result up when it is late.
fn spawn_detached(task: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(task));
}

fn engine_factory(library: Library) -> EngineFactory {
    Box::new(move |kind, ports| match kind {
        EngineKind::Direct => Ok(Box::new(DirectEngine::new(ports, DirectOptions::default())) as Box<dyn MediaEngine>),
        EngineKind::Agora => library.engine(ports),
    })
}
