import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onPage } from './page.mjs';

const SIGNS = '/project/project-signs';

test('history that loads while scrolling moves nothing that is read', () =>
  onPage('desk', SIGNS, async (page) => {
    await page.getByTestId('message').last().waitFor();
    const moved = await page.getByRole('log').evaluate(async (log) => {
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const count = () => log.querySelectorAll('[data-key]').length;
      const jumps = [];
      for (let round = 0; round < 3; round += 1) {
        const before = count();
        log.scrollTop = 500;
        await frame();
        const line = [...log.querySelectorAll('[data-key]')].find((each) => each.getBoundingClientRect().top > 150);
        const top = line.getBoundingClientRect().top;
        for (let wait = 0; wait < 120 && count() === before; wait += 1) await frame();
        await frame();
        await frame();
        const now = log.querySelector(`[data-key="${line.dataset.key}"]`);
        jumps.push({ more: count() - before, by: Math.abs(now.getBoundingClientRect().top - top) });
      }
      return jumps;
    });
    assert.ok(
      moved.some(({ more }) => more > 0),
      'older messages were loaded',
    );
    for (const { by } of moved) assert.ok(by <= 1, `moved by ${by} px`);
  }));

test('a message goes out with Enter and is sent and read', () =>
  onPage('desk', SIGNS, async (page) => {
    const composer = page.getByTestId('composer');
    await composer.fill('first line');
    await composer.press('Shift+Enter');
    await composer.pressSequentially('second line');
    await composer.press('Enter');
    const sent = page.getByTestId('message').filter({ hasText: 'second line' });
    await sent.waitFor();
    assert.equal(await composer.inputValue(), '');
    assert.match(await sent.innerText(), /first line\s+second line/);
    await page.locator('[data-testid=message][data-delivery=read]', { hasText: 'second line' }).waitFor();
    await page.getByTestId('typing').filter({ hasText: 'is writing' }).waitFor();
    await page.getByTestId('typing').filter({ hasNotText: 'is writing' }).waitFor();
  }));

test('a refused message stays and can be retried', () =>
  onPage('desk', SIGNS, async (page) => {
    await page.getByTestId('composer').fill('please /fail');
    await page.getByTestId('send').click();
    await page.getByTestId('message-retry').click();
    await page.locator('[data-testid=message][data-delivery=sent]', { hasText: 'please' }).waitFor();
  }));

test('the composer grows to eight lines and no further', () =>
  onPage('desk', SIGNS, async (page) => {
    const composer = page.getByTestId('composer');
    const height = () => composer.evaluate((area) => area.clientHeight);
    const one = await height();
    await composer.fill(Array(5).fill('line').join('\n'));
    const five = await height();
    await composer.fill(Array(30).fill('line').join('\n'));
    const thirty = await height();
    assert.equal(five, one + 4 * 20);
    assert.equal(thirty, one + 7 * 20);
  }));

test('what people write is text and never markup', () =>
  onPage('desk', SIGNS, async (page) => {
    const text = '<img src=x onerror="document.title=1"> <b>bold</b> &amp; {@html}';
    await page.getByTestId('composer').fill(text);
    await page.getByTestId('send').click();
    const sent = page.getByTestId('message').filter({ hasText: 'onerror' });
    await sent.waitFor();
    assert.ok((await sent.innerText()).includes(text));
    assert.equal(await sent.locator('img, b').count(), 0);
  }));

test('new messages wait below while older ones are read', () =>
  onPage('desk', SIGNS, async (page) => {
    await page.getByTestId('composer').fill('a question');
    await page.getByTestId('send').click();
    await page.locator('[data-testid=message][data-delivery=sent]', { hasText: 'a question' }).waitFor();
    await page.getByRole('log').evaluate((log) => log.scrollTo({ top: log.scrollHeight - log.clientHeight - 600 }));
    await page.getByTestId('new-below').filter({ hasText: '1 new' }).click();
    await page.getByTestId('new-below').waitFor({ state: 'detached' });
  }));
