// The database as Debian's `sqlite3` sees it: SQLite's own checks, and what must never be in it whatever happened.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the server does at its due time is done this much later. */
const OVERDUE_MS = 10_000;

/** Each gives no row. */
const NEVER = {
  'a converted request without a project': `SELECT hex(id) FROM requests WHERE (status = 'CONVERTED') <> (id IN (SELECT request_id FROM projects))`,
  'a project without its accepted proposal': `SELECT hex(p.id) FROM projects p LEFT JOIN proposals o ON o.id = p.proposal_id WHERE o.status IS NOT 'ACCEPTED' OR o.request_id <> p.request_id`,
  'an accepted proposal without a project': `SELECT hex(id) FROM proposals WHERE status = 'ACCEPTED' AND id NOT IN (SELECT proposal_id FROM projects)`,
  'a proposal left pending beside an accepted one': `SELECT hex(id) FROM proposals WHERE status = 'PENDING' AND request_id IN (SELECT request_id FROM projects)`,
  'a project without a conversation': `SELECT hex(id) FROM projects WHERE id NOT IN (SELECT project_id FROM conversations)`,
  'a project without a provider': `SELECT hex(id) FROM projects WHERE id NOT IN (SELECT project_id FROM project_providers)`,
  'a conversation with other people than its project': `SELECT hex(c.id) FROM conversations c JOIN projects p ON p.id = c.project_id
     WHERE (SELECT group_concat(hex(user_id)) FROM (SELECT user_id FROM participants WHERE conversation_id = c.id ORDER BY user_id))
     IS NOT (SELECT group_concat(hex(id)) FROM (SELECT p.client_id AS id UNION SELECT user_id FROM project_providers WHERE project_id = p.id ORDER BY id))`,
  'a gap in a conversation': `SELECT hex(c.id), c.last_seq, count(m.id), max(m.seq) FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id
     GROUP BY c.id HAVING count(m.id) <> c.last_seq OR coalesce(max(m.seq), 0) <> c.last_seq`,
  'a read mark beyond the end': `SELECT hex(conversation_id), last_read_seq FROM participants p WHERE last_read_seq > (SELECT last_seq FROM conversations WHERE id = p.conversation_id)`,
  'a read mark that names another message': `SELECT hex(p.conversation_id) FROM participants p JOIN messages m ON m.id = p.last_read_message_id WHERE m.seq <> p.last_read_seq OR m.conversation_id <> p.conversation_id`,
  'a meeting in an impossible state': `SELECT hex(id), status, end_reason FROM meetings WHERE
       (status = 'PENDING' AND (started_at IS NOT NULL OR ended_at IS NOT NULL OR duration IS NOT NULL))
    OR (status = 'ACTIVE' AND (started_at IS NULL OR ended_at IS NOT NULL))
    OR (status = 'COMPLETED' AND (started_at IS NULL OR ended_at IS NULL OR duration IS NULL))
    OR (status = 'CANCELLED' AND (started_at IS NOT NULL OR duration IS NOT NULL))`,
  'an ended meeting with something still due': `SELECT hex(m.id) FROM meetings m WHERE status IN ('COMPLETED', 'CANCELLED')
     AND (ring_due_at IS NOT NULL OR expiry_due_at IS NOT NULL OR EXISTS (SELECT 1 FROM reminders WHERE meeting_id = m.id AND sent = 0))`,
  'two calls at once in a project': `SELECT hex(project_id) FROM meetings WHERE status = 'ACTIVE' OR (status = 'PENDING' AND type = 'instant') GROUP BY project_id HAVING count(*) > 1`,
  'two reminders for one moment': `SELECT hex(meeting_id), due_at FROM reminders GROUP BY meeting_id, due_at HAVING count(*) > 1`,
  'a claimed reminder that is not in both logs once': `SELECT hex(r.id), logged.count FROM reminders r
     LEFT JOIN (SELECT subject, count(*) AS count FROM changes WHERE kind = 'reminder' GROUP BY subject) logged ON logged.subject = r.id
     WHERE r.starts_in_seconds IS NOT NULL AND logged.count IS NOT 2`,
  'somebody in the log of an ended meeting': `SELECT hex(l.meeting_id), hex(l.user_id) FROM meeting_log l JOIN meetings m ON m.id = l.meeting_id
     WHERE m.status IN ('COMPLETED', 'CANCELLED') AND l.event <> 'left'
     AND l.position = (SELECT max(position) FROM meeting_log WHERE meeting_id = l.meeting_id AND user_id = l.user_id)`,
  'a mail about what is over': `SELECT hex(w.id), w.kind FROM mails w JOIN meetings m ON m.id = w.meeting_id
     WHERE (w.kind = 'cancelled') <> (m.status = 'CANCELLED') OR m.status IN ('ACTIVE', 'COMPLETED')`,
  'a message that nobody is told of, or out of order': `SELECT hex(m.id) FROM messages m JOIN conversations c ON c.id = m.conversation_id
     LEFT JOIN messages b ON b.conversation_id = m.conversation_id AND b.seq = m.seq - 1
     WHERE m.change_number <= coalesce(b.change_number, 0) OR m.change_number > c.activity`,
  'a file message without a file': `SELECT hex(id) FROM messages WHERE type = 'file' AND deleted_at IS NULL AND id NOT IN (SELECT message_id FROM attachments WHERE message_id IS NOT NULL)`,
  "a file of somebody else's message": `SELECT hex(a.id) FROM attachments a JOIN messages m ON m.id = a.message_id WHERE m.sender_id <> a.uploader_id`,
  'a change beyond the counter': `SELECT number FROM (SELECT number FROM changes UNION ALL SELECT change_number FROM messages)
     WHERE number > (SELECT value FROM counters WHERE name = 'last_change')`,
};

function query(file, sql, ...flags) {
  const result = spawnSync('sqlite3', [...flags, file, sql], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (result.error) throw new Error('sqlite3 is missing (Debian: sqlite3)', { cause: result.error });
  if (result.status !== 0) throw new Error(`sqlite3 ended with ${result.status}: ${result.stderr}\n${sql}`);
  return result.stdout.trim();
}

/** The one database file in a data folder. */
function databaseIn(folder) {
  const files = readdirSync(folder).filter((name) => /\.(db|sqlite3?)$/.test(name));
  if (files.length !== 1) throw new Error(`expected one database in ${folder}, found: ${readdirSync(folder).join(', ')}`);
  return files[0];
}

function check(file, ...flags) {
  const integrity = query(file, 'PRAGMA integrity_check', ...flags);
  if (integrity !== 'ok') throw new Error(`integrity_check: ${integrity}`);
  const foreign = query(file, 'PRAGMA foreign_key_check', ...flags);
  if (foreign !== '') throw new Error(`foreign_key_check: ${foreign}`);
  const found = Object.entries(NEVER).flatMap(([what, sql]) => {
    const rows = query(file, sql, ...flags);
    return rows ? [`${what}: ${rows.split('\n').slice(0, 5).join(' ; ')}`] : [];
  });
  if (found.length > 0) throw new Error(`the database holds ${found.join('\n  ')}`);
}

/** A row of an upload is written after its bytes are on disk, and goes before them. */
function checkFiles(file, folder, ...flags) {
  for (const line of query(file, 'SELECT lower(hex(id)), size FROM attachments', ...flags).split('\n').filter(Boolean)) {
    const [hex, size] = line.split('|');
    const name = hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
    const found = statSync(join(folder, 'uploads', name), { throwIfNoEntry: false });
    if (found?.size !== Number(size)) throw new Error(`file ${name} of ${size} bytes: ${found ? `has ${found.size}` : 'is missing'}`);
  }
}

/** What the killed server left, as it lies there: looked at in a copy, which sqlite3 recovers by itself. */
export function inspectRemains(folder) {
  const copy = mkdtempSync(join(tmpdir(), 'parley-remains-'));
  try {
    const name = databaseIn(folder);
    for (const file of [name, `${name}-wal`]) {
      if (existsSync(join(folder, file))) cpSync(join(folder, file), join(copy, file));
    }
    check(join(copy, name));
    checkFiles(join(copy, name), folder);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The database under the running server, without writing to it, once nothing is left to be done. */
export function inspectLive(folder) {
  const file = join(folder, databaseIn(folder));
  check(file, '-readonly');
  checkFiles(file, folder, '-readonly');
  const before = Date.now() - OVERDUE_MS;
  const ringing = query(file, `SELECT hex(id), ring_due_at FROM meetings WHERE ring_due_at < ${before}`, '-readonly');
  if (ringing !== '') throw new Error(`calls that ring for ever: ${ringing}`);
  const overdue = `SELECT hex(r.id), due_at FROM reminders r JOIN meetings m ON m.id = r.meeting_id
     WHERE r.sent = 0 AND m.status = 'PENDING' AND r.due_at < ${before}`;
  const forgotten = query(file, overdue, '-readonly');
  if (forgotten !== '') throw new Error(`reminders that nobody sends: ${forgotten}`);
  const unfinished = readdirSync(join(folder, 'uploads')).filter((name) => name.includes('#'));
  if (unfinished.length > 0) throw new Error(`pieces of uploads that the kill cut short: ${unfinished.join(', ')}`);
}
