import type { Frame } from './frame';

/** Draws pictures on one canvas. */
export interface Painter {
  readonly kind: PainterKind;
  draw(frame: Frame): void;
  /** Returns when what was drawn is really there, for timing. */
  finish(): void;
  release(): void;
}

export type PainterKind = 'webgl' | 'video-frame' | 'pixels';

export type MakePainter = (canvas: HTMLCanvasElement | OffscreenCanvas) => Painter | null;
