// Every calendar answer of a meeting's life, read by Python's icalendar: an invitation, a yes, a new time, the end.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { aProposal, call, inDays, makeProject, register } from '../lib/api.mjs';
import { readCalendars } from '../lib/python.mjs';
import { Server } from '../lib/server.mjs';

/** Whatever breaks a format that was not written with care. */
const NASTY = [
  'Commas, semicolons; colons: and \\backslashes\\n',
  'END:VEVENT BEGIN:VEVENT ATTENDEE;CN=x:mailto:x@y.test',
  '"Quoted" and \'single\' ^n ^\' ^^ "',
  '年次報告書の翻訳と校正、そして最終確認のための打ち合わせを行いましょう。どうぞよろしくお願いいたします',
  '👩‍👩‍👧‍👦'.repeat(20),
  'é'.repeat(36) + ' ' + 'x'.repeat(75) + ' '.repeat(40) + 'y',
  'a'.repeat(66) + '  b ' + 'c'.repeat(74) + 'd',
  '\u202eright to left\u202c ‮ \u200b=?utf-8?q?no?=',
];

let server;
before(async () => {
  server = await Server.start();
});
after(async () => server?.dispose());

async function calendar(person, meeting) {
  const answer = await person.ask('GET', `/meetings/${meeting.id}/calendar.ics`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const [said] = readCalendars([answer.body]);
  assert.equal(answer.headers.get('content-type'), `text/calendar; charset=utf-8; method=${said.method}`);
  assert.match(answer.headers.get('content-disposition'), /^attachment; filename="[a-z]+\.ics"$/);
  assert.ok(Math.abs(said.stamp - Date.now()) < 60_000, 'DTSTAMP is when it was written');
  return said;
}

const schedule = (project, host, days) =>
  host.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'scheduled', scheduledAt: inDays(days) });

const whole = (instant) => Math.floor(Date.parse(instant) / 1000) * 1000;

test('an entry goes from invitation to cancellation under one uid', async () => {
  const { client, provider, project } = await makeProject(server);
  const meeting = await schedule(project, client, 2);
  const path = `/meetings/${meeting.id}`;
  for (const [reader, other] of [[client, provider], [provider, client]]) {
    const invited = await calendar(reader, meeting);
    assert.deepEqual([invited.method, invited.uid, invited.sequence], ['REQUEST', meeting.id, 0]);
    assert.equal(invited.begins, whole(meeting.scheduledAt));
    assert.ok(invited.ends > invited.begins);
    assert.deepEqual(invited.alarms, [900, 60]);
    assert.equal(invited.summary, `Meeting: ${project.title}`);
    const addresses = invited.attendees.map((person) => person.address);
    assert.ok(addresses.includes(`mailto:${reader.user.email}`), 'a reader finds its own address');
    assert.ok(addresses.includes(`urn:uuid:${other.id}`), 'and not the other one');
    assert.ok(!JSON.stringify(invited).includes(other.user.email));
    const guest = invited.attendees.find((person) => person.ROLE === 'REQ-PARTICIPANT');
    assert.deepEqual([guest.PARTSTAT, guest.CN], ['NEEDS-ACTION', provider.user.name]);
    assert.equal(invited.organizer.CN, client.user.name);
  }
  await provider.expect(200, 'PATCH', `${path}/accept`);
  const accepted = await calendar(client, meeting);
  assert.deepEqual([accepted.method, accepted.sequence, accepted.status], ['REQUEST', 0, 'CONFIRMED']);
  assert.deepEqual(accepted.attendees.map((person) => person.PARTSTAT), ['ACCEPTED', 'ACCEPTED']);

  const moved = await client.expect(200, 'PATCH', path, { scheduledAt: inDays(3) });
  const update = await calendar(provider, meeting);
  assert.deepEqual([update.method, update.uid, update.sequence], ['REQUEST', meeting.id, 1]);
  assert.equal(update.begins, whole(moved.scheduledAt));
  assert.equal(update.attendees.find((person) => person.ROLE === 'REQ-PARTICIPANT').PARTSTAT, 'NEEDS-ACTION');

  assert.equal((await client.ask('DELETE', path)).status, 204);
  const off = await calendar(provider, meeting);
  assert.deepEqual([off.method, off.uid, off.sequence, off.status], ['CANCEL', meeting.id, 2, 'CANCELLED']);
  assert.deepEqual(off.alarms, []);
});

test('a declined one and one of a closed project are cancelled for calendars', async () => {
  const { client, provider, project } = await makeProject(server);
  const declined = await schedule(project, client, 2);
  const left = await schedule(project, provider, 3);
  await provider.expect(200, 'PATCH', `/meetings/${declined.id}/decline`);
  const no = await calendar(client, declined);
  assert.deepEqual([no.method, no.sequence], ['CANCEL', 1]);
  assert.equal(no.attendees.find((person) => person.ROLE === 'REQ-PARTICIPANT').PARTSTAT, 'DECLINED');
  await client.expect(200, 'PATCH', `/projects/${project.id}/cancel`);
  const closed = await calendar(provider, left);
  assert.deepEqual([closed.method, closed.sequence, closed.status], ['CANCEL', 1, 'CANCELLED']);
});

test('one that took place stays in the calendar', async () => {
  const { client, provider, project } = await makeProject(server);
  const meeting = await schedule(project, client, 5 / 24 / 60);
  await provider.expect(200, 'PATCH', `/meetings/${meeting.id}/accept`);
  await client.expect(200, 'PATCH', `/meetings/${meeting.id}/start`);
  const running = await calendar(client, meeting);
  await provider.expect(200, 'PATCH', `/meetings/${meeting.id}/end`);
  const over = await calendar(provider, meeting);
  for (const said of [running, over]) assert.deepEqual([said.method, said.sequence, said.status], ['REQUEST', 0, 'CONFIRMED']);
});

test('whatever people typed is read as they typed it', async () => {
  const client = await register(server.base, 'client', 'Cleo');
  const provider = await register(server.base, 'provider', 'Pat');
  await server.approve(provider);
  for (const title of NASTY) {
    const name = [...title].slice(0, 100).join('').trim();
    for (const person of [client, provider]) await person.expect(200, 'PATCH', '/users/me', { name });
    const request = await client.expect(201, 'POST', '/requests', { title, description: 'All of it.' });
    const proposal = await provider.expect(201, 'POST', `/requests/${request.id}/proposals`, aProposal());
    const { project } = await client.expect(201, 'POST', `/proposals/${proposal.id}/accept`);
    const meeting = await schedule(project, client, 1);
    const said = await calendar(provider, meeting);
    assert.equal(said.summary, `Meeting: ${project.title}`);
    assert.deepEqual([said.organizer.CN, ...said.attendees.map((person) => person.CN)], [name, name, name]);
    assert.ok(said.description.includes(project.title), said.description);
    assert.equal(said.attendees.length, 2);
    await client.ask('DELETE', `/meetings/${meeting.id}`);
    assert.equal((await calendar(client, meeting)).method, 'CANCEL');
  }
});

test('a call without a time and a stranger get a problem instead', async () => {
  const { client, project } = await makeProject(server);
  const stranger = await register(server.base, 'client');
  const meeting = await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'instant' });
  for (const person of [client, stranger]) {
    const answer = await person.ask('GET', `/meetings/${meeting.id}/calendar.ics`);
    assert.deepEqual([answer.status, answer.body.code], [404, 'NOT_FOUND']);
  }
  const anonymous = await call(server.base, 'GET', `/api/v1/meetings/${meeting.id}/calendar.ics`);
  assert.equal(anonymous.status, 401);
});
