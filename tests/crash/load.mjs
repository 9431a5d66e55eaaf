// Mixed load from several people at once. Each worker goes on until it is told to stop or its call is not answered;
// what was acknowledged goes into the ledger.

import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

import { aProposal, aRequest } from '../lib/api.mjs';
import { Random } from './random.mjs';

/** The shorter of the usual reminders comes one minute before: this far ahead it is due in a moment. */
const MINUTE_MS = 60_000;
/** The server lets one person have fifty files that wait for their message, those included whose answer was lost. */
const MOST_UNSENT = 20;

export class Load {
  constructor(world, round) {
    Object.assign(this, { world, round, ledger: world.ledger, isStopped: false, count: 0 });
  }

  start() {
    const { world } = this;
    const workers = [];
    for (const pair of world.pairs) {
      for (const person of [pair.client, pair.provider]) {
        workers.push(this.repeat(`send ${person.user.name}`, (chance) => this.send(pair, person, chance)));
        workers.push(this.repeat(`read ${person.user.name}`, (chance) => this.read(pair, person, chance)));
        workers.push(this.repeat(`edit ${person.user.name}`, (chance) => this.edit(person, chance)));
        workers.push(this.repeat(`sign ${person.user.name}`, (chance) => this.sign(person, chance)));
        workers.push(this.repeat(`upload ${person.user.name}`, (chance) => this.upload(pair, person, chance)));
      }
      workers.push(this.repeat(`call ${pair.client.user.name}`, (chance) => this.call(pair, chance)));
      workers.push(this.repeat(`plan ${pair.client.user.name}`, (chance) => this.plan(pair, chance)));
      workers.push(this.repeat(`bargain ${pair.client.user.name}`, (chance) => this.bargain(pair, chance)));
    }
    this.ended = Promise.all(workers);
  }

  async stop() {
    this.isStopped = true;
    await this.ended;
  }

  /** Again and again, until the server is gone: a worker whose call was not answered has met its end. */
  async repeat(name, work) {
    const chance = Random.for(this.world.seed, this.round, name);
    while (!this.isStopped) {
      try {
        await work(chance);
      } catch (error) {
        if (error.isLost) return;
        this.failure ??= new Error(`${name}: ${error.message}`, { cause: error });
        this.isStopped = true;
        return;
      }
      await pause(chance.between(2, 25));
    }
  }

  name(kind) {
    this.count += 1;
    return `${kind}-${this.round}-${this.count}`;
  }

  async send(pair, person, chance) {
    if (person.outbox.length > 5) return;
    const clientId = this.name('message');
    person.post(pair.conversationId, clientId, `${clientId} ${'x'.repeat(chance.between(0, 300))} 漢字 👋`);
  }

  async read(pair, person, chance) {
    const { conversationId } = pair;
    const others = [...person.devices[0].messages.values()].filter((one) => one.conversationId === conversationId);
    if (others.length === 0) return;
    const message = chance.pick(others.slice(-20));
    let mark;
    if (chance.chance(0.5)) {
      const answer = await person.ask('PATCH', `/messages/conversation/${conversationId}/read`, { upToMessageId: message.id });
      if (answer.status !== 200) throw new Error(`read gave ${answer.status}: ${JSON.stringify(answer.body)}`);
      mark = answer.body;
    } else {
      mark = await chance.pick(person.devices).ask('message:read', { conversationId, messageId: message.id });
      if (mark.code === 'UNAVAILABLE' && this.ledger.isEnding) return;
      if (!mark.ok) throw new Error(`message:read gave ${JSON.stringify(mark)}`);
    }
    this.ledger.read(conversationId, person.id, message.seq);
  }

  /** Edits and deletes what this person wrote lately. */
  async edit(person, chance) {
    const mine = [...this.ledger.sends.values()].filter((send) => send.by === person.id && send.message).slice(-15);
    if (mine.length === 0) return;
    const { message } = chance.pick(mine);
    const fact = this.world.text(message);
    if (fact.acknowledged === null || fact.asked.length > 0) return;
    const wanted = chance.chance(0.25) ? null : this.name('edited');
    fact.ask(wanted);
    const path = `/messages/${message.id}`;
    const answer = await (wanted === null ? person.ask('DELETE', path) : person.ask('PATCH', path, { content: wanted }));
    if (answer.status !== (wanted === null ? 204 : 200)) throw new Error(`edit gave ${answer.status}: ${JSON.stringify(answer.body)}`);
    fact.confirm(wanted);
    this.ledger.note(`message ${message.id} is now ${wanted}`);
  }

  async sign(person, chance) {
    await pause(chance.between(50, 400));
    if (this.isStopped) return;
    await person.refresh();
    this.ledger.note(`${person.user.name} refreshed`);
  }

  async upload(pair, person, chance) {
    const bytes = randomBytes(chance.between(1, 60_000));
    // No kind of file begins so: chance must not make an enormous picture, which is refused.
    bytes[0] = 0x9d;
    const form = new FormData();
    const name = `${this.name('file')}.bin`;
    form.append('file', new Blob([bytes], { type: 'application/octet-stream' }), name);
    const answer = await person.ask('POST', '/attachments', form);
    if (answer.status !== 201) throw new Error(`upload gave ${answer.status}: ${JSON.stringify(answer.body)}`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (answer.body.sha256 !== sha256) throw new Error(`upload of ${sha256} gave ${answer.body.sha256}`);
    const upload = { id: answer.body.id, by: person, sha256, size: bytes.length };
    this.ledger.uploads.set(upload.id, upload);
    this.ledger.note(`upload ${upload.id} of ${bytes.length} bytes: 201`);
    const unsent = [...this.ledger.uploads.values()].filter((one) => one.by === person && !one.clientId).length;
    if (chance.chance(0.7) || unsent > MOST_UNSENT) {
      upload.clientId = this.name('message');
      person.post(pair.conversationId, upload.clientId, 'see attached', { type: 'file', attachmentIds: [upload.id] });
    }
    await pause(chance.between(20, 120));
  }

  /** An instant call through some of its life; two at once are refused with the id of the first. */
  async call(pair, chance) {
    const [host, guest] = chance.chance(0.5) ? [pair.client, pair.provider] : [pair.provider, pair.client];
    const created = await this.create(host, { projectId: pair.projectId, type: 'instant' });
    if (created.status === 409) {
      await this.move(guest, 'PATCH', created.body.meetingId, 'end');
      await this.move(host, 'DELETE', created.body.meetingId);
      await this.move(guest, 'DELETE', created.body.meetingId);
      return;
    }
    const { id } = this.known(created, 201);
    const way = chance.next();
    if (way < 0.15) return void (await this.move(host, 'DELETE', id));
    if (way < 0.3) return void (await this.move(guest, 'PATCH', id, 'decline'));
    // Both at once: the call is started and answered, in whichever order.
    await Promise.all([this.move(guest, 'PATCH', id, 'accept'), way < 0.5 ? this.move(host, 'PATCH', id, 'start') : undefined]);
    if (way < 0.85) {
      await pause(chance.between(0, 30));
      await Promise.all([this.move(host, 'PATCH', id, 'end'), way < 0.6 ? this.move(guest, 'PATCH', id, 'end') : undefined]);
    }
  }

  /** A meeting whose reminder comes due within this round; some are left alone, others moved. */
  async plan(pair, chance) {
    const [host, guest] = chance.chance(0.5) ? [pair.client, pair.provider] : [pair.provider, pair.client];
    const soon = () => new Date(Date.now() + MINUTE_MS + chance.between(200, 2500)).toISOString();
    const planned = this.known(await this.create(host, { projectId: pair.projectId, type: 'scheduled', scheduledAt: soon() }), 201);
    const known = this.ledger.meeting(planned);
    const way = chance.next();
    if (way < 0.4) {
      // Left alone.
    } else if (way < 0.55) {
      await this.move(guest, 'PATCH', planned.id, 'accept');
    } else if (way < 0.75) {
      await pause(chance.between(0, 1000));
      const wanted = soon();
      known.time.ask(wanted);
      const moved = await this.move(host, 'PATCH', planned.id, '', { scheduledAt: wanted });
      if (moved) known.time.confirm(moved.scheduledAt);
      else known.time.refuse(wanted);
    } else if (way < 0.9) {
      await this.move(host, 'DELETE', planned.id);
    } else {
      await this.move(host, 'PATCH', planned.id, 'start');
      await this.move(host, 'PATCH', planned.id, 'end');
    }
    await pause(chance.between(50, 200));
  }

  /** Created under a key, so that an answer that was lost can be asked for again. */
  async create(host, body) {
    const key = this.name('key');
    const create = () => host.ask('POST', '/meetings', body, { 'idempotency-key': key });
    try {
      return await create();
    } catch (error) {
      const again = async () => {
        const answer = await create();
        // A call that rings is told to the guest alone; the host's devices know it from here.
        if (this.known(answer, 201, 409).id) host.devices.forEach((device) => device.keepMeeting(answer.body));
      };
      if (error.isLost) this.world.unanswered.push(again);
      throw error;
    }
  }

  /** The meeting as it is after this move; nothing if the move was refused because of its state. */
  async move(person, method, id, step = '', body = undefined) {
    const answer = await person.ask(method, `/meetings/${id}${step && '/'}${step}`, body);
    // A refused move is as good an answer as a granted one: somebody else was first.
    if ([403, 409].includes(answer.status)) return undefined;
    if (answer.status === 204) {
      const shown = await person.ask('GET', `/meetings/${id}`);
      return this.known(shown, 200);
    }
    return this.known(answer, 200);
  }

  known({ status, body }, ...expected) {
    if (!expected.includes(status)) throw new Error(`meeting gave ${status}: ${JSON.stringify(body)}`);
    if (status < 300) {
      this.ledger.meeting(body);
      this.ledger.note(`meeting ${body.id} is ${body.status} ${body.endReason ?? ''} at ${body.scheduledAt}`);
    }
    return body;
  }

  /** A request with three proposals, of which two are accepted at the same moment, one of them twice. */
  async bargain(pair, chance) {
    await pause(chance.between(0, 300));
    if (this.isStopped) return;
    const { client } = pair;
    const title = this.name('request');
    const bargain = { title, client, proposals: [] };
    const begun = (request) => {
      bargain.requestId = request.id;
      this.ledger.bargains.push(bargain);
    };
    await this.granted(client, '/requests', { ...aRequest, title }, begun);
    const request = { id: bargain.requestId };
    for (const provider of this.world.providers) {
      await this.granted(provider, `/requests/${request.id}/proposals`, aProposal(), (proposal) => bargain.proposals.push(proposal));
    }
    const [first, second] = bargain.proposals;
    const accept = async (proposal) => {
      const answer = await client.ask('POST', `/proposals/${proposal.id}/accept`);
      if (answer.status === 201) {
        if (bargain.accepted) throw new Error(`${title}: a second accept won`);
        bargain.accepted = answer.body;
        this.ledger.note(`request ${request.id} accepted: project ${answer.body.project.id}`);
      } else if (answer.status !== 409) {
        throw new Error(`accept gave ${answer.status}: ${JSON.stringify(answer.body)}`);
      }
      return answer.status;
    };
    const outcomes = await Promise.allSettled([accept(first), accept(first), accept(second)]);
    const broken = outcomes.find((one) => one.status === 'rejected');
    if (broken) {
      bargain.again = accept;
      throw broken.reason;
    }
    if (!bargain.accepted) throw new Error(`${title}: nobody won`);
  }

  /** Created under a key; where the answer was lost it is asked for again after the crash, and must not be a second one. */
  async granted(person, path, body, keep) {
    const key = this.name('key');
    const create = async () => {
      const answer = await person.ask('POST', path, body, { 'idempotency-key': key });
      if (answer.status !== 201) throw new Error(`${path} gave ${answer.status}: ${JSON.stringify(answer.body)}`);
      this.ledger.note(`${path} made ${answer.body.id}: 201`);
      keep(answer.body);
    };
    try {
      await create();
    } catch (error) {
      if (error.isLost) this.world.unanswered.push(create);
      throw error;
    }
  }
}
