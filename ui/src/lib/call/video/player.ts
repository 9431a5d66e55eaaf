import type { FrameLink } from '../../backend/backend';
import { choosePainter } from './choose';
import { type Frame, type Stream, acknowledgement, readFrame, visibility } from './frame';
import type { Painter } from './painter';

/** The line is on this computer: when it is lost, it is tried again soon. */
const AGAIN_MS = 500;

/** What the player needs of its surroundings; tests bring their own. */
export interface Surroundings {
  openLink: () => FrameLink;
  requestDraw: (draw: () => void) => number;
  cancelDraw: (id: number) => void;
  choose: (canvas: HTMLCanvasElement, frame: Frame) => Painter | null;
}

interface Screen {
  canvas: HTMLCanvasElement;
  painter: Painter | null;
  drawn: number;
  onSize: ((width: number, height: number) => void) | undefined;
}

/**
 * Draws a call's pictures: the newest one of each stream, once a screen refresh. Each picture is acknowledged when it
 * was drawn or left out, so the sender's window always moves.
 */
export class Player {
  readonly #surroundings: Surroundings;
  readonly #screens = new Map<Stream, Screen>();
  readonly #newest = new Map<Stream, Frame>();
  #link: FrameLink | null = null;
  #draw: number | null = null;
  #again: ReturnType<typeof setTimeout> | undefined;
  #hidden = false;
  #disposed = false;

  constructor(openLink: () => FrameLink, surroundings: Partial<Surroundings> = {}) {
    this.#surroundings = {
      openLink,
      requestDraw: (draw) => requestAnimationFrame(draw),
      cancelDraw: (id) => cancelAnimationFrame(id),
      choose: choosePainter,
      ...surroundings,
    };
    this.#open();
  }

  /** Shows a stream on a canvas; the returned function stops that. */
  show(stream: Stream, canvas: HTMLCanvasElement, onSize?: (width: number, height: number) => void): () => void {
    const screen: Screen = { canvas, painter: null, drawn: 0, onSize };
    this.#screens.set(stream, screen);
    this.#tell(stream);
    return () => {
      screen.painter?.release();
      if (this.#screens.get(stream) !== screen) return;
      this.#screens.delete(stream);
      this.#leaveOut(stream);
      this.#tell(stream);
    };
  }

  /** Nobody can see the window: nothing needs to come. */
  setHidden(hidden: boolean): void {
    if (this.#hidden === hidden) return;
    this.#hidden = hidden;
    for (const stream of this.#screens.keys()) this.#tell(stream);
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#again);
    if (this.#draw !== null) this.#surroundings.cancelDraw(this.#draw);
    for (const screen of this.#screens.values()) screen.painter?.release();
    this.#screens.clear();
    this.#newest.clear();
    this.#link?.close();
    this.#link = null;
  }

  #open(): void {
    const link = this.#surroundings.openLink();
    this.#link = link;
    link.onframe = (message) => this.#onMessage(message);
    link.onlost = () => {
      this.#link = null;
      this.#newest.clear();
      if (!this.#disposed) this.#again = setTimeout(() => this.#open(), AGAIN_MS);
    };
    for (const stream of ['remote', 'local'] as const) this.#tell(stream);
  }

  #tell(stream: Stream): void {
    this.#link?.send(visibility(stream, !this.#hidden && this.#screens.has(stream)));
  }

  #onMessage(message: ArrayBuffer): void {
    const frame = readFrame(message);
    if (frame === null) return;
    this.#leaveOut(frame.stream);
    if (!this.#screens.has(frame.stream)) return this.#acknowledge(frame);
    this.#newest.set(frame.stream, frame);
    this.#draw ??= this.#surroundings.requestDraw(() => this.#onDraw());
  }

  #leaveOut(stream: Stream): void {
    const frame = this.#newest.get(stream);
    if (frame === undefined) return;
    this.#newest.delete(stream);
    this.#acknowledge(frame);
  }

  #acknowledge(frame: Frame): void {
    this.#link?.send(acknowledgement(frame.sequence));
  }

  #onDraw(): void {
    this.#draw = null;
    for (const [stream, frame] of [...this.#newest]) {
      this.#newest.delete(stream);
      const screen = this.#screens.get(stream);
      if (screen !== undefined) this.#paint(screen, frame);
      this.#acknowledge(frame);
    }
  }

  #paint(screen: Screen, frame: Frame): void {
    const { canvas } = screen;
    const before = `${canvas.width}x${canvas.height}`;
    screen.painter ??= this.#surroundings.choose(canvas, frame);
    if (screen.painter === null) return;
    screen.painter.draw(frame);
    screen.drawn += 1;
    canvas.dataset['frames'] = String(screen.drawn);
    canvas.dataset['painter'] = screen.painter.kind;
    if (screen.drawn === 1 || before !== `${frame.width}x${frame.height}`) screen.onSize?.(frame.width, frame.height);
  }
}
