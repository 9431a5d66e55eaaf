//! The thread of one join: begins the SDK, joins, publishes what is to be sent, tells what happens, and ends the SDK.

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parley_call::{Attempt, AudioQueue, Credentials, EngineError, EngineEvent, EnginePorts, Outbox, ScreenPass, Token};

use super::{
    IrisError, Library, Listener,
    feeder::{Feeder, Feeds, PictureFeed, SoundFeed},
    receiver::{OURSELVES, Receiver},
    requests::{
        engine::{
            ChannelMediaOptions, Connection, MuteRemoteVideoStream, RenewToken, UpdateChannelMediaOptions,
            UpdateChannelMediaOptionsEx,
        },
        media::{
            AudioTrackConfig, CreateCustomAudioTrack, CreateCustomVideoTrack, DestroyCustomAudioTrack,
            DestroyCustomVideoTrack,
        },
    },
    rtc::{BROADCASTER, CHANNEL_PROFILE, Rtc, SoundPath},
    shared::{Mailbox, OwnDevices, Publication, Source},
};
use crate::{
    course::{Course, Incoming, Step},
    gateway::{Event, Events, PictureSink, context::Context},
};

/// Stands in the microphone's place, so that nothing is mixed and there is the least delay (FACTS B2, createCustomAudioTrack).
pub(super) const DIRECT_TRACK: i32 = 1;

/// So long the call before may take to end. Its engine is another one when somebody hangs up and calls again at once.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
/// How often the thread that waits for that looks whether it has to end itself.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a join begins with.
pub(super) struct Setup {
    pub(super) attempt: Attempt,
    pub(super) credentials: Credentials,
    pub(super) library: Arc<Library>,
    pub(super) ports: EnginePorts,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) publication: Publication,
    pub(super) own: Option<OwnDevices>,
    /// The thread of the join before, which has to end first: one engine lives in a copy of the library.
    pub(super) before: Option<JoinHandle<()>>,
}

/// Runs a join to its end.
pub(super) fn run(mut setup: Setup) {
    if let Some(before) = setup.before.take() {
        // Its panics were caught and told in the thread itself.
        let _ = before.join();
    }
    if setup.mailbox.is_stopped() {
        return;
    }
    let mut outbox = Outbox::new(setup.ports.events.clone());
    let incoming = setup.incoming();
    let session = Session::start(&setup, &incoming);
    let mut course = Course::new(setup.attempt, incoming, Instant::now());
    course.hide(!setup.publication.wants_video, &mut |event| outbox.tell(event));
    match session {
        Ok(mut session) => session.run(&setup.mailbox, &mut course, &mut outbox),
        Err(error) => {
            tracing::warn!(%error, "Agora's desktop SDK can't begin");
            course.fail(error.into(), &mut |event| setup.mailbox.tell(&mut outbox, event));
        }
    }
    if outbox.dropped_count() > 0 {
        tracing::warn!(count = outbox.dropped_count(), "events of a call were not taken in time");
    }
}

impl Setup {
    fn sound_path(&self) -> SoundPath {
        if self.own.is_some() { SoundPath::Devices } else { SoundPath::Ours }
    }

    /// Begins the SDK, once the call before has ended.
    fn begin(&self, listener: &Arc<dyn Listener>) -> Result<Rtc, IrisError> {
        let deadline = Instant::now() + ENDS_WITHIN;
        loop {
            let begun = Rtc::start(&self.library, &self.credentials.app_id, self.sound_path(), listener);
            let is_in_use = matches!(begun, Err(IrisError::InUse));
            if !is_in_use || self.mailbox.is_stopped() || Instant::now() >= deadline {
                return begun;
            }
            self.library.until_free(LOOK_EVERY);
        }
    }

    /// Where the other person's media go.
    fn incoming(&self) -> Incoming {
        let remote_audio = match self.sound_path() {
            SoundPath::Ours => Arc::clone(&self.ports.remote_audio),
            // Played by the SDK: here it only shows that it comes.
            SoundPath::Devices => Arc::new(AudioQueue::new(1)),
        };
        Incoming::new(&self.credentials, &EnginePorts { remote_audio, ..self.ports.clone() })
    }
}

/// Our screen in the channel, as a participant of its own.
struct Screen {
    track: u32,
    connection: Connection,
}

struct Session {
    // In the order in which they have to go: nothing is pushed any more when tracks and SDK end.
    feeder: Feeder,
    rtc: Arc<Rtc>,
    receiver: Arc<Receiver>,
    context: Arc<Context>,
    screen_context: Arc<Context>,
    uid: u32,
    channel: String,
    peer: u32,
    publication: Publication,
    pass: Option<ScreenPass>,
    camera: Option<u32>,
    sound: Option<u32>,
    microphone: bool,
    screen: Option<Screen>,
    /// Pictures and pieces of sound that could not be used, when they were told last.
    faults: [u64; 2],
    /// We are no longer in the channel.
    is_over: bool,
}

impl Session {
    fn start(setup: &Setup, incoming: &Incoming) -> Result<Self, IrisError> {
        let Setup { credentials, mailbox, publication, own, .. } = setup;
        let ours = own.as_ref().map(|own| Arc::new(PictureSink::new(OURSELVES, Arc::clone(&own.pictures))));
        let pictures = incoming.pictures().into_iter().chain(ours).collect();
        let context = Context::new(Arc::clone(&mailbox.events), pictures, Some(Arc::clone(&incoming.sound)));
        let screen_context = Context::new(Arc::new(Events::new()), Vec::new(), None);
        let uid = credentials.uid.get();
        let screen = credentials.screen.as_ref().map(|pass| (pass.uid.get(), Arc::clone(&screen_context)));
        let receiver = Receiver::new(credentials.channel.clone(), (uid, Arc::clone(&context)), screen);
        let receiver = Arc::new(match own {
            Some(own) => receiver.with_devices(own.events.clone()),
            None => receiver,
        });
        let listener: Arc<dyn Listener> = Arc::<Receiver>::clone(&receiver);
        let rtc = Arc::new(setup.begin(&listener)?);
        let feeder = Feeder::start(&rtc).map_err(|_| IrisError::NotMade("thread"))?;
        let session = Self {
            feeder,
            rtc,
            receiver,
            context,
            screen_context,
            uid,
            channel: credentials.channel.clone(),
            peer: credentials.peer.get(),
            publication: publication.clone(),
            pass: credentials.screen.clone(),
            camera: None,
            sound: None,
            microphone: false,
            screen: None,
            faults: [0; 2],
            is_over: false,
        };
        let options = ChannelMediaOptions {
            auto_subscribe_audio: Some(true),
            auto_subscribe_video: Some(true),
            ..sending_nothing()
        };
        session.rtc.join(session.ourselves(), credentials.token.clone(), options)?;
        Ok(session)
    }

    fn ourselves(&self) -> Connection {
        Connection { channel_id: self.channel.clone(), local_uid: self.uid }
    }

    fn run(&mut self, mailbox: &Mailbox, course: &mut Course, outbox: &mut Outbox) {
        while !mailbox.is_stopped() {
            let event = mailbox.events.next(course.next_look());
            if mailbox.is_stopped() {
                break;
            }
            let (now, mut tell) = (Instant::now(), |event| mailbox.tell(outbox, event));
            match event.map_or(Step::GoOn, |event| course.on_event(&event, now, &mut tell)) {
                Step::In => self.on_joined(),
                Step::PeerCame if course.is_in() && !self.publication.wants_video => self.mute_peer(true),
                Step::Stranger(uid) if course.is_in() => self.leave_out(uid),
                _ => {}
            }
            course.on_time(now, &mut tell);
            if course.is_over() {
                self.is_over = true;
                break;
            }
            self.obey(mailbox, course, &mut tell);
            self.on_screen(&mut tell);
            if course.report(now, self.context.stats(), &mut tell) {
                self.report_faults(course.incoming());
            }
            outbox.flush();
        }
    }

    /// What the engine was asked to do.
    fn obey(&mut self, mailbox: &Mailbox, course: &mut Course, tell: &mut dyn FnMut(EngineEvent)) {
        let asked = mailbox.take();
        asked.tasks.into_iter().for_each(|task| task(&self.rtc));
        if let Some(pass) = asked.screen {
            self.renew_screen(pass);
        }
        if let Some(token) = asked.token {
            self.renew(token);
        }
        if let Some(publication) = asked.publication {
            let before = std::mem::replace(&mut self.publication, publication);
            if before.wants_video != self.publication.wants_video {
                self.want_video(course, tell);
            }
            if course.is_in() {
                self.publish();
            }
        }
    }

    fn on_joined(&mut self) {
        if let Some(pass) = &self.pass {
            // Our own screen is somebody else to the SDK, whose pictures would come back to us.
            self.leave_out(pass.uid.get());
        }
        if !self.publication.wants_video {
            self.mute_peer(true);
        }
        self.publish();
    }

    fn want_video(&mut self, course: &mut Course, tell: &mut dyn FnMut(EngineEvent)) {
        let wanted = self.publication.wants_video;
        course.hide(!wanted, tell);
        if course.is_in() {
            self.mute_peer(!wanted);
        }
    }

    /// Somebody whose pictures nobody looks at.
    fn leave_out(&self, uid: u32) {
        self.try_to("leave somebody's pictures out", |rtc| {
            rtc.api().call(&MuteRemoteVideoStream { uid, mute: true }).map(drop)
        });
    }

    /// What the callbacks could only count: they don't write logs.
    fn report_faults(&mut self, incoming: &Incoming) {
        let Incoming { camera, screen, sound } = incoming;
        let pictures = camera.damaged_count() + screen.as_ref().map_or(0, |screen| screen.damaged_count());
        let faults = [pictures, sound.refused_count()];
        if std::mem::replace(&mut self.faults, faults) != faults {
            let damage = camera.damage().or_else(|| screen.as_ref()?.damage()).map(tracing::field::display);
            let refusal = sound.refusal().map(tracing::field::display);
            let [pictures, sound] = faults;
            tracing::warn!(pictures, sound, damage, refusal, "Agora's SDK brings what can't be used");
        }
    }

    fn mute_peer(&self, mute: bool) {
        let uid = self.peer;
        self.try_to("stop or ask for pictures", |rtc| rtc.api().call(&MuteRemoteVideoStream { uid, mute }).map(drop));
    }

    /// Makes tracks for what is to be sent, and destroys those of what isn't any more.
    fn publish(&mut self) {
        if let Err(error) = self.publish_camera() {
            tracing::warn!(%error, "our picture can't be sent");
        }
        if let Err(error) = self.publish_sound() {
            tracing::warn!(%error, "our sound can't be sent");
        }
        if let Err(error) = self.publish_screen() {
            tracing::warn!(%error, "our screen can't be shared");
            self.drop_screen();
        }
    }

    fn publish_camera(&mut self) -> Result<(), IrisError> {
        match (self.publication.video.clone(), self.camera) {
            (Some(source), Some(track)) => self.feeder.change(|feeds| feeds.camera = Some(feed(source, track, None))),
            (Some(source), None) => {
                let track = self.new_video_track()?;
                let begun = self.update(ChannelMediaOptions {
                    publish_custom_video_track: Some(true),
                    custom_video_track_id: Some(track),
                    ..ChannelMediaOptions::default()
                });
                if begun.is_err() {
                    // Pushed to by nobody: the next attempt makes another one.
                    self.destroy_picture_track(track);
                    return begun;
                }
                self.camera = Some(track);
                self.feeder.change(|feeds| feeds.camera = Some(feed(source, track, None)));
            }
            (None, Some(track)) => {
                self.feeder.change(|feeds| feeds.camera = None);
                self.camera = None;
                let stopped = self.update(ChannelMediaOptions {
                    publish_custom_video_track: Some(false),
                    ..ChannelMediaOptions::default()
                });
                self.rtc.api().call(&DestroyCustomVideoTrack { video_track_id: track })?;
                stopped?;
            }
            (None, None) => {}
        }
        Ok(())
    }

    fn publish_sound(&mut self) -> Result<(), IrisError> {
        if self.rtc.sound() == SoundPath::Devices {
            return self.publish_microphone(self.publication.audio.is_some());
        }
        match (self.publication.audio.clone(), self.sound) {
            (Some(blocks), Some(track)) => self.feeder.change(|feeds| feeds.sound = Some(SoundFeed { blocks, track })),
            (Some(blocks), None) => {
                let config = AudioTrackConfig { enable_local_playback: false, enable_audio_processing: false };
                let made = self.rtc.api().call(&CreateCustomAudioTrack { track_type: DIRECT_TRACK, config })?;
                let track = made.id().ok_or(IrisError::NotMade("track for sound"))?;
                let begun = self.update(ChannelMediaOptions {
                    publish_custom_audio_track: Some(true),
                    publish_custom_audio_track_id: Some(track),
                    ..ChannelMediaOptions::default()
                });
                if begun.is_err() {
                    self.destroy_sound_track(track);
                    return begun;
                }
                self.sound = Some(track);
                self.feeder.change(|feeds| feeds.sound = Some(SoundFeed { blocks, track }));
            }
            (None, Some(track)) => {
                self.feeder.change(|feeds| feeds.sound = None);
                self.sound = None;
                let stopped = self.update(ChannelMediaOptions {
                    publish_custom_audio_track: Some(false),
                    ..ChannelMediaOptions::default()
                });
                self.rtc.api().call(&DestroyCustomAudioTrack { track_id: track })?;
                stopped?;
            }
            (None, None) => {}
        }
        Ok(())
    }

    fn publish_microphone(&mut self, on: bool) -> Result<(), IrisError> {
        if self.microphone == on {
            return Ok(());
        }
        self.rtc.devices().enable_microphone(on)?;
        self.update(ChannelMediaOptions { publish_microphone_track: Some(on), ..ChannelMediaOptions::default() })?;
        self.microphone = on;
        Ok(())
    }

    fn publish_screen(&mut self) -> Result<(), IrisError> {
        match (self.publication.screen.clone(), &self.screen) {
            (Some(source), Some(Screen { track, connection })) => {
                let feed = feed(source, *track, Some(connection.clone()));
                self.feeder.change(|feeds| feeds.screen = Some(feed));
            }
            (Some(source), None) => {
                let Some(pass) = self.pass.clone() else {
                    tracing::warn!("no pass for a shared screen");
                    return Ok(());
                };
                let connection = Connection { channel_id: self.channel.clone(), local_uid: pass.uid.get() };
                let track = self.new_video_track()?;
                self.screen = Some(Screen { track, connection: connection.clone() });
                let options = ChannelMediaOptions {
                    publish_custom_video_track: Some(true),
                    custom_video_track_id: Some(track),
                    auto_subscribe_audio: Some(false),
                    auto_subscribe_video: Some(false),
                    ..sending_nothing()
                };
                self.rtc.join_also(connection.clone(), pass.token, options)?;
                self.feeder.change(|feeds| feeds.screen = Some(feed(source, track, Some(connection))));
            }
            (None, Some(_)) => self.drop_screen(),
            (None, None) => {}
        }
        Ok(())
    }

    fn drop_screen(&mut self) {
        self.feeder.change(|feeds| feeds.screen = None);
        let Some(Screen { track, connection }) = self.screen.take() else { return };
        self.try_to("take our screen out of the channel", |rtc| rtc.leave_also(connection));
        self.destroy_picture_track(track);
    }

    fn destroy_picture_track(&self, video_track_id: u32) {
        self.try_to("destroy a track for pictures", |rtc| {
            rtc.api().call(&DestroyCustomVideoTrack { video_track_id }).map(drop)
        });
    }

    fn destroy_sound_track(&self, track_id: u32) {
        self.try_to("destroy a track for sound", |rtc| rtc.api().call(&DestroyCustomAudioTrack { track_id }).map(drop));
    }

    /// What the SDK told of our screen.
    fn on_screen(&mut self, tell: &mut dyn FnMut(EngineEvent)) {
        while let Some(event) = self.screen_context.events.next(Instant::now()) {
            match event {
                Event::TokenExpiring => tell(EngineEvent::TokenExpiring),
                Event::Disconnected(reason) | Event::Failed(reason) if self.screen.is_some() => {
                    tracing::warn!(%reason, "our screen is no longer in the channel");
                    self.drop_screen();
                }
                Event::TokenExpired if self.screen.is_some() => {
                    tracing::warn!("the pass of our screen has ended");
                    self.drop_screen();
                }
                _ => {}
            }
        }
    }

    fn renew(&mut self, token: Token) {
        self.try_to("renew the token", |rtc| rtc.api().call(&RenewToken { token: token.into() }).map(drop));
    }

    fn renew_screen(&mut self, pass: ScreenPass) {
        let is_same = self.pass.as_ref().is_some_and(|before| before.uid == pass.uid);
        if let (true, Some(screen)) = (is_same, &self.screen) {
            let options =
                ChannelMediaOptions { token: Some(pass.token.clone().into()), ..ChannelMediaOptions::default() };
            let connection = screen.connection.clone();
            self.try_to("renew the screen's pass", |rtc| {
                rtc.api().call(&UpdateChannelMediaOptionsEx { options, connection }).map(drop)
            });
        }
        if is_same || self.screen.is_none() {
            self.pass = Some(pass);
        }
    }

    fn new_video_track(&self) -> Result<u32, IrisError> {
        self.rtc.api().call(&CreateCustomVideoTrack {})?.id().ok_or(IrisError::NotMade("track for pictures"))
    }

    fn update(&self, options: ChannelMediaOptions) -> Result<(), IrisError> {
        self.rtc.api().call(&UpdateChannelMediaOptions { options }).map(drop)
    }

    fn try_to(&self, what: &str, call: impl FnOnce(&Rtc) -> Result<(), IrisError>) {
        if let Err(error) = call(&self.rtc) {
            tracing::warn!(%error, what, "Agora's SDK did not do it");
        }
    }
}

impl Drop for Session {
    /// Takes back what was made, while the SDK lives; it ends with the last holder of `rtc`.
    fn drop(&mut self) {
        self.feeder.change(|feeds| *feeds = Feeds::default());
        if !self.is_over && (self.camera.is_some() || self.sound.is_some() || self.microphone) {
            let options = ChannelMediaOptions {
                publish_custom_video_track: Some(false),
                publish_custom_audio_track: Some(false),
                publish_microphone_track: Some(false),
                ..ChannelMediaOptions::default()
            };
            self.try_to("stop sending", |rtc| rtc.api().call(&UpdateChannelMediaOptions { options }).map(drop));
        }
        self.drop_screen();
        if let Some(track) = self.camera.take() {
            self.destroy_picture_track(track);
        }
        if let Some(track) = self.sound.take() {
            self.destroy_sound_track(track);
        }
        tracing::debug!(
            refused = self.feeder.refused_count(),
            unknown = self.receiver.unknown_count(),
            damaged = self.receiver.damaged_count(),
            events_dropped = self.context.events.dropped_count(),
            panics = self.rtc.callback_panics(),
            "an Agora call ended"
        );
    }
}

/// Nothing of the SDK's own is sent: what we send are tracks of ours.
fn sending_nothing() -> ChannelMediaOptions {
    ChannelMediaOptions {
        publish_camera_track: Some(false),
        publish_microphone_track: Some(false),
        publish_screen_track: Some(false),
        client_role_type: Some(BROADCASTER),
        channel_profile: Some(CHANNEL_PROFILE),
        ..ChannelMediaOptions::default()
    }
}

fn feed((frames, profile): Source, track: u32, connection: Option<Connection>) -> PictureFeed {
    PictureFeed { frames, profile, track, connection }
}

/// A thread that panicked.
pub(super) fn panicked() -> EngineError {
    EngineError::Failed("the thread of the call has panicked".to_owned())
}
