import type { AppError, AppEvent, Commands } from '../generated/types';
import { type Backend, type CommandName, Refusal, appError } from './backend';
import { Listeners } from './listeners';
import { openSocketFrames } from './socket-frames';

type Incoming = { id: number; ok: unknown } | { id: number; error: AppError } | AppEvent;
interface Waiting {
  resolve: (answer: never) => void;
  reject: (refusal: Refusal) => void;
}

/** The same app core behind a loopback WebSocket: `{ id, command }` → `{ id, ok | error }`, and events pushed. */
export async function openBridge(url: string): Promise<Backend> {
  const socket = new WebSocket(url);
  const listeners = new Listeners();
  const waiting = new Map<number, Waiting>();
  let lastId = 0;

  socket.onmessage = (message) => {
    const said = JSON.parse(String(message.data)) as Incoming;
    if ('event' in said) return listeners.tell(said);
    const asked = waiting.get(said.id);
    waiting.delete(said.id);
    if ('error' in said) asked?.reject(new Refusal(said.error));
    else asked?.resolve(said.ok as never);
  };
  socket.onclose = () => {
    const gone = new Refusal(appError('UNAVAILABLE', 'The bridge to the app core is closed.'));
    for (const asked of waiting.values()) asked.reject(gone);
    waiting.clear();
  };
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Refusal(appError('SERVER_UNREACHABLE', 'The bridge does not answer.')));
  });

  return {
    ringHasOwnWindow: false,
    execute<N extends CommandName>(name: N, args: Commands[N]['args']) {
      return new Promise<Commands[N]['answer']>((resolve, reject) => {
        if (socket.readyState !== WebSocket.OPEN) {
          return reject(new Refusal(appError('UNAVAILABLE', 'The bridge to the app core is closed.')));
        }
        lastId += 1;
        waiting.set(lastId, { resolve, reject });
        socket.send(JSON.stringify({ id: lastId, command: { name, args } }));
      });
    },
    listen: (hear) => listeners.add(hear),
    openFrames: openSocketFrames,
  };
}
