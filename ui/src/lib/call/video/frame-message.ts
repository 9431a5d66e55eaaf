import { FRAME_HEADER_LEN } from '../../generated/types';
import { chroma, i420Length } from './frame';

interface Wanted {
  width: number;
  height: number;
  stream?: 'remote' | 'local';
  sequence?: bigint;
  /** Luma, blue and red of every pixel. */
  fill?: readonly [number, number, number];
}

/** A message of the line, for tests. */
export function frameMessage({
  width,
  height,
  stream = 'remote',
  sequence = 1n,
  fill = [16, 128, 128],
}: Wanted): ArrayBuffer {
  const message = new ArrayBuffer(FRAME_HEADER_LEN + i420Length(width, height));
  const header = new DataView(message);
  header.setUint32(0, 0x46594c50, true);
  header.setUint8(4, stream === 'remote' ? 0 : 1);
  header.setUint32(8, width, true);
  header.setUint32(12, height, true);
  header.setBigUint64(16, sequence, true);
  const planes = new Uint8Array(message, FRAME_HEADER_LEN);
  const half = chroma(width) * chroma(height);
  planes.fill(fill[0], 0, width * height);
  planes.fill(fill[1], width * height, width * height + half);
  planes.fill(fill[2], width * height + half);
  return message;
}
