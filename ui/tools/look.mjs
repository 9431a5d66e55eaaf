// Pictures of every screen, for a person to look at: `npm run build && npm run look [out-dir] [name…]`.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openBrowser, serveDist } from './serve.mjs';

const SIZES = { small: [1024, 700], large: [1600, 1000] };
const [out = new URL('../out/', import.meta.url).pathname, ...only] = process.argv.slice(2);

/** Name, scene of the demonstration, address behind `#`, and what a person does first. */
const SHOTS = [
  ['sign-in', 'signed-out', '/'],
  ['sign-in-error', 'signed-out', '/', signInWrongly],
  ['list', 'desk', '/'],
  ['conversation', 'desk', '/project/project-signs'],
  ['scrolled', 'desk', '/project/project-signs', scrollUp],
  ['sheet', 'desk', '/project/project-signs', openSheet],
  ['long-names', 'desk', '/project/project-handbook'],
  ['arabic', 'desk', '/project/project-report'],
  ['past', 'desk', '/project/project-stall'],
  ['offer', 'desk', '/offer/proposal-products'],
  ['read-back', 'desk', '/offer/proposal-products', (page) => page.getByTestId('offer-accept').click()],
  ['offer-refused', 'failing', '/offer/proposal-products', acceptOffer],
  ['own-offer', 'provider', '/offer/proposal-products'],
  ['ring-here', 'ring', '/project/project-booking'],
  ['calling', 'calling', '/project/project-signs'],
  ['call', 'call', '/project/project-signs'],
  ['call-chat', 'call', '/project/project-signs', (page) => page.getByTestId('call-chat').click()],
  ['call-no-devices', 'no-devices', '/project/project-signs'],
  ['call-reconnecting', 'reconnecting', '/project/project-signs'],
  ['after-call', 'call', '/project/project-signs', leaveCall],
  ['empty', 'empty', '/'],
  ['loading', 'new', '/'],
  ['failed', 'failing', '/project/project-signs'],
  ['offline', 'offline', '/project/project-signs'],
  ['settings', 'desk', '/settings'],
  ['library-missing', 'desk', '/settings', seeLibrary],
  ['library-installed', 'library', '/settings', removeLibrary],
  ['library-refused', 'library-old', '/settings', seeLibrary],
  ['library-download-refused', 'failing', '/settings', installLibrary],
  ['library-named', 'library-named', '/settings', seeLibrary],
  ['library-nowhere', 'library-nowhere', '/settings', seeLibrary],
  ['library-restart', 'library-restart', '/settings', seeLibrary],
  [
    'library-looking',
    'library-hanging',
    '/settings',
    (page) => page.getByTestId('library-looking').scrollIntoViewIfNeeded(),
  ],
  [
    'library-broken',
    'library-broken',
    '/settings',
    (page) => page.getByTestId('library-again').scrollIntoViewIfNeeded(),
  ],
  ['engine-missing', 'engine-missing', '/project/project-signs'],
];
const RINGS = [
  ['ring', 'ring', '/ring'],
  ['ring-cant', 'ring', '/ring', (page) => page.getByTestId('ring-cant-now').click()],
];

async function signInWrongly(page) {
  await page.getByTestId('sign-in-email').fill('helena@marsh.example');
  await page.getByTestId('sign-in-password').fill('wrong');
  await page.getByTestId('sign-in-submit').click();
}
async function scrollUp(page) {
  await page.getByRole('log').evaluate((log) => log.scrollTo({ top: 1500 }));
}
async function openSheet(page) {
  const chips = page.getByTestId('agreement-chips').getByRole('button').first();
  if (await chips.isVisible()) await chips.click();
}
async function acceptOffer(page) {
  await page.getByTestId('offer-accept').click();
  await page.getByTestId('offer-confirm').click();
}
async function leaveCall(page) {
  await page.waitForTimeout(6500);
  await page.mouse.move(500, 400);
  await page.getByTestId('call-leave').click();
}

async function seeLibrary(page) {
  await page.getByTestId('library-page').scrollIntoViewIfNeeded();
}
async function removeLibrary(page) {
  await page.getByTestId('library-remove').click();
  await seeLibrary(page);
}
async function installLibrary(page) {
  await page.getByTestId('library-zip').click();
  await page.getByTestId('library-error').waitFor();
  await seeLibrary(page);
}

async function shoot(browser, origin, [name, scene, hash, act], [size, [width, height]], theme) {
  const dark = theme.startsWith('dark');
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    contrast: theme.endsWith('more') ? 'more' : 'no-preference',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  page.on('console', (message) => message.type() === 'error' && console.log(`${name}: ${message.text()}`));
  page.on('pageerror', (error) => console.log(`${name}: ${error.message}`));
  await page.goto(`${origin}/index.html?scene=${scene}#${hash}`);
  await page.waitForTimeout(700);
  if (act) await act(page);
  await page.waitForTimeout(600);
  await page.screenshot({ path: join(out, `${name}-${size}-${theme}.png`) });
  await context.close();
}

const { origin, close } = await serveDist();
await mkdir(out, { recursive: true });
const browser = await openBrowser();
const wanted = ([name]) => only.length === 0 || only.includes(name);
const themes = (process.env.THEMES ?? 'light,dark').split(',');
const sizes = Object.entries(SIZES).filter(([size]) => (process.env.SIZES ?? 'small,large').split(',').includes(size));
for (const theme of themes) {
  for (const shot of SHOTS.filter(wanted)) for (const size of sizes) await shoot(browser, origin, shot, size, theme);
  for (const shot of RINGS.filter(wanted)) await shoot(browser, origin, shot, ['window', [380, 232]], theme);
}
await browser.close();
close();
