import { type Backend, toAppError } from '../backend/backend';
import type {
  AppError,
  OfferCard,
  ProjectCard,
  ProjectId,
  ProjectsView,
  ProposalId,
  Snapshot,
} from '../generated/types';
import type { Memory } from '../look/memory';
import { type Sections, missedCall, sections } from './sections';

const SEEN = 'projects.seenAt';

/** The list of projects and offers, and what can be done with an offer. */
export class Projects {
  view = $state.raw<ProjectsView>({ offers: [], active: [], past: [], loaded: false });
  search = $state('');
  /** The offer that is being accepted or turned down. */
  answering = $state<ProposalId | null>(null);
  /** Why that was refused, and for which offer. */
  refused = $state.raw<{ proposalId: ProposalId; error: AppError } | null>(null);
  readonly sections: Sections = $derived.by(() =>
    sections(this.view, {
      me: this.#me(),
      seenAt: this.#seenAt,
      search: this.search,
      opened: this.#opened,
    }),
  );
  #seenAt = $state.raw<Record<string, number>>({});
  #opened = $state.raw<{ id: ProjectId; waits: boolean } | null>(null);
  #heard = false;
  readonly #backend: Backend;
  readonly #memory: Memory;
  readonly #me: () => string | null;
  readonly #stop: () => void;

  constructor(backend: Backend, memory: Memory, me: () => string | null) {
    this.#backend = backend;
    this.#memory = memory;
    this.#me = me;
    this.#seenAt = memory.read<Record<string, number>>(SEEN) ?? {};
    this.#stop = backend.listen((event) => {
      if (event.event !== 'projects') return;
      this.#heard = true;
      this.view = event.payload;
    });
  }

  begin(snapshot: Snapshot): void {
    if (!this.#heard) this.view = snapshot.projects;
  }

  project(id: ProjectId): ProjectCard | null {
    const is = ({ project }: ProjectCard): boolean => project.id === id;
    return this.view.active.find(is) ?? this.view.past.find(is) ?? null;
  }

  offer(id: ProposalId): OfferCard | null {
    return this.view.offers.find(({ proposal }) => proposal.id === id) ?? null;
  }

  /** The person looks at a project, or (null) at none: meanwhile it keeps its place in the list. */
  opened(id: ProjectId | null): void {
    if (id === this.#opened?.id) return;
    this.#opened = null;
    const waits = this.sections.waiting.some(({ card }) => card.project.id === id);
    if (id !== null) this.#opened = { id, waits };
  }

  /** The person looks at a project: its missed call is known now. */
  looked(id: ProjectId, now: number): void {
    const card = this.project(id);
    if (card === null || missedCall(card, this.#me(), this.#seenAt[id] ?? 0) === null) return;
    this.#seenAt = { ...this.#seenAt, [id]: now };
    this.#memory.write(SEEN, this.#seenAt);
  }

  /** Accepts an offer whose terms were read back. The project, or null when it was refused. */
  async accept(proposalId: ProposalId): Promise<ProjectCard | null> {
    return this.#answer(proposalId, () => this.#backend.execute('acceptProposal', { proposalId }));
  }

  /** Turns an offer down; whether that was done. */
  async reject(proposalId: ProposalId): Promise<boolean> {
    const done = await this.#answer(proposalId, async () => {
      await this.#backend.execute('rejectProposal', { proposalId });
      return true;
    });
    return done ?? false;
  }

  async #answer<T>(proposalId: ProposalId, act: () => Promise<T>): Promise<T | null> {
    if (this.answering !== null) return null;
    this.answering = proposalId;
    this.refused = null;
    try {
      return await act();
    } catch (thrown) {
      this.refused = { proposalId, error: toAppError(thrown) };
      return null;
    } finally {
      this.answering = null;
    }
  }

  dispose(): void {
    this.#stop();
  }
}
