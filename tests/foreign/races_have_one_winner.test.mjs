// Two people do the same thing at the same moment; and a socket that comes late hears what is live.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { aProposal, aRequest, makeProject, register } from '../lib/api.mjs';
import { Server } from '../lib/server.mjs';
import { Line } from '../lib/socket.mjs';

let server;
before(async () => {
  server = await Server.start();
});
after(async () => server?.dispose());

const statuses = (answers) => answers.map((answer) => answer.status).sort();

test('of many accepts at once exactly one wins, and the sibling offer is turned down', async () => {
  const client = await register(server.base, 'client');
  const providers = [await register(server.base, 'provider'), await register(server.base, 'provider')];
  const request = await client.expect(201, 'POST', '/requests', aRequest);
  const proposals = [];
  for (const provider of providers) {
    await server.approve(provider);
    proposals.push(await provider.expect(201, 'POST', `/requests/${request.id}/proposals`, aProposal()));
  }
  const tries = [...proposals, ...proposals, ...proposals].map((proposal) => client.ask('POST', `/proposals/${proposal.id}/accept`));
  const answers = await Promise.all(tries);
  assert.deepEqual(statuses(answers), [201, 409, 409, 409, 409, 409]);
  const after = await client.expect(200, 'GET', `/requests/${request.id}/proposals`);
  assert.deepEqual(after.items.map((proposal) => proposal.status).sort(), ['ACCEPTED', 'REJECTED']);
  assert.equal((await client.expect(200, 'GET', `/requests/${request.id}`)).status, 'CONVERTED');
  assert.equal((await client.expect(200, 'GET', '/projects')).items.length, 1);
});

test('two people who call each other at once end in one call', async () => {
  const { client, provider, project } = await makeProject(server);
  const calls = [client, provider, client, provider].map((person) => person.ask('POST', '/meetings', { projectId: project.id, type: 'instant' }));
  const answers = await Promise.all(calls);
  assert.deepEqual(statuses(answers), [201, 409, 409, 409]);
  const [made] = answers.filter((answer) => answer.status === 201);
  for (const lost of answers.filter((answer) => answer.status === 409)) {
    assert.deepEqual([lost.body.code, lost.body.meetingId], ['MEETING_IN_PROGRESS', made.body.id]);
  }
});

test('accepted and taken back at the same moment: both sides hear the same end of it', async () => {
  const { client, provider, project } = await makeProject(server);
  const lines = [await Line.open(server.base, client.token), await Line.open(server.base, provider.token)];
  const meeting = await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'instant' });
  const [taken, accepted] = await Promise.all([
    client.ask('DELETE', `/meetings/${meeting.id}`),
    provider.ask('PATCH', `/meetings/${meeting.id}/accept`),
  ]);
  assert.ok((taken.status === 204) !== (accepted.status === 200), `${taken.status} and ${accepted.status}`);
  const event = taken.status === 204 ? 'meeting:ended' : 'meeting:started';
  for (const line of lines) {
    await line.next(event, (one) => one.meetingId === meeting.id);
    line.close();
  }
});

test('a socket that comes late hears the ring, and no ring that is over', async () => {
  const { client, provider, project } = await makeProject(server);
  const meeting = await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'instant' });
  const late = await Line.open(server.base, provider.token);
  await late.next('meeting:invite', (one) => one.meetingId === meeting.id);
  assert.equal((await late.ask('meeting:decline', { meetingId: meeting.id })).ok, true);
  const told = await late.next('meeting:ended', (one) => one.meetingId === meeting.id);
  assert.deepEqual([told.status, told.endReason, told.duration], ['CANCELLED', 'declined', null]);
  late.close();

  const next = await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'instant' });
  const later = await Line.open(server.base, provider.token);
  await later.next('meeting:invite', (one) => one.meetingId === next.id);
  assert.deepEqual(later.all('meeting:invite').map((one) => one.meetingId), [next.id], 'only the live one');
  later.close();
});

test('a key that was used gives the same answer again, with another body a refusal', async () => {
  const { client, project } = await makeProject(server);
  const key = { 'idempotency-key': 'once-and-for-all' };
  const body = { projectId: project.id, type: 'instant' };
  const first = await client.ask('POST', '/meetings', body, key);
  const again = await client.ask('POST', '/meetings', body, key);
  assert.deepEqual([first.status, again.status, again.body.id], [201, 201, first.body.id]);
  const other = await client.ask('POST', '/meetings', { ...body, type: 'scheduled', scheduledAt: '2099-01-01T00:00:00Z' }, key);
  assert.deepEqual([other.status, other.body.code], [422, 'IDEMPOTENCY_KEY_REUSED']);
});

test('what a reconnect missed is in /sync, in order and once', async () => {
  const { client, provider, conversation } = await makeProject(server);
  const { nextCursor } = await provider.expect(200, 'GET', '/sync');
  const sent = [];
  for (let number = 0; number < 12; number += 1) {
    sent.push(await client.expect(201, 'POST', '/messages', { conversationId: conversation.id, content: `missed ${number}`, type: 'text', clientId: `m${number}` }));
  }
  const changes = [];
  let since = nextCursor;
  for (let more = true; more; ) {
    const page = await provider.expect(200, 'GET', `/sync?limit=5&since=${encodeURIComponent(since)}`);
    changes.push(...page.changes);
    since = page.nextCursor;
    more = page.more;
  }
  const messages = changes.filter((change) => change.kind === 'message').map((change) => change.message?.id ?? change.id);
  assert.deepEqual(messages, sent.map((message) => message.id), JSON.stringify(changes[0]));
});
