import { expect, it } from 'vitest';
import { acknowledgement, chroma, i420Length, readFrame, visibility } from './frame';
import { toPixels } from './flat';
import { frameMessage } from './frame-message';

it('refuses what is no picture', () => {
  expect(readFrame(new ArrayBuffer(0))).toBeNull();
  expect(readFrame(new ArrayBuffer(31))).toBeNull();
  expect(readFrame(new ArrayBuffer(4096))).toBeNull();
  const good = frameMessage({ width: 4, height: 2 });
  expect(readFrame(good.slice(0, good.byteLength - 1))).toBeNull();
  for (const [at, value] of [
    [0, 0x51],
    [4, 2],
    [5, 1],
    [11, 0xff],
    [8, 0],
  ] as const) {
    const broken = good.slice(0);
    new Uint8Array(broken)[at] = value;
    expect(readFrame(broken), `byte ${at}`).toBeNull();
  }
});

it('reads the header as crates/protocol writes it', () => {
  const bytes = [
    0x50, 0x4c, 0x59, 0x46, 1, 0, 0, 0, 0x80, 2, 0, 0, 0x68, 1, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x42, 0x0f, 0, 0, 0,
    0, 0,
  ];
  const message = new ArrayBuffer(32 + i420Length(640, 360));
  new Uint8Array(message).set(bytes);
  const frame = readFrame(message);
  expect(frame).toMatchObject({ stream: 'local', width: 640, height: 360, sequence: 7n });
  expect(frame?.planes.length).toBe(640 * 360 * 1.5);
});

it('odd sides round the chroma up', () => {
  expect(chroma(5)).toBe(3);
  expect(i420Length(5, 3)).toBe(15 + 2 * 3 * 2);
  expect(readFrame(frameMessage({ width: 5, height: 3 }))).toMatchObject({ width: 5, height: 3 });
});

it('answers with eight bytes, least first', () => {
  expect([...new Uint8Array(acknowledgement(0x0102n))]).toEqual([2, 1, 0, 0, 0, 0, 0, 0]);
  expect(JSON.parse(visibility('remote', false))).toEqual({ stream: 'remote', visible: false });
});

it('turns limited-range I420 into the colours it means', () => {
  const colours = (y: number, u: number, v: number): number[] => {
    const frame = readFrame(frameMessage({ width: 2, height: 2, fill: [y, u, v] }));
    const pixels = new Uint8ClampedArray(16);
    if (frame !== null) toPixels(frame, pixels);
    return [...pixels.slice(0, 4)];
  };
  expect(colours(16, 128, 128)).toEqual([0, 0, 0, 255]);
  expect(colours(235, 128, 128)).toEqual([255, 255, 255, 255]);
  expect(colours(82, 90, 240)).toEqual([255, 1, 0, 255]);
});
