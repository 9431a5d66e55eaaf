//! The state behind the commands: who is signed in, what the UI sees, and what each command does with it.

mod account;
mod listener;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use parley_client::{Client, ClientError, Clock, SystemClock};
use parley_domain::{Conversation, ConversationId, MeetingId, ProjectId, Timestamp, UserId};
use parley_protocol::{
    Code,
    app::{
        AppError, AppEvent, Command, ConnectionState, ConnectionView, DiagnosticsView, Fact, LibraryView, MessageView,
        OfOutbox, Person, ProjectCard, ProjectsView, SecretStore, SessionState, SessionView, Snapshot, TimelinePage,
        TimelineRequest, TypingIn,
    },
};
use serde::Serialize;
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    calls::{Calls, Party, Studio},
    events::AppEvents,
    library::Library,
    options::AppOptions,
    pictures::Pictures,
    present::Present,
    settings::Settings,
    views,
};
use account::{Account, Place};

/// Messages of one stretch of a conversation.
const STRETCH: u32 = 50;

pub(crate) struct Core {
    shared: Arc<Shared>,
    opening: Mutex<Option<AbortOnDropHandle<()>>>,
}

struct Shared {
    options: AppOptions,
    clock: Arc<dyn Clock>,
    settings: Settings,
    present: Present,
    calls: Calls,
    library: Library,
    /// One at a time tells the server of the engines, so that what was looked up first is not said last.
    announcing: tokio::sync::Mutex<()>,
    account: Mutex<Option<Account>>,
    /// One change of who is signed in at a time.
    changing: tokio::sync::Mutex<()>,
    place: tokio::sync::OnceCell<Place>,
}

impl Core {
    pub(crate) async fn start(options: AppOptions) -> Result<Self, AppError> {
        parley_client::install_crypto();
        let storage = |error: std::io::Error| {
            AppError::new(
                Code::LocalStorage,
                format!("The app's folder or its loopback socket can't be used: {error}."),
            )
        };
        tokio::fs::create_dir_all(&options.data_dir).await.map_err(storage)?;
        let settings = Settings::open(&options.data_dir);
        let pictures = Arc::new(Pictures::open(&options.extra_origins).await.map_err(storage)?);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let present = Present::new(first_snapshot(&options, &settings));
        let studio =
            Studio::new(options.video_file.clone(), options.profile.clone(), settings.devices(), pictures.local());
        let teller = present.clone();
        let library = Library::new(options.library.clone());
        let tell = Box::new(move |event| teller.tell(event));
        let calls = Calls::new(studio, library.clone(), pictures, Arc::clone(&clock), tell);
        let shared = Arc::new(Shared {
            options,
            clock,
            settings,
            present,
            calls,
            library,
            announcing: tokio::sync::Mutex::default(),
            account: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            place: tokio::sync::OnceCell::new(),
        });
        let opening = AbortOnDropHandle::new(tokio::spawn(account::open(Arc::clone(&shared))));
        Ok(Self { shared, opening: Mutex::new(Some(opening)) })
    }

    pub(crate) fn events(&self) -> AppEvents {
        self.shared.present.events()
    }

    pub(crate) async fn close(&self) {
        drop(self.opening.lock().unwrap_or_else(PoisonError::into_inner).take());
        let account = self.shared.take_account();
        self.shared.calls.close().await;
        drop(account);
        self.shared.present.close();
    }

    pub(crate) async fn execute(&self, command: Command) -> Result<Value, AppError> {
        let name = command.name();
        let outcome = self.shared.execute(command).await;
        if let Err(error) = &outcome {
            tracing::debug!(command = name, code = error.code.as_str(), "a command was not done");
        }
        outcome
    }
}

fn first_snapshot(options: &AppOptions, settings: &Settings) -> Snapshot {
    let server = settings.server().or_else(|| options.server.clone());
    Snapshot {
        session: SessionView {
            state: SessionState::Starting,
            user: None,
            server,
            profile: options.profile.clone(),
            secret_store: SecretStore::Keyring,
            ended: None,
        },
        connection: ConnectionView { state: ConnectionState::Offline, waiting: 0 },
        projects: no_projects(),
        ring: None,
        call: None,
    }
}

fn no_projects() -> ProjectsView {
    ProjectsView { offers: Vec::new(), active: Vec::new(), past: Vec::new(), loaded: false }
}

impl Shared {
    async fn execute(self: &Arc<Self>, command: Command) -> Result<Value, AppError> {
        match command {
            Command::Snapshot(_) => answer(self.present.snapshot()),
            Command::SignIn(form) => answer(account::sign_in(self, form).await?),
            Command::SignOut(_) => answer(account::sign_out(self).await?),
            Command::AcceptProposal(of) => {
                let client = self.client()?;
                let accepted = client.accept_proposal(of.proposal_id).await?;
                self.draw_projects(&client).await;
                answer(self.card(&client, accepted.project.id).await?)
            }
            Command::RejectProposal(of) => {
                let client = self.client()?;
                client.reject_proposal(of.proposal_id).await?;
                self.draw_projects(&client).await;
                answer(())
            }
            Command::Timeline(request) => answer(self.timeline(request).await?),
            Command::Send(message) => {
                let client = self.client()?;
                let entry = client.send(message.conversation_id, message.content).await?;
                answer(views::of_entry(client.user().id, &entry))
            }
            Command::RetryMessage(of) => answer(self.retry(of).await?),
            Command::DiscardMessage(of) => {
                if self.client()?.discard(of.conversation_id, &of.client_id).await? {
                    return answer(());
                }
                Err(AppError::new(Code::NotFound, "This message is being sent or has arrived."))
            }
            Command::MarkRead(mark) => answer(self.client()?.mark_read(mark.conversation_id, mark.seq).await?),
            Command::Typing(TypingIn { conversation_id, is_typing }) => {
                self.client()?.typing(conversation_id, is_typing);
                answer(())
            }
            Command::StartCall(start) => {
                let client = self.client()?;
                let party = self.party(&client, start.project_id).await?;
                answer(self.calls.place(&client, party, start.camera).await?)
            }
            Command::AcceptCall(accept) => {
                let client = self.client()?;
                let project = self.project_of(&client, accept.meeting_id).await?;
                let party = self.party(&client, project).await?;
                answer(self.calls.accept(&client, accept.meeting_id, party, accept.camera).await?)
            }
            Command::DeclineCall(decline) => answer(self.decline(decline.meeting_id, decline.text).await?),
            Command::LeaveCall(_) => answer(self.calls.leave().await?),
            Command::SetMicrophone(switch) => answer(self.calls.set_microphone(switch.on)?),
            Command::SetCamera(switch) => answer(self.calls.set_camera(switch.on)?),
            Command::Devices(_) => answer(self.calls.devices().await),
            Command::ChooseDevices(choice) => {
                self.settings.remember_devices(&choice);
                answer(self.calls.choose(choice).await)
            }
            Command::Library(_) => {
                let view = self.library.view().await?;
                // Trying it may have shown that it doesn't work.
                self.announce_engines().await;
                answer(view)
            }
            Command::InstallLibrary(wish) => {
                let installed = self.library.install(wish.from).await?;
                if let Some(view) = &installed {
                    self.library_changed(view.clone()).await;
                }
                answer(installed)
            }
            Command::RemoveLibrary(_) => {
                let view = self.library.remove().await?;
                self.library_changed(view.clone()).await;
                answer(view)
            }
            Command::Diagnostics(_) => answer(self.diagnostics().await),
        }
    }

    async fn library_changed(&self, view: LibraryView) {
        self.present.tell(AppEvent::Library(view));
        self.announce_engines().await;
    }

    /// Tells the server what calls can go over here, if that is something else than before.
    async fn announce_engines(&self) {
        let _announcing = self.announcing.lock().await;
        let engines = self.library.engines().await;
        if let Ok(client) = self.client() {
            client.set_engines(engines);
        }
    }

    fn client(&self) -> Result<Arc<Client>, AppError> {
        let account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let signed_out = || AppError::new(Code::Unauthenticated, "Nobody is signed in. Sign in first.");
        account.as_ref().map(|account| Arc::clone(&account.client)).ok_or_else(signed_out)
    }

    fn take_account(&self) -> Option<Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Draws the list anew and tells it if it looks different.
    async fn draw_projects(&self, client: &Client) {
        match client.cache().run(|db| views::read_lists(db)).await {
            Ok(lists) => self.present.tell(AppEvent::Projects(views::projects(client, lists, self.now()))),
            Err(error) => tracing::warn!(%error, "the list can't be drawn"),
        }
    }

    async fn draw_connection(&self, client: &Client) {
        let waiting = client.cache().run(|db| db.outbox_waiting()).await.unwrap_or_default();
        let state = *client.connection().borrow();
        self.present.tell(AppEvent::Connection(ConnectionView { state, waiting }));
    }

    async fn card(&self, client: &Client, project: ProjectId) -> Result<ProjectCard, AppError> {
        let card = client.cache().run(move |db| db.project(project)?.map(|row| views::read_card(db, row)).transpose());
        let card = card.await?.and_then(|card| views::project(client, client.user().id, card));
        card.ok_or_else(|| AppError::new(Code::NotFound, "This project is not known here."))
    }

    async fn timeline(&self, request: TimelineRequest) -> Result<TimelinePage, AppError> {
        let client = self.client()?;
        let id = request.conversation_id;
        let (messages, has_older) = client.history(id, request.before_seq, STRETCH).await?;
        let with_outbox = request.before_seq.is_none();
        let items = client.cache().run(move |db| {
            let mut items = views::of_messages(db, &messages)?;
            if with_outbox {
                items.extend(db.outbox_of(id)?.iter().map(|entry| views::of_entry(db.me(), entry)));
            }
            Ok(items)
        });
        Ok(TimelinePage { items: items.await?, has_older })
    }

    async fn retry(&self, of: OfOutbox) -> Result<MessageView, AppError> {
        let client = self.client()?;
        let gone = || AppError::new(Code::NotFound, "This message is no longer waiting; it may have arrived.");
        let entry = client.retry(&of.client_id).await?.ok_or_else(gone)?;
        Ok(views::of_entry(client.user().id, &entry))
    }

    async fn conversation(&self, client: &Client, project: ProjectId) -> Result<Conversation, AppError> {
        let row = client.cache().run(move |db| db.project(project)).await?;
        let unknown = || AppError::new(Code::NotFound, "This project is not known here.");
        row.map(|row| row.conversation).ok_or_else(unknown)
    }

    async fn party(&self, client: &Client, project: ProjectId) -> Result<Party, AppError> {
        let me = client.user().id;
        let conversation = self.conversation(client, project).await?;
        let nobody = || AppError::new(Code::NotFound, "There is nobody else in this project.");
        let peer = views::other_of(&conversation, me).ok_or_else(nobody)?;
        Ok(Party { project, me, peer: views::person(peer, client.presence(peer.user_id)) })
    }

    async fn project_of(&self, client: &Client, meeting: MeetingId) -> Result<ProjectId, AppError> {
        if let Some(ring) = self.present.snapshot().ring.filter(|ring| ring.meeting_id == meeting) {
            return Ok(ring.project_id);
        }
        Ok(client.rest().meeting(meeting).await?.project_id)
    }

    async fn decline(&self, meeting: MeetingId, text: Option<String>) -> Result<(), AppError> {
        let client = self.client()?;
        // Asked before the ring is gone, which knows the project.
        let words = match text.filter(|text| !text.trim().is_empty()) {
            Some(text) => Some((self.project_of(&client, meeting).await?, text)),
            None => None,
        };
        let declined = self.calls.decline(&client, meeting).await;
        // What the person wrote goes to the outbox even where the server does not hear the refusal now.
        if let Some((project, text)) = words {
            let conversation = self.conversation(&client, project).await?;
            client.send(conversation.id, text).await?;
        }
        declined
    }

    /// Nothing in here names a person, a message or a secret.
    async fn diagnostics(&self) -> DiagnosticsView {
        let now = self.present.snapshot();
        let client = self.client().ok();
        let opened = client.as_ref().map_or_else(|| "no session".to_owned(), |client| format!("{:?}", client.opened()));
        let facts = [
            ("System", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
            ("Profile", self.options.profile.clone()),
            ("Folder", self.options.data_dir.display().to_string()),
            ("Server", now.session.server.unwrap_or_else(|| "none".to_owned())),
            ("Line", format!("{:?}, {} waiting", now.connection.state, now.connection.waiting)),
            ("Sign-in kept in", format!("{:?}", now.session.secret_store)),
            ("Local copy", opened),
            ("Pictures", "loopback WebSocket, I420".to_owned()),
            ("Engines", self.library.spoken().await),
            ("Call", now.call.map_or_else(|| "none".to_owned(), |call| format!("{:?}", call.phase))),
        ];
        let facts = facts.into_iter().map(|(name, value)| Fact { name: name.to_owned(), value }).collect();
        DiagnosticsView { version: self.options.version.clone(), facts }
    }
}

fn answer(value: impl Serialize) -> Result<Value, AppError> {
    serde_json::to_value(value).map_err(|error| AppError::new(Code::Internal, error.to_string()))
}

/// The other side of a conversation that is in the local copy.
async fn person_in(client: &Client, conversation: ConversationId, user: UserId) -> Result<Option<Person>, ClientError> {
    let conversation = client.cache().run(move |db| db.conversation(conversation)).await?;
    let participant = conversation.into_iter().flat_map(|it| it.participants).find(|who| who.user_id == user);
    Ok(participant.map(|participant| views::person(&participant, client.presence(user))))
}

/// For tasks that must not keep the app alive.
fn upgrade(shared: &Weak<Shared>) -> Option<Arc<Shared>> {
    shared.upgrade()
}
