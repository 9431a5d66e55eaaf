import type { QualityView } from '../generated/types';

/** How the path was at one moment. */
export interface Sample {
  at: number;
  kbps: number;
  lossPercent: number;
  roundTripMs: number;
}

/** Enough for a plot some hundred pixels wide. */
const AT_MOST = 240;
/** Figures come more often than a plot can show: one a second, less what a timer comes early. */
const APART_MS = 900;

/**
 * The samples with one more. When there are too many, every second one goes, so that the whole call stays; those that
 * come later are as far apart as those that stayed, or the plot and the mean would tell of its last minutes only.
 */
export function addSample(samples: readonly Sample[], quality: QualityView, at: number): Sample[] {
  const last = samples.at(-1);
  if (last !== undefined && at - last.at < apart(samples, last)) return samples as Sample[];
  const { receiveKbps, lossPercent, roundTripMs } = quality;
  const all = [...samples, { at, kbps: receiveKbps, lossPercent, roundTripMs }];
  return all.length <= AT_MOST ? all : all.filter((_, index) => index % 2 === 0);
}

function apart(samples: readonly Sample[], last: Sample): number {
  const first = samples[0];
  if (first === undefined || samples.length < AT_MOST / 2) return APART_MS;
  return Math.max(APART_MS, ((last.at - first.at) / (samples.length - 1)) * 0.9);
}

/** One line of the plot as an SVG path in a box: zero is the lower edge, and the upper one is never below `least`. */
export function plotPath(values: readonly number[], width: number, height: number, least: number): string {
  const most = Math.max(...values, least);
  if (values.length < 2) return '';
  const step = width / (values.length - 1);
  return values
    .map((value, index) => {
      const y = height - (value / most) * height;
      return `${index === 0 ? 'M' : 'L'}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}
