import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeBackend } from '../backend/fake';
import { shortMemory } from '../look/memory';
import { Projects } from './projects.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function opened(scene: string): Promise<{ backend: FakeBackend; projects: Projects }> {
  const backend = new FakeBackend(scene);
  const projects = new Projects(backend, shortMemory(), () => 'user-helena');
  projects.begin(await backend.execute('snapshot', {}));
  return { backend, projects };
}

async function finished<T>(work: Promise<T>): Promise<T> {
  await vi.runAllTimersAsync();
  return work;
}

it('says why an offer could not be accepted, and keeps it', async () => {
  const { projects } = await opened('failing');
  expect(await finished(projects.accept('proposal-products'))).toBeNull();
  expect(projects.refused?.error.code).toBe('PROPOSAL_NOT_PENDING');
  expect(projects.answering).toBeNull();
  expect(projects.offer('proposal-products')).not.toBeNull();
});

it('an accepted offer becomes a project with the same terms', async () => {
  const { projects } = await opened('desk');
  const offer = projects.offer('proposal-products');
  const card = await finished(projects.accept('proposal-products'));
  expect(card?.project.price).toEqual(offer?.proposal.price);
  expect(projects.project(card?.project.id ?? '')).not.toBeNull();
  expect(projects.sections.offers).toEqual([]);
});

it('accepts once when pressed twice', async () => {
  const { backend, projects } = await opened('desk');
  const asked = vi.spyOn(backend, 'execute');
  void projects.accept('proposal-products');
  expect(await finished(projects.accept('proposal-products'))).toBeNull();
  expect(asked).toHaveBeenCalledTimes(1);
});

it('turns an offer down', async () => {
  const { projects } = await opened('desk');
  expect(await finished(projects.reject('proposal-products'))).toBe(true);
  expect(projects.offer('proposal-products')).toBeNull();
});

it('the open project stays where it was until another one is opened', async () => {
  const { backend, projects } = await opened('desk');
  const waiting = (): string[] => projects.sections.waiting.map(({ card }) => card.project.id);
  projects.opened('project-signs');
  projects.looked('project-signs', Date.now());
  await finished(backend.execute('markRead', { conversationId: 'conversation-signs', seq: 999 }));
  expect(waiting()).toEqual(['project-signs']);
  projects.opened('project-booking');
  expect(waiting()).toEqual([]);
});
