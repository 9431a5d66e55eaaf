import { type Backend, toAppError } from '../backend/backend';
import { instant } from '../format/time';
import type { AppError, CallView, ProjectId, RingView, Snapshot } from '../generated/types';
import { type Sample, addSample } from './samples';

/** The ring and the call. */
export class Call {
  ring = $state.raw<RingView | null>(null);
  /** The call that rings out or runs. */
  live = $state.raw<CallView | null>(null);
  /** The call that is over, until its card is put away. */
  after = $state.raw<CallView | null>(null);
  /** The path's figures over the time of the call. */
  samples = $state.raw<Sample[]>([]);
  /** The project whose call is being started, while the core has not answered. */
  starting = $state<ProjectId | null>(null);
  /** The ring is being answered. */
  answering = $state<'video' | 'sound' | 'decline' | null>(null);
  leaving = $state(false);
  /** The conversation stands beside the picture. */
  chatBeside = $state(false);
  error = $state.raw<AppError | null>(null);
  /** Whole seconds since the call began; 0 before. */
  elapsed = $state(0);
  #clock: ReturnType<typeof setInterval> | undefined;
  #heardRing = false;
  #heardCall = false;
  #putAway: string | null = null;
  /** On its way; another call waits for it, since the same command would hang that one up. */
  #puttingAway: Promise<unknown> = Promise.resolve();
  readonly #backend: Backend;
  readonly #stop: () => void;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.#stop = backend.listen((event) => {
      if (event.event === 'ring') {
        this.#heardRing = true;
        this.#onRing(event.payload);
      } else if (event.event === 'call') {
        this.#heardCall = true;
        this.#onCall(event.payload);
      }
    });
  }

  begin(snapshot: Snapshot): void {
    if (!this.#heardRing) this.#onRing(snapshot.ring);
    if (!this.#heardCall) this.#onCall(snapshot.call);
  }

  async start(projectId: ProjectId, camera: boolean): Promise<void> {
    if (this.starting !== null || this.live !== null) return;
    this.starting = projectId;
    this.error = null;
    this.#putAway = this.after?.meetingId ?? this.#putAway;
    this.after = null;
    try {
      await this.#puttingAway;
      this.#onAnswer(await this.#backend.execute('startCall', { projectId, camera }));
    } catch (thrown) {
      this.error = toAppError(thrown);
    } finally {
      this.starting = null;
    }
  }

  async accept(camera: boolean): Promise<void> {
    const ring = this.ring;
    if (ring === null || this.answering !== null) return;
    this.answering = camera ? 'video' : 'sound';
    this.error = null;
    try {
      await this.#puttingAway;
      this.#onAnswer(await this.#backend.execute('acceptCall', { meetingId: ring.meetingId, camera }));
      this.#onRing(null);
    } catch (thrown) {
      this.error = toAppError(thrown);
    } finally {
      this.answering = null;
    }
  }

  /** Says no; with a text also writes that to the conversation. */
  async decline(text: string | null): Promise<void> {
    const ring = this.ring;
    if (ring === null || this.answering !== null) return;
    this.answering = 'decline';
    this.error = null;
    try {
      await this.#backend.execute('declineCall', { meetingId: ring.meetingId, text });
      if (this.ring?.meetingId === ring.meetingId) this.#onRing(null);
    } catch (thrown) {
      this.error = toAppError(thrown);
    } finally {
      this.answering = null;
    }
  }

  async leave(): Promise<void> {
    if (this.leaving) return;
    this.leaving = true;
    try {
      await this.#backend.execute('leaveCall', {});
    } catch (thrown) {
      this.error = toAppError(thrown);
    } finally {
      this.leaving = false;
    }
  }

  setMicrophone(on: boolean): Promise<void> {
    return this.#switch('setMicrophone', on);
  }

  setCamera(on: boolean): Promise<void> {
    return this.#switch('setCamera', on);
  }

  /** Puts the card of the ended call away, here and in the core. */
  putAway(): void {
    if (this.after === null) return;
    this.#putAway = this.after.meetingId;
    this.after = null;
    // Where the core has forgotten the call by itself there is nothing more to do.
    this.#puttingAway = this.#backend.execute('leaveCall', {}).catch(() => undefined);
  }

  /** What is over belongs to the account that talked; the core has forgotten it with that account. */
  forget(): void {
    this.#putAway = this.after?.meetingId ?? this.#putAway;
    this.after = null;
    this.samples = [];
    this.error = null;
  }

  dispose(): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
    this.#stop();
  }

  async #switch(command: 'setMicrophone' | 'setCamera', on: boolean): Promise<void> {
    try {
      await this.#backend.execute(command, { on });
    } catch (thrown) {
      this.error = toAppError(thrown);
    }
  }

  #onRing(ring: RingView | null): void {
    this.ring = ring;
    if (ring !== null) this.error = null;
  }

  /** The command's answer; an event about the same call that came first is newer. */
  #onAnswer(view: CallView): void {
    if (this.live?.meetingId !== view.meetingId && this.after?.meetingId !== view.meetingId) this.#onCall(view);
  }

  #onCall(view: CallView | null): void {
    if (view === null) {
      this.live = null;
    } else if (view.phase === 'ended') {
      this.live = null;
      if (view.meetingId !== this.#putAway) this.after = view;
    } else {
      if (this.live?.meetingId !== view.meetingId) {
        this.samples = [];
        this.after = null;
        this.error = null;
      }
      this.live = view;
      if (view.quality !== null) this.samples = addSample(this.samples, view.quality, Date.now());
    }
    this.#tick();
    const running = this.live !== null;
    if (running && this.#clock === undefined) this.#clock = setInterval(() => this.#tick(), 1000);
    if (!running) {
      clearInterval(this.#clock);
      this.#clock = undefined;
    }
  }

  #tick(): void {
    const startedAt = this.live?.startedAt ?? null;
    this.elapsed = startedAt === null ? 0 : Math.max(0, Math.floor((Date.now() - instant(startedAt)) / 1000));
  }
}
