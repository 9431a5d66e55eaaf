import type { FrameLink } from './backend';

/** The loopback WebSocket of a call's pictures. */
export function openSocketFrames(url: string): FrameLink {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const waiting: (ArrayBuffer | string)[] = [];
  let closing = false;
  const link: FrameLink = {
    onframe: null,
    onlost: null,
    send(message) {
      if (socket.readyState === WebSocket.OPEN) socket.send(message);
      else if (socket.readyState === WebSocket.CONNECTING) waiting.push(message);
    },
    close() {
      closing = true;
      socket.close();
    },
  };
  socket.onopen = () => {
    for (const message of waiting.splice(0)) socket.send(message);
  };
  socket.onmessage = (event) => {
    if (event.data instanceof ArrayBuffer) link.onframe?.(event.data);
  };
  socket.onclose = () => {
    if (!closing) link.onlost?.();
  };
  return link;
}
