// Agora publishes the TypeScript side of its Electron SDK, which speaks to the same C interface as our Iris layer. What we
// call things is looked up there: ids of methods and the JSON keys that go and come, events and their keys, and the
// numbers of errors, reasons and states. Only the text of the package is read; nothing of it is installed or run.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';

const PACKAGE = 'agora-electron-sdk@4.6.2';
const INTEGRITY =
  'sha512-X2RQTzQHpKWivYuwMEm2fz2tow2STvijRWjjd7Vx38o7BkcM/mhIxeRJDW6xTbW/Q+O8w82+M0K1Sh9jFDtXOA==';

/** The sources by path, or why they can't be had. */
function sources() {
  const folder = mkdtempSync(join(tmpdir(), 'parley-agora-names-'));
  try {
    // `pack` of a published package downloads its archive as it is: no install script, no other package.
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    try {
      execFileSync(npm, ['pack', PACKAGE, '--ignore-scripts', '--loglevel=error', '--pack-destination', folder], {
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: 180_000,
        shell: process.platform === 'win32',
      });
    } catch (error) {
      return { missing: `${PACKAGE} can't be had: ${String(error.stderr ?? error).trim().split('\n')[0]}` };
    }
    const [archive] = readdirSync(folder);
    const bytes = readFileSync(join(folder, archive));
    assert.equal(`sha512-${createHash('sha512').update(bytes).digest('base64')}`, INTEGRITY, 'the package as it was read');
    return { files: untar(gunzipSync(bytes)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The TypeScript files of a tar archive. */
function untar(bytes) {
  const files = new Map();
  const text = (from, length) => bytes.toString('utf8', from, from + length).split('\0')[0];
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const name = text(at, 100);
    const size = parseInt(text(at + 124, 12).trim() || '0', 8);
    if (name.startsWith('package/ts/') && name.endsWith('.ts')) {
      files.set(name.slice('package/ts/'.length), bytes.toString('utf8', at + 512, at + 512 + size));
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** What Agora's sources say, in the shape of what `agora_names` prints. */
class Sources {
  constructor(files) {
    this.files = [...files].filter(([name]) => name.startsWith('Private/') && !name.includes('/ti/'));
    this.all = this.files.map(([, text]) => text).join('\n');
  }

  /** Body of a `{ … }` that begins behind `at`. */
  block(text, at) {
    const start = text.indexOf('{', at);
    let depth = 0;
    for (let end = start; end < text.length; end += 1) {
      if (text[end] === '{') depth += 1;
      if (text[end] === '}' && (depth -= 1) === 0) return text.slice(start + 1, end);
    }
    return '';
  }

  /** Every function that calls this id: the keys that it sends, and those that it reads of the answer. */
  callers(id) {
    const found = [];
    for (const [name, text] of this.files) {
      for (let at = text.indexOf(`'${id}'`); at >= 0; at = text.indexOf(`'${id}'`, at + 1)) {
        const before = text.slice(Math.max(0, at - 900), at);
        const getter = /(getApiTypeFrom\w+)\([^)]*\): string {\s*(?:\/\/.*\s*)*return $/.exec(before);
        if (getter) {
          // Other classes have a getter of the same name for another id; the hand-written side has its classes apart.
          const start = text.lastIndexOf('export class ', at);
          const end = text.indexOf('export class ', at);
          found.push(...this.calls(text.slice(start, end < 0 ? undefined : end), getter[1]));
          for (const [other, theirs] of this.files) {
            if (other !== name && other.includes('/internal/')) found.push(...this.calls(theirs, getter[1]));
          }
        } else if (/callIrisApi\.call\(\s*this,\s*$/.test(before)) {
          found.push({ sent: keysOf(this.block(text, at)), read: new Set() });
        } else if (/const apiType = $/.test(before)) {
          found.push(this.call(text, at));
        }
      }
    }
    return found;
  }

  calls(text, getter) {
    return [...text.matchAll(new RegExp(`this\\.${getter}\\(`, 'g'))].map(({ index }) => this.call(text, index));
  }

  /** A function of the generated kind around `at`. */
  call(text, at) {
    const end = text.slice(at).search(/\n {2}}\n/);
    const body = text.slice(at, end < 0 ? undefined : at + end);
    const json = body.indexOf('toJSON');
    const sent = json < 0 ? new Set() : keysOf(this.block(body, body.indexOf('return', json)));
    const read = new Set([...body.matchAll(/jsonResults\.(\w+)/g)].map(([, key]) => key));
    const taken = /const {([^}]*)} = callIrisApi/.exec(body);
    for (const key of taken?.[1].split(',') ?? []) read.add(key.trim());
    return { sent, read };
  }

  /** Keys that the handler of an event reads. */
  event(className, callback) {
    const start = this.all.indexOf(`export function processI${className}(`);
    if (start < 0) return undefined;
    const body = this.all.slice(start, this.all.indexOf('\n}\n', start));
    const from = body.indexOf(`case '${callback}':`);
    if (from < 0) return undefined;
    const block = body.slice(from, body.indexOf('break;', from));
    return new Set([...block.matchAll(/jsonParams\.(\w+)/g)].map(([, key]) => key));
  }

  /** Fields of a class. */
  structure(name) {
    const start = this.all.search(new RegExp(`export class ${name}( extends \\w+)? {`));
    if (start < 0) return undefined;
    return new Set([...this.block(this.all, start).matchAll(/^\s+(\w+)\?: /gm)].map(([, key]) => key));
  }

  /** An enumeration: numbers by name. */
  numbers(name) {
    const start = this.all.indexOf(`export enum ${name} {`);
    if (start < 0) return undefined;
    const entries = [...this.block(this.all, start).matchAll(/^\s+(\w+) = (-?(?:0x)?[0-9a-fA-F]+),/gm)];
    return new Map(entries.map(([, key, number]) => [key, Number(number)]));
  }
}

const keysOf = (object) =>
  new Set([...object.matchAll(/^\s*(\w+)(?=\s*[:,])/gm)].map(([, key]) => key).filter((key) => key !== 'return'));

/** Our word for Agora's list, Agora's name of it, and what each of its names begins with. */
const LISTS = {
  ConnectionState: ['ConnectionStateType', 'ConnectionState'],
  ChangedReason: ['ConnectionChangedReasonType', 'ConnectionChanged'],
  OfflineReason: ['UserOfflineReasonType', 'UserOffline'],
  ErrorCode: ['ErrorCodeType', 'Err'],
  NetworkQuality: ['QualityType', 'Quality'],
  TrackState: ['StreamPublishState', 'PubState'],
  RemoteState: ['RemoteVideoState', 'RemoteVideoState'],
  PixelFormat: ['VideoPixelFormat', 'Video(Pixel)?'],
};

/** Numbers that are Agora's under a name of ours: theirs is misspelled, cut, or says less. */
const OTHER_WORDS = {
  'ChangedReason.SettingProxy': 'ConnectionChangedSettingProxyServer',
  'ChangedReason.ClientIpChanged': 'ConnectionChangedClientIpAddressChanged',
  'ChangedReason.ClientIpChangedByUser': 'ConnectionChangedClientIpAddressChangedByUser',
  'ChangedReason.CertificateVerifyFailure': 'ConnectionChangedCertificationVeryfyFailure',
  'OfflineReason.BecameAudience': 'UserOfflineBecomeAudience',
  'ErrorCode.EncryptedStreamNotAllowed': 'ErrEncryptedStreamNotAllowedPublish',
  'ErrorCode.CameraNotAuthorized': 'ErrVdmCameraNotAuthorized',
  'NetworkQuality.Undetermined': 'QualityUnknown',
  'NetworkQuality.VeryBad': 'QualityVbad',
  'TrackState.Off': 'PubStateNoPublished',
  'TrackState.UnderWay': 'PubStatePublishing',
  'TrackState.Done': 'PubStatePublished',
  'PixelFormat.TextureD3d11': 'VideoTextureId3d11texture2d',
};

/** Lists that the desktop SDK does not have: why. */
const ONLY_GATEWAY = { UserMessage: 'the gateway tells in one callback what the desktop SDK tells in four' };

/** Everything that is wrong with `names`. */
function compare(names, theirs) {
  const wrong = [];
  for (const { id, request, answer } of names.requests) {
    const callers = theirs.callers(id);
    if (callers.length === 0) {
      wrong.push(`no method ${id}`);
      continue;
    }
    for (const key of request) {
      if (!callers.some(({ sent }) => sent.has(key))) wrong.push(`${id} has no parameter ${key}`);
    }
    for (const key of answer) {
      if (!callers.some(({ read }) => read.has(key))) wrong.push(`${id} does not answer ${key}`);
    }
  }
  for (const { class: className, callback, keys } of names.events) {
    const read = theirs.event(className, callback);
    if (!read) wrong.push(`no event ${className}.${callback}`);
    for (const key of read ? keys : []) {
      if (!read.has(key)) wrong.push(`${className}.${callback} has no ${key}`);
    }
  }
  for (const { name, keys } of names.structures) {
    const fields = theirs.structure(name);
    if (!fields) wrong.push(`no structure ${name}`);
    for (const key of fields ? keys : []) {
      if (!fields.has(key)) wrong.push(`${name} has no ${key}`);
    }
  }
  for (const [list, numbers] of Object.entries(names.codes)) {
    if (list in ONLY_GATEWAY) continue;
    const [name, prefix] = LISTS[list] ?? [list, ''];
    const known = theirs.numbers(name);
    if (!known) wrong.push(`no list ${list}`);
    for (const [word, number] of known ? numbers : []) {
      const same = new RegExp(`^${prefix}${word}$`, 'i');
      const other = OTHER_WORDS[`${list}.${word}`];
      const theirWord = [...known.keys()].find((key) => (other ? key === other : same.test(key)));
      if (theirWord === undefined || known.get(theirWord) !== number) wrong.push(`${list}.${word} is not ${number}`);
    }
  }
  for (const [list, word, number] of names.numbers) {
    if (theirs.numbers(list)?.get(word) !== number) wrong.push(`${list}.${word} is not ${number}`);
  }
  return wrong;
}

const ours = () => JSON.parse(execFileSync(join(process.env.PARLEY_EXAMPLES, 'agora_names'), { encoding: 'utf8' }));

test("Agora's own package has every name and number that we use", (t) => {
  const { files, missing } = sources();
  if (missing) return t.skip(missing);
  const theirs = new Sources(files);
  const names = ours();
  assert.ok(names.requests.length > 40 && names.events.length > 20 && names.structures.length > 10);
  assert.deepEqual(compare(names, theirs), []);

  // And it would notice: one wrong name or number of each kind.
  const broken = (change) => {
    const copy = structuredClone(names);
    change(copy);
    return compare(copy, theirs);
  };
  const find = (list, part) => list.find(part);
  assert.deepEqual(
    broken((copy) => (find(copy.requests, ({ id }) => id.startsWith('RtcEngine_joinChannel_')).id = 'RtcEngine_joinChannel_cdbb748')),
    ['no method RtcEngine_joinChannel_cdbb748'],
  );
  assert.deepEqual(
    broken((copy) => find(copy.requests, ({ id }) => id.includes('_pushVideoFrame_')).request.push('trackId')),
    ['MediaEngine_pushVideoFrame_4e544e2 has no parameter trackId'],
  );
  assert.deepEqual(
    broken((copy) => find(copy.requests, ({ id }) => id.includes('_createDataStream_')).answer.push('id')),
    ['RtcEngine_createDataStream_5862815 does not answer id'],
  );
  assert.deepEqual(
    broken((copy) => (find(copy.events, ({ callback }) => callback === 'onUserOffline').keys = ['uid'])),
    ['RtcEngineEventHandler.onUserOffline has no uid'],
  );
  assert.deepEqual(
    broken((copy) => (find(copy.events, ({ callback }) => callback === 'onRtcStats').callback = 'onStats')),
    ['no event RtcEngineEventHandler.onStats'],
  );
  assert.deepEqual(
    broken((copy) => find(copy.structures, ({ name }) => name === 'ExternalVideoFrame').keys.push('width')),
    ['ExternalVideoFrame has no width'],
  );
  assert.deepEqual(
    broken((copy) => (find(copy.codes.ErrorCode, ([word]) => word === 'InvalidToken')[1] = 111)),
    ['ErrorCode.InvalidToken is not 111'],
  );
  assert.deepEqual(
    broken((copy) => copy.numbers.push(['AudioScenarioType', 'AudioScenarioMeeting', 7])),
    ['AudioScenarioType.AudioScenarioMeeting is not 7'],
  );
});
