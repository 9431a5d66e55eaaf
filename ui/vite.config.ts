import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** What the built page may load and reach: itself, the app core and the loopback socket of the pictures. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "connect-src 'self' ipc: http://ipc.localhost ws://127.0.0.1:*",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The development server injects styles and a reload socket, so the policy stands in the built page only. */
function contentPolicy(): Plugin {
  return {
    name: 'content-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

export default defineConfig({
  base: './',
  plugins: [svelte(), contentPolicy()],
  build: { target: 'safari16.4', assetsInlineLimit: 0, sourcemap: false, modulePreload: { polyfill: false } },
  server: { port: 5173, strictPort: false },
  // Without this Vitest would take Svelte's server build, in which state doesn't react.
  ...(process.env['VITEST'] ? { resolve: { conditions: ['browser'] } } : {}),
  test: { environment: 'node', include: ['src/**/*.test.ts'], restoreMocks: true },
});
