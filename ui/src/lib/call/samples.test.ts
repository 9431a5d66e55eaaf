import { expect, it } from 'vitest';
import type { QualityView } from '../generated/types';
import { type Sample, addSample, plotPath } from './samples';

const quality: QualityView = {
  bars: 3,
  sentence: '',
  roundTripMs: 40,
  lossPercent: 0,
  sendKbps: 1000,
  receiveKbps: 1200,
  receiveFps: 30,
};

it('keeps the whole call however long it lasts', () => {
  let samples: Sample[] = [];
  for (let second = 0; second < 3600; second += 1) samples = addSample(samples, quality, second * 1000);
  expect(samples.length).toBeLessThanOrEqual(240);
  expect(samples[0]?.at).toBe(0);
  expect(samples.at(-1)?.at).toBeGreaterThan(3_590_000);
});

it('tells of the beginning of a long call as much as of its end', () => {
  let samples: Sample[] = [];
  for (let second = 0; second < 3600; second += 1) samples = addSample(samples, quality, second * 1000);
  const inFirstHalf = samples.filter(({ at }) => at < 1_800_000).length;
  expect(inFirstHalf / samples.length).toBeCloseTo(0.5, 1);
});

it('takes no more than one a second', () => {
  expect(addSample(addSample([], quality, 0), quality, 100)).toHaveLength(1);
});

it('draws nothing from one value and never leaves its box', () => {
  expect(plotPath([1], 100, 10, 1)).toBe('');
  expect(plotPath([0, 0], 100, 10, 5)).toBe('M0.0 10.0L100.0 10.0');
  expect(plotPath([10, 5], 100, 10, 5)).toBe('M0.0 0.0L100.0 5.0');
});
