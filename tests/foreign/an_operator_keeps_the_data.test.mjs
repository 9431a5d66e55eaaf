// What an operator does with the data directory: backup beside the running server, restore, check, migrate; and how a
// server is ended.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { io } from 'socket.io-client';

import { makeProject } from '../lib/api.mjs';
import { Server } from '../lib/server.mjs';
import { Line } from '../lib/socket.mjs';

const away = mkdtempSync(join(tmpdir(), 'parley-backup-'));
let server;
let client;
let conversation;

before(async () => {
  server = await Server.start();
  ({ client, conversation } = await makeProject(server));
});
after(async () => {
  await server?.dispose();
  rmSync(away, { recursive: true, force: true });
});

const send = (clientId) =>
  client.expect(201, 'POST', '/messages', { conversationId: conversation.id, content: clientId, type: 'text', clientId });

async function contents() {
  const { items } = await client.expect(200, 'GET', `/messages/conversation/${conversation.id}?limit=100&after=0`);
  return items.map((message) => message.content);
}

const sqlite = (file, sql) => execFileSync('sqlite3', ['-readonly', file, sql], { encoding: 'utf8' }).trim();

test('a second server on the same directory is refused and nothing happens to the first', async () => {
  const second = server.try('serve', '--listen', '127.0.0.1:0');
  assert.equal(second.status, 1);
  assert.match(second.stderr, new RegExp(`in use by another server or restore \\(process ${server.child.pid}\\)`));
  assert.ok(await server.isReady());
});

test('a backup taken while people write is whole, and overwrites nothing', async () => {
  await send('before');
  mkdirSync(join(server.folder, 'uploads'), { recursive: true });
  writeFileSync(join(server.folder, 'uploads', 'kept'), 'a file that somebody sent');
  const file = join(away, 'first.parley');
  let isOver = false;
  const writing = (async () => {
    for (let n = 0; !isOver; n += 1) await send(`meanwhile ${n}`);
  })();
  const { spawn } = await import('node:child_process');
  const child = spawn(process.env.PARLEY_SERVER, ['backup', file, '--data-dir', server.folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.on('data', (chunk) => (told += chunk));
  const code = await new Promise((resolve) => child.once('exit', resolve));
  isOver = true;
  await writing;
  assert.equal(code, 0);
  const { messages, files, users } = JSON.parse(told);
  assert.ok(messages >= 1 && files === 3 && users === 3, told);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(sqlite(file, 'PRAGMA integrity_check; PRAGMA foreign_key_check'), 'ok');
  assert.equal(Number(sqlite(file, 'SELECT count(*) FROM messages')), messages);
  assert.deepEqual(readdirSync(away), ['first.parley']);
  const again = server.try('backup', file);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /exists already/);
});

test('check finds nothing wrong beside a running server, and what is broken by hand', async () => {
  assert.deepEqual(server.try('check').stdout, '');
  assert.equal(server.try('check').status, 0);
  assert.deepEqual(JSON.parse(server.command('migrate')), { migrated: false });
});

test('restore is refused beside a server; afterwards everything of then is there, sign-ins and all', async () => {
  const file = join(away, 'first.parley');
  const beside = server.try('restore', file);
  assert.equal(beside.status, 1);
  assert.match(beside.stderr, /in use by another server/);
  const then = (await contents()).length;
  await send('after the backup');
  await server.end();
  rmSync(join(server.folder, 'uploads'), { recursive: true });
  const told = JSON.parse(server.command('restore', file));
  assert.ok(existsSync(join(told.before, 'parley.sqlite3')), 'the old data is moved aside');
  assert.ok(existsSync(join(server.folder, 'uploads', 'kept')));
  await server.launch();
  const restored = await contents();
  assert.ok(restored.includes('before') && !restored.includes('after the backup') && restored.length <= then);
  assert.equal(server.try('check').status, 0);
});

test('a broken file is not restored and changes nothing', async () => {
  await send('stays');
  await server.end();
  const broken = join(away, 'broken.parley');
  writeFileSync(broken, 'SQLite format 3\0 but nothing that follows it makes sense'.repeat(40));
  const refused = server.try('restore', broken);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /was not restored and nothing was changed/);
  await server.launch();
  assert.ok((await contents()).includes('stays'));
});

test('check tells what was changed by hand', async () => {
  await server.end();
  execFileSync('sqlite3', [join(server.folder, 'parley.sqlite3'), 'UPDATE conversations SET last_seq = last_seq + 1']);
  const checked = server.try('check');
  assert.equal(checked.status, 1);
  const lines = checked.stdout.trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.check), ['message_seq']);
  assert.equal(lines[0].subject, conversation.id);
  execFileSync('sqlite3', [join(server.folder, 'parley.sqlite3'), 'UPDATE conversations SET last_seq = last_seq - 1']);
  await server.launch();
});

test('SIGTERM: running calls end, sockets and long polls are told, nothing is left to recover', async () => {
  const web = await Line.open(server.base, client.token);
  const polling = io(server.base, { transports: ['polling'], upgrade: false, forceNew: true, reconnection: false, auth: { token: client.token } });
  await new Promise((resolve) => polling.once('connect', resolve));
  const silent = connect(server.port, '127.0.0.1').on('error', () => {});
  const told = [web.socket, polling].map((socket) => new Promise((resolve) => socket.once('disconnect', resolve)));
  const sends = Array.from({ length: 20 }, (_, n) => client.ask('POST', '/messages', { conversationId: conversation.id, content: `last ${n}`, type: 'text' }).then((answer) => answer.status, () => 0));
  const begun = Date.now();
  const { code, signal } = await server.end('SIGTERM');
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  assert.ok(Date.now() - begun < 9_000, 'it does not wait for a silent line');
  await Promise.all(told);
  const answered = (await Promise.all(sends)).filter((status) => status === 201).length;
  assert.ok(!existsSync(join(server.folder, 'parley.sqlite3-wal')));
  assert.ok(!existsSync(join(server.folder, 'listen')));
  const stored = Number(sqlite(join(server.folder, 'parley.sqlite3'), "SELECT count(*) FROM messages WHERE content LIKE 'last %'"));
  assert.ok(stored >= answered, `${answered} answered, ${stored} stored`);
  silent.destroy();
  await server.launch();
});

test('a second signal ends it at once, stalled calls or not', async () => {
  const stalled = connect(server.port, '127.0.0.1').on('error', () => {});
  await new Promise((resolve) => stalled.once('connect', resolve));
  const head = 'POST /api/v1/auth/refresh HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"refresh';
  await new Promise((resolve) => stalled.write(head, resolve));
  assert.ok(await server.isReady());
  server.child.kill('SIGTERM');
  while (!server.log().includes('stopping') && (await server.isReady()));
  const begun = Date.now();
  const { code } = await server.end('SIGTERM');
  assert.ok(Date.now() - begun < 3_000);
  assert.equal(code, 1);
  stalled.destroy();
  await server.launch();
  assert.equal(server.try('check').status, 0);
});
