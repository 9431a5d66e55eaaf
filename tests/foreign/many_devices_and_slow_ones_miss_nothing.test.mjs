// Many stock clients at once, several devices of one person, lines that break, readers that stand still: every message
// is once at each, in order.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { login, makeProject } from '../lib/api.mjs';
import { LineBetween } from '../lib/between.mjs';
import { Device } from '../lib/device.mjs';
import { Server } from '../lib/server.mjs';

const WAYS = [['websocket'], ['polling'], ['polling', 'websocket']];
/** More than one socket's queue on the server holds, whatever the kernel's buffers take besides. */
const TOO_MANY = 6_500;
const STILL_FOR_MS = 10_000;

let server;
before(async () => {
  server = await Server.start();
});
after(async () => server?.dispose());

/** The seqs that a device knows of a conversation, in order. */
function seqsAt(device, conversationId) {
  const mine = [...device.messages.values()].filter((one) => one.conversationId === conversationId);
  return mine.map((one) => one.seq).sort((one, other) => one - other);
}

const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1);

async function send(person, conversationId, count, { label = 'm', senders = 4, size = 10 } = {}) {
  let number = 0;
  const worker = async () => {
    while (number < count) {
      number += 1;
      const clientId = `${label}-${number}`;
      const body = { conversationId, clientId, content: `${clientId} ${'x'.repeat(size)}`, type: 'text' };
      await person.expect(201, 'POST', '/messages', body);
    }
  };
  await Promise.all(Array.from({ length: senders }, worker));
}

async function opened(context, devices) {
  context.after(() => devices.forEach((device) => device.close()));
  await Promise.all(devices.map((device) => device.open()));
  return devices;
}

test('two devices of one person and both ends of the line hear the same, in order', async (context) => {
  const { client, provider, conversation } = await makeProject(server);
  const devices = await opened(context, WAYS.flatMap((way) => [client, provider].map((person) => new Device(person, `${person.user.role} by ${way}`, way))));
  await Promise.all([send(client, conversation.id, 40, { label: 'client' }), send(provider, conversation.id, 40, { label: 'provider' })]);
  const { items } = await client.expect(200, 'GET', `/messages/conversation/${conversation.id}`);
  const last = items.at(-1);
  await provider.expect(200, 'PATCH', `/messages/conversation/${conversation.id}/read`, { upToMessageId: last.id });
  for (const device of devices) {
    await device.until(() => device.told === 80, 'told of 80 messages');
    assert.deepEqual(seqsAt(device, conversation.id), upTo(80), device.name);
    await device.until(() => device.reads.get(`${conversation.id}/${provider.id}`) === last.seq, 'told of the reading');
    assert.deepEqual([device.complaints, device.connects], [[], 1], device.name);
  }
});

for (const way of WAYS) {
  test(`a line over ${way} that breaks again and again is mended by the client itself`, async (context) => {
    const { client, provider, conversation } = await makeProject(server);
    const line = await LineBetween.to(server);
    context.after(() => line.close());
    const device = new Device(provider, `behind a bad line over ${way}`, way, line.base);
    context.after(() => device.close());
    await device.open();
    const sending = send(client, conversation.id, 150, { senders: 2 });
    for (let times = 1; times <= 3; times += 1) {
      await device.until(() => device.messages.size >= times * 20, `told of ${times * 20} messages`);
      const { connects, disconnects } = device;
      // Between two polls there is nothing to break; and once it has noticed, it is let in again.
      const breaking = setInterval(() => device.disconnects === disconnects && line.break(), 10);
      await device.until(() => device.connects > connects, 'connected again').finally(() => clearInterval(breaking));
    }
    await sending;
    await device.until(() => device.messages.size === 150, 'told of all messages');
    assert.deepEqual(seqsAt(device, conversation.id), upTo(150));
    assert.deepEqual(device.complaints, []);
  });
}

test('two hundred clients at once have each message once, in order', async (context) => {
  const [PAIRS, DEVICES, MESSAGES] = [20, 5, 10];
  const seeded = JSON.parse(server.command('seed', 'bench', '--pairs', String(PAIRS)));
  const people = await Promise.all(seeded.users.map(({ email, password }) => login(server.base, email, password)));
  const devices = await opened(context, people.flatMap((person, index) =>
    upTo(DEVICES).map((number) => new Device(person, `${index}/${number}`, WAYS[(index + number) % WAYS.length]))));
  assert.equal(devices.length, 200);
  const begun = await Promise.all(seeded.conversations.map(async (id, index) => (await people[2 * index].expect(200, 'GET', `/messages/conversation/${id}?limit=1`)).items[0]?.seq ?? 0));
  await Promise.all(seeded.conversations.flatMap((id, index) => [0, 1].map((side) => send(people[2 * index + side], id, MESSAGES, { label: `crowd-${side}`, senders: 2 }))));
  for (const device of devices) {
    const pair = Math.floor(people.indexOf(device.person) / 2);
    await device.until(() => device.told === 2 * MESSAGES, `told of ${2 * MESSAGES} messages`);
    assert.deepEqual(seqsAt(device, seeded.conversations[pair]), upTo(2 * MESSAGES).map((seq) => seq + begun[pair]), device.name);
    assert.deepEqual([device.complaints, device.connects], [[], 1], device.name);
  }
});

describe('readers that stand still for ten seconds under load', () => {
  let client, provider, conversation, devices;
  const still = {};
  const lines = {};
  before(async () => {
    ({ client, provider, conversation } = await makeProject(server));
    for (const way of WAYS) {
      lines[way] = await LineBetween.to(server);
      still[way] = new Device(provider, `still over ${way}`, way, lines[way].base);
    }
    devices = [...Object.values(still), new Device(client, 'awake', ['websocket']), new Device(provider, 'awake by polling', ['polling'])];
    await Promise.all(devices.map((device) => device.open()));
  });
  after(() => {
    devices.forEach((device) => device.close());
    Object.values(lines).forEach((line) => line.close());
  });

  test('the others go on, and afterwards the still ones have everything once', { timeout: 180_000 }, async () => {
    Object.values(lines).forEach((line) => line.freeze());
    const frozen = Date.now();
    await send(client, conversation.id, TOO_MANY, { senders: 16, size: 2_000 });
    await pause(Math.max(0, STILL_FOR_MS - (Date.now() - frozen)));
    for (const awake of devices.slice(WAYS.length)) {
      await awake.until(() => awake.told === TOO_MANY, 'told of everything');
      assert.deepEqual([awake.complaints, awake.connects], [[], 1], awake.name);
    }
    for (const device of Object.values(still)) assert.ok(device.told < TOO_MANY, `${device.name} stood still`);
    Object.values(lines).forEach((line) => line.thaw());
    for (const device of devices) {
      await device.until(() => device.messages.size === TOO_MANY && device.isCaughtUp, 'caught up', 60_000);
      assert.deepEqual(seqsAt(device, conversation.id), upTo(TOO_MANY), device.name);
      assert.deepEqual(device.complaints, [], device.name);
    }
    // No queue holds that many, so the polling one can only have come back by itself.
    assert.ok(still.polling.connects > 1, 'the polling one was made to reconnect');
  });

  test('and they hear what comes next', async () => {
    await send(client, conversation.id, 5, { label: 'next' });
    for (const device of devices) await device.until(() => device.messages.size === TOO_MANY + 5, 'told of the next');
  });
});
