import { expect, it, vi } from 'vitest';
import { Look } from './look.svelte';
import { shortMemory } from './memory';

function surroundings(matching: string[] = []) {
  const listeners = new Set<() => void>();
  const root = { dataset: {} as Record<string, string> };
  const media = (query: string): MediaQueryList =>
    ({
      get matches() {
        return matching.some((word) => query.includes(word));
      },
      addEventListener: (_: string, listener: () => void) => listeners.add(listener),
      removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
    }) as unknown as MediaQueryList;
  return { listeners, root, media, element: root as unknown as HTMLElement };
}

it('follows the system until the person chooses', () => {
  const matching = ['dark'];
  const { element, root, media, listeners } = surroundings(matching);
  const look = new Look(shortMemory(), element, media);
  expect(root.dataset['theme']).toBe('dark');
  matching.length = 0;
  listeners.forEach((changed) => changed());
  expect(root.dataset['theme']).toBe('light');
  look.setTheme('dark');
  expect(root.dataset['theme']).toBe('dark');
});

it('shows high contrast when the system or the person wants it', () => {
  const { element, root, media } = surroundings();
  const look = new Look(shortMemory(), element, media);
  expect(root.dataset['contrast']).toBeUndefined();
  look.setContrast('more');
  expect(root.dataset['contrast']).toBe('more');
  look.setContrast('system');
  expect(root.dataset['contrast']).toBeUndefined();
});

it('remembers widths within their limits', () => {
  const memory = shortMemory();
  const { element, media } = surroundings();
  const look = new Look(memory, element, media);
  look.setWidth('list', 9000);
  expect(look.widths.list).toBe(420);
  expect(new Look(memory, element, media).widths.list).toBe(420);
});

it('is not confused by what it finds in its memory', () => {
  const memory = shortMemory();
  memory.write('look.widths', { list: 'wide', agreement: Number.NaN });
  const { element, media } = surroundings();
  expect(new Look(memory, element, media).widths).toEqual({ list: 300, agreement: 320 });
});

it('leaves no listener behind', () => {
  const { element, media, listeners } = surroundings();
  const look = new Look(shortMemory(), element, media);
  expect(listeners.size).toBeGreaterThan(0);
  look.dispose();
  expect(listeners.size).toBe(0);
  vi.restoreAllMocks();
});
