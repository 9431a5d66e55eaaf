// SQLite as a careful Node team sets it up: WAL, an fsync for each commit, every statement prepared once.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import Database from 'better-sqlite3';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, password TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, project_status TEXT NOT NULL, last_seq INTEGER NOT NULL, updated_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS participants (
    conversation_id TEXT NOT NULL REFERENCES conversations (id), user_id TEXT NOT NULL REFERENCES users (id),
    last_read_seq INTEGER NOT NULL DEFAULT 0, read_at INTEGER, PRIMARY KEY (conversation_id, user_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS participants_by_user ON participants (user_id);
  CREATE TABLE IF NOT EXISTS messages (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, conversation_id TEXT NOT NULL REFERENCES conversations (id),
    seq INTEGER NOT NULL, sender_id TEXT NOT NULL REFERENCES users (id), type TEXT NOT NULL, content TEXT NOT NULL,
    reply_to_id TEXT, client_id TEXT, created_at INTEGER NOT NULL, edited_at INTEGER, deleted_at INTEGER,
    UNIQUE (conversation_id, seq), UNIQUE (sender_id, client_id)
  ) STRICT;
`;

/** What a message is on the wire; the same shape as Parley's. */
function messageOf(row, readers) {
  return {
    id: row.id,
    seq: row.seq,
    conversationId: row.conversation_id,
    senderId: row.sender_id,
    type: row.type,
    content: row.content,
    attachments: [],
    replyToId: row.reply_to_id,
    clientId: row.client_id,
    createdAt: new Date(row.created_at).toISOString(),
    editedAt: row.edited_at === null ? null : new Date(row.edited_at).toISOString(),
    deletedAt: row.deleted_at === null ? null : new Date(row.deleted_at).toISOString(),
    readBy: readers
      .filter((reader) => reader.user_id !== row.sender_id && reader.last_read_seq >= row.seq)
      .map((reader) => ({ userId: reader.user_id, readAt: new Date(reader.read_at).toISOString() })),
  };
}

export function openDatabase(folder) {
  const db = new Database(join(folder, 'node.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  db.pragma('busy_timeout = 5000');
  db.exec(SCHEMA);
  return db;
}

/** The calls that the server makes. */
export class Store {
  constructor(folder) {
    const db = openDatabase(folder);
    this.db = db;
    this.byEmail = db.prepare('SELECT id, password, name, role FROM users WHERE email = ?');
    this.mine = db.prepare('SELECT conversation_id FROM participants WHERE user_id = ?').pluck();
    this.known = db.prepare('SELECT * FROM messages WHERE sender_id = ? AND client_id = ?');
    this.place = db.prepare(
      `SELECT c.project_status, c.last_seq FROM conversations c
       JOIN participants p ON p.conversation_id = c.id WHERE c.id = ? AND p.user_id = ?`,
    );
    this.readers = db.prepare('SELECT user_id, last_read_seq, read_at FROM participants WHERE conversation_id = ?');
    this.replied = db.prepare('SELECT 1 FROM messages WHERE id = ? AND conversation_id = ?').pluck();
    this.insert = db.prepare(
      `INSERT INTO messages (id, conversation_id, seq, sender_id, type, content, reply_to_id, client_id, created_at)
       VALUES (@id, @conversation_id, @seq, @sender_id, @type, @content, @reply_to_id, @client_id, @created_at)`,
    );
    this.advance = db.prepare('UPDATE conversations SET last_seq = ?, updated_at = ? WHERE id = ?');
    this.newest = db.prepare('SELECT * FROM messages WHERE conversation_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?');
    this.append = db.transaction((sender, body) => this.appendNow(sender, body)).immediate;
  }

  /** One message in its transaction, which is on disk when this returns. */
  appendNow(sender, body) {
    if (body.clientId !== undefined) {
      const first = this.known.get(sender, body.clientId);
      if (first !== undefined) return { isNew: false, message: messageOf(first, []) };
    }
    const place = this.place.get(body.conversationId, sender);
    if (place === undefined) return { refused: 404 };
    if (place.project_status !== 'ACTIVE') return { refused: 409 };
    if (body.replyToId !== undefined && this.replied.get(body.replyToId, body.conversationId) === undefined) {
      return { refused: 422 };
    }
    const row = {
      id: randomUUID(),
      conversation_id: body.conversationId,
      seq: place.last_seq + 1,
      sender_id: sender,
      type: body.type,
      content: body.content,
      reply_to_id: body.replyToId ?? null,
      client_id: body.clientId ?? null,
      created_at: Date.now(),
      edited_at: null,
      deleted_at: null,
    };
    this.insert.run(row);
    this.advance.run(row.seq, row.created_at, row.conversation_id);
    return { isNew: true, message: messageOf(row, []) };
  }

  /** A page of history, oldest first inside it; `undefined` for somebody who is not in the conversation. */
  page(viewer, conversation, before, limit) {
    if (this.place.get(conversation, viewer) === undefined) return undefined;
    const rows = this.newest.all(conversation, before, limit + 1);
    const hasMore = rows.length > limit;
    if (hasMore) rows.pop();
    rows.reverse();
    const readers = this.readers.all(conversation);
    return {
      items: rows.map((row) => messageOf(row, readers)),
      nextCursor: hasMore ? `p${rows[0].seq.toString(16)}` : null,
    };
  }
}
