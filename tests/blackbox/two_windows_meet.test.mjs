// The built app, two real windows on a display: accept the offer, write, ring, answer, see each other, hang up.
// With PARLEY_ENGINE=agora the call goes over Agora's interface: AGORA_SDK_DIR names a library, the server finds an App
// ID and its certificate, and what has nothing to do with the engine is not tried again.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { Desktop } from '../lib/desktop.mjs';
import { bestMatch, difference, framesOf } from '../lib/pictures.mjs';
import { Server } from '../lib/server.mjs';
import { Window } from '../lib/webdriver.mjs';

const APP = process.env.PARLEY_APP;
const ENGINE = process.env.PARLEY_ENGINE ?? 'direct';
/** What each side sends; different clips, so that the own picture is never taken for the other's. */
const CLIPS = { client: process.env.PARLEY_CLIENT_CLIP, provider: process.env.PARLEY_PROVIDER_CLIP };
/** Of the screenshots' names. */
const PREFIX = ENGINE === 'direct' ? '' : `${ENGINE}-`;
const PASSWORD = 'parley-demo';
/** Where each window lies on the display: two sizes that the design is made for. */
const PLACES = {
  client: { x: 0, y: 0, width: 1600, height: 1000 },
  provider: { x: 1620, y: 0, width: 1024, height: 700 },
};
const DISPLAY = { width: 2700, height: 1040 };
const GRID = { columns: 160, rows: 90 };
/** Pictures of the other clip correlate below 0.6; the same picture after coding and scaling above 0.95. */
const SAME_PICTURE = 0.9;

let desktop, server, client, provider;

async function open(profile, signIn) {
  const { x, y, width, height } = PLACES[profile];
  const args = ['--profile', profile, '--server', server.base, '--data-dir', join(desktop.home, profile), '--place', `${x},${y},${width},${height}`, '--quit-on-close'];
  if (CLIPS[profile]) args.push('--clip', CLIPS[profile]);
  if (signIn) {
    const password = join(desktop.home, 'password');
    writeFileSync(password, PASSWORD, { mode: 0o600 });
    args.push('--sign-in', signIn, '--password-file', password);
  }
  return Window.open(await desktop.driver(profile), APP, args);
}

const geometry = ({ x, y, width, height }) => `${width}x${height}+${x}+${y}`;

/** Both windows, both looks, kept for a person. */
async function shootBoth(name) {
  for (const look of ['light', 'dark']) {
    for (const window of [client, provider]) {
      await window.script('document.documentElement.dataset.theme = arguments[0]', look);
    }
    await pause(400);
    for (const [profile, place] of Object.entries(PLACES)) {
      desktop.shoot(`${PREFIX}${name}-${profile}-${place.width}x${place.height}-${look}`, geometry(place));
    }
  }
  for (const window of [client, provider]) await window.script('document.documentElement.dataset.theme = "light"');
}

let broken = false;

/** Each step stands on the one before it: after a failure the rest is skipped, and a picture shows what was there. */
function step(name, work) {
  test(name, async (context) => {
    if (broken) return context.skip('an earlier step failed');
    try {
      await work();
    } catch (error) {
      broken = true;
      desktop?.shoot(`${PREFIX}failed`);
      throw error;
    }
  });
}

/** Has nothing to do with the engine. */
const stepOnce = ENGINE === 'direct' ? step : () => {};

before(async () => {
  assert.ok(APP, 'PARLEY_APP must name the built app');
  desktop = await Desktop.open(DISPLAY.width, DISPLAY.height, ENGINE === 'agora' ? /^(AGORA_SDK_DIR|PARLEY_STANDIN_)/ : undefined);
  server = await Server.start({ seed: 'demo' });
});

after(async () => {
  for (const window of [client, provider]) await window?.close().catch(() => {});
  await desktop?.close();
  await server?.dispose();
});

stepOnce('the client signs in with the form, the provider is signed in at start', async () => {
  client = await open('client');
  provider = await open('provider', 'provider@demo.test');
  await client.type(await client.byId('sign-in-email'), 'client@demo.test');
  await client.type(await client.byId('sign-in-password'), 'not the password');
  await client.click(await client.byId('sign-in-submit'));
  await client.find('form [role=alert]');
  await client.script('document.querySelector("[data-testid=sign-in-password]").select()');
  await client.type(await client.byId('sign-in-password'), PASSWORD);
  desktop.shoot('1-sign-in', geometry(PLACES.client));
  await client.click(await client.byId('sign-in-submit'));
  for (const window of [client, provider]) await window.byId('project-row');
});

stepOnce('a project in hand shows its conversation beside the locked terms', async () => {
  for (const window of [client, provider]) {
    await window.click(await window.byId('project-row', { text: 'Brand and booking' }));
    await window.until(async () => (await window.elements('[data-testid="message"]')).length >= 5, 'the history');
  }
  await client.byId('agreement', { text: 'Locked' });
  await provider.byId('agreement-chips');
  await client.script('document.activeElement.blur()');
  await shootBoth('2-project');
});

stepOnce('the client reads the offer back and accepts it', async () => {
  await client.click(await client.byId('offer-row'));
  await client.byId('offer-accept');
  await shootBoth('3-offer');
  await client.click(await client.byId('offer-accept'));
  await client.click(await client.byId('offer-confirm'));
  await client.byId('agreement');
  await client.gone('[data-testid="offer-accept"]');
  await client.byId('composer');
});

stepOnce('messages go both ways and are seen to be read', async () => {
  const title = await client.script('return document.querySelector("[data-testid=project-title]").textContent.trim()');
  await provider.click(await provider.byId('project-row', { text: title }));
  await client.type(await client.byId('composer'), 'Good to have you on board. Shall we talk it through?\uE007');
  await provider.byId('message', { text: 'Good to have you on board.' });
  await provider.type(await provider.byId('composer'), 'Gladly. I am free now.\uE007');
  await client.byId('message', { text: 'Gladly. I am free now.' });
  await client.find('[data-testid="message"][data-delivery="read"]', { text: 'Good to have you on board.' });
  await shootBoth('4-conversation');
});

stepOnce('what is written while the server is gone is sent when it is back, once', async () => {
  await server.end('SIGKILL');
  await client.find('[data-testid="connection-state"]:not([data-state="connected"])');
  const words = 'Written while nobody was there.';
  await client.type(await client.byId('composer'), `${words}\uE007`);
  await client.find('[data-testid="message"][data-delivery="sending"]', { text: words });
  await server.launch();
  await provider.byId('message', { text: words });
  await client.find('[data-testid="message"]:is([data-delivery="sent"], [data-delivery="read"])', { text: words });
  await client.find('[data-testid="connection-state"][data-state="connected"]');
  for (const window of [client, provider]) {
    const times = await window.script(
      'return [...document.querySelectorAll("[data-testid=message]")].filter((one) => one.textContent.includes(arguments[0])).length',
      words,
    );
    assert.equal(times, 1);
  }
});

if (ENGINE !== 'direct') {
  step('both are signed in at start and look at their project', async () => {
    client = await open('client', 'client@demo.test');
    provider = await open('provider', 'provider@demo.test');
    for (const window of [client, provider]) await window.click(await window.byId('project-row', { text: 'Brand and booking' }));
    await client.find('[data-testid="connection-state"][data-state="connected"]');
  });
}

if (!CLIPS.client || !CLIPS.provider) {
  step('who has no clip chooses the moving card, as a person without a camera would', async () => {
    for (const [profile, window] of Object.entries({ client, provider })) {
      if (CLIPS[profile]) continue;
      const project = await window.script('return location.hash');
      await window.script('location.hash = "#/settings"');
      await window.byId('device-camera');
      const choose = `const camera = document.querySelector('[data-testid="device-camera"]');
        camera.value = 'card'; camera.dispatchEvent(new Event('change', { bubbles: true })); return camera.value`;
      // The devices are looked for first.
      await window.until(async () => (await window.script(choose)) === 'card', `${profile}: the card among the cameras`);
      await window.script('location.hash = arguments[0]', project);
      await window.byId('call-start');
    }
  });
}

step('the call rings in a window of its own and is answered with a key', async () => {
  await client.click(await client.byId('call-start'));
  const ring = await desktop.windowOf('incoming call', 20_000);
  assert.ok(ring, 'a window rings');
  await provider.inOther(() => provider.byId('ring-accept-video'));
  // It is deaf at first, so that a key meant for another window answers nothing.
  await pause(1000);
  desktop.shoot(`${PREFIX}5-ring`);
  desktop.shoot(`${PREFIX}5-ring-alone`, geometry(desktop.placeOf(ring)));
  desktop.press(ring, 'Return');
  for (const window of [client, provider]) await window.byId('call-remote');
});

step('both say what carries the call', async () => {
  for (const window of [client, provider]) await window.find(`[data-testid="call-quality"][data-engine="${ENGINE}"]`);
});

step('each sees the other: the pixels on the display change and are those of the clip', async () => {
  for (const [profile, window] of Object.entries({ client, provider })) {
    const sent = CLIPS[profile === 'client' ? 'provider' : 'client'];
    const frames = sent ? framesOf(sent) : null;
    const inside = await window.place(await window.byId('call-remote'));
    const place = { ...inside, x: inside.x + PLACES[profile].x, y: inside.y + PLACES[profile].y };
    const look = () => desktop.grey(place, GRID.columns, GRID.rows);
    const matches = (grey) => bestMatch(grey, GRID.columns, GRID.rows, place, frames);
    let first = look();
    if (frames) {
      await window.until(() => matches((first = look())).correlation >= SAME_PICTURE, `${profile}: a picture of the clip`, 30_000);
    } else {
      const dark = look();
      await window.until(() => difference((first = look()), dark) > 1, `${profile}: a picture that moves`, 30_000);
    }
    const seen = [];
    const shown = [first];
    for (let time = 0; time < 5; time += 1) {
      await pause(700);
      shown.push(look());
      if (frames) {
        const match = matches(shown.at(-1));
        assert.ok(match.correlation >= SAME_PICTURE, `${profile} shows something else: ${JSON.stringify(match)}`);
        seen.push(match.frame);
      }
    }
    const changes = shown.slice(1).map((picture, index) => difference(picture, shown[index]));
    console.log(`${profile}: frames ${seen.join(', ')} of the clip, change ${changes.map((change) => change.toFixed(1)).join(', ')}`);
    assert.ok(changes.filter((change) => change > 0.2).length >= 4, `${profile}: the picture stands still: ${changes}`);
    if (frames) assert.ok(new Set(seen).size >= 4, `${profile}: always the same frame ${seen}`);
  }
  await shootBoth('6-call');
});

step('hanging up ends it on both sides and leaves a line in the conversation', async () => {
  await client.script('window.dispatchEvent(new MouseEvent("mousemove"))');
  await client.click(await client.byId('call-leave'));
  for (const window of [client, provider]) {
    await window.gone('[data-testid="call-remote"]');
    await window.byId('call-line');
  }
  await shootBoth('7-after');
});

stepOnce('an app that is opened again is still signed in and has the conversation at once', async () => {
  await client.close();
  client = await open('client');
  await client.click(await client.byId('project-row', { text: 'Measured drawings' }));
  await client.byId('message', { text: 'Gladly. I am free now.' });
  assert.equal((await client.elements('[data-testid="sign-in-email"]')).length, 0);
});

step('closing the windows leaves no process', async () => {
  for (const window of [client, provider]) await window.close();
  [client, provider] = [undefined, undefined];
  const running = () => spawnSync('pgrep', ['-f', desktop.home], { encoding: 'utf8' }).stdout.trim();
  const deadline = Date.now() + 10_000;
  while (running() && Date.now() < deadline) await pause(200);
  assert.equal(running(), '', 'processes of the app are left');
  mkdirSync(desktop.logs, { recursive: true });
});
