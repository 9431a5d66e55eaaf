// SIGKILL in the middle of a burst: what was answered 201 is there afterwards, once; the rest can be sent again.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { inspectRemains } from '../crash/database.mjs';
import { makeProject } from '../lib/api.mjs';
import { Server } from '../lib/server.mjs';

const SENDERS = 8;
const KILL_AFTER = 200;

let server;
before(async () => {
  server = await Server.start();
});
after(async () => server?.dispose());

async function everything(person, conversationId) {
  const found = [];
  let after = 0;
  for (;;) {
    const page = await person.expect(200, 'GET', `/messages/conversation/${conversationId}?limit=100&after=${after}`);
    if (page.items.length === 0) return found;
    found.push(...page.items);
    after = page.items.at(-1).seq;
  }
}

test('a burst survives the kill of the server', async () => {
  const { client, conversation } = await makeProject(server);
  const confirmed = new Map();
  const unanswered = [];
  let isKilled = false;
  const send = (clientId) =>
    client.ask('POST', '/messages', { conversationId: conversation.id, content: `burst ${clientId}`, type: 'text', clientId });

  async function sender(number) {
    for (let count = 0; !isKilled; count += 1) {
      const clientId = `burst-${number}-${count}`;
      try {
        const answer = await send(clientId);
        assert.equal(answer.status, 201, JSON.stringify(answer.body));
        confirmed.set(clientId, answer.body);
        if (confirmed.size === KILL_AFTER) {
          isKilled = true;
          await server.end('SIGKILL');
        }
      } catch (error) {
        if (error.name === 'AssertionError') throw error;
        unanswered.push(clientId);
        return;
      }
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, (_, number) => sender(number)));
  assert.ok(confirmed.size >= KILL_AFTER);

  inspectRemains(server.folder);
  await server.launch();
  const stored = await everything(client, conversation.id);
  const byClientId = new Map(stored.map((message) => [message.clientId, message]));
  assert.equal(byClientId.size, stored.length, 'nothing is there twice');
  for (const [clientId, message] of confirmed) {
    assert.equal(byClientId.get(clientId)?.id, message.id, `${clientId} was confirmed`);
    assert.equal(byClientId.get(clientId).seq, message.seq);
  }

  for (const clientId of [...unanswered, ...[...confirmed.keys()].slice(0, 20)]) {
    const answer = await send(clientId);
    assert.equal(answer.status, byClientId.has(clientId) ? 200 : 201, clientId);
  }
  const whole = await everything(client, conversation.id);
  assert.equal(new Set(whole.map((message) => message.clientId)).size, whole.length);
  assert.deepEqual(whole.map((message) => message.seq), [...whole.keys()].map((index) => whole[0].seq + index), 'no gap, no double');
});

test('told to end, it ends with 0 and leaves a checkpointed database', async () => {
  const { code } = await server.end('SIGTERM');
  assert.equal(code, 0);
});
