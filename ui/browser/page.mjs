// One browser for a file of tests; each test gets a page of its own in a scene of the demonstration.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { openBrowser, serveDist } from '../tools/serve.mjs';

let browser;
let served;

before(async () => {
  served = await serveDist();
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  served?.close();
});

/** Opens a scene, does something with it, and fails on any error or foreign request that the page made. */
export async function onPage(scene, hash, act, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(served.origin) && !url.startsWith('data:')) wrong.push(`asked for ${url}`);
  });
  try {
    await page.goto(`${served.origin}/index.html?scene=${scene}#${hash}`);
    await act(page);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}
