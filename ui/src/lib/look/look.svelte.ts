import type { Memory } from './memory';

export type Theme = 'system' | 'light' | 'dark';
export type Contrast = 'system' | 'more';

/** The sides that can be resized, their limits and where they begin, in pixels. */
export const SIDES = {
  list: { least: 240, most: 420, first: 300 },
  agreement: { least: 280, most: 440, first: 320 },
} as const;
export type Side = keyof typeof SIDES;

/** Light or dark, contrast, and the widths of the panels. */
export class Look {
  theme = $state<Theme>('system');
  contrast = $state<Contrast>('system');
  widths = $state<Record<Side, number>>({ list: SIDES.list.first, agreement: SIDES.agreement.first });
  readonly #memory: Memory;
  readonly #root: HTMLElement;
  readonly #dark: MediaQueryList;
  readonly #more: MediaQueryList;
  readonly #apply = (): void => {
    const dark = this.theme === 'dark' || (this.theme === 'system' && this.#dark.matches);
    const more = this.contrast === 'more' || this.#more.matches;
    this.#root.dataset['theme'] = dark ? 'dark' : 'light';
    if (more) this.#root.dataset['contrast'] = 'more';
    else delete this.#root.dataset['contrast'];
  };

  constructor(memory: Memory, root: HTMLElement, media: (query: string) => MediaQueryList) {
    this.#memory = memory;
    this.#root = root;
    this.#dark = media('(prefers-color-scheme: dark)');
    this.#more = media('(prefers-contrast: more)');
    this.theme = memory.read<Theme>('look.theme') ?? 'system';
    this.contrast = memory.read<Contrast>('look.contrast') ?? 'system';
    const widths = memory.read<Partial<Record<Side, number>>>('look.widths');
    for (const side of ['list', 'agreement'] as const) this.widths[side] = within(side, widths?.[side]);
    this.#dark.addEventListener('change', this.#apply);
    this.#more.addEventListener('change', this.#apply);
    this.#apply();
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.#memory.write('look.theme', theme);
    this.#apply();
  }

  setContrast(contrast: Contrast): void {
    this.contrast = contrast;
    this.#memory.write('look.contrast', contrast);
    this.#apply();
  }

  setWidth(side: Side, width: number): void {
    this.widths[side] = within(side, width);
    this.#memory.write('look.widths', { ...this.widths });
  }

  dispose(): void {
    this.#dark.removeEventListener('change', this.#apply);
    this.#more.removeEventListener('change', this.#apply);
  }
}

function within(side: Side, width: number | undefined): number {
  const { least, most, first } = SIDES[side];
  return typeof width === 'number' && Number.isFinite(width)
    ? Math.round(Math.min(most, Math.max(least, width)))
    : first;
}
