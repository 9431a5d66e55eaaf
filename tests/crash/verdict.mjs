// After a restart: what was acknowledged is there, once and whole, and everybody sees the same.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

import { RANK } from '../lib/device.mjs';
import { answered } from './people.mjs';

const SAME_WITHIN_MS = 20_000;
/**
 * A stock client that was moving from polling to a WebSocket when the server died keeps the polling line, which it has
 * paused, for open: only the missing ping tells it, 25 s and 20 s of patience after it connected (Engine.IO's defaults).
 */
const BACK_WITHIN_MS = 60_000;
const MINUTE_MS = 60_000;
/** How late a reminder may be: the server looks every half second. */
const REMINDER_WITHIN_MS = 10_000;

/** Everybody is back, has sent what was not confirmed, and can still renew the sign-in. */
export async function everybodyComesBack(world) {
  await Promise.all(world.people.map((person) => answered(() => person.refresh())));
  await Promise.all(world.devices.map((device) => device.until(() => device.socket.connected && device.isCaughtUp, 'back and caught up', BACK_WITHIN_MS)));
  await Promise.all(world.people.map((person) => person.outboxEmpties()));
  for (const again of world.unanswered.splice(0)) await answered(again);
  await acceptsAreDecided(world);
}

/** What is written after the restart reaches every device as an event, not only those that ask. */
export async function everybodyHears({ pairs, ledger }, number) {
  for (const { client, provider, conversationId } of pairs) {
    const clientId = `message-after-${number}-${client.id}`;
    client.post(conversationId, clientId, `${clientId}: can you hear me?`);
    await client.outboxEmpties();
    const { seq } = ledger.sends.get(clientId).message;
    for (const device of [...client.devices, ...provider.devices]) {
      await device.until(() => (device.newest.get(conversationId) ?? 0) >= seq, `told of message ${clientId} by its socket`);
    }
  }
}

/** An accept that was not answered happened or did not; asked again, exactly one wins in the end. */
async function acceptsAreDecided({ ledger }) {
  for (const bargain of ledger.bargains.filter((one) => one.again)) {
    const { again, client, title } = bargain;
    delete bargain.again;
    const before = await projectsOf(client, bargain.requestId);
    if (bargain.accepted) assert.equal(before[0]?.id, bargain.accepted.project.id, `${title}: the acknowledged project`);
    for (const proposal of bargain.proposals.slice(0, 2)) await answered(() => again(proposal));
    const after = await projectsOf(client, bargain.requestId);
    assert.equal(after.length, 1, `${title} has one project`);
    if (before.length) assert.equal(after[0].id, before[0].id, `${title} keeps its project`);
    bargain.accepted ??= { project: after[0] };
  }
}

async function projectsOf(client, requestId) {
  return (await pages(client, '/projects')).filter((project) => project.requestId === requestId);
}

async function pages(person, path) {
  const items = [];
  let cursor = null;
  do {
    const more = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await person.expect(200, 'GET', `${path}?limit=100${more}`);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

async function history(person, conversationId) {
  const found = [];
  for (;;) {
    const page = await person.expect(200, 'GET', `/messages/conversation/${conversationId}?limit=100&after=${found.at(-1)?.seq ?? 0}`);
    if (page.items.length === 0) return found;
    found.push(...page.items);
  }
}

export async function everythingIsThere(world) {
  const histories = new Map();
  for (const pair of world.pairs) histories.set(pair.conversationId, await history(pair.client, pair.conversationId));
  messagesAreThereOnce(world, histories);
  await readsNeverWentBack(world);
  const meetings = await everyMeeting(world);
  meetingsWentOn(world, meetings);
  await nobodyAskedForMore(world, meetings);
  await projectsAreWhole(world);
  await uploadsAreWhole(world);
  await remindersCame(world);
  await viewsAreTheSame(world, histories);
}

function messagesAreThereOnce({ ledger }, histories) {
  const byClientId = new Map();
  for (const [conversationId, messages] of histories) {
    assert.deepEqual(messages.map((one) => one.seq), messages.map((_, index) => index + 1), `${conversationId}: seq without gaps`);
    for (const message of messages) {
      assert.ok(!byClientId.has(message.clientId), `${message.clientId} is there twice`);
      byClientId.set(message.clientId, message);
    }
  }
  for (const [clientId, send] of ledger.sends) {
    const found = byClientId.get(clientId);
    assert.ok(found, `${clientId} was ${send.message ? 'acknowledged' : 'in an outbox'} and is not there`);
    assert.ok(send.message, `${clientId} is still unconfirmed`);
    assert.deepEqual([found.id, found.seq, found.senderId], [send.message.id, send.message.seq, send.by], clientId);
    const text = ledger.texts.get(found.id);
    const shown = found.deletedAt ? null : found.content;
    assert.ok(text ? text.allows(shown) : shown === send.content, `${clientId} ${found.id} shows ${shown}; ${text ?? send.content}`);
    text?.confirm(shown);
  }
  assert.equal(byClientId.size, ledger.sends.size, 'nothing is there that nobody sent');
}

async function readsNeverWentBack({ pairs, ledger }) {
  for (const { client, conversationId } of pairs) {
    const conversation = await client.expect(200, 'GET', `/conversations/${conversationId}`);
    for (const { userId, lastReadSeq } of conversation.participants) {
      const floor = ledger.reads.get(`${conversationId}/${userId}`) ?? 0;
      assert.ok(lastReadSeq >= floor, `${userId} had read ${conversationId} up to ${floor}, now ${lastReadSeq}`);
    }
  }
}

/** By id; read in pages, since those that wait for their time pile up. */
async function everyMeeting({ people }) {
  const found = new Map();
  for (const person of people) {
    for (const meeting of await pages(person, '/meetings/me')) found.set(meeting.id, meeting);
  }
  return found;
}

function meetingsWentOn({ ledger }, meetings) {
  for (const [id, known] of ledger.meetings) {
    if (known.isSettled) continue;
    const was = known.meeting;
    const now = meetings.get(id);
    assert.ok(now, `meeting ${id} was acknowledged`);
    assert.ok(RANK[now.status] >= RANK[was.status], `meeting ${id} was ${was.status} and is ${now.status}`);
    if (RANK[was.status] === 2) {
      const end = ({ status, endReason, endedAt, duration }) => ({ status, endReason, endedAt, duration });
      assert.deepEqual(end(now), end(was), `meeting ${id} ended once`);
      known.isSettled = true;
    }
    if (was.acceptedAt && was.scheduledAt === now.scheduledAt) assert.equal(now.acceptedAt, was.acceptedAt, `meeting ${id} was answered`);
    assert.ok(known.time.allows(now.scheduledAt), `meeting ${id} is at ${now.scheduledAt}; ${known.time}`);
    known.time.confirm(now.scheduledAt);
    ledger.meeting(now);
  }
}

/** Each call and request that was asked for under a key is there once, however often it was asked for. */
async function nobodyAskedForMore({ clients, ledger }, meetings) {
  for (const meeting of meetings.values()) {
    assert.ok(ledger.meetings.has(meeting.id), `meeting ${meeting.id}, made at ${meeting.createdAt}, is one that nobody knows of`);
  }
  for (const client of clients) {
    const titles = (await pages(client, '/requests')).map((request) => request.title);
    assert.equal(new Set(titles).size, titles.length, `${client.user.name} has a request twice`);
    const mine = ledger.bargains.filter((bargain) => bargain.client === client).map((bargain) => bargain.title);
    const standing = titles.filter((title) => title.startsWith('standing request'));
    assert.deepEqual(titles.toSorted(), [...mine, ...standing].sort(), `${client.user.name}'s requests`);
  }
}

async function projectsAreWhole({ ledger, providers }) {
  for (const bargain of ledger.bargains.filter((one) => !one.isSettled)) {
    const { client, requestId, title, accepted } = bargain;
    const request = await client.expect(200, 'GET', `/requests/${requestId}`);
    const proposals = await client.expect(200, 'GET', `/requests/${requestId}/proposals`);
    const statuses = proposals.items.map((one) => one.status).sort();
    const shown = new Set(proposals.items.map((one) => one.id));
    for (const proposal of bargain.proposals) assert.ok(shown.has(proposal.id), `${title}: proposal ${proposal.id} was acknowledged`);
    if (!accepted) {
      assert.equal(request.status, 'OPEN', title);
      assert.ok(statuses.every((status) => status === 'PENDING'), `${title}: ${statuses}`);
    } else {
      const project = await client.expect(200, 'GET', `/projects/${accepted.project.id}`);
      assert.deepEqual([request.status, project.requestId], ['CONVERTED', requestId], title);
      assert.deepEqual(statuses, ['ACCEPTED', ...providers.slice(1).map(() => 'REJECTED')], title);
      assert.equal(project.termsHash, accepted.project.termsHash, `${title}: the terms`);
      const conversation = await client.expect(200, 'GET', `/conversations/project/${project.id}`);
      const people = conversation.participants.map((one) => one.userId).sort();
      assert.deepEqual(people, [project.clientId, ...project.providerIds].sort(), `${title}: the people`);
    }
    bargain.isSettled = true;
  }
}

async function uploadsAreWhole({ ledger }) {
  for (const upload of ledger.uploads.values()) {
    if (upload.isSettled) continue;
    const sent = upload.clientId && ledger.sends.get(upload.clientId).message;
    // What was sent goes with its message.
    if (sent && ledger.texts.get(sent.id)?.acknowledged === null) {
      upload.isSettled = true;
      continue;
    }
    const response = await fetch(`${upload.by.base}/api/v1/attachments/${upload.id}`, { headers: { authorization: `Bearer ${upload.by.token}` } });
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.equal(response.status, 200, `upload ${upload.id}: ${bytes.subarray(0, 200)}`);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), upload.sha256, `upload ${upload.id} has its ${upload.size} bytes`);
    if (sent) assert.deepEqual(sent.attachments.map((one) => one.id), [upload.id], `message ${upload.clientId} carries its file`);
    upload.isSettled = true;
  }
}

/**
 * Whoever has a meeting that stands until its reminder is due knows that reminder, once for each time that it had. Those
 * that somebody moved, answered or called off have at most so many.
 */
async function remindersCame({ ledger, people }) {
  for (const [id, known] of ledger.meetings) {
    const { meeting, times } = known;
    if (meeting.type !== 'scheduled' || known.isReminded) continue;
    const due = Date.parse(meeting.scheduledAt) - MINUTE_MS;
    // Armed for what is still ahead when the time is set; answering sets `updatedAt` anew, which only makes this milder.
    const isArmed = due > Date.parse(times.size === 1 ? meeting.createdAt : meeting.updatedAt);
    const mustCome = isArmed && meeting.status === 'PENDING';
    if (mustCome) await pause(Math.max(0, due - Date.now()));
    for (const device of people.filter((one) => [meeting.hostId, meeting.guestId].includes(one.id)).flatMap((one) => one.devices)) {
      const mine = () => [...device.reminders.values()].filter((one) => one.meetingId === id && one.scheduledAt === meeting.scheduledAt);
      if (mustCome) await device.until(() => mine().length > 0, `reminded of meeting ${id}, due ${new Date(due).toISOString()}`, REMINDER_WITHIN_MS);
      assert.ok(mine().length <= 1, `${device.name} has ${mine().length} reminders of meeting ${id} at ${meeting.scheduledAt}`);
      const all = [...device.reminders.values()].filter((one) => one.meetingId === id);
      assert.ok(all.length <= times.size, `${device.name} has ${all.length} reminders of meeting ${id}, which had ${times.size} times`);
    }
    known.isReminded = mustCome || RANK[meeting.status] > 0;
  }
}

/** Every device has exactly the server's history, the meetings' states and the read marks, from events and `/sync`. */
async function viewsAreTheSame(world, histories) {
  for (const pair of world.pairs) {
    const { conversationId } = pair;
    const truth = histories.get(conversationId).map(shownMessage);
    for (const device of [...pair.client.devices, ...pair.provider.devices]) {
      const seen = () => [...device.messages.values()].filter((one) => one.conversationId === conversationId)
        .sort((one, other) => one.seq - other.seq).map(shownMessage);
      await settlesTo(seen, truth, `${device.name}: the history of ${conversationId}`);
    }
  }
  for (const person of world.people) {
    const meetings = await pages(person, '/meetings/me');
    const truth = meetings.map(shownMeeting).sort();
    for (const device of person.devices) {
      await settlesTo(() => [...device.meetings.values()].map(shownMeeting).sort(), truth, `${device.name}: the meetings`);
      assert.deepEqual(device.complaints, [], device.name);
    }
  }
}

const shownMessage = ({ id, seq, content, deletedAt }) => `${seq} ${id} ${deletedAt ? 'deleted' : content}`;
const shownMeeting = ({ id, status, endReason }) => `${id} ${status} ${endReason ?? ''}`;

async function settlesTo(seen, truth, what) {
  const deadline = Date.now() + SAME_WITHIN_MS;
  for (;;) {
    const found = seen();
    if (found.length === truth.length && found.every((one, index) => one === truth[index])) return;
    if (Date.now() > deadline) {
      const missing = truth.filter((one) => !found.includes(one)).slice(0, 5);
      const extra = found.filter((one) => !truth.includes(one)).slice(0, 5);
      assert.fail(`${what} differ: missing ${JSON.stringify(missing)}, too many ${JSON.stringify(extra)}`);
    }
    await pause(25);
  }
}

