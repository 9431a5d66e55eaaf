import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { FrameLink } from '../../backend/backend';
import type { Frame } from './frame';
import { frameMessage } from './frame-message';
import { Player } from './player';

class Link implements FrameLink {
  onframe: ((message: ArrayBuffer) => void) | null = null;
  onlost: (() => void) | null = null;
  readonly acknowledged: number[] = [];
  readonly said: unknown[] = [];
  closed = false;
  send(message: ArrayBuffer | string): void {
    if (typeof message === 'string') this.said.push(JSON.parse(message));
    else this.acknowledged.push(Number(new DataView(message).getBigUint64(0, true)));
  }
  close(): void {
    this.closed = true;
  }
  picture(sequence: number, stream: 'remote' | 'local' = 'remote'): void {
    this.onframe?.(frameMessage({ width: 4, height: 2, stream, sequence: BigInt(sequence) }));
  }
}

let links: Link[];
let drawn: bigint[];
let waiting: (() => void)[];
let player: Player;
const canvas = () => ({ width: 0, height: 0, dataset: {} as Record<string, string> }) as unknown as HTMLCanvasElement;
const refresh = (): void => waiting.splice(0).forEach((draw) => draw());
const newest = (): Link => links.at(-1) as Link;

beforeEach(() => {
  vi.useFakeTimers();
  links = [];
  drawn = [];
  waiting = [];
  player = new Player(
    () => {
      links.push(new Link());
      return newest();
    },
    {
      requestDraw: (draw) => waiting.push(draw),
      cancelDraw: () => waiting.splice(0),
      choose: () => ({
        kind: 'pixels',
        draw: (frame: Frame) => void drawn.push(frame.sequence),
        finish: () => undefined,
        release: () => undefined,
      }),
    },
  );
});
afterEach(() => {
  player.dispose();
  vi.useRealTimers();
});

it('draws the newest picture of a refresh and acknowledges every one', () => {
  const shown = canvas();
  player.show('remote', shown);
  for (const sequence of [1, 2, 3]) newest().picture(sequence);
  expect(newest().acknowledged).toEqual([1, 2]);
  refresh();
  expect(drawn).toEqual([3n]);
  expect(newest().acknowledged).toEqual([1, 2, 3]);
  expect(shown.dataset['frames']).toBe('1');
});

it('acknowledges pictures that nobody shows, and broken messages not at all', () => {
  newest().picture(1, 'local');
  newest().onframe?.(new ArrayBuffer(7));
  expect(newest().acknowledged).toEqual([1]);
  expect(waiting).toHaveLength(0);
});

it('tells which streams somebody looks at', () => {
  const stop = player.show('remote', canvas());
  player.setHidden(true);
  player.setHidden(false);
  stop();
  expect(newest().said.slice(2)).toEqual([
    { stream: 'remote', visible: true },
    { stream: 'remote', visible: false },
    { stream: 'remote', visible: true },
    { stream: 'remote', visible: false },
  ]);
});

it('opens the line again when it is lost, and says again who looks', () => {
  player.show('remote', canvas());
  newest().onlost?.();
  vi.advanceTimersByTime(500);
  expect(links).toHaveLength(2);
  expect(newest().said).toContainEqual({ stream: 'remote', visible: true });
});

it('a canvas that is replaced keeps the stream', () => {
  const stopOld = player.show('remote', canvas());
  player.show('remote', canvas());
  stopOld();
  newest().picture(1);
  refresh();
  expect(drawn).toEqual([1n]);
});

it('leaves nothing behind', () => {
  player.show('remote', canvas());
  newest().picture(1);
  newest().onlost?.();
  player.dispose();
  expect(vi.getTimerCount()).toBe(0);
  expect(waiting).toHaveLength(0);
});
