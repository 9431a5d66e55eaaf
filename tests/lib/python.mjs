// Other people's tools from PyPI, in the environment that PARLEY_PYTHON names.

import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A mail that was refused is tried again after ten seconds. */
const WITHIN_MS = 40_000;

function interpreter() {
  if (!process.env.PARLEY_PYTHON) throw new Error('PARLEY_PYTHON must name the interpreter with the packages of tests/requirements.txt');
  return process.env.PARLEY_PYTHON;
}

const script = (name) => fileURLToPath(new URL(`../python/${name}`, import.meta.url));

/** What Python's `icalendar` reads in these files; throws where it, or RFC 5545, finds fault with one. */
export function readCalendars(texts) {
  const done = spawnSync(interpreter(), [script('calendars.py')], { input: JSON.stringify(texts), encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`a calendar can't be read: ${done.stderr}\n${texts.join('\n')}`);
  return JSON.parse(done.stdout);
}

/** A real mail server on this machine. */
export class MailServer {
  static async start(port = 0, ...manners) {
    const server = new MailServer();
    server.mails = [];
    server.waiting = new Set();
    server.child = spawn(interpreter(), [script('mail_server.py'), String(port), ...manners], { stdio: ['pipe', 'pipe', 'inherit'] });
    server.ended = new Promise((resolve) => server.child.once('exit', resolve));
    const lines = createInterface({ input: server.child.stdout });
    lines.on('line', (line) => {
      const told = JSON.parse(line);
      if (told.port) server.port = told.port;
      else server.mails.push(told);
      for (const check of server.waiting) check();
    });
    await server.until(() => server.port, 'no mail server');
    return server;
  }

  /** As soon as this is truthy. */
  async until(find, complaint) {
    const found = find();
    if (found) return found;
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.waiting.delete(check);
        settle(value);
      };
      const timer = setTimeout(() => {
        finish(reject, new Error(`${complaint} within ${WITHIN_MS} ms; came: ${JSON.stringify(this.mails)}`));
      }, WITHIN_MS);
      const check = () => {
        const value = find();
        if (value) finish(resolve, value);
      };
      this.waiting.add(check);
    });
  }

  /** The mails with this in their subject, once there are so many. */
  async with(words, count) {
    const fitting = () => this.mails.filter((mail) => mail.subject?.includes(words));
    return this.until(() => {
      const failed = this.mails.find((mail) => mail.failed);
      if (failed) throw new Error(failed.failed);
      return fitting().length >= count && fitting();
    }, `not ${count} mails with ${words}`);
  }

  async end() {
    this.child.stdin.end();
    await this.ended;
  }
}
