import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Refusal, appError } from '../backend/backend';
import { FakeBackend } from '../backend/fake';
import type { LibraryView } from '../generated/types';
import { Library } from './library.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function loaded(scene = 'desk'): Promise<{ backend: FakeBackend; library: Library }> {
  const backend = new FakeBackend(scene);
  const library = new Library(backend);
  void library.load();
  await vi.runAllTimersAsync();
  return { backend, library };
}

it('goes from missing to installed to missing again', async () => {
  const { library } = await loaded();
  expect(library.view?.state).toBe('missing');
  void library.install('zip');
  expect(library.working).toBe('install');
  await vi.runAllTimersAsync();
  expect(library.working).toBeNull();
  expect(library.view).toMatchObject({ state: 'fits', version: '4.4.32.174, build 28020' });
  void library.remove();
  await vi.runAllTimersAsync();
  expect(library.view?.state).toBe('missing');
});

it('keeps what it knows when nothing was chosen or the download is refused', async () => {
  const { backend, library } = await loaded();
  const before = library.view;
  const answer = vi.spyOn(backend, 'execute').mockResolvedValueOnce(null);
  await library.install('folder');
  expect(library.view).toBe(before);
  answer.mockRejectedValueOnce(new Refusal(appError('LIBRARY_REFUSED', 'agora.zip is not a whole zip file.')));
  await library.install('zip');
  expect(library.error?.code).toBe('LIBRARY_REFUSED');
  expect(library.view).toBe(before);
});

it('does one thing at a time, and forgets the last error with the next attempt', async () => {
  const { backend, library } = await loaded('failing');
  void library.install('zip');
  const asked = vi.spyOn(backend, 'execute');
  void library.remove();
  expect(asked).not.toHaveBeenCalled();
  await vi.runAllTimersAsync();
  expect(library.error?.code).toBe('LIBRARY_REFUSED');
  void library.load();
  expect(library.error).toBeNull();
  await vi.runAllTimersAsync();
});

it('installs while the library is still being looked at, and an earlier answer is no news', async () => {
  const backend = new FakeBackend();
  const library = new Library(backend);
  let answer: (view: LibraryView) => void = () => undefined;
  vi.spyOn(backend, 'execute').mockImplementationOnce(() => new Promise((resolve) => (answer = resolve as never)));
  void library.load();
  void library.install('zip');
  expect(library.working).toBe('install');
  await vi.runAllTimersAsync();
  expect(library.view?.state).toBe('fits');
  if (library.view !== null) answer({ ...library.view, state: 'missing' });
  await vi.runAllTimersAsync();
  expect(library.view?.state).toBe('fits');
  expect(library.working).toBeNull();
});

it('draws what another window did, until it is disposed', async () => {
  const { backend, library } = await loaded();
  const view = library.view;
  if (view === null) throw new Error('loaded');
  backend.listeners.tell({ event: 'library', payload: { ...view, state: 'refused', problem: 'Too old.' } });
  expect(library.view?.problem).toBe('Too old.');
  library.dispose();
  expect(backend.listeners.count).toBe(0);
});
