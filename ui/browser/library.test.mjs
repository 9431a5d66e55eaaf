import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onPage } from './page.mjs';

test('a library is installed, shows its version, and is removed after a second word', () =>
  onPage('desk', '/settings', async (page) => {
    const status = page.getByTestId('library-status');
    await status.waitFor();
    assert.equal(await status.getAttribute('data-state'), 'missing');
    assert.equal(await page.getByTestId('library-remove').count(), 0, 'nothing to remove');
    await page.getByTestId('library-zip').click();
    await page.locator('[data-testid=library-status][data-state=fits]').waitFor();
    await page.getByText('4.4.32.174, build 28020').waitFor();
    await page.getByTestId('library-remove').click();
    assert.equal(await status.getAttribute('data-state'), 'fits', 'not yet');
    await page.getByTestId('library-remove-confirm').click();
    await page.locator('[data-testid=library-status][data-state=missing]').waitFor();
  }));

test('installing and removing with the keyboard never loses the focus', () =>
  onPage('desk', '/settings', async (page) => {
    const focused = (control) => page.locator(`[data-testid=${control}]:focus`).waitFor();
    await page.getByTestId('library-zip').focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-testid=library-status][data-state=fits]').waitFor();
    await focused('library-zip');
    await page.getByTestId('library-remove').focus();
    await page.keyboard.press('Enter');
    await focused('library-keep');
    await page.keyboard.press('Enter');
    await focused('library-remove');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await focused('library-remove-confirm');
    await page.keyboard.press('Enter');
    await page.locator('[data-testid=library-status][data-state=missing]').waitFor();
    await focused('library-zip');
  }));

test('what is looked at for long says so, and what can’t be looked at can be tried again', async () => {
  await onPage('library-hanging', '/settings', (page) => page.getByTestId('library-looking').waitFor());
  await onPage('library-broken', '/settings', async (page) => {
    await page.getByTestId('library-again').click();
    await page.getByTestId('library-status').waitFor();
    assert.equal(await page.getByTestId('library-error').count(), 0);
  });
});

test('a refused download says why and leaves everything as it was', () =>
  onPage('failing', '/settings', async (page) => {
    await page.getByTestId('library-zip').click();
    const error = page.getByTestId('library-error');
    await error.waitFor();
    assert.match(await error.innerText(), /Nothing was changed[^]*Windows on x86_64; needed is the one for Linux/);
    assert.equal(await page.getByTestId('library-status').getAttribute('data-state'), 'missing');
  }));

test('a folder that was named at the start can’t be changed in the window', () =>
  onPage('library-named', '/settings', async (page) => {
    await page.getByText('AGORA_SDK_DIR').waitFor();
    for (const control of ['library-zip', 'library-folder', 'library-remove']) {
      assert.equal(await page.getByTestId(control).count(), 0, control);
    }
  }));

test('a library that took the place of one in use says when it counts', () =>
  onPage('library-restart', '/settings', async (page) => {
    await page.getByText('4.4.32.174, build 28020').waitFor();
    assert.match(await page.getByTestId('library-restart').innerText(), /start it again/);
  }));

test('a named folder without a library says so', () =>
  onPage('library-nowhere', '/settings', async (page) => {
    const status = page.getByTestId('library-status');
    await status.waitFor();
    assert.match(await status.innerText(), /no library of Agora’s in the folder below/);
    await page.getByText('/opt/agora_sdk').waitFor();
  }));

test('a call that needs the library leads to where it is installed, and offers no second call', () =>
  onPage('engine-missing', '/project/project-signs', async (page) => {
    const card = page.getByTestId('after-call');
    await card.waitFor();
    assert.match(await card.innerText(), /Agora, whose library is missing/);
    assert.equal(await card.getByText('Call again').count(), 0);
    await page.getByTestId('after-call-library').click();
    await page.getByTestId('library-status').waitFor();
  }));
