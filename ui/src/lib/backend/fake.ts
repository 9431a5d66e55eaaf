import type { AppEvent, CallView, Commands, ProjectCard, SessionView, SignIn } from '../generated/types';
import { type Backend, type CommandName, type FrameLink, Refusal, appError } from './backend';
import { FakeCalls } from './fake/calls';
import { openFakeFrames } from './fake/frames';
import { FakeLibrary } from './fake/library';
import { HELENA } from './fake/people';
import { FakeTalks } from './fake/talks';
import { type World, addProject, demoWorld, emptyWorld } from './fake/world';
import { TOMAS, inDays } from './fake/people';
import { Listeners } from './listeners';

type Handlers = {
  [N in CommandName]: (args: Commands[N]['args']) => Commands[N]['answer'] | Promise<Commands[N]['answer']>;
};

/** How long the demonstration's server takes. */
const ANSWER_MS = 120;

/**
 * An app core in memory, for browsers without one and for tests. Scenes: `desk`, `empty`, `new` (signed in, nothing
 * loaded), `offline`, `signed-out`, `ring`, `call`, `calling`, `reconnecting`, `after`, `no-devices`, `failing`, `provider`,
 * `engine-missing`, and those of Agora's library (fake/library.ts).
 */
export class FakeBackend implements Backend {
  readonly ringHasOwnWindow = false;
  readonly listeners = new Listeners();
  readonly world: World;
  readonly #talks: FakeTalks;
  readonly #calls: FakeCalls;
  readonly #library: FakeLibrary;
  #session: SessionView;
  #connection: Commands['snapshot']['answer']['connection'];

  constructor(readonly scene = 'desk') {
    this.world = scene === 'empty' || scene === 'new' ? emptyWorld() : demoWorld();
    if (scene === 'new') this.world.projects.loaded = false;
    this.#connection = { state: scene === 'offline' ? 'offline' : 'connected', waiting: scene === 'offline' ? 1 : 0 };
    this.#session = {
      state: scene === 'signed-out' ? 'signedOut' : 'signedIn',
      user: scene === 'signed-out' ? null : HELENA,
      server: 'http://127.0.0.1:8750',
      profile: 'client',
      secretStore: scene === 'failing' ? 'file' : 'keyring',
      ended: null,
    };
    const tell = (event: AppEvent): void => this.listeners.tell(event);
    this.#talks = new FakeTalks(this.world, tell, () => this.#connection.state === 'connected');
    this.#calls = new FakeCalls(this.world, tell);
    this.#library = new FakeLibrary(scene, tell);
    if (scene === 'offline')
      this.#talks.addWaiting('conversation-signs', 'The room names are right. Two small things on 7 and 19.');
    if (scene === 'failing')
      this.#talks.addFailed('conversation-signs', 'The room names are right. Two small things on 7 and 19.');
    if (scene === 'provider') {
      this.world.projects.offers = this.world.projects.offers.map((offer) => ({
        ...offer,
        request: { ...offer.request, clientId: 'user-somebody' },
      }));
    }
    this.#calls.setScene(scene);
  }

  listen(hear: (event: AppEvent) => void): () => void {
    return this.listeners.add(hear);
  }

  openFrames(_url: string): FrameLink {
    return openFakeFrames();
  }

  async execute<N extends CommandName>(name: N, args: Commands[N]['args']): Promise<Commands[N]['answer']> {
    const quick = name === 'snapshot' || name === 'send' || name === 'typing';
    if (!quick) await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    return this.#handlers[name](args);
  }

  /** For scenes and tests: the line goes or comes back. */
  setConnected(connected: boolean): void {
    this.#connection = { state: connected ? 'connected' : 'offline', waiting: this.#talks.waiting };
    this.listeners.tell({ event: 'connection', payload: this.#connection });
    if (connected) this.#talks.sendWaiting();
  }

  readonly #handlers: Handlers = {
    snapshot: () => ({
      session: this.#session,
      connection: this.#connection,
      projects: this.#session.state === 'signedIn' ? this.world.projects : { ...emptyWorld().projects },
      ring: this.#calls.ring,
      call: this.#calls.call,
    }),
    signIn: (form) => this.#signIn(form),
    signOut: () => {
      this.#setSession({ ...this.#session, state: 'signedOut', user: null });
      return null;
    },
    acceptProposal: ({ proposalId }) => this.#accept(proposalId),
    rejectProposal: ({ proposalId }) => {
      this.#takeOffer(proposalId);
      this.#tellProjects();
      return null;
    },
    timeline: (request) => this.#talks.page(request),
    send: (message) => this.#talks.send(message),
    retryMessage: (which) => this.#talks.retry(which),
    discardMessage: (which) => this.#talks.discard(which),
    markRead: (mark) => this.#talks.markRead(mark),
    typing: () => null,
    startCall: ({ projectId, camera }): CallView => this.#calls.start(projectId, camera),
    acceptCall: ({ meetingId, camera }) => this.#calls.accept(meetingId, camera),
    declineCall: ({ text }) => {
      const card = this.#calls.decline();
      if (card !== null && text !== null)
        this.#talks.send({ conversationId: card.project.conversationId, content: text });
      return null;
    },
    leaveCall: () => this.#calls.leave(),
    setMicrophone: ({ on }) => this.#calls.setMicrophone(on),
    setCamera: ({ on }) => this.#calls.setCamera(on),
    devices: () => this.#devices,
    chooseDevices: (chosen) => (this.#devices = { ...this.#devices, chosen }),
    library: () => this.#library.look(),
    installLibrary: () => this.#library.install(),
    removeLibrary: () => this.#library.remove(),
    diagnostics: () => ({
      version: '0.1.0',
      facts: [
        { name: 'Storage', value: 'system keyring' },
        { name: 'Pictures', value: 'drawn here, no app core' },
        { name: 'Engines', value: this.#library.view.state === 'fits' ? 'agora, direct' : 'direct' },
      ],
    }),
  };

  #devices: Commands['devices']['answer'] = {
    cameras: [
      { id: 'camera-0', name: 'Integrated camera' },
      { id: 'card', name: 'Moving card (no camera)' },
    ],
    microphones: [{ id: 'microphone-0', name: 'Built-in microphone' }],
    speakers: [{ id: 'speaker-0', name: 'Built-in speakers' }],
    chosen: { camera: 'camera-0', microphone: null, speaker: null },
  };

  #signIn({ server, email, password, allowPlainHttp }: SignIn): SessionView {
    const address = new URL(server.includes('://') ? server : `https://${server}`);
    if (address.hostname.startsWith('nowhere')) throw refusal('SERVER_UNREACHABLE');
    if (address.protocol === 'http:' && address.hostname !== '127.0.0.1' && !allowPlainHttp) {
      throw refusal('PLAIN_HTTP_REFUSED');
    }
    if (password === 'wrong') throw refusal('INVALID_CREDENTIALS');
    this.#setSession({ ...this.#session, state: 'signedIn', server, user: { ...HELENA, email }, ended: null });
    this.#tellProjects();
    return this.#session;
  }

  #accept(proposalId: string): ProjectCard {
    if (this.scene === 'failing') throw refusal('PROPOSAL_NOT_PENDING');
    const offer = this.#takeOffer(proposalId);
    if (offer === undefined) throw refusal('PROPOSAL_NOT_PENDING');
    const card = addProject(
      this.world,
      `from-${proposalId}`,
      { ...TOMAS, userId: offer.proposal.providerId, name: offer.proposal.providerName },
      {
        title: offer.request.title,
        amountMinor: offer.proposal.price.amountMinor,
        scope: offer.proposal.scope,
        deadline: offer.proposal.deadline ?? inDays(20),
        talk: [],
        lastMinutesAgo: 0,
        unread: 0,
        meetings: [],
      },
    );
    this.#tellProjects();
    return card;
  }

  #takeOffer(proposalId: string): World['projects']['offers'][number] | undefined {
    const { projects } = this.world;
    const offer = projects.offers.find(({ proposal }) => proposal.id === proposalId);
    this.world.projects = { ...projects, offers: projects.offers.filter((other) => other !== offer) };
    return offer;
  }

  #tellProjects(): void {
    this.listeners.tell({ event: 'projects', payload: this.world.projects });
  }

  #setSession(session: SessionView): void {
    this.#session = session;
    this.listeners.tell({ event: 'session', payload: session });
  }
}

function refusal(code: Parameters<typeof appError>[0]): Refusal {
  return new Refusal(appError(code, ''));
}
