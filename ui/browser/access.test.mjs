import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onPage } from './page.mjs';

const SCREENS = [
  ['signed-out', '/'],
  ['desk', '/'],
  ['desk', '/project/project-signs'],
  ['desk', '/project/project-handbook'],
  ['desk', '/offer/proposal-products'],
  ['desk', '/settings'],
  ['library', '/settings'],
  ['library-old', '/settings'],
  ['library-broken', '/settings'],
  ['engine-missing', '/project/project-signs'],
  ['failing', '/project/project-signs'],
  ['offline', '/project/project-signs'],
  ['empty', '/'],
  ['call', '/project/project-signs'],
  ['ring', '/ring'],
];

for (const [scene, hash] of SCREENS) {
  test(`every control of ${scene} at ${hash} has a name and fits into a small window`, () =>
    onPage(
      scene,
      hash,
      async (page) => {
        await page.locator('main').first().waitFor();
        await page.waitForTimeout(400);
        const nameless = await page.evaluate(() =>
          [...document.querySelectorAll('button, a, input, select, textarea, [role=img], [role=separator][tabindex]')]
            .filter((control) => {
              const label = control.labels?.[0]?.textContent ?? '';
              const name = control.getAttribute('aria-label') ?? '';
              return `${name}${label}${control.textContent}`.trim() === '';
            })
            .map((control) => control.outerHTML.slice(0, 120)),
        );
        assert.deepEqual(nameless, []);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${wide} px too wide`);
      },
      { viewport: hash === '/ring' ? { width: 380, height: 232 } : { width: 480, height: 600 } },
    ));
}

test('everything can be reached with the keyboard, and the focus is seen', () =>
  onPage('desk', '/', async (page) => {
    const reached = new Set();
    for (let step = 0; step < 14; step += 1) {
      await page.keyboard.press('Tab');
      const focus = await page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
        const near = document.activeElement.closest('[data-testid], a, button, input');
        const seen = outlineStyle !== 'none' && outlineWidth !== '0px';
        return { what: near?.dataset.testid ?? near?.getAttribute('href') ?? '', seen };
      });
      reached.add(focus.what);
      if (!['project-search', ''].includes(focus.what)) assert.ok(focus.seen, `focus of ${focus.what} is seen`);
    }
    for (const what of ['project-search', 'offer-row', 'project-row', '#/settings']) assert.ok(reached.has(what), what);
  }));

test('arrow keys go through the list, Enter opens, and writing can begin', () =>
  onPage('desk', '/', async (page) => {
    await page.getByTestId('offer-row').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByTestId('composer').waitFor();
    await page.keyboard.type('at once');
    assert.equal(await page.getByTestId('composer').inputValue(), 'at once');
  }));

test('signing out asks first, and the keyboard goes on where it asks', () =>
  onPage('desk', '/settings', async (page) => {
    await page.getByTestId('sign-out').focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-testid=sign-out-stay]:focus').waitFor();
    await page.keyboard.press('Enter');
    await page.locator('[data-testid=sign-out]:focus').waitFor();
  }));

test('the ring’s window answers to Escape, but not to a key that was meant for another window', () =>
  onPage('ring', '/ring', async (page) => {
    await page.getByTestId('ring').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForTimeout(800);
    assert.equal(await page.getByTestId('ring').count(), 1);
    await page.keyboard.press('Escape');
    await page.getByTestId('ring').waitFor({ state: 'detached' });
  }));

test('nothing moves with reduced motion', () =>
  onPage(
    'desk',
    '/offer/proposal-products',
    async (page) => {
      await page.getByTestId('offer-accept').click();
      const running = await page.evaluate(
        () => document.getAnimations().filter((each) => each.playState === 'running').length,
      );
      assert.equal(running, 0);
    },
    { reducedMotion: 'reduce' },
  ));
