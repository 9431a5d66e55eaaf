import { type Frame, chroma } from './frame';
import type { Painter } from './painter';

type Flat = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Draws I420 by the web view's own converter. Null where `VideoFrame` is missing. */
export function makeVideoFramePainter(canvas: HTMLCanvasElement | OffscreenCanvas): Painter | null {
  if (typeof VideoFrame === 'undefined') return null;
  const flat = flatContext(canvas);
  if (flat === null) return null;
  return {
    kind: 'video-frame',
    draw(frame) {
      fit(canvas, frame);
      const picture = new VideoFrame(frame.planes, {
        format: 'I420',
        codedWidth: frame.width,
        codedHeight: frame.height,
        timestamp: 0,
        colorSpace: { matrix: 'smpte170m', primaries: 'smpte170m', transfer: 'smpte170m', fullRange: false },
      });
      flat.drawImage(picture, 0, 0);
      picture.close();
    },
    finish: () => void flat.getImageData(0, 0, 1, 1),
    release: () => undefined,
  };
}

/** Draws I420 by arithmetic of our own: slow, and there everywhere. */
export function makePixelPainter(canvas: HTMLCanvasElement | OffscreenCanvas): Painter | null {
  const flat = flatContext(canvas);
  if (flat === null) return null;
  let image: ImageData | null = null;
  return {
    kind: 'pixels',
    draw(frame) {
      fit(canvas, frame);
      if (image === null || image.width !== frame.width || image.height !== frame.height) {
        image = flat.createImageData(frame.width, frame.height);
      }
      toPixels(frame, image.data);
      flat.putImageData(image, 0, 0);
    },
    finish: () => void flat.getImageData(0, 0, 1, 1),
    release: () => undefined,
  };
}

/** I420 (BT.601, limited range) to RGBA, in integers scaled by 256. */
export function toPixels(frame: Frame, pixels: Uint8ClampedArray): void {
  const { width, height, planes } = frame;
  const halfWidth = chroma(width);
  const blueFrom = width * height;
  const redFrom = blueFrom + halfWidth * chroma(height);
  let to = 0;
  for (let row = 0; row < height; row += 1) {
    const lumaRow = row * width;
    const chromaRow = (row >> 1) * halfWidth;
    for (let column = 0; column < width; column += 1) {
      const at = chromaRow + (column >> 1);
      const y = 298 * ((planes[lumaRow + column] ?? 0) - 16) + 128;
      const u = (planes[blueFrom + at] ?? 128) - 128;
      const v = (planes[redFrom + at] ?? 128) - 128;
      pixels[to] = (y + 409 * v) >> 8;
      pixels[to + 1] = (y - 100 * u - 208 * v) >> 8;
      pixels[to + 2] = (y + 516 * u) >> 8;
      pixels[to + 3] = 255;
      to += 4;
    }
  }
}

function flatContext(canvas: HTMLCanvasElement | OffscreenCanvas): Flat | null {
  return canvas.getContext('2d', { alpha: false }) as Flat | null;
}

function fit(canvas: HTMLCanvasElement | OffscreenCanvas, frame: Frame): void {
  if (canvas.width === frame.width && canvas.height === frame.height) return;
  canvas.width = frame.width;
  canvas.height = frame.height;
}
