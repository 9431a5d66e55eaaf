import { FRAME_HEADER_LEN } from '../../generated/types';

/** Whose picture it is. */
export type Stream = 'remote' | 'local';

/** A picture as it came: I420, planes without padding, chroma of half size rounded up. */
export interface Frame {
  stream: Stream;
  width: number;
  height: number;
  /** Counts the messages of the line; acknowledged by `acknowledgement`. */
  sequence: bigint;
  /** All three planes, one after the other. */
  planes: Uint8Array<ArrayBuffer>;
}

/** Larger sides than these are no picture of a call but a broken header. */
const LONGEST_SIDE = 8192;
const MAGIC = 0x46_59_4c_50;

/** Reads a message of the line (crates/protocol, module `frames`); null when it is none. */
export function readFrame(message: ArrayBuffer): Frame | null {
  if (message.byteLength < FRAME_HEADER_LEN) return null;
  const header = new DataView(message, 0, FRAME_HEADER_LEN);
  if (header.getUint32(0, true) !== MAGIC || header.getUint8(5) !== 0) return null;
  const stream = header.getUint8(4);
  const width = header.getUint32(8, true);
  const height = header.getUint32(12, true);
  if (stream > 1 || width === 0 || height === 0 || width > LONGEST_SIDE || height > LONGEST_SIDE) return null;
  if (message.byteLength !== FRAME_HEADER_LEN + i420Length(width, height)) return null;
  return {
    stream: stream === 0 ? 'remote' : 'local',
    width,
    height,
    sequence: header.getBigUint64(16, true),
    planes: new Uint8Array(message, FRAME_HEADER_LEN),
  };
}

/** Bytes of the three planes. */
export function i420Length(width: number, height: number): number {
  return width * height + 2 * chroma(width) * chroma(height);
}

/** Half a side, rounded up. */
export function chroma(side: number): number {
  return (side + 1) >> 1;
}

/** What is sent back when a picture was drawn or left out. */
export function acknowledgement(sequence: bigint): ArrayBuffer {
  const message = new ArrayBuffer(8);
  new DataView(message).setBigUint64(0, sequence, true);
  return message;
}

/** What is sent when somebody begins or stops looking at a stream. */
export function visibility(stream: Stream, visible: boolean): string {
  return JSON.stringify({ stream, visible });
}
