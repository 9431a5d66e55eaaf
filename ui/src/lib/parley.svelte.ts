import type { Backend } from './backend/backend';
import { toAppError } from './backend/backend';
import { Call } from './call/call.svelte';
import { Chat } from './chat/chat.svelte';
import { Clock } from './format/clock.svelte';
import { Devices } from './devices/devices.svelte';
import { Notices } from './errors/notices.svelte';
import type { ProjectCard } from './generated/types';
import { Library } from './library/library.svelte';
import type { Look } from './look/look.svelte';
import type { Memory } from './look/memory';
import { Projects } from './projects/projects.svelte';
import { Session } from './session/session.svelte';

/** Everything that a window holds: one controller for each part, all on one backend. */
export class Parley {
  readonly session: Session;
  readonly projects: Projects;
  readonly call: Call;
  readonly devices: Devices;
  readonly library: Library;
  readonly notices: Notices;
  readonly clock: Clock;
  /** The conversation on the screen. */
  chat = $state.raw<Chat | null>(null);
  readonly #drafts = new Map<string, string>();

  constructor(
    readonly backend: Backend,
    readonly look: Look,
    readonly memory: Memory,
  ) {
    this.session = new Session(backend);
    this.projects = new Projects(backend, memory, () => this.session.view.user?.id ?? null);
    this.call = new Call(backend);
    this.devices = new Devices(backend);
    this.library = new Library(backend);
    this.notices = new Notices(backend);
    this.clock = new Clock();
  }

  /** Asks for everything that a window draws. */
  async begin(): Promise<void> {
    try {
      const snapshot = await this.backend.execute('snapshot', {});
      this.session.begin(snapshot);
      this.projects.begin(snapshot);
      this.call.begin(snapshot);
    } catch (thrown) {
      this.notices.tell(toAppError(thrown), () => void this.begin());
    }
  }

  /** Puts the conversation of that project on the screen; null for none. Drafts stay. */
  openChat(card: ProjectCard | null): void {
    const id = card?.project.conversationId ?? null;
    if (this.chat?.conversationId === id) return;
    if (this.chat !== null) {
      this.#drafts.set(this.chat.conversationId, this.chat.draft);
      this.chat.dispose();
      this.chat = null;
    }
    const me = this.session.view.user?.id;
    if (card === null || id === null || me === undefined) return;
    this.chat = new Chat(this.backend, {
      conversationId: id,
      me,
      lastReadSeq: card.lastReadSeq,
      draft: this.#drafts.get(id) ?? '',
    });
    void this.chat.refresh();
  }

  /** Drafts, and the card of the last call, belong to the account that they came from. */
  forget(): void {
    this.openChat(null);
    this.#drafts.clear();
    this.call.forget();
  }

  dispose(): void {
    this.openChat(null);
    const { session, projects, call, devices, library, notices, clock, look } = this;
    for (const part of [session, projects, call, devices, library, notices, clock, look]) part.dispose();
  }
}
