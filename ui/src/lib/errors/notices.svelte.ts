import type { Backend } from '../backend/backend';
import type { AppError } from '../generated/types';

/** Something to tell once. */
export interface Notice {
  id: number;
  error: AppError;
  /** Does again what failed, where that is possible. */
  again: (() => void) | null;
}

/** More at once would be noise; the oldest goes. */
const AT_MOST = 3;

/** What the person should know, until it is put away. */
export class Notices {
  shown = $state.raw<Notice[]>([]);
  #lastId = 0;
  readonly #stop: () => void;

  constructor(backend: Backend) {
    this.#stop = backend.listen((event) => {
      if (event.event === 'notice') this.tell(event.payload);
    });
  }

  tell(error: AppError, again: (() => void) | null = null): void {
    if (this.shown.some((notice) => notice.error.code === error.code)) return;
    this.#lastId += 1;
    this.shown = [...this.shown, { id: this.#lastId, error, again }].slice(-AT_MOST);
  }

  putAway(id: number): void {
    this.shown = this.shown.filter((notice) => notice.id !== id);
  }

  dispose(): void {
    this.#stop();
  }
}
