// A client and a provider with nothing but fetch and the stock socket.io-client, from sign-up to the end of a call.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { aProposal, aRequest, call, register } from '../lib/api.mjs';
import { Server } from '../lib/server.mjs';
import { Line } from '../lib/socket.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let server;
before(async () => {
  server = await Server.start();
});
after(async () => server?.dispose());

for (const transport of ['websocket', 'polling']) {
  describe(`over ${transport}`, () => {
    let client, provider, proposal, project, conversation, meeting;
    const lines = {};
    after(() => Object.values(lines).forEach((line) => line.close()));

    test('two people sign up, and a provider needs approval before proposing', async () => {
      client = await register(server.base, 'client', 'Clara Client');
      provider = await register(server.base, 'provider', 'Paul Provider');
      assert.equal(client.user.role, 'client');
      assert.equal(provider.user.approved, false);
      const request = await client.expect(201, 'POST', '/requests', aRequest);
      assert.match(request.id, UUID);
      assert.match(request.createdAt, INSTANT);
      assert.equal(request.status, 'OPEN');
      const early = await provider.ask('POST', `/requests/${request.id}/proposals`, aProposal());
      assert.deepEqual([early.status, early.body.code], [403, 'PROVIDER_NOT_APPROVED']);
      await server.approve(provider);
      const open = await provider.expect(200, 'GET', '/requests');
      assert.ok(open.items.some((item) => item.id === request.id), 'providers see open requests');
      proposal = await provider.expect(201, 'POST', `/requests/${request.id}/proposals`, aProposal());
      assert.equal(proposal.status, 'PENDING');
      const offers = await client.expect(200, 'GET', `/requests/${request.id}/proposals`);
      assert.deepEqual(offers.items.map((offer) => offer.id), [proposal.id]);
    });

    test('the client accepts, the terms are locked, a second accept is refused', async () => {
      const answer = await client.expect(201, 'POST', `/proposals/${proposal.id}/accept`);
      ({ project, conversation } = answer);
      assert.deepEqual(project.price, proposal.price);
      assert.equal(project.scope, proposal.scope);
      assert.equal(project.deadline, proposal.deadline);
      assert.match(project.termsHash, /^[0-9a-f]{64}$/);
      assert.deepEqual(conversation.participants.map((one) => one.userId).sort(), [client.id, provider.id].sort());
      const again = await client.ask('POST', `/proposals/${proposal.id}/accept`);
      assert.equal(again.status, 409);
      assert.ok(['PROPOSAL_NOT_PENDING', 'REQUEST_NOT_OPEN'].includes(again.body.code), again.body.code);
      const seen = await provider.expect(200, 'GET', `/projects/${project.id}`);
      assert.equal(seen.termsHash, project.termsHash);
    });

    test('both connect and hear of each other', async () => {
      lines.client = await Line.open(server.base, client.token, { transports: [transport] });
      lines.provider = await Line.open(server.base, provider.token, { transports: [transport] });
      for (const line of [lines.client, lines.provider]) {
        const joined = await line.ask('join', { conversationId: conversation.id });
        assert.equal(joined.ok, true, JSON.stringify(joined));
      }
      const presence = await lines.client.next('presence:update', (one) => one.userId === provider.id && one.online);
      assert.equal(presence.lastSeenAt, null);
    });

    test('messages arrive once, in order, at every socket, and a repeated clientId makes no second one', async () => {
      const sent = [];
      for (let number = 0; number < 10; number += 1) {
        const person = number % 2 ? client : provider;
        const body = { conversationId: conversation.id, content: `message ${number}\nسلام 👋`, type: 'text', clientId: `${transport}-${number}` };
        const first = await person.ask('POST', '/messages', body);
        assert.equal(first.status, 201, JSON.stringify(first.body));
        const second = await person.ask('POST', '/messages', body);
        assert.deepEqual([second.status, second.body.id], [200, first.body.id]);
        sent.push(first.body);
      }
      for (const line of [lines.client, lines.provider]) {
        await line.until(() => line.all('message:new').length >= sent.length, 'not every message:new');
        const got = line.all('message:new');
        assert.deepEqual(got.map((message) => message.id), sent.map((message) => message.id));
        assert.deepEqual(got.map((message) => message.content), sent.map((message) => message.content));
        assert.deepEqual(got.map((message) => message.seq), [...got.map((message) => message.seq)].sort((a, b) => a - b));
      }
      const page = await client.expect(200, 'GET', `/messages/conversation/${conversation.id}?limit=4`);
      assert.deepEqual(page.items.map((message) => message.id), sent.slice(-4).map((message) => message.id));
      const older = await client.expect(200, 'GET', `/messages/conversation/${conversation.id}?limit=4&cursor=${encodeURIComponent(page.nextCursor)}`);
      assert.deepEqual(older.items.map((message) => message.id), sent.slice(2, 6).map((message) => message.id));
      const later = await client.expect(200, 'GET', `/messages/conversation/${conversation.id}?after=${sent[6].seq}`);
      assert.deepEqual(later.items.map((message) => message.id), sent.slice(7).map((message) => message.id));
    });

    test('typing reaches the other side only', async () => {
      const started = await lines.client.ask('conversation:typing', { conversationId: conversation.id, isTyping: true });
      assert.equal(started.ok, true, JSON.stringify(started));
      const heard = await lines.provider.next('conversation:typing', (one) => one.isTyping);
      assert.deepEqual(heard, { conversationId: conversation.id, isTyping: true, userId: client.id });
      await lines.client.ask('conversation:typing', { conversationId: conversation.id, isTyping: false });
      await lines.provider.next('conversation:typing', (one) => !one.isTyping);
      assert.deepEqual(lines.client.all('conversation:typing'), [], 'no echo to the one who types');
    });

    test('reading is told to both, and a mark never goes back', async () => {
      const { items } = await provider.expect(200, 'GET', `/messages/conversation/${conversation.id}`);
      const newest = items.at(-1);
      const answer = await lines.provider.ask('message:read', { conversationId: conversation.id, messageId: newest.id });
      assert.equal(answer.ok, true, JSON.stringify(answer));
      for (const line of [lines.client, lines.provider]) {
        const read = await line.next('message:read', (one) => one.userId === provider.id);
        assert.equal(read.messageId, newest.id);
        const mark = await line.next('conversation:read', (one) => one.userId === provider.id);
        assert.equal(mark.lastReadMessageId, newest.id);
        assert.match(mark.readAt, INSTANT);
      }
      const back = await provider.expect(200, 'PATCH', `/messages/conversation/${conversation.id}/read`, { upToMessageId: items[0].id });
      assert.deepEqual([back.updated, back.lastReadMessageId], [false, newest.id]);
      const list = await provider.expect(200, 'GET', '/conversations');
      assert.equal(list.items.find((one) => one.id === conversation.id).unreadCount, 0);
    });

    test('a call rings, is answered and joined with the token', async () => {
      meeting = await client.expect(201, 'POST', '/meetings', { projectId: project.id, type: 'instant' });
      assert.equal(meeting.meetingId, meeting.id);
      assert.equal(meeting.status, 'PENDING');
      const invite = await lines.provider.next('meeting:invite', (one) => one.meetingId === meeting.id);
      assert.deepEqual([invite.hostId, invite.hostName, invite.type], [client.id, 'Clara Client', 'instant']);
      assert.ok(invite.expiresInSeconds > 0 && invite.expiresInSeconds <= 45, `${invite.expiresInSeconds}`);
      const crossing = await provider.ask('POST', '/meetings', { projectId: project.id, type: 'instant' });
      assert.deepEqual([crossing.status, crossing.body.code, crossing.body.meetingId], [409, 'MEETING_IN_PROGRESS', meeting.id]);
      const accepted = await lines.provider.ask('meeting:accept', { meetingId: meeting.id });
      assert.equal(accepted.ok, true, JSON.stringify(accepted));
      const started = {};
      for (const [who, line] of Object.entries(lines)) {
        started[who] = await line.next('meeting:started', (one) => one.meetingId === meeting.id);
        assert.match(started[who].token, /^007/);
        const joined = await line.ask('call:join', { meetingId: meeting.id, token: started[who].token });
        assert.equal(joined.ok, true, JSON.stringify(joined));
      }
      assert.notEqual(started.client.uid, started.provider.uid);
      assert.equal(started.client.channelName, started.provider.channelName);
      const foreign = await lines.client.ask('call:join', { meetingId: meeting.id, token: started.provider.token });
      assert.equal(foreign.ok, false, "the other person's token opens nothing");
    });

    test('signals and states go to the peer and to nobody else', async () => {
      const data = { kind: 'offer', sdp: 'v=0', nested: [1, { two: 3 }] };
      const sent = await lines.client.ask('call:signal', { meetingId: meeting.id, data });
      assert.equal(sent.ok, true, JSON.stringify(sent));
      const signal = await lines.provider.next('call:signal');
      assert.deepEqual(signal, { meetingId: meeting.id, data });
      assert.deepEqual(lines.client.all('call:signal'), []);
      await lines.provider.ask('call:state', { meetingId: meeting.id, camera: true, microphone: false, screen: false });
      const state = await lines.client.next('call:state', (one) => one.userId === provider.id);
      assert.deepEqual([state.camera, state.microphone, state.screen], [true, false, false]);
    });

    test('hanging up ends it for both, and the token door is shut', async () => {
      const ended = await provider.expect(200, 'PATCH', `/meetings/${meeting.id}/end`);
      assert.deepEqual([ended.status, ended.endReason], ['COMPLETED', 'ended']);
      for (const line of [lines.client, lines.provider]) {
        const told = await line.next('meeting:ended', (one) => one.meetingId === meeting.id);
        assert.deepEqual([told.status, told.endReason], ['COMPLETED', 'ended']);
        assert.ok(Number.isInteger(told.duration) && told.duration >= 0, `${told.duration}`);
      }
      const token = await client.ask('GET', `/meetings/${meeting.id}/token`);
      assert.deepEqual([token.status, token.body.code], [409, 'MEETING_NOT_OPEN']);
      const again = await client.ask('PATCH', `/meetings/${meeting.id}/end`);
      assert.deepEqual([again.status, again.body.code], [409, 'MEETING_STATE']);
      const silent = await lines.client.ask('call:signal', { meetingId: meeting.id, data: {} });
      assert.equal(silent.ok, false);
    });

    test('a closed project takes no more messages', async () => {
      await client.expect(200, 'PATCH', `/projects/${project.id}/complete`);
      const late = await provider.ask('POST', '/messages', { conversationId: conversation.id, content: 'late', type: 'text', clientId: 'late' });
      assert.deepEqual([late.status, late.body.code], [409, 'PROJECT_NOT_ACTIVE']);
      const history = await provider.expect(200, 'GET', `/messages/conversation/${conversation.id}`);
      assert.equal(history.items.length, 10);
    });
  });
}

test('the same routes answer without the version in the path', async () => {
  const person = await register(server.base, 'client');
  const me = await call(server.base, 'GET', '/api/users/me', { token: person.token });
  assert.deepEqual([me.status, me.body.id], [200, person.id]);
});
