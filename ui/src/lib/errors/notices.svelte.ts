import type { Backend } from '../backend/backend';
import type { AppError, Code } from '../generated/types';

/** Something to tell once. */
export interface Notice {
  id: number;
  error: AppError;
  /** Does again what failed, where that is possible. */
  again: (() => void) | null;
}

/** More at once would be noise; the oldest goes. */
const AT_MOST = 3;

/** Said in the call that they concern, and worth nothing after it. */
const OF_DEVICES: readonly Code[] = ['NO_CAMERA', 'CAMERA_UNAVAILABLE', 'NO_MICROPHONE', 'NO_SPEAKER'];

/** What the person should know, until it is put away. */
export class Notices {
  shown = $state.raw<Notice[]>([]);
  readonly ofDevices: Notice[] = $derived(this.shown.filter(({ error }) => OF_DEVICES.includes(error.code)));
  readonly ofOthers: Notice[] = $derived(this.shown.filter(({ error }) => !OF_DEVICES.includes(error.code)));
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

  /** The call is over. */
  forgetDevices(): void {
    this.shown = this.ofOthers;
  }

  dispose(): void {
    this.#stop();
  }
}
