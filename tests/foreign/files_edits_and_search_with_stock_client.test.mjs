// Files, corrections and search with nothing but fetch, FormData and the stock socket.io-client.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';

import { makeProject } from '../lib/api.mjs';
import { Server } from '../lib/server.mjs';
import { Line } from '../lib/socket.mjs';

let server, client, provider, conversation, line;
before(async () => {
  server = await Server.start();
  ({ client, provider, conversation } = await makeProject(server));
  line = await Line.open(server.base, provider.token);
});
after(async () => {
  line?.close();
  await server?.dispose();
});

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function upload(person, bytes, name) {
  const form = new FormData();
  form.append('file', new Blob([bytes]), name);
  const headers = { authorization: `Bearer ${person.token}` };
  const response = await fetch(`${server.base}/api/v1/attachments`, { method: 'POST', body: form, headers });
  return { status: response.status, body: await response.json() };
}

const send = (person, content, more = {}) =>
  person.expect(201, 'POST', '/messages', { conversationId: conversation.id, content, type: 'text', ...more });

async function search(person, q, more = {}) {
  return person.expect(200, 'GET', `/messages/search?${new URLSearchParams({ q, ...more })}`);
}

test('a file goes up with FormData, is sent, and comes down whole and in parts by its link alone', async () => {
  const bytes = randomBytes(3_000_000);
  const { status, body: file } = await upload(client, bytes, '契約 "draft".bin');
  assert.equal(status, 201);
  assert.deepEqual([file.name, file.size, file.sha256], ['契約 "draft".bin', bytes.length, sha256(bytes)]);
  const early = await provider.ask('GET', `/attachments/${file.id}`);
  assert.deepEqual([early.status, early.body.code], [404, 'NOT_FOUND']);

  const message = await send(client, 'The draft', { type: 'file', attachmentIds: [file.id] });
  assert.deepEqual(message.attachments.map((one) => one.id), [file.id]);
  const told = await line.next('message:new', (one) => one.id === message.id);
  const url = new URL(told.attachments[0].url, server.base);
  const whole = await fetch(url);
  assert.equal(whole.status, 200);
  assert.match(whole.headers.get('content-disposition'), /^attachment;.*filename\*=UTF-8''%E5%A5%91%E7%B4%84/);
  assert.equal(whole.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(sha256(Buffer.from(await whole.arrayBuffer())), file.sha256);

  const part = await fetch(url, { headers: { range: 'bytes=1000000-1999999', 'if-range': whole.headers.get('etag') } });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get('content-range'), `bytes 1000000-1999999/${bytes.length}`);
  assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1_000_000, 2_000_000)));
  assert.equal((await fetch(url, { headers: { range: 'bytes=3000000-' } })).status, 416);

  url.searchParams.set('user', client.id);
  assert.equal((await fetch(url)).status, 403);
  assert.equal((await fetch(new URL(url.pathname, server.base))).status, 401);
});

test('the type is that of the content, and what is too large is refused with an answer', async () => {
  const page = await upload(client, '<!doctype html><script>alert(1)</script>', 'photo.png');
  assert.deepEqual([page.status, page.body.mediaType], [201, 'application/octet-stream']);
  const large = await upload(client, Buffer.alloc(25 * 1024 * 1024 + 1), 'large.bin');
  assert.deepEqual([large.status, large.body.code], [413, 'PAYLOAD_TOO_LARGE']);
  const largest = await upload(client, Buffer.alloc(25 * 1024 * 1024), 'largest.bin');
  assert.deepEqual([largest.status, largest.body.size], [201, 25 * 1024 * 1024]);
});

test('a correction and a deletion reach the other side', async () => {
  const message = await send(client, 'Se you at nine');
  const edited = await client.expect(200, 'PATCH', `/messages/${message.id}`, { content: 'See you at nine' });
  assert.equal(edited.content, 'See you at nine');
  assert.ok(edited.editedAt);
  const seen = await line.next('message:updated', (one) => one.id === message.id);
  assert.deepEqual(seen, edited);
  const foreign = await provider.ask('PATCH', `/messages/${message.id}`, { content: 'x' });
  assert.deepEqual([foreign.status, foreign.body.code], [403, 'FORBIDDEN']);

  await client.expect(204, 'DELETE', `/messages/${message.id}`);
  const gone = await line.next('message:updated', (one) => one.id === message.id && one.deletedAt);
  assert.deepEqual([gone.content, gone.seq], ['', message.seq]);
  assert.ok(gone.deletedAt);
  assert.deepEqual((await search(client, 'See you at')).items, []);
});

test('parts of words are found in every script', async () => {
  const contents = ['明日の会議は九時からです', '请查看附件中的合同草案', 'พรุ่งนี้มีการประชุมตอนเก้าโมง', 'A "quoted" word'];
  const ids = [];
  for (const content of contents) ids.push((await send(client, content)).id);
  for (const [q, expected] of [['会議', 0], ['九', 0], ['合同', 1], ['ประชุม', 2], ['"QUOTED"', 3], ['uote', 3]]) {
    const { items } = await search(provider, q, { conversationId: conversation.id });
    assert.deepEqual(items.map((item) => item.message.id), [ids[expected]], q);
    const [{ snippet, matches }] = items;
    const marked = matches.map(({ start, end }) => snippet.slice(start, end).toLowerCase());
    assert.deepEqual(marked, [q.toLowerCase()]);
  }
  assert.deepEqual((await search(provider, 'NOT "')).items, []);
});
