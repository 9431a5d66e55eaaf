import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Attention } from './attention.svelte';

/** A page that can lose focus and visibility, and that counts who listens. */
class Page extends EventTarget {
  visibilityState = 'visible';
  focused = false;
  listening = 0;
  hasFocus = (): boolean => this.focused;
  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.listening += 1;
    super.addEventListener(...args);
  }
  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.listening -= 1;
    super.removeEventListener(...args);
  }
}

let page: Page;
let window: Page;
let attention: Attention;
beforeEach(() => {
  vi.useFakeTimers();
  page = new Page();
  window = new Page();
  attention = new Attention(page as unknown as Document, window as unknown as Window);
});
afterEach(() => {
  attention.dispose();
  vi.useRealTimers();
});

it('is not here in a window that nobody looks at', () => {
  expect(attention.here).toBe(false);
  page.focused = true;
  window.dispatchEvent(new Event('focus'));
  expect(attention.here).toBe(true);
  page.visibilityState = 'hidden';
  page.dispatchEvent(new Event('visibilitychange'));
  expect(attention.here).toBe(false);
});

it('counts a hand on the window for a minute where focus is never told', () => {
  window.dispatchEvent(new Event('pointerdown'));
  expect(attention.here).toBe(true);
  vi.advanceTimersByTime(60_001);
  expect(attention.here).toBe(false);
});

it('forgets the hand when the person goes to another window', () => {
  window.dispatchEvent(new Event('keydown'));
  window.dispatchEvent(new Event('blur'));
  expect(attention.here).toBe(false);
});

it('leaves no listener and no timer behind', () => {
  window.dispatchEvent(new Event('pointerdown'));
  attention.dispose();
  expect(page.listening).toBe(0);
  expect(window.listening).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
