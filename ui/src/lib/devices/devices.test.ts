import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Refusal, appError } from '../backend/backend';
import { FakeBackend } from '../backend/fake';
import { Devices } from './devices.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('says when devices can’t be listed, and lists them when asked again', async () => {
  const backend = new FakeBackend();
  const devices = new Devices(backend);
  const broken = vi.spyOn(backend, 'execute').mockRejectedValueOnce(new Refusal(appError('INTERNAL', '')));
  await devices.load();
  expect(devices.error?.code).toBe('INTERNAL');
  broken.mockRestore();
  void devices.load();
  await vi.runAllTimersAsync();
  expect(devices.error).toBeNull();
  expect(devices.view?.cameras).not.toHaveLength(0);
});

it('changes one choice and keeps the others', async () => {
  const devices = new Devices(new FakeBackend());
  void devices.load();
  await vi.runAllTimersAsync();
  void devices.choose({ microphone: 'microphone-0' });
  await vi.runAllTimersAsync();
  expect(devices.view?.chosen).toEqual({ camera: 'camera-0', microphone: 'microphone-0', speaker: null });
});
