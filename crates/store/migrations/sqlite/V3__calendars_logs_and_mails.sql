-- How often the calendar entry of a meeting changed in a way that calendars must hear of (RFC 5545 §3.8.7.4).
ALTER TABLE meetings ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0 CHECK (sequence >= 0);

-- The time that a reminder speaks of: its meeting may have another one since.
ALTER TABLE reminders ADD COLUMN scheduled_at INTEGER NOT NULL DEFAULT 0;
UPDATE reminders SET scheduled_at = coalesce((SELECT m.scheduled_at FROM meetings m WHERE m.id = meeting_id), 0);

-- Mails that are to be sent. What they say is put together from the meeting when they are; a row never holds an
-- address. A row is deleted once it was sent or given up. No meeting has two mails of a kind waiting for a person.
CREATE TABLE mails (
    position      INTEGER PRIMARY KEY,
    id            BLOB NOT NULL UNIQUE,
    meeting_id    BLOB NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
    user_id       BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind          TEXT NOT NULL CHECK (kind IN ('scheduled', 'cancelled', 'reminder')),
    due_at        INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    claimed_until INTEGER,
    UNIQUE (meeting_id, user_id, kind)
) STRICT;
CREATE INDEX mails_by_user ON mails (user_id);
CREATE INDEX mails_due ON mails (due_at);

-- `mailing`: whether the server that serves this database sends mails; without one none are written.
INSERT INTO counters (name, value) VALUES ('mailing', 0);
