// The machine's clock is set while the server runs, as a suspended laptop or a wrong time server does: by libfaketime,
// which changes what the real program gets for the time of day and leaves the monotonic clock alone.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { inspectRemains } from '../crash/database.mjs';
import { login, makeProject } from '../lib/api.mjs';
import { Server } from '../lib/server.mjs';
import { Line } from '../lib/socket.mjs';

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;
/** The server looks at least every twenty seconds. */
const NOTICED_WITHIN_MS = 40_000;
const PASSWORD = 'correct horse battery';

/** Where Debian keeps it, whatever the processor. */
function library() {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib').map((name) => join('/usr/lib', name, 'faketime')) : [];
  return folders.map((folder) => join(folder, 'libfaketimeMT.so.1')).find(existsSync);
}
const needsFaketime = { skip: library() ? false : 'needs libfaketime' };

const folder = mkdtempSync(join(tmpdir(), 'parley-clock-'));
const setting = join(folder, 'time');

/** The server's clock is that many seconds ahead of ours from now on. */
function setAhead(seconds) {
  writeFileSync(`${setting}.new`, `${seconds < 0 ? '' : '+'}${seconds}`);
  renameSync(`${setting}.new`, setting);
}

let server;
before(async () => {
  if (!library()) return;
  setAhead(0);
  const env = { LD_PRELOAD: library(), FAKETIME_TIMESTAMP_FILE: setting, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' };
  server = await Server.start({ env });
});
after(async () => {
  await server?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Tokens that were good a moment ago may have ended, or not begun. */
const signedIn = (person) => login(server.base, person.user.email, PASSWORD);

test('messages keep their order and calls their length, a year ahead and a year back', needsFaketime, async (context) => {
  const { client, provider, project, conversation } = await makeProject(server);
  const line = await Line.open(server.base, provider.token);
  context.after(() => line.close());
  const meeting = await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'instant' });
  await line.next('meeting:invite', (invite) => invite.meetingId === meeting.id);
  const said = [];
  for (const ahead of [0, 400 * DAY, -400 * DAY, 60 * MINUTE]) {
    setAhead(ahead);
    const person = await signedIn(client);
    const content = `${ahead} seconds ahead`;
    const message = await person.expect(201, 'POST', '/messages', { conversationId: conversation.id, content, type: 'text', clientId: content });
    said.push(content);
    assert.equal(message.seq, said.length);
    assert.ok(Math.abs(Date.parse(message.createdAt) - Date.now() - ahead * 1000) < 60_000, `the clock was set: ${message.createdAt}`);
    const { items } = await person.expect(200, 'GET', `/messages/conversation/${conversation.id}`);
    assert.deepEqual(items.map((one) => one.content), said, 'in the order in which they came');
    await line.next('message:new', (one) => one.id === message.id);
  }
  assert.deepEqual(line.all('meeting:ended'), [], 'it rings by another clock');
  const guest = await signedIn(provider);
  const begun = await guest.expect(200, 'PATCH', `/meetings/${meeting.id}/accept`);
  assert.equal(begun.status, 'ACTIVE');
  setAhead(-DAY);
  const ended = await (await signedIn(client)).expect(200, 'PATCH', `/meetings/${meeting.id}/end`);
  assert.equal(ended.status, 'COMPLETED');
  assert.ok(ended.duration >= 0 && ended.duration < 60, `${ended.duration} s`);
  setAhead(0);
});

test('each reminder comes once, however the clock goes there and back', needsFaketime, async (context) => {
  setAhead(0);
  const { client, provider, project } = await makeProject(server);
  const cursors = await Promise.all([client, provider].map(async (person) => (await person.expect(200, 'GET', '/sync')).nextCursor));
  const lines = await Promise.all([client, provider].map((person) => Line.open(server.base, person.token)));
  context.after(() => lines.forEach((line) => line.close()));
  const at = (minutes) => new Date(Date.now() + minutes * MINUTE * 1000).toISOString();
  const plan = (minutes) => client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'scheduled', scheduledAt: at(minutes) });
  const [first, second] = [await plan(20), await plan(22)];
  const later = { projectId: project.id, type: 'scheduled', scheduledAt: at(600) };
  const reminded = (line, meeting) => line.all('meeting:reminder').filter((one) => one.meetingId === meeting.id);
  const comes = (meeting, times) =>
    Promise.all(lines.map((line) => line.until(() => reminded(line, meeting).length >= times, `not ${times} reminders of ${meeting.id}`, NOTICED_WITHIN_MS)));

  // A reminder of the second shows each time that the server has looked again since the first's.
  for (const [ahead, meeting, times] of [[6, first, 1], [8, second, 1], [19.5, first, 2], [21.5, second, 2]]) {
    setAhead(-DAY);
    // Whatever is scheduled makes the server look at once; the first time it has to notice by itself.
    if (times > 1 || meeting === second) await (await signedIn(client)).expect(201, 'POST', '/meetings', later);
    setAhead(ahead * MINUTE);
    if (times > 1 || meeting === second) await (await signedIn(client)).expect(201, 'POST', '/meetings', later);
    await comes(meeting, times);
  }
  const killed = server.child.pid;
  await server.end('SIGKILL');
  // What the library had no chance to put away.
  for (const left of [`faketime_shm_${killed}`, `sem.faketime_sem_${killed}`]) rmSync(join('/dev/shm', left), { force: true });
  inspectRemains(server.folder);
  setAhead(-DAY);
  await server.launch();
  setAhead(21.6 * MINUTE);
  for (const [index, person] of [client, provider].entries()) {
    for (const meeting of [first, second]) {
      const ids = reminded(lines[index], meeting).map((one) => one.reminderId);
      assert.equal(ids.length, 2, 'no reminder came twice');
      assert.equal(new Set(ids).size, 2);
    }
    const known = await (await signedIn(person)).expect(200, 'GET', `/sync?limit=100&since=${encodeURIComponent(cursors[index])}`);
    const kept = known.changes.filter((change) => change.kind === 'reminder').map((change) => change.reminder.reminderId);
    assert.deepEqual(kept.sort(), lines[index].all('meeting:reminder').map((one) => one.reminderId).sort(), 'what was sent is in /sync, once');
  }
  setAhead(0);
});
