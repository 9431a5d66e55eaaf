import { makePixelPainter, makeVideoFramePainter } from './flat';
import type { Frame } from './frame';
import type { MakePainter, Painter, PainterKind } from './painter';
import { makeWebglPainter } from './webgl';

const MAKERS: Record<PainterKind, MakePainter> = {
  webgl: makeWebglPainter,
  'video-frame': makeVideoFramePainter,
  pixels: makePixelPainter,
};
/** The first draw builds textures and shaders; it isn't counted. */
const DRAWS = 4;

let chosen: PainterKind[] | null = null;

/** A painter for a canvas: the kind that drew this picture fastest in this web view, else the next that works. */
export function choosePainter(canvas: HTMLCanvasElement, frame: Frame): Painter | null {
  chosen ??= ranked(
    frame,
    () => document.createElement('canvas'),
    () => performance.now(),
  );
  for (const kind of chosen) {
    const painter = attempt(MAKERS[kind], canvas);
    if (painter !== null) return painter;
  }
  return null;
}

/** The kinds that work here, fastest first. */
export function ranked(
  frame: Frame,
  makeCanvas: () => HTMLCanvasElement,
  now: () => number,
  makers: Record<PainterKind, MakePainter> = MAKERS,
): PainterKind[] {
  const times: { kind: PainterKind; ms: number }[] = [];
  for (const kind of Object.keys(makers) as PainterKind[]) {
    const ms = time(makers[kind], frame, makeCanvas(), now);
    if (ms !== null) times.push({ kind, ms });
  }
  return times.sort((a, b) => a.ms - b.ms).map(({ kind }) => kind);
}

function time(make: MakePainter, frame: Frame, canvas: HTMLCanvasElement, now: () => number): number | null {
  const painter = attempt(make, canvas);
  if (painter === null) return null;
  try {
    let begun = now();
    for (let draw = 0; draw < DRAWS; draw += 1) {
      if (draw === 1) begun = now();
      painter.draw(frame);
      painter.finish();
    }
    return now() - begun;
  } catch {
    return null;
  } finally {
    painter.release();
  }
}

function attempt(make: MakePainter, canvas: HTMLCanvasElement): Painter | null {
  try {
    return make(canvas);
  } catch {
    return null;
  }
}
