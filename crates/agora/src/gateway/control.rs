//! The thread of one join. It owns the connection and makes every call of the library but those that send media.

use std::{sync::Arc, thread::JoinHandle, time::Instant};

use parley_call::{Attempt, Credentials, EngineError, EngineEvent, EnginePorts, Outbox};

use super::{
    connection::{Connection, Receiving},
    error::GatewayError,
    events::{Event, Track},
    library::Library,
    outgoing::{AudioOut, VideoOut},
    screen::ScreenShare,
    service::Service,
    shared::{Shared, Wanted},
    tracks::Prefer,
};
use crate::{
    codes::ErrorCode,
    course::{Course, Incoming, Step},
};

/// All that a join begins with.
pub(crate) struct Setup {
    pub(crate) attempt: Attempt,
    pub(crate) credentials: Credentials,
    pub(crate) library: Arc<Library>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) ports: EnginePorts,
    /// The thread of the join before, which has to end first.
    pub(crate) before: Option<JoinHandle<()>>,
}

/// Joins, carries the call, leaves.
pub(crate) fn run(mut setup: Setup) {
    if let Some(before) = setup.before.take() {
        // Its panics were caught and told in the thread itself.
        let _ = before.join();
    }
    if setup.shared.is_stopped() {
        return;
    }
    let (attempt, shared, events) = (setup.attempt, Arc::clone(&setup.shared), setup.ports.events.clone());
    match Control::begin(setup) {
        Ok(control) => control.run(),
        Err(error) if !shared.is_stopped() => {
            Outbox::new(events).tell(EngineEvent::JoinFailed(attempt, error.into()));
        }
        Err(_) => {}
    }
}

impl From<GatewayError> for EngineError {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::Refused { code, .. } if !matches!(code, ErrorCode::Failed | ErrorCode::Unknown(_)) => {
                code.to_error()
            }
            other => Self::Failed(other.to_string()),
        }
    }
}

struct Control {
    credentials: Credentials,
    shared: Arc<Shared>,
    outbox: Outbox,
    course: Course,
    service: Arc<Service>,
    connection: Connection,
    is_hidden: bool,
    /// The library was told at some time not to receive the other person's pictures.
    was_hidden: bool,
    video_out: VideoOut,
    audio_out: AudioOut,
    sharing: Option<ScreenShare>,
    faults: Faults,
}

/// What could not be used, since the join.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Faults {
    events_dropped: u64,
    nameless: u64,
    pictures_damaged: u64,
    sound_refused: u64,
}

impl Control {
    fn begin(setup: Setup) -> Result<Self, GatewayError> {
        let Setup { attempt, credentials, library, shared, ports, .. } = setup;
        let service = Service::acquire(&library, &credentials.app_id)?;
        let incoming = Incoming::new(&credentials, &ports);
        let receiving = Receiving {
            events: Arc::clone(&shared.events),
            pictures: incoming.pictures(),
            sound: Some(Arc::clone(&incoming.sound)),
        };
        let mut connection = Connection::open(&service, receiving)?;
        connection.connect(&credentials.token, &credentials.channel, credentials.uid.get())?;
        Ok(Self {
            credentials,
            outbox: Outbox::new(ports.events),
            course: Course::new(attempt, incoming, Instant::now()),
            service,
            connection,
            is_hidden: false,
            was_hidden: false,
            video_out: VideoOut::new(Prefer::Smoothness, Arc::clone(&shared.events)),
            audio_out: AudioOut::default(),
            sharing: None,
            faults: Faults::default(),
            shared,
        })
    }

    fn run(mut self) {
        while !self.course.is_over() && !self.shared.is_stopped() {
            let event = self.shared.events.next(self.course.next_look());
            let now = Instant::now();
            if let Some(event) = event {
                self.on_event(&event, now);
            }
            self.follow(|course, tell| course.on_time(now, tell));
            let stats = self.connection.stats();
            if self.follow(|course, tell| course.report(now, stats, tell)) {
                self.report_faults();
            }
            if self.course.is_in() {
                let wanted = self.shared.wanted();
                self.tend(&wanted, now);
            }
            self.outbox.flush();
        }
        // The screen and the pumps before the connection.
        self.sharing = None;
        self.video_out.stop();
        self.audio_out.stop();
        self.connection.close();
    }

    /// One step of the course. After a leave nothing is told.
    fn follow<R>(&mut self, step: impl FnOnce(&mut Course, &mut dyn FnMut(EngineEvent)) -> R) -> R {
        let (outbox, shared) = (&mut self.outbox, &self.shared);
        step(&mut self.course, &mut |event| {
            if !shared.is_stopped() {
                outbox.tell(event);
            }
        })
    }

    fn on_event(&mut self, event: &Event, now: Instant) {
        if !matches!(event, Event::Message { .. }) {
            tracing::debug!(?event, "Agora tells");
        }
        match event {
            Event::Published(Track::Video) => self.video_out.on_published(now),
            Event::PublishFailed(track, code) => {
                tracing::warn!(%code, ?track, "a track was not published");
                match track {
                    Track::Video => self.video_out.on_refused(&mut self.connection, now),
                    Track::Audio => self.audio_out.on_refused(&mut self.connection, now),
                }
            }
            _ => {}
        }
        match self.follow(|course, tell| course.on_event(event, now, tell)) {
            Step::In => tracing::debug!(uid = self.connection.own_uid(), "in the channel"),
            // The library may remember what it was told of this person before.
            Step::PeerCame if self.was_hidden => self.receive_video(!self.is_hidden),
            Step::Stranger(uid) => {
                for refused in [self.connection.receive_video(uid, false), self.connection.receive_audio(uid, false)] {
                    if let Err(error) = refused {
                        tracing::debug!(%error, "somebody's media come although nobody wants them");
                    }
                }
            }
            Step::PeerCame | Step::Over | Step::GoOn => {}
        }
    }

    /// What the callbacks could only count: they don't write logs.
    fn report_faults(&mut self) {
        let Incoming { camera, screen, sound } = self.course.incoming();
        let faults = Faults {
            events_dropped: self.shared.events.dropped_count(),
            nameless: self.connection.nameless_count(),
            pictures_damaged: camera.damaged_count() + screen.as_ref().map_or(0, |sink| sink.damaged_count()),
            sound_refused: sound.refused_count(),
        };
        if std::mem::replace(&mut self.faults, faults) != faults {
            let damage = camera.damage().or_else(|| screen.as_ref()?.damage());
            let (damage, refusal) = (damage.map(tracing::field::display), sound.refusal());
            let refusal = refusal.map(tracing::field::display);
            tracing::warn!(?faults, damage, refusal, "Agora's library brings what can't be used");
        }
    }

    /// Brings the connection in line with what the engine wants.
    fn tend(&mut self, wanted: &Wanted, now: Instant) {
        if let Some(token) = self.shared.take_token()
            && let Err(error) = self.connection.renew_token(&token)
        {
            // The old one is in force until it ends, and that will be told.
            tracing::warn!(%error, "the next token was refused");
        }
        if std::mem::replace(&mut self.is_hidden, wanted.is_hidden) != wanted.is_hidden {
            self.follow(|course, tell| course.hide(wanted.is_hidden, tell));
            self.was_hidden |= wanted.is_hidden;
            self.receive_video(!wanted.is_hidden);
        }
        self.video_out.tend(&mut self.connection, wanted.video.as_ref(), now);
        self.audio_out.tend(&mut self.connection, wanted.audio.as_ref(), now);
        if wanted.screen.is_none() {
            self.sharing = None;
        } else if self.sharing.is_none() {
            let channel = self.credentials.channel.clone();
            match ScreenShare::start(Arc::clone(&self.service), channel, Arc::clone(&self.shared)) {
                Ok(sharing) => self.sharing = Some(sharing),
                Err(error) => tracing::error!(%error, "no thread for sharing the screen"),
            }
        }
    }

    fn receive_video(&mut self, on: bool) {
        if self.course.peer_is_here()
            && let Err(error) = self.connection.receive_video(self.credentials.peer.get(), on)
        {
            tracing::warn!(%error, on, "whether the other person's pictures come did not change");
        }
    }
}
