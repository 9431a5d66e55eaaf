import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { AppEvent } from '../generated/types';
import type { Backend } from './backend';
import { openBridge } from './bridge';

class Socket {
  static OPEN = 1;
  static last: Socket;
  readyState = 1;
  sent: { id: number; command: unknown }[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  constructor() {
    Socket.last = this;
    queueMicrotask(() => this.onopen?.());
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  says(value: unknown): void {
    this.onmessage?.({ data: JSON.stringify(value) });
  }
}

let backend: Backend;
beforeEach(async () => {
  vi.stubGlobal('WebSocket', Socket);
  backend = await openBridge('ws://127.0.0.1:1/x');
});
afterEach(() => vi.unstubAllGlobals());

it('rejects what was asked when the line is gone, and what is asked after', async () => {
  const asked = backend.execute('leaveCall', {});
  Socket.last.readyState = 3;
  Socket.last.onclose?.();
  await expect(asked).rejects.toMatchObject({ error: { code: 'UNAVAILABLE' } });
  await expect(backend.execute('leaveCall', {})).rejects.toMatchObject({ error: { code: 'UNAVAILABLE' } });
});

it('matches answers to questions by id, whatever order they come in', async () => {
  const first = backend.execute('setCamera', { on: true });
  const second = backend.execute('diagnostics', {});
  const [one, two] = Socket.last.sent;
  expect(one?.command).toEqual({ name: 'setCamera', args: { on: true } });
  Socket.last.says({ id: two?.id, ok: { version: '1', facts: [] } });
  Socket.last.says({ id: one?.id, error: { code: 'NO_CALL', detail: '', errors: [], meetingId: null } });
  Socket.last.says({ id: 99, ok: null });
  await expect(second).resolves.toEqual({ version: '1', facts: [] });
  await expect(first).rejects.toMatchObject({ error: { code: 'NO_CALL' } });
});

it('pushes events to everyone who listens, until they stop', () => {
  const heard: AppEvent[] = [];
  const stop = backend.listen((event) => heard.push(event));
  const event: AppEvent = { event: 'ring', payload: null };
  Socket.last.says(event);
  stop();
  Socket.last.says(event);
  expect(heard).toEqual([event]);
});
