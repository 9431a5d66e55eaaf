import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeBackend } from '../backend/fake';
import { Session } from './session.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const form = {
  server: 'http://127.0.0.1:8750',
  email: 'client@demo.test',
  password: 'parley-demo',
  allowPlainHttp: false,
};

async function signIn(session: Session, change: Partial<typeof form> = {}): Promise<boolean> {
  const done = session.signIn({ ...form, ...change });
  await vi.runAllTimersAsync();
  return done;
}

it('refuses a wrong password and keeps the form free to try again', async () => {
  const session = new Session(new FakeBackend('signed-out'));
  expect(await signIn(session, { password: 'wrong' })).toBe(false);
  expect(session.error?.code).toBe('INVALID_CREDENTIALS');
  expect(session.working).toBe(false);
  expect(await signIn(session)).toBe(true);
  expect(session.error).toBeNull();
  expect(session.view.user?.email).toBe('client@demo.test');
});

it('refuses plain http to another machine unless the person allows it', async () => {
  const session = new Session(new FakeBackend('signed-out'));
  await signIn(session, { server: 'http://parley.example' });
  expect(session.error?.code).toBe('PLAIN_HTTP_REFUSED');
  expect(await signIn(session, { server: 'http://parley.example', allowPlainHttp: true })).toBe(true);
});

it('signs in once when pressed twice', async () => {
  const backend = new FakeBackend('signed-out');
  const asked = vi.spyOn(backend, 'execute');
  const session = new Session(backend);
  void session.signIn(form);
  void session.signIn(form);
  await vi.runAllTimersAsync();
  expect(asked).toHaveBeenCalledTimes(1);
});

it('believes an event more than a snapshot that was asked for before it', async () => {
  const backend = new FakeBackend('desk');
  const session = new Session(backend);
  const snapshot = await backend.execute('snapshot', {});
  backend.setConnected(false);
  session.begin(snapshot);
  expect(session.connection.state).toBe('offline');
  expect(session.view.state).toBe('signedIn');
});
