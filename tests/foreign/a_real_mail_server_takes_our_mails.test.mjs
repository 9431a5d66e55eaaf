// aiosmtpd takes the mails, Python's email package reads them, and icalendar the files in them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { inspectRemains } from '../crash/database.mjs';
import { inDays, makeProject } from '../lib/api.mjs';
import { MailServer } from '../lib/python.mjs';
import { Server } from '../lib/server.mjs';

const FROM = 'Parley of Tests <parley@server.test>';
const HEADERS = ['Auto-Submitted', 'Date', 'From', 'MIME-Version', 'Message-ID', 'Subject', 'To'];

let mails;
let server;
before(async () => {
  mails = await MailServer.start();
  const env = { PARLEY_SMTP_URL: `smtp://127.0.0.1:${mails.port}`, PARLEY_SMTP_FROM: FROM, PARLEY_LOG: 'trace' };
  server = await Server.start({ env });
});
after(async () => {
  await server?.dispose();
  await mails?.end();
});

/** What holds for every mail. */
function check(mail, { client, provider }) {
  assert.deepEqual(mail.defects, []);
  assert.equal(mail.from, FROM);
  assert.equal(mail.sender, 'parley@server.test');
  assert.deepEqual(mail.headers.filter((name) => !name.startsWith('Content-')), HEADERS);
  assert.ok(!mail.types.some((type) => type.includes('html')), 'plain words only');
  const [to] = mail.to;
  assert.deepEqual([mail.to.length, mail.recipients], [1, [to.address]]);
  const [reader, other] = to.address === client.user.email ? [client, provider] : [provider, client];
  assert.deepEqual([to.address, to.name], [reader.user.email, reader.user.name]);
  assert.ok(mail.text.includes(other.user.name), 'it says whom the meeting is with');
  assert.ok(!JSON.stringify(mail).includes(other.user.email), "and not the other's address");
}

/** One to each side, the newest ones. */
async function pair(people, words) {
  const found = await mails.with(words, 2);
  for (const mail of found) check(mail, people);
  assert.equal(new Set(found.map((mail) => mail.to[0].address)).size, 2, 'one to each side');
  return found;
}

test('a meeting is announced, moved and called off by mail', async () => {
  const people = await makeProject(server);
  const { client, provider, project } = people;
  await provider.expect(200, 'PATCH', '/users/me', { timeZone: 'Asia/Tokyo' });
  const meeting = await client.expect(201, 'POST', '/meetings', {
    projectId: project.id,
    type: 'scheduled',
    scheduledAt: '2031-03-01T15:30:00.000Z',
  });
  const invitations = await pair(people, 'Meeting on');
  for (const mail of invitations) {
    const [file] = mail.calendars;
    assert.deepEqual([file.method, file.name, file.says.uid, file.says.sequence], ['REQUEST', 'meeting.ics', meeting.id, 0]);
    assert.equal(file.says.begins, Date.parse(meeting.scheduledAt));
  }
  const text = (of) => invitations.find((mail) => mail.to[0].address === of.user.email).text;
  assert.match(text(client), /Saturday, 1 March 2031, 15:30 \(UTC\)/);
  assert.match(text(provider), /Sunday, 2 March 2031, 00:30 \(Asia\/Tokyo, UTC\+09:00\)/);

  await client.expect(200, 'PATCH', `/meetings/${meeting.id}`, { scheduledAt: inDays(2) });
  for (const mail of await pair(people, 'New time')) {
    assert.deepEqual([mail.calendars[0].method, mail.calendars[0].says.sequence], ['REQUEST', 1]);
  }
  await client.ask('DELETE', `/meetings/${meeting.id}`);
  for (const mail of await pair(people, 'Off:')) {
    assert.deepEqual([mail.calendars[0].method, mail.calendars[0].says.sequence], ['CANCEL', 2]);
  }
});

test('a reminder comes by mail, and is there after a mail server that was gone and a kill', async () => {
  mails.mails.length = 0;
  const people = await makeProject(server);
  const { client, provider, project } = people;
  for (const person of [client, provider]) await person.expect(200, 'PATCH', '/users/me', { name: 'Zoë "Zed" <x@y.test>, 李' });
  for (const person of [client, provider]) person.user.name = 'Zoë "Zed" <x@y.test>, 李';
  const { port } = mails;
  await mails.end();
  const scheduledAt = new Date(Date.now() + 65_000).toISOString();
  await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'scheduled', scheduledAt });
  await server.end('SIGKILL');
  inspectRemains(server.folder);
  mails = await MailServer.start(port);
  await server.launch();
  await pair(people, 'Meeting on');
  const reminders = await pair(people, 'Meeting in');
  for (const mail of reminders) assert.deepEqual([mail.types, mail.calendars], [['text/plain'], []]);
  assert.equal(new Set(mails.mails.map((mail) => mail.id)).size, mails.mails.length, 'each once');
  noAddressIn(server.log(), client, provider);
});

test('an address that nobody has is given up, and not in the log although the mail server says it', async () => {
  const { client, provider, project } = await makeProject(server);
  const { port } = mails;
  await mails.end();
  mails = await MailServer.start(port, '--refusing');
  await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'scheduled', scheduledAt: inDays(1) });
  await mails.until(() => mails.mails.filter((told) => told.refused).length >= 2, 'not two refusals');
  const refused = mails.mails.map((told) => told.refused).sort();
  assert.deepEqual(refused, [client.user.email, provider.user.email].sort(), 'each was tried once');
  const { code } = await server.end('SIGTERM');
  assert.equal(code, 0);
  const log = server.log();
  assert.equal(log.match(/refused it for good with 550/g)?.length, 2, log);
  noAddressIn(log, client, provider);
});

/** An authority of this test's own and a certificate that it signed for this machine. */
function certificates(folder) {
  const file = (name) => join(folder, name);
  const make = (name, ...words) => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file(`${name}.key`)];
    const made = spawnSync('openssl', ['req', '-x509', '-days', '2', '-subj', `/CN=${name}`, ...key, '-out', file(`${name}.crt`), ...words]);
    if (made.status !== 0) throw new Error(`openssl failed: ${made.stderr ?? made.error}`);
  };
  make('authority');
  const signed = ['-CA', file('authority.crt'), '-CAkey', file('authority.key')];
  make('mail', ...signed, '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE');
  return { authority: file('authority.crt'), mail: [file('mail.crt'), file('mail.key')] };
}

test('a mail server behind TLS is given the password, one with an unknown certificate is not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-mail-'));
  const made = certificates(folder);
  const [name, password] = ['parley', 'hush: "hush"'];
  const post = await MailServer.start(0, '--login', `${name}:${password}`, '--tls', ...made.mail);
  const env = {
    PARLEY_SMTP_URL: `smtps://127.0.0.1:${post.port}`,
    PARLEY_SMTP_FROM: FROM,
    PARLEY_SMTP_USERNAME: name,
    PARLEY_SMTP_PASSWORD: password,
    PARLEY_LOG: 'trace',
  };
  const careful = await Server.start({ env });
  try {
    const people = await makeProject(careful);
    const body = { projectId: people.project.id, type: 'scheduled', scheduledAt: inDays(1) };
    await people.client.expect(201, 'POST', '/meetings', body);
    await until(() => /no TLS connection|can't be reached/.test(careful.log()), 'no complaint about the certificate');
    assert.deepEqual(post.mails, [], 'it heard nothing');

    await careful.end();
    careful.env.SSL_CERT_FILE = made.authority;
    await careful.launch();
    const found = await post.with('Meeting on', 2);
    for (const mail of found) check(mail, people);
    const logins = post.mails.filter((told) => told.login);
    assert.ok(logins.length >= 2 && logins.every((login) => login.right), JSON.stringify(logins));
    assert.ok(!careful.log().includes('hush'), 'the password is in no log');
  } finally {
    await careful.dispose();
    await post.end();
    rmSync(folder, { recursive: true, force: true });
  }
});

async function until(holds, complaint) {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(complaint);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function noAddressIn(log, ...people) {
  for (const person of people) assert.ok(!log.includes(person.user.email), 'no address of a person');
  assert.ok(!log.includes('parley@server.test'), "nor the server's own");
}
