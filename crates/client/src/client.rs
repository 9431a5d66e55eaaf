//! The client: what its owner calls.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use parley_domain::{
    ConversationId, EngineKind, Meeting, MeetingId, MeetingType, Message, ProjectId, Proposal, ProposalId, User, UserId,
};
use parley_protocol::{
    app::ConnectionState,
    rest::{Accepted, Login, NewMeeting, Register},
    socket::{CallJoin, CallState, OfMeeting, Presence, Signal, Typing, event},
};
use rand::RngExt;
use tokio::{sync::watch, time::timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    ClientError, ClientEvent, Clock, Events, OutboxEntry, Rest, SecretStore, ServerAddress, SystemClock,
    cache::{Account, Cache, Opened, projects::Lists},
    catch_up,
    core::Core,
    line, outbox,
    rest::{self, http::Http},
    secrets::StoredSession,
    session::{Session, blocking},
    socket::SocketTiming,
};

/// A person who signs out does not wait longer for a server that doesn't answer.
const FAREWELL: Duration = Duration::from_secs(4);

/// How one client is made.
#[derive(Clone)]
pub struct ClientOptions {
    /// The folder of the local copy.
    pub data_dir: PathBuf,
    /// Where the session survives a restart.
    pub secrets: Arc<dyn SecretStore>,
    /// What this device can carry calls with.
    pub engines: Vec<EngineKind>,
    /// Tells when a message was written.
    pub clock: Arc<dyn Clock>,
    /// Delays and time-outs.
    pub timing: Timing,
}

impl ClientOptions {
    /// A client with the usual clock and delays that carries calls with the built-in engine.
    pub fn new(data_dir: impl Into<PathBuf>, secrets: Arc<dyn SecretStore>) -> Self {
        Self {
            data_dir: data_dir.into(),
            secrets,
            engines: vec![EngineKind::Direct],
            clock: Arc::new(SystemClock),
            timing: Timing::default(),
        }
    }
}

/// Delays and time-outs of a client.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Of one HTTP exchange.
    pub request: Duration,
    /// Of the socket.
    pub socket: SocketTiming,
    /// Before the second attempt; doubles with every further one, ±50 %.
    pub first_backoff: Duration,
    /// No delay is longer.
    pub longest_backoff: Duration,
    /// `/sync` is asked this often although the line is up: what no event tells arrives by that.
    pub sync_every: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(15),
            socket: SocketTiming::default(),
            first_backoff: Duration::from_millis(250),
            longest_backoff: Duration::from_secs(15),
            sync_every: Duration::from_secs(60),
        }
    }
}

impl Timing {
    /// The delay after that many failures in a row. Scattered, so that a thousand clients do not come back at once.
    pub(crate) fn backoff(&self, failures: u32) -> Duration {
        let doubled = self.first_backoff.saturating_mul(1 << failures.saturating_sub(1).min(16));
        doubled.min(self.longest_backoff).mul_f64(rand::rng().random_range(0.5..1.5))
    }
}

/// Who signs in where.
#[derive(Clone)]
pub struct Credentials {
    /// Address of the server.
    pub server: String,
    /// Plain http to another machine was allowed for this server.
    pub allow_plain_http: bool,
    /// Address of the person.
    pub email: String,
    /// Password; kept nowhere.
    pub password: String,
}

/// A signed-in client. Its tasks end when it is dropped.
pub struct Client {
    core: Arc<Core>,
    opened: Opened,
    tasks: Mutex<Vec<AbortOnDropHandle<()>>>,
}

/// Each call fails with [`ClientError`].
impl Client {
    /// Signs in, keeps the session, and begins to load.
    pub async fn sign_in(options: ClientOptions, credentials: Credentials) -> Result<Self, ClientError> {
        let address = ServerAddress::parse(&credentials.server, credentials.allow_plain_http)?;
        let http = Http::new(&address, options.timing.request)?;
        let body = Login { email: credentials.email, password: credentials.password };
        let signed_in = rest::login(&http, &address, &body).await?;
        let secrets = options.secrets.clone();
        let session = Session::begin(http, address, credentials.allow_plain_http, secrets, signed_in).await?;
        Self::start(options, session).await
    }

    /// Makes an account and signs in with it.
    pub async fn register(
        options: ClientOptions,
        server: &str,
        allow_plain_http: bool,
        account: &Register,
    ) -> Result<Self, ClientError> {
        let address = ServerAddress::parse(server, allow_plain_http)?;
        let http = Http::new(&address, options.timing.request)?;
        let signed_in = rest::register(&http, &address, account).await?;
        let session = Session::begin(http, address, allow_plain_http, options.secrets.clone(), signed_in).await?;
        Self::start(options, session).await
    }

    /// Goes on with the session of last time, without waiting for the server; `None` when there is none.
    pub async fn restore(options: ClientOptions) -> Result<Option<Self>, ClientError> {
        let secrets = options.secrets.clone();
        let Some(text) = blocking(move || secrets.load()).await? else { return Ok(None) };
        let stored: StoredSession = match serde_json::from_str(&text) {
            Ok(stored) => stored,
            // Of another version: as good as none.
            Err(error) => {
                tracing::warn!(%error, "the stored session can't be read");
                return Ok(None);
            }
        };
        let address = ServerAddress::parse(&stored.server, stored.allow_plain_http)?;
        let http = Http::new(&address, options.timing.request)?;
        let session = Session::resume(http, address, options.secrets.clone(), stored);
        Self::start(options, session).await.map(Some)
    }

    async fn start(options: ClientOptions, session: Session) -> Result<Self, ClientError> {
        let account = Account { server: session.address().as_str().to_owned(), user_id: session.user().id };
        let (cache, opened) = Cache::open(options.data_dir, account).await?;
        let core = Arc::new(Core::new(Arc::new(session), cache, options.clock, options.engines, options.timing));
        let client = Self { core: core.clone(), opened, tasks: Mutex::default() };
        *client.lock_tasks() = vec![
            AbortOnDropHandle::new(tokio::spawn(line::run(core.clone()))),
            AbortOnDropHandle::new(tokio::spawn(line::renew(core.clone()))),
            AbortOnDropHandle::new(tokio::spawn(outbox::run(core))),
        ];
        Ok(client)
    }

    /// Everything that happens from now on.
    pub fn events(&self) -> Events {
        Events(self.core.subscribe())
    }

    /// What this device can carry calls with from now on. If that is something else than before, the line begins again,
    /// which is how the server learns of it; a running call goes on.
    pub fn set_engines(&self, engines: Vec<EngineKind>) {
        self.core.engines.send_if_modified(|present| {
            let changes = *present != engines;
            *present = engines;
            changes
        });
    }

    /// Who is signed in.
    pub fn user(&self) -> User {
        self.core.session().user()
    }

    /// Where.
    pub fn server(&self) -> &ServerAddress {
        self.core.session().address()
    }

    /// The line to the server, now and as it changes.
    pub fn connection(&self) -> watch::Receiver<ConnectionState> {
        self.core.connection.subscribe()
    }

    /// Waits until the line is up and everything is caught up.
    pub async fn connected(&self) -> Result<(), ClientError> {
        let mut connection = self.connection();
        tokio::select! {
            up = connection.wait_for(|state| *state == ConnectionState::Connected) => {
                up.map(drop).map_err(|_| ClientError::Closed)
            }
            () = self.core.session().until_ended() => {
                Err(self.core.session().end_reason().unwrap_or(ClientError::Closed))
            }
        }
    }

    /// Why the server no longer takes the session; `None` while it does.
    pub fn session_end(&self) -> Option<ClientError> {
        self.core.session().end_reason()
    }

    /// Tries to connect now instead of waiting for the next attempt, as when the network came back.
    pub fn reconnect_now(&self) {
        self.core.line_poke.notify_one();
    }

    /// What was found of the local copy at the start.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The local copy.
    pub fn cache(&self) -> &Cache {
        &self.core.cache
    }

    /// The server's calls.
    pub fn rest(&self) -> &Rest {
        &self.core.rest
    }

    /// What is known of a person's presence; `None` without a line or before it was told.
    pub fn presence(&self, user: UserId) -> Option<Presence> {
        self.core.presence(user)
    }

    /// Ends the session here and on the server, and deletes the local copy. The server is asked, not waited for.
    pub async fn sign_out(&self) -> Result<(), ClientError> {
        self.lock_tasks().clear();
        self.core.set_socket(None);
        match timeout(FAREWELL, self.core.rest.logout()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the server was not told of the sign-out"),
            Err(_) => tracing::debug!("the server did not answer the sign-out in time"),
        }
        self.core.session().sign_out().await?;
        self.core.cache.run(|db| db.wipe()).await
    }

    /// Writes a message: it is in the outbox, durably, when this returns.
    pub async fn send(&self, conversation: ConversationId, content: String) -> Result<OutboxEntry, ClientError> {
        let entry = OutboxEntry::new(conversation, content, self.core.clock.now());
        let entry = self.core.cache.run(move |db| db.write_to_outbox(entry)).await?;
        self.core.tell(ClientEvent::Outbox(entry.clone()));
        self.core.outbox_poke.notify_one();
        Ok(entry)
    }

    /// Lets a failed message try again; `None` when it is no longer in the outbox.
    pub async fn retry(&self, client_id: &str) -> Result<Option<OutboxEntry>, ClientError> {
        let client_id = client_id.to_owned();
        let entry = self.core.cache.run(move |db| db.retry_in_outbox(&client_id)).await?;
        self.core.tell_all(entry.clone().map(ClientEvent::Outbox));
        self.core.outbox_poke.notify_one();
        Ok(entry)
    }

    /// Forgets a failed message; false when there is no failed one of that name.
    pub async fn discard(&self, conversation_id: ConversationId, client_id: &str) -> Result<bool, ClientError> {
        let name = client_id.to_owned();
        let gone = self.core.cache.run(move |db| db.discard_from_outbox(&name)).await?;
        if gone {
            let client_id = client_id.to_owned();
            self.core.tell(ClientEvent::OutboxGone { conversation_id, client_id, sent: false });
        }
        Ok(gone)
    }

    /// A stretch of history that ends before a number (or with the newest), oldest first, and whether there is more
    /// before it. From the local copy where that is whole, else from the server, else what there is.
    pub async fn history(
        &self,
        conversation: ConversationId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<(Vec<Message>, bool), ClientError> {
        let limit = limit.clamp(1, rest::PAGE);
        let newest = self
            .core
            .cache
            .run(move |db| {
                let shown = db.conversation(conversation)?.and_then(|row| row.last_message).map_or(0, |last| last.seq);
                Ok(shown.max(db.newest_seq(conversation)?))
            })
            .await?;
        let before = before.unwrap_or(i64::MAX).clamp(1, newest + 1);
        let from = (before - i64::from(limit)).max(1);
        let here = self.core.cache.run(move |db| db.messages_between(conversation, from, before)).await?;
        let whole = usize::try_from(before - from).is_ok_and(|expected| here.len() >= expected);
        let messages = if whole {
            here
        } else {
            match self.core.rest.messages_after(conversation, from - 1, limit).await {
                Ok(fetched) => {
                    self.core.cache.run(move |db| db.put_history(&fetched)).await?;
                    self.core.cache.run(move |db| db.messages_before(conversation, before, limit)).await?
                }
                Err(error) if here.is_empty() || !error.is_transient() => return Err(error),
                Err(_) => here,
            }
        };
        let has_older = messages.first().map_or(from, |first| first.seq) > 1;
        Ok((messages, has_older))
    }

    /// The person saw a conversation up to that number: counted here at once, told to the server as soon as it hears.
    pub async fn mark_read(&self, conversation: ConversationId, seq: i64) -> Result<(), ClientError> {
        let at = self.core.clock.now();
        if let Some(event) = self.core.cache.run(move |db| db.mark_read(conversation, seq, at)).await? {
            self.core.tell(event);
            self.core.outbox_poke.notify_one();
        }
        Ok(())
    }

    /// Says that the person types or stopped. Worth nothing later, so without a line it is dropped.
    pub fn typing(&self, conversation_id: ConversationId, is_typing: bool) {
        if let Ok(socket) = self.core.socket() {
            let _ = socket.emit(event::CONVERSATION_TYPING, &Typing { conversation_id, is_typing });
        }
    }

    /// Accepts an offer; the project and its conversation are in the cache when this returns.
    pub async fn accept_proposal(&self, id: ProposalId) -> Result<Accepted, ClientError> {
        let accepted = self.core.rest.accept_proposal(id).await?;
        catch_up::adopt(&self.core, accepted.project.clone(), accepted.conversation.clone()).await?;
        Ok(accepted)
    }

    /// Turns an offer down.
    pub async fn reject_proposal(&self, id: ProposalId) -> Result<Proposal, ClientError> {
        let proposal = self.core.rest.reject_proposal(id).await?;
        let lists = Lists { proposals: vec![proposal.clone()], ..Lists::default() };
        let events = self.core.cache.run(move |db| db.put_lists(&lists)).await?;
        self.core.tell_all(events);
        Ok(proposal)
    }

    /// Calls the other side of a project now. It rings there when this returns.
    pub async fn call(&self, project_id: ProjectId, guest_id: Option<UserId>) -> Result<Meeting, ClientError> {
        let meeting = NewMeeting { project_id, kind: MeetingType::Instant, guest_id, scheduled_at: None };
        let meeting = self.core.rest.create_meeting(&meeting).await?;
        self.take_in(meeting).await
    }

    /// Answers a call.
    pub async fn accept_call(&self, id: MeetingId) -> Result<Meeting, ClientError> {
        let meeting = self.core.rest.accept_meeting(id).await?;
        self.take_in(meeting).await
    }

    /// Says no to a call.
    pub async fn decline_call(&self, id: MeetingId) -> Result<Meeting, ClientError> {
        let meeting = self.core.rest.decline_meeting(id).await?;
        self.take_in(meeting).await
    }

    /// Hangs up.
    pub async fn end_call(&self, id: MeetingId) -> Result<Meeting, ClientError> {
        let meeting = self.core.rest.end_meeting(id).await?;
        self.take_in(meeting).await
    }

    /// Takes back a call that still rings.
    pub async fn cancel_call(&self, id: MeetingId) -> Result<(), ClientError> {
        self.core.rest.cancel_meeting(id).await?;
        self.core.sync_poke.notify_one();
        Ok(())
    }

    async fn take_in(&self, meeting: Meeting) -> Result<Meeting, ClientError> {
        let row = meeting.clone();
        let event = self.core.cache.run(move |db| db.put_meeting(&row)).await?;
        self.core.tell_all(event);
        Ok(meeting)
    }

    /// Binds this device to a call, by the meeting's token.
    pub async fn join_call(&self, meeting_id: MeetingId, token: String) -> Result<(), ClientError> {
        self.core.socket()?.ask(event::CALL_JOIN, &CallJoin { meeting_id, token }).await.map(drop)
    }

    /// This device is no longer in the call.
    pub async fn leave_call(&self, meeting_id: MeetingId) -> Result<(), ClientError> {
        self.core.socket()?.ask(event::CALL_LEAVE, &OfMeeting { meeting_id }).await.map(drop)
    }

    /// Tells the other side what is on.
    pub async fn call_state(&self, state: &CallState) -> Result<(), ClientError> {
        self.core.socket()?.ask(event::CALL_STATE, state).await.map(drop)
    }

    /// Sends to the other side's engine, in order with earlier signals.
    pub fn signal(&self, meeting_id: MeetingId, data: serde_json::Value) -> Result<(), ClientError> {
        self.core.socket()?.emit(event::CALL_SIGNAL, &Signal { meeting_id, data })
    }

    fn lock_tasks(&self) -> std::sync::MutexGuard<'_, Vec<AbortOnDropHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
