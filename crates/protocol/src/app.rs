//! What the app's UI says to the app core and hears from it. The UI decides no rule: it draws these views and sends
//! these commands.

use parley_domain::{
    ConversationId, EndReason, EngineKind, Meeting, MeetingId, Message, Project, ProjectId, Proposal, ProposalId,
    Request, Role, Timestamp, User, UserId,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Code, FieldProblem};

macro_rules! commands {
    ($($(#[$doc:meta])+ $name:ident = $word:literal ($args:ty) -> $answer:literal;)+) => {
        /// A command of the UI: `{ "name": …, "args": … }`.
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(tag = "name", content = "args")]
        pub enum Command { $($(#[$doc])+ #[serde(rename = $word)] $name($args)),+ }

        impl Command {
            /// The command's word, for logs and permissions.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => $word),+ }
            }
        }

        /// For each command its arguments and its answer, as the body of a TypeScript interface.
        pub(crate) fn command_table() -> String {
            let config = ts_rs::Config::new();
            let mut table = String::new();
            $(table.push_str(&format!("  {}: {{ args: {}; answer: {} }};\n", $word, <$args as TS>::name(&config), $answer));)+
            table
        }
    };
}

/// No arguments: `{}`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct Nothing {}

macro_rules! shapes {
    ($($(#[$doc:meta])+ $name:ident { $($(#[$fmeta:meta])+ $field:ident: $type:ty),+ $(,)? })+) => {$(
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $($(#[$fmeta])+ pub $field: $type),+ }
    )+};
}

macro_rules! states {
    ($($(#[$doc:meta])+ $name:ident { $($(#[$vdoc:meta])+ $variant:ident),+ $(,)? })+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
        #[serde(rename_all = "camelCase")]
        pub enum $name { $($(#[$vdoc])+ $variant),+ }
    )+};
}

commands! {
    /// Everything that a window draws when it opens.
    Snapshot = "snapshot" (Nothing) -> "Snapshot";
    /// Sign in; the session goes to the keyring.
    SignIn = "signIn" (SignIn) -> "SessionView";
    /// Sign out; the server ends the session, local rows are deleted.
    SignOut = "signOut" (Nothing) -> "null";
    /// Accept an offer whose terms were read back.
    AcceptProposal = "acceptProposal" (OfProposal) -> "ProjectCard";
    /// Turn an offer down.
    RejectProposal = "rejectProposal" (OfProposal) -> "null";
    /// A stretch of a conversation, newest first when `beforeSeq` is null.
    Timeline = "timeline" (TimelineRequest) -> "TimelinePage";
    /// Write a message: it is in the outbox when this answers.
    Send = "send" (Send) -> "MessageView";
    /// Try a failed message again.
    RetryMessage = "retryMessage" (OfOutbox) -> "MessageView";
    /// Forget a failed message.
    DiscardMessage = "discardMessage" (OfOutbox) -> "null";
    /// The person saw the conversation up to this number.
    MarkRead = "markRead" (MarkReadUpTo) -> "null";
    /// The person types or stopped typing.
    Typing = "typing" (TypingIn) -> "null";
    /// Call the other side of a project.
    StartCall = "startCall" (StartCall) -> "CallView";
    /// Answer the ring.
    AcceptCall = "acceptCall" (AcceptCall) -> "CallView";
    /// Say no to the ring; with `text` also write that to the conversation.
    DeclineCall = "declineCall" (DeclineCall) -> "null";
    /// Hang up, or take back a call that still rings.
    LeaveCall = "leaveCall" (Nothing) -> "null";
    /// Microphone on or off.
    SetMicrophone = "setMicrophone" (Switch) -> "null";
    /// Camera (or its stand-in) on or off.
    SetCamera = "setCamera" (Switch) -> "null";
    /// What cameras, microphones and outputs there are.
    Devices = "devices" (Nothing) -> "DevicesView";
    /// Which of them to use.
    ChooseDevices = "chooseDevices" (DeviceChoice) -> "DevicesView";
    /// Agora's library on this machine.
    Library = "library" (Nothing) -> "LibraryView";
    /// Let the person choose a downloaded library, and install it. Null: nothing was chosen.
    InstallLibrary = "installLibrary" (InstallLibrary) -> "LibraryView | null";
    /// Take the installed library away.
    RemoveLibrary = "removeLibrary" (Nothing) -> "LibraryView";
    /// For a bug report: versions, paths of frames, storage, engines.
    Diagnostics = "diagnostics" (Nothing) -> "DiagnosticsView";
}

/// Something changed: `{ "event": …, "payload": … }`. Each carries the whole of what it names as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "event", content = "payload", rename_all = "camelCase")]
pub enum AppEvent {
    /// Signed in, out, or thrown out.
    Session(SessionView),
    /// The line to the server.
    Connection(ConnectionView),
    /// The list: waiting, active, past.
    Projects(ProjectsView),
    /// A message is new or looks different now. `clientId` or `id` says which.
    Message(MessageView),
    /// A message was discarded from the outbox.
    MessageGone(OfOutbox),
    /// Someone types, or stopped.
    Typing(TypingBy),
    /// Rings, or (null) no longer.
    Ring(Option<RingView>),
    /// The call as it is now, or (null) none.
    Call(Option<CallView>),
    /// Agora's library was installed or removed, or turned out not to work.
    Library(LibraryView),
    /// Something the person should know, once.
    Notice(AppError),
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AppError {
    /// What to decide on.
    pub code: Code,
    /// What happened and what was kept, for people.
    pub detail: String,
    /// Which fields.
    #[serde(default)]
    pub errors: Vec<FieldProblem>,
    /// The running call, with `MEETING_IN_PROGRESS`.
    #[serde(default)]
    pub meeting_id: Option<MeetingId>,
}

states! {
    /// Whether somebody is signed in.
    SessionState {
        /// Not yet known: the keyring is being asked.
        Starting,
        /// Nobody is.
        SignedOut,
        /// Somebody is.
        SignedIn,
    }
    /// Where the session's secrets lie.
    SecretStore {
        /// The system's keyring.
        Keyring,
        /// An encrypted file, because there is no keyring here.
        File,
    }
    /// The line to the server.
    ConnectionState {
        /// Everything flows.
        Connected,
        /// Was connected, is trying again.
        Reconnecting,
        /// No network or no server; what is written waits in the outbox.
        Offline,
    }
    /// What became of an own message; others' messages are `received`.
    Delivery {
        /// In the outbox.
        Sending,
        /// On the server's disk.
        Sent,
        /// The other side has read it.
        Read,
        /// Refused; retry or discard.
        Failed,
        /// Somebody else's.
        Received,
    }
    /// Where the call stands.
    CallPhase {
        /// Ours rings at the other side.
        RingingOut,
        /// The token is being fetched, the media path comes up.
        Connecting,
        /// The media path is up.
        Connected,
        /// The media path is interrupted.
        Reconnecting,
        /// Over; the card after the call.
        Ended,
    }
    /// Whether there is a library of Agora's to use.
    LibraryState {
        /// None is there.
        Missing,
        /// One is there that works here.
        Fits,
        /// One is there that can't be used; `problem` says why.
        Refused,
    }
    /// What a person downloaded.
    DownloadKind {
        /// One or two zip files.
        Zip,
        /// A folder in which they were unpacked.
        Folder,
    }
    /// Where our picture comes from.
    VideoSource {
        /// A camera.
        Camera,
        /// A video file.
        File,
        /// The moving card that stands in for a camera.
        Card,
    }
}

shapes! {
    /// `signIn`.
    SignIn {
        /// Address of the server, such as `https://parley.example`.
        server: String,
        /// Address of the person.
        email: String,
        /// Password; kept nowhere.
        password: String,
        /// Plain http to another machine was allowed for this server.
        #[serde(default)]
        allow_plain_http: bool,
    }
    /// Names an offer.
    OfProposal {
        /// Which.
        proposal_id: ProposalId,
    }
    /// `timeline`.
    TimelineRequest {
        /// Where.
        conversation_id: ConversationId,
        /// Older than this number; null for the newest.
        #[ts(type = "number | null")]
        before_seq: Option<i64>,
    }
    /// `send`.
    Send {
        /// Where.
        conversation_id: ConversationId,
        /// What.
        content: String,
    }
    /// Names a message of the outbox.
    OfOutbox {
        /// Where.
        conversation_id: ConversationId,
        /// The sender's own name for it.
        client_id: String,
    }
    /// `markRead`.
    MarkReadUpTo {
        /// Where.
        conversation_id: ConversationId,
        /// Up to which number.
        #[ts(type = "number")]
        seq: i64,
    }
    /// `typing`.
    TypingIn {
        /// Where.
        conversation_id: ConversationId,
        /// Begins or ends.
        is_typing: bool,
    }
    /// `startCall`.
    StartCall {
        /// With the other side of which project.
        project_id: ProjectId,
        /// Begin with the picture on.
        camera: bool,
    }
    /// `acceptCall`.
    AcceptCall {
        /// Which.
        meeting_id: MeetingId,
        /// With picture, or sound only.
        camera: bool,
    }
    /// `declineCall`.
    DeclineCall {
        /// Which.
        meeting_id: MeetingId,
        /// "Can't now": goes to the conversation.
        text: Option<String>,
    }
    /// On or off.
    Switch {
        /// Wanted.
        on: bool,
    }
    /// `chooseDevices`; null is the system's own choice.
    DeviceChoice {
        /// Id of a camera, `file` or `card`.
        camera: Option<String>,
        /// Id of a microphone.
        microphone: Option<String>,
        /// Id of an output.
        speaker: Option<String>,
    }

    /// `installLibrary`. The files themselves are chosen in a dialog of the system, never by the window.
    InstallLibrary {
        /// What to choose.
        from: DownloadKind,
    }

    /// Everything that a window draws when it opens.
    Snapshot {
        /// Who is signed in.
        session: SessionView,
        /// The line to the server.
        connection: ConnectionView,
        /// The list.
        projects: ProjectsView,
        /// The ring, if it rings.
        ring: Option<RingView>,
        /// The call, if there is one.
        call: Option<CallView>,
    }
    /// Who is signed in, where.
    SessionView {
        /// Whether.
        state: SessionState,
        /// Who.
        user: Option<User>,
        /// Where; also the proposal for the next sign-in.
        server: Option<String>,
        /// The profile of this app (`--profile`).
        profile: String,
        /// Where the secrets lie; said openly when it isn't the keyring.
        secret_store: SecretStore,
        /// Why the last session ended, if not by the person.
        ended: Option<AppError>,
    }
    /// The line to the server.
    ConnectionView {
        /// How it is.
        state: ConnectionState,
        /// Messages that wait in the outbox.
        waiting: u32,
    }
    /// Another person.
    Person {
        /// Who.
        user_id: UserId,
        /// Shown name.
        name: String,
        /// Client or provider.
        role: Role,
        /// A device of that person is connected.
        online: bool,
        /// When the last one went.
        last_seen_at: Option<Timestamp>,
        /// IANA name, for the local time.
        time_zone: Option<String>,
    }
    /// A project with what its row and its header show.
    ProjectCard {
        /// The locked terms.
        project: Project,
        /// The other side.
        other: Person,
        /// The newest message.
        last_message: Option<MessageView>,
        /// Others' messages after our read mark.
        unread: u32,
        /// Our read mark.
        #[ts(type = "number")]
        last_read_seq: i64,
        /// The call that rings or runs.
        active_meeting: Option<Meeting>,
        /// The next scheduled one.
        next_meeting: Option<Meeting>,
        /// Calls that were (for lines in the conversation), oldest first.
        past_meetings: Vec<Meeting>,
        /// When something last happened; sorts the list.
        updated_at: Timestamp,
    }
    /// A proposal that waits: for the client to accept, for the provider to be accepted.
    OfferCard {
        /// Price, scope, deadline, until when.
        proposal: Proposal,
        /// What was asked for.
        request: Request,
    }
    /// The list of projects.
    ProjectsView {
        /// Pending offers; the client accepts them, the provider waits.
        offers: Vec<OfferCard>,
        /// Active projects, newest activity first.
        active: Vec<ProjectCard>,
        /// Completed and cancelled ones.
        past: Vec<ProjectCard>,
        /// False until the server or the cache has answered once.
        loaded: bool,
    }
    /// A message as it is drawn.
    MessageView {
        /// The row; null while it is only in the outbox.
        message: Option<Message>,
        /// Where.
        conversation_id: ConversationId,
        /// The sender's own name for it.
        client_id: Option<String>,
        /// Who wrote it.
        sender_id: UserId,
        /// As written.
        content: String,
        /// When it was written.
        created_at: Timestamp,
        /// What became of it.
        delivery: Delivery,
        /// When the other side read it.
        read_at: Option<Timestamp>,
        /// Why it failed.
        error: Option<AppError>,
    }
    /// A stretch of a conversation.
    TimelinePage {
        /// Oldest first; the outbox at the end of the newest page.
        items: Vec<MessageView>,
        /// Whether there is more before.
        has_older: bool,
    }
    /// Someone types.
    TypingBy {
        /// Where.
        conversation_id: ConversationId,
        /// Who.
        user_id: UserId,
        /// Begins or ends.
        is_typing: bool,
    }
    /// A call rings.
    RingView {
        /// Which.
        meeting_id: MeetingId,
        /// In which project.
        project_id: ProjectId,
        /// The project's title.
        project_title: String,
        /// Who calls.
        caller: Person,
        /// When it will stop by itself.
        expires_at: Timestamp,
    }
    /// A control that can wait: wanted, actual and working are three things.
    Control {
        /// What the person wants.
        wanted: bool,
        /// What is.
        actual: bool,
        /// On its way from actual to wanted.
        working: bool,
        /// Why actual is not wanted.
        error: Option<AppError>,
    }
    /// The other person's camera, microphone and screen.
    PeerMedia {
        /// Camera on.
        camera: bool,
        /// Microphone on.
        microphone: bool,
        /// Pictures arrive now.
        video_flowing: bool,
    }
    /// How the path does.
    QualityView {
        /// 0 (nothing) … 3 (good).
        bars: u8,
        /// One sentence.
        sentence: String,
        /// Milliseconds.
        round_trip_ms: u32,
        /// Per cent.
        loss_percent: f32,
        /// Kilobits a second out.
        send_kbps: u32,
        /// Kilobits a second in.
        receive_kbps: u32,
        /// Pictures a second in.
        receive_fps: f32,
    }
    /// The call as it is now.
    CallView {
        /// Which meeting.
        meeting_id: MeetingId,
        /// Of which project.
        project_id: ProjectId,
        /// The other side.
        peer: Person,
        /// Where it stands.
        phase: CallPhase,
        /// What carries the media.
        engine: EngineKind,
        /// When it began, for the duration.
        started_at: Option<Timestamp>,
        /// Our microphone.
        microphone: Control,
        /// Our camera.
        camera: Control,
        /// Where our picture comes from.
        source: VideoSource,
        /// What the other side sends.
        peer_media: PeerMedia,
        /// How the path does.
        quality: Option<QualityView>,
        /// Once ended: why.
        end_reason: Option<EndReason>,
        /// Once ended: whole seconds.
        #[ts(type = "number | null")]
        duration: Option<i64>,
        /// What went wrong, if the call ended by a failure.
        error: Option<AppError>,
        /// `ws://127.0.0.1:PORT/SECRET`: the pictures (module `frames`).
        frames_url: String,
    }
    /// A camera, microphone or output.
    Device {
        /// Its name for the choice.
        id: String,
        /// Its name for people.
        name: String,
    }
    /// What devices there are and which are chosen.
    DevicesView {
        /// Cameras, and the stand-ins `file` (if one is set) and `card`.
        cameras: Vec<Device>,
        /// Microphones.
        microphones: Vec<Device>,
        /// Outputs.
        speakers: Vec<Device>,
        /// What is chosen.
        chosen: DeviceChoice,
    }
    /// Agora's library on this machine.
    LibraryView {
        /// Whether there is one to use.
        state: LibraryState,
        /// What has to be downloaded for this machine, for people.
        needed: String,
        /// In how many zip files Agora gives it.
        parts: u8,
        /// Agora's page that it is on.
        page: String,
        /// The folder that is looked at.
        folder: String,
        /// The folder was named when the app was started; it isn't ours to install into or to remove.
        named: bool,
        /// What lies there, for people; null if nothing does.
        product: Option<String>,
        /// As the library says itself; null while that is not known.
        version: Option<String>,
        /// The downloads that it was installed from.
        downloads: Vec<String>,
        /// Calls go on with the one that was here before and is in memory, until the app is started again.
        restart: bool,
        /// Why it can't be used, with what to do.
        problem: Option<String>,
    }
    /// For a bug report.
    DiagnosticsView {
        /// Of the app.
        version: String,
        /// Name and value, in order.
        facts: Vec<Fact>,
    }
    /// A name and a value.
    Fact {
        /// What.
        name: String,
        /// How it is.
        value: String,
    }
}

impl AppError {
    /// The error of that code.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), meeting_id: None }
    }
}
