import { FRAME_HEADER_LEN, FRAME_WINDOW } from '../../generated/types';
import type { FrameLink } from '../backend';

type Look = (flat: CanvasRenderingContext2D, width: number, height: number, seconds: number) => void;

const SIZES = { remote: [960, 540], local: [416, 234] } as const;
const EVERY_MS = 40;

/** A line of drawn pictures that keeps to the window, as the app core does. */
export function openFakeFrames(): FrameLink {
  const visible = new Set<'remote' | 'local'>();
  const sources = { remote: makeSource('remote', other), local: makeSource('local', self) };
  const begun = Date.now();
  let sequence = 0n;
  let inFlight = 0;
  const link: FrameLink = {
    onframe: null,
    onlost: null,
    send(message) {
      if (typeof message !== 'string') {
        inFlight = Math.max(0, inFlight - 1);
        return;
      }
      const said = JSON.parse(message) as { stream: 'remote' | 'local'; visible: boolean };
      if (said.visible) visible.add(said.stream);
      else visible.delete(said.stream);
    },
    close: () => clearInterval(timer),
  };
  const timer = setInterval(() => {
    for (const stream of visible) {
      if (inFlight >= FRAME_WINDOW) return;
      sequence += 1n;
      inFlight += 1;
      link.onframe?.(sources[stream]((Date.now() - begun) / 1000, sequence));
    }
  }, EVERY_MS);
  return link;
}

function makeSource(stream: 'remote' | 'local', look: Look): (seconds: number, sequence: bigint) => ArrayBuffer {
  const [width, height] = SIZES[stream];
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const flat = canvas.getContext('2d', { willReadFrequently: true });
  return (seconds, sequence) => {
    const message = new ArrayBuffer(FRAME_HEADER_LEN + (width * height * 3) / 2);
    const header = new DataView(message);
    header.setUint32(0, 0x46594c50, true);
    header.setUint8(4, stream === 'remote' ? 0 : 1);
    header.setUint32(8, width, true);
    header.setUint32(12, height, true);
    header.setBigUint64(16, sequence, true);
    header.setBigUint64(24, BigInt(Math.round(seconds * 1e6)), true);
    if (flat !== null) {
      look(flat, width, height, seconds);
      toI420(flat.getImageData(0, 0, width, height).data, width, height, new Uint8Array(message, FRAME_HEADER_LEN));
    }
    return message;
  };
}

function toI420(pixels: Uint8ClampedArray, width: number, height: number, planes: Uint8Array): void {
  const blueFrom = width * height;
  const redFrom = blueFrom + blueFrom / 4;
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const from = (row * width + column) * 4;
      const [r, g, b] = [pixels[from] ?? 0, pixels[from + 1] ?? 0, pixels[from + 2] ?? 0];
      planes[row * width + column] = (66 * r + 129 * g + 25 * b + 4224) >> 8;
      if ((row | column) & 1) continue;
      const to = (row >> 1) * (width >> 1) + (column >> 1);
      planes[blueFrom + to] = (-38 * r - 74 * g + 112 * b + 32896) >> 8;
      planes[redFrom + to] = (112 * r - 94 * g - 18 * b + 32896) >> 8;
    }
  }
}

interface Sitter {
  wall: [string, string];
  hair: string;
  skin: string;
  shade: string;
  shirt: string;
}

const other: Look = (flat, width, height, seconds) => {
  sit(flat, width, height, seconds, {
    wall: ['#b9b3a6', '#8d8778'],
    hair: '#2e2622',
    skin: '#c99a7a',
    shade: '#b08163',
    shirt: '#3d5a5c',
  });
};

const self: Look = (flat, width, height, seconds) => {
  sit(flat, width, height, seconds + 3, {
    wall: ['#8b97a0', '#5f6b75'],
    hair: '#7a5638',
    skin: '#dcb296',
    shade: '#c29478',
    shirt: '#6b4a4a',
  });
};

/** Somebody at a desk before a shelf, who breathes and nods. */
function sit(flat: CanvasRenderingContext2D, width: number, height: number, seconds: number, sitter: Sitter): void {
  const unit = height / 100;
  const wall = flat.createLinearGradient(0, 0, width, height);
  wall.addColorStop(0, sitter.wall[0]);
  wall.addColorStop(1, sitter.wall[1]);
  flat.fillStyle = wall;
  flat.fillRect(0, 0, width, height);

  flat.fillStyle = 'rgb(0 0 0 / 0.16)';
  for (const [shelf, y] of [22, 52].entries()) {
    flat.fillRect(width * 0.68, y * unit, width * 0.32, 2 * unit);
    for (let book = 0; book < 9; book += 1) {
      const tall = 9 + ((book * 7 + shelf * 5) % 6) * 1.6;
      flat.fillRect(width * 0.7 + book * 5.2 * unit, (y - tall) * unit, 4 * unit, tall * unit);
    }
  }

  const breath = Math.sin(seconds * 1.7) * 0.5;
  const nod = Math.sin(seconds * 0.9) * 1.2 + Math.sin(seconds * 2.3) * 0.4;
  const x = width * 0.46 + Math.sin(seconds * 0.4) * 1.5 * unit;
  const shoulders = (76 + breath) * unit;
  flat.fillStyle = sitter.shirt;
  oval(flat, x, shoulders + 30 * unit, 42 * unit, 34 * unit);
  flat.fillStyle = sitter.shade;
  flat.fillRect(x - 7 * unit, (60 + breath) * unit, 14 * unit, 18 * unit);
  oval(flat, x, (78 + breath) * unit, 8 * unit, 5 * unit);
  const head = (43 + nod + breath) * unit;
  flat.fillStyle = sitter.hair;
  oval(flat, x, head - 5 * unit, 19.5 * unit, 23 * unit);
  flat.fillStyle = sitter.skin;
  oval(flat, x, head + 3 * unit, 15.5 * unit, 20 * unit);
  flat.fillStyle = sitter.hair;
  oval(flat, x - 3 * unit, head - 15 * unit, 16 * unit, 8 * unit);
  flat.fillStyle = '#2b211d';
  const blink = seconds % 4 < 0.13 ? 0.25 : 1.3;
  oval(flat, x - 5.8 * unit, head + nod * 0.4 * unit, 1.3 * unit, blink * unit);
  oval(flat, x + 5.8 * unit, head + nod * 0.4 * unit, 1.3 * unit, blink * unit);
  flat.fillStyle = '#8d4f45';
  const speaks = Math.max(0.6, Math.abs(Math.sin(seconds * 5)) * (Math.sin(seconds * 0.7) > 0 ? 2.2 : 0.6));
  oval(flat, x, head + 12.5 * unit, 4.2 * unit, speaks * unit);
}

function oval(flat: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
  flat.beginPath();
  flat.ellipse(x, y, width, height, 0, 0, Math.PI * 2);
  flat.fill();
}
