import { expect, it } from 'vitest';
import { ranked } from './choose';
import { readFrame } from './frame';
import { frameMessage } from './frame-message';
import type { MakePainter } from './painter';

it('takes the fastest that works and leaves out what is missing or throws', () => {
  let clock = 0;
  const takes =
    (ms: number): MakePainter =>
    () => ({ kind: 'pixels', draw: () => void (clock += ms), finish: () => undefined, release: () => undefined });
  const frame = readFrame(frameMessage({ width: 4, height: 2 }));
  if (frame === null) throw new Error('the test’s own picture is readable');
  const order = (webgl: MakePainter, videoFrame: MakePainter, pixels: MakePainter): string[] =>
    ranked(
      frame,
      () => ({}) as HTMLCanvasElement,
      () => clock,
      { webgl, 'video-frame': videoFrame, pixels },
    );

  expect(order(takes(9), takes(2), takes(5))).toEqual(['video-frame', 'pixels', 'webgl']);
  expect(order(() => null, takes(2), takes(1))).toEqual(['pixels', 'video-frame']);
  const throws: MakePainter = () => {
    throw new Error('no context');
  };
  expect(order(throws, () => null, takes(1))).toEqual(['pixels']);
});
