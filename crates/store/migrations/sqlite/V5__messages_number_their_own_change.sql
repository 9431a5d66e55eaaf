-- A message carries the number of its change itself, instead of a line in `changes` for each person who is to hear of it:
-- what a person has not seen of a conversation lies behind one place of it, since both numbers rise together. And one
-- index serves pages, unread counts and that. Each index and line is a page of its own to write, for every message.
--
-- The table is made anew because a constraint can't be dropped. Foreign keys are off while migrations run.
CREATE TABLE new_messages (
    position        INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE,
    conversation_id BLOB NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- Without a gap from 1 on: the conversation's counter gives it, in the same transaction.
    seq             INTEGER NOT NULL CHECK (seq > 0),
    sender_id       BLOB NOT NULL REFERENCES users (id),
    type            TEXT NOT NULL CHECK (type IN ('text', 'file')),
    content         TEXT NOT NULL,
    reply_to_id     BLOB,
    client_id       TEXT,
    created_at      INTEGER NOT NULL,
    edited_at       INTEGER,
    deleted_at      INTEGER,
    json            TEXT,
    -- 0 for messages from before, whose lines are in `changes` until those are forgotten.
    change_number   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (sender_id, client_id)
) STRICT;
INSERT INTO new_messages (position, id, conversation_id, seq, sender_id, type, content, reply_to_id, client_id, created_at,
    edited_at, deleted_at, json)
SELECT position, id, conversation_id, seq, sender_id, type, content, reply_to_id, client_id, created_at,
    edited_at, deleted_at, json FROM messages ORDER BY position;
DROP TABLE messages;
ALTER TABLE new_messages RENAME TO messages;

CREATE INDEX messages_by_seq ON messages (conversation_id, seq, change_number, sender_id, deleted_at);

CREATE TRIGGER messages_that_go_are_indexed_anew AFTER DELETE ON messages
BEGIN
    UPDATE counters SET value = OLD.position - 1 WHERE name = 'indexed_message' AND value >= OLD.position;
END;

CREATE TRIGGER revised_messages_lose_their_json
AFTER UPDATE OF content, edited_at, deleted_at ON messages WHEN OLD.json IS NOT NULL
BEGIN
    UPDATE messages SET json = NULL WHERE position = OLD.position;
END;
