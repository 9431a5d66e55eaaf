// node seed.mjs --data-dir DIR --pairs N --messages M: N pairs of people with a conversation each, as `parley-server seed
// bench` makes and prints them, and M messages in the first conversation.

import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { openDatabase } from './database.mjs';
import { hashPassword } from './passwords.mjs';

const PASSWORD = 'parley-bench';
const CONTENT = readFileSync(new URL('../content.txt', import.meta.url), 'utf8').trimEnd();
const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string' },
    pairs: { type: 'string' },
    messages: { type: 'string', default: '0' },
  },
});

mkdirSync(values['data-dir'], { recursive: true });
const db = openDatabase(values['data-dir']);
const password = await hashPassword(PASSWORD);
const user = db.prepare('INSERT INTO users (id, email, password, name, role) VALUES (?, ?, ?, ?, ?)');
const conversation = db.prepare('INSERT INTO conversations (id, project_status, last_seq, updated_at) VALUES (?, ?, ?, ?)');
const participant = db.prepare('INSERT INTO participants (conversation_id, user_id) VALUES (?, ?)');
const message = db.prepare(
  `INSERT INTO messages (id, conversation_id, seq, sender_id, type, content, client_id, created_at)
   VALUES (?, ?, ?, ?, 'text', ?, ?, ?)`,
);

const seeded = { users: [], conversations: [] };
db.transaction(() => {
  for (let pair = 0; pair < Number(values.pairs); pair += 1) {
    const [client, provider, id] = [randomUUID(), randomUUID(), randomUUID()];
    const count = pair === 0 ? Number(values.messages) : 0;
    user.run(client, `client-${pair}@bench.test`, password, 'Bench Client', 'client');
    user.run(provider, `provider-${pair}@bench.test`, password, 'Bench Provider', 'provider');
    conversation.run(id, 'ACTIVE', count, Date.now());
    participant.run(id, client);
    participant.run(id, provider);
    for (let seq = 1; seq <= count; seq += 1) {
      message.run(randomUUID(), id, seq, seq % 2 === 0 ? client : provider, CONTENT, `fill-${seq}`, Date.now());
    }
    for (const who of ['client', 'provider']) {
      seeded.users.push({ email: `${who}-${pair}@bench.test`, password: PASSWORD });
    }
    seeded.conversations.push(id);
  }
})();
db.pragma('wal_checkpoint(TRUNCATE)');
db.close();
console.log(JSON.stringify(seeded));
