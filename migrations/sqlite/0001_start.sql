-- Times are milliseconds since 1970-01-01 UTC. Sealed columns hold `v1.<key id>.<nonce>.<ciphertext>`.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE users (
    id                    INTEGER PRIMARY KEY,
    username              TEXT    NOT NULL UNIQUE,
    password_hash         TEXT    NOT NULL,
    role                  TEXT    NOT NULL,
    locale                TEXT    NOT NULL,
    time_zone             TEXT    NOT NULL,
    region                TEXT    NOT NULL,
    force_password_change INTEGER NOT NULL DEFAULT 0,
    session_epoch         INTEGER NOT NULL DEFAULT 0,
    late_policy           TEXT    NOT NULL DEFAULT 'ask',
    disabled_at           INTEGER,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL
) STRICT;

CREATE TABLE chat_users (
    telegram_user_id INTEGER NOT NULL PRIMARY KEY,
    chat_id          INTEGER NOT NULL,
    account_id       INTEGER REFERENCES users (id) ON DELETE SET NULL,
    locale           TEXT    NOT NULL,
    name             TEXT    NOT NULL DEFAULT '',
    blocked_at       INTEGER,
    linked_at        INTEGER,
    created_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX chat_users_account ON chat_users (account_id) WHERE account_id IS NOT NULL;

CREATE TABLE invites (
    id         INTEGER PRIMARY KEY,
    code_hash  TEXT    NOT NULL UNIQUE,
    kind       TEXT    NOT NULL,
    created_by INTEGER REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    used_by    INTEGER REFERENCES users (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE throttles (
    subject       TEXT    NOT NULL PRIMARY KEY,
    failures      INTEGER NOT NULL,
    window_start  INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL
) STRICT;

CREATE TABLE user_instances (
    id             INTEGER PRIMARY KEY,
    user_id        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name           TEXT    NOT NULL,
    api_url        TEXT    NOT NULL,
    instance_name  TEXT    NOT NULL,
    api_key        TEXT    NOT NULL,
    api_key_hint   TEXT    NOT NULL,
    is_active      INTEGER NOT NULL DEFAULT 0,
    connection     TEXT    NOT NULL DEFAULT 'unknown',
    checked_at     INTEGER,
    number         TEXT,
    profile_name   TEXT,
    server_version TEXT,
    down_since     INTEGER,
    down_told      INTEGER NOT NULL DEFAULT 0,
    last_sent_at   INTEGER,
    next_send_at   INTEGER NOT NULL DEFAULT 0,
    hour_start     INTEGER NOT NULL DEFAULT 0,
    hour_count     INTEGER NOT NULL DEFAULT 0,
    day_start      INTEGER NOT NULL DEFAULT 0,
    day_count      INTEGER NOT NULL DEFAULT 0,
    version        INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    UNIQUE (user_id, api_url, instance_name)
) STRICT;
CREATE UNIQUE INDEX user_instances_one_active ON user_instances (user_id) WHERE is_active;

CREATE TABLE scheduled_messages (
    id             INTEGER PRIMARY KEY,
    user_id        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    instance_id    INTEGER REFERENCES user_instances (id) ON DELETE SET NULL,
    pinned         INTEGER NOT NULL DEFAULT 0,
    recipient      TEXT    NOT NULL,
    recipient_name TEXT    NOT NULL DEFAULT '',
    message        TEXT    NOT NULL,
    scheduled_time INTEGER NOT NULL,
    time_zone      TEXT    NOT NULL,
    due_at         INTEGER NOT NULL,
    status         TEXT    NOT NULL,
    reason         TEXT,
    attempt        INTEGER NOT NULL DEFAULT 0,
    tries          INTEGER NOT NULL DEFAULT 0,
    lease_until    INTEGER,
    lease_holder   TEXT,
    claimed_for    INTEGER,
    started_at     INTEGER,
    look_at        INTEGER,
    looks          INTEGER NOT NULL DEFAULT 0,
    resends        INTEGER NOT NULL DEFAULT 0,
    if_absent      TEXT,
    sent_through   INTEGER,
    sent_at        INTEGER,
    remote_id      TEXT,
    version        INTEGER NOT NULL DEFAULT 0,
    chat_id        INTEGER NOT NULL,
    origin         TEXT    UNIQUE,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX scheduled_messages_due ON scheduled_messages (due_at, id) WHERE status = 'scheduled';
CREATE INDEX scheduled_messages_leased ON scheduled_messages (lease_until) WHERE status = 'sending';
CREATE INDEX scheduled_messages_waiting ON scheduled_messages (user_id, scheduled_time, id)
    WHERE status IN ('scheduled', 'sending', 'held', 'late', 'unknown');
CREATE INDEX scheduled_messages_by_account ON scheduled_messages (user_id, scheduled_time, id);
CREATE INDEX scheduled_messages_looked ON scheduled_messages (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX scheduled_messages_late ON scheduled_messages (user_id) WHERE status = 'late';
CREATE INDEX scheduled_messages_by_instance ON scheduled_messages (instance_id) WHERE instance_id IS NOT NULL;

CREATE TABLE message_attempts (
    message_id  INTEGER NOT NULL REFERENCES scheduled_messages (id) ON DELETE CASCADE,
    attempt     INTEGER NOT NULL,
    instance_id INTEGER,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    outcome     TEXT,
    reason      TEXT,
    remote_id   TEXT,
    PRIMARY KEY (message_id, attempt)
) STRICT, WITHOUT ROWID;

CREATE INDEX scheduled_messages_held ON scheduled_messages (user_id) WHERE status = 'held';

CREATE TABLE reports (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    chat_id    INTEGER NOT NULL,
    payload    TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE inbox (
    update_id   INTEGER NOT NULL PRIMARY KEY,
    lane        TEXT    NOT NULL,
    status      TEXT    NOT NULL DEFAULT 'waiting',
    body        TEXT    NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX inbox_waiting ON inbox (update_id) WHERE status = 'waiting';

CREATE TABLE conversations (
    chat_id          INTEGER NOT NULL,
    telegram_user_id INTEGER NOT NULL,
    state            TEXT    NOT NULL,
    version          INTEGER NOT NULL DEFAULT 0,
    updated_at       INTEGER NOT NULL,
    PRIMARY KEY (chat_id, telegram_user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    chat_id    INTEGER NOT NULL,
    body       TEXT    NOT NULL,
    status     TEXT    NOT NULL DEFAULT 'waiting',
    attempts   INTEGER NOT NULL DEFAULT 0,
    due_at     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_waiting ON outbox (chat_id, id) WHERE status = 'waiting';

CREATE TABLE cards (
    chat_id     INTEGER NOT NULL,
    telegram_id INTEGER NOT NULL,
    message_id  INTEGER NOT NULL REFERENCES scheduled_messages (id) ON DELETE CASCADE,
    PRIMARY KEY (chat_id, telegram_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX cards_by_message ON cards (message_id);

CREATE TABLE leases (
    name   TEXT    NOT NULL PRIMARY KEY,
    holder TEXT    NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
