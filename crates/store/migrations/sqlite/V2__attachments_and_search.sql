-- What people upload. The bytes lie outside of the database under the id. A row without a message waits to be sent;
-- a row goes with its message's deletion, and the bytes go after the row.
CREATE TABLE attachments (
    position    INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE,
    uploader_id BLOB NOT NULL REFERENCES users (id),
    message_id  BLOB REFERENCES messages (id) ON DELETE CASCADE,
    -- Where it stands in its message.
    place       INTEGER,
    name        TEXT NOT NULL,
    size        INTEGER NOT NULL CHECK (size > 0),
    media_type  TEXT NOT NULL,
    sha256      BLOB NOT NULL CHECK (length(sha256) = 32),
    created_at  INTEGER NOT NULL,
    CHECK ((message_id IS NULL) = (place IS NULL))
) STRICT;
CREATE INDEX attachments_by_message ON attachments (message_id, place) WHERE message_id IS NOT NULL;
CREATE INDEX attachments_unsent ON attachments (uploader_id, size) WHERE message_id IS NULL;
CREATE INDEX attachments_unsent_by_age ON attachments (created_at) WHERE message_id IS NULL;

-- Which messages hold which pieces of text: every run of one, two and three characters of a word, so that any part of
-- a word is found in any script, and a name for the conversation. The pieces are made by the program, which also looks
-- at the messages themselves before it shows them. Only row numbers are kept: no text, no places, no lengths.
CREATE VIRTUAL TABLE message_index
USING fts5 (pieces, content = '', columnsize = 0, detail = none, tokenize = 'ascii');

-- `indexed_message`: the position up to which messages are in the index; later ones are searched one by one.
INSERT INTO counters (name, value) VALUES ('indexed_message', 0);

-- A position may be given again once its message is gone; the one that gets it must be indexed too.
CREATE TRIGGER messages_that_go_are_indexed_anew AFTER DELETE ON messages
BEGIN
    UPDATE counters SET value = OLD.position - 1 WHERE name = 'indexed_message' AND value >= OLD.position;
END;
