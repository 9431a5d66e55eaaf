import { readdirSync } from 'node:fs';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** Imports go views → components/<domain> → components/shared, and → lib/<domain> → lib/backend; never back. */
function layer(files, forbidden, except = []) {
  return {
    files,
    ignores: except,
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: forbidden.map(([group, message]) => ({ group, message, allowTypeImports: false })) },
      ],
    },
  };
}

const TAURI = [['@tauri-apps/*'], 'Only lib/backend/tauri.ts speaks to Tauri.'];
const VIEWS = [['**/views/**'], 'Views are on top; nothing below uses them.'];
const COMPONENTS = [['**/components/**'], 'The lib has no markup and uses no component.'];
const foldersIn = (place, except) =>
  readdirSync(new URL(place, import.meta.url)).filter((name) => !name.includes('.') && !except.includes(name));
const DOMAINS = foldersIn('./src/components', ['shared']).map((name) => `**/components/${name}/**`);
const ABOVE_BACKEND = foldersIn('./src/lib', ['backend', 'generated']);

export default ts.config(
  { ignores: ['dist', 'node_modules', 'out', 'src/lib/generated'] },
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  {
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'no-eval': 'error',
      'svelte/no-at-html-tags': 'error',
      'svelte/no-navigation-without-resolve': 'off',
      'svelte/prefer-svelte-reactivity': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    },
  },
  layer(['src/**/*.{ts,svelte}'], [TAURI], ['src/lib/**', 'src/components/**', 'src/views/**']),
  layer(['src/views/**'], [TAURI]),
  layer(['src/components/**'], [TAURI, VIEWS], ['src/components/shared/**']),
  layer(['src/components/shared/**'], [TAURI, VIEWS, [DOMAINS, 'Shared components know no domain.']]),
  layer(['src/lib/**'], [TAURI, VIEWS, COMPONENTS], ['src/lib/backend/**']),
  layer(
    ['src/lib/backend/**'],
    [
      TAURI,
      VIEWS,
      COMPONENTS,
      [
        ABOVE_BACKEND.flatMap((name) => [`**/lib/${name}/**`, `../${name}/**`, `../../${name}/**`]),
        'The backend is at the bottom.',
      ],
    ],
    ['src/lib/backend/tauri.ts'],
  ),
  { files: ['tools/**', 'browser/**', '*.config.*'], rules: { 'no-console': 'off' } },
);
