import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onPage } from './page.mjs';

test('an offer is accepted only after its terms were read back', () =>
  onPage('desk', '/', async (page) => {
    await page.getByTestId('offer-row').click();
    await page.getByTestId('offer-accept').click();
    const dialog = page.getByRole('dialog');
    for (const term of ['£1,420', 'Ines Okafor', 'Twenty-two pictures']) {
      assert.ok((await dialog.innerText()).includes(term), term);
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await page.getByTestId('offer-row').count(), 1);
    await page.getByTestId('offer-accept').click();
    await page.getByTestId('offer-confirm').dispatchEvent('click', { detail: 2 });
    await page.waitForTimeout(300);
    assert.equal(await page.getByTestId('offer-row').count(), 1, 'half a double click agrees to nothing');
    await page.getByTestId('offer-confirm').click();
    await page.getByTestId('project-title').filter({ hasText: 'Photographs' }).waitFor();
    assert.equal(await page.getByTestId('offer-row').count(), 0);
    assert.match(await page.getByTestId('agreement').innerText(), /£1,420/);
  }));

test('a ring is answered, pictures flow and change, and the call leaves a line', () =>
  onPage('ring', '/', async (page) => {
    await page.getByTestId('ring-accept-video').click();
    await page.getByTestId('call-view').waitFor();
    await page.getByTestId('ring').waitFor({ state: 'detached' });
    const canvas = page.getByTestId('call-remote');
    const frames = () => canvas.evaluate((element) => Number(element.dataset.frames));
    await page.waitForFunction(() => Number(document.querySelector('[data-testid=call-remote]')?.dataset.frames) > 5);
    const [count, picture] = [await frames(), await canvas.screenshot()];
    await page.waitForTimeout(700);
    assert.ok((await frames()) > count + 5, 'pictures keep coming');
    assert.ok(!picture.equals(await canvas.screenshot()), 'the picture changes');
    await page.waitForFunction(() => Number(document.querySelector('[data-testid=call-local]')?.dataset.frames) > 5);
    assert.match(await page.getByTestId('call-duration').innerText(), /^00:0\d$/);

    await page.getByTestId('call-mute').click();
    await page.locator('[data-testid=call-mute][data-face=off]').waitFor();
    await page.getByTestId('call-leave').click();
    await page.getByTestId('after-call').waitFor();
    await page.getByTestId('call-line').last().waitFor();
  }));

test('another project can be looked at during a call, and the way back is there', () =>
  onPage('call', '/project/project-signs', async (page) => {
    await page.getByTestId('call-view').waitFor();
    await page.locator('[data-project-id=project-booking]').click();
    await page.getByTestId('running-call').waitFor();
    await page.waitForTimeout(2200);
    assert.match(await page.getByTestId('project-title').innerText(), /Booking/);
    const signs = page.locator('[data-project-id=project-signs]');
    assert.equal(await signs.getAttribute('data-unread'), '2', 'what was not shown is not read');
    await page.getByTestId('running-call').getByRole('button', { name: 'Return' }).click();
    await page.getByTestId('call-view').waitFor();
  }));

test('the controls fade from a still hand and never from a keyboard', () =>
  onPage('call', '/project/project-signs', async (page) => {
    const opacity = () =>
      page.getByTestId('call-leave').evaluate((leave) => Number(getComputedStyle(leave.closest('.controls')).opacity));
    await page.mouse.move(700, 300);
    await page.waitForTimeout(3500);
    assert.equal(await opacity(), 0);
    await page.mouse.move(710, 310);
    await page.waitForTimeout(300);
    assert.equal(await opacity(), 1);
    await page.keyboard.press('Tab');
    await page.waitForTimeout(3500);
    assert.equal(await opacity(), 1);
  }));

test('the own picture goes to the corner that the arrow keys name', () =>
  onPage('call', '/project/project-signs', async (page) => {
    const preview = page.getByRole('button', { name: /Your own picture/ });
    await preview.focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowLeft');
    const stage = await page.getByTestId('call-view').boundingBox();
    const box = await preview.boundingBox();
    assert.ok(box.x - stage.x < 40 && box.y - stage.y < 80);
    assert.deepEqual([box.width, box.height], [208, 117]);
  }));

test('a call that was on and lost its line is not said to have never begun', () =>
  onPage('broken-off', '/project/project-signs', async (page) => {
    const card = page.getByTestId('after-call');
    await card.waitFor();
    assert.match(await card.innerText(), /broke off[^]*did not come back[^]*Call again/);
  }));
