import { type Backend, toAppError } from '../backend/backend';
import type { AppError, DeviceChoice, DevicesView } from '../generated/types';

/** Cameras, microphones and outputs, and which are used. */
export class Devices {
  view = $state.raw<DevicesView | null>(null);
  working = $state(false);
  error = $state.raw<AppError | null>(null);
  #disposed = false;
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  load(): Promise<void> {
    return this.#do(() => this.#backend.execute('devices', {}));
  }

  choose(change: Partial<DeviceChoice>): Promise<void> {
    const chosen = this.view?.chosen ?? { camera: null, microphone: null, speaker: null };
    return this.#do(() => this.#backend.execute('chooseDevices', { ...chosen, ...change }));
  }

  async #do(ask: () => Promise<DevicesView>): Promise<void> {
    this.working = true;
    try {
      const view = await ask();
      if (this.#disposed) return;
      this.view = view;
      this.error = null;
    } catch (thrown) {
      if (!this.#disposed) this.error = toAppError(thrown);
    } finally {
      this.working = false;
    }
  }

  dispose(): void {
    this.#disposed = true;
  }
}
