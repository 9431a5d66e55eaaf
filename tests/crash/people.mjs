// People whose tokens, outbox and devices outlive a crash of the server.

import { setTimeout as pause } from 'node:timers/promises';

import { Person, call } from '../lib/api.mjs';

const ANSWER_WITHIN_MS = 20_000;
const MOST_TRIES = 4;

/** A call whose answer never came: it may have happened or not. */
function lost(error) {
  return Object.assign(new Error(`no answer: ${error.cause?.code ?? error.message}`, { cause: error }), { isLost: true });
}

/** Tries again what can be asked for twice and was not answered. */
export async function answered(work) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!error.isLost || tries === MOST_TRIES) throw error;
    }
  }
}

export class Survivor extends Person {
  constructor(person, ledger) {
    super(person.base, person);
    this.user = person.user;
    this.token = person.token;
    this.refreshToken = person.refreshToken;
    this.ledger = ledger;
    this.devices = [];
    this.outbox = [];
    this.isSending = false;
  }

  async ask(method, path, body, headers = {}) {
    try {
      const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
      const answer = await call(this.base, method, `/api/v1${path}`, { token: this.token, body, headers, signal });
      this.ledger.acknowledged += 1;
      // A server that was told to end says so to whoever still comes.
      if (answer.status === 503 && this.ledger.isEnding) throw lost(new Error('the server is stopping'));
      if (answer.status >= 500) throw new Error(`${method} ${path} gave ${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer;
    } catch (error) {
      if (error.isLost) throw error;
      if (error.name !== 'TypeError' && error.name !== 'TimeoutError' && !(error instanceof SyntaxError)) throw error;
      this.ledger.unanswered += 1;
      throw lost(error);
    }
  }

  /** Once the server is back a lost answer is only a connection that broke with the old one, or with a machine that slept. */
  async expect(status, method, path, body) {
    if (method !== 'GET') return super.expect(status, method, path, body);
    return answered(() => super.expect(status, method, path, body));
  }

  /** Puts a message into the outbox; it is sent, and sent again, until there is an answer. */
  post(conversationId, clientId, content, more = {}) {
    const entry = { conversationId, clientId, content, type: 'text', ...more };
    this.ledger.sends.set(clientId, { by: this.id, conversationId, content });
    this.outbox.push(entry);
    this.drain();
  }

  async drain() {
    if (this.isSending) return;
    this.isSending = true;
    try {
      while (this.outbox.length > 0 && !this.isClosed) {
        const [entry] = this.outbox;
        try {
          const answer = await this.ask('POST', '/messages', entry);
          this.acknowledge(entry, answer);
          this.outbox.shift();
        } catch (error) {
          if (!error.isLost) throw error;
          await pause(40);
        }
      }
    } catch (error) {
      this.failure ??= error;
    } finally {
      this.isSending = false;
    }
  }

  acknowledge(entry, { status, body }) {
    if (status !== 200 && status !== 201) throw new Error(`message ${entry.clientId} gave ${status}: ${JSON.stringify(body)}`);
    this.ledger.sends.get(entry.clientId).message = body;
    this.ledger.note(`message ${entry.clientId} ${body.id} seq ${body.seq}: ${status}`);
  }

  /** Exchanges the refresh token; a lost answer is asked for again with the same one. */
  async refresh() {
    const { status, body } = await this.ask('POST', '/auth/refresh', { refreshToken: this.refreshToken });
    if (status !== 200) throw new Error(`${this.user.name}'s refresh token gave ${status}: ${JSON.stringify(body)}`);
    this.token = body.accessToken;
    this.refreshToken = body.refreshToken;
  }

  async outboxEmpties(within = 30_000) {
    const deadline = Date.now() + within;
    while (this.outbox.length > 0 && !this.failure) {
      if (Date.now() > deadline) throw new Error(`${this.user.name}'s outbox still holds ${this.outbox.length}`);
      await pause(20);
    }
    if (this.failure) throw this.failure;
  }

  close() {
    this.isClosed = true;
    this.devices.forEach((device) => device.close());
  }
}
