-- Ids are 16 bytes, instants are milliseconds since 1970, words are spelled as on the wire.
-- `position` is what lists are sorted by: it follows the order of commits, ids and clocks never do.

CREATE TABLE users (
    position      INTEGER PRIMARY KEY,
    id            BLOB NOT NULL UNIQUE,
    email         TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('client', 'provider', 'admin')),
    approved      INTEGER NOT NULL CHECK (approved IN (0, 1)),
    time_zone     TEXT,
    last_seen_at  INTEGER,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id         BLOB NOT NULL PRIMARY KEY,
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Every token of a session's family, by its hash.
CREATE TABLE refresh_tokens (
    hash       BLOB NOT NULL PRIMARY KEY,
    session_id BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    successor  BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at);

CREATE TABLE requests (
    position        INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE,
    client_id       BLOB NOT NULL REFERENCES users (id),
    title           TEXT NOT NULL,
    description     TEXT NOT NULL,
    budget_amount   INTEGER CHECK (budget_amount >= 0),
    budget_currency TEXT,
    deadline        INTEGER,
    status          TEXT NOT NULL DEFAULT 'OPEN' CHECK (status IN ('OPEN', 'CONVERTED', 'CANCELLED')),
    created_at      INTEGER NOT NULL,
    CHECK ((budget_amount IS NULL) = (budget_currency IS NULL))
) STRICT;
CREATE INDEX requests_by_client ON requests (client_id, position);
CREATE INDEX requests_open ON requests (position) WHERE status = 'OPEN';

CREATE TABLE proposals (
    position       INTEGER PRIMARY KEY,
    id             BLOB NOT NULL UNIQUE,
    request_id     BLOB NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    provider_id    BLOB NOT NULL REFERENCES users (id),
    price_amount   INTEGER NOT NULL CHECK (price_amount >= 0),
    price_currency TEXT NOT NULL,
    scope          TEXT NOT NULL,
    deadline       INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    status         TEXT NOT NULL DEFAULT 'PENDING'
                   CHECK (status IN ('PENDING', 'ACCEPTED', 'REJECTED', 'WITHDRAWN')),
    created_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX proposals_by_request ON proposals (request_id, position);
CREATE INDEX proposals_by_provider ON proposals (provider_id, request_id);

CREATE TABLE projects (
    position       INTEGER PRIMARY KEY,
    id             BLOB NOT NULL UNIQUE,
    request_id     BLOB NOT NULL UNIQUE REFERENCES requests (id),
    proposal_id    BLOB NOT NULL UNIQUE REFERENCES proposals (id),
    client_id      BLOB NOT NULL REFERENCES users (id),
    title          TEXT NOT NULL,
    price_amount   INTEGER NOT NULL,
    price_currency TEXT NOT NULL,
    scope          TEXT NOT NULL,
    deadline       INTEGER NOT NULL,
    terms_hash     TEXT NOT NULL,
    status         TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'COMPLETED', 'CANCELLED')),
    created_at     INTEGER NOT NULL
) STRICT;

CREATE TABLE project_providers (
    project_id BLOB NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    place      INTEGER NOT NULL,
    user_id    BLOB NOT NULL REFERENCES users (id),
    PRIMARY KEY (project_id, place),
    UNIQUE (project_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER accepted_proposals_are_locked BEFORE UPDATE ON proposals WHEN OLD.status = 'ACCEPTED'
BEGIN
    SELECT RAISE(ABORT, 'an accepted proposal is locked');
END;

CREATE TRIGGER project_terms_are_locked
BEFORE UPDATE OF id, request_id, proposal_id, client_id, price_amount, price_currency, scope, deadline, terms_hash
ON projects
BEGIN
    SELECT RAISE(ABORT, 'the terms of a project are locked');
END;

CREATE TRIGGER project_providers_are_locked BEFORE UPDATE ON project_providers
BEGIN
    SELECT RAISE(ABORT, 'the terms of a project are locked');
END;

-- A provider leaves the terms only when the whole project is deleted.
CREATE TRIGGER project_providers_stay BEFORE DELETE ON project_providers
WHEN EXISTS (SELECT 1 FROM projects WHERE id = OLD.project_id)
BEGIN
    SELECT RAISE(ABORT, 'the terms of a project are locked');
END;

-- `activity` is the number of the change that last touched the conversation: it sorts lists.
CREATE TABLE conversations (
    position   INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    project_id BLOB NOT NULL UNIQUE REFERENCES projects (id) ON DELETE CASCADE,
    last_seq   INTEGER NOT NULL DEFAULT 0,
    activity   INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE participants (
    conversation_id      BLOB NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    user_id              BLOB NOT NULL REFERENCES users (id),
    place                INTEGER NOT NULL,
    last_read_seq        INTEGER NOT NULL DEFAULT 0,
    last_read_message_id BLOB,
    read_at              INTEGER,
    PRIMARY KEY (conversation_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX participants_by_user ON participants (user_id, conversation_id);

CREATE TABLE messages (
    position        INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE,
    conversation_id BLOB NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    seq             INTEGER NOT NULL CHECK (seq > 0),
    sender_id       BLOB NOT NULL REFERENCES users (id),
    type            TEXT NOT NULL CHECK (type IN ('text', 'file')),
    content         TEXT NOT NULL,
    reply_to_id     BLOB,
    client_id       TEXT,
    created_at      INTEGER NOT NULL,
    edited_at       INTEGER,
    deleted_at      INTEGER,
    UNIQUE (conversation_id, seq),
    UNIQUE (sender_id, client_id)
) STRICT;
-- Counts what is unread without touching the messages themselves.
CREATE INDEX messages_unread ON messages (conversation_id, seq, sender_id) WHERE deleted_at IS NULL;

-- Every step of every read mark: who had read a message, and since when, follows from the first step past it.
CREATE TABLE read_marks (
    conversation_id BLOB NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    user_id         BLOB NOT NULL REFERENCES users (id),
    up_to_seq       INTEGER NOT NULL,
    read_at         INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, user_id, up_to_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE meetings (
    position         INTEGER PRIMARY KEY,
    id               BLOB NOT NULL UNIQUE,
    project_id       BLOB NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    host_id          BLOB NOT NULL REFERENCES users (id),
    guest_id         BLOB NOT NULL REFERENCES users (id),
    channel_name     TEXT NOT NULL UNIQUE,
    type             TEXT NOT NULL CHECK (type IN ('instant', 'scheduled')),
    status           TEXT NOT NULL DEFAULT 'PENDING'
                     CHECK (status IN ('PENDING', 'ACTIVE', 'COMPLETED', 'CANCELLED')),
    engine           TEXT NOT NULL CHECK (engine IN ('agora', 'direct')),
    scheduled_at     INTEGER,
    accepted_at      INTEGER,
    started_at       INTEGER,
    ended_at         INTEGER,
    duration         INTEGER CHECK (duration >= 0),
    end_reason       TEXT,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    host_uid         INTEGER NOT NULL CHECK (host_uid BETWEEN 1 AND 4294967295),
    guest_uid        INTEGER NOT NULL CHECK (guest_uid BETWEEN 1 AND 4294967295),
    host_screen_uid  INTEGER NOT NULL CHECK (host_screen_uid BETWEEN 1 AND 4294967295),
    guest_screen_uid INTEGER NOT NULL CHECK (guest_screen_uid BETWEEN 1 AND 4294967295),
    -- What is due for it; null when nothing is. `claimed_until` keeps two nodes off the same expiry.
    ring_due_at      INTEGER,
    expiry_due_at    INTEGER,
    claimed_until    INTEGER,
    CHECK (host_id <> guest_id),
    CHECK ((type = 'scheduled') = (scheduled_at IS NOT NULL)),
    CHECK ((status IN ('COMPLETED', 'CANCELLED')) = (end_reason IS NOT NULL))
) STRICT;
CREATE INDEX meetings_by_project ON meetings (project_id, position);
CREATE INDEX meetings_by_host ON meetings (host_id, position);
CREATE INDEX meetings_by_guest ON meetings (guest_id, position);
CREATE INDEX meetings_expiring ON meetings (expiry_due_at) WHERE expiry_due_at IS NOT NULL;
-- At most one meeting per project is active or an unanswered instant one.
CREATE UNIQUE INDEX one_call_per_project ON meetings (project_id)
WHERE status = 'ACTIVE' OR (status = 'PENDING' AND type = 'instant');

CREATE TABLE meeting_log (
    position   INTEGER PRIMARY KEY,
    meeting_id BLOB NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
    user_id    BLOB NOT NULL REFERENCES users (id),
    event      TEXT NOT NULL CHECK (event IN ('joined', 'left', 'screen_on', 'screen_off')),
    at         INTEGER NOT NULL
) STRICT;
CREATE INDEX meeting_log_by_meeting ON meeting_log (meeting_id, position);

-- `starts_in_seconds` is set when the reminder is first claimed; `sent_at` when it went out.
CREATE TABLE reminders (
    id                BLOB NOT NULL PRIMARY KEY,
    meeting_id        BLOB NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
    due_at            INTEGER NOT NULL,
    starts_in_seconds INTEGER,
    claimed_until     INTEGER,
    sent              INTEGER NOT NULL DEFAULT 0 CHECK (sent IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX reminders_by_meeting ON reminders (meeting_id);
CREATE INDEX reminders_due ON reminders (due_at) WHERE sent = 0;

-- One row per change and person whom it concerns, numbered in the order of commits.
CREATE TABLE changes (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('message', 'read', 'meeting', 'project', 'proposal', 'reminder')),
    subject BLOB NOT NULL,
    actor   BLOB,
    PRIMARY KEY (user_id, number)
) STRICT, WITHOUT ROWID;

-- The first change of each day, so that old ones can be found without a time in every row.
CREATE TABLE change_days (
    day          INTEGER NOT NULL PRIMARY KEY,
    first_number INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency_keys (
    user_id     BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    answer      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE secrets (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- `log`: which change log this is; `last_change`: the last number given; `forgotten_change`: the last one dropped.
CREATE TABLE counters (
    name  TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, value)
VALUES ('log', abs(random() % 4294967296)), ('last_change', 0), ('forgotten_change', 0);

-- "PRLY": tells this file from other programs' databases.
PRAGMA application_id = 1347570777;
