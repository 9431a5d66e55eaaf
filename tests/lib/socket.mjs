// The stock socket.io-client, with a list of everything that arrived.

import { io } from 'socket.io-client';

const WITHIN_MS = 10_000;

export class Line {
  /** Connects; rejects with the server's word when it refuses. */
  static async open(base, token, { transports = ['websocket'], engines = ['direct'], ca } = {}) {
    const line = new Line();
    line.events = [];
    line.waiting = new Set();
    line.socket = io(base, { transports, forceNew: true, reconnection: false, auth: { token, engines }, ca });
    line.socket.onAny((name, payload) => {
      line.events.push({ name, payload });
      for (const check of line.waiting) check();
    });
    await new Promise((resolve, reject) => {
      line.socket.once('connect', resolve);
      line.socket.once('connect_error', (error) => {
        line.socket.close();
        reject(error);
      });
    });
    return line;
  }

  /** What came by this name, oldest first. */
  all(name) {
    return this.events.filter((event) => event.name === name).map((event) => event.payload);
  }

  /** The first payload of this name that fits, whether it came already or comes now. */
  async next(name, fits = () => true) {
    return this.until(() => this.all(name).find(fits), `no ${name} that fits`);
  }

  /** As soon as this is truthy after an event. */
  async until(find, complaint, within = WITHIN_MS) {
    const found = find();
    if (found) return found;
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.waiting.delete(check);
        settle(value);
      };
      const timer = setTimeout(() => {
        const names = this.events.map((event) => event.name).join(', ');
        finish(reject, new Error(`${complaint} within ${within} ms; came: ${names || 'nothing'}`));
      }, within);
      const check = () => {
        const value = find();
        if (value) finish(resolve, value);
      };
      this.waiting.add(check);
    });
  }

  /** Sends and gives back the acknowledgement. */
  async ask(name, ...payload) {
    return this.socket.timeout(WITHIN_MS).emitWithAck(name, ...payload);
  }

  close() {
    this.socket.close();
  }
}
