import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

type Theme = Record<string, string>;
const css = readFileSync(new URL('../../styles/tokens.css', import.meta.url), 'utf8').replace(/\/\*[^]*?\*\//g, '');

/** The declarations of the rule whose selectors contain that one. */
function rule(selector: string): Theme {
  for (const [, selectors = '', body = ''] of css.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
    if (!selectors.split(',').some((each) => each.trim() === selector)) continue;
    return Object.fromEntries(
      [...body.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(([, name = '', value = '']) => [name, value]),
    );
  }
  throw new Error(`${selector} is not in tokens.css`);
}

const light = rule(":root[data-theme='light']");
const dark = rule(":root[data-theme='dark']");
const themes: Record<string, { theme: Theme; text: number; control: number }> = {
  light: { theme: light, text: 4.5, control: 3 },
  dark: { theme: dark, text: 4.5, control: 3 },
  'light, high contrast': {
    theme: { ...light, ...rule(":root[data-theme='light'][data-contrast='more']") },
    text: 7,
    control: 4.5,
  },
  'dark, high contrast': {
    theme: { ...dark, ...rule(":root[data-theme='dark'][data-contrast='more']") },
    text: 7,
    control: 4.5,
  },
};

/** Relative luminance (WCAG 2.2) of an OKLCH colour, by Ottosson's matrices. */
function luminance(colour: string | undefined): number {
  const [l = 0, c = 0, h = 0] =
    /oklch\(([\d.]+) ([\d.]+) ([\d.]+)/
      .exec(colour ?? '')
      ?.slice(1)
      .map(Number) ?? [];
  const a = c * Math.cos((h * Math.PI) / 180);
  const b = c * Math.sin((h * Math.PI) / 180);
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const within = (value: number): number => Math.min(1, Math.max(0, value));
  const red = within(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short);
  const green = within(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short);
  const blue = within(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(theme: Theme, front: string, back: string): number {
  const [bright, dim] = [luminance(theme[front]), luminance(theme[back])].sort((one, two) => two - one);
  return ((bright ?? 0) + 0.05) / ((dim ?? 0) + 0.05);
}

const TEXTS: [front: string, backs: string[]][] = [
  ['text-1', ['surface-0', 'surface-1', 'surface-2', 'surface-3', 'float', 'own', 'bad-tint', 'warn-tint']],
  ['text-2', ['surface-0', 'surface-1', 'surface-2', 'surface-3', 'float', 'own']],
  ['text-3', ['surface-0', 'surface-1', 'surface-2', 'float', 'own']],
  ['accent', ['surface-0', 'surface-1', 'surface-2', 'float', 'own']],
  ['good', ['surface-0', 'surface-1']],
  ['warn', ['surface-0', 'float']],
  ['bad', ['surface-0', 'surface-1', 'surface-2', 'float', 'own', 'bad-tint']],
  ['on-accent', ['accent', 'accent-strong']],
  ['on-bad', ['bad', 'bad-strong']],
];
const CONTROLS: [front: string, backs: string[]][] = [
  ['control', ['surface-0', 'float']],
  ['accent', ['surface-0', 'surface-1', 'surface-2', 'surface-3', 'float']],
];

describe.each(Object.entries(themes))('%s', (_name, { theme, text, control }) => {
  const pairs = (list: typeof TEXTS): [string, string][] =>
    list.flatMap(([front, backs]) => backs.map((back): [string, string] => [front, back]));

  it.each(pairs(TEXTS))('text %s can be read on %s', (front, back) => {
    expect(contrast(theme, front, back)).toBeGreaterThanOrEqual(text);
  });

  it.each(pairs(CONTROLS))('the border %s can be seen on %s', (front, back) => {
    expect(contrast(theme, front, back)).toBeGreaterThanOrEqual(control);
  });
});

describe('the stage of a call', () => {
  const stage = rule(':root');
  it.each([
    ['stage-text', 'stage'],
    ['stage-text', 'stage-2'],
    ['stage-text', 'stage-bad'],
    ['stage-text-2', 'stage'],
    ['stage-text-2', 'stage-1'],
    ['stage', 'stage-warn'],
    ['stage', 'stage-text'],
  ])('text %s can be read on %s', (front, back) => {
    expect(contrast(stage, front, back)).toBeGreaterThanOrEqual(4.5);
  });
});

it('measures black on white as 21', () => {
  expect(contrast({ ink: 'oklch(0 0 0)', paper: 'oklch(1 0 0)' }, 'ink', 'paper')).toBeCloseTo(21, 1);
});
