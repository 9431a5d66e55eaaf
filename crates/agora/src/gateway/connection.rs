//! One participant of ours in one channel.

use std::{
    ffi::CString,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use agora_sys::gateway::{Gateway, agora_rtc_conn_config, agora_video_subscription_options};
use parley_call::{Token, audio::SAMPLE_RATE};

use super::{
    context::{Context, PictureSink, SoundSink, TransportStats},
    error::{GatewayError, Handle, c_text, check},
    events::Events,
    observers::Tables,
    registry::Registration,
    service::{CHANNEL_PROFILE, Service},
    stream::{Budget, MOST_STREAMS, StreamId},
    tracks::{AudioSender, AudioTrack, Encoding, VideoSender, VideoTrack},
};

/// Sends and receives (FACTS A7, role).
const BROADCASTER: i32 = 1;
/// Callbacks put something into a queue and go; one that is inside for so long will never leave.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections in which a callback never returned, and the service that they need: kept for good.
static KEPT: Mutex<Vec<(Arc<Service>, Native)>> = Mutex::new(Vec::new());

/// What a connection brings, and where to.
#[derive(Default)]
pub struct Receiving {
    /// What happens.
    pub events: Arc<Events>,
    /// People's pictures; nobody's, if it is empty.
    pub pictures: Vec<Arc<PictureSink>>,
    /// One person's sound.
    pub sound: Option<Arc<SoundSink>>,
}

impl Receiving {
    fn anything(&self) -> bool {
        !self.pictures.is_empty() || self.sound.is_some()
    }
}

/// One participant of ours, joined to a channel or about to be. Used by one thread at a time; it keeps the service.
///
/// [`Self::close`] leaves and frees everything in the one order that is safe; dropping does the same.
pub struct Connection {
    service: Arc<Service>,
    context: Arc<Context>,
    /// What exists of it, until it is closed.
    native: Option<Native>,
    budget: Budget,
}

/// What the library made for one connection.
struct Native {
    conn: Handle,
    /// Belongs to the connection, is never destroyed by us (FACTS A3.7).
    user: Handle,
    factory: Option<Handle>,
    pictures: Option<Handle>,
    tables: &'static Tables,
    registered: Registered,
    places: Vec<Registration>,
    video: Option<VideoTrack>,
    audio: Option<AudioTrack>,
    published: Published,
    streams: usize,
    connecting: bool,
}

#[derive(Default)]
struct Registered {
    connection: bool,
    user: bool,
    sound: bool,
    pictures: bool,
}

#[derive(Default)]
struct Published {
    video: bool,
    audio: bool,
}

impl Connection {
    /// A connection that is not in a channel yet, with everything that tells of it in place.
    ///
    /// # Errors
    /// When the library makes or takes something not. Nothing is left then.
    pub fn open(service: &Arc<Service>, receiving: Receiving) -> Result<Self, GatewayError> {
        let receives = receiving.anything();
        let functions = service.functions();
        let config = agora_rtc_conn_config {
            auto_subscribe_audio: i32::from(receives),
            auto_subscribe_video: i32::from(receives),
            client_role_type: BROADCASTER,
            channel_profile: CHANNEL_PROFILE,
            ..agora_rtc_conn_config::default()
        };
        // SAFETY: a living service and a whole structure (FACTS A3.7, A6).
        let conn = unsafe { functions.agora_rtc_conn_create(service.handle().raw(), &raw const config) };
        let conn = Handle::made("connection", conn)?;
        // SAFETY: a living connection.
        let user = unsafe { functions.agora_rtc_conn_get_local_user(conn.raw()) };
        let user = Handle::made("local user", user).inspect_err(|_| {
            // SAFETY: made above, nothing of it is in use.
            unsafe { functions.agora_rtc_conn_destroy(conn.raw()) };
        })?;
        let context = Context::new(receiving.events, receiving.pictures, receiving.sound);
        let mut connection = Self {
            service: Arc::clone(service),
            context,
            native: Some(Native {
                conn,
                user,
                factory: None,
                pictures: None,
                tables: Tables::next(),
                registered: Registered::default(),
                places: Vec::new(),
                video: None,
                audio: None,
                published: Published::default(),
                streams: 0,
                connecting: false,
            }),
            budget: Budget::default(),
        };
        // What fails from here on is undone by the drop.
        connection.furnish(receives)?;
        Ok(connection)
    }

    fn furnish(&mut self, receives: bool) -> Result<(), GatewayError> {
        let (service, context) = (Arc::clone(&self.service), Arc::clone(&self.context));
        let functions = service.functions();
        let native = self.native.as_mut().ok_or(GatewayError::Closed)?;
        let (conn, user, turn) = (native.conn, native.user, native.tables.turn);
        // SAFETY: a living service (FACTS A3.6).
        let factory = unsafe { functions.agora_service_create_media_node_factory(service.handle().raw()) };
        native.factory = Some(Handle::made("factory", factory)?);

        // In the registry before the library knows of them: a callback may come at once.
        native.places.push(Registration::new(turn, conn, Arc::clone(&context)));
        native.places.push(Registration::new(turn, user, Arc::clone(&context)));
        let table = native.tables.connection.as_ptr();
        // SAFETY: a living connection; the table is there for good (FACTS A5).
        let answer = unsafe { functions.agora_rtc_conn_register_observer(conn.raw(), table) };
        check("tell of the connection", answer)?;
        native.registered.connection = true;
        let table = native.tables.user.as_ptr();
        // SAFETY: a living user; the table is there for good (FACTS A5).
        let answer = unsafe { functions.agora_local_user_register_observer(user.raw(), table) };
        check("tell of the tracks", answer)?;
        native.registered.user = true;
        if !receives {
            return Ok(());
        }
        // SAFETY: a living user; before the observer is registered, or no sound comes (FACTS A3.8).
        let answer = unsafe {
            functions.agora_local_user_set_playback_audio_frame_before_mixing_parameters(
                user.raw(),
                1,
                SAMPLE_RATE.cast_signed(),
            )
        };
        check("bring sound of 48 kHz", answer)?;
        let table = native.tables.sound.as_ptr();
        // SAFETY: a living user; the table is there for good (FACTS A5).
        let answer = unsafe { functions.agora_local_user_register_audio_frame_observer(user.raw(), table) };
        check("bring sound", answer)?;
        native.registered.sound = true;
        // SAFETY: the table is there for good (FACTS A5).
        let pictures = unsafe { functions.agora_video_frame_observer2_create(native.tables.pictures.as_ptr()) };
        let pictures = Handle::made("observer of pictures", pictures)?;
        native.pictures = Some(pictures);
        native.places.push(Registration::new(turn, pictures, context));
        // SAFETY: a living user and observer (FACTS A3.9).
        let answer = unsafe { functions.agora_local_user_register_video_frame_observer(user.raw(), pictures.raw()) };
        check("bring pictures", answer)?;
        native.registered.pictures = true;
        Ok(())
    }

    /// Begins to join. What comes of it is told by an event, or never.
    ///
    /// # Errors
    /// When the library refuses at once.
    pub fn connect(&mut self, token: &Token, channel: &str, uid: u32) -> Result<(), GatewayError> {
        let token = c_text("the token", &token.0)?;
        let channel = c_text("the channel's name", channel)?;
        let name = name_of(uid)?;
        let (functions, native) = self.open_native()?;
        // SAFETY: a living connection and texts that end with a zero; the library copies them (FACTS A3.11).
        let answer = unsafe {
            functions.agora_rtc_conn_connect(native.conn.raw(), token.as_ptr(), channel.as_ptr(), name.as_ptr())
        };
        check("join", answer)?;
        native.connecting = true;
        Ok(())
    }

    /// Gives the library the next token.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn renew_token(&mut self, token: &Token) -> Result<(), GatewayError> {
        let token = c_text("the token", &token.0)?;
        let (functions, native) = self.open_native()?;
        // SAFETY: a living connection, and not in a callback (FACTS A3.15).
        let answer = unsafe { functions.agora_rtc_conn_renew_token(native.conn.raw(), token.as_ptr()) };
        check("take the next token", answer)
    }

    /// Offers pictures to the channel; they are those that the sender is given. Call it when joined.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn publish_video(&mut self, encoding: &Encoding) -> Result<Arc<VideoSender>, GatewayError> {
        let service = Arc::clone(&self.service);
        let (functions, native) = self.open_native()?;
        if native.video.is_none() {
            native.video = Some(VideoTrack::make(&service, native.factory.ok_or(GatewayError::Closed)?)?);
        }
        let track = native.video.as_ref().ok_or(GatewayError::Closed)?;
        track.encode(&service, encoding)?;
        track.enable(&service, true)?;
        // SAFETY: a living user and track (FACTS A3.12).
        let answer = unsafe { functions.agora_local_user_publish_video(native.user.raw(), track.handle.raw()) };
        check("publish the pictures", answer)?;
        native.published.video = true;
        Ok(Arc::clone(&track.sender))
    }

    /// Changes how pictures are encoded.
    ///
    /// # Errors
    /// When there are none, or the library refuses.
    pub fn encode_video(&mut self, encoding: &Encoding) -> Result<(), GatewayError> {
        let service = Arc::clone(&self.service);
        let (_, native) = self.open_native()?;
        native.video.as_ref().ok_or(GatewayError::Closed)?.encode(&service, encoding)
    }

    /// Takes the pictures back. Nothing to do when there are none.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn unpublish_video(&mut self) -> Result<(), GatewayError> {
        let service = Arc::clone(&self.service);
        let (functions, native) = self.open_native()?;
        native.unpublish_video(functions, &service)
    }

    /// Offers sound to the channel; it is what the sender is given. Call it when joined.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn publish_audio(&mut self) -> Result<Arc<AudioSender>, GatewayError> {
        let service = Arc::clone(&self.service);
        let (functions, native) = self.open_native()?;
        if native.audio.is_none() {
            native.audio = Some(AudioTrack::make(&service, native.factory.ok_or(GatewayError::Closed)?)?);
        }
        let track = native.audio.as_ref().ok_or(GatewayError::Closed)?;
        track.enable(&service, true)?;
        // SAFETY: a living user and track (FACTS A3.12).
        let answer = unsafe { functions.agora_local_user_publish_audio(native.user.raw(), track.handle.raw()) };
        check("publish the sound", answer)?;
        native.published.audio = true;
        Ok(Arc::clone(&track.sender))
    }

    /// Takes the sound back. Nothing to do when there is none.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn unpublish_audio(&mut self) -> Result<(), GatewayError> {
        let service = Arc::clone(&self.service);
        let (functions, native) = self.open_native()?;
        native.unpublish_audio(functions, &service)
    }

    /// Receives that person's pictures, or does not any more.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn receive_video(&mut self, uid: u32, on: bool) -> Result<(), GatewayError> {
        let name = name_of(uid)?;
        let (functions, native) = self.open_native()?;
        let user = native.user.raw();
        let answer = if on {
            let options = agora_video_subscription_options::default();
            // SAFETY: a living user, a text and a whole structure; both are read before this returns (FACTS A4).
            unsafe { functions.agora_local_user_subscribe_video(user, name.as_ptr(), &raw const options) }
        } else {
            // SAFETY: a living user and a text that ends with a zero (FACTS A4).
            unsafe { functions.agora_local_user_unsubscribe_video(user, name.as_ptr()) }
        };
        check("receive pictures or not", answer)
    }

    /// Receives that person's sound, or does not any more.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn receive_audio(&mut self, uid: u32, on: bool) -> Result<(), GatewayError> {
        let name = name_of(uid)?;
        let (functions, native) = self.open_native()?;
        let user = native.user.raw();
        let answer = if on {
            // SAFETY: a living user and a text that ends with a zero (FACTS A4).
            unsafe { functions.agora_local_user_subscribe_audio(user, name.as_ptr()) }
        } else {
            // SAFETY: as above.
            unsafe { functions.agora_local_user_unsubscribe_audio(user, name.as_ptr()) }
        };
        check("receive sound or not", answer)
    }

    /// Opens a stream for data messages, in order and repeated when lost. Call it when joined; a connection has room
    /// for five, and they end with it.
    ///
    /// # Errors
    /// When there are five, or the library refuses.
    pub fn open_stream(&mut self) -> Result<StreamId, GatewayError> {
        let (functions, native) = self.open_native()?;
        if native.streams >= MOST_STREAMS {
            return Err(GatewayError::TooManyStreams { limit: MOST_STREAMS });
        }
        let mut stream = 0;
        let (reliable, ordered) = (1, 1);
        let conn = native.conn.raw();
        // SAFETY: a living connection, and a place for one number (FACTS A3.14).
        let answer = unsafe { functions.agora_rtc_conn_create_data_stream(conn, &raw mut stream, reliable, ordered) };
        check("open a data stream", answer)?;
        native.streams += 1;
        Ok(StreamId(stream))
    }

    /// Sends a data message of up to 1 KB, up to 60 a second and 30 KB a second over all streams.
    ///
    /// # Errors
    /// Beyond these limits, and when the library refuses.
    pub fn send_message(&mut self, stream: StreamId, data: &[u8]) -> Result<(), GatewayError> {
        self.budget.spend(Instant::now(), data.len())?;
        let (functions, native) = self.open_native()?;
        let (conn, length) = (native.conn.raw(), data.len() as u32);
        // SAFETY: a living connection and bytes that are read before this returns; the length was bounded (FACTS A3.14).
        let answer =
            unsafe { functions.agora_rtc_conn_send_stream_message(conn, stream.0, data.as_ptr().cast(), length) };
        check("send a data message", answer)
    }

    /// What the library said last about the path.
    pub fn stats(&self) -> Option<TransportStats> {
        self.context.stats()
    }

    /// The number that the library takes us for, once joined; 0 before.
    pub fn own_uid(&self) -> u32 {
        self.context.own_uid()
    }

    /// How many callbacks were about somebody without a number.
    pub fn nameless_count(&self) -> u64 {
        self.context.nameless_count()
    }

    /// Leaves and frees everything. When it returns no callback of this connection runs or comes. May be called twice.
    pub fn close(&mut self) {
        if let Some(native) = self.native.take() {
            self.context.begin_to_close();
            native.close(&self.service);
        }
    }

    fn open_native(&mut self) -> Result<(&Gateway, &mut Native), GatewayError> {
        let native = self.native.as_mut().ok_or(GatewayError::Closed)?;
        Ok((self.service.functions(), native))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

impl Native {
    fn unpublish_video(&mut self, functions: &Gateway, service: &Service) -> Result<(), GatewayError> {
        if !std::mem::take(&mut self.published.video) {
            return Ok(());
        }
        let track = self.video.as_ref().ok_or(GatewayError::Closed)?;
        // SAFETY: a living user and track (FACTS A3.16).
        let answer = unsafe { functions.agora_local_user_unpublish_video(self.user.raw(), track.handle.raw()) };
        track.enable(service, false)?;
        check("take the pictures back", answer)
    }

    fn unpublish_audio(&mut self, functions: &Gateway, service: &Service) -> Result<(), GatewayError> {
        if !std::mem::take(&mut self.published.audio) {
            return Ok(());
        }
        let track = self.audio.as_ref().ok_or(GatewayError::Closed)?;
        // SAFETY: a living user and track (FACTS A3.16).
        let answer = unsafe { functions.agora_local_user_unpublish_audio(self.user.raw(), track.handle.raw()) };
        track.enable(service, false)?;
        check("take the sound back", answer)
    }

    /// The order of FACTS A3.16: stop sending, leave, unregister, wait for callbacks, destroy.
    fn close(mut self, service: &Arc<Service>) {
        let functions = service.functions();
        let (conn, user) = (self.conn.raw(), self.user.raw());
        well(self.unpublish_video(functions, service));
        well(self.unpublish_audio(functions, service));
        if self.connecting {
            // SAFETY: a living connection.
            well(check("leave", unsafe { functions.agora_rtc_conn_disconnect(conn) }));
        }
        if self.registered.user {
            // SAFETY: a living user with this observer.
            let answer = unsafe { functions.agora_local_user_unregister_observer(user) };
            well(check("tell no more of the tracks", answer));
        }
        if self.registered.sound {
            // SAFETY: a living user with this observer.
            let answer = unsafe { functions.agora_local_user_unregister_audio_frame_observer(user) };
            well(check("bring no more sound", answer));
        }
        if let Some(pictures) = self.pictures.filter(|_| self.registered.pictures) {
            // SAFETY: a living user with this living observer.
            let answer = unsafe { functions.agora_local_user_unregister_video_frame_observer(user, pictures.raw()) };
            well(check("bring no more pictures", answer));
        }
        if self.registered.connection {
            // SAFETY: a living connection with this observer.
            let answer = unsafe { functions.agora_rtc_conn_unregister_observer(conn) };
            well(check("tell no more of the connection", answer));
        }
        // One late callback is possible (FACTS A8): from here on it finds nothing.
        let deadline = Instant::now() + PATIENCE;
        let stays = |place: &&Registration| place.remove(deadline.saturating_duration_since(Instant::now())).is_err();
        if self.places.iter().filter(stays).count() > 0 {
            tracing::error!("a callback of Agora's library never returned: its connection is left as it is");
            // Freeing what it works with would be worse than keeping it.
            KEPT.lock().unwrap_or_else(PoisonError::into_inner).push((Arc::clone(service), self));
            return;
        }
        if let Some(pictures) = self.pictures {
            // SAFETY: unregistered, and no callback of it runs.
            let answer = unsafe { functions.agora_video_frame_observer2_destroy(pictures.raw()) };
            well(check("free the observer of pictures", answer));
        }
        if let Some(video) = self.video.take() {
            video.destroy(service);
        }
        if let Some(audio) = self.audio.take() {
            audio.destroy(service);
        }
        if let Some(factory) = self.factory {
            // SAFETY: what it made is destroyed.
            unsafe { functions.agora_media_node_factory_destroy(factory.raw()) };
        }
        // SAFETY: left, without observers, and its tracks are destroyed.
        unsafe { functions.agora_rtc_conn_destroy(conn) };
    }
}

/// A person's name for the library.
fn name_of(uid: u32) -> Result<CString, GatewayError> {
    c_text("the number", &uid.to_string())
}

/// On the way out there is nothing to do about an error but to tell it.
fn well(done: Result<(), GatewayError>) {
    if let Err(error) = done {
        tracing::debug!(%error, "closing a connection");
    }
}
