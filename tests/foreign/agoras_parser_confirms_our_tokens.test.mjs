// Agora's own package reads what the server mints and confirms the signature.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { makeProject } from '../lib/api.mjs';
import { Server } from '../lib/server.mjs';

const require = createRequire(import.meta.url);
const { AccessToken2, kRtcServiceType } = require('agora-token/src/AccessToken2.js');

const APP_ID = '0123456789abcdef0123456789ABCDEF';
const CERTIFICATE = 'fedcba9876543210fedcba9876543210';
const RTC = kRtcServiceType ?? 1;

let server;
before(async () => {
  server = await Server.start({ env: { AGORA_APP_ID: APP_ID, AGORA_APP_CERTIFICATE: CERTIFICATE } });
});
after(async () => server?.dispose());

function read(text) {
  const token = new AccessToken2('', '', 0, 0);
  assert.equal(token.from_string(text), true, 'Agora reads it');
  assert.equal(token.verifySignature(CERTIFICATE), true, 'and confirms the signature');
  return token;
}

/** Everything that a token says, checked; gives back when it ends, in seconds. */
function confirm(text, channelName, uid) {
  const token = read(text);
  assert.equal(String(token.appId), APP_ID);
  const services = token.getServices(RTC);
  assert.equal(services.length, 1);
  const [rtc] = services;
  assert.equal(`${rtc.__channel_name}`, channelName);
  assert.equal(`${rtc.__uid}`, String(uid));
  assert.deepEqual(Object.keys(rtc.__privileges).map(Number).sort(), [1, 2, 3, 4]);
  const now = Date.now() / 1000;
  const end = token.issueTs + token.expire;
  assert.ok(token.expire <= 3600, `${token.expire} s`);
  assert.ok(end > now && end <= now + 3600 + 2, `ends in ${end - now} s`);
  assert.ok(Object.values(rtc.__privileges).every((seconds) => seconds > 0 && seconds <= token.expire));
  assert.match(channelName, /^[a-zA-Z0-9 !#$%&()+\-:;<=.>?@[\]^_{}|~,]{1,63}$/);
  assert.ok(Number.isInteger(uid) && uid > 0 && uid < 2 ** 32);
  return end;
}

test('both people and both screens get tokens that Agora accepts', async () => {
  const { client, provider, project } = await makeProject(server);
  const meeting = await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'instant' });
  assert.equal(meeting.engine, 'agora');
  const uids = new Set();
  for (const person of [client, provider]) {
    const answer = await person.expect(200, 'GET', `/meetings/${meeting.id}/token`);
    assert.equal(answer.appId, APP_ID);
    assert.equal(answer.engine, 'agora');
    for (const { token: text, uid } of [answer, answer.screen]) {
      const end = confirm(text, answer.channelName, uid);
      assert.ok(Math.abs(Date.parse(answer.expiresAt) / 1000 - end) <= 1 || uid !== answer.uid, 'expiresAt says the same');
      uids.add(uid);
    }
  }
  assert.equal(uids.size, 4, 'two people and two screens are four');
  const again = await client.expect(200, 'GET', `/meetings/${meeting.id}/token`);
  assert.ok(uids.has(again.uid), 'a renewed token keeps the uid');
  assert.match(again.channelName, /^[a-zA-Z0-9 !#$%&()+\-:;<=.>?@[\]^_{}|~,]{1,63}$/);
});

test('a thousand meetings have a thousand channels, and every token is for its own', async () => {
  const { client, project } = await makeProject(server);
  const [MEETINGS, AT_ONCE] = [1_000, 8];
  // A scheduled meeting opens to its host ten minutes before.
  const scheduledAt = new Date(Date.now() + 9 * 60_000).toISOString();
  const [channels, uids, texts] = [new Set(), new Set(), new Set()];
  let begun = 0;
  const worker = async () => {
    while (begun < MEETINGS) {
      begun += 1;
      const meeting = await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'scheduled', scheduledAt });
      const answer = await client.expect(200, 'GET', `/meetings/${meeting.id}/token`);
      channels.add(answer.channelName);
      for (const { token: text, uid } of [answer, answer.screen]) {
        confirm(text, answer.channelName, uid);
        texts.add(text);
        uids.add(uid);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  assert.deepEqual([channels.size, texts.size], [MEETINGS, 2 * MEETINGS], 'none twice');
  // Drawn from 32 bits: that two of two thousand fall together is likely once in two thousand runs, a dozen never.
  assert.ok(uids.size > 2 * MEETINGS - 12, `${uids.size} uids`);
});

test('the certificate is in no answer and no log', async () => {
  const { client, project } = await makeProject(server);
  const meeting = await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'instant' });
  for (const path of [`/meetings/${meeting.id}`, `/meetings/${meeting.id}/token`, `/meetings/project/${project.id}`]) {
    const { body } = await client.ask('GET', path);
    assert.ok(!JSON.stringify(body).includes(CERTIFICATE), path);
  }
  assert.ok(!server.log().includes(CERTIFICATE));
});
