import { type Backend, toAppError } from '../backend/backend';
import type { AppError, DownloadKind, LibraryView } from '../generated/types';

/** Agora's library on this computer. */
export class Library {
  view = $state.raw<LibraryView | null>(null);
  /** What is being done; the library is looked at when it is `look`. */
  working = $state<'look' | 'install' | 'remove' | null>(null);
  error = $state.raw<AppError | null>(null);
  #disposed = false;
  #turn = 0;
  /** The turn whose answer is on the screen: an answer of an earlier one is no news. */
  #drawn = 0;
  readonly #backend: Backend;
  readonly #stop: () => void;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.#stop = backend.listen((event) => {
      if (event.event === 'library') this.#draw(event.payload, this.#turn);
    });
  }

  load(): Promise<void> {
    return this.#do('look', () => this.#backend.execute('library', {}));
  }

  /** The person chooses the files in a dialog of the system; choosing none changes nothing. */
  install(from: DownloadKind): Promise<void> {
    return this.#do('install', () => this.#backend.execute('installLibrary', { from }));
  }

  remove(): Promise<void> {
    return this.#do('remove', () => this.#backend.execute('removeLibrary', {}));
  }

  dispose(): void {
    this.#disposed = true;
    this.#stop();
  }

  async #do(what: 'look' | 'install' | 'remove', ask: () => Promise<LibraryView | null>): Promise<void> {
    // Looking may take a second, since the library is tried; whoever wants to change something need not wait for it.
    if (this.working === 'install' || this.working === 'remove' || (what === 'look' && this.working === 'look')) return;
    const turn = ++this.#turn;
    this.working = what;
    this.error = null;
    try {
      const view = await ask();
      if (!this.#disposed && view !== null && turn > this.#drawn) this.#draw(view, turn);
    } catch (thrown) {
      if (!this.#disposed) this.error = toAppError(thrown);
    } finally {
      if (turn === this.#turn) this.working = null;
    }
  }

  #draw(view: LibraryView, turn: number): void {
    this.view = view;
    this.#drawn = turn;
  }
}
