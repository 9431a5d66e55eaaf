import { type Backend, toAppError } from '../backend/backend';
import type { AppError, ConnectionView, SessionView, SignIn, Snapshot } from '../generated/types';

const NOT_KNOWN: SessionView = {
  state: 'starting',
  user: null,
  server: null,
  profile: '',
  secretStore: 'keyring',
  ended: null,
};

/** Who is signed in, and how the line to the server is. */
export class Session {
  view = $state.raw<SessionView>(NOT_KNOWN);
  connection = $state.raw<ConnectionView>({ state: 'reconnecting', waiting: 0 });
  /** A sign-in or sign-out is on its way. */
  working = $state(false);
  /** Why the last sign-in was refused. */
  error = $state.raw<AppError | null>(null);
  #heardSession = false;
  #heardConnection = false;
  readonly #backend: Backend;
  readonly #stop: () => void;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.#stop = backend.listen((event) => {
      if (event.event === 'session') {
        this.#heardSession = true;
        this.view = event.payload;
      } else if (event.event === 'connection') {
        this.#heardConnection = true;
        this.connection = event.payload;
      }
    });
  }

  /** Takes what was asked for at the start, except where an event has overtaken it. */
  begin(snapshot: Snapshot): void {
    if (!this.#heardSession) this.view = snapshot.session;
    if (!this.#heardConnection) this.connection = snapshot.connection;
  }

  async signIn(form: SignIn): Promise<boolean> {
    if (this.working) return false;
    this.working = true;
    this.error = null;
    try {
      this.view = await this.#backend.execute('signIn', form);
      return true;
    } catch (thrown) {
      this.error = toAppError(thrown);
      return false;
    } finally {
      this.working = false;
    }
  }

  async signOut(): Promise<void> {
    if (this.working) return;
    this.working = true;
    try {
      await this.#backend.execute('signOut', {});
    } catch (thrown) {
      this.error = toAppError(thrown);
    } finally {
      this.working = false;
    }
  }

  dispose(): void {
    this.#stop();
  }
}
