// Signed bearer tokens (user, expiry, HMAC-SHA256). One that was checked before is found in a map.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIFETIME_MS = 15 * 60 * 1000;
const MAX_REMEMBERED = 10_000;

export class Tokens {
  constructor(folder) {
    const file = join(folder, 'node.key');
    if (!existsSync(file)) writeFileSync(file, randomBytes(32), { mode: 0o600 });
    this.key = readFileSync(file);
    this.checked = new Map();
  }

  sign(user) {
    const claims = Buffer.from(JSON.stringify({ user, expiresAt: Date.now() + LIFETIME_MS })).toString('base64url');
    return { accessToken: `${claims}.${this.seal(claims).toString('base64url')}`, expiresIn: LIFETIME_MS / 1000 };
  }

  /** Whose token it is, or `undefined`. */
  userOf(token) {
    let claims = this.checked.get(token);
    if (claims === undefined) {
      claims = this.verify(token);
      if (claims === undefined) return undefined;
      if (this.checked.size >= MAX_REMEMBERED) this.checked.clear();
      this.checked.set(token, claims);
    }
    return claims.expiresAt > Date.now() ? claims.user : undefined;
  }

  verify(token) {
    const [claims, seal] = String(token).split('.');
    const given = Buffer.from(seal ?? '', 'base64url');
    const expected = this.seal(claims);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return JSON.parse(Buffer.from(claims, 'base64url').toString());
  }

  seal(claims) {
    return createHmac('sha256', this.key).update(claims).digest();
  }
}
