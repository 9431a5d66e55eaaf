import { expect, it } from 'vitest';
import { appError } from '../backend/backend';
import { FakeBackend } from '../backend/fake';
import { Notices } from './notices.svelte';

it('tells each thing once and forgets the oldest of too many', () => {
  const backend = new FakeBackend('empty');
  const notices = new Notices(backend);
  for (const code of ['NO_CAMERA', 'NO_CAMERA', 'NO_SPEAKER', 'NO_MICROPHONE', 'CALL_FAILED'] as const) {
    backend.listeners.tell({ event: 'notice', payload: appError(code, '') });
  }
  expect(notices.shown.map(({ error }) => error.code)).toEqual(['NO_SPEAKER', 'NO_MICROPHONE', 'CALL_FAILED']);
  notices.putAway(notices.shown[0]?.id ?? 0);
  expect(notices.shown).toHaveLength(2);
  notices.dispose();
  expect(backend.listeners.count).toBe(0);
});

it('forgets what was wrong with devices when the call is over', () => {
  const backend = new FakeBackend('empty');
  const notices = new Notices(backend);
  notices.tell(appError('NO_SPEAKER', ''));
  notices.tell(appError('RATE_LIMITED', ''));
  expect(notices.ofDevices).toHaveLength(1);
  notices.forgetDevices();
  expect(notices.shown.map(({ error }) => error.code)).toEqual(['RATE_LIMITED']);
  notices.dispose();
});
