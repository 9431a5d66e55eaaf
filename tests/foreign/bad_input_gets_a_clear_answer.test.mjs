// Whatever a stranger or a broken client sends, the answer is a problem with a code, and the server goes on.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { call, inDays, makeProject, register } from '../lib/api.mjs';
import { Server } from '../lib/server.mjs';
import { Line } from '../lib/socket.mjs';

let server, client, provider, project, conversation;
before(async () => {
  server = await Server.start();
  ({ client, provider, project, conversation } = await makeProject(server));
});
after(async () => server?.dispose());

const api = (method, path, options) => call(server.base, method, `/api/v1${path}`, options);

function assertProblem(answer, status, code) {
  assert.deepEqual([answer.status, answer.body?.code], [status, code], JSON.stringify(answer.body));
  assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
  assert.equal(answer.body.status, status);
  for (const member of ['type', 'title', 'detail']) assert.equal(typeof answer.body[member], 'string', member);
}

test('a wrong password and an unknown address look the same', async () => {
  const wrong = await api('POST', '/auth/login', { body: { email: client.user.email, password: 'not the password' } });
  const unknown = await api('POST', '/auth/login', { body: { email: 'nobody@example.test', password: 'not the password' } });
  assertProblem(wrong, 401, 'INVALID_CREDENTIALS');
  const shown = ({ type, title, status, code, detail }) => ({ type, title, status, code, detail });
  assert.deepEqual(shown(unknown.body), shown(wrong.body));
});

test('no token, a foreign token and a mangled one are refused', async () => {
  for (const token of [undefined, 'nonsense', `${client.token}x`, 'a.b.c', '007eJxTYA==']) {
    assertProblem(await api('GET', '/users/me', { token }), 401, 'UNAUTHENTICATED');
  }
});

test('a refresh token works once, and its reuse does not open anything new', async () => {
  const person = await register(server.base, 'client');
  const first = await api('POST', '/auth/refresh', { body: { refreshToken: person.refreshToken } });
  assert.equal(first.status, 200);
  const repeated = await api('POST', '/auth/refresh', { body: { refreshToken: person.refreshToken } });
  assert.equal(repeated.status, 200, 'a lost answer may be asked for again at once');
  assert.equal(repeated.body.refreshToken, first.body.refreshToken, 'the same successor');
  const invented = await api('POST', '/auth/refresh', { body: { refreshToken: 'invented' } });
  assert.equal(invented.status, 401);
});

test('bodies that cannot be read or are not valid', async () => {
  const token = client.token;
  assertProblem(await api('POST', '/messages', { token, text: '{"conversationId":' }), 400, 'MALFORMED');
  assertProblem(await api('POST', '/messages', { token, text: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 415, 'UNSUPPORTED_MEDIA_TYPE');
  const text = JSON.stringify({ conversationId: conversation.id, content: 'as plain fetch sends it', type: 'text', clientId: 'plain' });
  const plain = await api('POST', '/messages', { token, text, headers: { 'content-type': 'text/plain;charset=UTF-8' } });
  assert.equal(plain.status, 201, JSON.stringify(plain.body));
  for (const content of ['', ' \n\t ', 'bell\u0007', 'a\rb', 'x'.repeat(8001)]) {
    const refused = await api('POST', '/messages', { token, body: { conversationId: conversation.id, content, type: 'text' } });
    assertProblem(refused, 422, 'INVALID');
    assert.ok(Array.isArray(refused.body.errors), 'says which field');
  }
  const longest = await api('POST', '/messages', { token, body: { conversationId: conversation.id, content: '😀'.repeat(8000), type: 'text' } });
  assert.equal(longest.status, 201, 'characters are counted, not bytes');
});

test('what is not yours does not exist for you', async () => {
  const stranger = await register(server.base, 'client');
  for (const path of [`/conversations/${conversation.id}`, `/projects/${project.id}`, `/messages/conversation/${conversation.id}`]) {
    const answer = await stranger.ask('GET', path);
    assert.equal(answer.status, 404, path);
  }
  const intruding = await stranger.ask('POST', '/messages', { conversationId: conversation.id, content: 'hello', type: 'text' });
  assertProblem(intruding, 404, 'NOT_FOUND');
  const calling = await stranger.ask('POST', '/meetings', { projectId: project.id, type: 'instant' });
  assertProblem(calling, 404, 'NOT_FOUND');
  const line = await Line.open(server.base, stranger.token);
  const joined = await line.ask('join', { conversationId: conversation.id });
  assert.deepEqual([joined.ok, joined.code], [false, 'NOT_FOUND']);
  line.close();
});

test('a meeting in the wrong state or time says so', async () => {
  const past = await client.ask('POST', '/meetings', { projectId: project.id, type: 'scheduled', scheduledAt: inDays(-1) });
  assertProblem(past, 422, 'INVALID');
  const planned = await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'scheduled', scheduledAt: inDays(2) });
  assertProblem(await client.ask('GET', `/meetings/${planned.id}/token`), 409, 'MEETING_NOT_OPEN');
  assertProblem(await client.ask('PATCH', `/meetings/${planned.id}/end`), 409, 'MEETING_STATE');
  const early = await provider.ask('PATCH', `/meetings/${planned.id}/start`);
  assert.ok([403, 409].includes(early.status), 'only the host starts');
  const removed = await client.ask('DELETE', `/meetings/${planned.id}`);
  assert.equal(removed.status, 204);
});

test('a bad token is a connect_error whose message is the code', async () => {
  for (const token of [undefined, '', 'nonsense', 42, `${client.token}x`]) {
    await assert.rejects(Line.open(server.base, token), { message: 'UNAUTHENTICATED' });
  }
});

test('events of the wrong shape are acknowledged with a code', async () => {
  const line = await Line.open(server.base, client.token);
  const names = ['join', 'leave', 'message:read', 'conversation:read', 'conversation:typing', 'meeting:accept', 'meeting:decline', 'call:join', 'call:leave', 'call:state', 'call:signal', 'auth:renew'];
  for (const name of names) {
    for (const payload of [[], [null], ['text'], [42], [{}], [{ conversationId: 'x', meetingId: 7, token: [] }], [[1, 2]]]) {
      const answer = await line.ask(name, ...payload);
      assert.equal(answer.ok, false, `${name} ${JSON.stringify(payload)} gave ${JSON.stringify(answer)}`);
      assert.match(answer.code, /^[A-Z_]+$/, name);
    }
  }
  assert.equal((await line.ask('join', { conversationId: conversation.id })).ok, true, 'the socket lives on');
  line.close();
});

test('a call cannot be joined with a token that is not for it', async () => {
  const meeting = await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'instant' });
  const line = await Line.open(server.base, client.token);
  const { token } = await client.expect(200, 'GET', `/meetings/${meeting.id}/token`);
  for (const bad of ['', '007', 'nonsense', client.token, token.slice(0, -8), `006${token.slice(3)}`]) {
    const answer = await line.ask('call:join', { meetingId: meeting.id, token: bad });
    assert.equal(answer.ok, false, bad.slice(0, 12));
  }
  const joined = await line.ask('call:join', { meetingId: meeting.id, token });
  assert.equal(typeof joined.ok, 'boolean');
  assert.equal((await client.ask('DELETE', `/meetings/${meeting.id}`)).status, 204);
  line.close();
});

test('unknown paths answer 404', async () => {
  assertProblem(await client.ask('GET', '/nowhere'), 404, 'NOT_FOUND');
});

test('nothing secret is in the log', () => {
  const log = server.log();
  for (const secret of [client.token, provider.token, client.refreshToken, 'correct horse battery', client.user.email, 'as plain fetch sends it']) {
    assert.ok(!log.includes(secret), `the log holds ${secret.slice(0, 16)}…`);
  }
});
