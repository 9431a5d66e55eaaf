// The server is killed with SIGKILL at random moments under mixed load, again and again on the same data. After every
// restart SQLite's own checks pass, what was acknowledged is there once and whole, and everybody comes back and catches
// up. PARLEY_CRASH_SEED repeats a plan (the machine's timing still differs), PARLEY_CRASH_ROUNDS says how often.

import { after, before, test } from 'node:test';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { Server } from '../lib/server.mjs';
import { inspectLive, inspectRemains } from './database.mjs';
import { Load } from './load.mjs';
import { Random } from './random.mjs';
import { everybodyComesBack, everybodyHears, everythingIsThere } from './verdict.mjs';
import { World } from './world.mjs';

const SEED = Number(process.env.PARLEY_CRASH_SEED ?? Date.now() % 1_000_000_000);
const ROUNDS = Number(process.env.PARLEY_CRASH_ROUNDS ?? 5);
/** A round takes five seconds; one that takes so long hangs. */
const ROUND_WITHIN_MS = 300_000;

let server, world;
before(async () => {
  console.log(`PARLEY_CRASH_SEED=${SEED}, ${ROUNDS} rounds`);
  server = await Server.start();
  world = await World.make(server, SEED);
});
after(async () => {
  world?.close();
  await server?.dispose();
});

/** Early, while much begins, or late, when reminders are due; sometimes while it was told to end and tidies up. */
async function killAtSomeMoment(chance) {
  await pause(chance.chance(0.3) ? chance.between(5, 300) : chance.between(300, 3000));
  if (chance.chance(0.25)) {
    world.ledger.isEnding = true;
    server.child.kill('SIGTERM');
    await pause(chance.between(1, 250));
  }
  await server.end('SIGKILL');
}

async function round(number) {
  const chance = Random.for(SEED, number, 'the kill');
  const load = new Load(world, number);
  load.start();
  await killAtSomeMoment(chance);
  await load.stop();
  world.ledger.isEnding = false;
  if (load.failure) throw load.failure;
  inspectRemains(server.folder);
  // Again while the next start is under way.
  if (chance.chance(0.3)) {
    server.launch().catch(() => {});
    await pause(chance.between(5, 400));
    await server.end('SIGKILL');
    inspectRemains(server.folder);
  }
  await server.launch();
  const launched = performance.now();
  await everybodyComesBack(world);
  const back = performance.now() - launched;
  await everybodyHears(world, number);
  await everythingIsThere(world);
  inspectLive(server.folder);
  return { back, checked: performance.now() - launched - back };
}

function explain(error, number) {
  const { ledger } = world;
  const folder = join(process.env.PARLEY_OUT ?? server.folder, 'crash', `seed-${SEED}-round-${number}`);
  mkdirSync(folder, { recursive: true });
  cpSync(server.folder, join(folder, 'data'), { recursive: true });
  writeFileSync(join(folder, 'ledger.txt'), ledger.lines.join('\n'));
  const ids = error.message.match(/[0-9a-f]{8}-[0-9a-f-]{27}|(?:message|request|key|file)-\d+-\d+/g) ?? [];
  const about = ids.length ? ledger.about(...new Set(ids)) : ledger.lines.slice(-10);
  return new Error(
    `round ${number} of PARLEY_CRASH_SEED=${SEED}: ${error.message}\n  acknowledged about it:\n    ${about.join('\n    ')}\n  the data, the log and all that was acknowledged: ${folder}\n  the same plan again: PARLEY_CRASH_SEED=${SEED} PARLEY_CRASH_ROUNDS=${number} cargo xtask test --only crashes`,
    { cause: error },
  );
}

for (let number = 1; number <= ROUNDS; number += 1) {
  test(`crash ${number} of ${ROUNDS}`, { timeout: ROUND_WITHIN_MS }, async (context) => {
    if (world.isLost) return context.skip('an earlier round failed');
    const [before, unanswered] = [world.ledger.acknowledged, world.ledger.unanswered];
    let took;
    try {
      took = await round(number);
    } catch (error) {
      world.isLost = true;
      throw explain(error, number);
    }
    context.diagnostic(`${world.ledger.acknowledged - before} calls answered, ${world.ledger.unanswered - unanswered} not; everybody back after ${took.back.toFixed()} ms, everything looked at in ${took.checked.toFixed()} ms`);
  });
}
