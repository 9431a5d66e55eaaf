import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal, appError } from '../backend/backend';
import { FakeBackend } from '../backend/fake';
import { rowView } from '../backend/fake/world';
import { Chat, LONGEST } from './chat.svelte';

const conversationId = 'conversation-signs';
let backend: FakeBackend;
let chat: Chat;

async function open(scene = 'desk', lastReadSeq = 148): Promise<void> {
  backend = new FakeBackend(scene);
  chat = new Chat(backend, { conversationId, me: 'user-helena', lastReadSeq, draft: '' });
  const loaded = chat.refresh();
  await vi.advanceTimersByTimeAsync(200);
  await loaded;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  chat.dispose();
  vi.useRealTimers();
});

const last = () => chat.items.at(-1);

describe('sending', () => {
  it('refuses nothing but space, and too much', async () => {
    await open();
    const asked = vi.spyOn(backend, 'execute');
    chat.draft = ' \n\t ';
    expect(chat.refusal).toBe('empty');
    await chat.send();
    chat.draft = '😀'.repeat(LONGEST);
    expect(chat.refusal).toBeNull();
    chat.draft += 'x';
    expect(chat.refusal).toBe('tooLong');
    await chat.send();
    expect(asked).not.toHaveBeenCalledWith('send', expect.anything());
  });

  it('gives the words back when they could not even be written down', async () => {
    await open();
    vi.spyOn(backend, 'execute').mockRejectedValue(new Refusal(appError('LOCAL_STORAGE', '')));
    chat.draft = 'keep me';
    await chat.send();
    expect(chat.draft).toBe('keep me');
    expect(chat.sendError?.code).toBe('LOCAL_STORAGE');
  });

  it('goes from sending to sent to read', async () => {
    await open();
    chat.draft = '  hello  ';
    await chat.send();
    expect(chat.draft).toBe('');
    expect(last()).toMatchObject({ content: 'hello', delivery: 'sending' });
    await vi.advanceTimersByTimeAsync(500);
    expect(last()).toMatchObject({ delivery: 'sent' });
    await vi.advanceTimersByTimeAsync(1500);
    expect(last()).toMatchObject({ delivery: 'read' });
  });

  it('keeps a refused message until it is retried or discarded', async () => {
    await open();
    chat.draft = 'one /fail';
    await chat.send();
    await vi.advanceTimersByTimeAsync(500);
    expect(last()?.delivery).toBe('failed');
    const clientId = last()?.clientId ?? '';
    const retried = chat.retry(clientId);
    await vi.advanceTimersByTimeAsync(700);
    await retried;
    expect(last()).toMatchObject({ content: 'one', delivery: 'sent' });

    chat.draft = 'two /fail';
    await chat.send();
    await vi.advanceTimersByTimeAsync(500);
    const discarded = chat.discard(last()?.clientId ?? '');
    await vi.advanceTimersByTimeAsync(200);
    await discarded;
    expect(chat.items.some(({ content }) => content.startsWith('two'))).toBe(false);
  });

  it('an answer that comes after the newer event changes nothing', async () => {
    await open();
    const sent = { ...rowView(conversationId, 999, 'user-helena', 'x', new Date().toISOString()), clientId: 'late' };
    backend.listeners.tell({ event: 'message', payload: sent });
    vi.spyOn(backend, 'execute').mockResolvedValue({ ...sent, message: null, delivery: 'sending' } as never);
    chat.draft = 'x';
    await chat.send();
    expect(last()?.message?.seq).toBe(999);
    expect(chat.items.filter(({ clientId }) => clientId === 'late')).toHaveLength(1);
  });
});

describe('history', () => {
  it('loads older stretches until there are none, each once', async () => {
    await open();
    const asked = vi.spyOn(backend, 'execute');
    while (chat.hasOlder) {
      const one = chat.loadOlder();
      void chat.loadOlder();
      await vi.advanceTimersByTimeAsync(200);
      await one;
    }
    const seqs = chat.items.map(({ message }) => message?.seq);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    expect(asked.mock.calls.length).toBe(Math.ceil(seqs.length / 40) - 1);
  });

  it('says when it can’t be loaded, and loads when asked again', async () => {
    await open();
    const broken = vi.spyOn(backend, 'execute').mockRejectedValueOnce(new Refusal(appError('SERVER_UNREACHABLE', '')));
    await chat.loadOlder();
    expect(chat.error?.code).toBe('SERVER_UNREACHABLE');
    expect(chat.loadingOlder).toBe(false);
    broken.mockRestore();
    const again = chat.loadOlder();
    await vi.advanceTimersByTimeAsync(200);
    await again;
    expect(chat.error).toBeNull();
  });

  it('fills the gap after the line was away', async () => {
    await open();
    const before = chat.items.length;
    backend.setConnected(false);
    const talk = backend.world.talks.get(conversationId);
    for (let extra = 0; extra < 3; extra += 1) {
      talk?.push(rowView(conversationId, talk.length + 1, 'user-tomas', 'meanwhile', new Date().toISOString()));
    }
    backend.setConnected(true);
    await vi.advanceTimersByTimeAsync(200);
    expect(chat.items.length).toBe(before + 3);
  });

  it('begins anew when more was missed than one stretch holds', async () => {
    await open();
    const talk = backend.world.talks.get(conversationId) ?? [];
    for (let extra = 0; extra < 90; extra += 1) {
      talk.push(rowView(conversationId, talk.length + 1, 'user-tomas', 'meanwhile', new Date().toISOString()));
    }
    const again = chat.refresh();
    await vi.advanceTimersByTimeAsync(200);
    await again;
    expect(chat.items).toHaveLength(40);
    expect(chat.items.at(-1)?.message?.seq).toBe(talk.length);
    expect(chat.hasOlder).toBe(true);
  });

  it('leaves other conversations and what is not loaded yet alone', async () => {
    await open();
    const before = chat.items;
    backend.listeners.tell({
      event: 'message',
      payload: rowView('elsewhere', 1, 'user-priya', 'x', new Date().toISOString()),
    });
    backend.listeners.tell({
      event: 'message',
      payload: rowView(conversationId, 2, 'user-tomas', 'x', new Date().toISOString()),
    });
    expect(chat.items).toBe(before);
  });
});

describe('reading', () => {
  it('marks the newest message of others once', async () => {
    await open();
    const asked = vi.spyOn(backend, 'execute');
    chat.sawNewest();
    chat.sawNewest();
    expect(asked.mock.calls.filter(([name]) => name === 'markRead')).toHaveLength(1);
  });

  it('marks again after a mark that did not arrive', async () => {
    await open();
    const asked = vi.spyOn(backend, 'execute').mockRejectedValueOnce(new Refusal(appError('SERVER_UNREACHABLE', '')));
    chat.sawNewest();
    await vi.advanceTimersByTimeAsync(0);
    chat.sawNewest();
    expect(asked.mock.calls.filter(([name]) => name === 'markRead')).toHaveLength(2);
  });

  it('draws no unread line where everything was read', async () => {
    await open('desk', 100_000);
    expect(chat.unreadAfter).toBeNull();
  });
});

describe('typing', () => {
  it('is told at once, repeated while it lasts, ended after a pause', async () => {
    await open();
    const asked = vi.spyOn(backend, 'execute');
    const told = (): unknown[] =>
      asked.mock.calls
        .filter(([name]) => name === 'typing')
        .map(([, args]) => (args as { isTyping: boolean }).isTyping);
    chat.draft = 'h';
    for (let key = 0; key < 10; key += 1) {
      chat.typed();
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(told()).toEqual([true, true]);
    await vi.advanceTimersByTimeAsync(4000);
    expect(told()).toEqual([true, true, false]);
  });

  it('of the other side is shown until the core says that it ended', async () => {
    await open();
    const userId = 'user-tomas';
    backend.listeners.tell({ event: 'typing', payload: { conversationId, userId, isTyping: true } });
    expect(chat.otherTypes).toBe(true);
    backend.listeners.tell({ event: 'typing', payload: { conversationId, userId, isTyping: false } });
    expect(chat.otherTypes).toBe(false);
    backend.listeners.tell({ event: 'typing', payload: { conversationId, userId: 'user-helena', isTyping: true } });
    expect(chat.otherTypes).toBe(false);
  });
});

it('the unread line stands before what came while the person was away', async () => {
  await open('desk', 100_000);
  chat.lookedAway();
  const seq = (chat.items.at(-1)?.message?.seq ?? 0) + 100_000;
  backend.listeners.tell({
    event: 'message',
    payload: rowView(conversationId, seq, 'user-tomas', 'meanwhile', new Date().toISOString()),
  });
  expect(chat.unreadAfter).toBe(100_000);
});
