// Is what the display shows a frame of the clip that was sent?

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const COLUMNS = 160;
const ROWS = 90;

/** What most of the calls' pictures are shaped like. */
const USUAL_SHAPE = 16 / 9;

/** Every frame of the clip in grey, 160 × 90, decoded by the same code that sends it, and the clip's shape. */
export function framesOf(clip) {
  const program = join(process.env.PARLEY_EXAMPLES ?? '', 'clip-frames');
  const { status, stdout, stderr, error } = spawnSync(program, [clip, `${COLUMNS}`, `${ROWS}`], { maxBuffer: 512 << 20 });
  if (error || status !== 0) throw new Error(`cannot decode ${clip}: ${error ?? stderr}`);
  const [width, height] = stderr.toString().trim().split('x').map(Number);
  const frames = [];
  for (let at = 0; at + COLUMNS * ROWS <= stdout.length; at += COLUMNS * ROWS) frames.push(stdout.subarray(at, at + COLUMNS * ROWS));
  return { frames, shape: width / height };
}

/**
 * Where a point of a box (0…1 both ways) lies in a picture that fills the box, with what does not fit cut off on both
 * sides ("cover"), or that is shown whole between bars ("contain"). Shapes are width / height.
 */
function mapping(box, picture, fit) {
  const [across, down] = box > picture === (fit === 'cover') ? [1, picture / box] : [box / picture, 1];
  return ([u, v]) => [(u - 0.5) * across + 0.5, (v - 0.5) * down + 0.5];
}

/** The ways in which a clip may have come into the element: as it is, or between bars in a picture of the usual shape. */
function ways(element, shape) {
  const found = [];
  for (const fit of ['cover', 'contain']) {
    found.push({ name: fit, map: mapping(element, shape, fit) });
    const [outer, inner] = [mapping(element, USUAL_SHAPE, fit), mapping(USUAL_SHAPE, shape, 'contain')];
    found.push({ name: `${fit}, between bars`, map: (point) => inner(outer(point)) });
  }
  return found;
}

function correlation(a, b) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    const [da, db] = [a[i] - ma, b[i] - mb];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

/** Part of the element that nothing of ours lies on: not the bar below, not the preview in a corner. */
const LEFT = 0.15;
const RIGHT = 0.7;
const TOP = 0.2;
const BOTTOM = 0.7;

/** The frame that fits best to what is shown at a place, and how well (1 is perfect). */
export function bestMatch(grey, columns, rows, place, { frames, shape }) {
  let best = { correlation: -1 };
  for (const { name, map } of ways(place.width / place.height, shape)) {
    const [shown, at] = [[], []];
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const [u, v] = [(column + 0.5) / columns, (row + 0.5) / rows];
        const [x, y] = map([u, v]);
        if (u < LEFT || u > RIGHT || v < TOP || v > BOTTOM || x < 0 || x >= 1 || y < 0 || y >= 1) continue;
        shown.push(grey[row * columns + column]);
        at.push(Math.floor(y * ROWS) * COLUMNS + Math.floor(x * COLUMNS));
      }
    }
    frames.forEach((frame, index) => {
      const value = correlation(shown, at.map((position) => frame[position]));
      if (value > best.correlation) best = { correlation: value, frame: index, fit: name };
    });
  }
  return best;
}

/** Mean difference of two pictures, in grey steps. */
export function difference(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
}
