import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeBackend } from './backend/fake';
import type { Look } from './look/look.svelte';
import { shortMemory } from './look/memory';
import { Parley } from './parley.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open(scene: string): { backend: FakeBackend; parley: Parley } {
  const backend = new FakeBackend(scene);
  const look = { dispose: () => undefined } as Look;
  return { backend, parley: new Parley(backend, look, shortMemory()) };
}

it('leaves no listener and no timer behind, whatever was opened', async () => {
  const { backend, parley } = open('desk');
  await parley.begin();
  for (const card of parley.projects.view.active) {
    parley.openChat(card);
    await vi.advanceTimersByTimeAsync(200);
    if (parley.chat !== null) {
      parley.chat.draft = 'half a sent';
      parley.chat.typed();
    }
  }
  void parley.call.start('project-signs', true);
  await vi.advanceTimersByTimeAsync(5000);
  void parley.call.leave();
  await vi.advanceTimersByTimeAsync(200);
  expect(backend.listeners.count).toBeGreaterThan(4);
  parley.dispose();
  await vi.advanceTimersByTimeAsync(1000);
  expect(backend.listeners.count).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

it('keeps a draft while another conversation is open, and forgets it with the account', async () => {
  const { parley } = open('desk');
  await parley.begin();
  const [first, second] = parley.projects.view.active;
  parley.openChat(first ?? null);
  if (parley.chat !== null) parley.chat.draft = 'not yet';
  parley.openChat(second ?? null);
  expect(parley.chat?.draft).toBe('');
  parley.openChat(first ?? null);
  expect(parley.chat?.draft).toBe('not yet');
  parley.forget();
  parley.openChat(first ?? null);
  expect(parley.chat?.draft).toBe('');
});

it('the card of the last call goes with the account', async () => {
  const { backend, parley } = open('after');
  await parley.begin();
  const { after } = parley.call;
  expect(after).not.toBeNull();
  parley.forget();
  expect(parley.call.after).toBeNull();
  if (after !== null) backend.listeners.tell({ event: 'call', payload: after });
  expect(parley.call.after).toBeNull();
});

it('a project that only looks different is the same conversation', async () => {
  const { parley } = open('desk');
  await parley.begin();
  const card = parley.projects.view.active[0];
  if (card === undefined) throw new Error('the demonstration has projects');
  parley.openChat(card);
  const { chat } = parley;
  parley.openChat({ ...card, unread: 7 });
  expect(parley.chat).toBe(chat);
});

it('offers to try again when nothing could be asked for at the start', async () => {
  const { backend, parley } = open('desk');
  vi.spyOn(backend, 'execute').mockRejectedValueOnce('the core is not up');
  await parley.begin();
  expect(parley.notices.shown[0]?.error.code).toBe('INTERNAL');
  parley.notices.shown[0]?.again?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(parley.session.view.state).toBe('signedIn');
});
