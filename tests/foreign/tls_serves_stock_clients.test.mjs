// TLS with a certificate made by openssl: Node's own client, the stock socket.io-client over wss, a certificate that is
// exchanged under open sockets, and what is refused.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';

import { Server, getTls } from '../lib/server.mjs';
import { Line } from '../lib/socket.mjs';

const folder = mkdtempSync(join(tmpdir(), 'parley-tls-'));
let server;
let token;

/** A self-made certificate for this machine, with a key of that kind. */
function certificate(name, kind) {
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const words = ['req', '-x509', '-nodes', '-days', '3', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = spawnSync('openssl', [...words, ...kind, '-keyout', files.key, '-out', files.cert], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  return files;
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
const RSA = ['-newkey', 'rsa:2048'];

before(async () => {
  const [tls, made] = [certificate('live', EC), certificate('first', EC)];
  copyFileSync(made.cert, tls.cert);
  copyFileSync(made.key, tls.key);
  server = await Server.start({ tls, seed: 'demo' });
  token = (await post('/api/v1/auth/login', { email: 'client@demo.test', password: 'parley-demo' })).accessToken;
});
after(async () => {
  await server?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const ca = () => readFileSync(server.tls.cert);

async function post(path, body) {
  const { request } = await import('node:https');
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const call = request(`${server.base}${path}`, { method: 'POST', headers, ca: ca(), agent: false }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      resolve(JSON.parse(text));
    });
    call.on('error', reject);
    call.end(JSON.stringify(body));
  });
}

test('a client that knows the certificate is served, one that does not turns away', async () => {
  assert.equal((await getTls(`${server.base}/health/live`, { ca: ca() })).status, 200);
  await assert.rejects(getTls(`${server.base}/health/live`, {}), /self-signed/);
});

test('http/1.1 is agreed on, by TLS 1.2 and 1.3', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const options = { host: '127.0.0.1', port: server.port, ca: ca(), ALPNProtocols: ['h2', 'http/1.1'] };
    const line = connectTls({ ...options, minVersion: version, maxVersion: version });
    await new Promise((resolve, reject) => line.once('secureConnect', resolve).once('error', reject));
    assert.deepEqual([line.alpnProtocol, line.getProtocol()], ['http/1.1', version]);
    line.destroy();
  }
});

test('the stock client connects by wss and by polling over https', async () => {
  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
    const line = await Line.open(server.base, token, { transports, ca: ca() });
    assert.ok(line.socket.connected, transports.join());
    line.close();
  }
});

test('plain HTTP on that port gets no answer', async () => {
  await assert.rejects(fetch(`http://127.0.0.1:${server.port}/health/live`));
});

test('silent lines hold nobody up', async () => {
  const silent = Array.from({ length: 400 }, () => connect(server.port, '127.0.0.1').on('error', () => {}));
  await Promise.all(silent.map((line) => new Promise((resolve) => line.once('connect', resolve))));
  const begun = Date.now();
  assert.equal((await getTls(`${server.base}/health/live`, { ca: ca() })).status, 200);
  assert.ok(Date.now() - begun < 2_000);
  for (const line of silent) line.destroy();
});

test('a renewed certificate is taken up while sockets stay', async () => {
  const line = await Line.open(server.base, token, { ca: ca() });
  const renewed = certificate('renewed', RSA);
  copyFileSync(renewed.cert, server.tls.cert);
  copyFileSync(renewed.key, server.tls.key);
  server.child.kill('SIGHUP');
  let shown;
  for (let round = 0; round < 500 && shown !== 'renewed'; round += 1) {
    shown = (await getTls(`${server.base}/health/live`, { rejectUnauthorized: false })).certificate.subject.CN;
  }
  assert.equal(shown, 'renewed');
  assert.ok(line.socket.connected);
  assert.ok((await line.ask('leave', { conversationId: '00000000-0000-0000-0000-000000000000' })).code ?? true);
  line.close();

  copyFileSync(certificate('other', EC).key, server.tls.key);
  server.child.kill('SIGHUP');
  for (let round = 0; round < 500 && !server.log().includes('stays in use'); round += 1) {
    shown = (await getTls(`${server.base}/health/live`, { rejectUnauthorized: false })).certificate.subject.CN;
  }
  assert.match(server.log(), /stays in use/);
  assert.equal(shown, 'renewed', 'a key that does not fit changes nothing');
  copyFileSync(renewed.key, server.tls.key);
});

test('a pair that does not fit is refused at the start with a sentence', () => {
  const words = ['serve', '--listen', '127.0.0.1:0', '--tls-cert', certificate('a', EC).cert, '--tls-key', certificate('b', EC).key];
  const elsewhere = { env: {}, folder: join(folder, 'unused'), environment: Server.prototype.environment };
  const refused = Server.prototype.try.call(elsewhere, ...words);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /the key in .*b\.key does not belong to the first certificate in .*a\.crt/);
  const missing = Server.prototype.try.call(elsewhere, 'serve', '--tls-cert', '/nonexistent.crt', '--tls-key', '/nonexistent.key');
  assert.match(missing.stderr, /\/nonexistent\.crt can't be read/);
  const half = Server.prototype.try.call(elsewhere, 'serve', '--tls-cert', '/nonexistent.crt');
  assert.match(half.stderr, /--tls-cert is set, but tls_key is not/);
});

test('doctor reads the certificate', () => {
  const doctor = server.try('doctor', '--listen', `127.0.0.1:${server.port}`, '--tls-cert', server.tls.cert, '--tls-key', server.tls.key);
  assert.match(doctor.stdout, /^warn {2}tls: the pair matches and expires soon/m, doctor.stdout + doctor.stderr);
  assert.equal(doctor.status, 0);
});
