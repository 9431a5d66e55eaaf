// A full disk, a read-only one, a database of the future, a broken one, broken keys: a sentence that says what to do, and
// nothing that was answered is lost. The disks are small ones in a mount namespace of their own, which needs root.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { login, makeProject } from '../lib/api.mjs';
import { Server } from '../lib/server.mjs';

const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
const needsMounts = { skip: canMount ? false : 'needs root and mount namespaces' };

/** Changes that disk from outside. */
const remount = (server, options) =>
  execFileSync('nsenter', ['-t', String(server.child.pid), '-m', 'mount', '-o', `remount,${options}`, server.folder]);

const everything = async (person, conversation) => {
  const found = [];
  for (let after = 0; ; after = found.at(-1).seq) {
    const page = await person.expect(200, 'GET', `/messages/conversation/${conversation.id}?limit=100&after=${after}`);
    if (page.items.length === 0) return found;
    found.push(...page.items);
  }
};

test('a full disk refuses writes, reads go on, and after there is space everything goes on', needsMounts, async () => {
  const server = await Server.start({ disk: '6m' });
  try {
    const { client, conversation } = await makeProject(server);
    const confirmed = [];
    const send = (n) =>
      client.ask('POST', '/messages', { conversationId: conversation.id, content: `${n} `.padEnd(8_000, 'x'), type: 'text', clientId: `full-${n}` });
    let refused;
    for (let n = 0; n < 2_000 && !refused; n += 1) {
      const answer = await send(n);
      if (answer.status === 201) confirmed.push(`full-${n}`);
      else refused = answer;
    }
    assert.equal(refused.status, 503, JSON.stringify(refused.body));
    assert.equal(refused.body.code, 'UNAVAILABLE');
    assert.ok(confirmed.length > 10);
    assert.match(server.log(), /the disk is full/);
    assert.equal((await fetch(`${server.base}/health/live`)).status, 200);
    assert.deepEqual((await everything(client, conversation)).map((message) => message.clientId), confirmed);

    remount(server, 'size=64m');
    assert.equal((await send('again')).status, 201);
    confirmed.push('full-again');
    assert.equal((await fetch(`${server.base}/health/ready`)).status, 200);
    assert.equal(server.try('check').status, 0, server.try('check').stdout);
    const stored = (await everything(client, conversation)).map((message) => message.clientId);
    assert.deepEqual(stored, confirmed, 'what was confirmed is there once, what was refused is not');
  } finally {
    await server.dispose();
  }
});

test('a disk too small for a file refuses it, keeps nothing of it, and takes it when there is space', needsMounts, async () => {
  const server = await Server.start({ disk: '12m' });
  try {
    const { client, conversation } = await makeProject(server);
    const upload = (bytes) => {
      const form = new FormData();
      form.append('file', new Blob([bytes]), 'large.bin');
      return client.ask('POST', '/attachments', form);
    };
    // Its own namespace sees the disk.
    const kept = () => execFileSync('nsenter', ['-t', String(server.child.pid), '-m', 'ls', join(server.folder, 'uploads')], { encoding: 'utf8' }).trim();
    const small = randomBytes(100_000);
    const held = await upload(small);
    assert.equal(held.status, 201);
    for (let times = 0; times < 3; times += 1) {
      const refused = await upload(randomBytes(20_000_000));
      assert.deepEqual([refused.status, refused.body.code], [503, 'UNAVAILABLE'], JSON.stringify(refused.body));
    }
    assert.equal(kept(), held.body.id, 'nothing is left of what was refused');
    const sent = { conversationId: conversation.id, content: 'see attached', type: 'file', attachmentIds: [held.body.id] };
    assert.equal((await client.ask('POST', '/messages', sent)).status, 201, 'there is room for what is small');

    remount(server, 'size=64m');
    const large = randomBytes(20_000_000);
    const taken = await upload(large);
    assert.deepEqual([taken.status, taken.body.sha256], [201, createHash('sha256').update(large).digest('hex')]);
    const response = await fetch(new URL(taken.body.url, server.base));
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), large);
    assert.equal(server.try('check').status, 0);
  } finally {
    await server.dispose();
  }
});

test('of uploads that fill a disk each is whole or leaves nothing, many at once too', needsMounts, async () => {
  const server = await Server.start({ disk: '12m' });
  try {
    const { client, provider, conversation } = await makeProject(server);
    const taken = new Map();
    const upload = async (person, size) => {
      const bytes = randomBytes(size);
      const form = new FormData();
      form.append('file', new Blob([bytes]), 'part.bin');
      const answer = await person.ask('POST', '/attachments', form);
      if (answer.status === 201) {
        taken.set(answer.body.id, { person, sha256: createHash('sha256').update(bytes).digest('hex') });
        // What is sent does not count as waiting; a full disk may refuse this too.
        const sent = { conversationId: conversation.id, content: 'part', type: 'file', attachmentIds: [answer.body.id] };
        const { status } = await person.ask('POST', '/messages', sent);
        assert.ok([201, 503].includes(status), `a message with a file got ${status}`);
      } else {
        assert.deepEqual([answer.status, answer.body.code], [503, 'UNAVAILABLE'], JSON.stringify(answer.body));
      }
      return answer.status;
    };
    // Pieces that get smaller find what room is left, down to where a file fits and its row does not.
    for (const size of [900_000, 300_000, 40_000, 3_000]) {
      let refused = 0;
      for (let times = 0; times < 40 && refused === 0; times += 1) {
        const answers = await Promise.all([client, provider, client].map((person) => upload(person, size)));
        refused = answers.filter((status) => status === 503).length;
      }
      if (size > 3_000) assert.ok(refused > 0, `the disk took all files of ${size} bytes`);
    }
    const kept = execFileSync('nsenter', ['-t', String(server.child.pid), '-m', 'ls', join(server.folder, 'uploads')], { encoding: 'utf8' });
    assert.deepEqual(kept.trim().split('\n').sort(), [...taken.keys()].sort(), 'the files of the answers, and no piece of others');
    assert.match(server.log(), /an upload can't be written/, 'a file found no room');
    assert.match(server.log(), /the disk is full/, 'a row found no room');

    remount(server, 'size=64m');
    assert.equal(await upload(client, 2_000_000), 201);
    for (const [id, { person, sha256 }] of taken) {
      const response = await fetch(`${server.base}/api/v1/attachments/${id}`, { headers: { authorization: `Bearer ${person.token}` } });
      const bytes = Buffer.from(await response.arrayBuffer());
      assert.deepEqual([response.status, createHash('sha256').update(bytes).digest('hex')], [200, sha256]);
    }
    assert.equal(server.try('check').status, 0, server.try('check').stdout);
  } finally {
    await server.dispose();
  }
});

test('a data directory that can not be written is refused with a sentence', needsMounts, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-ro-'));
  const words = ['-m', 'sh', '-c', `mount -t tmpfs -o ro tmpfs ${folder} && exec "$@"`, 'sh', process.env.PARLEY_SERVER];
  for (const command of [['serve', '--listen', '127.0.0.1:0'], ['migrate']]) {
    const run = spawnSync('unshare', [...words, ...command, '--data-dir', folder], { encoding: 'utf8' });
    assert.equal(run.status, 1);
    assert.match(run.stderr, new RegExp(`parley-server: .*${folder}`), run.stderr);
    assert.match(run.stderr, /[Rr]ead-only/, run.stderr);
  }
  const doctor = spawnSync('unshare', [...words, 'doctor', '--data-dir', folder], { encoding: 'utf8' });
  assert.equal(doctor.status, 1);
  assert.match(doctor.stdout, /^fail {2}data directory: .* can't be written/m);

  // One that was in use, and whose disk can only be read since.
  const since = `mount -t tmpfs tmpfs ${folder} && "$1" seed demo --data-dir ${folder} >&2 && mount -o remount,ro ${folder} && exec "$@"`;
  for (const command of [['serve', '--listen', '127.0.0.1:0'], ['migrate'], ['admin', 'create', '--email', 'a@example.test', '--password', 'a long password']]) {
    const run = spawnSync('unshare', ['-m', 'sh', '-c', since, 'sh', process.env.PARLEY_SERVER, ...command, '--data-dir', folder], { encoding: 'utf8' });
    assert.equal(run.status, 1, run.stderr);
    assert.match(run.stderr, /parley-server: the data directory .* can't be used: Read-only file system/, run.stderr);
  }
  rmSync(folder, { recursive: true });
});

/** What a start and a check say about a directory that was damaged while no server ran. */
async function afterDamage(damage) {
  const server = await Server.start({ seed: 'demo' });
  await server.end();
  damage(server.folder);
  const start = server.try('serve', '--listen', '127.0.0.1:0');
  const check = server.try('check');
  return { server, start, check };
}

test('the database of a newer program is refused and not touched', async () => {
  const { server, start, check } = await afterDamage((folder) => {
    execFileSync('sqlite3', [join(folder, 'parley.sqlite3'), "INSERT INTO refinery_schema_history VALUES (999, 'later', '', '')"]);
  });
  assert.equal(start.status, 1);
  assert.match(start.stderr, /schema 999, newer than \d+, .*: use a newer program/);
  assert.equal(check.status, 1);
  execFileSync('sqlite3', [join(server.folder, 'parley.sqlite3'), 'DELETE FROM refinery_schema_history WHERE version = 999']);
  await server.launch();
  await server.dispose();
});

test('a truncated and a garbage database are refused and left as they are', async () => {
  const cut = (part) => (file) => truncateSync(file, Math.floor(statSync(file).size * part));
  const damages = [
    (file) => truncateSync(file, 20_000),
    (file) => truncateSync(file, 4_096),
    (file) => truncateSync(file, 50),
    (file) => truncateSync(file, statSync(file).size - 4_096),
    cut(0.5),
    (file) => writeFileSync(file, 'this was a database once, and now it is a text about one. '.repeat(300)),
  ];
  for (const damage of damages) {
    const { server, start, check } = await afterDamage((folder) => damage(join(folder, 'parley.sqlite3')));
    const before = readFileSync(join(server.folder, 'parley.sqlite3'));
    assert.equal(start.status, 1);
    assert.match(start.stderr, /the database is damaged/);
    assert.equal(check.status, 1);
    assert.equal(JSON.parse(check.stdout.trim().split('\n')[0]).check, 'file');
    assert.deepEqual(readFileSync(join(server.folder, 'parley.sqlite3')), before);
    await server.dispose();
  }
});

test('a database that is gone or was emptied does not begin anew over what people sent', async () => {
  for (const damage of [(file) => rmSync(file), (file) => truncateSync(file, 0)]) {
    const { server, start, check } = await afterDamage((folder) => {
      writeFileSync(join(folder, 'uploads', 'kept'), 'a file that somebody sent');
      cpSync(join(folder, 'parley.sqlite3'), join(folder, 'saved'));
      damage(join(folder, 'parley.sqlite3'));
    });
    const database = join(server.folder, 'parley.sqlite3');
    assert.equal(start.status, 1);
    assert.match(start.stderr, /parley\.sqlite3 is missing or empty, though this data directory was in use before/);
    assert.equal(check.status, 1);
    const create = server.try('admin', 'create', '--email', 'new@example.test', '--password', 'somebody quite new');
    assert.equal(create.status, 1, 'nor beside');
    assert.equal(existsSync(database) ? statSync(database).size : 0, 0, 'nothing was put in its place');
    cpSync(join(server.folder, 'saved'), database);
    await server.launch();
    await login(server.base, 'client@demo.test', 'parley-demo');
    assert.ok(existsSync(join(server.folder, 'uploads', 'kept')));
    await server.dispose();
  }
});

test('a damaged key is never replaced silently', async () => {
  const { server, start } = await afterDamage((folder) => writeFileSync(join(folder, 'keys', 'token-key'), 'scratched'));
  assert.equal(start.status, 1);
  assert.match(start.stderr, /keys\/token-key does not hold what this server once wrote there; restore it/);
  assert.equal(readFileSync(join(server.folder, 'keys', 'token-key'), 'utf8'), 'scratched');
  assert.ok(existsSync(join(server.folder, 'parley.sqlite3')));
  await server.dispose();
});
