-- A text as it was serialized when it was written, up to the list of its readers: pages of history are put together from
-- it. Null for what has files, whose addresses are signed for each reader, for what was revised, and for rows from before.
ALTER TABLE messages ADD COLUMN json TEXT;

CREATE TRIGGER revised_messages_lose_their_json
AFTER UPDATE OF content, edited_at, deleted_at ON messages WHEN OLD.json IS NOT NULL
BEGIN
    UPDATE messages SET json = NULL WHERE position = OLD.position;
END;
