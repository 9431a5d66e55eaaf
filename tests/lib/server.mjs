// The real server program, with a data folder of its own.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { request as requestTls } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { login } from './api.mjs';
import { whenCut } from './ending.mjs';

const PROGRAM = process.env.PARLEY_SERVER;
const READY_WITHIN_MS = 30_000;
const ADMIN = { email: 'admin@example.test', password: 'admin of this test' };

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** GET over TLS with the options of Node's own client, which `fetch` does not take. */
export function getTls(url, options) {
  return new Promise((resolve, reject) => {
    const call = requestTls(url, { agent: false, ...options }, (answer) => {
      const certificate = answer.socket.getPeerCertificate();
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, body: Buffer.concat(chunks).toString(), certificate }));
    });
    call.on('error', reject);
    call.end();
  });
}

export class Server {
  /** Starts it on a free port. `env` adds to the environment, `args` to the command line; `disk` is the size of a disk of its own. */
  static async start({ env = {}, args = [], seed, tls, disk } = {}) {
    if (!PROGRAM) throw new Error('PARLEY_SERVER must name the server program');
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), 'parley-test-'));
    server.withdraw = whenCut(() => server.cut());
    server.env = env;
    server.args = tls ? [...args, '--tls-cert', tls.cert, '--tls-key', tls.key] : args;
    server.tls = tls;
    // Mounted in a namespace of its own, which the server's process keeps; needs root.
    server.under = disk ? ['unshare', '-m', 'sh', '-c', `mount -t tmpfs -o size=${disk} tmpfs ${server.folder} && exec "$@"`, 'sh'] : [];
    server.port = await freePort();
    server.base = `${tls ? 'https' : 'http'}://127.0.0.1:${server.port}`;
    try {
      if (seed) server.command('seed', seed);
      await server.launch();
    } catch (error) {
      // One that runs without being ready would keep this process waiting.
      await server.dispose();
      throw error;
    }
    return server;
  }

  /** Another command, whatever comes of it: its exit code, its output and what it complained of. */
  try(...words) {
    // Where the server sees its data, if that is a disk of its own.
    const beside = this.under?.length ? ['nsenter', '-t', String(this.child.pid), '-m'] : [];
    const [program, ...line] = [...beside, PROGRAM, ...words, '--data-dir', this.folder];
    const { status, stdout, stderr } = spawnSync(program, line, { encoding: 'utf8', env: this.environment() });
    return { status, stdout, stderr };
  }

  /** Another command of the program beside the running server, to its end. */
  command(...words) {
    const result = this.try(...words);
    if (result.status !== 0) throw new Error(`${words.join(' ')} failed: ${result.stderr}${result.stdout}`);
    return result.stdout;
  }

  environment() {
    return { ...process.env, ...this.env };
  }

  async launch() {
    const log = openSync(join(this.folder, 'server.log'), 'a');
    const args = ['serve', '--listen', `127.0.0.1:${this.port}`, '--data-dir', this.folder, '--rate-limits', 'off'];
    const [program, ...words] = [...this.under, PROGRAM, ...args, ...this.args];
    this.child = spawn(program, words, { stdio: ['ignore', log, log], env: this.environment() });
    this.ended = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve({ code, signal })));
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!(await this.isReady())) {
      if (this.child.exitCode !== null || Date.now() > deadline) throw new Error(`the server did not start:\n${this.log()}`);
      await pause(25);
    }
  }

  async isReady() {
    try {
      if (this.tls) return (await getTls(`${this.base}/health/ready`, { rejectUnauthorized: false })).status === 200;
      return (await fetch(`${this.base}/health/ready`)).status === 200;
    } catch {
      return false;
    }
  }

  log() {
    return readFileSync(join(this.folder, 'server.log'), 'utf8');
  }

  async admin() {
    if (!this.isAdminMade) {
      this.command('admin', 'create', '--email', ADMIN.email, '--password', ADMIN.password);
      this.isAdminMade = true;
    }
    return login(this.base, ADMIN.email, ADMIN.password);
  }

  async approve(provider) {
    const admin = await this.admin();
    await admin.expect(200, 'PATCH', `/admin/providers/${provider.id}/approval`, { approved: true });
  }

  /** Ends it with a signal and waits until it is gone. */
  async end(signal = 'SIGTERM') {
    this.child.kill(signal);
    return this.ended;
  }

  /** Ends it and deletes its data. */
  async dispose() {
    if (this.isRunning()) await this.end();
    this.cut();
    this.withdraw();
  }

  isRunning() {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The same without a farewell, at once. */
  cut() {
    if (this.isRunning()) this.child.kill('SIGKILL');
    // It may still be writing.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }
}
