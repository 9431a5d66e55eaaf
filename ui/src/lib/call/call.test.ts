import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeBackend } from '../backend/fake';
import { Call } from './call.svelte';

let backend: FakeBackend;
let call: Call;

async function open(scene: string): Promise<void> {
  backend = new FakeBackend(scene);
  call = new Call(backend);
  call.begin(await backend.execute('snapshot', {}));
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  call.dispose();
  vi.useRealTimers();
});

it('says why a call could not be started', async () => {
  await open('desk');
  void call.start('no-such-project', true);
  await vi.advanceTimersByTimeAsync(200);
  expect(call.error?.code).toBe('NOT_FOUND');
  expect(call.starting).toBeNull();
  expect(call.live).toBeNull();
});

it('rings out, connects, counts the seconds, and leaves a card', async () => {
  await open('desk');
  void call.start('project-signs', true);
  expect(call.starting).toBe('project-signs');
  await vi.advanceTimersByTimeAsync(200);
  expect(call.live?.phase).toBe('ringingOut');
  expect(call.elapsed).toBe(0);
  await vi.advanceTimersByTimeAsync(13_200);
  expect(call.live?.phase).toBe('connected');
  expect(call.elapsed).toBeGreaterThanOrEqual(9);
  expect(call.samples.length).toBeGreaterThan(5);
  void call.leave();
  await vi.advanceTimersByTimeAsync(200);
  expect(call.live).toBeNull();
  expect(call.after?.endReason).toBe('ended');
  call.putAway();
  expect(call.after).toBeNull();
});

it('starts one call when pressed twice', async () => {
  await open('desk');
  const asked = vi.spyOn(backend, 'execute');
  void call.start('project-signs', true);
  void call.start('project-signs', true);
  await vi.advanceTimersByTimeAsync(200);
  expect(asked.mock.calls.filter(([name]) => name === 'startCall')).toHaveLength(1);
});

it('a card that was put away does not come back', async () => {
  await open('after');
  const after = call.after;
  call.putAway();
  if (after !== null) backend.listeners.tell({ event: 'call', payload: after });
  expect(call.after).toBeNull();
});

it('the next call waits until the core has put the card of the last one away', async () => {
  await open('after');
  const asked = vi.spyOn(backend, 'execute');
  call.putAway();
  void call.start('project-signs', true);
  expect(asked.mock.calls.map(([name]) => name)).toEqual(['leaveCall']);
  await vi.advanceTimersByTimeAsync(500);
  expect(asked.mock.calls.map(([name]) => name)).toEqual(['leaveCall', 'startCall']);
  expect(call.live?.phase).toBe('ringingOut');
});

it('answers the ring once and stops ringing', async () => {
  await open('ring');
  expect(call.ring?.caller.name).toBe('Tomás Almeida');
  const asked = vi.spyOn(backend, 'execute');
  void call.accept(false);
  void call.accept(true);
  void call.decline(null);
  await vi.advanceTimersByTimeAsync(200);
  expect(asked.mock.calls.map(([name]) => name)).toEqual(['acceptCall']);
  expect(call.ring).toBeNull();
  expect(call.live?.camera.wanted).toBe(false);
});

it('a ring that was answered elsewhere is gone at once', async () => {
  await open('ring');
  backend.listeners.tell({ event: 'ring', payload: null });
  expect(call.ring).toBeNull();
});

it('a ring that has moved on says so', async () => {
  await open('ring');
  const ring = call.ring;
  void backend.execute('declineCall', { meetingId: ring?.meetingId ?? '', text: null });
  await vi.advanceTimersByTimeAsync(200);
  backend.listeners.tell({ event: 'ring', payload: ring });
  void call.accept(true);
  await vi.advanceTimersByTimeAsync(200);
  expect(call.error?.code).toBe('MEETING_STATE');
  expect(call.answering).toBeNull();
});

it('declines with words that go to the conversation', async () => {
  await open('ring');
  const talk = backend.world.talks.get('conversation-signs') ?? [];
  const before = talk.length;
  void call.decline('Later, please');
  await vi.advanceTimersByTimeAsync(700);
  expect(talk.slice(before).map(({ content }) => content)).toEqual(['Later, please']);
});

it('a control works before it is on', async () => {
  await open('call');
  void call.setMicrophone(false);
  await vi.advanceTimersByTimeAsync(150);
  expect(call.live?.microphone).toMatchObject({ wanted: false, actual: true, working: true });
  await vi.advanceTimersByTimeAsync(400);
  expect(call.live?.microphone).toMatchObject({ wanted: false, actual: false, working: false });
});

it('has no clock once the call is over', async () => {
  await open('call');
  expect(vi.getTimerCount()).toBeGreaterThan(0);
  void call.leave();
  await vi.runOnlyPendingTimersAsync();
  await vi.runOnlyPendingTimersAsync();
  call.dispose();
  expect(vi.getTimerCount()).toBe(0);
});
