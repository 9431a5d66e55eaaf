import type { AppError, AppEvent, Code, Commands } from '../generated/types';

/** The name of a command of the app core. */
export type CommandName = keyof Commands;

/** A line on which pictures come: binary messages in, acknowledgements and visibility out. */
export interface FrameLink {
  /** One message: header and planes (crates/protocol, module `frames`). */
  onframe: ((message: ArrayBuffer) => void) | null;
  /** The line is gone; `close` was not called. */
  onlost: (() => void) | null;
  send(message: ArrayBuffer | string): void;
  close(): void;
}

/** The outside of the UI: the app core, wherever it runs. */
export interface Backend {
  /** True where the ring has a window of its own, so that this window doesn't ring too. */
  readonly ringHasOwnWindow: boolean;
  /** Does a command. Rejects with a `Refusal`. */
  execute<N extends CommandName>(name: N, args: Commands[N]['args']): Promise<Commands[N]['answer']>;
  /** Hears every event from now on, until the returned function is called. */
  listen(hear: (event: AppEvent) => void): () => void;
  /** Opens the line of a call's pictures. */
  openFrames(url: string): FrameLink;
}

/** A command was not done. Decide on `error.code`, never on text. */
export class Refusal extends Error {
  constructor(readonly error: AppError) {
    super(error.code);
    this.name = 'Refusal';
  }
}

/** What was thrown, as the app's error. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof Refusal) return thrown.error;
  if (isAppError(thrown)) return thrown;
  const detail = thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : '';
  return { code: 'INTERNAL', detail, errors: [], meetingId: null };
}

function isAppError(value: unknown): value is AppError {
  return typeof value === 'object' && value !== null && typeof (value as { code?: unknown }).code === 'string';
}

/** An error of the UI's own making. */
export function appError(code: Code, detail: string): AppError {
  return { code, detail, errors: [], meetingId: null };
}
